"""The proposal of hours for next year, and what it would mean per payer; both become tables, neither changes anything.

Belongs here: reading the established year and its timesheets, and publishing. Does not belong
here: the proposal and its euros (`hours.recalibration`, `hours.recalibration_effect`).
"""

from typing import Any

from resources.home import Home
from zio_pipeline.errors import EstablishmentBlocked
from zio_pipeline.hours.recalibration import RULES, Rules, class_weeks, proposals, recalibration_rows
from zio_pipeline.hours.recalibration_effect import effect_rows
from zio_pipeline.payer import decide_payers
from zio_pipeline.stages.hours import hours_year, read_lines
from zio_pipeline.stages.inputs import base_of, signed_inputs
from zio_pipeline.stages.publishing import publish

RECALIBRATION_TABLES = ("recalibration", "recalibration_effect")


def publish_recalibration(home: Home, school_year: str, rules: Rules = RULES) -> dict[str, list[dict[str, Any]]]:
    """Publish `recalibration` and `recalibration_effect` of an established year.

    Args:
        home: where everything is kept.
        school_year: key of the year that was measured.
        rules: when to trust a measurement, and in which steps to propose.

    Raises:
        EstablishmentBlocked: the year is not established: until then nothing was granted.
        SetupError: a holiday of a school is not known, or the contributions would exceed their order under the proposal.
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
    with read_lines(home, school_year, year=year) as connection:
        found = proposals(year.setup, class_weeks(connection, year.setup, year.open_days), rules)
    outcome = decide_payers(year.setup, signed_inputs(home, standing).payer)
    base = base_of(home, standing, year.setup, reason="recalibration")
    tables = {
        "recalibration": recalibration_rows(year.setup, standing.version, found),
        "recalibration_effect": effect_rows(year.setup, found, outcome, base),
    }
    publish(home, tables, {"school_year": school_year})
    return tables
