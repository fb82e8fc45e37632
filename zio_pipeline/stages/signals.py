"""Signals about hours, missing weeks, and telling people about both.

Belongs here: reading the lines and calendars of an established year, one pure call each, publishing `hour_signals`,
`missing_statements` and `alerts`. Does not belong here: the rules (`hours`), the way a message goes (`resources.notifier`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from resources.home import Home
from resources.notifier import Notifier
from zio_pipeline.hours.alerts import Alert, alerts, is_well
from zio_pipeline.hours.delivery import delivery_control
from zio_pipeline.hours.deviations import strays_from_plan, sudden_changes
from zio_pipeline.hours.missing import handed_in, missing_statements, overdue_deliveries
from zio_pipeline.hours.signals import line_signals
from zio_pipeline.school_year import SchoolYear
from zio_pipeline.stages.hours import asked_months, hours_year, read_lines
from zio_pipeline.stages.publishing import publish, trusted_rows
from zio_pipeline.stages.timesheets import TIMESHEETS, months_of

Rows = list[dict[str, Any]]


def publish_hour_signals(home: Home, school_year: str, as_of: date, month: str | None = None) -> Rows:
    """Publish `hour_signals` of one month, or of every month of the year, each in place of itself only.

    A week is held against the earlier months as their files are today, whatever was published of them.

    Args:
        home: where everything is kept.
        school_year: key of an established year.
        as_of: the business date; delivery of a month whose timesheets are not due yet is not judged.
        month: `2025-10`.

    Returns:
        The rows of those months.

    Raises:
        EstablishmentBlocked: the year is not established.
        ZioError: the month is not of this school year.
    """
    asked = asked_months(school_year, month)
    year = hours_year(home, school_year)
    control: Rows = []
    made: Rows = []
    for one in (m for m in SchoolYear.parse(school_year).months() if m <= asked[-1]):
        with read_lines(home, school_year, one, year) as connection:
            control += delivery_control(connection, year.setup, year.open_days, one)
            if one not in asked:
                continue
            rows = line_signals(connection, year.open_days, school_year, one)
        settings = year.setup.settings
        grace, tolerance = settings.timesheet_grace_days, settings.delivery_tolerance_permille
        rows += sudden_changes(control, year.open_days, school_year, one, as_of=as_of, grace_days=grace)
        rows += strays_from_plan(control, school_year, one, as_of=as_of, grace_days=grace, tolerance_permille=tolerance)
        made += rows
    scope = {"school_year": school_year} | ({"month": month} if month else {})
    publish(home, {"hour_signals": made}, scope, per="month")
    return made


def publish_missing(home: Home, school_year: str, as_of: date) -> Rows:
    """Publish `missing_statements`: what every class with hours owes on the business date.

    Raises:
        EstablishmentBlocked: the year is not established.
    """
    year = hours_year(home, school_year)
    found = []
    for month in year.setup.settings.school_year.months():  # a month at a time: a year of lines need not fit in memory
        with read_lines(home, school_year, month, year) as connection:
            found += handed_in(connection, as_of)
    rows = missing_statements(found, year.setup, year.open_days, as_of, year.setup.settings.timesheet_grace_days)
    publish(home, {"missing_statements": rows}, {"school_year": school_year})
    return rows


def overdue(home: Home, school_year: str, as_of: date) -> list[tuple[str, str, str]]:
    """(provider, school, month) of which no timesheet counts although it is overdue on the business date.

    Raises:
        EstablishmentBlocked: the year is not established.
    """
    year = hours_year(home, school_year)
    files = home.warehouse.active(TIMESHEETS, school_year)
    delivered = {(e.provider, e.school, month) for e in files if e.provider and e.school for month in months_of(e)}
    return overdue_deliveries(delivered, year.setup, year.open_days, as_of, year.setup.settings.timesheet_grace_days)


@dataclass(frozen=True)
class Notified:
    """The messages that went out, and those that did not: they are in the log, and are tried again on the next run."""

    sent: Sequence[Alert]
    failed: Sequence[Alert]


def notify(home: Home, school_year: str, as_of: date, notifier: Notifier, month: str | None = None) -> Notified:
    """Tell what stands in `hour_signals` and `missing_statements`: of each month what is not the last that was told there.

    What was told is kept in the table `alerts`, written after the message went out: a process killed in between tells it again,
    and never not. A month that is well again is told too, and stands in `alerts` as such: what comes back then is told again.
    Who looks back to a day before the last message of a month and channel sends nothing there: less was overdue then, and that is
    no news.

    Raises:
        EstablishmentBlocked: the year is not established.
        NotProved: a table lacks a valid verdict.
    """
    asked = asked_months(school_year, month)
    setup = hours_year(home, school_year).setup
    months = [m for m in asked if home.warehouse.rows("hour_signals", school_year=school_year, month=m)]
    signals = [row for m in months for row in trusted_rows(home, "hour_signals", school_year=school_year, month=m)]
    missing = trusted_rows(home, "missing_statements", school_year=school_year)
    told = _last_told(home, school_year, notifier.channel)
    troubled = [m for m, row in told.items() if not is_well(row)]
    fictitious = setup.settings.fictitious
    sent, failed = [], []
    for alert in alerts(signals, missing, school_year, as_of, fictitious=fictitious, month=month, troubled=troubled):
        before = told.get(alert.month)
        if before is not None and (before["alert_key"] == alert.key or as_of < before["sent_on"]):
            continue
        if notifier.send(alert.subject, alert.body):
            _remember(home, alert, notifier.channel, as_of, 1 if before is None else before["sequence"] + 1)
            sent.append(alert)
        else:
            failed.append(alert)
    return Notified(sent, failed)


def _last_told(home: Home, school_year: str, channel: str) -> dict[str, dict[str, Any]]:
    """The last row of `alerts` of every month of which something was told."""
    rows = home.warehouse.rows("alerts", school_year=school_year, channel=channel)
    return {row["month"]: row for row in sorted(rows, key=lambda row: row["sequence"])}


def _remember(home: Home, alert: Alert, channel: str, as_of: date, sequence: int) -> None:
    key = {"school_year": alert.school_year, "month": alert.month, "channel": channel, "sequence": sequence}
    names = ("subject", "missing_weeks", "serious_signals")
    told = {"alert_key": alert.key, "sent_on": as_of} | {name: getattr(alert, name) for name in names}
    publish(home, {"alerts": [key | told]}, key)
