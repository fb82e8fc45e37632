"""A workbook whose calendar cannot be right is refused where it comes in, and the good one that stands goes on."""

from datetime import date
from pathlib import Path

import openpyxl
import pytest

from resources.home import Home
from zio_pipeline.demo import generate
from zio_pipeline.stages import receiving

JULY = date(2025, 7, 15)
YEAR = "2025-2026"


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workbook of a demo year."""
    inbox = tmp_path_factory.mktemp("calendars") / "inbox"
    generate(inbox, YEAR, 60, 5)
    return next(path for path in inbox.iterdir() if path.name.startswith("inrichting"))


def offered(home: Home, workbook: Path, *closures: tuple[date, date]) -> list[dict[str, str]]:
    """What becomes of the workbook with these holidays of Leijpark beside its own."""
    book = openpyxl.load_workbook(workbook)
    sheet = book["kalender"]
    header = next(row for row in sheet.iter_rows(values_only=True) if "vestiging" in row)
    for first, last in closures:
        values = {"vestiging": "02ZX00", "vanaf": first, "tot en met": last, "soort": "vakantie", "bron": "fictief"}
        sheet.append([values.get(name) for name in header])
    home.inbox.mkdir(parents=True, exist_ok=True)
    book.save(home.inbox / f"inrichting-{len(closures)}.xlsx")
    receiving.receive(home, home.inbox, JULY)
    return home.warehouse.rows("deliveries", source="school_year_setup")


def test_last_christmas_and_nine_weeks_more_are_refused_with_their_reason(
    workbook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "audit_deliveries", lambda *_, **__: None)
    home = Home.open(tmp_path / "home", {})
    assert [row["status"] for row in offered(home, workbook)] == ["accepted"]
    weeks = [(date(2026, m, d), date(2026, m, d + 18)) for m, d in ((1, 5), (3, 2), (6, 1))]
    rows = offered(home, workbook, (date(2024, 12, 21), date(2025, 1, 5)), *weeks)
    assert sorted(row["status"] for row in rows) == ["accepted", "refused"]
    (active,) = home.warehouse.active("school_year_setup", YEAR)
    assert active.content_sha256 == next(row["content_sha256"] for row in rows if row["status"] == "accepted")
    told = " ".join(str(value) for row in rows if row["status"] == "refused" for value in row.values())
    assert (
        "de sluiting van 21-12-2024 tot en met 05-01-2025 van vestiging 02ZX00 ligt niet in schooljaar 2025-2026"
        in told
    )
    assert "170 tot 212 is aannemelijk" in told
