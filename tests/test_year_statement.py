"""The year statement by hand, and every reason why a year may not be closed yet. Every amount is fictief."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_accruals import BASES, document, setup, share
from tests.year_builder import AMARANT, BREDA, GOIRLE, MEMBERS, MIDDEN_BRABANT, SIZA, TILBURG, Year
from zio_pipeline.billing import Parked
from zio_pipeline.setup import SchoolYearSetup
from zio_pipeline.terms import LAW_OF_STREAM
from zio_pipeline.year_statement import Claim, YearBooks, closing_reasons, declarations, statement_rows

MONTHS = ("2025-09", "2025-10", "2025-11", "2025-12", "2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2026-06")
END = date(2026, 7, 31)
PARTS = ("posted_cents", "parked_cents", "not_due_cents", "to_post_cents", "by_provider_cents")


def terms_of(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Ten terms of a share: monthly for members, halves due in January and July for others, none for pgb holders."""
    rhythm = {"pgb_holders": "none"}.get(row["payer_kind"], "monthly" if row["member"] else "half_year")
    each, odd = divmod(row["amount_cents"], 10)
    found = []
    for number, month in enumerate(MONTHS):
        period, due = month, date.fromisoformat(f"{month}-02")
        if rhythm == "half_year":
            period = f"2025-2026-H{1 if number < 5 else 2}"
            due = date(2026, 1, 2) if number < 5 else date(2026, 7, 1)
        term = {"month": month, "rhythm": rhythm, "period": period, "law": LAW_OF_STREAM[row["stream"]]}
        term |= {"due_on": None if rhythm == "none" else due, "amount_cents": each + (number < odd)}
        found.append(row | term)
    return found


def books(*shares: dict[str, Any], on: date = END, parked: tuple = (), unposted: tuple = ()) -> YearBooks:
    """A year in which nothing has been posted yet."""
    return YearBooks(1, on, shares, [t for s in shares for t in terms_of(s)], (), parked, unposted)


def posted(some: YearBooks, until: date = END) -> YearBooks:
    """The same year, with a document for every term that is due by a day, on its due day."""
    documents = [
        document(t["payer"], t["amount_cents"], t["due_on"], t["order_id"], period=t["period"], number=f"F{n}")
        for n, t in enumerate(some.terms)
        if t["due_on"] is not None and t["due_on"] <= until and t["amount_cents"]
    ]
    return replace(some, documents=tuple(documents))


def parked_at(payer: str, period: str) -> Parked:
    return Parked("2025-2026", payer, period, date(2026, 1, 2), "no_commitment", "fictief", 1)


def statement(some: YearBooks, basis: str = "terms") -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["payer"], row["order_id"]): row for row in statement_rows(setup(basis), some)}


def brief(row: dict[str, Any]) -> tuple[int, ...]:
    return tuple(row[name] for name in PARTS)


# --- the statement ----------------------------------------------------------------------------------------------------


def test_a_member_that_was_billed_every_month():
    row = statement(posted(books(share(TILBURG, 1000_01))))[TILBURG, "LP"]
    assert (row["share_cents"], row["debit_cents"], row["credit_cents"]) == (1000_01, 1000_01, 0)
    assert brief(row) == (1000_01, 0, 0, 0, 0)
    # 1000,01 x 4/10 = 400,004; the second year bears the rest.
    assert (row["first_year"], row["first_year_cost_cents"], row["first_year_posted_cents"]) == (2025, 400_00, 400_01)
    assert (row["second_year"], row["second_year_cost_cents"], row["second_year_posted_cents"]) == (
        2026,
        600_01,
        600_00,
    )


@pytest.mark.parametrize(("basis", "first_year"), [("terms", 400_00), ("months", 416_67), ("school_days", 750_00)])
def test_the_first_year_bears_what_the_basis_says(basis: str, first_year: int):
    row = statement(books(share(BREDA, 1000_00, member=False)), basis)[BREDA, "LP"]
    assert (row["first_year_cost_cents"], row["second_year_cost_cents"]) == (first_year, 1000_00 - first_year)
    assert row["basis"] == basis


def test_what_is_parked_and_what_is_not_due_stand_apart():
    waits = books(share(BREDA, 1000_00, member=False), on=date(2026, 3, 1), parked=(parked_at(BREDA, "2025-2026-H1"),))
    row = statement(waits)[BREDA, "LP"]
    assert brief(row) == (0, 500_00, 500_00, 0, 0)


def test_what_a_run_would_post_now_stands_apart_too():
    row = statement(posted(books(share(TILBURG, 1000_00), on=date(2026, 3, 2)), until=date(2026, 1, 31)))[TILBURG, "LP"]
    assert brief(row) == (500_00, 0, 300_00, 200_00, 0)


