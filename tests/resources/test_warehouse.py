"""The warehouse on SQLite and PostgreSQL: replacing, reading, exporting, refusing, and the registers beside it."""

import hashlib
import json
import multiprocessing
import os
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from resources.database import Database
from resources.tables import PRODUCTS
from resources.warehouse import Warehouse, default_url
from zio_pipeline.contracts import products
from zio_pipeline.errors import WarehouseError
from zio_pipeline.manifest import ManifestEntry

YEAR = "2025-2026"


def quarantine_row(row_number: int, explanation: str = "De datum is onleesbaar.", content: str = "aa") -> dict:
    return {
        "content_sha256": content,
        "label": "pupil_registrations-02ZX00-2025-2026-1a2b3c4d",
        "sheet": "",
        "row_number": row_number,
        "column": "geboortedatum",
        "rule": "date",
        "severity": "error",
        "explanation": explanation,
    }


def proof_row(invariant: str, cents: int = 1) -> dict:
    sides = {"left_cents": cents, "right_cents": cents, "proved": True}
    return {"school_year": YEAR, "version": 1, "invariant": invariant, "scope": "alles", **sides}


def worklist_row(item: str, **values: object) -> dict:
    row = dict.fromkeys(c.name for c in products()["worklist"].columns)
    return (
        row
        | {
            "school_year": YEAR,
            "item_id": item,
            "reason": "unknown_municipality",
            "explanation": "Zoek uit welke gemeente betaalt.",
            "blocking": True,
        }
        | values
    )


def parked_row(payer: str, **values: object) -> dict:
    row = dict.fromkeys((c.name for c in products()["parked_documents"].columns), "x")
    row |= {"payer": payer, "due_on": date(2026, 1, 2), "reason": "no_debtor", "amount_cents": 1}
    return row | values


# --- products ---------------------------------------------------------------------------------------------------------


def test_every_product_has_its_table_with_the_columns_and_key_of_its_contract(warehouse):
    for name, dataset in products().items():
        assert [c.name for c in PRODUCTS[name].c] == [c.name for c in dataset.columns]
        assert tuple(c.name for c in PRODUCTS[name].primary_key) == dataset.key
        assert warehouse.rows(name) == []


def test_replacing_is_idempotent_and_stays_within_its_scope(warehouse):
    warehouse.replace({"quarantine": [quarantine_row(1), quarantine_row(2)]}, content_sha256="aa")
    warehouse.replace({"quarantine": [quarantine_row(1, content="bb")]}, content_sha256="bb")
    for _ in range(2):
        warehouse.replace({"quarantine": [quarantine_row(3)]}, content_sha256="aa")
    found = warehouse.rows("quarantine")
    assert found == [quarantine_row(3), quarantine_row(1, content="bb")]
    assert warehouse.rows("quarantine", content_sha256="bb") == [quarantine_row(1, content="bb")]
    warehouse.replace({"quarantine": []})
    assert warehouse.rows("quarantine") == []


def test_replacing_several_tables_is_all_or_nothing(warehouse):
    old = {"proofs": [proof_row("streams")], "worklist": [worklist_row("1")]}
    warehouse.replace(old, school_year=YEAR)
    # `proofs` goes first, `worklist` then breaks on its double key: neither may have changed.
    with pytest.raises(WarehouseError):
        warehouse.replace({"proofs": [], "worklist": [worklist_row("2"), worklist_row("2")]}, school_year=YEAR)
    assert {name: warehouse.rows(name) for name in old} == old


REPLACE = """
from resources.warehouse import Warehouse
warehouse, mine = Warehouse(url), rows[barrier.wait()]
for _ in range(5):
    warehouse.replace({"quarantine": mine, "deliveries": []}, content_sha256="aa")
"""


def test_replacing_the_same_scope_at_once_leaves_the_rows_of_one(warehouse, warehouse_url, in_processes):
    rows = [[quarantine_row(number, explanation=f"run {run}") for number in (1, 2, 3)] for run in range(4)]
    for process in in_processes(REPLACE, 4, url=warehouse_url, rows=rows):
        process.join(60)
        assert process.exitcode == 0
    assert warehouse.rows("quarantine") in rows


def test_rows_come_back_in_the_types_of_the_contract_sorted_as_python_sorts(warehouse):
    given_rows = [worklist_row(item, blocking=item == "a") for item in ("b", "Z", "é", "a", "10", "9", "_")]
    warehouse.replace({"worklist": given_rows}, school_year=YEAR)
    found = warehouse.rows("worklist")
    assert [row["item_id"] for row in found] == sorted(["b", "Z", "é", "a", "10", "9", "_"])
    assert found[4]["blocking"] is True
    assert found[0]["blocking"] is False
    assert found[0]["decision_id"] is None


