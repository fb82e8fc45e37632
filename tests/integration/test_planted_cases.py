"""Every case planted in the demo year ends as SPEC section 3 says."""

import pytest

from tests.integration.conftest import SettledYear
from zio_pipeline.payer import Decision, PayerOutcome, decide_payers
from zio_pipeline.privacy import pseudonym
from zio_pipeline.setup import read_setup
from zio_pipeline.stages.year import year_inputs


@pytest.fixture(scope="module")
def outcome(settled_year: SettledYear) -> PayerOutcome:
    inputs = year_inputs(settled_year.home, "2025-2026")
    return decide_payers(read_setup(inputs.sheets), inputs.payer)


@pytest.fixture(scope="module")
def pupils(settled_year: SettledYear, outcome: PayerOutcome):
    """Case -> the decisions of its pupils, None for a pupil that was not counted at all."""
    keys, by_pupil = settled_year.home.keys, {d.pupil: d for d in outcome.decisions}

    def of(case: str) -> list[Decision | None]:
        subjects = settled_year.demo.planted[case]
        assert subjects, f"nothing planted as {case}"
        return [by_pupil.get(pseudonym(keys, "pgn", subject)) for subject in subjects]

    return of


ENDS = {
    # case: (stream, reason)
    "wlz_granted_afterwards": ("jeugdwet", "jeugdwet"),
    "mpt_pgb": ("wlz_zin", "besluit_definitive"),
    "verblijf": ("jeugdwet", "besluit_definitive"),
    "pgb_refused": (None, "besluit_not_counted"),
    "adult": ("adult", "besluit_definitive"),
    "belgium": ("jeugdwet", "besluit_provisional"),
    "secret_address": ("jeugdwet", "besluit_definitive"),
    "haaren": ("jeugdwet", "jeugdwet"),
    "no_need": (None, "no_need"),
    "integral_tariff": (None, "besluit_not_counted"),
}


@pytest.mark.parametrize("case", ENDS)
def test_case_ends_as_the_agreement_says(case: str, pupils):
    for decision in pupils(case):
        assert (decision.stream, decision.reason) == ENDS[case]


@pytest.mark.parametrize("case", ["leaver", "newcomer", "aangemeld"])
def test_who_is_not_placed_on_the_startdatum_is_not_counted_but_listed(
    case: str, pupils, settled_year: SettledYear, outcome: PayerOutcome
):
    assert pupils(case) == [None] * len(settled_year.demo.planted[case])
    listed = {
        signal.subject
        for signal in outcome.signals
        if signal.reason in ("left_before_start", "expected_newcomer", "announced")
    }
    assert {pseudonym(settled_year.home.keys, "pgn", s) for s in settled_year.demo.planted[case]} <= listed


def test_haaren_pays_as_its_successor_by_postcode(pupils):
    assert {d.payer for d in pupils("haaren")} <= {"0855", "0824", "0865", "0757"}


def test_belgium_is_paid_by_the_penvoerder_for_the_time_being(pupils):
    assert {d.payer for d in pupils("belgium")} == {"0855"}


def test_double_placement_counts_once_in_the_class_of_the_besluit(pupils, outcome: PayerOutcome):
    for decision in pupils("double_placement"):
        assert sum(d.pupil == decision.pupil for d in outcome.decisions) == 1


def test_zero_hour_class_costs_nothing_and_dilutes_nobody(settled_year: SettledYear, outcome: PayerOutcome):
    (code,) = settled_year.demo.planted["zero_hour_class"]
    school, _, class_code = code.replace(":", " ").partition(" ")
    inside = [d for d in outcome.decisions if (d.school, d.class_code) == (school, class_code)]
    assert inside
    assert {(d.stream, d.reason) for d in inside} == {(None, "no_hours")}


def test_cz_pupils_are_paid_by_their_own_zorgkantoor(pupils):
    assert {d.payer for d in pupils("cz_pupil")} <= {"5526", "5528", "5529"}
    assert all(d.stream == "wlz_zin" for d in pupils("cz_pupil"))


def test_turning_18_during_the_year_is_a_signal_and_nothing_more(
    pupils, settled_year: SettledYear, outcome: PayerOutcome
):
    signalled = {s.subject for s in outcome.signals if s.reason == "turns_18"}
    expected = {
        pseudonym(settled_year.home.keys, "pgn", subject) for subject in settled_year.demo.planted["turning_18"]
    }
    assert signalled == expected
    assert not any(d.stream == "adult" for d in pupils("turning_18"))


def test_onderwijsnummer_counts_like_a_bsn(pupils):
    assert all(d is not None and d.stream for d in pupils("onderwijsnummer"))


def test_granted_afterwards_is_reported(settled_year: SettledYear, outcome: PayerOutcome):
    signalled = {s.subject for s in outcome.signals if s.reason == "wlz_granted_afterwards"}
    assert signalled == {
        pseudonym(settled_year.home.keys, "pgn", s) for s in settled_year.demo.planted["wlz_granted_afterwards"]
    }


def test_one_pupil_municipality_has_one_pupil(settled_year: SettledYear, outcome: PayerOutcome):
    (code,) = settled_year.demo.planted["one_pupil_municipality"]
    assert sum(d.payer == code for d in outcome.decisions) == 1


def test_uncommitted_municipality_is_parked_and_nobody_else_pays_for_it(settled_year: SettledYear):
    (code,) = settled_year.demo.planted["uncommitted_municipality"]
    parked = [
        r for r in settled_year.home.warehouse.rows("parked_documents", school_year="2025-2026") if r["payer"] == code
    ]
    assert {r["period"] for r in parked} == {"2025-2026-H1", "2025-2026-H2"}
    assert {r["reason"] for r in parked} == {"no_commitment"}


def test_later_committed_municipality_is_booked_on_the_first_run_after_its_word(settled_year: SettledYear):
    (code,) = settled_year.demo.planted["later_committed_municipality"]
    documents = {d.period: d for d in settled_year.home.ledger.posted("2025-2026") if d.payer == code}
    assert documents["2025-2026-H1"].document_date > documents["2025-2026-H1"].due_on
    assert documents["2025-2026-H2"].document_date == documents["2025-2026-H2"].due_on


def test_member_without_debtor_is_parked_month_by_month(settled_year: SettledYear):
    (code,) = settled_year.demo.planted["member_without_debtor"]
    parked = [
        r for r in settled_year.home.warehouse.rows("parked_documents", school_year="2025-2026") if r["payer"] == code
    ]
    assert len(parked) == 10
    assert {r["reason"] for r in parked} == {"no_debtor"}


def test_only_the_planted_rows_are_in_quarantine(settled_year: SettledYear):
    rows = settled_year.home.warehouse.rows("quarantine")
    errors = {(r["label"], r["sheet"], r["row_number"]) for r in rows if r["severity"] == "error"}
    assert len(errors) == len(settled_year.demo.planted["bad_timesheet_rows"])


def test_worklist_is_settled_by_the_planted_besluiten(settled_year: SettledYear):
    work = settled_year.home.warehouse.rows("worklist", school_year="2025-2026")
    assert work
    assert all(row["decision_id"] for row in work)