def test_a_credit_lowers_what_was_posted_in_the_year_of_its_own_date():
    once = posted(books(share(TILBURG, 1000_00)))
    bill = once.documents[0]
    credit = replace(bill, number="C1", kind="credit_note", credits=bill.number, document_date=date(2026, 2, 2))
    row = statement(replace(once, documents=(*once.documents, credit)))[TILBURG, "LP"]
    assert (row["debit_cents"], row["credit_cents"], row["posted_cents"]) == (1000_00, 100_00, 900_00)
    assert (row["first_year_posted_cents"], row["second_year_posted_cents"]) == (400_00, 500_00)
    assert row["to_post_cents"] == 100_00


def test_who_has_no_share_any_more_still_stands_there_with_his_credit():
    bill = document(BREDA, 50, date(2026, 1, 2), rhythm="half_year", number="F1")
    credit = replace(bill, number="C1", credits="F1")
    row = statement(replace(books(share(TILBURG, 10)), documents=(bill, credit)))[BREDA, "LP"]
    assert (row["share_cents"], row["debit_cents"], row["credit_cents"], row["member"]) == (0, 50, 50, False)
    assert brief(row) == (0, 0, 0, 0, 0)


def test_what_the_provider_collects_himself_is_no_document_of_ours():
    row = statement(books(share("PGB", 900, kind="pgb_holders", stream="wlz_pgb")))["PGB", "LP"]
    assert brief(row) == (0, 0, 0, 0, 900)


def test_a_member_without_pupils_is_shown_with_nothing_for_every_order():
    found = statement(books(share(TILBURG, 1000)))
    assert set(found) == {(code, order) for code in MEMBERS for order in ("LP", "BO")}
    row = found[GOIRLE, "BO"]
    assert row["member"]
    assert {row[name] for name in row if name.endswith("_cents")} == {0}


@given(
    basis=st.sampled_from(sorted(BASES)),
    amounts=st.dictionaries(
        st.tuples(st.sampled_from([TILBURG, BREDA, "PGB"]), st.sampled_from(["LP", "BO"])), st.integers(0, 10**9)
    ),
    on=st.dates(date(2025, 8, 1), date(2026, 9, 1)),
    until=st.dates(date(2025, 8, 1), date(2026, 9, 1)),
    waits=st.booleans(),
    random=st.randoms(use_true_random=False),
)
def test_every_share_is_accounted_for_and_both_calendar_years_add_up(*, basis, amounts, on, until, waits, random):
    shares = [
        share(payer, cents, order, "pgb_holders" if payer == "PGB" else "municipality", member=payer == TILBURG)
        for (payer, order), cents in amounts.items()
    ]
    parked = (parked_at(BREDA, "2025-2026-H2"),) if waits and until < date(2026, 7, 1) <= on else ()
    some = posted(books(*shares, on=on, parked=parked), until=min(on, until))
    rows = statement_rows(setup(basis), some)
    for row in rows:
        assert row["share_cents"] == sum(row[name] for name in PARTS)
        assert row["share_cents"] == row["first_year_cost_cents"] + row["second_year_cost_cents"]
        assert row["posted_cents"] == row["first_year_posted_cents"] + row["second_year_posted_cents"]
        assert row["posted_cents"] == row["debit_cents"] - row["credit_cents"]
        assert row["to_post_cents"] >= 0, "nothing was credited"
    assert sum(row["share_cents"] for row in rows) == sum(amounts.values())
    turned = replace(some, shares=random.sample(some.shares, len(some.shares)), terms=some.terms[::-1])
    assert statement_rows(setup(basis), replace(turned, documents=some.documents[::-1])) == rows


# --- closing ----------------------------------------------------------------------------------------------------------

SHARES = (
    share(TILBURG, 700_00),
    share(TILBURG, 200_00, "BO"),
    share(BREDA, 100_00, member=False),
    share(MIDDEN_BRABANT, 400_00, kind="zorgkantoor", stream="wlz_zin", member=True),
    share("PGB", 50_00, kind="pgb_holders", stream="wlz_pgb"),
)
STATEMENTS = {SIZA: 1200_00, AMARANT: 200_00}


def two_providers() -> SchoolYearSetup:
    found = setup()
    orders = (found.orders[0], found.orders[1])
    by_id = {"LP": SIZA, "BO": AMARANT}
    return replace(found, orders=tuple(replace(order, provider=by_id[order.order_id]) for order in orders))


