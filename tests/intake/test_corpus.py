"""The corpus: files as senders really spoil them, in `tests/corpus/`, each with what must become of it (`verwacht.yaml`).

Belongs here: reading those expectations, holding intake and the payer decision against them, and what holds for every file whatever
it is: it never raises, no record is lost, nothing personal is repeated. How an expectation is written: `tests/corpus/README.md`.
Does not belong here: an expectation. A new kind of bad file is a new folder, not a new test.
"""

import inspect
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from tests.intake.files import KEYS
from tests.year_builder import AMARANT, DE_BODDE, Year
from zio_pipeline.budget import doelgroep_budgets
from zio_pipeline.errors import EstablishmentBlocked, SetupError
from zio_pipeline.intake import Delivery, take_in, take_in_all
from zio_pipeline.payer import PayerOutcome
from zio_pipeline.privacy import pseudonym
from zio_pipeline.setup import SchoolYearSetup, read_setup
from zio_pipeline.shares import split_over_payers

CORPUS = Path(__file__).parents[1] / "corpus"
EXPECTED = "verwacht.yaml"
CASES = sorted(folder.name for folder in CORPUS.iterdir() if folder.is_dir())
ITEMS = (*range(1, 23), *range(44, 58))
"""Of DOMAIN section 8: pupil and payer, Wlz, hours, files. Those between are about money and later stages."""

SAFE = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_BYTES = 20_000
SCOPE = ("school_year", "school", "provider", "period")
FILE_KEYS = {
    *("source", "status", "refusal", "rows_in", "accepted", "quarantined", "warnings", "values", "never_shown"),
    *SCOPE,
}
PAYER_KEYS = {
    *("files", "settings", "classes", "de_bodde", "besluiten", "also_members", "expected_pupils"),
    *("decisions", "worklist", "signals", "members", "shares", "shares_refusal", "setup_refusal"),
}
PERSONAL = re.compile(r"(?<!\d)\d{9}(?!\d)")

Expectation = Mapping[str, Any]
Place = tuple[str, int]


@cache
def expected(case: str) -> Expectation:
    return yaml.load((CORPUS / case / EXPECTED).read_text("utf-8"), Loader=SAFE)  # type: ignore[no-any-return]  # noqa: S506 (safe)


@cache
def content(case: str) -> Mapping[str, bytes]:
    """The files of a case, by name. Intake never sees the names."""
    return {path.name: path.read_bytes() for path in sorted((CORPUS / case).iterdir()) if path.name != EXPECTED}


@cache
def taken_in() -> Mapping[str, Mapping[str, Delivery]]:
    """Every file of the corpus, taken in at once."""
    every = [(case, name, data) for case in CASES for name, data in content(case).items()]
    found: dict[str, dict[str, Delivery]] = {case: {} for case in CASES}
    for (case, name, _), delivery in zip(every, take_in_all([data for _, _, data in every], KEYS), strict=True):
        found[case][name] = delivery
    return found


def deliveries(case: str) -> Mapping[str, Delivery]:
    """The files of a case, by name."""
    return taken_in()[case]


# What is expected of one file


@pytest.mark.parametrize("case", CASES)
def test_intake(case: str) -> None:
    """Every file of the case comes to what its expectation says; all that differs is shown at once."""
    differences = [
        f"{name}: {line}"
        for name, wanted in expected(case)["files"].items()
        for line in _differences(deliveries(case)[name], wanted)
    ]
    assert not differences, _report(case, differences)


def _report(case: str, differences: Sequence[str]) -> str:
    about = expected(case)
    return "\n  ".join([f"{case} ({about['origin']}): {about['nasty']}", *differences])


def _differences(found: Delivery, wanted: Expectation) -> Iterator[str]:
    """Every way in which a delivery is not what is expected, as a readable line."""
    for name in ("source", "status"):
        yield from _unequal(name, getattr(found, name), wanted[name])
    if wanted["status"] == "refused":
        yield from _refusal_differences(found, wanted)
    else:
        yield from _unequal("reason", found.reason, None)
        yield from _unequal("rows_accepted", found.rows_accepted, wanted["accepted"])
        for name in SCOPE:
            yield from _unequal(name, getattr(found, name), wanted.get(name))
    if "rows_in" in wanted:
        yield from _unequal("rows_in", found.rows_in, wanted["rows_in"])
    if wanted["status"] != "refused" or "quarantined" in wanted:
        broken = {(r.sheet, r.row_number): sorted(reason.rule for reason in r.reasons) for r in found.quarantined}
        yield from _unequal_rows("quarantined", broken, _by_place(wanted.get("quarantined", {}), sorted))
    if wanted["status"] != "refused" or "warnings" in wanted:
        listed = sorted((w.sheet, w.row_number, w.rule) for w in found.warnings)
        yield from _unequal("warnings", listed, sorted((*_place(at), rule) for at, rule in wanted.get("warnings", ())))
    for at, values in wanted.get("values", {}).items():
        yield from _value_differences(found, at, values)


