"""No BSN, name, birth date or pupil number of the demo stands anywhere outside the inbox and the vault (SPEC section 8)."""

import csv
import io
import re
import zipfile
from pathlib import Path

import openpyxl

from tests.integration.conftest import SettledYear

PERSONAL_HEADERS = (
    "bsn",
    "pgn",
    "persoonsgebonden nummer",
    "onderwijsnummer",
    "burgerservicenummer",
    "leerlingnummer",
    "roepnaam",
    "achternaam",
    "geboortedatum",
    "medewerker",
)


def personal_values(inbox: Path) -> set[str]:
    """Every value of a personal column in the raw files, as text a person would search for."""
    found: set[str] = set()
    for path in sorted(inbox.glob("leerlingen-*")) + sorted(inbox.glob("wlz-*")):
        rows = _rows(path)
        head = next(
            i for i, row in enumerate(rows) if sum(str(c or "").strip().lower() in PERSONAL_HEADERS for c in row) >= 1
        )
        wanted = [i for i, c in enumerate(rows[head]) if str(c or "").strip().lower() in PERSONAL_HEADERS]
        for row in rows[head + 1 :]:
            found |= {str(row[i]).strip() for i in wanted if i < len(row) and row[i] not in (None, "")}
    return {value.removesuffix(" 00:00:00") for value in found}


def _rows(path: Path) -> list[list]:
    if path.suffix == ".xlsx":
        return [list(row) for sheet in openpyxl.load_workbook(path) for row in sheet.iter_rows(values_only=True)]
    raw = path.read_bytes()
    text = raw.decode("utf-8-sig") if raw.startswith(b"\xef\xbb\xbf") else raw.decode("cp1252")
    return list(csv.reader(io.StringIO(text), delimiter=";"))


def written_bytes(folder: Path) -> dict[Path, bytes]:
    """Everything under the home but what senders wrote and get back (inbox, terugmelding) and the vault; workbooks unzipped,
    so that compression hides nothing."""
    contents = {}
    for path in folder.rglob("*"):
        if not path.is_file() or path.relative_to(folder).parts[0] in ("inbox", "terugmelding", "vault"):
            continue
        data = path.read_bytes()
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                data += b"".join(archive.read(name) for name in archive.namelist())
        contents[path] = data
    return contents


def leaks(contents: dict[Path, bytes], values: set[str]) -> list[str]:
    """Where a value stands as a whole word; a name of three letters may be part of any word."""
    hits = []
    numbers = {v for v in values if re.fullmatch(r"\d{8,9}", v)}
    others = {v for v in values - numbers if len(v) >= 4}
    for path, data in contents.items():
        text = data.decode("utf-8", "replace")
        hits += [f"{path.name}: {word}" for word in sorted(set(re.findall(r"\d{8,9}", text)) & numbers)]
        words = set(re.findall(r"[^\W_][\w'’-]*", text))
        hits += [f"{path.name}: {word}" for word in sorted(words & others)]
        hits += [
            f"{path.name}: {value}"
            for value in sorted(others)
            if re.fullmatch(r"\d{2}-\d{2}-\d{4}|\d{4}-\d{2}-\d{2}", value) and value in text
        ]
    return hits


def test_the_search_finds_what_is_there(settled_year: SettledYear):
    values = personal_values(settled_year.inbox)
    assert len(values) > 1500
    planted = {Path("x"): b"iets 999990019 Fictina"}
    assert leaks(planted, {"999990019", "Fictina"}) == ["x: 999990019", "x: Fictina"]


def test_nothing_personal_outside_inbox_and_vault(settled_year: SettledYear):
    contents = written_bytes(settled_year.folder)
    assert any(path.name == "warehouse.db" for path in contents)
    assert any(path.suffix == ".csv" for path in contents)
    assert leaks(contents, personal_values(settled_year.inbox)) == []


def test_vault_is_for_its_owner_only_and_holds_no_readable_person(settled_year: SettledYear):
    vault = settled_year.folder / "vault"
    values = {value for value in personal_values(settled_year.inbox) if len(value) >= 8}
    for path in vault.rglob("*"):
        if path.is_file():
            assert path.stat().st_mode & 0o077 == 0
            text = path.read_bytes().decode("latin-1")
            assert not values & set(re.findall(r"\d{8,9}", text))


def test_what_a_sender_gets_back_is_for_the_owner_only(settled_year: SettledYear):
    folder = settled_year.folder / "terugmelding"
    workbooks = list(folder.glob("*.xlsx"))
    assert workbooks
    assert folder.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in workbooks)
