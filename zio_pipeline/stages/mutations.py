"""Mutations of an established year: which there were, and the shadow of them; both become tables, neither changes anything.

Belongs here: reading what later files say and the situation of a day, and publishing. Does not belong here: the comparison
and the shadow themselves (`zio_pipeline.mutations`).
"""

from datetime import date
from typing import Any

from resources.home import Home
from zio_pipeline.errors import EstablishmentBlocked
from zio_pipeline.mutations import mutation_rows
from zio_pipeline.payer import decide_payers
from zio_pipeline.setup import read_setup
from zio_pipeline.shadow import shadow_shares
from zio_pipeline.stages.inputs import base_of, current_inputs, later_than_signed, signed_inputs
from zio_pipeline.stages.publishing import publish


def publish_mutations(home: Home, school_year: str, as_of: date) -> dict[str, list[dict[str, Any]]]:
    """Publish `mutations` and `shadow_shares` of an established year.

    Args:
        home: where everything is kept.
        school_year: key of the year.
        as_of: the day whose situation would be the key in the shadow; after the school year its last day, and before the
            startdatum there is no shadow yet.

    Raises:
        EstablishmentBlocked: the year is not established, a source is missing now, or a file that counts now holds its
            pupils under another pseudonym key.
    """
    standing = home.warehouse.establishment(school_year)
    if standing is None:
        raise EstablishmentBlocked(
            [f"schooljaar {school_year} is nog niet vastgesteld; tot dan zijn er geen mutaties."]
        )
    later = later_than_signed(home, school_year)
    if later.not_comparable:
        raise EstablishmentBlocked(
            [
                f"{label}: een andere pseudoniemsleutel dan die van het vastgestelde jaar; lees opnieuw in (zio reread)."
                for label in later.not_comparable
            ]
        )
    signed = signed_inputs(home, standing)
    setup = read_setup(signed.sheets)
    established = decide_payers(setup, signed.payer)
    base = base_of(home, standing, setup, reason="mutation")
    settings = setup.settings
    day = min(as_of, settings.school_year.last_day)
    begun = day >= settings.start_date
    tables = {
        "mutations": mutation_rows(later.differences, setup, established.decisions),
        "shadow_shares": (
            shadow_shares(setup, base, established, current_inputs(home, school_year).payer, day) if begun else []
        ),
    }
    publish(home, tables, {"school_year": school_year})
    return tables
