"""Everything on hours of an established year in one go, so that no table on hours is older than another.

Belongs here: which tables those are. Does not belong here: how each of them is made (the stage of its name).
"""

from datetime import date

from resources.home import Home
from zio_pipeline.stages.faces import publish_faces
from zio_pipeline.stages.hours import Publication, publish_summary
from zio_pipeline.stages.lawfulness import publish_lawfulness
from zio_pipeline.stages.recalibration import publish_recalibration
from zio_pipeline.stages.signals import publish_hour_signals, publish_missing
from zio_pipeline.stages.wlz_hours import publish_wlz_hours


def publish_hours(home: Home, school_year: str, as_of: date) -> Publication:
    """Publish every table on hours of a year as it stands on a day; what was delivered, and what that changed.

    Tells nobody anything (`signals.notify`) and draws no sample (`zio lawfulness --seed`).

    Raises:
        EstablishmentBlocked: the year is not established.
        SetupError: a school has no calendar.
        NotProved: shares or terms lack a valid verdict.
    """
    made = publish_summary(home, school_year)
    publish_hour_signals(home, school_year, as_of)
    publish_missing(home, school_year, as_of)
    publish_faces(home, school_year)
    publish_wlz_hours(home, school_year, as_of)
    publish_lawfulness(home, school_year, as_of)
    publish_recalibration(home, school_year, as_of)
    return made
