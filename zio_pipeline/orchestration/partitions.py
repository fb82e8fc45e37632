"""Partition keys a finance officer reads: `2025-2026`, `2025-09`, `2025-2026-H1`.

Static partitions from our own calendar: Dagster's time windows map a school year that begins in an excluded month wrongly.
"""

import dagster as dg

from zio_pipeline.school_year import SchoolYear

SCHOOL_YEARS = tuple(SchoolYear(first) for first in range(2022, 2036))

school_years = dg.StaticPartitionsDefinition([year.key for year in SCHOOL_YEARS])
months = dg.StaticPartitionsDefinition([month for year in SCHOOL_YEARS for month in year.months()])
halves = dg.StaticPartitionsDefinition([year.half_key(half) for year in SCHOOL_YEARS for half in (1, 2)])

year_to_months = dg.StaticPartitionMapping({year.key: set(year.months()) for year in SCHOOL_YEARS})
"""A month is made from its whole school year."""
year_to_halves = dg.StaticPartitionMapping({year.key: {year.half_key(1), year.half_key(2)} for year in SCHOOL_YEARS})

months_to_year = dg.StaticPartitionMapping({month: year.key for year in SCHOOL_YEARS for month in year.months()})
"""A year is finished from all its months."""
halves_to_year = dg.StaticPartitionMapping({year.half_key(half): year.key for year in SCHOOL_YEARS for half in (1, 2)})


def year_of(key: str) -> str:
    """School year of any partition key: `2026-01` -> `2025-2026`, `2025-2026-H2` -> `2025-2026`."""
    return _YEAR_OF[key]


_YEAR_OF = {
    key: year.key for year in SCHOOL_YEARS for key in (year.key, *year.months(), year.half_key(1), year.half_key(2))
}
