"""The clock: the only place that asks which day it is, in the Netherlands.

Belongs here: today. Does not belong here: anything that computes with it; the business date is a parameter everywhere else.
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def today() -> date:
    """The calendar day in the Netherlands."""
    return datetime.now(AMSTERDAM).date()
