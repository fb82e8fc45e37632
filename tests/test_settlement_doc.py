"""`docs/settlement.md` says what the program does: every amount in it is computed by the rules, over one fictitious year.

The tables between the marks `<!-- voorbeeld: NAME -->` and `<!-- einde voorbeeld -->` come from the functions of this module;
outside them stands no amount. `python -m tests.test_settlement_doc` writes them anew.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from math import floor
from pathlib import Path
from typing import Any

import pytest

from tests.year_builder import BREDA, GOIRLE, HEUSDEN, MIDDEN_BRABANT, TILBURG, Year
from zio_pipeline.explain.documents import period_name
from zio_pipeline.explain.words import month_name
from zio_pipeline.figures import YearFigures, compute_year
from zio_pipeline.money import format_euro
from zio_pipeline.reference import municipalities, zorgkantoor_name
from zio_pipeline.versions import Base, calendar_of

DOCUMENT = Path(__file__).parent.parent / "docs" / "settlement.md"
BLOCK = re.compile(r"<!-- voorbeeld: ([a-z-]+) -->\n(.*?)<!-- einde voorbeeld -->", re.DOTALL)
AMOUNT = re.compile(r"€|\d[,.]\d\d\b")
STREAM = {"jeugdwet": "Jeugdwet", "wlz_zin": "Wlz in natura", "contribution": "bijdrage"}
NEW_TARIFF_CENTS, FIRST_TERM = 68_40, "2026-02"


def example() -> Year:
    """One order of a school: EMB in two classes, LG in one; pupils of three municipalities and a zorgkantoor; fictief."""
    year = Year(empty=True)
    year.order("LP", weeks=40, tariff_cents=65_40)
    year.doelgroep("LP", "EMB", 18_00, need_hours_hundredths=20_00, own_hours_hundredths=2_00)
    year.doelgroep("LP", "LG", 6_50)
    for code, group in (("EMB1", "EMB"), ("EMB2", "EMB"), ("LG1", "LG")):
        year.school_class(code, "LP", group)
    year.pupils(4, "EMB1", TILBURG)
    year.pupils(2, "EMB1", HEUSDEN)
    year.pupil("breda", "EMB2", BREDA)
    for n in range(6):
        year.wlz(year.pupil(f"wlz{n}", "EMB2"))
    year.pupils(6, "LG1", TILBURG)
    year.pupils(3, "LG1", HEUSDEN)
    year.pupil("breda lg", "LG1", BREDA)
    year.contribution("LP", "SWV", 2_500_00)
    return year


@cache
def first() -> YearFigures:
    return example().figures()


def beside(year: Year, reason: str, posted: Iterable[tuple[str, str]] = ()) -> YearFigures:
    """The changed year as its second version."""
    calendar = calendar_of(first().setup.settings)
    base = Base(1, "0" * 64, reason, first().tables, calendar, posted=frozenset(posted))
    return compute_year(replace(year.inputs(), base=base), 2)


@cache
def corrected() -> YearFigures:
    """A pupil counted for Heusden lived in Goirle on the peildatum."""
    year = example()
    next(r for r in year.registrations if r["municipality"] == HEUSDEN)["municipality"] = GOIRLE
    return beside(year, "peildatum_error")


@cache
def dearer() -> YearFigures:
    """The tariff goes up, to be borne from February; Tilburg has been billed up to and including January."""
    year = example()
    year.sheets["orders"][0]["tariff_cents"] = NEW_TARIFF_CENTS
    year.besluit("order_change", order_id="LP", month=FIRST_TERM)
    return beside(year, "order_change", ((TILBURG, month) for month in first().setup.settings.term_keys[:5]))


# --- the tables -------------------------------------------------------------------------------------------------------


def table(head: Sequence[str], rows: Iterable[Sequence[str]], text: int = 1) -> str:
    """A table of Markdown whose first `text` columns are words, the others numbers."""
    lines = [head, ["---"] * text + ["---:"] * (len(head) - text), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def euro(cents: int) -> str:
    return f"€ {format_euro(cents)}"


def exact(amount: Fraction) -> str:
    rest = amount - floor(amount)
    return euro(floor(amount)) + (f" en {rest.numerator}/{rest.denominator} cent" if rest else "")


def name(row: dict[str, Any]) -> str:
    """A municipality or zorgkantoor by its name."""
    payer = str(row["payer"])
    if row["payer_kind"] == "municipality":
        return municipalities().name(payer)
    return zorgkantoor_name(payer) or payer


def rows_of(figures: YearFigures, product: str, **where: str) -> list[dict[str, Any]]:
    return [row for row in figures.tables[product] if all(row[key] == value for key, value in where.items())]


def budget() -> str:
    figures = first()
    tariff = figures.setup.order("LP").tariff_cents
    rows = [
        [
            f"{r['doelgroep']}, {r['classes']} {'klas' if r['classes'] == 1 else 'klassen'}",
            f"{format_euro(r['granted_hours_hundredths'])} uur",
            euro(tariff),
            euro(r["budget_cents"]),
            euro(r["contribution_cents"]),
            euro(r["amount_cents"]),
        ]
        for r in rows_of(figures, "doelgroep_budgets")
    ]
    return table(["doelgroep", "uren per jaar", "tarief per uur", "budget", "af: bijdrage", "te verdelen"], rows)


def streams() -> str:
    rows = [
        [r["doelgroep"], STREAM[r["stream"]], str(r["weight"]), euro(r["amount_cents"])]
        for r in rows_of(first(), "funding_split")
    ]
    return table(["doelgroep", "stroom", "leerlingen", "bedrag"], rows, text=2)


def payers() -> str:
    """Step 2 of EMB, Jeugdwet, with the exact parts."""
    parties = rows_of(first(), "share_details", doelgroep="EMB", stream="jeugdwet")
    whole, pupils = sum(p["amount_cents"] for p in parties), sum(p["pupils"] for p in parties)
    rows = []
    for p in parties:
        part = Fraction(whole * p["pupils"], pupils)
        extra = "ja" if p["amount_cents"] > floor(part) else "nee"
        rows.append([name(p), str(p["pupils"]), exact(part), extra, euro(p["amount_cents"])])
    rows.append(["samen", str(pupils), "", "", euro(whole)])
    return table(["gemeente", "leerlingen", "exact deel", "een cent extra", "aandeel"], rows)


def year_amounts() -> str:
    lines = rows_of(first(), "municipal_shares")
    rows = [[name(r), STREAM[r["stream"]], euro(r["amount_cents"])] for r in lines]
    return table(
        ["betaler", "stroom", "jaarbedrag"], [*rows, ["samen", "", euro(sum(r["amount_cents"] for r in lines))]]
    )


def terms() -> str:
    keys = first().setup.settings.term_keys
    lines = [r for r in rows_of(first(), "municipal_shares") if r["law"] == "jw"]
    cells = {(r["payer"], r["month"]): r["amount_cents"] for r in rows_of(first(), "terms")}
    rows = [[month_name(key), *(euro(cells[r["payer"], key]) for r in lines)] for key in keys]
    rows.append(["jaar", *(euro(r["amount_cents"]) for r in lines)])
    return table(["termijn", *(name(r) for r in lines)], rows)


def documents() -> str:
    """The two documents of Breda, and the first two of Tilburg."""
    per: Counter[tuple[str, str, str]] = Counter()
    for r in rows_of(first(), "terms", payer=BREDA) + rows_of(first(), "terms", payer=TILBURG):
        per[name(r), r["period"], f"{r['due_on']:%d-%m-%Y}"] += r["amount_cents"]
    rows = [[who, period_name(period), due, euro(cents)] for (who, period, due), cents in list(per.items())[:4]]
    return table(["gemeente", "periode", "vervalt op", "factuur"], rows, text=3)


def correction() -> str:
    before, after = ({r["payer"]: r for r in rows_of(f, "municipal_shares")} for f in (first(), corrected()))
    rows = []
    for payer in sorted(before.keys() | after.keys()):
        was, now = (side[payer]["amount_cents"] if payer in side else 0 for side in (before, after))
        rows.append([name(after.get(payer) or before[payer]), euro(was), euro(now), euro(now - was)])
    return table(["betaler", "versie 1", "versie 2", "verschil"], rows)


def order_change() -> str:
    was, now = (
        {r["month"]: r["amount_cents"] for r in rows_of(f, "terms", payer=TILBURG)} for f in (first(), dearer())
    )
    rows = [[month_name(month), euro(was[month]), euro(now[month]), euro(now[month] - was[month])] for month in was]
    totals = [sum(was.values()), sum(now.values())]
    rows.append(["jaar", *map(euro, totals), euro(totals[1] - totals[0])])
    return table(["termijn", "versie 1", "versie 2", "verschil"], rows)


TABLES: dict[str, Callable[[], str]] = {
    "budget": budget,
    "stromen": streams,
    "betalers": payers,
    "jaarbedragen": year_amounts,
    "termijnen": terms,
    "facturen": documents,
    "correctie": correction,
    "opdrachtwijziging": order_change,
}


def filled(text: str) -> str:
    """The document with every table computed now."""
    return BLOCK.sub(lambda m: f"<!-- voorbeeld: {m[1]} -->\n{TABLES[m[1]]()}<!-- einde voorbeeld -->", text)


# --- the tests --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table_name", TABLES)
def test_the_document_shows_what_the_rules_give(table_name: str) -> None:
    shown = dict(BLOCK.findall(DOCUMENT.read_text("utf-8")))
    assert shown[table_name] == TABLES[table_name]()


def test_every_amount_stands_in_a_table_of_the_example() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert {found for found, _ in BLOCK.findall(text)} == set(TABLES)
    assert AMOUNT.findall(BLOCK.sub("", text)) == []


def test_the_example_adds_up_and_shows_what_it_must() -> None:
    """The year is whole, somebody gets an odd cent, bystanders keep theirs, and posted terms stand."""
    assert all(proof.proved for figures in (first(), corrected(), dearer()) for proof in figures.proofs)
    assert " ja |" in payers()
    assert " nee |" in payers()
    changed = {r["payer"] for r in rows_of(corrected(), "municipal_shares")} - {TILBURG, BREDA, MIDDEN_BRABANT, "SWV"}
    assert changed == {HEUSDEN, GOIRLE}
    for payer in (TILBURG, BREDA, MIDDEN_BRABANT, "SWV"):
        was, now = (rows_of(f, "terms", payer=payer) for f in (first(), corrected()))
        assert [r["amount_cents"] for r in was] == [r["amount_cents"] for r in now]
    was, now = (rows_of(f, "terms", payer=TILBURG) for f in (first(), dearer()))
    assert [n["amount_cents"] - w["amount_cents"] > 0 for w, n in zip(was, now, strict=True)] == [False] * 5 + [
        True
    ] * 5


def test_the_document_says_that_it_is_invented() -> None:
    assert "fictief" in DOCUMENT.read_text("utf-8").casefold()


if __name__ == "__main__":
    DOCUMENT.write_text(filled(DOCUMENT.read_text("utf-8")), "utf-8")