def test_dates_and_big_amounts_come_back_as_they_went_in(warehouse):
    row = parked_row("0855", amount_cents=2**63 - 1)
    warehouse.replace({"parked_documents": [row]})
    assert warehouse.rows("parked_documents", due_on=date(2026, 1, 2)) == [row]
    assert type(warehouse.rows("parked_documents")[0]["due_on"]) is date


def test_a_row_that_is_not_the_contract_is_refused_and_named(warehouse):
    for change, said in [
        ({"item_id": None}, "item_id"),
        ({"blocking": 1}, "worklist.blocking"),
        ({"explanation": 5}, "worklist.explanation"),
        ({"explanation": "een \x00 erin"}, "worklist.explanation"),
        ({"explanation": "half \ud800"}, "worklist.explanation"),
        ({"extra": 1}, "extra"),
        ({"school_year": "2024-2025"}, "school_year"),
    ]:
        with pytest.raises(WarehouseError, match=said):
            warehouse.replace({"worklist": [worklist_row("1"), worklist_row("2", **change)]}, school_year=YEAR)
        assert warehouse.rows("worklist") == []
    missing = worklist_row("1")
    del missing["row_ref"]
    with pytest.raises(WarehouseError, match="row_ref"):
        warehouse.replace({"worklist": [missing]}, school_year=YEAR)


def test_values_outside_the_contract_are_refused(warehouse):
    good = {"proofs": proof_row("x"), "quarantine": quarantine_row(1), "parked_documents": parked_row("0855")}
    warehouse.replace({dataset: [row] for dataset, row in good.items()})
    for dataset, change in [
        ("proofs", {"left_cents": 2**63}),
        ("proofs", {"left_cents": 1.0}),
        ("proofs", {"left_cents": True}),
        ("quarantine", {"row_number": -1}),
        ("quarantine", {"severity": "fataal"}),
        ("parked_documents", {"due_on": "2026-01-02"}),
        ("parked_documents", {"due_on": datetime(2026, 1, 2)}),  # noqa: DTZ001
        ("parked_documents", {"amount_cents": -1}),
    ]:
        with pytest.raises(WarehouseError):
            warehouse.replace({dataset: [good[dataset] | change]})
        assert warehouse.rows(dataset) == [good[dataset]]


def test_the_checks_stand_in_the_database_too(warehouse):
    warehouse.replace({"quarantine": [quarantine_row(1)]})
    for wrong in ("severity = 'fataal'", "row_number = -1", "label = NULL"):
        with pytest.raises(WarehouseError), warehouse.database.writing() as connection:
            connection.execute(text(f"UPDATE quarantine SET {wrong}"))


def test_unknown_tables_and_columns_are_named(warehouse):
    with pytest.raises(WarehouseError, match="invoices"):
        warehouse.rows("invoices")
    with pytest.raises(WarehouseError, match="documents"):
        warehouse.replace({"documents": []})
    with pytest.raises(WarehouseError, match="schooljaar"):
        warehouse.rows("worklist", schooljaar=YEAR)


def test_errors_hold_no_values_of_the_row(warehouse):
    secret = worklist_row("1", subject="geheim-8dG")
    with pytest.raises(WarehouseError) as caught:
        warehouse.replace({"worklist": [secret, secret]})
    assert "geheim" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)


@pytest.fixture
def pair(sqlite_url, postgres_url):
    made = [Warehouse(sqlite_url), Warehouse(postgres_url)]
    for warehouse in made:
        warehouse.create()
    return made


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.tuples(texts, texts, texts | st.none(), st.booleans()), unique_by=lambda r: r[0], max_size=8))
def test_the_export_is_byte_equal_whatever_the_database(pair, made):
    rows = [worklist_row(i, explanation=e, subject=s, blocking=b) for i, e, s, b in made]
    for warehouse in pair:
        warehouse.replace({"worklist": rows})
    assert pair[0].rows("worklist") == pair[1].rows("worklist")
    assert pair[0].export_csv("worklist") == pair[1].export_csv("worklist")


