"""Rule 3 of SPEC 3: who is paid from the Wlz, by whom, as it was known on the peildatum."""

from datetime import date
from typing import Any

import pytest

from tests.year_builder import (
    BREDA,
    MIDDEN_BRABANT,
    REFERENCE_DATE,
    WEST_BRABANT,
    Year,
    decision_of,
    open_reasons,
    signal_reasons,
)
from zio_pipeline.payer import Decision

DAY_BEFORE, DAY_AFTER = date(2025, 6, 30), date(2025, 7, 2)


def year_with(*indications: dict[str, Any], **settings: str) -> Year:
    year = Year(**settings)
    year.pupil("p1")
    for values in indications:
        year.wlz("p1", **values)
    return year


def decided(*indications: dict[str, Any], **settings: str) -> Decision:
    return decision_of(year_with(*indications, **settings).outcome(), "p1")


def reasons(*indications: dict[str, Any], **settings: str) -> list[str]:
    return open_reasons(year_with(*indications, **settings).outcome())


@pytest.mark.parametrize("form", ["7", "8"])
def test_mpt_and_dtv_are_paid_by_the_responsible_zorgkantoor(form: str) -> None:
    """SPEC 3 rule 3: mostly 5527, but not always; the executing zorgkantoor does not pay."""
    found = decided({"form": form, "zorgkantoor": WEST_BRABANT, "executing_zorgkantoor": MIDDEN_BRABANT})
    assert (found.stream, found.payer, found.payer_kind) == ("wlz_zin", WEST_BRABANT, "zorgkantoor")
    assert found.delivery_form == form
    assert found.evidence == "Wlz-lijst 2025-06-20, geldig vanaf 2025-05-01, bekend sinds 2025-05-01"


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "wlz"),
    [
        (REFERENCE_DATE, None, True),
        (DAY_AFTER, None, False),
        (date(2024, 1, 1), REFERENCE_DATE, True),
        (date(2024, 1, 1), DAY_BEFORE, False),
    ],
)
def test_the_indication_must_be_valid_on_the_peildatum(starts_on: date, ends_on: date | None, wlz: bool) -> None:
    """Dates are inclusive (SPEC 2); an indication that ended the day before is none."""
    found = decided({"starts_on": starts_on, "ends_on": ends_on})
    assert (found.stream == "wlz_zin") is wlz


@pytest.mark.parametrize(
    ("issued_on", "list_date", "wlz"),
    [
        (REFERENCE_DATE, date(2025, 8, 1), True),
        (DAY_AFTER, date(2025, 8, 1), False),
        (None, REFERENCE_DATE, True),
        (None, DAY_AFTER, False),
    ],
)
def test_the_indication_must_be_known_on_the_peildatum(issued_on: date | None, list_date: date, wlz: bool) -> None:
    """SPEC 3 rule 3: by its afgiftedatum, else by the dagtekening of the list."""
    found = decided({"issued_on": issued_on, "list_date": list_date})
    assert (found.stream == "wlz_zin") is wlz


def test_an_indication_granted_afterwards_is_reported_and_changes_nothing() -> None:
    """SPEC 3 rule 3: ingangsdatum before, afgiftedatum after the peildatum."""
    outcome = year_with({"issued_on": date(2025, 8, 20), "starts_on": date(2025, 6, 1)}).outcome()
    assert decision_of(outcome, "p1").stream == "jeugdwet"
    assert signal_reasons(outcome) == ["wlz_granted_afterwards"]
    assert open_reasons(outcome) == []


def test_of_several_the_latest_afgiftedatum_counts() -> None:
    older = {"issued_on": date(2025, 3, 1), "decision_number": 900, "zorgkantoor": WEST_BRABANT}
    newer = {"issued_on": date(2025, 4, 1), "decision_number": 100}
    assert decided(older, newer).payer == MIDDEN_BRABANT
    assert decided(newer, older).payer == MIDDEN_BRABANT


def test_on_the_same_day_the_highest_besluitnummer_counts_as_a_number() -> None:
    """As text, '9' would be higher than '10'."""
    assert decided({"decision_number": 9, "zorgkantoor": WEST_BRABANT}, {"decision_number": 10}).payer == MIDDEN_BRABANT


