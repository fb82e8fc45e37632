"""The answer to a provider: every verdict in Dutch, the same bytes for the same verdicts, and never a formula."""

import io
import zipfile
from datetime import date
from typing import Any

import openpyxl

from tests.test_claims import ORDERS, SEPTEMBER, line
from tests.year_builder import SIZA
from zio_pipeline.claim_answers import Addressee, claim_answer
from zio_pipeline.claims import ClaimControl, judge_claims

TO = Addressee(SIZA, "Siza (fictief)", "2025-2026", date(2026, 7, 31), fictitious=True)


def judged(*lines: Any) -> ClaimControl:
    return judge_claims(ORDERS, {SEPTEMBER: 100_000_01}, lines, (), TO.as_of)


def answer(control: ClaimControl, to: Addressee = TO) -> bytes:
    return claim_answer(to, control.months, control.lines)


def sheets(data: bytes) -> dict[str, list[tuple[Any, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(data))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}


def test_every_month_and_line_has_its_verdict():
    found = sheets(answer(judged(line(number="F8"), line(number="F9"), line(school="01FX00"))))
    _, (order, law, month, declared, claimed, refused, difference, verdict, reason) = found["Per maand"]
    assert (order, law, month, verdict) == ("LP", "Jeugdwet", "2025-09", "dubbel")
    assert (declared, claimed, refused, difference) == (100000.01, 200000.02, 0, 100000.01)
    assert "€ 100.000,01 is op meer dan één factuur gedeclareerd" in reason
    header, *lines = found["Per regel"]
    shown = [dict(zip(header, cells, strict=True)) for cells in lines]
    assert [(row["factuurnummer"], row["oordeel"], row["telt mee"]) for row in shown] == [
        ("F1", "onbekende opdracht", "nee"),
        ("F8", "dubbel", "ja"),
        ("F9", "dubbel", "ja"),
    ]


def test_the_summary_adds_up_and_says_what_to_do():
    rows = sheets(answer(judged(line(number="F8"), line(number="F9"), line(school="01FX00"))))["Samenvatting"]
    text = {row[0]: row for row in rows if row[0]}
    assert text["Aanbieder"][1] == f"Siza (fictief) ({SIZA})"
    assert text["Let op"][1] == "Fictief: verzonnen bedragen"
    assert text["dubbel"][1:] == ("Crediteer de regel die er te veel is, met een eigen regel C.", 1, 100000.01)
    assert [text[name][2:] for name in ("telt mee", "telt niet mee", "alles")] == [
        (2, 200000.02),
        (1, 100000.01),
        (3, 300000.03),
    ]


def test_a_provider_that_claimed_nothing_gets_an_answer():
    found = sheets(answer(judged()))
    assert found["Per maand"][1][7] == "ontbreekt"
    assert len(found["Per regel"]) == 1


def test_the_same_verdicts_give_the_same_bytes_in_any_order():
    control = judged(line(number="F8"), line(number="F9"), line(school="01FX00"))
    turned = ClaimControl(control.months[::-1], control.lines[::-1])
    assert answer(control) == answer(turned)


def test_nothing_a_sender_wrote_becomes_a_formula():
    nasty = ["=1+1", "+31", "-2", "@SUM(A1)", "<r>x</r>", "a\x00b\x1fc", "https://voorbeeld.nl"]
    control = judged(*(line(1_00, number) for number in nasty))
    data = answer(control, Addressee(SIZA, '=HYPERLINK("x")', "2025-2026", TO.as_of, fictitious=False))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        xml = "".join(archive.read(name).decode() for name in archive.namelist() if name.startswith("xl/worksheets/"))
    assert "<f>" not in xml
    assert "<hyperlink" not in xml
    book = openpyxl.load_workbook(io.BytesIO(data))
    cells = [cell for row in book["Per regel"].iter_rows(min_row=2, min_col=6, max_col=6) for cell in row]
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(cell.number_format == "@" and cell.quotePrefix for cell in cells)
    assert sorted(cell.value for cell in cells) == sorted([*nasty[:4], "<r>x</r> ", "a\ufffdb\ufffdc", nasty[-1]])
