"""Which lines of timesheets count: of every day those of the newest file that covers it.

Belongs here: files per week and per month beside each other (SPEC section 2). Does not belong here: which file of one and the same
period counts (the manifest), what a line is (`hours.lines`).

A file covers its whole week or month: a newer file of week 40 takes the place of those days in the file of October, and a newer
file of October takes the place of what the file of week 40 says of October, and not of September.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from resources.home import Home
from zio_pipeline.hours.lines import Timesheet
from zio_pipeline.manifest import ManifestEntry
from zio_pipeline.periods import days_of, month_of, shared_days
from zio_pipeline.school_year import SchoolYear
from zio_pipeline.stages.standing import accepted_table

TIMESHEETS = "provider_timesheets"

Days = tuple[date, date]
"""A first and a last day."""


def timesheets(home: Home, school_year: str, month: str | None = None) -> Iterator[Timesheet]:
    """The lines that count of a school year, of one month or of all, file by file.

    Args:
        home: where everything is kept.
        school_year: key of the year.
        month: `2025-10`; of a week that goes on in another month only its days of this one.
    """
    # A content that was read again keeps its place.
    everything = home.warehouse.manifest(source=TIMESHEETS, school_year=school_year)
    order = {entry.content_sha256: entry.sequence for entry in reversed(everything)}
    active = sorted(home.warehouse.active(TIMESHEETS, school_year), key=lambda entry: order[entry.content_sha256])
    for entry, rows in counting_lines(home, active, month):
        yield Timesheet(entry.label, rows, entry.received_on)


def counting_lines(
    home: Home, files: Sequence[ManifestEntry], period: str | None
) -> Iterator[tuple[ManifestEntry, pa.Table]]:
    """Of every file its lines of a period that no later file covers.

    Args:
        home: where everything is kept.
        files: in the order in which they take effect, the oldest first; one reading of a content.
        period: a month, a week or a part of one; None is every day.
    """
    for place, entry in enumerate(files):
        asked = shared_days(entry.period, period)
        if asked is None:
            continue
        newer = [days for other in files[place + 1 :] if (days := entry.shared_days(other))]
        rows = accepted_table(home, entry, TIMESHEETS)
        yield entry, rows if not newer and asked == days_of(entry.period) else on_days(rows, asked, newer)


def months_with_lines(home: Home, school_year: str) -> list[str]:
    """The months of which a timesheet counts, in order."""
    return sorted({month for entry in home.warehouse.active(TIMESHEETS, school_year) for month in months_of(entry)})


def months_of(entry: ManifestEntry) -> set[str]:
    """The month, or the one or two months of the week, that a timesheet covers; all of its own school year."""
    months = {month_of(day) for day in days_of(entry.period)}
    return months.intersection(SchoolYear.parse(entry.school_year or "").months())


def on_days(rows: pa.Table, days: Days, without: Iterable[Days] = ()) -> pa.Table:
    """The lines of a timesheet that were worked on these days, but for those."""
    kept = _between(rows, days)
    for others in without:
        kept = pc.and_not(kept, _between(rows, others))
    return rows.filter(kept)


def _between(rows: pa.Table, days: Days) -> pa.ChunkedArray:
    worked = rows["work_date"]
    return pc.and_(pc.greater_equal(worked, days[0]), pc.less_equal(worked, days[1]))
