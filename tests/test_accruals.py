"""Cost to date by hand: 4 of 10 terms, 5 of 12 months or school days at 31 December, beside what was posted by then."""

from dataclasses import fields
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.year_builder import BREDA, DE_BODDE, GOIRLE, LEIJPARK, TILBURG, Year
from zio_pipeline.accruals import NO_PART, Part, accrual_rows, parts_of_orders, year_amounts
from zio_pipeline.billing import Line, PostedDocument
from zio_pipeline.errors import NotProved, SetupError
from zio_pipeline.setup import SchoolYearSetup

NEW_YEARS_EVE = date(2025, 12, 31)
BASES = {"terms": "termijnen", "months": "maanden", "school_days": "schooldagen"}


def setup(basis: str = "terms", **settings: str) -> SchoolYearSetup:
    """Two orders at two schools; Leijpark is open three days in December and one in January, De Bodde one and one."""
    year = Year(toerekening=BASES[basis], startdatum="15-12-2025", **settings)
    year.order("BO", school=DE_BODDE)
    year.doelgroep("BO", "ZML")
    year.school_class("ZML1", "BO", "ZML", school=DE_BODDE)
    for school, first, last in (
        (LEIJPARK, "2025-12-18", "2026-01-04"),
        (LEIJPARK, "2026-01-06", "2026-07-31"),
        (DE_BODDE, "2025-12-16", "2026-01-04"),
        (DE_BODDE, "2026-01-06", "2026-07-31"),
    ):
        year.add(
            "calendar",
            school=school,
            closed_from=date.fromisoformat(first),
            closed_to=date.fromisoformat(last),
            kind="holiday",
        )
    return year.setup()


def share(payer: str, cents: int, order: str = "LP", kind: str = "municipality", **values: Any) -> dict[str, Any]:
    default = {"payer_kind": kind, "stream": "jeugdwet", "member": kind == "municipality"}
    return default | {"payer": payer, "order_id": order, "amount_cents": cents} | values


def document(payer: str, cents: int, on: date, order: str = "LP", **values: Any) -> PostedDocument:
    """A posted document of one line; only what is read here is filled in."""
    default = {"number": f"F-{payer}-{on}", "payer": payer, "payer_kind": "municipality", "rhythm": "monthly"}
    default |= {"period": f"{on:%Y-%m}", "document_date": on, "amount_cents": cents}
    default |= {"lines": (Line(order, "jeugdwet", cents),)}
    return PostedDocument(**dict.fromkeys(field.name for field in fields(PostedDocument)) | default | values)


def rows(basis: str, on: date, shares: list[dict[str, Any]], documents: tuple[PostedDocument, ...] = ()) -> list[Any]:
    return accrual_rows(setup(basis), 1, on, shares, documents)


# --- the part of the year that has passed -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("basis", "parts"),
    [
        ("terms", {"LP": (4, 10), "BO": (4, 10)}),
        ("months", {"LP": (5, 12), "BO": (5, 12)}),
        ("school_days", {"LP": (3, 4), "BO": (1, 2)}),
    ],
)
def test_at_the_end_of_the_calendar_year(basis: str, parts: dict):
    assert parts_of_orders(setup(basis), NEW_YEARS_EVE) == parts


@pytest.mark.parametrize(
    ("on", "passed"),
    [
        ("2025-08-31", 0),
        ("2025-09-01", 1),
        ("2025-09-30", 1),
        ("2026-01-01", 5),
        ("2026-06-01", 10),
        ("2026-07-31", 10),
    ],
)
def test_a_term_counts_from_the_first_day_of_its_month(on: str, passed: int):
    assert parts_of_orders(setup("terms"), date.fromisoformat(on))["LP"] == (passed, 10)


def test_terms_weigh_what_the_settings_say():
    by_weight = setup("terms", termijngewichten="7 7 6 6 0 2 2 2 2 2")
    assert parts_of_orders(by_weight, NEW_YEARS_EVE)["LP"] == (26, 36)
    assert parts_of_orders(by_weight, date(2026, 1, 31))["LP"] == (26, 36)


