"""Lawfulness by hand: approved hours beside what they have to prove, the tolerance, and what the conclusion says it rests on."""

from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hours.worked import opened, sheet, worked
from tests.year_builder import LEIJPARK, SIZA, Year
from zio_pipeline.contracts import products
from zio_pipeline.hours import lawfulness as rules
from zio_pipeline.hours.lawfulness import SHORT, Declared, Minutes, Period, Worked, lawfulness_row
from zio_pipeline.hours.signals import line_signals
from zio_pipeline.open_days import open_days_or_region
from zio_pipeline.school_year import SchoolYear
from zio_pipeline.setup import Order, SchoolYearSetup

AUTUMN = Period(date(2025, 11, 11), date(2025, 10, 31), whole_year=False)
AT_THE_END = Period(date(2026, 8, 11), date(2026, 7, 31), whole_year=True)
ORDER = Order("LP", LEIJPARK, SIZA, 40, 60_00, 54_00, "computed", None, None, "fictief")
"""60 euro an hour for guidance (begeleiding), 54 euro for care (verzorging)."""
HOUR = 60


@cache
def year() -> SchoolYearSetup:
    two = Year()
    two.school_class("REST", hours_per_week_hundredths=0)
    two.order("BO", school="01FX00", provider="41410202")
    two.doelgroep("BO", "ZML")
    two.school_class("ZML1", "BO", "ZML", school="01FX00")
    return two.setup()


def declared(to_date: int = 1_000_00, **more: Any) -> Declared:
    """400 hours of guidance were granted, 24.000 euro; 16 hours and 40 minutes were planned to date, 1.000 euro."""
    default = {"year_cents": 24_000_00, "granted": Minutes(guidance=24_000), "planned": Minutes(guidance=1_000)}
    return Declared(**{"to_date_cents": to_date, "claimed_cents": to_date} | default | more)


def judged(hours: Worked, tolerance: int = 20, period: Period = AT_THE_END, **more: Any) -> dict[str, Any]:
    return lawfulness_row(ORDER, declared(**more), hours, period, tolerance)


def guided(approved: int, provisional: int = 0, **more: int) -> Worked:
    return Worked(Minutes(guidance=approved), Minutes(guidance=provisional), **more)


# --- coverage -------------------------------------------------------------------------------------------------------------


def test_each_function_is_worth_its_own_tariff():
    row = judged(Worked(approved=Minutes(care=600, guidance=450)))
    assert row["covered_cents"] == 10 * 54_00 + 7 * 60_00 + 30_00, "10 hours of care, 7,5 of guidance"
    assert (row["coverage_permille"], row["uncovered_cents"]) == (990, 10_00)
    assert (row["approved_minutes"], row["approved_care_minutes"]) == (1050, 600)


def test_an_order_with_one_tariff_has_it_for_both():
    one = replace(ORDER, care_tariff_cents=None)
    row = lawfulness_row(one, declared(), Worked(approved=Minutes(care=60)), AT_THE_END, tolerance_permille=20)
    assert row["covered_cents"] == 60_00


def test_the_value_is_rounded_half_up_once():
    """50 minutes of care at 54 euro are 45,00 and 35 of guidance at 60 are 35,00; a third of a cent is rounded with them."""
    assert judged(Worked(approved=Minutes(care=50, guidance=35)))["covered_cents"] == 80_00
    odd = {"year_cents": 24_132_00}
    assert judged(guided(50), **odd)["covered_cents"] == 50_28, "50,275"


def test_coverage_is_rounded_down():
    row = judged(guided(999))
    assert (row["coverage_permille"], row["status"]) == (999, "within_tolerance")
    almost = judged(guided(99_999), to_date=100_000_00)
    assert almost["coverage_permille"] == 999, "never 1000 while a cent is lacking"


def test_more_hours_than_declared_are_covered_and_shown():
    row = judged(guided(1_200))
    assert (row["coverage_permille"], row["uncovered_cents"], row["status"]) == (1200, 0, "covered")
    assert row["conclusion"].startswith("De goedgekeurde uren dekken het te declareren bedrag van € 1.000,00.")


