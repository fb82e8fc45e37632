"""The Wlz side of hours, per month: established shares, planning, timesheets and, where delivered, absences.

Belongs here: reading them, only with proof, and publishing. Absences are read here and nowhere else: what leaves is minutes.
Does not belong here: the rules (`hours.wlz`, `hours.planning`).
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from resources.establishments import Establishment
from resources.home import Home
from zio_pipeline.errors import EstablishmentBlocked, ZioError
from zio_pipeline.establishment import require_signed
from zio_pipeline.figures import stamped
from zio_pipeline.hours.planning import order_days, plans
from zio_pipeline.hours.wlz import (
    Absences,
    AbsentDays,
    Group,
    Minutes,
    absent_days,
    key_of,
    wlz_hours,
)
from zio_pipeline.manifest import ManifestEntry
from zio_pipeline.open_days import OpenDays
from zio_pipeline.payer import Decision, decide_payers
from zio_pipeline.settings import Settings
from zio_pipeline.setup import Order
from zio_pipeline.stages.hours import HoursYear, asked_months, hours_year, read_lines
from zio_pipeline.stages.inputs import newest_setup, signed_inputs
from zio_pipeline.stages.publishing import publish, trusted_rows
from zio_pipeline.stages.standing import accepted_rows, quarantined_rows

ABSENCE = "pupil_absence"
KEY_TABLES = ("doelgroep_budgets", "funding_split", "share_details")
"""What the key follows from."""
_DELIVERED = "select order_id, doelgroep, sum(minutes)::bigint from line where status = 'delivered' group by all"


def publish_wlz_hours(home: Home, school_year: str, as_of: date, month: str | None = None) -> list[dict[str, Any]]:
    """Publish `wlz_hours` of one month of an established year, or of every month, each in place of itself only.

    The key and the classes are those that were established. Planning and absence go by the newest calendar, and the newest
    workbook says when planning counts as delivery: that follows the law, which may change in the course of the year, and moves no
    amount.

    Args:
        home: where everything is kept.
        school_year: key of the year.
        as_of: the business date; a month that has not begun has no volume.
        month: `2025-10`.

    Raises:
        EstablishmentBlocked: the year is not established, so there is no key.
        NotProved: the shares lack a valid verdict, or are not those that were signed for.
        SetupError: the holidays of a school are not known.
        ZioError: absences stand under another pseudonym key than the pupils of the year, or the month is not of this school year.
    """
    months = asked_months(school_year, month)
    standing = home.warehouse.establishment(school_year)
    if standing is None:
        raise EstablishmentBlocked(
            [f"schooljaar {school_year} is nog niet vastgesteld; er is nog geen verdeelsleutel."]
        )
    year = hours_year(home, school_year)
    key = key_of(*(_signed(home, standing, name) for name in KEY_TABLES))
    grounds = newest_setup(home, school_year).settings.planning_grounds
    absence = pupil_absence(home, standing, year)
    rows = []
    for one in months:
        found = wlz_hours(one, key, _minutes(home, year, one), absence.measured(one), grounds, as_of=as_of)
        rows += stamped(found, year.setup, standing.version)
    scope = {"school_year": school_year, "version": standing.version} | ({"month": month} if month else {})
    publish(home, {"wlz_hours": rows}, scope, per="month")
    return rows


def _signed(home: Home, standing: Establishment, name: str) -> list[dict[str, Any]]:
    rows = trusted_rows(home, name, school_year=standing.school_year, version=standing.version)
    require_signed(standing.receipt, {name: rows})
    return rows


def _minutes(home: Home, year: HoursYear, month: str) -> dict[Group, Minutes]:
    """Planned and delivered minutes of every doelgroep in a month."""
    groups = {c.key: Group(c.order_id, c.doelgroep) for c in year.setup.classes}
    planned, delivered = Counter[Group](), Counter[Group]()
    for plan in plans(year.setup, year.open_days, month):
        planned[groups[plan.school, plan.class_code]] += plan.minutes
    with read_lines(home, year.setup.settings.school_year.key, month, year) as lines:
        for order_id, doelgroep, minutes in lines.execute(_DELIVERED).fetchall():
            delivered[Group(order_id, doelgroep)] += minutes
    return {group: Minutes(planned[group], delivered[group]) for group in planned | delivered}


@dataclass(frozen=True)
class PupilAbsence:
    """What schools delivered of absence, beside the pupils of each order and the days on which it holds."""

    orders: Sequence[Order]
    days: Mapping[str, OpenDays]
    lists: Mapping[str, Absences]
    pupils: Mapping[str, Sequence[Decision]]

    def measured(self, month: str) -> dict[str, AbsentDays]:
        """Pupil-days of absence per order whose school delivered them over the whole month; the other orders are not measured."""
        found = {
            o.order_id: absent_days(month, self.days[o.order_id], self.lists[o.school], self.pupils[o.order_id])
            for o in self.orders
            if o.school in self.lists and o.order_id in self.days
        }
        return {order_id: absent for order_id, absent in found.items() if absent is not None}


def pupil_absence(home: Home, standing: Establishment, year: HoursYear) -> PupilAbsence:
    """Read what was delivered of absence in the established year.

    Raises:
        ZioError: absences stand under another pseudonym key than the pupils of the year.
    """
    inputs = signed_inputs(home, standing)
    lists = _absences(home, year.setup.settings, {file["key_id"] for file in inputs.files})
    pupils = defaultdict(list)
    for decision in decide_payers(year.setup, inputs.payer).decisions if lists else ():
        pupils[decision.order_id].append(decision)
    return PupilAbsence(year.setup.orders, order_days(year.setup, year.open_days), lists, pupils)


def _absences(home: Home, settings: Settings, keys: set[str]) -> dict[str, Absences]:
    """What counts of each school; nothing of a school with a row in quarantine, because then it is not complete."""
    found = {}
    for entry in home.warehouse.active(ABSENCE, settings.school_year.key):
        if entry.key_id not in keys:
            raise ZioError(
                f"{entry.label}: de afwezigheid staat onder een andere pseudoniemsleutel dan de leerlingen van schooljaar "
                f"{settings.school_year}. Herstel de sleutel en lees opnieuw in (zio reread)."
            )
        if entry.school and not quarantined_rows(home, entry):
            found[entry.school] = _list(home, entry, settings)
    return found


def _list(home: Home, entry: ManifestEntry, settings: Settings) -> Absences:
    """No file can be complete for days that had still to come; those of a fictitious year are dropped all at once."""
    rows = accepted_rows(home, entry, ABSENCE)
    periods: dict[str, list[tuple[date, date | None]]] = defaultdict(list)
    for row in rows:
        periods[row["pupil"]].append((row["absent_from"], row["absent_to"]))
    stated: date = max(row["list_date"] for row in rows)  # the same in every row (intake.scope)
    return Absences(stated if settings.fictitious else min(stated, entry.received_on), periods)
