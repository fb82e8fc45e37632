"""The demo files themselves: the same seed the same bytes, headers of the contract, forms that senders really use."""

import datetime as dt
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

from tests.demo.conftest import Made
from tests.demo.raw import encoding_of, pupils_of, read, setup_rows, setup_sheets, wlz_of
from zio_pipeline.contracts import sources
from zio_pipeline.demo import generate
from zio_pipeline.errors import ZioError


def fingerprints(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_same_seed_gives_the_same_bytes_in_another_process(small: Made, tmp_path: Path, hash_seed: str):
    code = (
        "import sys; from pathlib import Path; from zio_pipeline.demo import generate;"
        " generate(Path(sys.argv[1]), '2025-2026', 120, 1)"
    )
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "TZ": "Pacific/Auckland"}
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, env=environment)
    assert fingerprints(tmp_path) == fingerprints(small.folder)


def test_another_seed_gives_other_files(small: Made, tmp_path: Path):
    generate(tmp_path, "2025-2026", 120, 2)
    mine, theirs = fingerprints(small.folder), fingerprints(tmp_path)
    assert mine.keys() == theirs.keys()
    assert [name for name in mine if mine[name] == theirs[name]] == []


def test_every_file_is_reported(small: Made):
    assert sorted(small.year.files) == sorted(small.folder.iterdir())
    assert len(small.year.files) == 4 + 24 + 20 + 1


def test_setup_sheets_and_headers_are_those_of_the_contract(small: Made):
    datasets = sources()["school_year_setup"].datasets
    sheets = setup_sheets(small.folder)
    assert list(sheets) == [dataset.dutch for dataset in datasets]
    for dataset in datasets:
        assert sheets[dataset.dutch][2] == [column.dutch for column in dataset.columns]
        assert len(sheets[dataset.dutch]) > 3, f"{dataset.dutch} is empty"


def test_setup_keeps_dates_numbers_and_codes_as_excel_would(small: Made):
    order = next(row for row in setup_rows(small.folder, "orders") if row["order_id"] == "LP-SIZA-2025")
    assert order["valid_from"] == dt.datetime(2025, 8, 1)  # noqa: DTZ001
    assert (order["tariff_cents"], order["care_tariff_cents"], order["amount_basis"]) == (67.2, 62.4, "berekend")
    codes = {row["municipality"] for row in setup_rows(small.folder, "municipalities")}
    assert "0855" in codes


SOURCE_OF = {
    "leerlingen": "pupil_registrations",
    "wlz": "wlz_statuses",
    "urenstaat": "provider_timesheets",
    "declaratie": "provider_claims",
    "afwezigheid": "pupil_absence",
}


@pytest.mark.parametrize(
    "source",
    [
        "leerlingen-01FX00",
        "leerlingen-02ZX00",
        "wlz-lijst",
        "urenstaat-01FX00-2026-02",
        "declaratie-41415701-2025-10",
        "declaratie-41415702-2025-10",
    ],
)
def test_every_column_of_the_contract_is_there(small: Made, source: str):
    (path,) = small.folder.glob(f"{source}*")
    contract = SOURCE_OF[source.partition("-")[0]]
    required = {column.name for column in sources()[contract].datasets[0].columns if column.required}
    assert required <= read(path, contract)[0].keys()


def test_bodde_sends_cp1252_with_crlf_and_names_with_accents(small: Made):
    (path,) = small.folder.glob("leerlingen-01FX00*")
    raw = path.read_bytes()
    assert raw.count(b"\r\n") == raw.count(b"\n") > 30
    with pytest.raises(UnicodeDecodeError):
        raw.decode("utf-8")
    text = raw.decode("cp1252")
    assert all(letter in text for letter in "éü’")


def test_leijpark_sends_titles_a_blank_row_and_a_total(small: Made):
    (path,) = small.folder.glob("leerlingen-02ZX00*")
    rows = list(openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True))
    assert "fictief" in rows[0][0]
    assert set(rows[2]) == {None}
    assert rows[-1][:2] == ("Totaal aantal leerlingen", len(rows) - 5)


def test_wlz_list_has_a_byte_order_mark_and_one_date_before_the_peildatum(small: Made):
    (path,) = small.folder.glob("wlz-lijst*")
    assert encoding_of(path) == "utf-8-sig"
    assert {row["list_date"] for row in wlz_of(small.folder)} == {"2025-06-24"}


def test_timesheets_mix_forms_encodings_and_kinds(small: Made):
    files = sorted(small.folder.glob("urenstaat-*"))
    headers = [set(read(path, "provider_timesheets")[0]) for path in files]
    assert {path.suffix for path in files} == {".csv", ".xlsx"}
    assert {encoding_of(path) for path in files if path.suffix == ".csv"} == {"utf-8-sig", "cp1252"}
    for form in ("duration_minutes", "stated_minutes", "begin_minute"):
        assert sum(form in header for header in headers) >= 4
    durations = [
        row["duration_minutes"]
        for path in files
        for row in read(path, "provider_timesheets")
        if "duration_minutes" in row
    ]
    assert any("," in duration for duration in durations)
    assert any(":" in duration for duration in durations)


def test_every_file_says_that_it_is_fictitious(small: Made):
    for path in small.year.files:
        if path.suffix == ".csv":
            assert all(row["opmerking"] == "fictief" for row in _loose(path))
        else:
            assert all("fictief" in str(sheet["A1"].value) for sheet in openpyxl.load_workbook(path).worksheets)


def _loose(path: Path) -> list[dict[str, str]]:
    return read(path, SOURCE_OF[path.name.partition("-")[0]])


@pytest.mark.parametrize("number", [59, 100_001])
def test_a_number_of_pupils_out_of_range_is_refused(tmp_path: Path, number: int):
    with pytest.raises(ZioError, match=r"van 60 tot en met 100000"):
        generate(tmp_path, "2025-2026", number, 1)


@pytest.mark.parametrize(
    ("year", "reason"), [("2021-2022", "geen vakanties bekend"), ("2028-2029", "geen vakanties"), ("2025", "2025-2026")]
)
def test_a_school_year_without_holidays_is_refused(tmp_path: Path, year: str, reason: str):
    with pytest.raises(ZioError, match=reason):
        generate(tmp_path, year, 120, 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("year", ["2022-2023", "2027-2028"])
def test_other_school_years_and_the_fewest_pupils(tmp_path: Path, year: str):
    made = generate(tmp_path, year, 60, 5)
    assert made.counts["pupils"] == 60
    assert {row["school_year"] for row in pupils_of(tmp_path)} == {year}
