"""Closing a year: the register on both databases, and the whole way from a refusal with every reason to a closed year.

The amounts and the parties are fictief.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import insert, text

from resources import closing
from resources.closing import Closings, Closure, ProviderStatement
from resources.home import Home
from resources.ledger import Ledger
from resources.tables import DOCUMENTS, SERIES
from resources.warehouse import Warehouse
from tests.integration.conftest import SettledYear, small_whole_year  # noqa: F401 - a demo year, settled once a session
from tests.region import quick
from tests.resources.test_ledger import END as LAST
from tests.resources.test_ledger import establish as approved
from tests.resources.test_ledger import ready
from tests.test_accruals import document
from zio_pipeline.claims import SETTLED
from zio_pipeline.cli import closing as commands
from zio_pipeline.errors import WarehouseError, ZioError
from zio_pipeline.figures import figures_hash
from zio_pipeline.setup import SchoolYearSetup
from zio_pipeline.stages import closing as stage
from zio_pipeline.stages.publishing import trusted_rows
from zio_pipeline.stages.receiving import receive

YEAR, END = "2025-2026", date(2026, 7, 31)
FIRST = date(2025, 9, 1)
CLOSURE = Closure(YEAR, 1, "Anna", date(2026, 9, 1), '{"share_cents": 1}')
STATEMENT = ProviderStatement(YEAR, "41410101", 100_00, "opgave 12 (fictief)", "Anna", date(2026, 8, 20))


# --- the register -----------------------------------------------------------------------------------------------------


def establish(warehouse: Warehouse, version: int = 1) -> None:
    receipt = json.dumps({"version": version})
    name = hashlib.sha256(receipt.encode()).hexdigest()
    reason = "objection" if version > 1 else "eerste"
    warehouse.propose(YEAR, version, name, receipt, reason=reason, proposed_by="Jan", proposed_on=FIRST)
    warehouse.approve(YEAR, version, name, approved_by="Piet", approved_on=FIRST)


def store_document(warehouse: Warehouse, number: str = "F-1") -> None:
    """A posted document, past the ledger: only its number matters here."""
    made = document("0855", 1, FIRST, number=number, series="F", sequence=1, sender="GR", kind="invoice", version=1)
    made = replace(made, school_year=YEAR, due_on=FIRST, previous_hash="0", hash="1", buyer_reference="-", address="-")
    made = replace(made, debtor="0855", debtor_name="-")
    made = replace(made, vat_category="E")
    row = {column.name: getattr(made, column.name) for column in DOCUMENTS.c}
    with warehouse.database.writing() as connection:
        counter = {"series": "F", "sender": "GR", "kind": "invoice", "calendar_year": 2025, "last_sequence": 1}
        connection.execute(insert(SERIES), counter)
        connection.execute(insert(DOCUMENTS), row)


@pytest.fixture
def closings(warehouse: Warehouse) -> Closings:
    establish(warehouse)
    return Closings(warehouse.database)


def test_a_year_is_closed_once_and_by_one_person(closings: Closings):
    assert closings.closure(YEAR) is None
    assert closings.close(CLOSURE, [])
    assert not closings.close(replace(CLOSURE, closed_by=" anna ", closed_on=date(2026, 10, 1)), [])
    assert closings.closure(YEAR) == CLOSURE
    for other in (replace(CLOSURE, closed_by="Bert"), replace(CLOSURE, detail="{}"), replace(CLOSURE, version=2)):
        with pytest.raises(WarehouseError, match="al gesloten op 01-09-2026"):
            closings.close(other, [])
    assert closings.closure(YEAR) == CLOSURE


def test_a_closed_year_refuses_and_another_does_not(warehouse: Warehouse, closings: Closings):
    with warehouse.database.reading() as connection:
        closing.require_not_closed(connection, YEAR)
    closings.close(CLOSURE, [])
    with warehouse.database.reading() as connection:
        with pytest.raises(WarehouseError, match="Schooljaar 2025-2026 is gesloten op 01-09-2026"):
            closing.require_not_closed(connection, YEAR)
        closing.require_not_closed(connection, "2026-2027")
        assert closing.closed(connection, YEAR) == CLOSURE


def test_what_changed_since_it_was_judged_is_not_closed(warehouse: Warehouse, closings: Closings):
    store_document(warehouse)
    for numbers in ([], ["F-1", "F-2"], ["F-2"]):
        with pytest.raises(WarehouseError, match="intussen veranderd"):
            closings.close(CLOSURE, numbers)
    establish(warehouse, 2)
    with pytest.raises(WarehouseError, match="intussen veranderd"):
        closings.close(CLOSURE, ["F-1"])
    assert closings.closure(YEAR) is None
    assert closings.close(replace(CLOSURE, version=2), ["F-1"])


def test_a_year_that_was_never_established_is_not_closed(warehouse: Warehouse):
    with pytest.raises(WarehouseError, match="intussen veranderd"):
        Closings(warehouse.database).close(CLOSURE, [])


def test_a_closing_has_a_name(closings: Closings):
    with pytest.raises(WarehouseError, match="heeft een naam nodig"):
        closings.close(replace(CLOSURE, closed_by="  "), [])


def test_a_closing_is_never_taken_back(warehouse: Warehouse, closings: Closings):
    closings.close(CLOSURE, [])
    closings.register(replace(STATEMENT, school_year="2026-2027"))
    for table in ("year_closures", "provider_statements"):
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET school_year = 'x'"):
            with pytest.raises(WarehouseError), warehouse.database.writing() as connection:
                connection.execute(text(statement))
    assert closings.closure(YEAR) == CLOSURE


def test_the_last_year_statement_of_a_provider_counts_and_the_same_one_again_changes_nothing(closings: Closings):
    assert closings.register(STATEMENT)
    assert not closings.register(replace(STATEMENT, registered_by="Bert", registered_on=date(2026, 8, 21)))
    assert closings.statements(YEAR) == {STATEMENT.provider: STATEMENT}
    assert closings.register(replace(STATEMENT, amount_cents=100_01)), (
        "a slip of the pen is corrected, and stays visible"
    )
    assert closings.statements(YEAR)[STATEMENT.provider] == replace(STATEMENT, amount_cents=100_01, sequence=2)
    assert closings.statements("2026-2027") == {}


def test_a_year_statement_says_who_what_and_where(closings: Closings):
    for wrong in (
        replace(STATEMENT, registered_by=" "),
        replace(STATEMENT, source=""),
        replace(STATEMENT, amount_cents=-1),
    ):
        with pytest.raises(WarehouseError):
            closings.register(wrong)
    closings.close(CLOSURE, [])
    with pytest.raises(WarehouseError, match="gesloten"):
        closings.register(STATEMENT)


def test_a_closed_year_takes_no_document_no_proposal_and_no_approval(warehouse):
    approved(warehouse)
    ledger = Ledger(warehouse)
    receipt = '{"version": 2}'
    name = hashlib.sha256(receipt.encode()).hexdigest()
    by = {"reason": "objection", "proposed_by": "Jan", "proposed_on": LAST}
    warehouse.propose(YEAR, 2, name, receipt, **by)
    Closings(warehouse.database).close(Closure(YEAR, 1, "Anna", LAST, "{}"), [])
    with pytest.raises(WarehouseError, match="is gesloten"):
        ledger.post(ready(LAST))
    with pytest.raises(WarehouseError, match="is gesloten"):
        warehouse.approve(YEAR, 2, name, approved_by="Piet", approved_on=LAST)
    with pytest.raises(WarehouseError, match="is gesloten"):
        warehouse.propose(YEAR, 2, hashlib.sha256(b"{}").hexdigest(), "{}", **by)
    assert ledger.posted(YEAR) == []
    assert warehouse.establishment(YEAR).version == 1


def test_two_who_close_at_once_leave_one_closing(warehouse: Warehouse, closings: Closings, in_processes, warehouse_url):
    source = (
        "from resources.closing import Closings, Closure\n"
        "from resources.database import Database\n"
        "from zio_pipeline.errors import WarehouseError\n"
        "barrier.wait()\n"
        "try:\n"
        "    Closings(Database(url)).close(closure, [])\n"
        "except WarehouseError:\n"
        "    pass\n"
    )
    for process in in_processes(source, 4, url=warehouse_url, closure=CLOSURE):
        process.join(60)
        assert process.exitcode == 0
    assert closings.closure(YEAR) == CLOSURE


# --- the command line -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "cents"), [("0", 0), ("12", 1200), ("12,05", 1205), ("1234,56", 123456), ("1.234.567,89", 123456789)]
)
def test_an_amount_is_written_the_dutch_way(written: str, cents: int):
    assert commands._euros(written) == cents


@pytest.mark.parametrize("written", ["1.234", "12.34", "1,5", "-1,00", "", "€ 1", "1.23,45", "12.345.6,78"])
def test_an_amount_that_can_be_misread_is_refused(written: str):
    with pytest.raises(commands.argparse.ArgumentTypeError):
        commands._euros(written)


# --- the whole way ----------------------------------------------------------------------------------------------------


@pytest.fixture
def home(small_whole_year: SettledYear, tmp_path: Path) -> Iterator[Home]:  # noqa: F811 - pytest hands it over by this name
    """A copy of a demo year, billed to its end and not closed; nothing is audited."""
    shutil.copytree(small_whole_year.folder, tmp_path / "home")
    with quick():
        yield Home.open(tmp_path / "home", {})


def register_statements(home: Home, setup: SchoolYearSetup) -> None:
    claimed = home.warehouse.rows("claim_control", school_year=YEAR)
    for provider in {order.provider for order in setup.orders}:
        orders = {order.order_id for order in setup.orders if order.provider == provider}
        cents = sum(row["claimed_cents"] for row in claimed if row["order_id"] in orders)
        assert stage.register_statement(home, ProviderStatement(YEAR, provider, cents, "fictief", "Anna", END))


def decide_parked(home: Home, workbook: Path, tmp_path: Path) -> None:
    """A newer workbook with a besluit for everybody who is parked, and for every claim that is not right."""
    book = load_workbook(workbook)
    sheet = book["besluiten"]
    header = next(row for row in sheet.iter_rows() if any(cell.value == "besluit" for cell in row))
    column = {cell.value: cell.column for cell in header}
    payers = sorted({r["payer"] for r in home.warehouse.rows("parked_documents")})
    wrong = sorted(
        {(r["order_id"], r["month"]) for r in home.warehouse.rows("claim_control") if r["status"] not in SETTLED}
    )
    assert wrong
    decided = [{"soort": "openstaand bij afsluiting", "betreft": payer} for payer in payers]
    decided += [{"soort": "declaratie afboeken", "opdracht": order_id, "maand": month} for order_id, month in wrong]
    for number, values in enumerate(decided):
        values |= {"besluit": f"SLUIT{number}"}
        values |= {"besloten door": "bestuur", "besloten op": END, "reden": "oninbaar (fictief)"}
        at = sheet.max_row + 1
        for name, value in values.items():
            sheet.cell(row=at, column=column[name], value=value)
    inbox = tmp_path / "later"
    inbox.mkdir()
    book.save(inbox / workbook.name)
    receive(home, inbox, END)


def test_a_year_is_closed_when_everything_is_settled(home: Home, small_whole_year: SettledYear, tmp_path: Path):  # noqa: F811
    with pytest.raises(ZioError) as refused:
        stage.close(home, YEAR, "Anna", END)
    parked = {row["payer"] for row in home.warehouse.rows("parked_documents", school_year=YEAR)}
    setup = stage.current_setup(home, YEAR)
    said = str(refused.value)
    assert said.count("niet geregistreerd") == len({order.provider for order in setup.orders}) == 2
    assert parked
    assert all(f"Betaler {payer}: nog te factureren" in said for payer in parked)
    assert said.count("niet akkoord en niet afgeboekt") == 1, "closing compares the claims itself"
    assert len(said.splitlines()) == 1 + 1 + 2 + len(parked), "and nothing else"

    register_statements(home, setup)
    (workbook,) = small_whole_year.inbox.glob("inrichting*.xlsx")
    decide_parked(home, workbook, tmp_path)
    before = home.ledger.posted(YEAR)
    assert stage.close(home, YEAR, "Anna", END)
    assert home.ledger.posted(YEAR) == before, "looking at what a run would post has posted nothing"

    rows = trusted_rows(home, "year_statement", school_year=YEAR, version=1)
    shares = home.warehouse.rows("municipal_shares", school_year=YEAR)
    assert sum(row["share_cents"] for row in rows) == sum(row["amount_cents"] for row in shares)
    assert {(row["not_due_cents"], row["to_post_cents"]) for row in rows} == {(0, 0)}
    assert {row["payer"] for row in rows if row["parked_cents"]} == parked
    closure = Closings(home.warehouse.database).closure(YEAR)
    assert closure is not None
    assert json.loads(closure.detail)["year_statement_sha256"] == figures_hash({"year_statement": rows})

    assert not stage.close(home, YEAR, "anna", date(2026, 9, 1))
    with pytest.raises(WarehouseError, match="al gesloten"):
        stage.close(home, YEAR, "Bert", END)
    assert stage.publish_year_statement(home, YEAR, date(2026, 12, 31)) == rows, "a closed year stands as it was closed"


def test_a_provider_without_an_order_has_no_year_statement(home: Home):
    with pytest.raises(ZioError, match="geen opdracht"):
        stage.register_statement(home, replace(STATEMENT, provider="99999999"))


def test_accruals_and_forecast_of_the_demo_year(home: Home):
    shares = home.warehouse.rows("municipal_shares", school_year=YEAR)
    ours = sum(row["amount_cents"] for row in shares if row["payer_kind"] != "pgb_holders")
    for on, passed in ((date(2025, 7, 31), 0), (date(2025, 12, 31), 4), (END, 10)):
        rows = stage.publish_accruals(home, YEAR, on)
        assert {(row["parts_passed"], row["parts_total"]) for row in rows} == {(passed, 10)}
        assert sum(row["year_cents"] for row in rows) == ours
    assert all(row["cost_cents"] == row["year_cents"] for row in rows)
    kept = home.warehouse.rows("accruals", school_year=YEAR, as_of=date(2025, 12, 31))
    outside = [row for row in kept if row["payer_kind"] == "municipality" and not row["member"] and row["year_cents"]]
    assert outside, "and who is billed in January has everything still to pay at new year"
    assert {row["position"] for row in outside} == {"payable"}

    rows = stage.publish_forecast(home, YEAR, date(2025, 10, 1))
    terms = home.warehouse.rows("terms", school_year=YEAR)
    known = [t for t in terms if t["month"].startswith("2026") and t["payer_kind"] == "municipality"]
    assert sum(row["known_cents"] for row in rows) == sum(term["amount_cents"] for term in known)
    assert {row["calendar_year"] for row in rows} == {2026}
    assert all(row["estimated_cents"] >= 0 for row in rows)
