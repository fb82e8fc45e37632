"""The second pair of eyes over whole tables. The one test module that imports Great Expectations: a few calls."""

import datetime
from typing import Any

import pytest

from tests.year_builder import TILBURG, Year
from zio_pipeline.audit import Audit, Check, audit, ruleset_hash
from zio_pipeline.contracts import Dataset, products, sources
from zio_pipeline.errors import NotProved

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


def test_a_rule_that_cannot_be_run_is_never_a_pass(registrations: Dataset, good_rows: list[dict[str, Any]]) -> None:
    """A pattern that is no pattern: the check stops, it does not report a number of bad rows."""
    pattern = Dataset(
        name=registrations.name,
        dutch=registrations.dutch,
        grain="",
        group="",
        columns=tuple(
            type(column)(**{**vars(column), "pattern": "("}) if column.name == "class_code" else column
            for column in registrations.columns
        ),
        rules=(),
    )
    with pytest.raises(NotProved, match="regel form op class_code kon niet worden uitgevoerd"):
        audit(pattern, good_rows)


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
