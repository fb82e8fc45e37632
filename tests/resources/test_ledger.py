"""The ledger on SQLite and PostgreSQL: append-only, numbered without gaps, posted once, and proved from what is stored.

A small region with invented amounts and parties (fictief).
"""

import hashlib
import multiprocessing
import uuid
from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from resources import ledger as ledger_module
from resources import triggers
from resources.database import lock
from resources.ledger import Ledger, ledger_lock
from resources.ledger_proof import findings, verify
from resources.registers import Sending
from resources.tables import APPEND_ONLY, DOCUMENTS
from resources.warehouse import Warehouse
from zio_pipeline.billing import (
    GENESIS,
    Agreement,
    BillingCalendar,
    Commitment,
    Debtor,
    Desired,
    ReadyDocument,
    Standing,
    TermAmount,
    desired_documents,
    invoice_rows,
    plan_run,
)
from zio_pipeline.contracts import products
from zio_pipeline.errors import WarehouseError, ZioError
from zio_pipeline.school_year import SchoolYear
from zio_pipeline.terms import LAW_OF_STREAM, TermLine, spread_terms

YEAR = "2025-2026"
CALENDAR = BillingCalendar.of(SchoolYear.parse(YEAR), (9, 10, 11, 12, 1, 2, 3, 4, 5, 6), (9, 10, 11, 12, 1), (1, 7))
SHARES = [
    # order, stream, payer, payer kind, rhythm, cents of the year
    ("BODDE", "jeugdwet", "0855", "municipality", "monthly", 123_457),
    ("LEIJ", "jeugdwet", "0855", "municipality", "monthly", 900_003),
    ("LEIJ", "adult", "0855", "municipality", "monthly", 31),
    ("LEIJ", "jeugdwet", "0758", "municipality", "half_year", 70_007),
    ("LEIJ", "wlz_zin", "5527", "zorgkantoor", "monthly", 400_009),
    ("LEIJ", "contribution", "SWV", "contributor", "monthly", 10_000),
    ("LEIJ", "wlz_pgb", "PGB", "pgb_holders", "none", 5_555),
]
FIRST, JANUARY, END = date(2025, 9, 1), date(2026, 1, 2), date(2026, 7, 31)


def debtor(code: str) -> Debtor:
    return Debtor(code, f"Debiteur ’{code}’ (fictief)", ("Voorbeeldstraat 1", "5000AA Tilburg"), f"V-{code}")


STANDING = Standing(
    sender=debtor("GR-HVB"),
    debtors=tuple(debtor(code) for code in ("0855", "0758", "5527", "SWV")),
    members=frozenset({"0855"}),
    commitments=(Commitment("0758", FIRST),),
    agreements=(Agreement("5527", date(2025, 8, 1)),),
    successors=lambda code, day: (),
)


def term_amounts() -> list[TermAmount]:
    lines = {TermLine(o, LAW_OF_STREAM[s], s, p, cents): (kind, rhythm) for o, s, p, kind, rhythm, cents in SHARES}
    spread = spread_terms(list(lines), [1] * 10)
    return [
        TermAmount(line.order_id, line.stream, line.payer, *lines[line], month, cents)
        for line, row in spread.items()
        for month, cents in zip(CALENDAR.term_months, row, strict=True)
    ]


def asked(version: int = 1) -> Desired:
    shares = {(o, s, p): cents for o, s, p, _, _, cents in SHARES}
    return Desired(YEAR, version, desired_documents(version, term_amounts(), CALENDAR), shares, "E")


def ready(as_of: date, posted: tuple = (), replay: bool = False, standing: Standing = STANDING) -> list[ReadyDocument]:
    return list(plan_run(asked(), posted, as_of, standing, replay=replay).to_post)


