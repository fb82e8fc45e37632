"""Rows in quarantine: they block their order until redelivered or settled by a besluit (SPEC 3, last paragraph)."""

from typing import Any

import pytest

from tests.year_builder import (
    BREDA,
    DE_BODDE,
    HEUSDEN,
    LEIJPARK,
    MIDDEN_BRABANT,
    TILBURG,
    Year,
    decision_of,
    open_points,
    open_reasons,
)
from zio_pipeline.errors import SetupError

PUPILS, WLZ = "pupil_registrations", "wlz_statuses"
SETTLED = {"kind": "definitive", "stream": "jeugdwet", "payer": BREDA}


def two_schools() -> Year:
    """A sound pupil at either school, each in its own order."""
    year = Year()
    year.order("BO", school=DE_BODDE)
    year.doelgroep("BO", "ZML")
    year.school_class("ZML1", "BO", "ZML", school=DE_BODDE, expected_pupils=1)
    year.sheets["classes"][0]["expected_pupils"] = 1
    year.pupil("p1", "EMB1")
    year.pupil("p2", "ZML1", school=DE_BODDE)
    return year


@pytest.mark.parametrize(
    ("known", "blocked"),
    [
        ({"school": LEIJPARK, "class_code": "EMB1", "pupil": "p9"}, ["LP"]),
        ({"school": LEIJPARK, "class_code": "EMB1"}, ["LP"]),
        ({"school": LEIJPARK}, ["LP"]),
        ({"school": LEIJPARK, "class_code": "EMB9"}, ["LP"]),
        ({"class_code": "EMB1"}, [None]),
        ({}, [None]),
    ],
)
def test_a_pupil_row_blocks_its_order_and_all_when_nobody_can_tell(
    known: dict[str, str], blocked: list[str | None]
) -> None:
    year = two_schools()
    year.quarantine(PUPILS, **known)
    points = open_points(year.outcome())
    assert [(p.reason, p.order_id, p.row_ref) for p in points] == [
        ("quarantined_row", order, "quarantaine:2") for order in blocked
    ]


def test_a_settled_pupil_counts_in_its_class() -> None:
    """SPEC 3: pupils placed plus settled must equal the expected number."""
    year = two_schools()
    year.sheets["classes"][0]["expected_pupils"] = 2
    year.quarantine(PUPILS, pupil="p9", school=LEIJPARK, class_code="EMB1")
    assert open_reasons(year.outcome()) == ["class_size", "quarantined_row"]
    year.besluit(pupil="p9", **SETTLED)
    outcome = year.outcome()
    found = decision_of(outcome, "p9")
    assert open_reasons(outcome) == []
    assert (found.class_code, found.payer, found.age_class) == ("EMB1", BREDA, "onbekend")


def test_a_row_whose_pupil_cannot_be_read_is_settled_by_its_place_in_the_file() -> None:
    year = two_schools()
    year.sheets["classes"][0]["expected_pupils"] = 2
    row_ref = year.quarantine(PUPILS, school=LEIJPARK, class_code="EMB1")
    year.besluit(row_ref=row_ref, **SETTLED)
    outcome = year.outcome()
    assert open_reasons(outcome) == []
    assert decision_of(outcome, row_ref).payer == BREDA


def test_a_besluit_may_name_the_school_and_class_that_could_not_be_read() -> None:
    year = two_schools()
    year.sheets["classes"][0]["expected_pupils"] = 2
    year.quarantine(PUPILS, pupil="p9")
    besluit = year.besluit(pupil="p9", **SETTLED)
    assert "quarantined_row" in open_reasons(year.outcome())
    besluit |= {"school": LEIJPARK, "class_code": "EMB1"}
    outcome = year.outcome()
    assert open_reasons(outcome) == []
    assert decision_of(outcome, "p9").order_id == "LP"


def test_a_besluit_that_only_names_the_class_does_not_say_who_pays() -> None:
    """The row is not there to let the ordinary rules decide."""
    year = two_schools()
    year.quarantine(PUPILS, pupil="p9", school=LEIJPARK, class_code="EMB1")
    year.besluit("definitive", pupil="p9", class_code="EMB1")
    assert open_reasons(year.outcome()) == ["quarantined_row"]


