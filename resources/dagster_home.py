"""The outside world as Dagster resources: the home, and the clock that says which day it is in the Netherlands.

Belongs here: the thin wrappers. Does not belong here: the stores themselves, which work without Dagster.
"""

from datetime import date
from pathlib import Path

import dagster as dg

from resources import clock
from resources.home import Home


class HomeResource(dg.ConfigurableResource[Home]):
    """Opens the home for one step. Without a folder it is `ZIO_HOME`, else `.zio`."""

    folder: str = ""

    def open(self) -> Home:
        return Home.open(Path(self.folder) if self.folder else None)


class ClockResource(dg.ConfigurableResource[None]):
    """The business date of a run that nobody gave one: today in the Netherlands, or a fixed day (tests, replays)."""

    fixed: str = ""

    def today(self) -> date:
        return date.fromisoformat(self.fixed) if self.fixed else clock.today()


class BusinessDate(dg.Config):
    """The business date of a run. Schedules give the day they ticked for; left empty it is what the clock says."""

    as_of: str = ""

    def on(self, clock: ClockResource) -> date:
        return date.fromisoformat(self.as_of) if self.as_of else clock.today()
