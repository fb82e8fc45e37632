"""Claim files of providers: taken in line by line, what is wrong set aside with a reason, one provider and invoice month."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.nl import bsn

from tests.intake.files import Row, csv_of, deliver, rules, table, warned, xlsx_bytes

CLAIMS = "provider_claims"


def claim(number: int = 1, **changed: Any) -> Row:
    """One good line of an invoice of October, about September; a name with _ stands for a header with a space."""
    row = {
        "schooljaar": "2025-2026",
        "agb": "06012345",
        "vestiging": "02ZX00",
        "wet": "jeugdwet",
        "maand": "2025-09",
        "factuurnummer": f"2025/{number:04d}",
        "debet/credit": "debet",
        "bedrag": "12.345,67",
        "factuurdatum": "03-10-2025",
    }
    return row | {{"richting": "debet/credit"}.get(name, name): value for name, value in changed.items()}


def test_a_claim_file_is_taken_in() -> None:
    delivery = deliver(csv_of(claim(), claim(2, wet="Wlz", bedrag="500"), claim(3, richting="credit")))
    assert (delivery.source, delivery.status, delivery.rows_accepted) == (CLAIMS, "accepted", 3)
    rows = delivery.accepted[CLAIMS].to_pylist()
    assert [(r["law"], r["debit_credit"], r["amount_cents"]) for r in rows] == [
        ("jw", "D", 12_345_67),
        ("wlz", "D", 500_00),
        ("jw", "C", 12_345_67),
    ]
    assert {(r["month"], r["invoice_date"], r["invoice_number"][:5]) for r in rows} == {
        ("2025-09", date(2025, 10, 3), "2025/")
    }


def test_other_headers_and_a_workbook_say_the_same() -> None:
    names = {"vestiging": "BRIN", "maand": "Declaratiemaand", "debet/credit": "D/C", "bedrag": "Bedrag (euro)"}
    names |= {"wet": "Financiering", "factuurnummer": "Factuurnr", "agb": "AGB-code"}
    plain = claim() | {"bedrag": 12345.67, "factuurdatum": date(2025, 10, 3), "debet/credit": "D", "wet": "JW"}
    other = {names.get(header, header): value for header, value in plain.items()}
    workbook = deliver(xlsx_bytes({"Declaratie": [["Declaraties (fictief)"], [], *table([other])]}))
    text = deliver(csv_of(claim()))
    assert workbook.status == "accepted"
    assert [d.accepted[CLAIMS].drop_columns(["sheet", "row_number"]).to_pylist() for d in (workbook, text)] == [
        [text.accepted[CLAIMS].drop_columns(["sheet", "row_number"]).to_pylist()[0]]
    ] * 2


def test_several_schools_and_months_are_one_file_under_its_invoice_month() -> None:
    delivery = deliver(
        csv_of(claim(), claim(2, vestiging="01FX00"), claim(3, maand="2025-08", factuurdatum="31-10-2025"))
    )
    assert delivery.status == "accepted"
    scope = (delivery.school_year, delivery.school, delivery.provider, delivery.period)
    assert scope == ("2025-2026", None, "06012345", "2025-10")
    assert delivery.label.startswith("provider_claims-06012345-2025-2026-2025-10-")


def test_an_invoice_may_be_sent_long_after_the_school_year() -> None:
    delivery = deliver(csv_of(claim(maand="2026-06", factuurdatum="05-03-2027")))
    assert (delivery.status, delivery.period) == ("accepted", "2027-03")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"factuurdatum": "03-11-2025"}, "meer dan één factuurmaand: 2025-10, 2025-11"),
        ({"agb": "07012345"}, "meer dan één agb"),
        ({"schooljaar": "2026-2027", "maand": "2026-09", "factuurdatum": "03-10-2026"}, "meer dan één schooljaar"),
    ],
)
def test_two_of_what_a_file_is_about_refuse_it(changed: dict[str, str], reason: str) -> None:
    delivery = deliver(csv_of(claim(), claim(2, **changed)))
    assert (delivery.status, delivery.rows_accepted) == ("refused", 0)
    assert reason in (delivery.reason or "")


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"bedrag": "-12,50"}, "range"),
        ({"bedrag": "0"}, "range"),
        ({"bedrag": "12,505"}, "euro"),
        ({"bedrag": ""}, "required"),
        ({"richting": "terug"}, "allowed"),
        ({"wet": "Zvw"}, "allowed"),
        ({"maand": "september"}, "month"),
        ({"maand": "2026-08"}, "month_in_school_year"),
        ({"agb": "12"}, "agb"),
        ({"factuurnummer": "zonder nummer"}, "pattern"),
        ({"factuurnummer": "=1+1"}, "pattern"),
        ({"factuurnummer": "Jan de Vries 2014-05-03 123456782"}, "pattern"),
        ({"factuurnummer": "JandeVries1"}, "pattern"),
        ({"factuurnummer": "Jan 1"}, "pattern"),
        ({"factuurnummer": "1 2"}, "pattern"),
        ({"factuurnummer": "1jan"}, "pattern"),
        ({"factuurnummer": "F-" + "1" * 19}, "invoice_number_length"),
        ({"factuurnummer": "JAN2014-05-03"}, "invoice_number_no_date"),
        ({"factuurnummer": "3.5.2014"}, "invoice_number_no_date"),
        ({"factuurnummer": "F-2014/12/31-1"}, "invoice_number_no_date"),
        ({"factuurnummer": "123456782"}, "invoice_number_no_pupil_number"),
        ({"factuurnummer": "DB-111222333"}, "invoice_number_no_pupil_number"),
        ({"factuurnummer": "F10000008-1"}, "invoice_number_no_pupil_number"),
        ({"factuurnummer": "12345678-123456782"}, "invoice_number_no_pupil_number"),
        ({"factuurnummer": ""}, "required"),
        ({"factuurdatum": "03-10-2052"}, "invoice_date_plausible"),
        ({"factuurdatum": "31-07-2025"}, "invoice_date_plausible"),
    ],
)
def test_a_wrong_line_is_set_aside_with_its_reason_and_the_rest_counts(changed: dict[str, str], rule: str) -> None:
    delivery = deliver(csv_of(claim(), claim(2, **changed), claim(3)))
    assert (delivery.status, delivery.rows_in, delivery.rows_accepted) == ("partly_accepted", 3, 2)
    assert rules(delivery) == {3: [rule]}


@pytest.mark.parametrize(
    "number", ["1", "2025-0012", "2025/0012", "F2025.001", "INV_20251001", "SIZA-2025-09-001", "20251001-1", "1" * 20]
)
def test_usual_invoice_numbers_are_taken(number: str) -> None:
    (row,) = deliver(csv_of(claim(factuurnummer=number))).accepted[CLAIMS].to_pylist()
    assert row["invoice_number"] == number


@settings(max_examples=10)
@given(st.lists(st.integers(1, 999_999_999), min_size=40, max_size=40, unique=True))
def test_whatever_is_a_bsn_or_an_onderwijsnummer_is_no_invoice_number(numbers: list[int]) -> None:
    texts = [f"{number:09d}" for number in numbers]
    delivery = deliver(csv_of(*(claim(factuurnummer=f"F-{text}") for text in ("1", *texts))))
    taken = {row["invoice_number"] for row in delivery.accepted[CLAIMS].to_pylist()}
    assert taken == {"F-1"} | {f"F-{text}" for text in texts if not _is_personal(text)}


def _is_personal(digits: str) -> bool:
    """A BSN, or an onderwijsnummer: it begins with 10 and its elfproef leaves 5."""
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    left = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11
    return bsn.is_valid(digits) or (digits.startswith("10") and left == 5)


def test_the_same_line_twice_is_one_line_unless_it_has_a_number_of_its_own() -> None:
    twice = deliver(csv_of(claim(), claim()))
    assert (twice.rows_accepted, rules(twice)) == (1, {3: ["duplicate_row"]})
    apart = deliver(csv_of(claim(factuurregel="1"), claim(factuurregel="2")))
    assert (apart.rows_accepted, warned(apart)) == (2, [])


@pytest.mark.parametrize("missing", ["wet", "maand", "factuurnummer", "debet/credit", "bedrag", "factuurdatum"])
def test_a_file_without_a_column_is_refused_and_says_which(missing: str) -> None:
    row = {name: value for name, value in claim().items() if name != missing}
    delivery = deliver(csv_of(row))
    assert (delivery.status, delivery.source) == ("refused", CLAIMS)
    assert f"'{missing}'" in (delivery.reason or "")