@pytest.mark.parametrize("other", [{"form": "8"}, {"zorgkantoor": WEST_BRABANT}])
def test_equal_besluiten_with_another_leveringsvorm_or_zorgkantoor_go_to_the_worklist(other: dict[str, Any]) -> None:
    assert reasons({}, other) == ["wlz_ambiguous"]


@pytest.mark.parametrize("list_date", [date(2025, 4, 30), date(2025, 6, 25)])
@pytest.mark.parametrize("other", [{"form": "8"}, {"zorgkantoor": WEST_BRABANT}, {"form": "2"}])
def test_without_an_afgiftedatum_nobody_knows_which_is_the_newest(list_date: date, other: dict[str, Any]) -> None:
    """SPEC 3 rule 3: the dagtekening says since when it is known, and ranks nothing; here beside one of 1 May."""
    undated = {"issued_on": None, "list_date": list_date, "decision_number": 5}
    dated = {"issued_on": date(2025, 5, 1), "decision_number": 900}
    assert reasons(undated | other, dated) == ["wlz_ambiguous"]
    assert reasons(dated, undated | other) == ["wlz_ambiguous"]


def test_without_an_afgiftedatum_and_saying_the_same_it_changes_nothing() -> None:
    undated = {"issued_on": None, "starts_on": date(2019, 1, 1)}
    found = decided(undated, {"issued_on": date(2025, 5, 1), "starts_on": date(2025, 5, 1)})
    assert found.payer == MIDDEN_BRABANT
    assert "bekend sinds 2025-05-01" in found.evidence


def test_of_several_without_an_afgiftedatum_the_highest_besluitnummer_counts() -> None:
    newer, older = {"decision_number": 10}, {"decision_number": 9, "zorgkantoor": WEST_BRABANT}
    assert decided({"issued_on": None} | older, {"issued_on": None} | newer).payer == MIDDEN_BRABANT


def test_an_indication_not_known_on_the_peildatum_outranks_nothing() -> None:
    """The newest besluit of all, but nobody knew it yet; the older one decides and the newer one is reported."""
    older, newer = {"zorgkantoor": WEST_BRABANT}, {"issued_on": DAY_AFTER, "decision_number": 99}
    outcome = year_with(older, newer).outcome()
    assert decision_of(outcome, "p1").payer == WEST_BRABANT
    assert signal_reasons(outcome) == ["wlz_granted_afterwards"]


def test_valid_time_and_known_time_stand_in_the_evidence() -> None:
    found = decided({"starts_on": date(2024, 9, 1), "issued_on": None, "list_date": date(2025, 6, 25)})
    assert found.evidence == "Wlz-lijst 2025-06-25, geldig vanaf 2024-09-01, bekend sinds 2025-06-25"


def test_the_same_besluit_delivered_twice_is_one() -> None:
    assert decided({}, {"list_date": date(2025, 6, 25)}).stream == "wlz_zin"
    assert decided({}, {"pgb_percentage": 0}).stream == "wlz_zin"


@pytest.mark.parametrize("form", ["4", "5"])
@pytest.mark.parametrize(
    ("setting", "stream", "reason", "work"),
    [
        ("als_zin", "wlz_zin", "wlz_zin", []),
        ("uitgesloten", None, "wlz_integral_excluded", []),
        ("werklijst", None, None, ["wlz_integral"]),
    ],
)
def test_an_integral_tariff_goes_by_setting(
    form: str, setting: str, stream: str | None, reason: str | None, work: list[str]
) -> None:
    """SPEC 3 rule 3: 4 and 5 by setting as zin, excluded or worklist."""
    outcome = year_with({"form": form}, integraal_tarief=setting).outcome()
    assert open_reasons(outcome) == work
    if reason is not None:
        found = decision_of(outcome, "p1")
        assert (found.stream, found.reason, found.delivery_form) == (stream, reason, form)


@pytest.mark.parametrize("form", ["9", None, "", "3", "ZIN"])
def test_9_blank_and_unknown_go_to_the_worklist(form: str | None) -> None:
    assert reasons({"form": form}) == ["wlz_form_unknown"]


