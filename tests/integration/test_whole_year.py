"""The demo year from dropped files to documents: SPEC sections 3 to 5 over a whole school year."""

import datetime as dt
import shutil
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from resources.home import Home
from tests.integration.conftest import SettledYear, zio_run
from tests.region import quick
from zio_pipeline.cli import main
from zio_pipeline.school_year import first_working_day

YEAR = {"school_year": "2025-2026"}
DOCUMENTS = ("in_region_invoices", "out_of_region_invoices", "wlz_documents")


def documents_of(year: SettledYear) -> list:
    return year.home.ledger.posted("2025-2026")


def test_ten_declarations_per_order_and_law(settled_year: SettledYear):
    rows = settled_year.home.warehouse.rows("monthly_declarations", **YEAR)
    months = defaultdict(list)
    for row in rows:
        months[row["order_id"], row["law"]].append(row["month"])
    assert len(months) == 4, "two orders, jeugdwet and Wlz; the provider collects pgb himself"
    for found in months.values():
        assert sorted(found) == [
            "2025-09",
            "2025-10",
            "2025-11",
            "2025-12",
            "2026-01",
            "2026-02",
            "2026-03",
            "2026-04",
            "2026-05",
            "2026-06",
        ]


def test_every_declaration_is_the_largest_remainder_tenth_of_its_year(settled_year: SettledYear):
    rows = settled_year.home.warehouse.rows("monthly_declarations", **YEAR)
    by_year = defaultdict(list)
    for row in sorted(rows, key=lambda r: r["month"]):
        by_year[row["order_id"], row["law"]].append(row["amount_cents"])
    for amounts in by_year.values():
        floor, odd = divmod(sum(amounts), 10)
        assert amounts == [floor + 1] * odd + [floor] * (10 - odd)


def test_one_document_per_member_and_month_and_at_most_two_outside(settled_year: SettledYear):
    warehouse = settled_year.home.warehouse
    documents = documents_of(settled_year)
    lines = warehouse.rows("municipal_shares", **YEAR)
    members = {row["payer"] for row in lines if row["member"]}
    parked = {row["payer"] for row in warehouse.rows("parked_documents", **YEAR)}
    per_payer = Counter(d.payer for d in documents)
    assert all(per_payer[code] == 10 for code in members - parked)
    outside = {row["payer"] for row in lines if row["rhythm"] == "half_year"}
    assert outside
    assert all(per_payer[code] == 2 for code in outside - parked)
    assert all(per_payer[code] == 0 for code in parked)
    assert max(Counter((d.payer, d.period) for d in documents).values()) == 1


def test_numbers_have_no_gap_and_dates_ascend(settled_year: SettledYear):
    series = defaultdict(list)
    for document in documents_of(settled_year):
        series[document.series].append(document)
    assert set(series) == {"GR-HVB-F-2025", "GR-HVB-F-2026", "GR-HVB-W-2025", "GR-HVB-W-2026"}
    for documents in series.values():
        ordered = sorted(documents, key=lambda d: d.sequence)
        assert [d.sequence for d in ordered] == list(range(1, len(ordered) + 1))
        assert [d.document_date for d in ordered] == sorted(d.document_date for d in ordered)


def test_members_are_booked_on_the_first_working_day_and_halves_in_january_and_july(settled_year: SettledYear):
    late = set(settled_year.demo.planted["later_committed_municipality"])
    for document in documents_of(settled_year):
        if document.rhythm == "monthly":
            year, month = map(int, document.period.split("-"))
            assert document.document_date == first_working_day(year, month)
        elif document.payer not in late:
            assert (
                document.document_date
                == {"2025-2026-H1": dt.date(2026, 1, 2), "2025-2026-H2": dt.date(2026, 7, 1)}[document.period]
            )


def test_every_invariant_is_stored_as_proved(settled_year: SettledYear):
    rows = settled_year.home.warehouse.rows("proofs", **YEAR)
    assert {row["invariant"] for row in rows} == {
        "streams_equal_budget",
        "payers_equal_stream",
        "lines_equal_payers",
        "contributions_equal_orders",
        "terms_equal_year",
        "declarations_equal_terms",
        "addressees_equal_declarations",
        "statement_equals_payers",
        "lines_equal_order",
        "parties_equal_orders",
        "row_order_changes_nothing",
    }
    assert all(row["proved"] for row in rows)


def test_documents_and_parked_together_are_what_is_due(settled_year: SettledYear):
    warehouse = settled_year.home.warehouse
    posted = sum(row["amount_cents"] for name in DOCUMENTS for row in warehouse.rows(name, **YEAR))
    parked = sum(row["amount_cents"] for row in warehouse.rows("parked_documents", **YEAR))
    billable = sum(row["amount_cents"] for row in warehouse.rows("terms", **YEAR) if row["rhythm"] != "none")
    assert posted + parked == billable
    assert posted
    assert parked


def test_agreed_order_adds_up_to_its_round_amount(settled_year: SettledYear):
    (order_id,) = settled_year.demo.planted["agreed_round_amount"]
    budgets = [r for r in settled_year.home.warehouse.rows("doelgroep_budgets", **YEAR) if r["order_id"] == order_id]
    assert sum(r["budget_cents"] for r in budgets) == settled_year.demo.counts["agreed_cents"]
    assert sum(r["computed_cents"] for r in budgets) != settled_year.demo.counts["agreed_cents"]


def test_second_run_posts_nothing_and_changes_no_amount(
    small_year: SettledYear, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    home = Home.open(shutil.copytree(small_year.folder, tmp_path / "home"), {})
    warehouse = home.warehouse
    tables = (*DOCUMENTS, "municipal_shares", "terms", "monthly_declarations", "parked_documents", "proofs")
    before = [warehouse.export_csv(name, **YEAR) for name in tables]
    numbers = [d.number for d in documents_of(small_year)]
    assert all(before)
    assert numbers
    with quick():
        assert zio_run(home.folder, small_year.inbox, "--replay") == 0
    shown = capsys.readouterr().out
    assert "Er is niets geboekt" in shown
    assert "waren al ingenomen" in shown
    assert [d.number for d in home.ledger.posted("2025-2026")] == numbers
    assert [warehouse.export_csv(name, **YEAR) for name in tables] == before


def test_run_ends_with_a_settlement_that_differs_nothing(settled_year: SettledYear):
    assert "Afrekening schooljaar 2025-2026 (fictief)" in settled_year.shown
    (difference,) = [line for line in settled_year.shown.splitlines() if "verschil" in line]
    assert "0,00" in difference


def test_verify_and_status_speak_dutch(settled_year: SettledYear, capsys: pytest.CaptureFixture[str]):
    assert main(["--home", str(settled_year.folder), "verify"]) == 0
    assert main(["--home", str(settled_year.folder), "status", "--school-year", "2025-2026"]) == 0
    shown = capsys.readouterr().out
    assert "keten, nummers en optellingen zijn in orde" in shown
    assert "demo-goedkeurder" in shown
