"""The workbook of the school year as data: which value is valid, and what stops because it is missing or double."""

from datetime import date
from typing import Any

import pytest

from tests.year_builder import BREDA, DE_BODDE, FIRST_DAY, HEUSDEN, START_DATE, TILBURG, Year
from zio_pipeline.errors import SetupError
from zio_pipeline.setup import ClassHours

ALPHEN_CHAAM, HAAREN = "1723", "0788"


def problem(year: Year) -> str:
    with pytest.raises(SetupError) as stopped:
        year.setup()
    return str(stopped.value)


def hours_of_one_class(group: dict[str, Any], own: dict[str, Any]) -> ClassHours:
    year = Year(empty=True)
    year.order("LP", weeks=40)
    year.doelgroep("LP", "EMB", **group)
    year.school_class("EMB1", **own)
    setup = year.setup()
    return setup.hours_of(setup.classes[0])


@pytest.mark.parametrize(
    ("own", "year_hours_hundredths"),
    [
        ({}, 10_00 * 40),
        ({"hours_per_week_hundredths": 12_50}, 12_50 * 40),
        ({"weeks": 20}, 10_00 * 20),
        ({"hours_per_week_hundredths": 12_50, "weeks": 20}, 12_50 * 20),
        ({"hours_per_week_hundredths": 0}, 0),
        ({"weeks": 0}, 0),
    ],
)
def test_hours_of_a_class_are_its_own_else_those_of_its_doelgroep(
    own: dict[str, Any], year_hours_hundredths: int
) -> None:
    """SPEC 4: its own hours per week, else its doelgroep's, x its own weeks, else the contract's. Zero is a value."""
    assert hours_of_one_class({}, own).total_hundredths == year_hours_hundredths


def test_hours_are_split_over_two_functions() -> None:
    """SPEC 4: a tariff per function where the contract has two; 4 of the 10 hours are verzorging."""
    assert hours_of_one_class({"care_hours_hundredths": 4_00}, {}) == ClassHours(4_00 * 40, 6_00 * 40)
    own = {"hours_per_week_hundredths": 8_00, "care_hours_hundredths": 1_00}
    assert hours_of_one_class({"care_hours_hundredths": 4_00}, own) == ClassHours(1_00 * 40, 7_00 * 40)


@pytest.mark.parametrize(
    ("member_from", "member_to", "member"),
    [
        (date(2025, 8, 1), None, True),
        (date(2015, 1, 1), date(2025, 8, 1), True),
        (date(2025, 8, 2), None, False),
        (date(2015, 1, 1), date(2025, 7, 31), False),
        (None, None, False),
    ],
)
def test_membership_on_1_august_decides_for_the_whole_year(
    member_from: date | None, member_to: date | None, member: bool
) -> None:
    """SPEC 4, Terms. Leaving on 2 August or joining in September changes nothing this year."""
    year = Year()
    year.add("municipalities", municipality=BREDA, name="Breda", member_from=member_from, member_to=member_to)
    year.besluit("membership", subject=BREDA)
    assert year.setup().is_member(BREDA) is member


def test_a_member_that_the_cbs_places_elsewhere_needs_a_besluit() -> None:
    """SPEC 4, Terms: nine or eleven members; where the list contradicts the CBS jeugdregio a besluit is needed."""
    year = Year()
    year.add("municipalities", municipality=ALPHEN_CHAAM, name="Alphen-Chaam", member_from=date(2021, 1, 1))
    assert "Alphen-Chaam (1723) staat wel als lid" in problem(year)
    year.besluit("membership", subject=ALPHEN_CHAAM)
    assert year.setup().is_member(ALPHEN_CHAAM)


def test_a_municipality_of_the_jeugdregio_that_is_no_member_needs_a_besluit() -> None:
    year = Year()
    year.sheets["municipalities"] = [r for r in year.sheets["municipalities"] if r["municipality"] != HEUSDEN]
    assert "Heusden (0797) staat niet als lid" in problem(year)
    year.besluit("membership", subject=HEUSDEN)
    assert not year.setup().is_member(HEUSDEN)