@pytest.mark.parametrize(
    ("on", "passed"),
    [
        ("2025-08-01", 0),
        ("2025-08-30", 0),
        ("2025-08-31", 1),
        ("2025-12-30", 4),
        ("2026-01-01", 5),
        ("2026-02-27", 6),
        ("2026-02-28", 7),
        ("2026-07-30", 11),
        ("2026-07-31", 12),
    ],
)
def test_a_month_counts_once_it_is_over(on: str, passed: int):
    assert parts_of_orders(setup("months"), date.fromisoformat(on))["LP"] == (passed, 12)


def test_a_school_day_counts_on_the_day_itself():
    passed = [parts_of_orders(setup("school_days"), date(2025, 12, day))["LP"].passed for day in (14, 15, 16, 17, 18)]
    assert passed == [0, 1, 2, 3, 3]


@pytest.mark.parametrize("basis", BASES)
def test_nothing_before_the_first_of_august_and_everything_on_the_last_of_july(basis: str):
    for parts, whole in (
        (parts_of_orders(setup(basis), date(2025, 7, 31)), False),
        (parts_of_orders(setup(basis), date(2020, 1, 1)), False),
        (parts_of_orders(setup(basis), date(2026, 7, 31)), True),
        (parts_of_orders(setup(basis), date(2030, 1, 1)), True),
    ):
        assert {part.passed for part in parts.values()} == ({p.total for p in parts.values()} if whole else {0})


def test_school_days_need_a_calendar_and_the_others_do_not():
    year = Year(toerekening="schooldagen")
    with pytest.raises(SetupError, match="geen sluitingen"):
        parts_of_orders(year.setup(), NEW_YEARS_EVE)
    assert parts_of_orders(Year().setup(), NEW_YEARS_EVE)["LP"] == (4, 10)


# --- cost and position ------------------------------------------------------------------------------------------------


def test_cost_to_date_is_rounded_half_up_once_per_payer_and_order():
    (row,) = rows("months", NEW_YEARS_EVE, [share(TILBURG, 6)])
    assert row["cost_cents"] == 3, "6 x 5/12 = 2,5"
    (row,) = rows("months", NEW_YEARS_EVE, [share(TILBURG, 1), share(TILBURG, 1, stream="adult")])
    assert row["cost_cents"] == 1, "rounded per stream it would be nothing"


def test_a_member_pays_monthly_and_owes_nothing_at_new_year():
    posted = tuple(document(TILBURG, 100_00, date(2025, month, 3)) for month in (9, 10, 11, 12))
    (row,) = rows("terms", NEW_YEARS_EVE, [share(TILBURG, 1000_00)], posted)
    assert (row["cost_cents"], row["posted_cents"], row["difference_cents"]) == (400_00, 400_00, 0)
    assert (row["position"], row["parts_passed"], row["parts_total"]) == ("settled", 4, 10)


def test_outside_the_region_everything_is_still_to_pay_at_new_year():
    january = document(BREDA, 500_00, date(2026, 1, 2), rhythm="half_year")
    shares = [share(BREDA, 1000_00, member=False)]
    (row,) = rows("months", NEW_YEARS_EVE, shares, (january,))
    assert (row["cost_cents"], row["posted_cents"], row["difference_cents"]) == (416_67, 0, 416_67)
    assert row["position"] == "payable"
    (row,) = rows("terms", date(2026, 1, 2), shares, (january,))
    assert (row["cost_cents"], row["posted_cents"], row["position"]) == (500_00, 500_00, "settled")


def test_what_is_posted_beyond_the_cost_is_paid_in_advance():
    posted = tuple(document(TILBURG, 100_00, date(2025, month, 3)) for month in (9, 10, 11, 12))
    (row,) = rows("school_days", date(2025, 12, 15), [share(TILBURG, 1000_00)], posted)
    assert (row["cost_cents"], row["difference_cents"], row["position"]) == (250_00, -150_00, "prepaid")


def test_a_credit_counts_from_its_own_day():
    bill = document(TILBURG, 100_00, date(2025, 12, 1))
    credit = document(TILBURG, 100_00, date(2026, 1, 5), number="C", kind="credit_note", credits=bill.number)
    (before,) = rows("terms", NEW_YEARS_EVE, [share(TILBURG, 1000_00)], (bill, credit))
    (after,) = rows("terms", date(2026, 1, 5), [share(TILBURG, 1000_00)], (bill, credit))
    assert (before["posted_cents"], after["posted_cents"]) == (100_00, 0)


