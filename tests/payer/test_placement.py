"""Rules 1 and 2 of SPEC 3: who sits where on the startdatum, and who costs nothing."""

from datetime import date

import pytest

from tests.year_builder import (
    DE_BODDE,
    HEUSDEN,
    START_DATE,
    Year,
    decision_of,
    open_points,
    open_reasons,
    signal_reasons,
    turned,
)
from zio_pipeline.payer import decide_payers
from zio_pipeline.payer.model import age_on

DAY_BEFORE, DAY_AFTER = date(2025, 8, 17), date(2025, 8, 19)


@pytest.mark.parametrize(
    ("placed_from", "placed_to", "placed"),
    [
        (START_DATE, None, True),
        (date(2020, 8, 1), START_DATE, True),
        (date(2020, 8, 1), DAY_BEFORE, False),
        (DAY_AFTER, None, False),
        (START_DATE, START_DATE, True),
    ],
)
def test_the_placement_valid_on_the_startdatum_counts(placed_from: date, placed_to: date | None, placed: bool) -> None:
    """SPEC 3: both days inclusive; leavers do not count, nor does who comes later."""
    year = Year()
    year.pupil("p1", placed_from=placed_from, placed_to=placed_to)
    assert [d.pupil for d in year.outcome().decisions] == (["p1"] if placed else [])


def test_who_is_not_placed_is_listed_and_never_lost() -> None:
    """SPEC 3 rule 1: no placement on the startdatum, or only 'aangemeld': not counted, listed."""
    year = Year()
    year.pupil("leaver", placed_from=date(2020, 8, 1), placed_to=DAY_BEFORE)
    year.pupil("newcomer", placed_from=date(2025, 10, 1))
    year.pupil("announced", class_code="Aangemeld")
    outcome = year.outcome()
    assert outcome.decisions == ()
    assert open_reasons(outcome) == []
    assert signal_reasons(outcome) == ["announced", "expected_newcomer", "left_before_start"]
    assert all(
        signal.explanation.endswith("telt niet mee.") or "telt dit" in signal.explanation for signal in outcome.signals
    )


def test_a_move_to_another_class_before_the_start_leaves_one_placement() -> None:
    year = Year()
    year.school_class("EMB2")
    year.pupil("p1", "EMB1", placed_from=date(2024, 8, 1), placed_to=date(2025, 7, 31))
    year.pupil("p1", "EMB2")
    year.pupil("p1", "aangemeld")
    assert decision_of(year.outcome(), "p1").class_code == "EMB2"


def test_two_classes_on_the_startdatum_are_never_counted_twice() -> None:
    """SPEC 3 rule 1: two placements go to the worklist, of both orders."""
    year = Year()
    year.order("BO", school=DE_BODDE)
    year.doelgroep("BO", "ZML")
    year.school_class("ZML1", "BO", "ZML", school=DE_BODDE, expected_pupils=0)
    year.sheets["classes"][0]["expected_pupils"] = 0
    year.pupil("p1", "EMB1")
    year.pupil("p1", "ZML1", school=DE_BODDE)
    outcome = year.outcome()
    assert outcome.decisions == ()
    assert [(p.reason, p.order_id) for p in sorted(open_points(outcome), key=str)] == [
        ("double_placement", "BO"),
        ("double_placement", "LP"),
    ]


def test_the_same_row_twice_is_one_placement() -> None:
    """The file of the school holds the same child twice; it agrees with itself."""
    year = Year()
    year.pupil("p1")
    year.pupil("p1")
    outcome = year.outcome()
    assert len(outcome.decisions) == 1
    assert open_reasons(outcome) == []


def test_two_rows_in_one_class_that_disagree_on_the_payer_go_to_the_worklist() -> None:
    year = Year()
    year.pupil("p1")
    year.pupil("p1", municipality=HEUSDEN)
    outcome = year.outcome()
    assert outcome.decisions == ()
    assert open_reasons(outcome) == ["contradicting_rows"]


def test_an_unknown_class_blocks_the_orders_of_its_school() -> None:
    year = Year()
    year.pupil("p1", "EMB9")
    (point,) = open_points(year.outcome())
    assert (point.reason, point.order_id) == ("unknown_class", "LP")


def test_a_class_without_hours_costs_nothing_and_dilutes_nobody() -> None:
    """SPEC 3 rule 2: present in the head count of the school, absent from the key."""
    year = Year()
    year.school_class("EMB2", hours_per_week_hundredths=0)
    year.pupil("p1", "EMB1")
    year.pupil("p2", "EMB2")
    year.wlz("p2")
    outcome = year.outcome()
    free = decision_of(outcome, "p2")
    assert (free.reason, free.stream, free.payer) == ("no_hours", None, None)
    assert sum(outcome.counts().values()) == 1
    assert outcome.placed() == {("LP", "EMB"): 2}


@pytest.mark.parametrize(
    ("flag", "setting", "stream"),
    [(False, "ja", None), (False, "nee", "jeugdwet"), (True, "ja", "jeugdwet"), (None, "ja", "jeugdwet")],
)
def test_no_care_need_counts_where_the_setting_says_so(flag: bool | None, setting: str, stream: str | None) -> None:
    """SPEC 3 rule 2: a missing flag means need."""
    year = Year(zorgbehoefte_telt=setting)
    year.pupil("p1", needs_care=flag)
    assert decision_of(year.outcome(), "p1").stream == stream


@pytest.mark.parametrize(
    ("born", "age"),
    [(date(2007, 8, 18), 18), (date(2007, 8, 19), 17), (date(2007, 8, 17), 18), (date(2008, 2, 29), 17)],
)
def test_who_turns_18_on_the_startdatum_is_18(born: date, age: int) -> None:
    """SPEC 3 rule 1."""
    assert age_on(born, START_DATE) == age


def test_the_decision_holds_an_age_class_and_no_birth_date() -> None:
    """SPEC 8: birth date and postcode are dropped, age class and municipality stay."""
    year = Year(achttien_plus="betaalbaar")
    year.pupil("child", birth_date=date(2013, 8, 19))
    year.pupil("youth", birth_date=date(2013, 8, 18))
    year.pupil("adult", birth_date=date(2007, 8, 18))
    outcome = year.outcome()
    assert [decision_of(outcome, p).age_class for p in ("child", "youth", "adult")] == ["0-11", "12-17", "18+"]


def test_the_order_of_the_rows_does_not_matter() -> None:
    """SPEC 4: independent of row order."""
    year = Year(achttien_plus="betaalbaar")
    year.school_class("EMB2")
    for n in range(6):
        year.pupil(f"p{n}", f"EMB{1 + n % 2}", municipality=None if n == 3 else HEUSDEN)
    year.pupil("p0", "EMB2")
    year.pupil("leaver", placed_to=DAY_BEFORE)
    year.wlz("p1")
    year.wlz("p2", form="9")
    year.wlz("nobody")
    setup = year.setup()
    assert decide_payers(setup, year.payer_inputs()) == decide_payers(setup, turned(year.payer_inputs()))