def test_a_member_that_ended_long_ago_may_stay_in_the_dated_list() -> None:
    """SPEC 1: the member list is dated; Haaren ended on 1 January 2021 and is nobody's member on 1 August 2025."""
    year = Year()
    haaren = year.add("municipalities", municipality=HAAREN, name="Haaren", member_from=date(2015, 1, 1))
    assert "Gemeente 0788 bestaat niet op de peildatum 01-07-2025" in problem(year)
    haaren["member_to"] = date(2020, 12, 31)
    assert not year.setup().is_member(HAAREN)


def test_the_penvoerder_must_be_a_municipality() -> None:
    """He pays what is provisional (SPEC 3), so a code that is nobody's stops."""
    assert "Gemeente 9999 bestaat niet" in problem(Year(penvoerder="9999"))


def test_of_an_order_the_period_that_holds_on_the_startdatum_counts() -> None:
    """Contract versions with validity; old years still run."""
    year = Year(empty=True)
    year.order("LP", tariff_cents=58_00, valid_from=date(2022, 8, 1), valid_to=date(2025, 7, 31))
    year.order("LP", tariff_cents=60_00, valid_from=FIRST_DAY)
    year.doelgroep("LP", "EMB")
    year.school_class("EMB1")
    assert [order.tariff_cents for order in year.setup().orders] == [60_00]


def test_an_order_that_does_not_hold_on_the_startdatum_stops_and_takes_no_class_along_silently() -> None:
    year = Year()
    year.sheets["orders"][0]["valid_to"] = date(2025, 8, 17)
    assert "Blad 'klassen': opdracht LP staat niet bij de contracten" in problem(year)
    assert "(geldig van 01-08-2025 tot en met 17-08-2025)" in problem(year)
    year.sheets["orders"][0]["valid_to"] = START_DATE
    assert year.setup().orders


def test_every_period_of_an_order_that_does_not_hold_is_named() -> None:
    """SPEC 2: every value is dated; whoever must mend it sees when it did hold."""
    year = Year()
    year.sheets["orders"][0] |= {"valid_from": date(2022, 8, 1), "valid_to": date(2025, 7, 31)}
    year.order("LP", valid_from=date(2025, 9, 1))
    message = problem(year)
    assert "(geldig van 01-08-2022 tot en met 31-07-2025; geldig van 01-09-2025 zonder einde)" in message
    assert "startdatum 18-08-2025" in message


def test_a_class_or_contribution_of_an_order_nobody_knows_stops() -> None:
    """Left out silently, their hours and cents would be gone (SPEC 2: nothing is dropped silently)."""
    year = Year()
    year.school_class("EMB2", order_id="L P")
    assert "Blad 'klassen': opdracht L P" in problem(year)
    assert "(zij staat niet op dat blad)" in problem(year)
    year = Year()
    year.contribution("XX", TILBURG, 1_000_00)
    assert "Blad 'bijdragen': opdracht XX" in problem(year)


def test_no_order_at_all_and_an_order_without_classes_stop() -> None:
    assert "geen contract dat geldt op de startdatum 18-08-2025" in problem(Year(empty=True))
    year = Year()
    year.order("BO", school=DE_BODDE)
    assert "Opdracht BO heeft geen enkele klas" in problem(year)


def test_a_class_must_fit_its_order() -> None:
    year = Year()
    year.school_class("EMB2", doelgroep="MG")
    assert "doelgroep MG staat niet bij opdracht LP" in problem(year)
    year = Year()
    year.school_class("EMB2", school=DE_BODDE)
    assert "opdracht LP is van een andere school" in problem(year)


@pytest.mark.parametrize("sheet", ["orders", "doelgroepen", "classes", "decisions", "contributions"])
def test_what_stands_in_the_workbook_twice_would_be_paid_twice(sheet: str) -> None:
    year = Year()
    year.contribution("LP", TILBURG, 1_000_00)
    year.sheets[sheet] = [row for row in year.sheets[sheet] for _ in range(2)]
    assert "staat er 2 keer" in problem(year)


def test_an_order_left_out_by_besluit_leaves_with_everything_of_it() -> None:
    """SPEC 4: an order may be left out by besluit and established later."""
    year = Year()
    year.order("BO", school=DE_BODDE)
    year.doelgroep("BO", "ZML")
    year.school_class("ZML1", "BO", "ZML", school=DE_BODDE)
    year.contribution("BO", TILBURG, 1_000_00)
    year.besluit("order_later", order_id="BO")
    setup = year.setup()
    assert [order.order_id for order in setup.orders] == ["LP"]
    assert [c.class_code for c in setup.classes] == ["EMB1"]
    assert [d.doelgroep for d in setup.doelgroepen] == ["EMB"]
    assert setup.contributions == ()
    assert setup.postponed == {(DE_BODDE, "ZML1"): "BO"}