def establish(warehouse: Warehouse, version: int = 1, reason: str = "first") -> None:
    """An approved version with its shares and terms."""
    receipt = f'{{"version": {version}}}'
    name = hashlib.sha256(receipt.encode()).hexdigest()
    warehouse.propose(YEAR, version, name, receipt, reason=reason, proposed_by="Jan", proposed_on=FIRST)
    warehouse.approve(YEAR, version, name, approved_by="Piet", approved_on=FIRST)
    head = {"school_year": YEAR, "version": version}
    shares = [
        head
        | {"order_id": o, "stream": s, "payer": p, "law": LAW_OF_STREAM[s], "payer_kind": kind, "rhythm": rhythm}
        | {"member": rhythm == "monthly", "amount_cents": cents}
        for o, s, p, kind, rhythm, cents in SHARES
    ]
    terms = []
    for term in term_amounts():
        billed = term.rhythm != "none"
        period = CALENDAR.period(term.rhythm, term.month) if billed else term.month
        due_on = CALENDAR.due_on(period) if billed else None
        terms.append(head | vars(term) | {"law": LAW_OF_STREAM[term.stream], "period": period, "due_on": due_on})
    warehouse.replace({"municipal_shares": shares, "terms": terms}, **head)


@pytest.fixture
def established(warehouse):
    establish(warehouse)
    return warehouse


@pytest.fixture
def ledger(established):
    return Ledger(established)


def run_sql(warehouse: Warehouse, *statements: str) -> None:
    with warehouse.database.writing() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


# --- posting ----------------------------------------------------------------------------------------------------------


def test_a_whole_year_posted_run_by_run(established, ledger):
    for day in sorted({d.desired.due_on for d in ready(END)}):
        planned = ready(day, tuple(ledger.posted(YEAR)))
        assert [d.document_date for d in ledger.post(planned)] == [day] * len(planned)
    posted = ledger.posted(YEAR)
    assert Counter(d.series for d in posted) == {
        # Tilburg and the contributor each month, Breda in January and July.
        "GR-HVB-F-2025": 8,
        "GR-HVB-F-2026": 14,
        "GR-HVB-W-2025": 4,
        "GR-HVB-W-2026": 6,
    }
    assert sum(d.amount_cents for d in posted) == sum(row[5] for row in SHARES if row[4] != "none")
    assert ready(END, tuple(posted)) == []
    assert verify(established) == []


def test_what_is_posted_comes_back_as_it_was_and_in_its_chain(ledger):
    given_back = ledger.post(ready(FIRST))
    assert [d.number for d in given_back] == ["GR-HVB-F-2025-00001", "GR-HVB-W-2025-00001", "GR-HVB-F-2025-00002"]
    posted = ledger.posted(YEAR)
    assert sorted(given_back, key=lambda d: d.number) == posted
    first, second, wlz = posted
    assert (first.previous_hash, second.previous_hash, wlz.previous_hash) == (GENESIS, first.hash, GENESIS)
    assert (first.payer, first.debtor_name, first.buyer_reference) == ("0855", "Debiteur ’0855’ (fictief)", "V-0855")
    assert first.address.splitlines() == ["Voorbeeldstraat 1", "5000AA Tilburg"]
    assert [(line.order_id, line.stream, line.amount_cents) for line in first.lines] == [
        ("BODDE", "jeugdwet", 12_346),
        # The seven odd cents of Breda take September to March, the three of this line April to June, so the one of
        # the 18 plus line is in September.
        ("LEIJ", "jeugdwet", 90_000),
        ("LEIJ", "adult", 4),
    ]
    assert ledger.posted("2024-2025") == []


def test_a_second_run_over_the_same_plan_posts_nothing(established, ledger):
    planned = ready(JANUARY)
    first = ledger.post(planned)
    assert ledger.post(planned) == []
    assert ledger.post([]) == []
    assert len(ledger.posted(YEAR)) == len(first)
    assert verify(established) == []


def test_a_plan_made_before_another_run_posts_only_the_rest(established, ledger):
    later = ready(date(2025, 10, 1))
    ledger.post(ready(FIRST))
    assert {d.period for d in ledger.post(later)} == {"2025-10"}
    assert verify(established) == []


def test_a_replay_gives_the_dates_of_the_year_in_one_go(established, ledger):
    posted = ledger.post(ready(END, replay=True))
    assert all(d.document_date == d.due_on for d in posted)
    assert verify(established) == []