def claimed(some: YearBooks, status: str = "matched") -> list[Claim]:
    return [Claim(*key, status, cents) for key, cents in declarations(some.terms).items()]


def reasons(some: YearBooks, **changed: Any) -> list[str]:
    asked = {"settled_payers": (), "claims": claimed(some), "statements": STATEMENTS} | changed
    return closing_reasons(two_providers(), some, **asked)


READY = posted(books(*SHARES))


def test_a_finished_year_may_be_closed():
    assert reasons(READY) == []


def test_declarations_leave_out_what_pgb_holders_pay():
    assert sum(declarations(READY.terms).values()) == 1400_00
    assert {law for _, law, _ in declarations(READY.terms)} == {"jw", "wlz"}


def test_every_reason_is_named_at_once():
    some = replace(
        books(*SHARES, on=date(2026, 6, 30)),
        parked=(parked_at(BREDA, "2025-2026-H1"),),
        unposted=tuple(posted(books(SHARES[0])).documents[-2:]),
    )
    found = reasons(some, claims=[], statements={SIZA: 1})
    assert found == [
        "Het schooljaar loopt tot en met 31-07-2026; sluit het op die dag of later.",
        f"Betaler {TILBURG}: nog te boeken of te crediteren over 2026-05, 2026-06; boek eerst.",
        f"Betaler {BREDA}: op 30-06-2026 nog niet vervallen is 2025-2026-H2.",
        f"Betaler {BREDA}: nog te factureren over 2025-2026-H1; factureer, of neem een besluit "
        "'openstaand bij afsluiting' op dat deze betaler noemt.",
        "De declaraties van de aanbieders zijn nog niet vergeleken.",
        f"De jaaropgave van aanbieder {SIZA} is 0,01 euro; gedeclareerd is 0,00 euro, een verschil van 0,01 euro.",
        f"De jaaropgave van aanbieder {AMARANT} is niet geregistreerd (zio provider-statement).",
    ]


def test_a_besluit_lets_what_is_parked_of_that_payer_stay_open():
    some = replace(READY, parked=(parked_at(BREDA, "2025-2026-H1"), parked_at(GOIRLE, "2026-05")))
    assert len(reasons(some)) == 2
    (left,) = reasons(some, settled_payers=[BREDA])
    assert left.startswith(f"Betaler {GOIRLE}: nog te factureren over 2026-05")


@pytest.mark.parametrize("status", ["matched", "late", "written_off"])
def test_a_claim_that_is_right_late_or_written_off_is_settled(status: str):
    assert reasons(READY, claims=claimed(READY, status)) == []


@pytest.mark.parametrize("status", ["missing", "duplicate", "wrong_amount", "wrong_period", "refused", "expected"])
def test_any_other_claim_keeps_the_year_open(status: str):
    claims = [replace(c, status=status) if c.declaration == ("LP", "jw", "2026-05") else c for c in claimed(READY)]
    (left,) = reasons(READY, claims=claims)
    assert left == "Opdracht LP, wet jw: declaratie niet akkoord en niet afgeboekt over 2026-05."


def test_a_declaration_that_nobody_compared_keeps_the_year_open():
    claims = [c for c in claimed(READY) if (c.order_id, c.month) != ("BO", "2025-12")]
    left = reasons(READY, claims=claims)
    assert left[0] == "Opdracht BO, wet jw: declaratie niet akkoord en niet afgeboekt over 2025-12."
    assert len(left) == 2, "and the provider's year statement differs by that month"


def test_a_claim_beside_the_declarations_keeps_the_year_open():
    (left,) = reasons(READY, claims=[*claimed(READY), Claim("LP", "pgb", "2025-09", "wrong_amount", 0)])
    assert left == "Opdracht LP, wet pgb: declaratie niet akkoord en niet afgeboekt over 2025-09."


def test_a_year_statement_must_say_what_was_claimed_to_the_cent():
    claims = [
        replace(c, status="written_off", claimed_cents=c.claimed_cents - 5) if c.declaration[2] == "2025-09" else c
        for c in claimed(READY)
    ]
    assert reasons(READY, claims=claims, statements={SIZA: 1199_90, AMARANT: 199_95}) == []
    (left,) = reasons(READY, claims=claims, statements={SIZA: 1200_00, AMARANT: 199_95})
    assert left == (
        f"De jaaropgave van aanbieder {SIZA} is 1.200,00 euro; gedeclareerd is 1.199,90 euro, een verschil van 0,10 euro."
    )


def test_a_year_without_any_amount_has_nothing_to_compare():
    empty = YearBooks(1, END, (), (), (), (), ())
    assert closing_reasons(Year().setup(), empty, (), (), {SIZA: 0}) == []
