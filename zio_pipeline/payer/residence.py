"""Rules 4 to 6: who pays when the Wlz does not: age on the startdatum, and the municipality on the peildatum.

Belongs here: woonplaatsbeginsel (Jeugdwet 1.1, since 1-1-2022) as far as a school file can show it; never a guess.
Does not belong here: what a besluit decides.
"""

from zio_pipeline.payer.model import Row, Verdict, age_on
from zio_pipeline.reference import municipalities
from zio_pipeline.settings import Settings

NETHERLANDS = {"", "nl", "nld", "nederland", "the netherlands"}
EVIDENCE = {
    "confirmed": "bevestigd door de gemeente",
    "brp": "BRP",
    "school": "opgave van de school",
    "address": "alleen het adres",
}
_WORK_REASON = {"abroad": "abroad", "missing": "municipality_missing", "split": "municipality_split"}


def residence_verdict(row: Row, settings: Settings) -> Verdict:
    """Verdict for a pupil without Wlz: rule 4 (18 or older), rule 5 (worklist), rule 6 (jeugdwet)."""
    adult = age_on(row["birth_date"], settings.start_date) >= 18
    if adult and settings.adult_policy == "worklist":
        return Verdict("adult", work=True)
    return municipality_verdict(row, "adult" if adult else "jeugdwet", settings)


def municipality_verdict(row: Row, stream: str, settings: Settings) -> Verdict:
    """The responsible municipality as payer of the stream, or the worklist reason why it cannot be told."""
    if (row["country"] or "").strip().casefold() not in NETHERLANDS:
        return Verdict("abroad", work=True)
    if row["secret_address"] and not row["municipality"]:
        return Verdict("secret_address", work=True)
    if row["postcode"] in settings.stay_postcodes:
        return Verdict("stay", work=True)
    if row["municipality_since"] is not None and row["municipality_since"] > settings.reference_date:
        return Verdict("municipality_after_reference_date", work=True)
    found = municipalities().resolve(row["municipality"], settings.reference_date, row["postcode"])
    if found.code is None:
        return Verdict(_WORK_REASON.get(found.problem or "", "municipality_unknown"), work=True)
    return Verdict(stream, stream, found.code, "municipality", EVIDENCE[row["municipality_evidence"] or "school"])
