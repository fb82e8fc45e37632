"""What an auditor reads, pinned: the whole text of a few documents of small years (every figure is fictief).

`python -m tests.explain.test_rendered` writes the snapshots anew; read the difference before you keep it.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from tests.explain.books import books_of, credited, explainer, posted_documents, second, thirds, whole_year
from tests.year_builder import BREDA, MIDDEN_BRABANT, TILBURG, WAALWIJK
from zio_pipeline.explain import Explainer, rendered

SNAPSHOTS = Path(__file__).parent / "snapshots"


def _document(payer: str, period: str) -> str:
    explained = explainer(whole_year().figures())
    (number,) = [n for n, d in explained.documents.items() if (d.payer, d.period) == (payer, period)]
    return rendered(explained.document(number))


def _share_with_pseudonyms() -> str:
    tree = explainer(whole_year().figures(), pseudonyms=True).share("LP", "wlz_zin", MIDDEN_BRABANT)
    return rendered(tree, pseudonyms=True)


def _corrected(payer: str) -> str:
    """Version 2 of the year of three thirds: the pupil of Waalwijk lived in Breda. Waalwijk's document is credited."""
    year = thirds()
    first = year.figures()
    original = next(d for d in posted_documents(first) if d.payer == WAALWIJK)
    year.registrations[-1]["municipality"] = BREDA
    then = second(year, first, "peildatum_error")
    posted = [d for d in posted_documents(then) if d.payer == BREDA] + [original, credited(original, date(2026, 2, 2))]
    explained = Explainer([books_of(first), books_of(then, reason="peildatum_error")], posted)
    number = next(d.number for d in reversed(posted) if d.payer == payer)
    return rendered(explained.document(number))


def _order_change() -> str:
    """Version 2 of the whole year: another tariff from February, when five terms had been posted."""
    year = whole_year()
    first = year.figures()
    posted = [d for d in posted_documents(first, date(2026, 1, 31)) if d.rhythm == "monthly"]
    year.sheets["orders"][0]["tariff_cents"] = 71_00
    year.besluit("order_change", order_id="LP", month="2026-02")
    then = second(year, first, "order_change", posted)
    documents = posted_documents(then)
    explained = Explainer([books_of(first), books_of(then, reason="order_change")], documents)
    number = next(d.number for d in documents if (d.payer, d.period) == (TILBURG, "2026-03"))
    return rendered(explained.document(number))


CASES: dict[str, Callable[[], str]] = {
    "factuur": lambda: _document(TILBURG, "2025-12"),
    "factuur-halfjaar": lambda: _document(BREDA, "2025-2026-H2"),
    "bijdrage": lambda: _document("SWV", "2025-09"),
    "aandeel-met-pseudoniemen": _share_with_pseudonyms,
    "creditnota": lambda: _corrected(WAALWIJK),
    "factuur-versie-2": lambda: _corrected(BREDA),
    "factuur-opdrachtwijziging": _order_change,
}


@pytest.mark.parametrize("name", CASES)
def test_the_text_is_what_it_was(name: str) -> None:
    assert CASES[name]() == (SNAPSHOTS / f"{name}.txt").read_text("utf-8")


def test_no_snapshot_is_left_over() -> None:
    assert {path.stem for path in SNAPSHOTS.glob("*")} == set(CASES)


def test_the_same_text_whatever_the_order_of_the_rows() -> None:
    figures = whole_year().figures()
    books = books_of(figures)
    turned = books_of(figures)
    object.__setattr__(turned, "tables", {name: rows[::-1] for name, rows in books.tables.items()})
    one, other = (rendered(Explainer([b], []).share("LP", "jeugdwet", TILBURG)) for b in (books, turned))
    assert one == other


if __name__ == "__main__":
    for name, make in CASES.items():
        (SNAPSHOTS / f"{name}.txt").write_text(make(), "utf-8")
