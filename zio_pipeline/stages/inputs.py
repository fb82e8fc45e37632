"""From which rows a school year is computed, in each of its versions.

Belongs here: the files that count now, those a receipt pinned, the base a new version stands beside, and what later files say
otherwise than was established. Does not belong here: the rules (`figures`, `versions`, `mutations`), publishing, signing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from resources.establishments import Establishment, Proposal
from resources.home import Home
from zio_pipeline import establishment
from zio_pipeline.billing import standing_documents
from zio_pipeline.contracts import sources
from zio_pipeline.errors import EstablishmentBlocked
from zio_pipeline.figures import YearInputs
from zio_pipeline.intake.delivery import CONTRADICTING
from zio_pipeline.manifest import ManifestEntry
from zio_pipeline.mutations import TAKING, Difference, as_established, differences, taken_rows, without_mutations
from zio_pipeline.order_history import OrderChange
from zio_pipeline.payer import PayerInputs
from zio_pipeline.setup import SchoolYearSetup, read_setup
from zio_pipeline.stages.residence_answers import answer_files, answer_rows
from zio_pipeline.stages.standing import accepted_rows, quarantined_rows
from zio_pipeline.versions import BASE_TABLES, ORDER_CHANGE, Base, calendar_of

MONEY_SOURCES = establishment.MONEY_SOURCES
"""What a year is computed from; timesheets prove delivery and never change an amount."""

Places = frozenset[tuple[str, str]]
"""(payer, period) in which a document stands."""


@dataclass(frozen=True)
class Later:
    """What the files that count now say otherwise than the established ones, and which of them cannot be laid beside those."""

    differences: tuple[Difference, ...] = ()
    not_comparable: tuple[str, ...] = ()


def year_inputs(home: Home, school_year: str) -> YearInputs:
    """What the year is computed from: the files its receipt names once established, else the ones that count now.

    Raises:
        EstablishmentBlocked: a source is missing altogether.
        NotProved: the base of an established version is not what was signed for.
    """
    standing = home.warehouse.establishment(school_year)
    return signed_inputs(home, standing) if standing else current_inputs(home, school_year)


def current_inputs(home: Home, school_year: str) -> YearInputs:
    """The files that count now.

    Raises:
        EstablishmentBlocked: a source is missing altogether.
    """
    entries = {source: home.warehouse.active(source, school_year) for source in MONEY_SOURCES}
    rows = home.warehouse.rows("deliveries", school_year=school_year, status=CONTRADICTING)
    made = _inputs(home, school_year, entries, answer_files(home, school_year))
    contradicting = [row["label"] for row in rows if row["source"] in MONEY_SOURCES]
    return replace(made, payer=replace(made.payer, contradicting=contradicting))


def signed_inputs(home: Home, signed: Proposal) -> YearInputs:
    """The files a receipt names, beside the base it names: what that version is computed from, again and again."""
    entries = {source: _pinned(home, source, signed) for source in MONEY_SOURCES}
    made = _inputs(home, signed.school_year, entries, answer_files(home, signed.school_year, signed.receipt["inputs"]))
    given = signed.receipt.get("base")
    if given is None:
        return made
    proposals = home.warehouse.proposals(signed.school_year)
    earlier = next(p for p in proposals if (p.version, p.receipt_hash) == (given["version"], given["receipt_hash"]))
    posted = frozenset((payer, period) for payer, period in given["posted"])
    return _beside(home, made, earlier, reason=given["reason"], explanation=given["explanation"], posted=posted)


def next_inputs(home: Home, standing: Establishment, reason: str, explanation: str) -> YearInputs:
    """What a new version would be computed from: the files that count now, beside the version in force.

    What stands in the ledger is only taken as given for an order change; for another reason nothing depends on it.

    Raises:
        EstablishmentBlocked: a source is missing, or pupils stand under another pseudonym key than in the base.
        NotProved: the base is not what was signed for.
    """
    posted = standing_documents(home.ledger.posted(standing.school_year)) if reason == ORDER_CHANGE else []
    places = frozenset((document.payer, document.period) for document in posted)
    made = current_inputs(home, standing.school_year)
    return _beside(home, made, standing, reason=reason, explanation=explanation, posted=places)


def _beside(
    home: Home, made: YearInputs, earlier: Proposal, *, reason: str, explanation: str, posted: Places
) -> YearInputs:
    """The inputs with their base, and without what only mutated since (a mutation is never settled, SPEC section 4)."""
    before = signed_inputs(home, earlier)
    if _keys(made.files) != _keys(before.files):
        raise EstablishmentBlocked(
            [
                f"in versie {earlier.version} staan leerlingen onder een andere pseudoniemsleutel dan in de bestanden van nu; "
                "daarnaast kan geen nieuwe versie staan. Herstel de sleutel en lees opnieuw in (zio reread)."
            ]
        )
    then, now = read_setup(before.sheets), read_setup(made.sheets)
    base = base_of(home, earlier, then, reason=reason, explanation=explanation, posted=posted)
    payer, taken = _pupils_of(reason, then, now, before.payer, made.payer)
    return replace(made, payer=payer, base=replace(base, taken=taken))


def base_of(
    home: Home,
    signed: Proposal,
    setup: SchoolYearSetup,
    *,
    reason: str,
    explanation: str = "",
    posted: Places = frozenset(),
) -> Base:
    """A signed version, with its setup, as the base of another.

    Raises:
        NotProved: the tables that stand are not those that were signed for.
    """
    scope = {"school_year": signed.school_year, "version": signed.version}
    tables = {name: home.warehouse.rows(name, **scope) for name in BASE_TABLES}
    establishment.require_signed(signed.receipt, tables)
    return Base(
        version=signed.version,
        receipt_hash=signed.receipt_hash,
        reason=reason,
        tables=tables,
        calendar=calendar_of(setup.settings),
        known_changes=frozenset(b.decision_id for b in setup.decisions_of(ORDER_CHANGE)),
        posted=posted,
        explanation=explanation,
        history=tuple(OrderChange(**change) for change in signed.receipt.get("base", {}).get("order_changes", ())),
    )


def _pupils_of(
    reason: str, then: SchoolYearSetup, now: SchoolYearSetup, before: PayerInputs, made: PayerInputs
) -> tuple[PayerInputs, tuple[str, ...]]:
    """The pupils of a new version for that reason, and which rows of later files it takes.

    With another startdatum or peildatum every file must tell again. Otherwise mutations are left out, and only an error at the
    peildatum or an objection takes the rest.
    """
    days = [(s.settings.start_date, s.settings.reference_date) for s in (then, now)]
    found = differences(then.settings, now.decisions_of("mutation"), before, made)
    if days[0] != days[1]:
        return made, tuple(sorted({difference.row_ref for difference in found}))
    if reason not in TAKING:
        return as_established(before, made), ()
    return without_mutations(found, before, made), taken_rows(found)


def later_than_signed(home: Home, school_year: str) -> Later:
    """What the files that count now say otherwise than was signed for; nothing of a year that is not established.

    The files of a new version still say the mutations that were left out of it.
    """
    standing = home.warehouse.establishment(school_year)
    if standing is None or not ("base" in standing.receipt or later_files(home, school_year)):
        return Later()
    before = signed_inputs(home, standing)
    keys = _keys(before.files)
    entries = [e for source in MONEY_SOURCES[1:] for e in home.warehouse.active(source, school_year)]
    current = _payer_rows(home, [entry for entry in entries if entry.key_id in keys])
    besluiten = newest_setup(home, school_year).decisions_of("mutation")
    found = differences(read_setup(before.sheets).settings, besluiten, before.payer, current)
    return Later(tuple(found), tuple(entry.label for entry in entries if entry.key_id not in keys))


def newest_setup(home: Home, school_year: str) -> SchoolYearSetup:
    """The newest workbook. Of an established year it says who may be billed and what was decided since, never an amount.

    Raises:
        EstablishmentBlocked: no workbook counts.
    """
    newest = home.warehouse.active("school_year_setup", school_year)
    if not newest:
        raise EstablishmentBlocked([f"van schooljaar {school_year} telt geen enkele Inrichting; lever haar aan."])
    return read_setup(_sheets(home, newest[0]))


def later_files(home: Home, school_year: str) -> list[str]:
    """Labels of the files that count now but were not established: they change nothing of this year."""
    standing = home.warehouse.establishment(school_year)
    if standing is None:
        return []
    pinned = standing.receipt["inputs"]
    entries = [e for source in MONEY_SOURCES for e in home.warehouse.active(source, school_year)]
    return [entry.label for entry in entries if _file(entry) not in pinned]


def _pinned(home: Home, source: str, signed: Proposal) -> list[ManifestEntry]:
    entries = home.warehouse.manifest(source=source, school_year=signed.school_year)
    return [entry for entry in entries if _file(entry) in signed.receipt["inputs"]]


def _inputs(
    home: Home,
    school_year: str,
    entries: Mapping[str, Sequence[ManifestEntry]],
    answers: Sequence[dict[str, str]],
) -> YearInputs:
    names = dict(zip(MONEY_SOURCES, ("Inrichting", "leerlingbestanden", "Wlz-lijst"), strict=True))
    missing = [names[source] for source in MONEY_SOURCES if not entries[source]]
    if missing:
        raise EstablishmentBlocked(
            [f"{name} voor schooljaar {school_year} ontbreekt: er is geen aanvaard bestand." for name in missing]
        )
    setup, *others = (entries[source] for source in MONEY_SOURCES)
    payer = _payer_rows(home, [entry for found in others for entry in found])
    files = [*(_file(entry) for found in entries.values() for entry in found), *answers]
    return YearInputs(
        sheets=_sheets(home, setup[0]),
        payer=replace(payer, residence_answers=answer_rows(home, school_year, answers)),
        files=tuple(sorted(files, key=lambda file: (file["source"], file["content_sha256"]))),
    )


def _sheets(home: Home, workbook: ManifestEntry) -> dict[str, list[dict[str, Any]]]:
    return {d.name: accepted_rows(home, workbook, d.name) for d in sources()["school_year_setup"].datasets}


def _payer_rows(home: Home, entries: Sequence[ManifestEntry]) -> PayerInputs:
    def rows(source: str) -> list[dict[str, Any]]:
        return [row for entry in entries if entry.source == source for row in accepted_rows(home, entry, source)]

    return PayerInputs(
        registrations=rows("pupil_registrations"),
        indications=rows("wlz_statuses"),
        quarantined=[row for entry in entries for row in quarantined_rows(home, entry)],
    )


def _file(entry: ManifestEntry) -> dict[str, str]:
    names = ("source", "label", "content_sha256", "contract_fingerprint", "parser_version", "key_id")
    return {name: getattr(entry, name) for name in names}


def _keys(files: Iterable[Mapping[str, str]]) -> set[str]:
    return {file["key_id"] for file in files}