def test_the_export_in_full(warehouse):
    rows = [parked_row("0855", explanation="=2+3"), parked_row("0758", explanation='a;"b"\né')]
    warehouse.replace({"parked_documents": rows})
    names = [c.name for c in products()["parked_documents"].columns]
    lines = [";".join(names)]
    for payer, explanation in (("0758", '"a;""b""\né"'), ("0855", "'=2+3")):
        spelled = dict.fromkeys(names, "x") | {"payer": payer, "explanation": explanation, "due_on": "2026-01-02"}
        lines.append(";".join((spelled | {"amount_cents": "1", "reason": "no_debtor"})[n] for n in names))
    assert warehouse.export_csv("parked_documents") == ("\ufeff" + "\r\n".join(lines) + "\r\n").encode()


# --- verdicts and manifest --------------------------------------------------------------------------------------------


def test_a_verdict_that_nobody_gave_is_no_permission(warehouse):
    assert warehouse.verdict("pupils", "in", "rules") is None
    warehouse.record_verdict("pupils", "in", "rules", ok=True, detail="12 regels")
    assert warehouse.verdict("pupils", "in", "rules") is True
    assert warehouse.verdict("pupils", "in", "other rules") is None
    warehouse.record_verdict("pupils", "in", "rules", ok=False, detail="1 regel niet")
    assert warehouse.verdict("pupils", "in", "rules") is False


def entry(content: str, **changes: object) -> ManifestEntry:
    made = ManifestEntry(
        content_sha256=content,
        contract_fingerprint="contract",
        parser_version="1",
        key_id="key",
        label=f"label-{content}",
        source="pupil_registrations",
        status="accepted",
        received_on=date(2025, 9, 1),
        school_year=YEAR,
        school="02ZX00",
    )
    return replace(made, **changes)


def active_contents(warehouse: Warehouse, source: str = "pupil_registrations") -> list[str]:
    return [e.content_sha256 for e in warehouse.active(source, YEAR)]


def test_a_corrected_file_takes_the_place_of_the_earlier_one_in_its_scope_only(warehouse):
    assert warehouse.register(entry("a"))
    assert warehouse.register(entry("b", school="17DZ00"))
    assert warehouse.register(entry("c", source="wlz_statuses", school=None))
    assert warehouse.register(entry("d", status="partly_accepted"))
    assert active_contents(warehouse) == ["b", "d"]
    assert active_contents(warehouse, "wlz_statuses") == ["c"]
    assert [e.content_sha256 for e in warehouse.manifest()] == ["a", "b", "c", "d"]
    assert warehouse.manifest(content_sha256="a") == [entry("a", active=False, sequence=1)]


def test_the_same_bytes_again_change_nothing_but_a_newer_parser_reads_again(warehouse):
    assert warehouse.register(entry("a"))
    assert not warehouse.register(entry("a", label="other"))
    assert warehouse.register(entry("a", parser_version="2"))
    assert [e.parser_version for e in warehouse.active("pupil_registrations", YEAR)] == ["2"]
    assert not warehouse.register(entry("a"))
    assert [e.parser_version for e in warehouse.active("pupil_registrations", YEAR)] == ["2"]


def test_a_refused_file_takes_nobodys_place(warehouse):
    warehouse.register(entry("a"))
    assert warehouse.register(entry("b", status="refused"))
    assert active_contents(warehouse) == ["a"]


REGISTER = """
from resources.warehouse import Warehouse
warehouse, mine = Warehouse(url), entries[barrier.wait()]
assert all([warehouse.register(entry) for entry in mine])
"""


def test_of_files_that_arrive_at_once_one_counts(warehouse, warehouse_url, in_processes):
    entries = [[entry(f"{process}-{number}") for number in range(5)] for process in range(4)]
    for process in in_processes(REGISTER, 4, url=warehouse_url, entries=entries):
        process.join(60)
        assert process.exitcode == 0
    assert [e.sequence for e in warehouse.manifest()] == list(range(1, 21))
    assert [e.sequence for e in warehouse.active("pupil_registrations", YEAR)] == [20]


# --- establishments ---------------------------------------------------------------------------------------------------


def receipt(**content: object) -> tuple[str, str]:
    spelled = json.dumps({"school_year": YEAR, **content})
    return hashlib.sha256(spelled.encode()).hexdigest(), spelled


def propose(warehouse: Warehouse, version: int = 1, reason: str = "first", by: str = "Jan", **content: object) -> str:
    name, spelled = receipt(**content)
    warehouse.propose(YEAR, version, name, spelled, reason=reason, proposed_by=by, proposed_on=date(2025, 8, 20))
    return name


def approve(warehouse: Warehouse, name: str, version: int = 1, by: str = "Piet", on: date = date(2025, 8, 21)) -> bool:
    return warehouse.approve(YEAR, version, name, approved_by=by, approved_on=on)