def _refusal_differences(found: Delivery, wanted: Expectation) -> Iterator[str]:
    if not re.search(wanted["refusal"], found.reason or "", re.DOTALL):
        yield f"reason {found.reason!r} does not match {wanted['refusal']!r}"
    if "beheerder" in (found.reason or ""):
        yield "refused for a fault that nobody foresaw"
    yield from _unequal("accepted", (dict(found.accepted), found.rows_accepted), ({}, 0))


def _unequal(what: str, found: object, wanted: object) -> Iterator[str]:
    if found != wanted:
        yield f"{what} is {found!r}, expected {wanted!r}"


def _unequal_rows(what: str, found: Mapping[Place, object], wanted: Mapping[Place, object]) -> Iterator[str]:
    for place in sorted({*found, *wanted}):
        yield from _unequal(f"{what} {place}", found.get(place), wanted.get(place))


def _by_place(rows: Mapping[Any, Any], change: Any) -> dict[Place, Any]:
    return {_place(at): change(value) for at, value in rows.items()}


def _place(at: int | str) -> Place:
    """The sender's row: a number in a text file, 'sheet!row' in a workbook."""
    sheet, _, row = str(at).rpartition("!")
    return sheet, int(row)


def _value_differences(found: Delivery, at: int | str, values: Mapping[str, Any]) -> Iterator[str]:
    sheet, number = _place(at)
    rows = [
        row for table in found.accepted.values() for row in _rows_at(table, sheet, number) if set(values) <= set(row)
    ]
    if len(rows) != 1:
        yield f"row {at} is accepted {len(rows)} times"
    for row in rows:
        for column, value in values.items():
            yield from _unequal(f"{column} in row {at}", row[column], _stored(column, value, row))


def _rows_at(table: pa.Table, sheet: str, number: int) -> list[dict[str, Any]]:
    return [row for row in table.to_pylist() if (row["sheet"], row["row_number"]) == (sheet, number)]


def _stored(column: str, value: Any, row: Mapping[str, Any]) -> Any:
    """An expected value as it is kept: persons as pseudonyms, an employee as one of the provider."""
    if value is None or column not in ("pupil", "employee"):
        return value
    if column == "pupil":
        return pseudonym(KEYS, "pgn", value.casefold())
    return pseudonym(KEYS, "employee", f"{row['provider']}:{value.casefold()}")


# What is expected of the files together

SCENARIOS = [(case, number) for case in CASES for number, _ in enumerate(expected(case).get("payer", ()))]


@pytest.mark.parametrize(("case", "number"), SCENARIOS)
def test_payer(case: str, number: int) -> None:
    """Who pays, by the accepted and quarantined rows of the case in the school year it states."""
    wanted = expected(case)["payer"][number]
    year = _year(case, wanted)
    if "setup_refusal" in wanted:
        with pytest.raises(SetupError, match=wanted["setup_refusal"]):
            year.setup()
        return
    setup, outcome = year.setup(), year.outcome()
    differences = [
        *_decision_differences(outcome, wanted["decisions"]),
        *_unequal("worklist", _worklist(outcome), sorted(map(tuple, wanted.get("worklist", ())), key=str)),
        *_unequal("signals", _signals(outcome, year), sorted(map(tuple, wanted.get("signals", ())))),
        *_unequal("members", {c: setup.is_member(c) for c in wanted.get("members", {})}, wanted.get("members", {})),
    ]
    assert not differences, _report(case, differences)
    _check_shares(setup, outcome, wanted)


def _decision_differences(outcome: PayerOutcome, wanted: Mapping[str, Expectation]) -> Iterator[str]:
    """Exactly these pupils are decided, each once; of every decision the stated fields are compared."""
    found = {decision.row_ref: decision for decision in outcome.decisions}
    yield from _unequal("number of decisions", len(outcome.decisions), len(found))
    yield from _unequal("decided rows", sorted(found), sorted(wanted))
    for row_ref in sorted(found.keys() & wanted.keys()):
        fields_found = {name: getattr(found[row_ref], name) for name in wanted[row_ref]}
        yield from _unequal(f"decision of {row_ref}", fields_found, dict(wanted[row_ref]))