def test_other_lines_than_those_posted_meanwhile_stop_the_run(ledger):
    planned = ready(FIRST)
    ledger.post(planned[:1])
    lines = tuple(replace(line, amount_cents=line.amount_cents + 1) for line in planned[0].lines)
    changed = replace(planned[0], desired=replace(planned[0].desired, lines=lines))
    with pytest.raises(ZioError, match="andere bedragen"):
        ledger.post([*planned[1:], changed])
    assert len(ledger.posted(YEAR)) == 1


def test_a_document_date_never_goes_back_within_its_series(established, ledger):
    ledger.post(ready(date(2025, 10, 15)))
    early = [replace(d, document_date=date(2025, 10, 14)) for d in ready(date(2025, 11, 3), tuple(ledger.posted(YEAR)))]
    with pytest.raises(ZioError, match="ligt vóór"):
        ledger.post(early)
    # The series of another calendar year starts afresh.
    assert ledger.post([replace(d, document_date=JANUARY) for d in early])
    assert verify(established) == []


def test_only_the_version_in_force_is_posted(warehouse):
    ledger = Ledger(warehouse)
    with pytest.raises(ZioError, match="vastgestelde versie"):
        ledger.post(ready(FIRST))
    establish(warehouse)
    ledger.post(ready(FIRST))
    establish(warehouse, version=2, reason="objection")
    with pytest.raises(ZioError, match="vastgestelde versie"):
        ledger.post(ready(JANUARY, tuple(ledger.posted(YEAR))))
    again = [replace(d, desired=replace(d.desired, version=2)) for d in ready(JANUARY, tuple(ledger.posted(YEAR)))]
    assert ledger.post(again)
    assert verify(warehouse) == []


def test_the_database_itself_wants_an_approved_version(warehouse):
    with pytest.raises(WarehouseError, match=r"(?i)foreign key"):
        run_sql(
            warehouse,
            "INSERT INTO document_series VALUES ('S', 'GR', 'invoice', 2025, 0)",
            "INSERT INTO documents VALUES ('S-1', 'S', 1, 'GR', 'invoice', '2025-2026', 1, '0855', 'municipality',"
            " 'monthly', '2025-09', '2025-09-01', '2025-09-01', '0855', 'x', 'x', 'x', NULL, NULL, 'E', 1, 'x', 'x')",
        )


def test_a_failure_halfway_leaves_no_document_no_number_and_no_series(established, ledger, monkeypatch):
    class BrokenError(Exception):
        pass

    def break_on_the_lines(connection, posted):
        with monkeypatch.context() as patch:
            patch.setattr(ledger_module, "LINES", None)
            store(connection, posted)

    store = ledger_module._store
    monkeypatch.setattr(ledger_module, "_store", break_on_the_lines)
    with pytest.raises(WarehouseError):
        ledger.post(ready(FIRST))
    monkeypatch.undo()
    with established.database.reading() as connection:
        for table in ("documents", "document_lines", "document_series"):
            assert connection.scalar(text(f"SELECT count(*) FROM {table}")) == 0
    assert ledger.post(ready(FIRST))[0].number == "GR-HVB-F-2025-00001"
    assert verify(established) == []


POST = """
from resources.ledger import Ledger
from resources.warehouse import Warehouse
from zio_pipeline.billing import ReadyDocument
ledger = Ledger(Warehouse(url))
barrier.wait()
results.put([d.number for d in ledger.post(documents)])
"""


def test_processes_that_post_the_same_at_once_post_each_document_once(established, warehouse_url, in_processes):
    documents = ready(END)
    results = multiprocessing.get_context("forkserver").Queue()
    running = in_processes(POST, 4, url=warehouse_url, documents=documents, results=results)
    numbers = [number for _ in running for number in results.get(timeout=60)]
    for process in running:
        process.join(60)
        assert process.exitcode == 0
    assert len(numbers) == len(documents)
    posted = Ledger(established).posted(YEAR)
    assert sorted(numbers) == [d.number for d in posted]
    assert len({(d.payer, d.period) for d in posted}) == len(documents)
    assert verify(established) == []


