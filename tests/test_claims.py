"""Claims beside what may be declared (SPEC section 5): each verdict by hand, netting that loses nothing, any order of lines."""

import random
from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.year_builder import AMARANT, DE_BODDE, LEIJPARK, SIZA, Year
from zio_pipeline.claims import (
    ClaimControl,
    ClaimLine,
    MonthVerdict,
    Place,
    accepted_through,
    claimable_through,
    judge_claims,
    settled_claims,
)
from zio_pipeline.errors import SetupError
from zio_pipeline.setup import Besluit, Order
from zio_pipeline.stages.claims import _content

AFTER_THE_YEAR = date(2026, 7, 31)
ORDERS = (
    Order("LP", LEIJPARK, SIZA, 40, 60_00, None, "computed", None, None, "fictief"),
    Order("BO", DE_BODDE, AMARANT, 40, 60_00, None, "computed", None, None, "fictief"),
)
# LP, jeugdwet: 100.000,01 in September and October, 100.000,00 after that; Wlz 40.000,00 a month.
DECLARED = {
    Place("LP", "jw", "2025-09"): 100_000_01,
    Place("LP", "jw", "2025-10"): 100_000_01,
    Place("LP", "jw", "2025-11"): 100_000_00,
    Place("LP", "wlz", "2025-09"): 40_000_00,
    Place("LP", "wlz", "2025-10"): 40_000_00,
}
SEPTEMBER = Place("LP", "jw", "2025-09")


def line(cents: int = 100_000_01, number: str = "F1", **changed: object) -> ClaimLine:
    """A debit of Siza for Leijpark, jeugdwet, September; received on 3 October. Every line its own row."""
    line.row += 1  # type: ignore[attr-defined]
    default = ClaimLine(
        row_ref=f"declaratie:{line.row:06d}",  # type: ignore[attr-defined]
        provider=SIZA,
        school=LEIJPARK,
        order_id=None,
        law="jw",
        month="2025-09",
        invoice_number=number,
        debit_credit="D",
        amount_cents=cents,
        invoice_date=date(2025, 10, 2),
        received_on=date(2025, 10, 3),
    )
    return replace(default, **changed)  # type: ignore[arg-type]


line.row = 0  # type: ignore[attr-defined]


def credit(cents: int, number: str = "C1", **changed: object) -> ClaimLine:
    return line(cents, number, debit_credit="C", **changed)


def judge(*lines: ClaimLine, as_of: date = AFTER_THE_YEAR, write_offs: tuple[Besluit, ...] = ()) -> ClaimControl:
    return judge_claims(ORDERS, DECLARED, lines, write_offs, as_of)


def month_of(control: ClaimControl, place: Place = SEPTEMBER) -> MonthVerdict:
    (found,) = [month for month in control.months if month.place == place]
    return found


def verdict(*lines: ClaimLine, place: Place = SEPTEMBER, as_of: date = AFTER_THE_YEAR) -> tuple[str, int]:
    """Status and difference of one order, law and month."""
    month = month_of(judge(*lines, as_of=as_of), place)
    return month.status, month.difference_cents


def write_off(decision_id: str = "B1", order_id: str = "LP", month: str = "2025-09") -> Besluit:
    empty = dict.fromkeys(
        ("pupil", "row_ref", "school", "class_code", "doelgroep", "key_doelgroep", "stream", "subject")
    )
    return Besluit(decision_id, "claim_write_off", order_id=order_id, month=month, payer=None, **empty)


# --- the verdicts -------------------------------------------------------------------------------------------------------


def test_the_amount_that_may_be_declared_matches():
    assert verdict(line()) == ("matched", 0)


def test_two_invoices_that_together_are_the_amount_match():
    assert verdict(line(60_000_00), line(40_000_01, "F2")) == ("matched", 0)
    assert verdict(line(50_000_00), line(50_000_00), line(1)) == ("matched", 0), "equal parts are no duplicate"


def test_the_laws_are_compared_apart():
    control = judge(line(), line(40_000_00, law="wlz"))
    assert month_of(control).status == "matched"
    assert month_of(control, Place("LP", "wlz", "2025-09")).status == "matched"


