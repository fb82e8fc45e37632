"""Drift: what changed between two deliveries, what of it is out of the ordinary, and how that is said."""

import datetime
import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zio_pipeline.audit import Drift, Pair, Profile, compare, drift, drift_hash, profile
from zio_pipeline.contracts import Dataset, sources

PUPILS = sources()["pupil_registrations"].datasets[0]
HOURS = sources()["provider_timesheets"].datasets[0]
ARROW = {"string": pa.string(), "integer": pa.int64(), "boolean": pa.bool_(), "date": pa.date32()}


def rows_of(dataset: Dataset, rows: list[dict[str, Any]]) -> pa.Table:
    return pa.table(
        {c.name: pa.array([row.get(c.name) for row in rows], ARROW[c.logical_type]) for c in dataset.columns}
    )


def pupils(count: int, **columns: Any) -> Profile:
    """So many pupils in five classes; a column may be a function of the row number."""
    rows = [
        {"pupil": f"{n:064x}", "class_code": f"SO-{n % 5}", "postcode": "5022KE", "needs_care": True}
        | {name: value(n) if callable(value) else value for name, value in columns.items()}
        for n in range(count)
    ]
    return profile(PUPILS, rows_of(PUPILS, rows))


def hours(count: int, minutes: int, **columns: Any) -> Profile:
    row = {"class_code": "SO-1", "employee": "e", "activity": "direct", "function": "care"}
    rows = [row | {"duration_minutes": minutes, "work_date": datetime.date(2025, 9, 1)} | columns for _ in range(count)]
    return profile(HOURS, rows_of(HOURS, rows))


def found(before: Profile, now: Profile, *, monthly: bool = False) -> tuple[str, ...]:
    (outcome,) = compare([Pair("nieuw", [now], "oud", [before], monthly)])
    return outcome.deviations


def test_a_profile_counts_and_holds_no_value() -> None:
    measured = pupils(
        40, needs_care=lambda n: n < 10, postcode=lambda n: None if n < 4 else "5022KE", municipality="0855"
    )
    figures = {name: (m.part, m.whole) for name, m in measured.measures.items()}
    assert measured.row_count == 40
    assert figures["volume"] == (40, 1)
    assert figures["distinct pupil"] == (40, 1)
    assert figures["distinct class_code"] == (5, 1)
    assert figures["blank postcode"] == (4, 40)
    assert figures["share needs_care ja"] == (10, 40)
    assert figures["share municipality_evidence brp"] == (0, 0)
    assert "5022KE" not in repr(measured)
    assert "SO-1" not in repr(measured)


def test_what_concerns_one_person_is_not_counted_by_value() -> None:
    assert not [name for name in pupils(1).measures if name.startswith("share secret_address")]


def test_the_mean_duration_is_of_whichever_way_it_was_given() -> None:
    row = {"class_code": "SO-1", "employee": "e", "activity": "direct", "function": "care"}
    rows = [
        row | {"duration_minutes": 60},
        row | {"stated_minutes": 30},
        row | {"begin_minute": 480, "end_minute": 600, "pause_minutes": 30},
    ]
    mean = profile(HOURS, rows_of(HOURS, rows)).measures["mean minutes"]
    assert (mean.part, mean.whole) == (180, 3)


def test_columns_the_table_lacks_are_not_measured_and_others_left_out() -> None:
    """An earlier delivery may have been read under another contract, and intake adds the place of a row."""
    table = pa.table({"sheet": [""], "row_number": [2], "pupil": ["a" * 64]})
    assert set(profile(PUPILS, table).measures) == {"volume", "distinct pupil"}


def test_a_smaller_delivery_is_said_in_one_sentence() -> None:
    assert found(pupils(812), pupils(463)) == (
        "Het aantal rijen is 43 % lager dan in de vorige aanlevering (van 812 naar 463).",
        "Het aantal verschillende leerlingen is 43 % lager dan in de vorige aanlevering (van 812 naar 463).",
    )


def test_the_distribution_of_values_and_blanks_is_compared() -> None:
    before = pupils(200, municipality_evidence=lambda n: "brp" if n < 190 else "address")
    now = pupils(200, municipality_evidence=lambda n: "brp" if n < 100 else "address", postcode=None)
    assert found(before, now) == (
        "Het aandeel 'brp' in kolom 'bewijs gemeente' ging van 95 % naar 50 %.",
        "Het aandeel 'alleen adres' in kolom 'bewijs gemeente' ging van 5 % naar 50 %.",
        "Het aandeel lege cellen in kolom 'postcode' ging van 0 % naar 100 %.",
    )