def test_one_proposes_and_another_approves(warehouse):
    assert warehouse.establishment(YEAR) is None
    name = propose(warehouse, pupils=3)
    assert warehouse.establishment(YEAR) is None
    assert approve(warehouse, name)
    established = warehouse.establishment(YEAR)
    assert (established.version, established.receipt_hash) == (1, name)
    assert established.receipt == {"school_year": YEAR, "pupils": 3}
    assert (established.proposed_by, established.approved_by) == ("Jan", "Piet")
    assert (established.proposed_on, established.approved_on) == (date(2025, 8, 20), date(2025, 8, 21))
    assert not approve(warehouse, name)


def test_the_proposer_cannot_approve(warehouse):
    name = propose(warehouse)
    for by in ("Jan", "jan ", "JAN", "  ", "Ｊan"):
        with pytest.raises(WarehouseError):
            approve(warehouse, name, by=by)
    assert warehouse.establishment(YEAR) is None


def test_an_approval_covers_one_receipt_only(warehouse):
    old = propose(warehouse, pupils=3)
    with pytest.raises(WarehouseError, match="geen voorstel"):
        approve(warehouse, receipt(pupils=4)[0])
    new = propose(warehouse, pupils=4)
    assert [p.receipt_hash for p in warehouse.proposals(YEAR)] == sorted([old, new])
    approve(warehouse, new)
    with pytest.raises(WarehouseError, match="al vastgesteld"):
        approve(warehouse, old, by="Klaas")
    assert warehouse.establishment(YEAR).receipt_hash == new


def test_what_a_proposal_must_be(warehouse):
    name, spelled = receipt()
    arguments = {"reason": "first", "proposed_by": "Jan", "proposed_on": date(2025, 8, 20)}
    with pytest.raises(WarehouseError, match="vingerafdruk"):
        warehouse.propose(YEAR, 1, name, spelled + " ", **arguments)
    with pytest.raises(WarehouseError, match="versie 1"):
        warehouse.propose(YEAR, 2, name, spelled, **arguments | {"reason": "objection"})
    with pytest.raises(WarehouseError, match="naam"):
        warehouse.propose(YEAR, 1, name, spelled, **arguments | {"proposed_by": " "})
    assert warehouse.propose(YEAR, 1, name, spelled, **arguments)
    assert not warehouse.propose(YEAR, 1, name, spelled, **arguments)
    with pytest.raises(WarehouseError, match="vóór het voorstel"):
        approve(warehouse, name, on=date(2025, 8, 19))
    with pytest.raises(WarehouseError, match="naam"):
        approve(warehouse, name, by="")


def test_a_new_version_needs_a_reason_and_the_highest_counts(warehouse):
    approve(warehouse, propose(warehouse))
    with pytest.raises(WarehouseError, match="reden"):
        propose(warehouse, version=2, reason="mutation", pupils=5)
    second = propose(warehouse, version=2, reason="peildatum_error", pupils=5)
    assert warehouse.establishment(YEAR).version == 1
    approve(warehouse, second, version=2)
    assert (warehouse.establishment(YEAR).version, warehouse.establishment(YEAR).reason) == (2, "peildatum_error")


def test_four_eyes_are_a_constraint_of_the_database(warehouse):
    name = propose(warehouse)
    insert = text(
        "INSERT INTO establishment_approvals"
        " (school_year, version, receipt_hash, proposed_by, approved_by, approved_on)"
        f" VALUES ('{YEAR}', 1, '{name}', :proposer, :approver, '2025-08-21')"
    )
    for proposer, approver, said in [
        ("Jan", "Jan", "four_eyes"),
        ("Jan", " jAN ", "four_eyes"),
        ("Jan", " ", "approved_by"),
        ("Els", "Jan", "(?i)foreign key|fk_"),
    ]:
        with pytest.raises(WarehouseError, match=said), warehouse.database.writing() as connection:
            connection.execute(insert, {"proposer": proposer, "approver": approver})
    with warehouse.database.writing() as connection:
        connection.execute(insert, {"proposer": "Jan", "approver": "Piet"})
    assert warehouse.establishment(YEAR).approved_by == "Piet"


def test_a_reason_is_a_constraint_of_the_database(warehouse):
    insert = (
        "INSERT INTO establishment_proposals"
        " (school_year, version, receipt_hash, receipt_json, reason, proposed_by, proposed_on)"
        f" VALUES ('{YEAR}', 2, 'x', '{{}}', 'mutation', 'Jan', '2025-08-21')"
    )
    with pytest.raises(WarehouseError, match="reason"), warehouse.database.writing() as connection:
        connection.execute(text(insert))