def test_processes_that_post_different_months_at_once_leave_no_gap(established, warehouse_url, in_processes):
    # Each posts every second month; whoever comes first gets the first numbers, on one and the same day.
    everything = ready(END)
    parts = [[d for d in everything if d.period[-1] in digits] for digits in ("13579", "02468")]
    results = multiprocessing.get_context("forkserver").Queue()
    source = POST.replace("documents)", "documents[barrier.wait() % 2])")
    running = in_processes(source, 4, url=warehouse_url, documents=parts, results=results)
    counts = [len(results.get(timeout=60)) for _ in running]
    for process in running:
        process.join(60)
        assert process.exitcode == 0
    assert sum(counts) == len(everything)
    assert verify(established) == []


def test_a_run_waits_for_who_holds_its_year_or_its_series(established, warehouse_url, in_processes):
    """Two runs can share a period and no series (another sender), or a series and no year (a year that ends)."""
    planned = ready(FIRST)
    for hold in (
        lambda connection: lock(connection, f"ledger:{YEAR}"),
        lambda connection: ledger_lock(connection, planned[0]),
    ):
        results = multiprocessing.get_context("forkserver").Queue()
        with established.database.writing() as connection:
            hold(connection)
            (waiting,) = in_processes(POST, 1, url=warehouse_url, documents=planned, results=results)
            waiting.join(1)
            assert waiting.is_alive()
            assert results.empty()
        results.get(timeout=60)
        waiting.join(60)
        assert waiting.exitcode == 0
    assert verify(established) == []


def test_processes_with_another_sender_post_no_period_twice(established, warehouse_url, in_processes):
    documents = [ready(END, standing=replace(STANDING, sender=debtor(sender))) for sender in ("GR-HVB", "GR-NIEUW")]
    results = multiprocessing.get_context("forkserver").Queue()
    source = POST.replace("documents)", "documents[barrier.wait() % 2])")
    running = in_processes(source, 4, url=warehouse_url, documents=documents, results=results)
    counts = sorted(len(results.get(timeout=60)) for _ in running)
    assert counts == [0, 0, 0, len(documents[0])]
    assert verify(established) == []


KILLED = """
import os
from resources import ledger as module
from resources.warehouse import Warehouse
store = module._store
def store_and_die(connection, posted):
    store(connection, posted)
    os._exit(9)
module._store = store_and_die
module.Ledger(Warehouse(url)).post(documents)
"""


def test_a_process_killed_before_its_commit_leaves_the_old_state(established, ledger, warehouse_url, in_processes):
    ledger.post(ready(FIRST))
    (killed,) = in_processes(KILLED, 1, url=warehouse_url, documents=ready(JANUARY, tuple(ledger.posted(YEAR))))
    killed.join(60)
    assert killed.exitcode == 9
    assert len(ledger.posted(YEAR)) == 3
    assert verify(established) == []
    ledger.post(ready(JANUARY, tuple(ledger.posted(YEAR))))
    numbers = [d.sequence for d in ledger.posted(YEAR) if d.series == "GR-HVB-F-2026"]
    assert numbers == list(range(1, len(numbers) + 1))
    assert verify(established) == []


# --- append-only ------------------------------------------------------------------------------------------------------


def contents(warehouse: Warehouse) -> dict[str, list]:
    with warehouse.database.reading() as connection:
        return {t.name: [tuple(row) for row in connection.execute(t.select())] for t in APPEND_ONLY}


def fill_every_register(warehouse: Warehouse, ledger: Ledger) -> None:
    numbers = [document.number for document in ledger.post(ready(FIRST))]
    ledger.release(numbers, "Fin", FIRST)
    for number in numbers:
        ledger.deliver(Sending(number, "e-mail", "0" * 64, "Fin", FIRST))
    ledger.lock_through(date(2025, 8, 31), "Fin", FIRST)
    run_sql(
        warehouse,
        f"INSERT INTO provider_statements VALUES ('{YEAR}', '41410101', 1, 1, 'brief', 'Fin', '2026-08-01')",
        f"INSERT INTO year_closures VALUES ('{YEAR}', 1, 'Fin', '2026-08-01', 'x')",
    )


