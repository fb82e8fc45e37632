"""What a file covers: one year, school, provider, week or month and date of list, or it is refused."""

import pytest

from tests.intake.files import csv_of, deliver, indication, line, pupil, setup_sheets, xlsx_bytes
from zio_pipeline.intake import Delivery


def refused(delivery: Delivery, reason: str) -> None:
    assert delivery.status == "refused"
    assert delivery.accepted == {}
    assert reason in (delivery.reason or "")
    assert (delivery.school_year, delivery.school, delivery.provider, delivery.period) == (None, None, None, None)


def test_the_scope_of_a_pupil_file() -> None:
    delivery = deliver(csv_of(pupil(1), pupil(2)))
    assert (delivery.school_year, delivery.school, delivery.provider, delivery.period) == (
        "2025-2026",
        "02ZX00",
        None,
        None,
    )
    assert delivery.label == f"pupil_registrations-02ZX00-2025-2026-{delivery.content_sha256[:8]}"


def test_the_scope_of_a_timesheet() -> None:
    delivery = deliver(csv_of(line(1), line(2, datum="30-09-2025")))
    assert (delivery.school, delivery.provider, delivery.period) == ("02ZX00", "06012345", "2025-09")
    assert delivery.label.startswith("provider_timesheets-02ZX00-06012345-2025-2026-2025-09-")


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([pupil(1), pupil(2, schooljaar="2024-2025")], "meer dan één schooljaar: 2024-2025, 2025-2026"),
        ([pupil(1), pupil(2, vestiging="01FX00")], "meer dan één vestiging: 01FX00, 02ZX00"),
        ([line(1), line(2, agb="07012345")], "meer dan één agb"),
        ([line(1), line(2), line(3, datum="01-10-2025")], "meer dan één maand: 2025-09, 2025-10"),
        ([line(1, datum="31-07-2025")], "De maand 2025-07 valt niet in het schooljaar 2025-2026"),
        ([line(1, datum="01-08-2026")], "De maand 2026-08 valt niet in het schooljaar 2025-2026"),
        ([indication(1), indication(2, dagtekening="01-07-2025")], "meer dan één dagtekening: 01-07-2025, 24-06-2025"),
    ],
)
def test_two_of_anything_refuse_the_file(rows: list[dict[str, str]], reason: str) -> None:
    delivery = deliver(csv_of(*rows))
    refused(delivery, reason)
    assert (delivery.rows_in, delivery.rows_accepted) == (len(rows), 0)


@pytest.mark.parametrize(
    ("days", "period"),
    [
        (["02-09-2025"], "2025-W36"),
        (["30-09-2025"], "2025-09-W40"),
        (["27-10-2025", "31-10-2025"], "2025-10-W44"),
        (["30-12-2025"], "2025-12-W01"),
        (["01-01-2026"], "2026-01-W01"),
        (["01-09-2025", "05-09-2025"], "2025-W36"),
        (["05-09-2025", "08-09-2025"], "2025-09"),
        (["29-09-2025", "03-10-2025"], "2025-W40"),
        (["29-12-2025", "02-01-2026"], "2026-W01"),
    ],
)
def test_a_timesheet_covers_the_week_its_days_lie_in_or_else_their_month(days: list[str], period: str) -> None:
    """SPEC 2: per month or week; a week that spans two months is a file of its own."""
    delivery = deliver(csv_of(*(line(n, datum=day) for n, day in enumerate(days, start=1))))
    assert (delivery.status, delivery.period) == ("accepted", period)


@pytest.mark.parametrize("day", ["01-08-2025", "31-07-2026"])
def test_the_school_year_runs_from_august_to_july(day: str) -> None:
    assert deliver(csv_of(line(1, datum=day))).status == "accepted"


def test_a_quarantined_row_does_not_decide_the_scope() -> None:
    delivery = deliver(csv_of(pupil(1), pupil(2, vestiging="01FX00", klas="")))
    assert (delivery.status, delivery.school, delivery.rows_quarantined) == ("partly_accepted", "02ZX00", 1)


def test_a_file_without_one_good_row_is_refused_with_all_its_reasons() -> None:
    delivery = deliver(csv_of(pupil(1, klas=""), pupil(2, pgn="1")))
    refused(delivery, "Geen enkele rij")
    assert (delivery.rows_in, delivery.rows_quarantined) == (2, 2)
    assert [r.rule for q in delivery.quarantined for r in q.reasons] == ["required", "pgn"]
    assert delivery.raw_rows.num_rows > 0


@pytest.mark.parametrize("value", ["2025/2026", "2025-2027", "komend jaar"])
def test_the_setup_must_name_its_school_year_exactly(value: str) -> None:
    row = {"instelling": "schooljaar", "waarde": value, "geldig vanaf": "01-08-2025", "bron": "x"}
    refused(deliver(xlsx_bytes(setup_sheets(settings=[row]))), "moet een schooljaar zijn")


def test_the_setup_must_name_one_school_year() -> None:
    row = {"instelling": "schooljaar", "waarde": "2025-2026", "geldig vanaf": "01-08-2025", "bron": "x"}
    other = {**row, "waarde": "2026-2027", "geldig vanaf": "01-08-2026"}
    for settings in ([row, other], [{**row, "instelling": "peildatum"}]):
        refused(deliver(xlsx_bytes(setup_sheets(settings=settings))), "precies één waarde")
