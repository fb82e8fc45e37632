"""The files as a whole: class sizes, missing files, and a Wlz list that cannot be right (SPEC 3, last paragraph)."""

import pytest

from tests.year_builder import DE_BODDE, Year, open_points, open_reasons


def test_a_class_must_have_the_expected_number_of_pupils() -> None:
    year = Year()
    year.sheets["classes"][0]["expected_pupils"] = 3
    year.pupils(2)
    (point,) = open_points(year.outcome())
    assert (point.reason, point.order_id, point.subject) == ("class_size", "LP", "02ZX00 EMB1")
    assert point.explanation.endswith("Verwacht 3, gevonden 2.")


def test_whatever_a_pupil_costs_it_sits_in_its_class() -> None:
    """SPEC 3: pupils placed there on the startdatum, whatever they cost; also while their payer is an open point."""
    year = Year()
    year.sheets["classes"][0]["expected_pupils"] = 4
    year.pupil("jeugdwet")
    year.pupil("no need", needs_care=False)
    year.pupil("abroad", country="België")
    year.pupil("pgb")
    year.wlz("pgb", "2")
    assert open_reasons(year.outcome()) == ["abroad"]


def test_a_class_nobody_sits_in_may_be_expected_to_be_empty() -> None:
    year = Year()
    year.pupil("p1")
    year.school_class("EMB2", expected_pupils=0)
    assert open_reasons(year.outcome()) == []
    year.sheets["classes"][-1]["expected_pupils"] = 8
    assert open_reasons(year.outcome()) == ["class_size"]


def test_a_school_that_sent_nothing_blocks_its_order() -> None:
    """And is no reason to refuse the Wlz list as well."""
    year = Year()
    year.sheets["decisions"].clear()
    year.wlz(year.pupil("p1"))
    year.order("BO", school=DE_BODDE)
    year.doelgroep("BO", "ZML")
    year.school_class("ZML1", "BO", "ZML", school=DE_BODDE)
    (point,) = open_points(year.outcome())
    assert (point.reason, point.order_id) == ("missing_pupil_file", "BO")


def year_with_wlz(wlz: int, jeugdwet: int, last_year: int, tolerance: int) -> Year:
    year = Year(wlz_aandeel_vorig_jaar_promille=str(last_year), wlz_aandeel_afwijking_promille=str(tolerance))
    year.sheets["decisions"].clear()
    for pupil in year.pupils(wlz + jeugdwet)[:wlz]:
        year.wlz(pupil)
    return year


@pytest.mark.parametrize(
    ("last_year", "tolerance", "refused"),
    [(300, 0, False), (250, 50, False), (350, 50, False), (249, 50, True), (351, 50, True), (299, 0, True)],
)
def test_a_wlz_share_off_last_years_by_more_than_the_setting_refuses_the_list(
    last_year: int, tolerance: int, refused: bool
) -> None:
    """Three of ten is 300 promille; exactly the setting away is not more than it."""
    outcome = year_with_wlz(3, 7, last_year, tolerance).outcome()
    assert open_reasons(outcome) == (["wlz_list_refused"] if refused else [])


def test_pgb_counts_as_wlz_in_the_share() -> None:
    year = year_with_wlz(1, 3, 500, 0)
    year.sheets["settings"] = Year(pgb_beleid="zorgkantoor", wlz_aandeel_vorig_jaar_promille="500").sheets["settings"]
    year.wlz("p1", "2", parents_agree=True)
    assert open_reasons(year.outcome()) == []


def test_a_list_that_matches_nobody_at_a_school_is_refused() -> None:
    """SPEC 3: no match at all for a school refuses the list, for every order."""
    year = year_with_wlz(1, 1, 0, 1000)
    year.order("BO", school=DE_BODDE)
    year.doelgroep("BO", "ZML")
    year.school_class("ZML1", "BO", "ZML", school=DE_BODDE)
    year.pupil("q1", "ZML1", school=DE_BODDE)
    (point,) = open_points(year.outcome())
    assert (point.reason, point.order_id, point.subject) == ("wlz_list_refused", None, DE_BODDE)
    year.besluit("wlz_list")
    assert open_reasons(year.outcome()) == []


def test_a_match_whose_payer_is_still_open_is_a_match() -> None:
    """The list is right; it is the one indication that is doubtful."""
    year = year_with_wlz(0, 1, 0, 1000)
    year.wlz("p0", form="9")
    assert open_reasons(year.outcome()) == ["wlz_form_unknown"]


def test_a_school_of_an_order_left_out_asks_no_match() -> None:
    year = year_with_wlz(1, 1, 0, 1000)
    year.order("BO", school=DE_BODDE)
    year.doelgroep("BO", "ZML")
    year.school_class("ZML1", "BO", "ZML", school=DE_BODDE)
    year.pupil("q1", "ZML1", school=DE_BODDE)
    year.besluit("order_later", order_id="BO")
    assert open_reasons(year.outcome()) == []