def test_classes_and_mean_duration_are_compared() -> None:
    before, now = pupils(300, class_code=lambda n: f"K{n % 40}"), pupils(300, class_code=lambda n: f"K{n % 20}")
    assert found(before, now) == (
        "Het aantal verschillende klassen is 50 % lager dan in de vorige aanlevering (van 40 naar 20).",
    )
    assert found(hours(300, 95), hours(300, 180)) == (
        "De gemiddelde duur in minuten is 89 % hoger dan in de vorige aanlevering (van 95 naar 180).",
    )


def test_the_tolerance_itself_is_still_ordinary() -> None:
    assert found(pupils(400), pupils(500)) == ()
    assert len(found(pupils(400), pupils(501))) == 2
    assert found(hours(400, 60), hours(200, 60), monthly=True) == ()
    assert len(found(hours(400, 60), hours(199, 60), monthly=True)) == 1
    assert len(found(hours(400, 60), hours(200, 60))) == 1


def test_a_handful_of_rows_is_never_drift() -> None:
    assert found(pupils(10), pupils(5)) == ()
    assert found(pupils(10), pupils(10, postcode=lambda n: None if n < 5 else "5022KE")) == ()
    assert len(found(pupils(10), pupils(4))) == 2


def test_of_ways_to_say_how_long_it_took_any_will_do() -> None:
    assert found(hours(300, 60), hours(300, 60, duration_minutes=None, stated_minutes=60)) == ()


def test_without_a_delivery_before_it_nothing_is_compared_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "expect", lambda *_: pytest.fail("nothing to ask"))
    (outcome,) = compare([Pair("eerste")])
    assert outcome == Drift("eerste", None, ())


def test_many_deliveries_are_compared_at_once_each_with_its_own() -> None:
    few, many = pupils(100), pupils(300)
    outcomes = compare(
        [Pair("a", [few], "o", [few]), Pair("b", [many], "o", [few]), Pair("c"), Pair("d", [few], "o", [many])]
    )
    assert [len(outcome.deviations) for outcome in outcomes] == [0, 2, 0, 2]
    assert [outcome.previous for outcome in outcomes] == ["o", "o", None, "o"]
    assert outcomes[1].rows == (100, 300)


def test_a_workbook_names_the_sheet() -> None:
    setup = sources()["school_year_setup"]
    sheets = [setup.dataset("classes"), setup.dataset("schools")]
    before, now = (
        [profile(sheet, rows_of(sheet, [{}] * count)) for sheet, count in zip(sheets, counts, strict=True)]
        for counts in ((100, 2), (50, 2))
    )
    (outcome,) = compare([Pair("nieuw", now, "oud", before)])
    assert outcome.deviations == (
        "Blad klassen: Het aantal rijen is 50 % lager dan in de vorige aanlevering (van 100 naar 50).",
    )


def test_what_is_stored_of_a_drift_comes_back() -> None:
    (outcome,) = compare([Pair("nieuw", [pupils(30)], "oud", [pupils(90)])])
    assert outcome.deviations
    assert Drift.from_json(json.loads(json.dumps(outcome.as_json()))) == outcome


def test_other_tolerances_are_another_rule_set(monkeypatch: pytest.MonkeyPatch) -> None:
    before = drift_hash()
    monkeypatch.setitem(drift.TOLERANCES, "volume", 251)
    assert drift_hash() != before


@given(before=st.integers(1, 10_000), now=st.integers(0, 10_000))
def test_more_change_is_never_less_deviation(before: int, now: int) -> None:
    """And nothing is rounded in favour of passing."""
    counts = [drift.Measure("volume", "x", number, 1) for number in (before, now, now + (1 if now >= before else -1))]
    deviation = drift._deviation(counts[0], counts[1])
    assert deviation <= drift._deviation(counts[0], counts[2])
    assert deviation * before >= 1000 * abs(now - before)


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [
        (0, 9, "0 %"),
        (1, 1000, "minder dan 1 %"),
        (1, 3, "33 %"),
        (999, 1000, "bijna 100 %"),
        (9, 9, "100 %"),
        (0, 0, "0 %"),
    ],
)
def test_a_percentage_never_says_none_or_all_when_it_is_not(part: int, whole: int, words: str) -> None:
    assert drift._hundred(part, whole) == words
