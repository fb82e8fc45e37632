"""The second pair of eyes over whole tables: every rule is asked, counted and named, and no value of a row comes out."""

import datetime
import json
from typing import Any

import pyarrow as pa
import pytest

from tests.year_builder import TILBURG, Year
from zio_pipeline.audit import Audit, Check, audit, engine, ruleset_hash, verdict
from zio_pipeline.audit.rules import rules_of
from zio_pipeline.contracts import Column, Dataset, products, sources
from zio_pipeline.errors import ContractError, NotProved

SECRET = "999990019"


@pytest.fixture(scope="module")
def registrations() -> Dataset:
    return sources()["pupil_registrations"].dataset("pupil_registrations")


@pytest.fixture(scope="module")
def good_rows() -> list[dict[str, Any]]:
    year = Year()
    year.pupils(3)
    return [row | {"pupil": f"{number:064x}"} for number, row in enumerate(year.registrations)]


@pytest.fixture(scope="module")
def bad(registrations: Dataset, good_rows: list[dict[str, Any]]) -> Audit:
    """Three rows: two without a school, all three with a school year or evidence that cannot be."""
    rows = [row | {"school": None, "pupil": SECRET} for row in good_rows[:2]] + good_rows[2:]
    return audit(registrations, [row | {"school_year": "2025", "municipality_evidence": "wens"} for row in rows])


def test_rows_that_keep_the_contract_pass(registrations: Dataset, good_rows: list[dict[str, Any]]) -> None:
    outcome = audit(registrations, good_rows, minimum_rows=1)
    assert outcome.passed
    assert (outcome.dataset, outcome.row_count) == ("pupil_registrations", 3)
    asked = {(check.rule, check.columns) for check in outcome.checks}
    assert {
        ("volume", ()),
        ("required", ("pupil",)),
        ("form", ("school",)),
        ("allowed", ("municipality_evidence",)),
    } <= asked
    outcome.require()


def test_every_failed_rule_is_named_with_its_number_of_rows(bad: Audit) -> None:
    failed = {(check.rule, check.columns): check.violations for check in bad.checks if not check.passed}
    assert failed == {
        ("required", ("school",)): 2,
        ("form", ("school_year",)): 3,
        ("form", ("pupil",)): 2,
        ("allowed", ("municipality_evidence",)): 3,
    }
    with pytest.raises(NotProved, match=r"required \(school\): 2 rijen"):
        bad.require()


def test_no_value_of_any_row_leaves_the_audit(bad: Audit) -> None:
    """SPEC 8: results of Great Expectations hold raw values; only counts and column names come out."""
    with pytest.raises(NotProved) as stopped:
        bad.require()
    for text in (repr(bad), str(stopped.value)):
        assert SECRET not in text
        assert "wens" not in text
        assert "5038AA" not in text


def test_an_empty_delivery_is_no_delivery(registrations: Dataset) -> None:
    outcome = audit(registrations, [], minimum_rows=1)
    assert [check.rule for check in outcome.checks if not check.passed] == ["volume"]


def test_published_figures_keep_keys_types_and_ranges() -> None:
    """A key twice and a negative amount are noticed; integers stay integers and dates dates beside an empty cell."""
    dataset = products()["terms"]
    year = Year()
    year.pupil("p1")
    rows = year.figures().tables["terms"]
    assert isinstance(rows[0]["due_on"], datetime.date)
    assert audit(dataset, rows, minimum_rows=10).passed
    rows[0]["due_on"] = None
    rows[1] = rows[2] | {"amount_cents": -1}
    failed = {
        (check.rule, check.columns): check.violations for check in audit(dataset, rows).checks if not check.passed
    }
    assert failed == {("unique_key", dataset.key): 2, ("range", ("amount_cents",)): 1}


def with_pattern(dataset: Dataset, pattern: str) -> Dataset:
    columns = (Column(**{**vars(c), "pattern": pattern}) if c.name == "class_code" else c for c in dataset.columns)
    return Dataset(**{**vars(dataset), "columns": tuple(columns)})


def test_a_rule_that_cannot_be_run_is_never_a_pass(registrations: Dataset, good_rows: list[dict[str, Any]]) -> None:
    """A form that is no pattern: the check stops, it does not report a number of bad rows."""
    with pytest.raises(NotProved, match=r"de vorm die het contract voorschrijft.*kon niet worden uitgevoerd"):
        audit(with_pattern(registrations, "^($"), good_rows)


def test_a_form_that_may_match_a_part_of_a_text_is_refused(registrations: Dataset) -> None:
    """The two engines anchor a pattern differently, so one that is not anchored would mean two things."""
    with pytest.raises(ContractError, match="class_code"):
        rules_of(with_pattern(registrations, "[0-9]+"))


def table_of(dataset: Dataset, rows: list[dict[str, Any]]) -> pa.Table:
    """As intake hands it over: the columns of the contract in its types, and two that the contract does not know."""
    kinds = {"string": pa.string(), "integer": pa.int64(), "boolean": pa.bool_(), "date": pa.date32()}
    place = {"sheet": pa.array([""] * len(rows)), "row_number": pa.array(range(len(rows)), pa.int64())}
    columns = {c.name: pa.array([row[c.name] for row in rows], kinds[c.logical_type]) for c in dataset.columns}
    return pa.table(place | columns)


