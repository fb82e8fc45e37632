"""The proposal of hours for next year, and what it would mean per payer; both become tables, neither changes anything.

Belongs here: reading the established year and its timesheets, a month at a time, and publishing. Does not belong here: which weeks
were measured (`hours.class_weeks`), the proposal and its euros (`hours.recalibration`, `hours.recalibration_effect`).
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from resources.home import Home
from zio_pipeline.errors import EstablishmentBlocked
from zio_pipeline.hours.class_weeks import Said, class_weeks, said
from zio_pipeline.hours.recalibration import RULES, Rules, proposals, recalibration_rows
from zio_pipeline.hours.recalibration_effect import effect_rows
from zio_pipeline.hours.signals import line_signals
from zio_pipeline.payer import decide_payers
from zio_pipeline.periods import month_of
from zio_pipeline.stages.hours import HoursYear, hours_year, read_lines
from zio_pipeline.stages.inputs import base_of, signed_inputs
from zio_pipeline.stages.publishing import publish
from zio_pipeline.stages.timesheets import months_with_lines

RECALIBRATION_TABLES = ("recalibration", "recalibration_effect")


def publish_recalibration(
    home: Home, school_year: str, as_of: date, rules: Rules = RULES
) -> dict[str, list[dict[str, Any]]]:
    """Publish `recalibration` and `recalibration_effect` of an established year.

    Args:
        home: where everything is kept.
        school_year: key of the year that was measured.
        as_of: the business date: weeks that were not over by then are still to come.
        rules: when to trust a measurement, and in which steps to propose.

    Raises:
        EstablishmentBlocked: the year is not established: until then nothing was granted.
        SetupError: a holiday of a school is not known.
        NotProved: the shares in force are not those that were signed for.
    """
    standing = home.warehouse.establishment(school_year)
    if standing is None:
        raise EstablishmentBlocked(
            [
                f"schooljaar {school_year} is nog niet vastgesteld; tot dan is er niets toegekend om uren naast te leggen."
            ]
        )
    year = hours_year(home, school_year)
    weeks = class_weeks(_said(home, school_year, year, as_of), year.setup, year.open_days, as_of)
    found = proposals(year.setup, weeks, rules)
    outcome = decide_payers(year.setup, signed_inputs(home, standing).payer)
    base = base_of(home, standing, year.setup, reason="recalibration")
    tables = {
        "recalibration": recalibration_rows(year.setup, standing.version, as_of, found),
        "recalibration_effect": effect_rows(year.setup, found, outcome, base),
    }
    publish(home, tables, {"school_year": school_year})
    return tables


def _said(home: Home, school_year: str, year: HoursYear, as_of: date) -> Iterator[Said]:
    for month in months_with_lines(home, school_year):
        if month <= month_of(as_of):
            with read_lines(home, school_year, month, year) as lines:
                yield from said(lines, line_signals(lines, year.open_days, school_year, month), as_of)
