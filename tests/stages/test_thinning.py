"""After establishment birth date and postcode are gone, and the year that two people signed for is still the same."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from resources.closing import Closings, Closure
from resources.home import Home
from tests.money.shapes import Shape
from tests.region import Region, quick, unaudited
from tests.test_residence_check import filled
from tests.year_builder import GOIRLE, Year
from zio_pipeline.demo import generate
from zio_pipeline.errors import EstablishmentBlocked, NotProved, SetupError, ZioError
from zio_pipeline.figures import compute_year
from zio_pipeline.payer import decide_payers
from zio_pipeline.setup import read_setup
from zio_pipeline.stages import residence, thinning, vault_log, year
from zio_pipeline.stages.inputs import year_inputs
from zio_pipeline.stages.receiving import receive
from zio_pipeline.stages.residence_answers import answer_rows, read_files
from zio_pipeline.stages.standing import vault_stem
from zio_pipeline.stages.thinning import thin, whole_files
from zio_pipeline.stages.verifying import verify

YEAR, ON, LATER = "2025-2026", date(2025, 7, 10), date(2025, 9, 1)
PERSONAL = {"birth_date", "postcode", "country", "secret_address", "municipality_since"}


@pytest.fixture(scope="module")
def established(made_once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """A home in which a fictitious year was signed for, and in which one municipality was asked."""
    return made_once("established-and-asked", establish_and_ask)


def establish_and_ask(folder: Path) -> None:
    home = Home.open(folder, {})
    generate(home.inbox, YEAR, 60, 5)
    for path in (*home.inbox.glob("urenstaat-*"), *home.inbox.glob("declaratie-*")):
        path.unlink()
    with quick():
        receive(home, home.inbox, ON)
        residence.ask(home, YEAR, "0855", "an", ON)
        sign(home)


def sign(home: Home) -> None:
    from zio_pipeline.stages.establishing import establish_if_fictitious  # noqa: PLC0415

    assert establish_if_fictitious(home, YEAR, ON) is not None


@pytest.fixture
def audited(established: Path, tmp_path: Path) -> Home:
    """A copy of it to write in."""
    shutil.copytree(established, tmp_path / "home")
    return Home.open(tmp_path / "home", {})


@pytest.fixture
def home(audited: Home) -> Iterator[Home]:
    """The same, and nothing is audited."""
    with unaudited():
        yield audited


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


def test_a_second_time_there_is_nothing_left_to_do(audited: Home):
    home = audited
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


# --- more than one version, files that came later, a closed year ---


def other(setting: str, value: str) -> Year:
    """The small region in two classes, with one setting otherwise."""
    year = Shape().year()
    for row in year.sheets["settings"]:
        if row["key"] == setting:
            row["value"] = value
    return year


@pytest.fixture
def region(tmp_path: Path) -> Iterator[Region]:
    with quick():
        yield Region(tmp_path / "region")


def stands(region: Region) -> None:
    """Every version comes out again of what is in the vault, and nothing in it is whole."""
    assert verify(region.home) == []
    assert whole_files(region.home, YEAR) == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [("peildatum", "15-06-2025"), ("startdatum", "19-08-2025"), ("verblijf_postcodes", "5022KE 5022KF")],
)
def test_every_version_can_be_computed_again_although_they_ask_for_another_day(
    region: Region, setting: str, value: str
):
    region.deliver(Shape().year())
    region.establish(date(2025, 8, 1))
    region.deliver(other(setting, value))
    assert region.establish(date(2025, 8, 5), reason="parameterfout") == 2
    assert thin(region.home, YEAR, "an", LATER) == 1
    stands(region)


def test_the_same_for_a_pupil_file_of_each_version(region: Region):
    """Version 2 has another list of verblijf locations and another pupil file; what moved is told from both lists."""
    region.deliver(Shape().year())
    region.establish(date(2025, 8, 1))
    year = other("verblijf_postcodes", "5022KE 5022KF")
    year.registrations[0]["birth_date"] = date(2014, 3, 1)
    region.deliver(year)
    region.establish(date(2025, 8, 5), reason="peildatumfout")
    assert thin(region.home, YEAR, "an", LATER) == 2
    stands(region)


def test_a_version_that_would_not_come_out_again_stops_it(region: Region, monkeypatch: pytest.MonkeyPatch):
    """Here the facts are kept for the peildatum of the last version only."""
    region.deliver(Shape().year())
    region.establish(date(2025, 8, 1))
    region.deliver(other("peildatum", "15-06-2025"))
    region.establish(date(2025, 8, 5), reason="parameterfout")
    real = thinning._thin_tables
    monkeypatch.setattr(thinning, "_thin_tables", lambda home, files, bases: real(home, files, bases[:1]))
    with pytest.raises(NotProved, match="van het jaar niet na te rekenen; er is niets verwijderd"):
        thin(region.home, YEAR, "an", LATER)
    assert len(whole_files(region.home, YEAR)) == 1


def test_a_file_that_came_later_stays_whole_until_the_year_is_closed(region: Region):
    region.deliver(Shape().year())
    region.establish(date(2025, 8, 1))
    region.deliver(Shape().moved(3, GOIRLE).year())
    assert thin(region.home, YEAR, "an", LATER) == 1
    assert len(whole_files(region.home, YEAR)) == 1
    assert thin(region.home, YEAR, "an", LATER) == 0
    Closings(region.home.warehouse.database).close(Closure(YEAR, 1, "bo", date(2026, 9, 1), "{}"), [])
    assert thin(region.home, YEAR, "an", date(2026, 9, 2)) == 1
    stands(region)


def test_a_file_that_is_read_and_thinned_again_leaves_its_line_again(region: Region):
    region.deliver(Shape().year())
    region.establish(date(2025, 8, 1))
    (entry,) = pupil_files(region.home)
    table = region.home.vault.get(f"{vault_stem(entry)}-pupil_registrations")
    thin(region.home, YEAR, "an", LATER)
    again = replace(entry, parser_version="later", active=False)
    region.home.vault.put(f"{vault_stem(again)}-pupil_registrations", table)
    region.home.warehouse.take_up([again], {})
    Closings(region.home.warehouse.database).close(Closure(YEAR, 1, "bo", date(2026, 9, 1), "{}"), [])
    assert thin(region.home, YEAR, "bo", LATER) == 1
    assert [line[2] for line in log(region.home)] == ["an", "bo"]


def test_what_a_municipality_wrote_goes_too(home: Home):
    (line,) = vault_log.lines(home, YEAR, "residence_asked")
    made = home.folder / "vertrouwelijk" / "woonplaatstoets" / f"{line['label']}.xlsx"
    residence.take_answer(home, YEAR, filled(made.read_bytes(), {0: ("nee", None, "Breda", "is Jan")}), "an", ON)
    assert [(one.other_text, one.note) for one in residence.words(home, YEAR, "an", ON)] == [("Breda", "is Jan")]
    thin(home, YEAR, "an", LATER)
    assert residence.words(home, YEAR, "an", LATER) == []
    assert not [name for name in home.vault.names() if name.endswith("-words")]
    assert [row["other"] for row in answer_rows(home, YEAR, read_files(home, YEAR))] == ["0758"]