def test_posted_rows_cannot_be_changed_or_removed_by_anybody(established, ledger):
    fill_every_register(established, ledger)
    before = contents(established)
    assert all(before.values())
    for table in APPEND_ONLY:
        column = table.primary_key.columns.values()[0].name
        attempts = [f"UPDATE {table.name} SET {column} = {column}", f"DELETE FROM {table.name}"]
        columns = ", ".join(c.name for c in table.columns)
        again = f"({columns}) SELECT {columns} FROM {table.name}"
        if established.database.dialect == "sqlite":
            attempts += [f"{verb} INTO {table.name} {again}" for verb in ("INSERT OR REPLACE", "REPLACE")]
            attempts += [f"UPDATE OR REPLACE {table.name} SET {column} = {column}"]
        else:
            attempts += [f"TRUNCATE {table.name} CASCADE"]
            attempts += [
                f"INSERT INTO {table.name} {again} ON CONFLICT ON CONSTRAINT pk_{table.name}"
                f" DO UPDATE SET {column} = {table.name}.{column}"
            ]
        for attempt in attempts:
            with pytest.raises(WarehouseError, match=r"alleen toegevoegd|bestaat al"):
                run_sql(established, attempt)
    assert contents(established) == before


def test_replacing_a_row_by_any_of_its_keys_fails_on_sqlite(sqlite_url):
    """With a new number but the sequence, or the period, of a posted document: also when recursive triggers are off."""
    warehouse = Warehouse(sqlite_url)
    warehouse.create()
    establish(warehouse)
    (first, *_) = Ledger(warehouse).post(ready(FIRST))
    before = contents(warehouse)
    columns = [c.name for c in DOCUMENTS.columns]
    for changes in ({"number": "'N'"}, {"number": "'N'", "sequence": "7"}, {"number": "'N'", "period": "'2026-06'"}):
        values = ", ".join(changes.get(name, name) for name in columns)
        with pytest.raises(WarehouseError, match="bestaat al"), warehouse.database.writing() as connection:
            connection.exec_driver_sql("PRAGMA recursive_triggers = OFF")
            connection.exec_driver_sql(
                f"INSERT OR REPLACE INTO documents SELECT {values} FROM documents WHERE number = '{first.number}'"
            )
    assert contents(warehouse) == before


def test_a_session_posing_as_a_replica_is_refused_too(postgres_url):
    warehouse = Warehouse(postgres_url)
    warehouse.create()
    establish(warehouse)
    with pytest.raises(WarehouseError, match="alleen toegevoegd"):
        run_sql(warehouse, "SET LOCAL session_replication_role = replica", "DELETE FROM establishment_approvals")