# --- making, opening, URLs --------------------------------------------------------------------------------------------

CREATE = """
from resources.warehouse import Warehouse
barrier.wait()
Warehouse(url).create()
"""


def test_making_it_twice_and_at_once_is_the_same(warehouse_url, in_processes):
    for process in in_processes(CREATE, 4, url=warehouse_url):
        process.join(60)
        assert process.exitcode == 0
    Warehouse(warehouse_url).create()
    Warehouse(warehouse_url).check_triggers()


def test_a_warehouse_of_other_tables_is_refused(warehouse):
    with warehouse.database.writing() as connection:
        connection.execute(text("UPDATE warehouse_format SET fingerprint = 'older'"))
    with pytest.raises(WarehouseError, match="andere versie"):
        warehouse.create()


def test_a_file_that_is_not_ours_is_left_alone(sqlite_url, tmp_path):
    with closing(sqlite3.connect(tmp_path / "warehouse.db")) as connection:
        connection.execute("CREATE TABLE terms (x)")
    with pytest.raises(WarehouseError, match="terms"):
        Warehouse(sqlite_url).create()
    with closing(sqlite3.connect(tmp_path / "warehouse.db")) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("terms",)]


def test_the_file_is_for_its_owner_only(tmp_path):
    path = tmp_path / "new folder" / "warehouse.db"
    warehouse = Warehouse(default_url(path.parent))
    before = os.umask(0)
    try:
        warehouse.create()
        with warehouse.database.writing() as connection:
            connection.execute(text("UPDATE warehouse_format SET fingerprint = fingerprint"))
            modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == {0o600}


def test_a_missing_file_is_an_error_and_not_an_empty_warehouse(sqlite_url, tmp_path):
    with pytest.raises(WarehouseError, match="bestaat nog niet"):
        Warehouse(sqlite_url).rows("terms")
    assert not (tmp_path / "warehouse.db").exists()


def test_sqlite_is_set_up_as_measured(sqlite_url):
    warehouse = Warehouse(sqlite_url)
    warehouse.create()
    wanted = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "recursive_triggers": 1,
        "busy_timeout": 30000,
    }
    with warehouse.database.reading() as connection:
        assert {name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in wanted} == wanted


def test_a_bare_postgresql_url_gets_the_driver(postgres_url):
    bare = postgres_url.replace("postgresql+psycopg://", "postgresql://")
    Warehouse(bare).create()
    assert Warehouse(postgres_url).rows("terms") == []


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "mysql://x/y", "postgresql+psycopg2://x/y", "niet een url", ""]
)
def test_urls_that_are_no_warehouse(url):
    with pytest.raises(WarehouseError):
        Warehouse(url)


def test_a_password_is_not_shown():
    warehouse = Warehouse("postgresql+psycopg://zio:s3cret@nergens.invalid/zio")
    assert "s3cret" not in repr(warehouse)
    with pytest.raises(WarehouseError) as caught:
        warehouse.rows("terms")
    assert "s3cret" not in str(caught.value)


WRITE = """
from resources.warehouse import Warehouse
ready.set()
Warehouse(url).record_verdict("d", "i", "r", ok=True, detail="")
"""


def test_a_writer_waits_for_another_instead_of_failing(sqlite_url, in_processes):
    warehouse = Warehouse(sqlite_url)
    warehouse.create()
    ready = multiprocessing.get_context("forkserver").Event()
    with warehouse.database.writing() as connection:
        (waiting,) = in_processes(WRITE, 1, url=sqlite_url, ready=ready)
        assert ready.wait(60)
        waiting.join(0.5)
        assert waiting.is_alive()
        connection.execute(text("UPDATE warehouse_format SET fingerprint = fingerprint"))
    waiting.join(60)
    assert waiting.exitcode == 0
    assert warehouse.verdict("d", "i", "r") is True


def test_a_transaction_undoes_everything_on_any_error(warehouse):
    class StopHereError(Exception):
        pass

    with pytest.raises(StopHereError), warehouse.database.writing() as connection:
        connection.execute(text("DELETE FROM warehouse_format"))
        raise StopHereError
    warehouse.create()


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(WarehouseError, match="kan niet worden gemaakt"):
        Warehouse(default_url(tmp_path / "file" / "deeper")).create()
    assert Database(default_url(Path("/x"))).path == Path("/x/warehouse.db")