def test_hours_of_pupils_whose_holders_pay_the_provider_prove_no_declaration():
    """A tenth of the order is collected from pgb holders: of 1.000 euro worked 900 stands beside what may be declared."""
    row = judged(guided(1_000), year_cents=21_600_00)
    assert (row["covered_cents"], row["uncovered_cents"]) == (900_00, 100_00)


def test_an_agreed_amount_is_proved_by_the_hours_it_was_agreed_for():
    """The parties agreed on 24.600 euro for 400 hours, which at the tariff are 24.000: all 400 prove all of it."""
    row = judged(guided(24_000), to_date=24_600_00, year_cents=24_600_00)
    assert (row["covered_cents"], row["status"]) == (24_600_00, "covered")
    assert judged(guided(23_000), to_date=24_600_00, year_cents=24_600_00)["status"] == "not_covered"


def test_an_order_without_granted_hours_is_proved_by_nothing():
    row = judged(guided(60), granted=Minutes(), planned=Minutes())
    assert (row["covered_cents"], row["status"]) == (0, "not_covered")


# --- the verdict ----------------------------------------------------------------------------------------------------------

TWO_PERCENT = [
    (1_000, 0, 0),
    (980, 0, 1),
    (979, 0, 3),
    (979, 1, 2),
    (900, 79, 3),
    (900, 80, 2),
    (0, 2_000, 2),
]


@pytest.mark.parametrize("period", [AUTUMN, AT_THE_END])
@pytest.mark.parametrize(("approved", "provisional", "verdict"), TWO_PERCENT)
def test_two_percent_may_be_lacking(approved: int, provisional: int, verdict: int, period: Period):
    """1.000 euro has to be proved: 20 euro, 20 minutes of guidance, is the tolerance."""
    row = judged(guided(approved, provisional), period=period)
    words = rules.AT_THE_END if period.whole_year else rules.IN_COURSE
    assert row["status"] == words[verdict]
    assert row["tolerance_cents"] == 20_00


def test_in_the_course_of_the_year_hours_are_held_against_the_plan_and_not_against_the_terms():
    """Through October two terms of 2.400 euro may be declared and 100 of 400 hours were planned."""
    autumn = {"to_date": 4_800_00, "planned": Minutes(guidance=100 * HOUR), "period": AUTUMN}
    on_plan = judged(guided(100 * HOUR), **autumn)
    assert (on_plan["declared_cents"], on_plan["to_prove_cents"], on_plan["covered_cents"]) == (
        4_800_00,
        6_000_00,
        6_000_00,
    )
    assert on_plan["status"] == "on_plan"
    assert judged(guided(65 * HOUR), **autumn)["status"] == "behind_plan", (
        "3.900 euro is 81 % of the terms, 65 % of the plan"
    )
    assert judged(guided(81 * HOUR), **autumn)["status"] == "behind_plan", (
        "more than the terms, and not what was planned"
    )


def test_after_the_last_month_hours_are_held_against_what_may_be_declared():
    row = judged(guided(390 * HOUR), to_date=24_000_00, planned=Minutes(guidance=24_000))
    assert (row["to_prove_cents"], row["status"]) == (24_000_00, "not_covered")


@given(
    st.integers(0, 10**9),
    st.integers(0, 10**6),
    st.lists(st.integers(0, 10**6), min_size=4, max_size=4),
    st.integers(0, 1000),
    st.booleans(),
)
def test_what_is_covered_and_what_is_not_add_up(
    cents: int, plan: int, hours: list[int], tolerance: int, at_the_end: bool
):
    given_hours = Worked(Minutes(*hours[:2]), Minutes(*hours[2:]))
    row = judged(
        given_hours, tolerance, AT_THE_END if at_the_end else AUTUMN, to_date=cents, planned=Minutes(guidance=plan)
    )
    amount = row["to_prove_cents"]
    assert amount == (cents if at_the_end else plan * 100)
    assert row["uncovered_cents"] == max(0, amount - row["covered_cents"])
    assert row["still_uncovered_cents"] == max(0, amount - row["covered_cents"] - row["provisional_cents"])
    assert (row["coverage_permille"] or 0) >= 1000 or row["uncovered_cents"] > 0 or not amount
    enough = row["status"] in {"covered", "within_tolerance", "on_plan", "near_plan", "nothing_to_prove"}
    assert enough == (row["uncovered_cents"] <= row["tolerance_cents"])
    assert (row["status"] in SHORT) == (row["still_uncovered_cents"] > row["tolerance_cents"])