@pytest.fixture
def as_guest(postgres_url):
    """URL of the same schema for a role that may read and write its tables, and owns nothing."""
    owner = Warehouse(postgres_url)
    owner.create()
    establish(owner)
    role = f"zio_guest_{uuid.uuid4().hex}"
    schema = make_url(postgres_url).query["options"].removeprefix("-csearch_path=")
    run_sql(
        owner,
        f"CREATE ROLE {role}",
        f"GRANT USAGE ON SCHEMA {schema} TO {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
    )
    url = make_url(postgres_url).update_query_dict({"options": f"-csearch_path={schema} -crole={role}"})
    yield url.render_as_string(hide_password=False)
    run_sql(owner, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_who_does_not_own_the_tables_can_post_and_cannot_take_down_a_guard(as_guest):
    warehouse = Warehouse(as_guest)
    warehouse.create()
    assert Ledger(warehouse).post(ready(FIRST))
    assert verify(warehouse) == []
    for attempt in (
        "DROP TRIGGER documents_append_only ON documents",
        "ALTER TABLE documents DISABLE TRIGGER ALL",
        "TRUNCATE documents CASCADE",
    ):
        with pytest.raises(WarehouseError, match=r"must be owner|permission denied"):
            run_sql(warehouse, attempt)


def test_a_dropped_or_changed_guard_is_found_and_stops_posting(established, ledger):
    dialect = established.database.dialect
    for sabotage, said in GUARDS[dialect]:
        with established.database.writing() as connection:
            connection.exec_driver_sql(sabotage)
            assert any(said in finding for finding in triggers.findings(connection)), sabotage
            connection.rollback()
    run_sql(established, GUARDS[dialect][0][0])
    with pytest.raises(WarehouseError, match="documents"):
        established.check_triggers()
    with pytest.raises(WarehouseError, match="beveiliging"):
        established.create()
    with pytest.raises(WarehouseError, match="beveiliging"):
        ledger.post(ready(FIRST))
    assert verify(established) == [GUARDS[dialect][0][1]]


GUARDS = {
    "sqlite": [
        ("DROP TRIGGER documents_no_delete", "De beveiliging documents_no_delete ontbreekt."),
        ("DROP TRIGGER document_lines_no_replace", "document_lines_no_replace ontbreekt"),
        ("CREATE TRIGGER own AFTER INSERT ON documents BEGIN SELECT 1; END", "own hoort niet bij"),
    ],
    "postgresql": [
        ("DROP TRIGGER documents_append_only ON documents", "De beveiliging documents_append_only ontbreekt."),
        (
            "ALTER TABLE documents DISABLE TRIGGER documents_append_only",
            "documents_append_only is gewijzigd of staat uit",
        ),
        (
            "ALTER TABLE documents ENABLE TRIGGER documents_append_only",
            "documents_append_only is gewijzigd of staat uit",
        ),
        (
            "CREATE OR REPLACE TRIGGER documents_append_only BEFORE UPDATE ON documents"
            " FOR EACH STATEMENT EXECUTE FUNCTION zio_refuse_change()",
            "documents_append_only is gewijzigd of staat uit",
        ),
        (
            "CREATE OR REPLACE FUNCTION zio_refuse_change() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RETURN NEW; END $$",
            "zio_refuse_change is gewijzigd of staat uit",
        ),
        (
            "CREATE TRIGGER own AFTER INSERT ON documents FOR EACH ROW EXECUTE FUNCTION zio_refuse_change()",
            "own hoort niet bij",
        ),
    ],
}


# --- proof ------------------------------------------------------------------------------------------------------------


def behind_the_guards(connection: Connection, *statements: str) -> None:
    """What the owner of the database can do: take the guards down, change something, put them up again."""
    for table in APPEND_ONLY:
        if connection.dialect.name == "sqlite":
            for kind in ("update", "delete", "replace"):
                connection.exec_driver_sql(f"DROP TRIGGER {table.name}_no_{kind}")
        else:
            connection.exec_driver_sql(f"DROP TRIGGER {table.name}_append_only ON {table.name}")
    for statement in statements:
        connection.exec_driver_sql(statement)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("DROP FUNCTION zio_refuse_change")
    triggers.create(connection)


NUMBER = "GR-HVB-F-2025-00003"
TAMPERED = [
    (f"UPDATE documents SET debtor_name = 'Debiteur X' WHERE number = '{NUMBER}'", "inhoud is gewijzigd"),
    (f"UPDATE documents SET buyer_reference = 'V-9' WHERE number = '{NUMBER}'", "inhoud is gewijzigd"),
    (f"UPDATE documents SET document_date = '2025-12-31' WHERE number = '{NUMBER}'", "ligt vóór die van"),
    (f"UPDATE documents SET document_date = '2026-12-31' WHERE number = '{NUMBER}'", "past niet bij afzender"),
    (f"UPDATE documents SET previous_hash = 'x' WHERE number = '{NUMBER}'", "sluit niet aan"),
    (f"UPDATE documents SET amount_cents = amount_cents + 1 WHERE number = '{NUMBER}'", "tellen niet op"),
    (f"UPDATE document_lines SET amount_cents = 1 WHERE number = '{NUMBER}'", "niet de termijnen"),
    (f"DELETE FROM document_lines WHERE number = '{NUMBER}' AND line_number = 1", "tellen niet op"),
    ("UPDATE documents SET sequence = 99 WHERE sequence = 2", "ontbreekt er een"),
    ("UPDATE document_series SET last_sequence = 99 WHERE kind = 'invoice'", "de teller staat op 99"),
    ("UPDATE municipal_shares SET amount_cents = 1 WHERE stream = 'adult'", "meer geboekt dan het jaaraandeel"),
    ("UPDATE terms SET amount_cents = amount_cents + 1 WHERE month = '2025-10'", "niet de termijnen"),
    ("DELETE FROM terms WHERE payer = '5527'", "niet de termijnen"),
    ("UPDATE establishment_proposals SET receipt_json = '{}'", "het bewijs is gewijzigd"),
]


def test_whatever_is_changed_behind_the_guards_is_found(established, ledger):
    ledger.post(ready(date(2025, 11, 3), replay=True))
    assert verify(established) == []
    for statement, said in TAMPERED:
        with established.database.writing() as connection:
            behind_the_guards(connection, statement)
            found = findings(connection)
            connection.rollback()
        assert any(said in finding for finding in found), (statement, found)
    assert verify(established) == []


def test_what_a_later_version_billed_does_not_count_against_an_earlier_one(established, ledger):
    ledger.post(ready(FIRST))
    establish(established, version=2, reason="order_change")
    rest = ready(END, tuple(ledger.posted(YEAR)))
    ledger.post([replace(d, desired=replace(d.desired, version=2)) for d in rest])
    # Version 1 gave the contributor no more than the one term that was billed under it; version 2 the whole year.
    run_sql(established, "UPDATE municipal_shares SET amount_cents = 1000 WHERE payer = 'SWV' AND version = 1")
    assert verify(established) == []
    run_sql(established, "UPDATE municipal_shares SET amount_cents = 9999 WHERE payer = 'SWV' AND version = 2")
    assert len(verify(established)) == 1


def test_one_changed_byte_is_found_after_the_guards_are_back(established, ledger):
    ledger.post(ready(FIRST))
    with established.database.writing() as connection:
        behind_the_guards(connection, "UPDATE documents SET debtor_name = replace(debtor_name, '5527', '5528')")
    assert verify(established) == ["Document GR-HVB-W-2025-00001: de inhoud is gewijzigd na het boeken."]


def test_a_document_taken_out_with_its_lines_breaks_the_chain(established, ledger):
    ledger.post(ready(END))
    with established.database.writing() as connection:
        behind_the_guards(
            connection,
            "DELETE FROM document_lines WHERE number = 'GR-HVB-W-2026-00004'",
            "DELETE FROM documents WHERE number = 'GR-HVB-W-2026-00004'",
        )
    assert verify(established) == [
        "Reeks GR-HVB-W-2026: vóór document GR-HVB-W-2026-00005 ontbreekt er een.",
        "Document GR-HVB-W-2026-00005: de keten sluit niet aan op het vorige document.",
    ]


def test_a_counter_that_does_not_fit_stops_posting(established, ledger):
    ledger.post(ready(FIRST))
    run_sql(established, "UPDATE document_series SET last_sequence = 1 WHERE kind = 'invoice'")
    with pytest.raises(WarehouseError, match="zio verify"):
        ledger.post(ready(date(2025, 10, 1), tuple(ledger.posted(YEAR))))
    assert len(ledger.posted(YEAR)) == 3


def test_the_proof_itself_fails_loudly_without_a_warehouse(tmp_path):
    with pytest.raises(WarehouseError):
        verify(Warehouse(f"sqlite:///{tmp_path / 'none.db'}"))


# --- products ---------------------------------------------------------------------------------------------------------


def test_posted_lines_become_rows_of_the_products(established, ledger):
    internal = replace(STANDING, sender=debtor("0855"))
    posted = ledger.post(ready(END, standing=internal))
    rows = invoice_rows(posted)
    established.replace(rows, school_year=YEAR)
    for name, made in rows.items():
        stored = established.rows(name)
        assert len(stored) == len(made)
        assert set(made[0]) == {c.name for c in products()[name].columns}
    assert {row["payer"] for row in rows["out_of_region_invoices"]} == {"0758"}
    assert {row["payer"] for row in rows["wlz_documents"]} == {"5527"}
    assert {(row["payer"], row["kind"]) for row in rows["in_region_invoices"]} == {
        ("0855", "internal_booking"),
        ("SWV", "invoice"),
    }
    assert sum(r["amount_cents"] for made in rows.values() for r in made) == sum(d.amount_cents for d in posted)
    assert verify(established) == []
