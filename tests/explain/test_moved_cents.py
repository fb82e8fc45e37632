"""A cent that moved is explained as one: beside what is kept in a new version, and beside terms that stay. All fictief."""

from typing import Any

import pytest

from tests.explain.books import books_of, second
from tests.year_builder import BREDA, GOIRLE, HEUSDEN, TILBURG, Year
from zio_pipeline.errors import NotProved
from zio_pipeline.explain import Explainer, Node
from zio_pipeline.explain.nodes import Sum, TakenOver
from zio_pipeline.explain.remainder import cents_of_the_kept
from zio_pipeline.figures import YearFigures
from zio_pipeline.money import largest_remainder_beside


def year_of(cents: int, *municipalities: str, **besluit: str) -> Year:
    year = Year(empty=True)
    year.order("LP", weeks=1, tariff_cents=cents)
    year.doelgroep("LP", "EMB", 1_00)
    year.school_class("EMB1")
    for n, code in enumerate(municipalities):
        year.pupil(f"p{n}", municipality=code)
    if besluit:
        year.besluit("order_change", order_id="LP", **besluit)
    return year


def tree(first: YearFigures, then: YearFigures, reason: str, payer: str) -> Node:
    explained = Explainer([books_of(then, reason=reason), books_of(first, reason="order_change")], [])
    return explained.share("LP", "jeugdwet", payer).parts[0]


def adds_up(node: Node) -> bool:
    return node.adds_up and all(adds_up(part) for part in node.parts)


def wlz_after_all() -> tuple[YearFigures, YearFigures]:
    """10,02 over four is 2,505 each; as an earlier order change left it, Breda and Tilburg have the odd cents. Breda's pupil has
    Wlz. The other three keep together 7,51 and their stream is 7,52: Goirle, the first that lies below, gets a cent.
    """
    first = year_of(10_02, BREDA, GOIRLE, HEUSDEN, TILBURG).figures()
    for name in ("share_details", "municipal_shares"):
        for row in first.tables[name]:
            row["amount_cents"] = {BREDA: 2_51, TILBURG: 2_51}.get(row["payer"], 2_50)
    corrected = year_of(10_02, BREDA, GOIRLE, HEUSDEN, TILBURG)
    corrected.wlz("p0")
    return first, second(corrected, first, "peildatum_error")


def test_a_cent_that_nobody_else_can_bear_stands_apart() -> None:
    first, then = wlz_after_all()
    shown = {payer: tree(first, then, "peildatum_error", payer) for payer in (GOIRLE, HEUSDEN, TILBURG)}
    assert {payer: node.value for payer, node in shown.items()} == {GOIRLE: 2_51, HEUSDEN: 2_50, TILBURG: 2_51}
    assert [type(shown[payer].how) for payer in (GOIRLE, HEUSDEN, TILBURG)] == [Sum, TakenOver, TakenOver]
    kept, cent = shown[GOIRLE].parts
    assert (kept.value, type(kept.how), cent.value) == (2_50, TakenOver, 1)
    assert all(map(adds_up, shown.values()))


def test_an_odd_cent_of_terms_that_stay_stands_apart() -> None:
    """20,02 is 10,01 each, and Heusden was billed 10,02 for September and October: Tilburg gives the cent."""
    first = year_of(100_04, HEUSDEN, TILBURG).figures()
    then = second(year_of(20_02, HEUSDEN, TILBURG, decision_id="W1", month="2025-11"), first, "order_change")
    shown = {payer: tree(first, then, "order_change", payer) for payer in (HEUSDEN, TILBURG)}
    assert {payer: [part.value for part in node.parts] for payer, node in shown.items()} == {
        HEUSDEN: [10_01, 1],
        TILBURG: [10_01, -1],
    }
    assert all(map(adds_up, shown.values()))


@pytest.mark.parametrize("reason", ["peildatum_error", "order_change"])
def test_a_cent_that_no_rule_moved_is_not_explained_away(reason: str) -> None:
    first, then = wlz_after_all()
    details = [dict(row) for row in then.tables["share_details"]]
    for row in details:
        row["amount_cents"] += {GOIRLE: 20, TILBURG: -20}.get(row["payer"], 0)
    lines: list[dict[str, Any]] = [
        row | {"amount_cents": row["amount_cents"] + {GOIRLE: 20, TILBURG: -20}.get(row["payer"], 0)}
        for row in then.tables["municipal_shares"]
    ]
    then.tables.update(share_details=details, municipal_shares=lines)
    with pytest.raises(NotProved):
        tree(first, then, reason, GOIRLE)


@pytest.mark.parametrize(
    ("whole", "weights", "kept"),
    [
        (100, [1, 1, 1], {0: 33, 1: 33, 2: 33}),
        (100, [1, 1, 1], {0: 34, 1: 34, 2: 33}),
        (100, [1, 1, 1, 0], {0: 34, 1: 34, 2: 34}),
        (7, [3, 1], {0: 6, 1: 2}),
        (5, [1, 1, 1], {0: 2, 1: 2, 2: 2}),
        (100, [2, 1, 1], {1: 25, 2: 25}),
    ],
)
def test_the_second_opinion_moves_the_same_cents(whole: int, weights: list[int], kept: dict[int, int]) -> None:
    moved = cents_of_the_kept(whole, weights, kept)
    billed = largest_remainder_beside(whole, weights, [kept.get(i) for i in range(len(weights))])
    assert {i: cents + moved.get(i, 0) for i, cents in kept.items()} == {i: billed[i] for i in kept}
