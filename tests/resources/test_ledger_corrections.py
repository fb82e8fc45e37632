"""Corrections in the ledger, on both databases: credited once whatever happens, found when tampered with. Parties are fictief."""

import multiprocessing
from collections import Counter
from datetime import date

import pytest

from resources.ledger import Ledger
from resources.ledger_proof import findings, verify
from resources.warehouse import Warehouse
from tests.resources.test_ledger import (
    CALENDAR,
    JANUARY,
    SHARES,
    STANDING,
    YEAR,
    behind_the_guards,
    establish,
    ready,
    run_sql,
)
from zio_pipeline.billing import Desired, ReadyDocument, TermAmount, desired_documents, plan_run, standing_documents
from zio_pipeline.errors import WarehouseError, ZioError

DECEMBER, FEBRUARY = date(2025, 12, 1), date(2026, 2, 2)
RIGHT = [
    (o, s, p, kind, r, cents - 10_000 if p == "0855" and o == "LEIJ" and s == "jeugdwet" else cents)
    for o, s, p, kind, r, cents in SHARES
]


def second_version(warehouse: Warehouse) -> Desired:
    """Version 2: ten times 10,00 less for Tilburg, established and stored."""
    establish(warehouse, version=2, reason="peildatum_error")
    rows = [
        row | {"amount_cents": row["amount_cents"] - (1_000 if _changed(row) else 0)}
        for row in warehouse.rows("terms", school_year=YEAR, version=2)
    ]
    shares = [
        row | {"amount_cents": row["amount_cents"] - (10_000 if _changed(row) else 0)}
        for row in warehouse.rows("municipal_shares", school_year=YEAR, version=2)
    ]
    warehouse.replace({"terms": rows, "municipal_shares": shares}, school_year=YEAR, version=2)
    names = ("order_id", "stream", "payer", "payer_kind", "rhythm", "month", "amount_cents")
    amounts = [TermAmount(**{name: row[name] for name in names}) for row in rows]
    limits = {(o, s, p): cents for o, s, p, _, _, cents in RIGHT}
    return Desired(YEAR, 2, desired_documents(2, amounts, CALENDAR), limits, "E")


def _changed(row) -> bool:
    return (row["order_id"], row["stream"], row["payer"]) == ("LEIJ", "jeugdwet", "0855")


def corrections(desired: Desired, ledger: Ledger, on: date = FEBRUARY) -> list[ReadyDocument]:
    return list(plan_run(desired, ledger.posted(YEAR), on, STANDING).to_post)


@pytest.fixture
def ledger(warehouse: Warehouse) -> Ledger:
    establish(warehouse)
    made = Ledger(warehouse)
    made.post(ready(DECEMBER))
    return made


def test_four_months_are_taken_back_and_posted_anew_in_the_next_year(warehouse: Warehouse, ledger: Ledger):
    desired = second_version(warehouse)
    made = ledger.post(corrections(desired, ledger, JANUARY))
    assert Counter(d.series for d in made) == {
        "GR-HVB-C-2026": 4,
        "GR-HVB-F-2026": 4 + 3,  # the four again, and January of Tilburg, Breda and the contributor
        "GR-HVB-W-2026": 1,
    }
    credits = [d for d in made if d.credits]
    assert [d.number for d in credits] == [f"GR-HVB-C-2026-0000{n}" for n in (1, 2, 3, 4)]
    assert all(d.document_date == JANUARY for d in made)
    assert ledger.post(corrections(desired, ledger, FEBRUARY))
    assert corrections(desired, ledger, FEBRUARY) == []
    assert verify(warehouse) == []
    net = sum(d.signed_cents for d in ledger.posted(YEAR) if d.payer == "0855")
    assert net == sum(d.amount_cents for d in standing_documents(ledger.posted(YEAR)) if d.payer == "0855")


def test_a_plan_that_another_run_carried_out_posts_nothing(warehouse: Warehouse, ledger: Ledger):
    planned = corrections(second_version(warehouse), ledger)
    assert ledger.post(planned)
    assert ledger.post(planned) == []
    assert verify(warehouse) == []


def test_half_of_a_correction_is_never_posted(warehouse: Warehouse, ledger: Ledger):
    """Without its credit the new document would stand beside the old one."""
    planned = [d for d in corrections(second_version(warehouse), ledger) if not d.credits]
    with pytest.raises(ZioError, match="andere bedragen"):
        ledger.post(planned)
    assert verify(warehouse) == []


def test_the_database_itself_lets_a_document_be_credited_once(warehouse: Warehouse, ledger: Ledger):
    (credit, *_) = ledger.post(corrections(second_version(warehouse), ledger))
    columns = [name for name in vars(credit) if name != "lines"]
    again = {"number": "'X-1'", "sequence": "99", "version": "1"}
    values = ", ".join(again.get(name, name) for name in columns)
    with pytest.raises(WarehouseError):
        run_sql(
            warehouse,
            f"INSERT INTO documents ({', '.join(columns)}) SELECT {values} FROM documents WHERE number = '{credit.number}'",
        )


POST = """
from resources.ledger import Ledger
from resources.warehouse import Warehouse
from zio_pipeline.billing import ReadyDocument
ledger = Ledger(Warehouse(url))
barrier.wait()
results.put(len(ledger.post(documents)))
"""


def test_eight_processes_correct_at_once_and_each_document_goes_once(
    warehouse: Warehouse, warehouse_url: str, ledger: Ledger, in_processes
):
    planned = corrections(second_version(warehouse), ledger)
    results = multiprocessing.get_context("forkserver").Queue()
    running = in_processes(POST, 8, url=warehouse_url, documents=planned, results=results)
    counts = sorted(results.get(timeout=120) for _ in running)
    assert counts == [0] * 7 + [len(planned)]
    posted = ledger.posted(YEAR)
    assert Counter(d.credits for d in posted if d.credits).most_common(1)[0][1] == 1
    assert verify(warehouse) == []


CREDIT = "GR-HVB-C-2026-00002"
TAMPERED = [
    (f"UPDATE documents SET credits = 'GR-HVB-W-2025-00001' WHERE number = '{CREDIT}'", "past"),
    (f"UPDATE documents SET credits = number WHERE number = '{CREDIT}'", "inhoud is gewijzigd"),
    (
        f"UPDATE document_lines SET amount_cents = 1 WHERE number = '{CREDIT}' AND line_number = 1",
        "niet in zijn geheel",
    ),
    (f"UPDATE documents SET document_date = '2025-01-01' WHERE number = '{CREDIT}'", "dat het crediteert"),
]


@pytest.mark.parametrize(("statement", "said"), TAMPERED)
def test_a_credit_that_was_tampered_with_is_found(warehouse: Warehouse, ledger: Ledger, statement: str, said: str):
    ledger.post(corrections(second_version(warehouse), ledger))
    with warehouse.database.writing() as connection:
        behind_the_guards(connection, statement)
        found = findings(connection)
        connection.rollback()
    assert any(said in finding for finding in found), found
    assert verify(warehouse) == []


def test_two_that_stand_for_one_period_are_found(warehouse: Warehouse, ledger: Ledger):
    desired = second_version(warehouse)
    ledger.post(corrections(desired, ledger))
    with warehouse.database.writing() as connection:
        behind_the_guards(
            connection,
            f"DELETE FROM document_lines WHERE number = '{CREDIT}'",
            f"DELETE FROM documents WHERE number = '{CREDIT}'",
        )
        found = findings(connection)
        connection.rollback()
    assert any("2 documenten tegelijk" in finding for finding in found), found
