"""Signals about hours, missing weeks, and telling people about both.

Belongs here: reading the lines and calendars of an established year, one pure call each, publishing `hour_signals`,
`missing_statements` and `alerts`. Does not belong here: the rules (`hours`), the way a message goes (`resources.notifier`).
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from resources.home import Home
from resources.notifier import Notifier
from zio_pipeline.errors import ZioError
from zio_pipeline.hours.alerts import Alert, alerts
from zio_pipeline.hours.delivery import delivery_control
from zio_pipeline.hours.deviations import strays_from_plan, sudden_changes
from zio_pipeline.hours.missing import handed_in, missing_statements, overdue_deliveries
from zio_pipeline.hours.signals import line_signals
from zio_pipeline.school_year import SchoolYear
from zio_pipeline.stages.hours import HoursYear, hours_year, read_lines
from zio_pipeline.stages.publishing import publish, trusted_rows
from zio_pipeline.stages.timesheets import counting_timesheets, months_of

Rows = list[dict[str, Any]]


def publish_hour_signals(home: Home, school_year: str, as_of: date, month: str | None = None) -> Rows:
    """Publish `hour_signals` of one month, or of every month of the year, each in place of itself only.

    A week is held against the earlier months as they were published (`delivery_control`); what was not published yet is counted
    from the lines.

    Args:
        home: where everything is kept.
        school_year: key of an established year.
        as_of: the business date; delivery of a month that is not over is not judged.
        month: `2025-10`.

    Returns:
        The rows of those months.

    Raises:
        EstablishmentBlocked: the year is not established.
        NotProved: an earlier month that stands lacks a valid verdict.
        ZioError: the month is not of this school year.
    """
    asked = _months(school_year, month)
    year = hours_year(home, school_year)
    control: Rows = []
    made: Rows = []
    for one in (m for m in SchoolYear.parse(school_year).months() if m <= asked[-1]):
        if one not in asked:
            control += _control_before(home, year, school_year, one)
            continue
        with read_lines(home, school_year, one, year) as connection:
            rows = line_signals(connection, year.open_days, school_year, one)
            control += delivery_control(connection, year.setup, year.open_days, one)
        rows += sudden_changes(control, year.open_days, school_year, one)
        rows += strays_from_plan(control, school_year, one, as_of, year.setup.settings.delivery_tolerance_permille)
        made += rows
    scope = {"school_year": school_year} | ({"month": month} if month else {})
    publish(home, {"hour_signals": made}, scope, per="month")
    return made


def _control_before(home: Home, year: HoursYear, school_year: str, month: str) -> Rows:
    scope = {"school_year": school_year, "month": month}
    if home.warehouse.rows("delivery_control", **scope):
        return trusted_rows(home, "delivery_control", **scope)
    with read_lines(home, school_year, month, year) as connection:
        return delivery_control(connection, year.setup, year.open_days, month)


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
    files = counting_timesheets(home, school_year)
    delivered = {(e.provider, e.school, month) for e in files if e.provider and e.school for month in months_of(e)}
    return overdue_deliveries(delivered, year.setup, year.open_days, as_of, year.setup.settings.timesheet_grace_days)


def notify(home: Home, school_year: str, as_of: date, notifier: Notifier, month: str | None = None) -> Sequence[Alert]:
    """Tell what stands in `hour_signals` and `missing_statements`, each state of a month once per channel.

    What was told is kept in the table `alerts`, written after the message went out: a process killed in between tells it again,
    and never not. A message that could not be sent is in the log, and is tried again on the next run.

    Returns:
        The messages that went out now.

    Raises:
        EstablishmentBlocked: the year is not established.
        NotProved: a table lacks a valid verdict.
    """
    asked = _months(school_year, month)
    setup = hours_year(home, school_year).setup
    months = [m for m in asked if home.warehouse.rows("hour_signals", school_year=school_year, month=m)]
    signals = [row for m in months for row in trusted_rows(home, "hour_signals", school_year=school_year, month=m)]
    missing = trusted_rows(home, "missing_statements", school_year=school_year)
    told = {(row["alert_key"], row["channel"]) for row in home.warehouse.rows("alerts", school_year=school_year)}
    fictitious = setup.settings.fictitious
    sent = []
    for alert in alerts(signals, missing, school_year, as_of, fictitious=fictitious, month=month):
        if (alert.key, notifier.channel) not in told and notifier.send(alert.subject, alert.body):
            _remember(home, alert, notifier.channel, as_of)
            sent.append(alert)
    return sent


def _remember(home: Home, alert: Alert, channel: str, as_of: date) -> None:
    key = {"school_year": alert.school_year, "alert_key": alert.key, "channel": channel}
    names = ("month", "subject", "missing_weeks", "serious_signals")
    publish(home, {"alerts": [key | {"sent_on": as_of} | {name: getattr(alert, name) for name in names}]}, key)


def _months(school_year: str, month: str | None) -> tuple[str, ...]:
    months = SchoolYear.parse(school_year).months()
    if month not in (None, *months):
        raise ZioError(
            f"Maand {month} valt niet in schooljaar {school_year}; kies {months[0]} tot en met {months[-1]}."
        )
    return months if month is None else (month,)