def test_who_was_billed_and_has_no_share_any_more_paid_in_advance():
    rows_found = rows("terms", NEW_YEARS_EVE, [share(TILBURG, 10)], (document(GOIRLE, 7, date(2025, 9, 1)),))
    gone = next(row for row in rows_found if row["payer"] == GOIRLE)
    assert (gone["year_cents"], gone["cost_cents"], gone["difference_cents"]) == (0, 0, -7)
    assert (gone["position"], gone["member"]) == ("prepaid", True)


def test_an_order_that_is_gone_costs_nothing_and_what_was_billed_for_it_is_shown():
    gone = document(TILBURG, 7, date(2025, 9, 1), order="OUD")
    row = next(r for r in rows("terms", NEW_YEARS_EVE, [share(TILBURG, 10)], (gone,)) if r["order_id"] == "OUD")
    assert (row["parts_passed"], row["parts_total"]) == NO_PART
    assert row["difference_cents"] == -7


def test_pgb_holders_owe_us_nothing():
    found = rows("terms", NEW_YEARS_EVE, [share("PGB", 900, kind="pgb_holders"), share(TILBURG, 10)])
    assert [row["payer"] for row in found] == [TILBURG]


def test_a_payer_of_two_kinds_stops():
    with pytest.raises(NotProved, match="meer dan één soort"):
        year_amounts([share("5527", 1, kind="zorgkantoor"), share("5527", 1, kind="contributor")])


# --- what always holds ------------------------------------------------------------------------------------------------

CENTS = st.integers(0, 10**9)
DAYS = st.dates(date(2025, 6, 1), date(2026, 9, 30))
SETUPS = {basis: setup(basis) for basis in BASES}


@given(st.sampled_from(sorted(BASES)), CENTS, DAYS, st.integers(0, 60))
def test_cost_never_falls_as_days_pass(basis: str, cents: int, on: date, later: int):
    shares = [share(TILBURG, cents), share(TILBURG, cents, "BO")]
    early = accrual_rows(SETUPS[basis], 1, on, shares, ())
    late = accrual_rows(SETUPS[basis], 1, on + timedelta(days=later), shares, ())
    for before, after in zip(early, late, strict=True):
        assert 0 <= before["cost_cents"] <= after["cost_cents"] <= cents


@given(
    st.sampled_from(sorted(BASES)),
    st.dictionaries(st.tuples(st.sampled_from([TILBURG, BREDA, GOIRLE]), st.sampled_from(["LP", "BO"])), CENTS),
    st.lists(st.tuples(st.sampled_from([TILBURG, BREDA]), st.integers(1, 10**7), DAYS, st.booleans()), max_size=8),
    DAYS,
    st.randoms(use_true_random=False),
)
def test_every_row_adds_up_and_the_order_of_rows_changes_nothing(basis, amounts, posted, on, random):
    shares = [share(payer, cents, order) for (payer, order), cents in amounts.items()]
    documents = [
        document(payer, cents, day, number=str(n), credits="x" if credit else None)
        for n, (payer, cents, day, credit) in enumerate(posted)
    ]
    found = accrual_rows(SETUPS[basis], 1, on, shares, documents)
    assert all(row["cost_cents"] - row["posted_cents"] == row["difference_cents"] for row in found)
    assert sum(row["year_cents"] for row in found) == sum(amounts.values())
    assert sum(row["posted_cents"] for row in found) == sum(d.signed_cents for d in documents if d.document_date <= on)
    random.shuffle(shares)
    random.shuffle(documents)
    assert accrual_rows(SETUPS[basis], 1, on, shares, documents) == found


@given(CENTS, st.integers(1, 400), st.integers(0, 400))
def test_a_part_is_within_half_a_cent(cents: int, total: int, passed: int):
    passed = min(passed, total)
    assert abs(2 * Part(passed, total).of(cents) * total - 2 * cents * passed) <= total
