"""Besluiten: what the rules cannot tell is settled by somebody, on paper, and nothing else is (SPEC 3)."""

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
    signal_reasons,
)
from zio_pipeline.errors import EstablishmentBlocked, SetupError


def abroad(**settings: str) -> Year:
    """One pupil about whom the rules cannot tell."""
    year = Year(**settings)
    year.pupil("p1", country="België", municipality=None)
    return year


def in_two_classes() -> Year:
    year = Year()
    year.order("BO", school=DE_BODDE)
    year.doelgroep("BO", "ZML")
    year.school_class("ZML1", "BO", "ZML", school=DE_BODDE, expected_pupils=0)
    year.sheets["classes"][0]["expected_pupils"] = 1
    year.pupil("p1", "EMB1", HEUSDEN)
    year.pupil("p1", "ZML1", HEUSDEN, school=DE_BODDE)
    return year


def test_a_definitive_besluit_names_stream_and_payer() -> None:
    year = abroad()
    year.besluit("definitive", pupil="p1", stream="jeugdwet", payer=BREDA)
    outcome = year.outcome()
    found = decision_of(outcome, "p1")
    assert (found.stream, found.payer, found.payer_kind) == ("jeugdwet", BREDA, "municipality")
    assert (found.reason, found.evidence, found.decision_id) == ("besluit_definitive", "besluit B001", "B001")
    assert [(item.reason, item.decision_id) for item in outcome.worklist if item.subject == "p1"] == [
        ("abroad", "B001")
    ]
    assert open_reasons(outcome) == []


def test_a_provisional_besluit_lets_the_penvoerder_pay_until_resolved() -> None:
    year = abroad(penvoerder=HEUSDEN)
    year.besluit("provisional", pupil="p1")
    found = decision_of(year.outcome(), "p1")
    assert (found.stream, found.payer, found.reason) == ("jeugdwet", HEUSDEN, "besluit_provisional")


def test_a_pupil_not_counted_stays_in_its_class_and_out_of_the_key() -> None:
    """SPEC 3: per class, pupils placed there, whatever they cost, must equal the expected number."""
    year = abroad()
    year.besluit("not_counted", pupil="p1")
    outcome = year.outcome()
    assert decision_of(outcome, "p1").stream is None
    assert outcome.placed() == {("LP", "EMB"): 1}
    assert open_reasons(outcome) == []


def test_a_point_has_the_same_number_open_and_settled() -> None:
    year = in_two_classes()
    before = {item.item_id for item in year.outcome().worklist if item.reason == "double_placement"}
    year.besluit("definitive", pupil="p1", school=LEIJPARK, class_code="EMB1")
    after = {item.item_id for item in year.outcome().worklist if item.reason == "double_placement"}
    assert before == after
    assert len(before) == 2


def test_of_two_placements_a_besluit_names_the_one_that_counts_and_the_payer_follows_the_rules() -> None:
    """SPEC 3 rule 1: never counted twice. Without a stream the ordinary rules decide."""
    year = in_two_classes()
    year.besluit("definitive", pupil="p1", school=LEIJPARK, class_code="EMB1")
    outcome = year.outcome()
    found = decision_of(outcome, "p1")
    assert (found.order_id, found.class_code, found.payer, found.reason) == ("LP", "EMB1", HEUSDEN, "jeugdwet")
    assert found.decision_id == "B001"
    assert open_reasons(outcome) == []


def test_classes_of_the_same_name_are_told_apart_by_school() -> None:
    year = in_two_classes()
    year.sheets["classes"][1]["class_code"] = year.registrations[1]["class_code"] = "EMB1"
    besluit = year.besluit("definitive", pupil="p1", class_code="EMB1")
    assert open_reasons(year.outcome()).count("double_placement") == 2
    besluit["school"] = LEIJPARK
    assert decision_of(year.outcome(), "p1").order_id == "LP"


@pytest.mark.parametrize(
    ("besluit", "stream", "payer"),
    [
        ({"kind": "definitive", "stream": "jeugdwet", "payer": BREDA}, "jeugdwet", BREDA),
        ({"kind": "provisional"}, "jeugdwet", TILBURG),
        ({"kind": "not_counted"}, None, None),
    ],
)
def test_a_besluit_that_names_the_class_and_more_is_followed_in_full(
    besluit: dict[str, Any], stream: str | None, payer: str | None
) -> None:
    """The rules alone would let Heusden pay; somebody decided otherwise."""
    year = in_two_classes()
    year.besluit(pupil="p1", school=LEIJPARK, class_code="EMB1", **besluit)
    outcome = year.outcome()
    found = decision_of(outcome, "p1")
    assert (found.class_code, found.stream, found.payer) == ("EMB1", stream, payer)
    assert open_reasons(outcome) == []