def test_an_order_left_out_may_begin_after_the_startdatum() -> None:
    year = Year()
    year.order("BO", school=DE_BODDE, valid_from=date(2026, 1, 1))
    year.doelgroep("BO", "ZML")
    year.school_class("ZML1", "BO", "ZML", school=DE_BODDE)
    year.besluit("order_later", order_id="BO")
    assert [order.order_id for order in year.setup().orders] == ["LP"]


def test_a_besluit_about_something_that_is_not_there_stops() -> None:
    """It would change nothing, and nobody would notice."""
    year = Year()
    year.besluit("order_later", order_id="B0")
    assert "noemt een opdracht die er niet is" in problem(year)
    year = Year()
    year.besluit("key_of", order_id="LP", doelgroep="EMB", key_doelgroep="MG")
    assert "noemt een doelgroep die er niet is" in problem(year)


def test_two_besluiten_about_the_same_pupil_row_or_key_stop() -> None:
    year = Year()
    year.besluit("not_counted", pupil="p1")
    year.besluit("provisional", pupil="p1")
    assert "B001 en B002 gaan over dezelfde leerling" in problem(year)
    year = Year()
    year.besluit("not_counted", row_ref="quarantaine:2")
    year.besluit("definitive", row_ref="quarantaine:2", stream="jeugdwet", payer=TILBURG)
    assert "B001 en B002" in problem(year)
    year = Year()
    year.doelgroep("LP", "MG")
    year.besluit("key_of", order_id="LP", doelgroep="EMB", key_doelgroep="MG")
    year.besluit("key_of", order_id="LP", doelgroep="EMB", key_doelgroep="EMB")
    assert "meer dan één besluit 'sleutel van'" in problem(year)


@pytest.mark.parametrize("payer", ["5527", "5503", "PGB"])
def test_a_zorgkantoor_or_pgb_holders_cannot_contribute(payer: str) -> None:
    """They get documents of another kind: nobody of the year could be billed."""
    year = Year()
    year.contribution("LP", payer, 1_000_00)
    assert f"Blad 'bijdragen': {payer} (LP) is een zorgkantoor of staat voor pgb-houders" in problem(year)


def test_a_municipality_or_another_body_may_contribute() -> None:
    year = Year()
    for payer in (TILBURG, BREDA, "SWV3004"):
        year.contribution("LP", payer, 1_000_00)
    assert len(year.setup().contributions) == 3


def test_two_debtors_of_one_payer_on_one_day_stop() -> None:
    year = Year()
    year.add("debtors", payer=TILBURG, valid_from=date(2026, 1, 1))
    year.add("debtors", payer=TILBURG, valid_from=date(2024, 1, 1), valid_to=date(2026, 1, 1))
    year.add("debtors", payer=BREDA, valid_from=date(2024, 1, 1))
    assert (
        "Blad 'debiteuren': 0855 staat er op 01-01-2026 twee keer: geldig van 01-01-2024 tot en met 01-01-2026, "
        "en geldig van 01-01-2026 zonder einde." in problem(year)
    )
    year.sheets["debtors"][1]["valid_to"] = date(2025, 12, 31)
    assert len(year.setup().sheets["debtors"]) == 3


def test_every_problem_is_named_at_once() -> None:
    year = Year(penvoerder="9999")
    year.school_class("EMB2", doelgroep="MG")
    message = problem(year)
    assert "9999" in message
    assert "MG" in message


def test_the_order_of_the_rows_does_not_matter() -> None:
    year = Year()
    year.school_class("EMB2")
    year.school_class("EMB0")
    year.doelgroep("LP", "AB")
    year.contribution("LP", TILBURG, 1_000_00)
    setup = year.setup()
    year.sheets = {name: rows[::-1] for name, rows in year.sheets.items()}
    again = year.setup()
    assert [c.class_code for c in setup.classes] == ["EMB0", "EMB1", "EMB2"]
    assert (again.classes, again.doelgroepen, again.orders) == (setup.classes, setup.doelgroepen, setup.orders)
    assert (again.decisions, again.contributions) == (setup.decisions, setup.contributions)
