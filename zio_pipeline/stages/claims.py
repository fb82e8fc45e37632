"""Claims of a school year: what providers sent beside what the established year lets them declare.

Belongs here: reading both (only with proof), the day on which a line was first received, publishing the control, and the
workbooks for the providers. Does not belong here: the verdicts (`claims`), how a workbook looks (`claim_answers`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

from resources.home import Home, write_atomically
from zio_pipeline.claim_answers import Addressee, claim_answer
from zio_pipeline.claims import ClaimControl, ClaimLine, LineVerdict, MonthVerdict, Place, judge_claims
from zio_pipeline.declarations import Term, monthly_declarations
from zio_pipeline.errors import EstablishmentBlocked
from zio_pipeline.establishment import require_signed
from zio_pipeline.figures import stamped
from zio_pipeline.manifest import ManifestEntry
from zio_pipeline.setup import Besluit, SchoolYearSetup
from zio_pipeline.stages.inputs import newest_setup
from zio_pipeline.stages.publishing import publish, trusted_rows
from zio_pipeline.stages.standing import accepted_rows, vault_stem
from zio_pipeline.stages.year import current_setup

SOURCE = "provider_claims"
ANSWERS = "declaratieantwoord"
CLAIM_TABLES = ("claim_control", "claim_lines")

Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Claims:
    """The claims of an established year, judged on a business date."""

    setup: SchoolYearSetup
    version: int
    as_of: date
    control: ClaimControl

    @property
    def providers(self) -> dict[str, str]:
        """AGB code -> name, of everybody with an order or a claim."""
        names = {row["provider"]: row["name"] for row in self.setup.sheets["providers"]}
        found = {o.provider for o in self.setup.orders} | {v.line.provider for v in self.control.lines}
        return {provider: names.get(provider, "onbekende aanbieder") for provider in sorted(found)}


def judged_claims(home: Home, school_year: str, as_of: date) -> Claims:
    """Compare what was claimed with what may be declared in the version in force; nothing is written.

    Args:
        home: where everything is kept.
        school_year: key of an established year.
        as_of: the business date; what was received after it is not known yet.

    Raises:
        EstablishmentBlocked: the year is not established, so nothing may be declared yet.
        NotProved: the terms lack a valid verdict, or are not those that were signed for.
        SetupError: a write-off names nothing.
    """
    established = home.warehouse.establishment(school_year)
    if established is None:
        raise EstablishmentBlocked([f"schooljaar {school_year} is nog niet vastgesteld; er is niets te declareren."])
    setup, version = current_setup(home, school_year), established.version
    declared = _declared(home, setup, version, established.receipt)
    lines = list(_lines(home, setup))
    control = judge_claims(setup.orders, declared, lines, _write_offs(home, school_year), as_of)
    return Claims(setup, version, as_of, control)


def publish_claims(home: Home, school_year: str, as_of: date) -> tuple[Claims, Rows]:
    """Publish the control and its lines, and write every provider its answer; the claims and the published rows.

    Raises:
        EstablishmentBlocked, NotProved, SetupError: as `judged_claims`; then nothing is written.
    """
    claims = judged_claims(home, school_year, as_of)
    tables = {
        "claim_control": stamped(map(_month_row, claims.control.months), claims.setup, claims.version),
        "claim_lines": stamped(map(_line_row, claims.control.lines), claims.setup, claims.version),
    }
    publish(home, tables, {"school_year": school_year, "version": claims.version})
    for path, data in _answers(home, school_year, claims):
        write_atomically(path, data)
    return claims, tables


def _declared(home: Home, setup: SchoolYearSetup, version: int, receipt: Mapping[str, Any]) -> dict[Place, int]:
    """What may be declared, added up from the signed terms: the declarations of single months are published apart."""
    rows = trusted_rows(home, "terms", school_year=setup.settings.school_year.key, version=version)
    names = [field.name for field in fields(Term)]
    declarations = monthly_declarations(setup, [Term(**{name: row[name] for name in names}) for row in rows])
    require_signed(receipt, {"terms": rows, "monthly_declarations": stamped(declarations, setup, version)})
    return {Place(row["order_id"], row["law"], row["month"]): row["amount_cents"] for row in declarations}


def _write_offs(home: Home, school_year: str) -> Sequence[Besluit]:
    """By the newest workbook: a claim is written off long after the year was established."""
    return newest_setup(home, school_year).decisions_of("claim_write_off")


def _lines(home: Home, setup: SchoolYearSetup) -> Iterator[ClaimLine]:
    """The lines that count, each with the day it was first received.

    The files of a fictitious year are dropped all at once, whenever somebody tries it: there the invoice date stands for the
    day of reception, as a replay takes each due date for its business date.
    """
    for entry in home.warehouse.active(SOURCE, setup.settings.school_year.key):
        received = _first_received(home, entry)
        for row in accepted_rows(home, entry, SOURCE):
            names = [field.name for field in fields(ClaimLine) if field.name != "received_on"]
            day = row["invoice_date"] if setup.settings.fictitious else received[_content(row)]
            yield ClaimLine(**{name: row[name] for name in names}, received_on=day)


def _first_received(home: Home, entry: ManifestEntry) -> dict[tuple[Any, ...], date]:
    """Per line of a file the first day on which a file of its place held it: a corrected file must not make it late."""
    versions = home.warehouse.manifest(source=SOURCE, scope=entry.scope)
    readable = [one for one in versions if one.status != "refused" and home.vault.has(f"{vault_stem(one)}-{SOURCE}")]
    first: dict[tuple[Any, ...], date] = {}
    for one in readable:
        for row in accepted_rows(home, one, SOURCE):
            key = _content(row)
            first[key] = min(first.get(key, one.received_on), one.received_on)
    return first


def _content(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """By what a line is recognised as received before: not by its place, nor by what a sender adds when asked to be more exact."""
    return tuple(value for name, value in sorted(row.items()) if name not in ("row_ref", "order_id", "line_number"))


def _month_row(month: MonthVerdict) -> dict[str, Any]:
    return asdict(month) | {"difference_cents": month.difference_cents}


def _line_row(verdict: LineVerdict) -> dict[str, Any]:
    line = asdict(verdict.line) | {"amount_cents": verdict.line.signed_cents}
    shown = {name: value for name, value in line.items() if name != "debit_credit"}
    own = {name: getattr(verdict, name) for name in ("order_id", "counted", "late", "status", "reason")}
    return shown | own


def _answers(home: Home, school_year: str, claims: Claims) -> Iterable[tuple[Path, bytes]]:
    folder = home.outbox / school_year / ANSWERS
    for provider, name in claims.providers.items():
        to = Addressee(provider, name, school_year, claims.as_of, claims.setup.settings.fictitious)
        months = [month for month in claims.control.months if month.provider == provider]
        lines = [verdict for verdict in claims.control.lines if verdict.line.provider == provider]
        yield folder / f"{ANSWERS}-{provider}-{school_year}.xlsx", claim_answer(to, months, lines)
