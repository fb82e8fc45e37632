"""Versions on the real stores: proposed, looked over, approved, billed, and recomputed from their receipts for ever after."""

import io
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import openpyxl
import pytest

from assets.establishing import establish_job
from resources.dagster_home import ClockResource, HomeResource
from resources.establishments import Proposal
from resources.home import Home
from tests.region import quick
from zio_pipeline.cli import main
from zio_pipeline.demo import generate
from zio_pipeline.errors import EstablishmentBlocked, NotProved, WarehouseError, ZioError
from zio_pipeline.establishment import REASON_OF_WORD, require_signed, table_hashes
from zio_pipeline.figures import compute_year
from zio_pipeline.payer import decide_payers
from zio_pipeline.setup import read_setup
from zio_pipeline.stages import billing, establishing, mutations, receiving, year
from zio_pipeline.stages.inputs import signed_inputs

YEAR = "2025-2026"
JULY, DECEMBER, JANUARY = date(2025, 7, 15), date(2025, 12, 2), date(2026, 1, 5)
BOOK, PUPILS = "inrichting-2025-2026.xlsx", "leerlingen-01FX00-2025-2026.csv"
ORDER = "BO-AMARANT-2025"


@pytest.fixture(autouse=True)
def without_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "audit_deliveries", lambda *_, **__: None)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A fictitious year: the setup, two pupil files and the Wlz list."""
    folder = tmp_path_factory.mktemp("files")
    generate(folder, YEAR, 60, 5)
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name.startswith(("inrichting", "leerlingen", "wlz"))}


class Office:
    """A home, and what is sent to it."""

    def __init__(self, home: Home, files: dict[str, bytes]):
        self.home, self.files = home, files
        self.tilburg: list[int] = []

    def offer(self, **changed: bytes) -> None:
        for path in self.home.inbox.iterdir():
            path.unlink()
        for name, data in ({BOOK: changed["book"]} if "book" in changed else {}).items():
            (self.home.inbox / name).write_bytes(data)
        if "pupils" in changed:
            (self.home.inbox / PUPILS).write_bytes(changed["pupils"])
        if not changed:
            for name, data in self.files.items():
                (self.home.inbox / name).write_bytes(data)
        assert {one.status for one in receiving.receive(self.home, self.home.inbox, JULY)} <= {
            "accepted",
            "partly_accepted",
        }

    def version(self) -> int:
        standing = self.home.warehouse.establishment(YEAR)
        assert standing
        return standing.version

    def signed(self, reason: str, on: date, **more: str) -> establishing.Proposal:
        made = establishing.propose(self.home, YEAR, "Anna", on, reason=reason, **more)
        assert establishing.proposed(self.home, YEAR, made.receipt_hash) == made
        return establishing.approve(self.home, YEAR, made.receipt_hash, "Bert", on)

    def tables(self, version: int) -> dict[str, list[dict[str, Any]]]:
        return {name: self.home.warehouse.rows(name, school_year=YEAR, version=version) for name in year.FINANCE_TABLES}

    def open_points(self) -> list[dict[str, Any]]:
        year.publish_decisions(self.home, YEAR)
        work = self.home.warehouse.rows("worklist", school_year=YEAR)
        return [row for row in work if row["decision_id"] is None]


def established(home: Home, files: dict[str, bytes]) -> Office:
    office = Office(home, files)
    office.offer()
    assert establishing.establish_if_fictitious(home, YEAR, JULY)
    office.tilburg = of_tilburg(office)
    return office


@pytest.fixture
def office(tmp_path: Path, soaked_url: str, files: dict[str, bytes]) -> Iterator[Office]:
    """The first version, in `make soak` on both databases; nothing is audited."""
    with quick():
        yield established(Home.open(tmp_path / "home", {"ZIO_WAREHOUSE_URL": soaked_url}), files)


@pytest.fixture(scope="module")
def standing(made_once: Callable[[str, Callable[[Path], None]], Path], files: dict[str, bytes]) -> Path:
    """A home with the first version; read it, never write it."""

    def make(folder: Path) -> None:
        with quick():
            established(Home.open(folder, {}), files)

    return made_once("first-version", make)


@pytest.fixture
def audited(tmp_path: Path, standing: Path, files: dict[str, bytes]) -> Office:
    """The first version, on the embedded database; what is published now is audited."""
    shutil.copytree(standing, tmp_path / "home")
    office = Office(Home.open(tmp_path / "home", {}), files)
    office.tilburg = of_tilburg(office)
    return office


@pytest.fixture
def here(audited: Office) -> Iterator[Office]:
    """The same, and nothing is audited."""
    with quick():
        yield audited


def of_tilburg(office: Office) -> list[int]:
    """Line numbers in the pupil file of the pupils of De Bodde for whom Tilburg pays from the Jeugdwet by the rules."""
    signed = office.home.warehouse.establishment(YEAR)
    assert signed
    inputs = signed_inputs(office.home, signed)
    decisions = decide_payers(read_setup(inputs.sheets), inputs.payer).decisions
    found = [d for d in decisions if (d.school, d.payer, d.reason) == ("01FX00", "0855", "jeugdwet")]
    return sorted(int(d.row_ref.rpartition(":")[2]) for d in found)


def changed_rows(office: Office, *changes: Callable[[list[bytes]], None]) -> bytes:
    """The pupil file with a change in as many of those lines."""
    lines = office.files[PUPILS].split(b"\r\n")
    for number, change in zip(office.tilburg, changes, strict=False):
        cells = lines[number - 1].split(b";")
        change(cells)
        lines[number - 1] = b";".join(cells)
    return b"\r\n".join(lines)


def to_waalwijk(cells: list[bytes]) -> None:
    """The municipality was wrong all along."""
    cells[11], cells[12] = b"0867", b""


def to_heusden_in_october(cells: list[bytes]) -> None:
    """A removal after the peildatum."""
    cells[11], cells[12] = b"0797", b"01-10-2025"


def book(data: bytes, cents: int, *besluiten: tuple[str, str]) -> bytes:
    """The workbook with another amount for De Bodde, and besluiten (id, month) about it."""
    workbook = openpyxl.load_workbook(io.BytesIO(data))
    sheet = workbook["contracten"]
    header = {cell.value: cell.column for cell in sheet[3]}
    (row,) = [cells[0].row for cells in sheet.iter_rows(min_row=4) if cells[0].value == ORDER]
    sheet.cell(row, header["bedrag"]).value = cents // 100
    decisions = workbook["besluiten"]
    names = [cell.value for cell in decisions[3]]
    for number, month in besluiten:
        filled = {"besluit": number, "soort": "opdracht gewijzigd", "opdracht": ORDER, "maand": month}
        filled |= {"besloten door": "college", "besloten op": "01-12-2025", "reden": "fictief"}
        decisions.append([filled.get(name) for name in names])
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def amounts(tables: dict[str, list[dict[str, Any]]]) -> Counter[str]:
    totals: Counter[str] = Counter()
    for row in tables["municipal_shares"]:
        totals[row["payer"]] += row["amount_cents"]
    return totals


def test_a_year_through_five_versions(office: Office) -> None:
    """Every reason once; each version bystanders keep what they had, and each is recomputed from its receipt at the end."""
    home, first = office.home, office.tables(1)
    billing.bill(home, YEAR, DECEMBER)
    with pytest.raises(EstablishmentBlocked, match=r"al vastgesteld \(versie 1\).*--reason"):
        establishing.propose(home, YEAR, "Anna", DECEMBER)
    with pytest.raises(ZioError, match="Een mutatie is nooit een reden"):
        establishing.propose(home, YEAR, "Anna", DECEMBER, reason="mutatie")

    # An error at the peildatum, and a removal after it.
    office.offer(pupils=changed_rows(office, to_waalwijk, to_heusden_in_october))
    (point,) = office.open_points()
    assert (point["reason"], point["blocking"]) == ("error_or_mutation", False)
    shown = mutations.publish_mutations(home, YEAR, date(2026, 1, 15))
    assert [row["kind"] for row in shown["mutations"]] == ["moved"]
    assert sum(row["difference_cents"] for row in shown["shadow_shares"]) == 0
    assert {r["payer"] for r in shown["shadow_shares"] if r["difference_cents"]} >= {"0797", "0855", "0867"}
    assert table_hashes(year.publish_figures(home, YEAR).tables) == table_hashes(first)

    made = establishing.propose(
        home, YEAR, "Anna", DECEMBER, reason="peildatumfout", explanation="opgave van de school"
    )
    assert (made.version, office.version()) == (2, 1)
    assert {change.payer for change in made.changes} == {"0855", "0867"}, "the removal is not settled"
    assert sum(change.difference_cents for change in made.changes) == 0
    year.publish_figures(home, YEAR)
    assert office.tables(1) == first, "a draft touches nothing"

    # Posted meanwhile: an error at the peildatum takes nothing in the ledger as given, so the proposal stands.
    assert billing.bill(home, YEAR, JANUARY).posted_now
    with pytest.raises(WarehouseError, match="vier ogen"):
        establishing.approve(home, YEAR, made.receipt_hash, " anna ", JANUARY)
    establishing.approve(home, YEAR, made.receipt_hash, "Bert", JANUARY)
    with pytest.raises(EstablishmentBlocked, match=r"al vastgesteld \(versie 2\)"):
        establishing.approve(home, YEAR, made.receipt_hash, "Bert", JANUARY)
    second = office.tables(2)
    assert office.open_points() == []
    assert {row["kind"] for row in mutations.publish_mutations(home, YEAR, date(2026, 1, 15))["mutations"]} == {"moved"}
    bystanders = {payer for payer in amounts(first) if payer not in ("0855", "0867")}
    for payer in bystanders:
        own = [[r | {"version": 0} for r in t["terms"] if r["payer"] == payer] for t in (first, second)]
        assert own[0] == own[1]
    corrected = billing.bill(home, YEAR, JANUARY).posted_now
    assert {document.payer for document in corrected} == {"0855", "0867"}

    # The contract of De Bodde is extended from January on; January is posted, so it is February in fact.
    office.offer(book=book(office.files[BOOK], 176_000_00, ("W1", "2026-01")))
    assert office.signed("opdrachtwijziging", JANUARY).receipt["base"]["first_terms"] == {ORDER: "2026-01"}
    third = office.tables(3)
    assert sum(amounts(third).values()) - sum(amounts(second).values()) == 6_000_00
    monthly = {d.payer for d in home.ledger.posted(YEAR) if d.rhythm == "monthly"}
    for one, other in zip(second["terms"], third["terms"], strict=True):
        if one["month"] <= "2026-01" and one["payer"] in monthly:
            assert one["amount_cents"] == other["amount_cents"]
    assert billing.bill(home, YEAR, JANUARY).posted_now == (), "posted terms stay"
    assert home.warehouse.rows("signals", school_year=YEAR, reason="besluit_without_need") == []

    # An objection that changes nothing, and a tariff that was wrong from the first day.
    assert office.signed("bezwaar", JANUARY).changes == ()
    office.offer(book=book(office.files[BOOK], 171_000_00, ("W1", "2026-01")))
    assert sum(c.difference_cents for c in office.signed("parameterfout", JANUARY).changes) == -5_000_00
    assert billing.bill(home, YEAR, JANUARY).posted_now

    approved = chain(home)
    words = ("peildatumfout", "opdrachtwijziging", "bezwaar", "parameterfout")
    assert [p.reason for p in approved[1:]] == [REASON_OF_WORD[word] for word in words]
    for signed in approved:
        require_signed(signed.receipt, compute_year(signed_inputs(home, signed), signed.version).tables)
    assert home.verify() == []


def chain(home: Home) -> list[Proposal]:
    """Every approved version, from the first to the one in force: each names the one it stands beside."""
    signed = home.warehouse.establishment(YEAR)
    assert signed
    found: list[Proposal] = [signed]
    while base := found[0].receipt.get("base"):
        proposals = home.warehouse.proposals(YEAR)
        found.insert(0, next(p for p in proposals if p.receipt_hash == base["receipt_hash"]))
    return found


def test_an_approval_falls_when_a_file_or_the_base_changes(here: Office) -> None:
    home = here.home
    here.offer(pupils=changed_rows(here, to_waalwijk))
    made = establishing.propose(home, YEAR, "Anna", JULY, reason="bezwaar")
    here.offer(pupils=changed_rows(here, to_waalwijk, to_waalwijk))
    with pytest.raises(NotProved, match="past niet meer"):
        establishing.approve(home, YEAR, made.receipt_hash, "Bert", JULY)
    # Another version was approved in between: the proposal stood beside a base that is no longer in force.
    here.signed("peildatumfout", JULY)
    with pytest.raises(EstablishmentBlocked, match="versie 2"):
        establishing.approve(home, YEAR, made.receipt_hash, "Bert", JULY)


def test_a_base_that_is_not_what_was_signed_stops_a_new_version(here: Office) -> None:
    rows = here.home.warehouse.rows("terms", school_year=YEAR, version=1)
    first, second = rows[0], next(r for r in rows if r["amount_cents"] and r is not rows[0])
    first["amount_cents"], second["amount_cents"] = first["amount_cents"] + 1, second["amount_cents"] - 1
    here.home.warehouse.replace({"terms": rows}, school_year=YEAR, version=1)
    with pytest.raises(NotProved, match="terms"):
        establishing.propose(here.home, YEAR, "Anna", JULY, reason="bezwaar")


def test_a_besluit_makes_a_mutation_of_it(here: Office) -> None:
    """An undated difference that a besluit calls a mutation: settled on the worklist, and left out of a new version."""
    here.offer(pupils=changed_rows(here, to_waalwijk))
    (point,) = here.open_points()
    workbook = openpyxl.load_workbook(io.BytesIO(here.files[BOOK]))
    names = [cell.value for cell in workbook["besluiten"][3]]
    filled = {"besluit": "M1", "soort": "mutatie", "bestand en regel": point["row_ref"]}
    filled |= {"besloten door": "college", "besloten op": "01-12-2025", "reden": "fictief"}
    workbook["besluiten"].append([filled.get(name) for name in names])
    out = io.BytesIO()
    workbook.save(out)
    here.offer(book=out.getvalue())
    assert here.open_points() == []
    (row,) = mutations.publish_mutations(here.home, YEAR, date(2026, 1, 15))["mutations"]
    assert (row["decision_id"], row["dated_on"]) == ("M1", None)
    assert here.signed("bezwaar", JULY).changes == ()


def test_the_command_shows_what_changes_before_anybody_signs(
    audited: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    here = audited
    here.offer(pupils=changed_rows(here, to_waalwijk, to_heusden_in_october))
    command = ["--home", str(here.home.folder), "establish", "--school-year", YEAR, "--as-of", "2025-07-16"]
    assert main([*command, "--propose", "--by", "Anna", "--reason", "mutatie"]) == 1
    assert "Een mutatie is nooit een reden" in capsys.readouterr().err
    assert (
        main(
            [*command, "--propose", "--by", "Anna", "--reason", "peildatumfout", "--explanation", "leerling 123456782"]
        )
        == 1
    )
    assert "zonder persoonsgegevens" in capsys.readouterr().err
    assert main([*command, "--propose", "--by", "Anna", "--reason", "peildatumfout"]) == 0
    out = capsys.readouterr().out
    assert "Wat verandert per betaler" in out
    assert "0867" in out
    assert "omdat ze anders zijn dan vastgesteld en geen mutatie: 1 regel(s)" in " ".join(out.split())
    assert f":{here.tilburg[0]}" in out
    receipt = out.rpartition("Bewijs:")[2].split()[0]
    assert main([*command, "--check", receipt, "--by", "Bert"]) == 0
    assert "Er is niets getekend" in capsys.readouterr().out
    assert here.version() == 1
    assert main([*command, "--approve", receipt, "--by", "Bert"]) == 0
    assert "vastgesteld (versie 2)" in capsys.readouterr().out
    shadow = ["--home", str(here.home.folder), "mutations", "--school-year", YEAR, "--as-of", "2026-02-01"]
    assert main(shadow) == 0
    out = capsys.readouterr().out
    assert "verhuisd" in out
    assert "0797" in out
    assert main([*shadow[:-1], "2026-09-01"]) == 0, "after the school year its last day counts"


def test_the_same_from_dagster(here: Office) -> None:
    here.offer(pupils=changed_rows(here, to_waalwijk))
    resources = {"home": HomeResource(folder=str(here.home.folder)), "clock": ClockResource(fixed="2025-07-16")}

    def run(**config: str) -> dg.ExecuteInProcessResult:
        ops = {"sign": {"config": {"school_year": YEAR, **config}}}
        return establish_job.execute_in_process(run_config={"ops": ops}, resources=resources, raise_on_error=False)

    assert not run(step="propose", by="Anna").success, "an established year asks for a reason"
    assert not run(step="teken", by="Anna").success
    assert run(step="propose", by="Anna", reason="peildatumfout").success
    (receipt,) = [p.receipt_hash for p in here.home.warehouse.proposals(YEAR) if p.version == 2]
    assert not run(step="approve", by="Anna", receipt=receipt).success
    assert here.version() == 1
    assert run(step="approve", by="Bert", receipt=receipt).success
    assert here.version() == 2
