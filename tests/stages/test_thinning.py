"""After establishment birth date and postcode are gone, and the year that two people signed for is still the same."""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from resources.home import Home
from zio_pipeline.demo import generate
from zio_pipeline.errors import EstablishmentBlocked, NotProved, SetupError, ZioError
from zio_pipeline.figures import compute_year
from zio_pipeline.payer import decide_payers
from zio_pipeline.setup import read_setup
from zio_pipeline.stages import receiving, residence, thinning, vault_log, year
from zio_pipeline.stages.inputs import year_inputs
from zio_pipeline.stages.receiving import receive
from zio_pipeline.stages.standing import vault_stem
from zio_pipeline.stages.thinning import thin

YEAR, ON, LATER = "2025-2026", date(2025, 7, 10), date(2025, 9, 1)
PERSONAL = {"birth_date", "postcode", "country", "secret_address", "municipality_since"}


@pytest.fixture(scope="module")
def established(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which a fictitious year was signed for, and in which one municipality was asked."""
    folder = tmp_path_factory.mktemp("thinning") / "home"
    home = Home.open(folder, {})
    generate(home.inbox, YEAR, 60, 5)
    for path in (*home.inbox.glob("urenstaat-*"), *home.inbox.glob("declaratie-*")):
        path.unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(receiving, "audit_deliveries", lambda *_, **__: None)
        receive(home, home.inbox, ON)
    residence.ask(home, YEAR, "0855", "an", ON)
    sign(home)
    return folder


def sign(home: Home) -> None:
    from zio_pipeline.stages.establishing import establish_if_fictitious  # noqa: PLC0415

    assert establish_if_fictitious(home, YEAR, ON) is not None


@pytest.fixture
def home(established: Path, tmp_path: Path) -> Home:
    shutil.copytree(established, tmp_path / "home")
    return Home.open(tmp_path / "home", {})


def pupil_files(home: Home) -> list[Any]:
    return home.warehouse.active("pupil_registrations", YEAR)


def full_names(home: Home) -> list[str]:
    return [f"{vault_stem(entry)}-pupil_registrations" for entry in pupil_files(home)]


def log(home: Home) -> list[tuple[Any, ...]]:
    lines = vault_log.lines(home, YEAR, "thinned")
    return [(line["label"], line["row_count"], line["done_by"], line["done_on"]) for line in lines]


def test_the_year_is_the_same_without_birth_date_and_postcode(home: Home):
    before = compute_year(year_inputs(home, YEAR), 1)
    rows = {
        entry.label: home.vault.get(name).num_rows
        for entry, name in zip(pupil_files(home), full_names(home), strict=True)
    }
    assert thin(home, YEAR, "an", LATER) == 2
    inputs = year_inputs(home, YEAR)
    assert not any(PERSONAL & row.keys() for row in inputs.payer.registrations)
    after = compute_year(inputs, 1)
    assert after.tables == before.tables
    assert after.outcome == before.outcome
    assert not any(home.vault.has(name) for name in full_names(home))
    assert sorted(log(home)) == sorted((label, count, "an", LATER) for label, count in rows.items())
    year.publish_figures(home, YEAR)
    receive(home, home.inbox, LATER)
    assert compute_year(year_inputs(home, YEAR), 1).tables == before.tables


def test_the_workbooks_of_the_residence_check_go_too(home: Home):
    (line,) = vault_log.lines(home, YEAR, "residence_asked")
    made = home.folder / "vertrouwelijk" / "woonplaatstoets" / f"{line['label']}.xlsx"
    assert made.exists()
    thin(home, YEAR, "an", LATER)
    assert not made.exists()
    assert not [name for name in home.vault.names() if name.endswith("-workbook")]
    with pytest.raises(ZioError, match="kan niet meer worden gemaakt"):
        residence.ask(home, YEAR, "0855", "an", LATER)


def test_a_second_time_there_is_nothing_left_to_do(home: Home):
    thin(home, YEAR, "an", LATER)
    before = log(home)
    assert thin(home, YEAR, "bo", LATER) == 0
    assert log(home) == before


def test_a_year_that_is_not_established_keeps_everything(tmp_path: Path):
    home = Home.open(tmp_path / "home", {})
    with pytest.raises(EstablishmentBlocked, match="nog niet vastgesteld"):
        thin(home, YEAR, "an", LATER)


@pytest.mark.parametrize("at", ["put", "record", "remove"])
def test_a_run_that_is_cut_off_loses_nothing_and_the_next_one_finishes(
    home: Home, monkeypatch: pytest.MonkeyPatch, at: str
):
    before = compute_year(year_inputs(home, YEAR), 1).tables

    def cut_off(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(thinning, {"put": "_rehearse", "record": "_record", "remove": "_remove"}[at], cut_off)
        with pytest.raises(KeyboardInterrupt):
            thin(home, YEAR, "an", LATER)
    assert all(home.vault.has(name) for name in full_names(home))
    assert compute_year(year_inputs(home, YEAR), 1).tables == before
    assert thin(home, YEAR, "an", LATER) == 2
    assert len(log(home)) == 2
    assert compute_year(year_inputs(home, YEAR), 1).tables == before


def test_nothing_is_removed_when_the_year_would_come_out_otherwise(home: Home, monkeypatch: pytest.MonkeyPatch):
    """The rehearsal: here every child of the thin tables is 18."""
    real = thinning._thin_tables

    def older(*args: Any) -> dict[str, pa.Table]:
        tables = real(*args)
        at = thinning.SCHEMA.get_field_index("age_class")
        return {n: t.set_column(at, "age_class", pa.array(["18+"] * t.num_rows)) for n, t in tables.items()}

    monkeypatch.setattr(thinning, "_thin_tables", older)
    with pytest.raises(NotProved, match="er is niets verwijderd"):
        thin(home, YEAR, "an", LATER)
    assert all(home.vault.has(name) for name in full_names(home))
    assert not [name for name in home.vault.names() if name.endswith(thinning.THIN)]
    assert log(home) == []


def test_another_peildatum_asks_for_the_files_anew(home: Home):
    """The facts were read for one peildatum; a new version with another one may not guess."""
    thin(home, YEAR, "an", LATER)
    inputs = year_inputs(home, YEAR)
    sheets = {
        **inputs.sheets,
        "settings": [
            row | {"value": "02-07-2025"} if row["key"] == "peildatum" else row for row in inputs.sheets["settings"]
        ],
    }
    with pytest.raises(SetupError, match="opnieuw aanleveren"):
        decide_payers(read_setup(sheets), inputs.payer)