# --- the conclusion -------------------------------------------------------------------------------------------------------


def test_the_conclusion_says_what_the_school_must_do():
    row = judged(Worked(Minutes(guidance=900), Minutes(care=30, guidance=90)))
    assert (row["provisional_minutes"], row["provisional_cents"]) == (120, 90_00 + 27_00)
    assert row["conclusion"] == (
        "Van het te declareren bedrag van € 1.000,00 is € 100,00 niet gedekt door goedgekeurde uren, meer dan de tolerantie van "
        "2,00 % (€ 20,00). Er staat 2:00 uur waarop het akkoord van de school ontbreekt; daarmee blijft € 0,00 over. Vraag de "
        "school om haar akkoord. Gedeclareerd is netto € 1.000,00, te declareren was € 1.000,00."
    )


def test_the_conclusion_of_what_is_not_covered():
    """Less than an hour is said in minutes: it is not nothing."""
    row = judged(guided(500, 59), tolerance=5)
    assert row["conclusion"].startswith(
        "Van het te declareren bedrag van € 1.000,00 is € 500,00 niet gedekt door goedgekeurde uren, meer dan de tolerantie van "
        "0,50 % (€ 5,00). Ook met 0:59 uur waarop het akkoord van de school ontbreekt blijft € 441,00 over. Ga met de aanbieder na "
        "of urenstaten ontbreken of uren niet zijn geleverd."
    )


def test_where_no_approval_is_lacking_the_school_is_not_named():
    conclusion = judged(guided(500))["conclusion"]
    assert "akkoord" not in conclusion
    assert "(€ 20,00). Ga met de aanbieder na" in conclusion


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (
            guided(1_000),
            "Op planning: tot en met 31-10-2025 was 16:40 uur gepland (€ 1.000,00) en is 16:40 uur goedgekeurd",
        ),
        (guided(990), "Bijna op planning: tot en met 31-10-2025"),
        (guided(900, 100), "Op planning zodra de school akkoord geeft: tot en met 31-10-2025"),
        (guided(650), "Achter op planning: tot en met 31-10-2025 was 16:40 uur gepland"),
    ],
)
def test_in_the_course_of_the_year_nothing_is_called_covered_or_not(hours: Worked, said: str):
    row = judged(hours, period=AUTUMN)
    assert row["conclusion"].startswith(said)
    assert "niet gedekt" not in row["conclusion"]
    assert "dekken" not in row["conclusion"]


def test_what_was_claimed_stands_beside_what_may_be():
    row = judged(guided(1_000), claimed_cents=1_250_00)
    assert row["conclusion"].endswith("Gedeclareerd is netto € 1.250,00, te declareren was € 1.000,00.")
    unknown = judged(guided(1_000), claimed_cents=None)
    assert unknown["claimed_cents"] is None
    assert unknown["conclusion"].endswith("Wat er is gedeclareerd, is nog niet gecontroleerd.")


def test_the_conclusion_says_what_it_rests_on():
    row = judged(guided(1_000, ungranted=600, serious=61))
    assert (row["covered_cents"], row["ungranted_minutes"], row["serious_minutes"]) == (1_000_00, 600, 61)
    assert "Daarnaast staat 10:00 uur van klassen zonder toegekende uren; die telt niet mee." in row["conclusion"]
    assert (
        "Bij 1:01 uur staat een ernstig signaal (dubbele regel, twee klassen tegelijk of meer dan 12 uur op een dag)"
        in (row["conclusion"])
    )


def test_before_the_first_month_there_is_nothing_to_prove():
    none = rules.period_of(SchoolYear.parse("2025-2026"), date(2025, 8, 15), grace_days=10)
    row = judged(Worked(), period=none, to_date=0, planned=Minutes())
    assert (row["coverage_permille"], row["status"]) == (None, "nothing_to_prove")
    assert row["conclusion"].startswith("Tot en met 31-07-2025 is er niets te bewijzen.")
    assert set(row) | {"school_year", "version"} == {column.name for column in products()["lawfulness"].columns}