def _worklist(outcome: PayerOutcome) -> list[tuple[str, str | None]]:
    return sorted(((p.reason, p.row_ref) for p in outcome.worklist if p.decision_id is None), key=str)


def _signals(outcome: PayerOutcome, year: Year) -> list[tuple[str, str]]:
    """Signals by the first row of their pupil."""
    first: dict[str, str] = {}
    for row in year.registrations:
        first.setdefault(row["pupil"], row["row_ref"])
    return sorted((signal.reason, first.get(signal.subject, signal.subject)) for signal in outcome.signals)


def _check_shares(setup: SchoolYearSetup, outcome: PayerOutcome, wanted: Expectation) -> None:
    if "shares_refusal" in wanted:
        with pytest.raises(EstablishmentBlocked, match=wanted["shares_refusal"]):
            split_over_payers(setup, doelgroep_budgets(setup), outcome)
    elif "shares" in wanted:
        details = split_over_payers(setup, doelgroep_budgets(setup), outcome)
        found = {f"{d.order_id} {d.doelgroep} {d.stream} {d.payer}": d.amount_cents for d in details if d.amount_cents}
        assert found == wanted["shares"]


def _year(case: str, wanted: Expectation) -> Year:
    """The school year of the case: the setup workbook among its files, else the one of the tests with what is stated."""
    used = {name: d for name, d in deliveries(case).items() if name in wanted.get("files", deliveries(case))}
    workbooks = [d for d in used.values() if d.source == "school_year_setup"]
    year = _year_of_workbook(workbooks[0]) if workbooks else _year_of_tests(wanted)
    for name, delivery in used.items():
        year.registrations += _rows(name, delivery, "pupil_registrations")
        year.indications += _rows(name, delivery, "wlz_statuses")
        year.quarantined += list(_quarantined(name, delivery))
    return year


def _year_of_workbook(delivery: Delivery) -> Year:
    year = Year(empty=True)
    year.sheets = {name: table.to_pylist() for name, table in delivery.accepted.items()}
    read_setup(year.sheets)
    return year


def _year_of_tests(wanted: Expectation) -> Year:
    """Order LP with doelgroep EMB (classes EMB1, EMB2, or those of the case) and VMBO without hours; BO at De Bodde on request."""
    year = Year(empty=True, **wanted.get("settings", {}))
    year.order("LP")
    year.doelgroep("LP", "EMB")
    year.doelgroep("LP", "VMBO", 0)
    expected_pupils = wanted.get("expected_pupils", {})
    for code in wanted.get("classes", ("EMB1", "EMB2")):
        year.school_class(code, expected_pupils=expected_pupils.get(code))
    year.school_class("VMBO1", "LP", "VMBO")
    if wanted.get("de_bodde"):
        year.order("BO", school=DE_BODDE, provider=AMARANT)
        year.doelgroep("BO", "ZML")
        year.school_class("ZML1", "BO", "ZML", school=DE_BODDE)
    for code in wanted.get("also_members", ()):
        year.add(
            "municipalities", municipality=code, name=code, member_from=year.sheets["municipalities"][0]["member_from"]
        )
    for besluit in wanted.get("besluiten", ()):
        named = {"pupil": _stored("pupil", besluit.get("pupil"), besluit)}
        year.besluit(**besluit | named)
    return year


def _rows(name: str, delivery: Delivery, dataset: str) -> list[dict[str, Any]]:
    if dataset not in delivery.accepted:
        return []
    return [
        row | {"row_ref": _row_ref(name, row["sheet"], row["row_number"])}
        for row in delivery.accepted[dataset].to_pylist()
    ]


def _quarantined(name: str, delivery: Delivery) -> Iterator[dict[str, Any]]:
    """What the year knows of a row in quarantine: as far as it could be read, and the school of the file."""
    for row in delivery.quarantined if delivery.status != "refused" else ():
        if row.dataset in ("pupil_registrations", "wlz_statuses"):
            yield {
                "dataset": row.dataset,
                "row_ref": _row_ref(name, row.sheet, row.row_number),
                "pupil": row.known.get("pupil"),
                "school": row.known.get("school") or delivery.school,
                "class_code": row.known.get("class_code"),
            }


