"""Fixed faces of a school year, out of the timesheets that count.

Belongs here: reading them a month at a time and publishing. Does not belong here: the counts (`hours.faces`).
"""

from collections.abc import Iterator
from typing import Any

from resources.home import Home
from zio_pipeline.hours.faces import Presence, fixed_faces, presence
from zio_pipeline.stages.hours import HoursYear, hours_year, read_lines
from zio_pipeline.stages.publishing import publish
from zio_pipeline.stages.timesheets import months_with_lines


def publish_faces(home: Home, school_year: str) -> list[dict[str, Any]]:
    """Publish `fixed_faces`: every month of the year that has timesheets.

    The whole year at once: what a late file says of October decides who was new in November.

    Raises:
        EstablishmentBlocked: the year is not established, so no class has a doelgroep yet.
    """
    rows = fixed_faces(school_year, _presences(home, school_year, hours_year(home, school_year)))
    publish(home, {"fixed_faces": rows}, {"school_year": school_year})
    return rows


def _presences(home: Home, school_year: str, year: HoursYear) -> Iterator[Presence]:
    for month in months_with_lines(home, school_year):
        with read_lines(home, school_year, month, year) as lines:
            yield presence(lines)