def test_two_rows_about_one_pupil_are_never_counted_twice() -> None:
    year = two_schools()
    year.sheets["classes"][0]["expected_pupils"] = 2
    for _ in range(2):
        year.quarantine(PUPILS, pupil="p9", school=LEIJPARK, class_code="EMB1")
    year.besluit(pupil="p9", **SETTLED)
    outcome = year.outcome()
    assert open_reasons(outcome) == []
    assert outcome.placed()["LP", "EMB"] == 2


def test_a_class_without_hours_stays_out_of_the_key() -> None:
    year = two_schools()
    year.school_class("EMB2", hours_per_week_hundredths=0, expected_pupils=1)
    year.quarantine(PUPILS, pupil="p9", school=LEIJPARK, class_code="EMB2")
    year.besluit(pupil="p9", **SETTLED)
    found = decision_of(year.outcome(), "p9")
    assert (found.stream, found.reason) == (None, "no_hours")


def test_a_second_row_of_a_placed_pupil_blocks_until_settled() -> None:
    """The row may say another class or another payer; the sound one alone decides nothing."""
    year = two_schools()
    row_ref = year.quarantine(PUPILS, pupil="p1", school=LEIJPARK, class_code="EMB1")
    outcome = year.outcome()
    assert open_reasons(outcome) == ["quarantined_row"]
    assert [d.pupil for d in outcome.decisions] == ["p2"]

    besluit = year.besluit("not_counted", row_ref=row_ref)  # the row is struck out: the sound row decides
    outcome = year.outcome()
    assert open_reasons(outcome) == []
    assert decision_of(outcome, "p1").payer == TILBURG

    besluit |= SETTLED  # or the besluit says who pays
    outcome = year.outcome()
    assert open_reasons(outcome) == []
    assert (decision_of(outcome, "p1").payer, decision_of(outcome, "p1").decision_id) == (BREDA, "B001")


@pytest.mark.parametrize(
    ("besluit", "stream", "payer"),
    [
        ({"kind": "definitive", "stream": "wlz_zin", "payer": MIDDEN_BRABANT}, "wlz_zin", MIDDEN_BRABANT),
        ({"kind": "provisional"}, "jeugdwet", TILBURG),
        ({"kind": "not_counted"}, None, None),
    ],
)
def test_a_wlz_row_blocks_the_order_of_its_pupil_until_settled(
    besluit: dict[str, Any], stream: str | None, payer: str | None
) -> None:
    """Never silently Jeugdwet: the row in quarantine may well say Wlz."""
    year = two_schools()
    year.quarantine(WLZ, pupil="p1")
    outcome = year.outcome()
    (point,) = open_points(outcome)
    assert (point.reason, point.order_id, point.row_ref) == ("quarantined_row", "LP", "quarantaine:2")
    assert [d.pupil for d in outcome.decisions] == ["p2"]
    year.besluit(pupil="p1", **besluit)
    outcome = year.outcome()
    assert open_reasons(outcome) == []
    assert (decision_of(outcome, "p1").stream, decision_of(outcome, "p1").payer) == (stream, payer)


def test_a_struck_out_wlz_row_leaves_the_child_in_the_key() -> None:
    """'Niet tellen' on a row is about the row; with the pupil beside it, about the pupil."""
    year = two_schools()
    row_ref = year.quarantine(WLZ, pupil="p1")
    besluit = year.besluit("not_counted", row_ref=row_ref)
    outcome = year.outcome()
    assert open_reasons(outcome) == []
    assert decision_of(outcome, "p1").stream == "jeugdwet"
    assert [w.decision_id for w in outcome.worklist if w.row_ref == row_ref] == [besluit["decision_id"]]
    year.wlz("p1")
    assert decision_of(year.outcome(), "p1").stream == "wlz_zin"
    besluit["pupil"] = "p1"
    assert decision_of(year.outcome(), "p1").stream is None