@pytest.mark.parametrize(
    ("form", "percentage", "mixed"),
    [
        ("7", 40, True),
        ("8", 1, True),
        ("2", 60, True),
        ("MPT+PGB", None, True),
        ("7/2", None, True),
        ("7", 0, False),
        ("7", None, False),
        ("2", 100, False),
        ("2", None, False),
        # Not a mix but a contradiction: neither may be taken for granted.
        ("7", 100, True),
        ("2", 0, True),
    ],
)
def test_mpt_beside_pgb_goes_to_the_worklist(form: str, percentage: int | None, mixed: bool) -> None:
    """SPEC 3 rule 3: never a guess about the part given at school."""
    indication = {"form": form, "pgb_percentage": percentage, "parents_agree": True}
    assert reasons(indication, pgb_beleid="zorgkantoor") == (["wlz_mixed"] if mixed else [])


@pytest.mark.parametrize(
    ("policy", "payer", "kind"),
    [
        ("zorgkantoor", WEST_BRABANT, "zorgkantoor"),
        ("gemeente", BREDA, "municipality"),
        ("pgb_houders", "PGB", "pgb_holders"),
    ],
)
def test_the_payer_of_pgb_goes_by_policy(policy: str, payer: str, kind: str) -> None:
    """SPEC 4 step 2: never counted as Wlz in kind, never falls back to the Jeugdwet."""
    year = Year(pgb_beleid=policy)
    year.pupil("p1", municipality=BREDA, municipality_evidence="confirmed")
    year.wlz("p1", "2", WEST_BRABANT, parents_agree=True)
    found = decision_of(year.outcome(), "p1")
    assert (found.stream, found.payer, found.payer_kind, found.delivery_form) == ("wlz_pgb", payer, kind, "2")
    assert "Wlz-lijst 2025-06-20" in found.evidence
    assert ("bevestigd door de gemeente" in found.evidence) is (policy == "gemeente")


def test_pgb_outside_the_key_needs_no_consent() -> None:
    found = decided({"form": "2", "parents_agree": False}, pgb_beleid="buiten_sleutel")
    assert (found.stream, found.reason) == (None, "wlz_pgb_excluded")


@pytest.mark.parametrize("policy", ["zorgkantoor", "gemeente", "pgb_houders"])
@pytest.mark.parametrize("agree", [False, None])
def test_pgb_without_the_parents_consent_goes_to_the_worklist(policy: str, agree: bool | None) -> None:
    """HvB report: parents may keep their own pgb."""
    assert reasons({"form": "2", "parents_agree": agree}, pgb_beleid=policy) == ["pgb_consent"]


def test_of_the_same_besluit_twice_the_strictest_consent_counts() -> None:
    rows = ({"form": "2", "parents_agree": True}, {"form": "2", "parents_agree": False})
    assert reasons(*rows, pgb_beleid="zorgkantoor") == ["pgb_consent"]


def test_pgb_paid_by_the_municipality_still_needs_to_know_which() -> None:
    year = Year(pgb_beleid="gemeente")
    year.pupil("p1", municipality=None)
    year.wlz("p1", "2", parents_agree=True)
    assert open_reasons(year.outcome()) == ["municipality_missing"]


def test_the_wlz_goes_before_age_and_residence() -> None:
    """SPEC 3: in this order; an adult abroad with Wlz is paid by the zorgkantoor."""
    year = Year()
    year.pupil("p1", birth_date=date(2006, 1, 1), country="België", municipality=None)
    year.wlz("p1")
    assert decision_of(year.outcome(), "p1").payer == MIDDEN_BRABANT


def test_an_indication_of_somebody_who_is_not_placed_goes_to_the_worklist() -> None:
    """SPEC 3, last paragraph."""
    year = Year()
    year.pupil("p1")
    year.pupil("leaver", placed_to=date(2025, 8, 1))
    year.wlz("leaver")
    year.wlz("nobody")
    assert open_reasons(year.outcome()) == ["wlz_without_placement"] * 2