@pytest.mark.parametrize(
    "besluit", [{"kind": "definitive", "stream": "jeugdwet", "payer": BREDA}, {"kind": "provisional"}]
)
def test_two_placements_stay_open_while_nobody_says_which_class(besluit: dict[str, Any]) -> None:
    """A payer without a class would be a pupil that is settled and counted nowhere."""
    year = in_two_classes()
    year.sheets["classes"][0]["expected_pupils"] = 0
    year.besluit(pupil="p1", **besluit)
    assert open_reasons(year.outcome()) == ["double_placement"] * 2


def test_a_class_that_is_none_of_its_own_settles_nothing() -> None:
    year = in_two_classes()
    year.school_class("EMB2", expected_pupils=0)
    year.sheets["classes"][0]["expected_pupils"] = 0
    year.besluit("definitive", pupil="p1", school=LEIJPARK, class_code="EMB2")
    assert open_reasons(year.outcome()) == ["double_placement"] * 2


def test_two_placements_and_an_unknown_payer_need_both_settled() -> None:
    year = in_two_classes()
    for row in year.registrations:
        row["municipality"] = None
    besluit = year.besluit("definitive", pupil="p1", school=LEIJPARK, class_code="EMB1")
    assert open_reasons(year.outcome()) == ["municipality_missing"]
    besluit |= {"stream": "jeugdwet", "payer": BREDA}
    outcome = year.outcome()
    assert open_reasons(outcome) == []
    assert decision_of(outcome, "p1").payer == BREDA


def test_a_pupil_in_two_classes_may_be_left_out_altogether() -> None:
    year = in_two_classes()
    year.sheets["classes"][0]["expected_pupils"] = 0
    year.besluit("not_counted", pupil="p1")
    outcome = year.outcome()
    assert outcome.decisions == ()
    assert open_reasons(outcome) == []


def test_a_besluit_may_seat_a_pupil_of_an_unknown_class_or_leave_it_out() -> None:
    """SPEC 3: every row on the worklist can be settled by a besluit."""
    year = Year()
    year.sheets["classes"][0]["expected_pupils"] = 1
    year.pupil("p1", "EMB-1", HEUSDEN)
    year.besluit("definitive", pupil="p1", class_code="EMB1")
    outcome = year.outcome()
    assert open_reasons(outcome) == []
    assert (decision_of(outcome, "p1").class_code, decision_of(outcome, "p1").payer) == ("EMB1", HEUSDEN)

    year = Year()
    year.pupil("p1", "EMB-1")
    year.besluit("not_counted", pupil="p1")
    assert open_reasons(year.outcome()) == []


def test_a_class_without_hours_dilutes_nobody_whoever_would_pay() -> None:
    """SPEC 3 rule 2 goes before every payer: a class with 0 hours never enters the key of its doelgroep."""
    year = in_two_classes()
    year.sheets["classes"][0]["hours_per_week_hundredths"] = 0
    year.besluit("definitive", pupil="p1", school=LEIJPARK, class_code="EMB1", stream="jeugdwet", payer=BREDA)
    outcome = year.outcome()
    assert (decision_of(outcome, "p1").reason, decision_of(outcome, "p1").stream) == ("no_hours", None)
    assert not outcome.counts()


@pytest.mark.parametrize(
    ("stream", "payer", "policy"),
    [
        ("jeugdwet", "5527", "buiten_sleutel"),
        ("jeugdwet", "0788", "buiten_sleutel"),
        ("jeugdwet", "855", "buiten_sleutel"),
        ("adult", "PGB", "buiten_sleutel"),
        ("wlz_zin", TILBURG, "buiten_sleutel"),
        ("wlz_pgb", TILBURG, "zorgkantoor"),
        ("wlz_pgb", MIDDEN_BRABANT, "gemeente"),
        ("wlz_pgb", MIDDEN_BRABANT, "pgb_houders"),
        ("wlz_pgb", MIDDEN_BRABANT, "buiten_sleutel"),
    ],
)
def test_a_payer_that_cannot_pay_its_stream_stops(stream: str, payer: str, policy: str) -> None:
    """SPEC 4: every stream has its payer; outside the key nobody pays for pgb."""
    year = abroad(pgb_beleid=policy)
    year.besluit("definitive", pupil="p1", stream=stream, payer=payer)
    with pytest.raises(SetupError, match=f"Besluit B001: betaler {payer} kan de stroom {stream} niet betalen"):
        year.outcome()