@pytest.fixture(scope="module")
def dirty(registrations: Dataset, good_rows: list[dict[str, Any]]) -> pa.Table:
    """A hundred rows with every kind of fault in another number of them, and beside those blanks that are no fault."""
    rows = [dict(good_rows[0], placed_to=None, municipality_evidence="brp") for _ in range(100)]
    for row in rows[:3]:
        row["school"] = None
    for row in rows[:5]:
        row["school_year"] = f"{SECRET}\n2025"
    for row in rows[:7]:
        row["municipality_evidence"] = SECRET
    for row in rows[:11]:
        row |= {"placed_from": datetime.date(2026, 1, 1), "placed_to": datetime.date(2025, 1, 1)}
    return table_of(registrations, rows)


EXPECTED = {
    ("required", ("school",)): 3,
    ("form", ("school_year",)): 5,
    ("allowed", ("municipality_evidence",)): 7,
    ("placement_period", ("placed_to", "placed_from")): 11,
}


def failures(outcome: Audit) -> dict[tuple[str, tuple[str, ...]], int]:
    return {(check.rule, check.columns): check.violations for check in outcome.checks if not check.passed}


def test_an_arrow_table_is_audited_as_it_is(registrations: Dataset, dirty: pa.Table) -> None:
    assert failures(audit(registrations, dirty)) == EXPECTED


def test_counted_or_whole_the_outcome_is_the_same(
    registrations: Dataset, dirty: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above so many rows DuckDB counts and Great Expectations judges the counts."""
    whole = audit(registrations, dirty, minimum_rows=1)
    monkeypatch.setattr(verdict, "WHOLE_FRAME_ROWS", 99)
    assert audit(registrations, dirty, minimum_rows=1) == whole
    assert ("volume", ()) in failures(audit(registrations, dirty, minimum_rows=101))


def test_a_key_is_counted_alike_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of one key count all, also when they are many; a key with a blank in it is a matter of `required`."""
    dataset = products()["terms"]
    year = Year()
    year.pupil("p1")
    rows = year.figures().tables["terms"]
    rows += [dict(rows[0]), dict(rows[0]), dict(rows[1], payer=None), dict(rows[1], payer=None)]
    whole = audit(dataset, rows)
    assert failures(whole)["unique_key", dataset.key] == 3
    monkeypatch.setattr(verdict, "WHOLE_FRAME_ROWS", 1)
    assert audit(dataset, rows) == whole


def test_results_of_great_expectations_hold_no_value(
    registrations: Dataset, dirty: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own result, before anything of ours: it is asked for counts, so not even the first bad values are in it."""
    raw: list[Any] = []
    answer = engine._answer
    monkeypatch.setattr(engine, "_answer", lambda *args: raw.append(args[2].to_json_dict()) or answer(*args))
    outcome = audit(registrations, dirty)
    text = json.dumps(raw)
    assert len(raw) == len(outcome.checks)
    assert '"unexpected_count": 11' in text
    assert SECRET not in text + json.dumps(outcome.as_json()) + repr(outcome)


def test_a_value_of_another_type_stops_without_naming_it(
    registrations: Dataset, good_rows: list[dict[str, Any]]
) -> None:
    wrong = [good_rows[0] | {"birth_date": SECRET}]
    for rows in (wrong, pa.Table.from_pylist(wrong)):
        with pytest.raises(NotProved, match="birth_date") as stopped:
            audit(registrations, rows)
        assert SECRET not in str(stopped.value)
        assert stopped.value.__context__ is None


def test_what_is_stored_of_an_audit_comes_back(bad: Audit) -> None:
    assert Audit.from_json(json.loads(json.dumps(bad.as_json()))) == bad


def test_every_rule_of_every_contract_has_its_words_and_its_sql() -> None:
    for dataset in [*products().values(), *(d for source in sources().values() for d in source.datasets)]:
        volume, *rest = rules_of(dataset, 1)
        assert volume.name == "volume"
        assert all(rule.sentence.endswith(".") and rule.bad for rule in rest)
        assert len({(rule.expectation, repr(rule.arguments)) for rule in rest}) == len(rest)


def test_the_hash_of_the_rules_follows_the_contract_and_the_volume(registrations: Dataset) -> None:
    """The verdict that money trusts is keyed by it (a verdict under other rules is none)."""
    assert ruleset_hash(registrations, 1) == ruleset_hash(registrations, 1)
    assert ruleset_hash(registrations, 1) != ruleset_hash(registrations, 0)
    assert ruleset_hash(registrations, 1) != ruleset_hash(products()["terms"], 1)


def test_an_audit_passes_only_when_every_check_does() -> None:
    fine, wrong = Check("volume", (), 0, True), Check("required", ("pupil",), 2, False)
    assert Audit("x", 1, (fine,)).passed
    assert not Audit("x", 1, (fine, wrong)).passed
    assert TILBURG not in repr(wrong)