def _row_ref(name: str, sheet: str, number: int) -> str:
    return f"{name}:{sheet}!{number}" if sheet else f"{name}:{number}"


# What holds for every file


@pytest.mark.parametrize("case", CASES)
def test_a_file_alone_gives_the_same_as_among_all_others(case: str) -> None:
    for name, data in content(case).items():
        assert _unequal_fields(take_in(data, KEYS), deliveries(case)[name]) == [], name


def _unequal_fields(one: Delivery, other: Delivery) -> list[str]:
    return [field.name for field in fields(Delivery) if getattr(one, field.name) != getattr(other, field.name)]


@pytest.mark.parametrize("case", CASES)
def test_no_record_is_lost(case: str) -> None:
    """Records of the file = those that are no data + rows; rows = accepted + quarantined; each row has its reasons once."""
    for name, found in deliveries(case).items():
        places = [(row.dataset, row.sheet, row.row_number) for row in found.quarantined]
        assert len(places) == len(set(places)) == found.rows_quarantined, name
        assert all(row.reasons for row in found.quarantined), name
        assert found.records_in == found.records_beside + found.rows_in, name
        if found.status != "refused":
            assert found.rows_in == found.rows_accepted + found.rows_quarantined, name
            assert found.rows_accepted == sum(table.num_rows for table in found.accepted.values()), name


@pytest.mark.parametrize("case", CASES)
def test_every_quarantined_row_is_kept_as_it_was_sent(case: str) -> None:
    """The terugmelding shows the sender's own rows, so the raw cells of each are there."""
    for name, found in deliveries(case).items():
        raw = found.raw_rows
        columns = [raw[column].to_pylist() for column in ("dataset", "sheet", "row_number")]
        kept = set(zip(*columns, strict=True))
        missing = {(row.dataset, row.sheet, row.row_number) for row in found.quarantined} - kept
        assert not missing, name
        assert all(position >= 1 for position in raw["position"].to_pylist()), name


@pytest.mark.parametrize("case", CASES)
def test_nothing_personal_is_repeated(case: str) -> None:
    """SPEC section 8: no pupil number (nor what the case names) stands in a label, a reason or a repr."""
    for name, found in deliveries(case).items():
        shown = repr(found) + repr(found.quarantined) + repr([row.reasons for row in found.quarantined])
        shown += f"{found.label} {found.reason} {[w.explanation for w in found.warnings]}"
        shown = shown.replace(found.content_sha256, "")
        personal = {
            *PERSONAL.findall(_text(content(case)[name])),
            *expected(case)["files"][name].get("never_shown", ()),
        }
        assert [value for value in personal if value in shown] == [], name


def _text(data: bytes) -> str:
    """All text in a file, roughly: of a workbook the XML of its parts."""
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return data.replace(b"\x00", b"").decode("latin-1")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return " ".join(archive.read(part).decode("latin-1") for part in archive.namelist() if part.startswith("xl/"))


def test_a_file_is_known_by_its_bytes_alone() -> None:
    """SPEC section 2: recognised by its content; there is no way to tell intake a name."""
    assert list(inspect.signature(take_in).parameters) == ["data", "keys"]


# The corpus itself


@pytest.mark.parametrize("case", CASES)
def test_the_case_is_well_formed(case: str) -> None:
    """Every file has its expectation and no other, and no key of an expectation is misspelled (it would test nothing)."""
    about = expected(case)
    assert re.fullmatch(r"\d{3}-[a-z0-9-]+", case)
    assert set(about) - {"payer"} == {"origin", "nasty", "files"}
    assert about["origin"] and about["nasty"].endswith(".")
    assert sorted(about["files"]) == sorted(content(case))
    for name, wanted in about["files"].items():
        assert set(wanted) <= FILE_KEYS, name
        assert len(content(case)[name]) < MAX_BYTES, name
    for scenario in about.get("payer", ()):
        assert set(scenario) <= PAYER_KEYS
        assert set(scenario.get("files", ())) <= set(about["files"])


def test_every_item_of_the_list_has_a_case_and_the_readme_names_it() -> None:
    origins = {case: expected(case)["origin"] for case in CASES}
    readme = (CORPUS / "README.md").read_text("utf-8")
    assert [item for item in ITEMS if f"DOMAIN 8.{item}" not in origins.values()] == []
    assert [case for case in CASES if f"`{case}`" not in readme] == []
    assert sorted(set(re.findall(r"`(\d{3}-[a-z0-9-]+)`", readme)) - set(CASES)) == []