@pytest.mark.parametrize(
    ("by_row", "by_pupil", "stops"),
    [
        (SETTLED, {"stream": "jeugdwet", "payer": HEUSDEN}, True),
        (SETTLED, {"kind": "provisional"}, True),
        (SETTLED, SETTLED, False),
        (SETTLED, {"class_code": "EMB1"}, False),
        ({"kind": "not_counted"}, SETTLED, False),
    ],
)
def test_besluiten_about_a_child_and_about_a_row_of_it_may_not_differ(
    by_row: dict[str, Any], by_pupil: dict[str, Any], *, stops: bool
) -> None:
    year = two_schools()
    row_ref = year.quarantine(WLZ, pupil="p1")
    year.besluit(row_ref=row_ref, **{"kind": "definitive"} | by_row)
    year.besluit(pupil="p1", **{"kind": "definitive"} | by_pupil)
    if stops:
        with pytest.raises(SetupError, match="B001 en B002 gaan over dezelfde leerling en zeggen iets anders"):
            year.outcome()
    else:
        assert decision_of(year.outcome(), "p1").stream == "jeugdwet"


def test_a_wlz_row_of_an_unreadable_pupil_blocks_every_order_until_somebody_says_whose_it_is() -> None:
    year = two_schools()
    year.registrations[0]["municipality"] = HEUSDEN
    row_ref = year.quarantine(WLZ)
    assert [p.order_id for p in open_points(year.outcome())] == [None]
    besluit = year.besluit("definitive", row_ref=row_ref, stream="wlz_zin", payer=MIDDEN_BRABANT)
    assert open_reasons(year.outcome()) == ["quarantined_row"]  # a payer for nobody settles nothing
    besluit["pupil"] = "p1"
    outcome = year.outcome()
    assert open_reasons(outcome) == []
    assert decision_of(outcome, "p1").payer == MIDDEN_BRABANT


def test_a_wlz_row_of_somebody_who_is_not_placed_can_only_be_left_out() -> None:
    year = two_schools()
    year.wlz("p9")
    besluit = year.besluit(pupil="p9", **SETTLED)
    assert open_reasons(year.outcome()) == ["wlz_without_placement"]
    besluit["kind"] = "not_counted"
    assert open_reasons(year.outcome()) == []


def test_one_besluit_settles_a_pupil_row_in_quarantine_and_the_wlz_row_of_the_same_pupil() -> None:
    year = two_schools()
    year.sheets["classes"][0]["expected_pupils"] = 2
    year.quarantine(PUPILS, pupil="p9", school=LEIJPARK, class_code="EMB1")
    year.wlz("p9")
    year.quarantine(WLZ, pupil="p9")
    year.besluit("definitive", pupil="p9", stream="wlz_zin", payer=MIDDEN_BRABANT)
    outcome = year.outcome()
    assert open_reasons(outcome) == []
    assert decision_of(outcome, "p9").payer == MIDDEN_BRABANT


def test_every_quarantined_row_is_on_the_worklist_open_or_settled() -> None:
    year = two_schools()
    year.quarantine(PUPILS, pupil="p9", school=LEIJPARK, class_code="EMB1")
    year.quarantine(PUPILS, pupil="p1", school=LEIJPARK, class_code="EMB1")
    year.quarantine(WLZ, pupil="p2")
    year.quarantine(WLZ)
    year.besluit("not_counted", pupil="p2")
    listed = {item.row_ref for item in year.outcome().worklist if item.reason == "quarantined_row"}
    assert listed == {row["row_ref"] for row in year.quarantined}


def test_not_counted_strikes_a_row_out_and_takes_a_seat_only_when_it_names_the_class() -> None:
    """A row that is no pupil at all can be struck out without the class getting one pupil too many."""
    year = two_schools()
    row_ref = year.quarantine(PUPILS, school=LEIJPARK, class_code="EMB1")
    besluit = year.besluit("not_counted", row_ref=row_ref)
    assert open_reasons(year.outcome()) == []
    besluit |= {"school": LEIJPARK, "class_code": "EMB1"}
    assert open_reasons(year.outcome()) == ["class_size"]
    year.sheets["classes"][0]["expected_pupils"] += 1
    assert open_reasons(year.outcome()) == []