def test_nothing_is_missing_before_it_is_due_and_missing_after():
    assert verdict(as_of=date(2025, 10, 31)) == ("expected", -100_000_01)
    assert verdict(as_of=date(2025, 11, 1)) == ("missing", -100_000_01)
    assert "31-10-2025" in month_of(judge()).reason


def test_a_line_received_after_the_business_date_is_not_known_yet():
    assert verdict(line(), as_of=date(2025, 10, 2)) == ("expected", -100_000_01)
    assert verdict(line(), as_of=date(2025, 10, 3)) == ("matched", 0)


def test_the_same_invoice_twice_is_a_duplicate():
    control = judge(line(), line(received_on=date(2025, 10, 20)))
    month = month_of(control)
    assert (month.status, month.difference_cents) == ("duplicate", 100_000_01)
    assert month.reason.startswith("Dezelfde factuur is meer dan één keer ingediend.")
    assert {v.status for v in control.lines} == {"duplicate"}


def test_the_same_amount_on_another_invoice_is_a_duplicate():
    month = month_of(judge(line(), line(number="F2")))
    assert (month.status, month.difference_cents) == ("duplicate", 100_000_01)
    assert "€ 100.000,01 is op meer dan één factuur" in month.reason


def test_a_duplicate_that_was_credited_matches():
    assert verdict(line(), line(number="F2"), credit(100_000_01)) == ("matched", 0)


def test_too_much_and_too_little():
    over, under = month_of(judge(line(100_090_01))), month_of(judge(line(99_910_01)))
    assert (over.status, over.difference_cents) == ("wrong_amount", 90_00)
    assert over.reason == "Er is € 90,00 te veel gedeclareerd."
    assert (under.status, under.difference_cents) == ("wrong_amount", -90_00)
    assert under.reason == "Er is € 90,00 te weinig gedeclareerd."


def test_a_wrong_amount_credited_in_full_and_claimed_anew_matches():
    assert verdict(line(100_090_01), credit(100_090_01), line(number="F2")) == ("matched", 0)


def test_a_credit_of_the_difference_matches_too():
    assert verdict(line(100_090_01), credit(90_00)) == ("matched", 0)


def test_everything_credited_is_missing_again():
    month = month_of(judge(line(), credit(100_000_01)))
    assert (month.status, month.claimed_cents) == ("missing", 0)
    assert month.reason.startswith("Alles is gecrediteerd.")


def test_a_credit_without_a_debit_is_a_wrong_amount():
    assert verdict(credit(10_00)) == ("wrong_amount", -100_010_01)


def test_a_month_without_a_term():
    july = Place("LP", "jw", "2026-07")
    month = month_of(judge(line(month="2026-07")), july)
    assert (month.status, month.declared_cents, month.difference_cents) == ("wrong_period", 0, 100_000_01)
    assert "geen termijn" in month.reason
    credited = judge(line(month="2026-07"), credit(100_000_01, month="2026-07"))
    assert month_of(credited, july).status == "matched"


def test_the_amount_of_another_month():
    month = month_of(judge(line(100_000_00)))
    assert (month.status, month.difference_cents) == ("wrong_period", -1)
    assert month.reason == "Dit is het bedrag van 2025-11; over 2025-09 is het € 100.000,01."


def test_a_law_under_which_the_order_declares_nothing():
    month = month_of(judge(line(5_00, law="pgb")), Place("LP", "pgb", "2025-09"))
    assert (month.status, month.difference_cents) == ("wrong_amount", 5_00)
    assert "onder de pgb niets te declareren" in month.reason


@pytest.mark.parametrize(
    ("month", "in_time", "last"),
    [
        ("2025-09", date(2025, 10, 31), date(2026, 3, 31)),
        ("2025-11", date(2025, 12, 31), date(2026, 3, 31)),
        ("2025-12", date(2026, 1, 31), date(2026, 3, 31)),
        ("2026-01", date(2026, 2, 28), date(2027, 3, 31)),
        ("2028-01", date(2028, 2, 29), date(2029, 3, 31)),
        ("2026-06", date(2026, 7, 31), date(2027, 3, 31)),
    ],
)
def test_until_when_a_month_can_be_claimed(month: str, in_time: date, last: date):
    assert (claimable_through(month), accepted_through(month)) == (in_time, last)