def test_every_verdict_has_a_word_and_a_sentence():
    words = dict(products()["lawfulness"].column("status").allowed)
    assert set(words) == {*rules.IN_COURSE, *rules.AT_THE_END, "nothing_to_prove"}


# --- which days and hours -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("as_of", "through"),
    [
        (date(2025, 11, 10), date(2025, 9, 30)),
        (date(2025, 11, 11), date(2025, 10, 31)),
        (date(2026, 1, 1), date(2025, 11, 30)),
        (date(2026, 8, 10), date(2026, 6, 30)),
        (date(2026, 8, 11), date(2026, 7, 31)),
        (date(2027, 3, 1), date(2026, 7, 31)),
        (date(2025, 6, 1), date(2025, 7, 31)),
    ],
)
def test_a_month_is_judged_once_its_timesheets_have_to_be_in(as_of: date, through: date):
    """Ten days after its end. On the first of December nobody has to have handed in November."""
    period = rules.period_of(SchoolYear.parse("2025-2026"), as_of, grace_days=10)
    assert (period.through, period.whole_year) == (through, through == date(2026, 7, 31))


def hours(*rows: dict[str, Any], period: Period = AUTUMN) -> dict[str, Worked]:
    with opened(year(), sheet(list(rows))) as lines:
        return rules.added_up(rules.worked(lines, year(), period))


def test_only_direct_approved_hours_of_the_order_count():
    found = hours(
        worked("an", "2025-09-01", 60),
        worked("an", "2025-10-01", 30, function="care"),
        worked("bo", "2025-09-02", 45, approved_on=None),
        worked("bo", "2025-09-03", 50, function="care", approved_on=date(2025, 11, 12)),
        worked("cas", "2025-09-01", 60, activity="indirect"),
        worked("cas", "2025-09-01", 60, "onbekend"),
        worked("an", "2025-11-03", 60),
        worked("dee", "2025-09-01", 20, "ZML1", school="01FX00", provider="41410202"),
    )
    assert found == {
        "LP": Worked(approved=Minutes(care=30, guidance=60), provisional=Minutes(care=50, guidance=45)),
        "BO": Worked(approved=Minutes(guidance=20)),
    }


def test_what_was_approved_later_counts_later():
    line = worked("bo", "2025-09-03", 50, approved_on=date(2025, 11, 12))
    assert hours(line)["LP"] == guided(0, 50)
    assert hours(line, period=replace(AUTUMN, as_of=date(2025, 11, 12)))["LP"] == guided(50)


def test_hours_of_a_class_that_was_granted_none_prove_nothing():
    """REST is in the order and has no hours: what was worked there stands apart, approved or not."""
    found = hours(
        worked("an", "2025-09-01", 60),
        worked("an", "2025-09-02", 600, "REST"),
        worked("an", "2025-09-03", 30, "REST", approved_on=None),
    )
    assert found == {"LP": guided(60, ungranted=630)}


def test_months_read_apart_add_up():
    months = [[worked("an", "2025-09-01", 60)], [worked("an", "2025-10-01", 30), worked("an", "2025-10-02", 5, "REST")]]
    parts = []
    for rows in months:
        with opened(year(), sheet(rows)) as lines:
            parts += rules.worked(lines, year(), AUTUMN)
    assert rules.added_up(parts) == hours(*(row for rows in months for row in rows))


def test_minutes_that_a_proof_cannot_rest_on_are_told_per_order():
    """A line that stands twice, and a day of fourteen hours; a closed Saturday is a warning, and REST proves nothing anyway."""
    copied = [worked("an", "2025-09-01", 90)] * 2
    long_day = [worked("bo", "2025-09-02", minutes) for minutes in (500, 340)]
    others = [worked("cas", "2025-09-06", 60), *[worked("dee", "2025-09-02", 45, "REST")] * 2]
    schools = {c.school for c in year().classes}
    days = {school: open_days_or_region(year().settings, (), school) for school in schools}
    with opened(year(), sheet([*copied, *long_day, *others])) as lines:
        found = rules.serious_minutes(line_signals(lines, days, "2025-2026", "2025-09"), year())
    assert found == {"LP": 90 + 840}