@pytest.mark.parametrize(
    ("stream", "payer", "policy", "kind"),
    [
        ("adult", BREDA, "buiten_sleutel", "municipality"),
        ("wlz_zin", "5526", "buiten_sleutel", "zorgkantoor"),
        ("wlz_pgb", "5526", "zorgkantoor", "zorgkantoor"),
        ("wlz_pgb", BREDA, "gemeente", "municipality"),
        ("wlz_pgb", "PGB", "pgb_houders", "pgb_holders"),
    ],
)
def test_a_besluit_may_name_any_payer_its_stream_has(stream: str, payer: str, policy: str, kind: str) -> None:
    year = abroad(pgb_beleid=policy)
    year.besluit("definitive", pupil="p1", stream=stream, payer=payer)
    found = decision_of(year.outcome(), "p1")
    assert (found.stream, found.payer, found.payer_kind) == (stream, payer, kind)


def test_the_leveringsvorm_that_is_known_stays() -> None:
    year = Year()
    year.pupil("p1")
    year.wlz("p1", "5")
    year.besluit("definitive", pupil="p1", stream="wlz_zin", payer=MIDDEN_BRABANT)
    assert decision_of(year.outcome(), "p1").delivery_form == "5"


def test_a_besluit_that_is_not_needed_changes_nothing_and_is_reported() -> None:
    """Also when it names a pupil nobody has heard of: a slip in a number may not go unseen."""
    year = Year()
    year.pupil("p1", municipality=HEUSDEN)
    year.besluit("definitive", pupil="p1", stream="jeugdwet", payer=BREDA)
    year.besluit("not_counted", pupil="p404")
    outcome = year.outcome()
    found = decision_of(outcome, "p1")
    assert (found.payer, found.decision_id) == (HEUSDEN, None)
    assert signal_reasons(outcome) == ["besluit_without_need"] * 2
    assert {signal.subject for signal in outcome.signals} == {"B001", "B002"}


def test_an_open_point_blocks_its_own_order_only_and_names_no_child() -> None:
    """SPEC 3: blocks establishment of its order; SPEC 8: no person in an error text."""
    year = abroad()
    year.order("BO", school=DE_BODDE)
    year.doelgroep("BO", "ZML")
    year.school_class("ZML1", "BO", "ZML", school=DE_BODDE)
    year.pupil("p2", "ZML1", school=DE_BODDE)
    year.pupil("p3")
    (point,) = open_points(year.outcome())
    assert point.order_id == "LP"
    with pytest.raises(EstablishmentBlocked) as stopped:
        year.figures()
    (reason,) = stopped.value.reasons
    assert reason.startswith(f"LP, punt {point.item_id}, leerlingen:2: Deze leerling woont in het buitenland")
    assert "p1" not in str(stopped.value)


def test_an_order_left_out_is_not_blocked_by_its_own_pupils_nor_blocks_another() -> None:
    """SPEC 4: left out by besluit and established later; its open points wait with it."""
    year = Year()
    year.pupil("p0")
    year.order("BO", school=DE_BODDE)
    year.doelgroep("BO", "ZML")
    year.school_class("ZML1", "BO", "ZML", school=DE_BODDE)
    year.school_class("ZML2", "BO", "ZML", school=DE_BODDE)
    year.pupil("p1", "ZML1", school=DE_BODDE, country="België")
    year.pupil("p2", "ZML1", school=DE_BODDE)
    year.pupil("p2", "ZML2", school=DE_BODDE)
    year.pupil("p3", "ZML9", school=DE_BODDE)
    year.quarantine("pupil_registrations", pupil="p4", school=DE_BODDE, class_code="ZML1")
    year.quarantine("pupil_registrations", school=DE_BODDE)
    year.wlz("p1")
    year.quarantine("wlz_statuses", pupil="p1")
    year.besluit("order_later", order_id="BO")
    outcome = year.outcome()
    assert outcome.blocking(year.setup()) == []
    assert [d.pupil for d in outcome.decisions] == ["p0"]
    assert signal_reasons(outcome) == ["order_later"] * 2
    assert {item.order_id for item in open_points(outcome)} == {"BO"}


def test_a_pupil_in_an_order_left_out_and_in_another_still_needs_a_besluit() -> None:
    year = in_two_classes()
    year.sheets["classes"][0]["expected_pupils"] = 0
    year.besluit("order_later", order_id="BO")
    assert len(year.outcome().blocking(year.setup())) == 1
    year.besluit("definitive", pupil="p1", school=DE_BODDE, class_code="ZML1")
    outcome = year.outcome()
    assert outcome.blocking(year.setup()) == []
    assert signal_reasons(outcome) == ["order_later"]