@pytest.mark.parametrize(
    ("day", "status"),
    [
        (date(2025, 10, 31), "matched"),
        (date(2025, 11, 1), "late"),
        (date(2026, 3, 31), "late"),
        (date(2026, 4, 1), "refused"),
    ],
)
def test_late_is_a_signal_and_later_is_refused(day: date, status: str):
    month = month_of(judge(line(received_on=day)))
    assert (month.status, month.late) == (status, status == "late")
    counted = 0 if status == "refused" else 100_000_01
    assert (month.claimed_cents, month.refused_cents) == (counted, 100_000_01 - counted)


def test_a_late_line_that_was_credited_says_nothing():
    on_time, late = line(), line(number="F2", received_on=date(2025, 12, 1))
    month = month_of(judge(on_time, late, credit(100_000_01, "F2", received_on=date(2025, 12, 2))))
    assert (month.status, month.late) == ("matched", False)


def test_a_credit_is_never_refused_but_that_of_a_refused_line_does_not_count():
    late = date(2026, 5, 1)
    assert verdict(line(100_090_01), credit(90_00, received_on=late)) == ("matched", 0)
    control = judge(line(), line(number="F2", received_on=late), credit(100_000_01, "F2", received_on=late))
    assert (month_of(control).status, month_of(control).refused_cents) == ("matched", 0)
    assert sorted(v.counted for v in control.lines) == [False, False, True]


def test_a_line_that_counts_never_says_refused_of_itself():
    """Claimed too much and credited in time; what came instead came too late."""
    right, back = line(110_000_00, "F1"), credit(110_000_00, "F1")
    late = line(100_000_01, "F2", received_on=date(2026, 4, 1))
    control = judge(right, back, late)
    assert (month_of(control).status, month_of(control).claimed_cents) == ("refused", 0)
    assert [(v.line.row_ref, v.counted, v.status) for v in control.lines] == [
        (right.row_ref, True, "missing"),
        (back.row_ref, True, "missing"),
        (late.row_ref, False, "refused"),
    ]
    assert control.lines[0].reason.startswith("Alles is gecrediteerd.")


def test_a_line_is_recognised_though_its_order_or_line_number_was_filled_in_later():
    sent = {"row_ref": "a:2", "invoice_number": "F1", "amount_cents": 1, "order_id": None, "line_number": None}
    assert _content(sent) == _content(sent | {"row_ref": "b:9", "order_id": "LP", "line_number": 1})
    assert _content(sent) != _content(sent | {"amount_cents": 2})


def test_what_is_refused_beside_something_else_is_named():
    month = month_of(judge(line(60_000_00), line(40_000_01, "F2", received_on=date(2026, 4, 1))))
    assert (month.status, month.difference_cents) == ("wrong_amount", -40_000_01)
    assert month.reason.endswith("Daarnaast is € 40.000,01 geweigerd, want te laat ontvangen.")


# --- which order --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"provider": "41419999"}, "Er is dit schooljaar geen opdracht van aanbieder 41419999"),
        ({"school": DE_BODDE}, f"geen opdracht van aanbieder {SIZA} voor vestiging {DE_BODDE}"),
        ({"order_id": "BO"}, "De genoemde opdracht is geen opdracht van"),
    ],
)
def test_an_unknown_order_counts_nowhere(changed: dict[str, str], reason: str):
    control = judge(line(**changed))
    (found,) = control.lines
    assert (found.order_id, found.counted, found.status) == (None, False, "unknown_order")
    assert reason in found.reason
    assert {month.claimed_cents for month in control.months} == {0}


def test_two_orders_for_one_school_are_told_apart_by_name():
    orders = (*ORDERS, replace(ORDERS[0], order_id="LP2"))
    bare, named = line(), line(order_id="LP2")
    control = judge_claims(orders, DECLARED, [bare, named], (), AFTER_THE_YEAR)
    by_row = {v.line.row_ref: v for v in control.lines}
    assert by_row[named.row_ref].order_id == "LP2"
    assert "meer dan één opdracht" in by_row[bare.row_ref].reason


# --- write-offs and what billing may go on with --------------------------------------------------------------------------


