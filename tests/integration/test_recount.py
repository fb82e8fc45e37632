"""The settlement of a whole demo year equals a second count that shares no code with it, line by line, to the cent."""

from collections import Counter
from typing import Any

import pytest

from tests.integration.recount import Recount, largest_remainder, recount, ten_terms


@pytest.fixture(scope="session")
def recounted(settled_year: Any) -> Recount:
    """The second count of the very files that the settled year was made from."""
    return recount(settled_year.inbox)


def added(rows: list[dict[str, Any]], *columns: str, what: str = "amount_cents") -> dict[Any, int]:
    """The rows of a product added up per combination of columns (of one column: per value)."""
    total: Counter[Any] = Counter()
    for row in rows:
        key = tuple(row[column] for column in columns)
        total[key[0] if len(key) == 1 else key] += row[what]
    return dict(total)


def test_year_amounts_equal_the_recount(settled_year: Any, recounted: Recount) -> None:
    shares = settled_year.home.warehouse.rows("municipal_shares")
    details = settled_year.home.warehouse.rows("share_details")
    own = [row for row in shares if row["stream"] in ("jeugdwet", "adult")]
    assert added(own, "payer") == recounted.municipality_cents
    assert added(shares, "order_id", "stream", "payer") == recounted.year_cents
    # The product leaves contributions out of the details: they have no pupils.
    by_pupils = {line: cents for line, cents in recounted.detail_cents.items() if line[2] != "contribution"}
    assert added(details, "order_id", "doelgroep", "stream", "payer") == by_pupils


def test_terms_and_declarations_equal_the_recount(settled_year: Any, recounted: Recount) -> None:
    terms = settled_year.home.warehouse.rows("terms")
    declarations = settled_year.home.warehouse.rows("monthly_declarations")
    assert added(terms, "order_id", "stream", "payer", "month") == recounted.term_cents
    assert added(declarations, "order_id", "law", "month") == recounted.declaration_cents


def test_pupil_counts_equal_the_recount(settled_year: Any, recounted: Recount) -> None:
    details = settled_year.home.warehouse.rows("share_details")
    counted = added(details, "order_id", "doelgroep", "stream", "payer", what="pupils")
    assert {line: pupils for line, pupils in counted.items() if pupils} == recounted.pupils


def test_the_recount_divides_small_numbers_as_by_hand() -> None:
    # 10 over 3, 3 and 1: 4 2/7, 4 2/7 and 1 3/7, so the smallest gets the odd cent.
    assert largest_remainder(10, [("a", 3), ("b", 3), ("c", 1)]) == {"a": 4, "b": 4, "c": 2}
    # 1000 over 7, 5 and 3: 466 2/3, 333 1/3 and 200.
    assert largest_remainder(1000, [("a", 7), ("b", 5), ("c", 3)]) == {"a": 467, "b": 333, "c": 200}
    # Equal fractions: in the order of the list.
    assert largest_remainder(6, [("c", 1), ("a", 1), ("b", 1), ("d", 1)]) == {"c": 2, "a": 2, "b": 1, "d": 1}
    assert largest_remainder(0, [("a", 0), ("b", 2)]) == {"a": 0, "b": 0}

    lines = {
        ("SWV-1", "contribution"): 7,
        ("0855", "adult"): 14,
        ("0758", "jeugdwet"): 1003,
        ("0855", "jeugdwet"): 2009,
    }
    terms = ten_terms(lines)
    assert terms == {
        # 3 odd cents: September, October, November.
        ("0758", "jeugdwet"): [101, 101, 101, 100, 100, 100, 100, 100, 100, 100],
        # 9 odd cents: December to June, then September and October.
        ("0855", "jeugdwet"): [201, 201, 200, 201, 201, 201, 201, 201, 201, 201],
        # 4 odd cents: November to February.
        ("0855", "adult"): [1, 1, 2, 2, 2, 2, 1, 1, 1, 1],
        # 7 odd cents: March to June, then September to November.
        ("SWV-1", "contribution"): [1, 1, 1, 0, 0, 0, 1, 1, 1, 1],
    }
    # 3033 cents in ten: 303 a month, the three odd ones to the earliest months; the terms add up to just that.
    months = [str(month) for month in range(10)]
    declared = largest_remainder(3033, [(month, 1) for month in months])
    assert [sum(column) for column in zip(*terms.values(), strict=True)] == list(declared.values())