def test_a_besluit_writes_off_every_law_of_a_month_but_what_matches():
    control = judge(line(40_000_00, law="wlz"), write_offs=(write_off(),))
    month = month_of(control)
    assert (month.status, month.decision_id) == ("written_off", "B1")
    assert month.reason.startswith("Afgeboekt bij besluit B1. Daarvóór: Er is niets gedeclareerd.")
    assert month_of(control, Place("LP", "wlz", "2025-09")).status == "matched"
    assert month_of(control, Place("LP", "wlz", "2025-10")).status == "missing"


def test_a_besluit_that_names_nothing_stops():
    with pytest.raises(SetupError, match=r"Besluit B7 .* opdracht LP, maand 2026-08"):
        judge(write_offs=(write_off("B7", month="2026-08"),))


def test_settled_is_what_matches_late_or_not_and_what_was_written_off():
    control = judge(
        line(),
        line(100_000_01, month="2025-10", received_on=date(2025, 12, 1)),
        line(1_00, law="wlz", month="2025-10"),
        write_offs=(write_off(month="2025-11"),),
    )
    assert settled_claims(control.months) == {
        Place("LP", "jw", "2025-09"),
        Place("LP", "jw", "2025-10"),
        Place("LP", "jw", "2025-11"),
    }


# --- for any claims -----------------------------------------------------------------------------------------------------

CENTS = st.sampled_from([100_000_00, 100_000_01, 40_000_00, 90_00, 1])
LINES = st.lists(
    st.builds(
        line,
        CENTS,
        st.sampled_from(["F1", "F2", "F3"]),
        school=st.sampled_from([LEIJPARK, LEIJPARK, DE_BODDE]),
        law=st.sampled_from(["jw", "wlz"]),
        month=st.sampled_from(["2025-09", "2025-10", "2026-07"]),
        debit_credit=st.sampled_from(["D", "D", "C"]),
        received_on=st.sampled_from([date(2025, 10, 3), date(2025, 12, 1), date(2026, 5, 1), date(2026, 9, 1)]),
    ),
    max_size=12,
)


@given(LINES)
def test_netting_conserves_every_cent(lines: list[ClaimLine]):
    control = judge(*lines)
    known = [one for one in lines if one.received_on <= AFTER_THE_YEAR]
    assert Counter(v.line for v in control.lines) == Counter(known)
    counted = sum(month.claimed_cents for month in control.months)
    aside = sum(v.line.signed_cents for v in control.lines if not v.counted)
    assert counted + aside == sum(one.signed_cents for one in known)
    assert counted == sum(v.line.signed_cents for v in control.lines if v.counted)
    assert sum(month.refused_cents for month in control.months) == sum(
        v.line.signed_cents for v in control.lines if v.status == "refused" and not v.counted
    )
    assert sum(month.line_count for month in control.months) == sum(v.order_id is not None for v in control.lines)


@given(LINES, st.randoms(use_true_random=False))
def test_the_order_of_lines_changes_nothing(lines: list[ClaimLine], chance: random.Random):
    shuffled, orders = list(lines), list(ORDERS)
    chance.shuffle(shuffled)
    chance.shuffle(orders)
    declared = dict(chance.sample(sorted(DECLARED.items()), len(DECLARED)))
    assert judge_claims(orders, declared, shuffled, (), AFTER_THE_YEAR) == judge(*lines)


@given(LINES)
def test_a_month_matches_only_when_the_net_is_the_amount(lines: list[ClaimLine]):
    for month in judge(*lines).months:
        if month.status in ("matched", "late"):
            assert month.difference_cents == 0
        elif month.status != "refused":
            assert month.difference_cents != 0
        assert month.reason


def test_a_whole_year_claimed_as_declared_matches_everywhere():
    year = Year(pgb_beleid="zorgkantoor")
    year.pupils(5)
    figures = year.figures()
    declared = {
        Place(row["order_id"], row["law"], row["month"]): row["amount_cents"]
        for row in figures.tables["monthly_declarations"]
    }
    lines = [line(cents, f"F{p.month}", month=p.month, law=p.law) for p, cents in declared.items()]
    early = [replace(one, received_on=claimable_through(one.month)) for one in lines]
    control = judge_claims(figures.setup.orders, declared, early, (), AFTER_THE_YEAR)
    assert len(control.months) == 10
    assert settled_claims(control.months) == declared.keys()
    assert {month.status for month in control.months} == {"matched"}
