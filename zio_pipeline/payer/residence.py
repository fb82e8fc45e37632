"""Rules 4 to 6: who pays when the Wlz does not: age on the startdatum, the municipality on the peildatum, and its answer.

Belongs here: woonplaatsbeginsel (Jeugdwet 1.1, since 1-1-2022) as far as a school file can show it, and what the residence
check of a municipality makes of it (SPEC section 6). Does not belong here: reading the row (facts), what a besluit decides.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from zio_pipeline.payer.facts import EVIDENCE, Facts
from zio_pipeline.payer.model import Row, Verdict
from zio_pipeline.settings import Settings


def age_verdict(facts: Facts, settings: Settings) -> Verdict:
    """Rule 4: the stream of a pupil without Wlz, its payer still open; 18 or older by setting on the worklist."""
    adult = facts.age_class == "18+"
    if adult and settings.adult_policy == "worklist":
        return Verdict("adult", work=True)
    stream = "adult" if adult else "jeugdwet"
    return Verdict(stream, stream)


def municipality_verdict(facts: Facts, stream: str) -> Verdict:
    """Rules 5 and 6: the responsible municipality as payer of the stream, or the worklist reason why it cannot be told."""
    if facts.municipality is None:
        return Verdict(facts.problem or "municipality_unknown", work=True)
    return Verdict(stream, stream, facts.municipality, "municipality", facts.evidence)


@dataclass(frozen=True)
class Answers:
    """What municipalities said of their own pupils; per pupil and municipality the answer that was read last counts."""

    by_pupil: Mapping[str, Mapping[str, Row]]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Answers":
        """Rows as in `PayerInputs.residence_answers`, in any order."""
        found: dict[str, dict[str, Row]] = {}
        for row in sorted(rows, key=lambda row: row["sequence"]):
            found.setdefault(row["pupil"], {})[row["municipality"]] = row
        return cls(found)

    def judged(self, pupil: str, verdict: Verdict) -> Verdict:
        """The verdict confirmed or disputed; unchanged where nobody answered or there is no municipality yet.

        A no of the payer disputes it, and so does a yes of another municipality. A no of a municipality that the file no
        longer names says nothing any more.
        """
        answers = self.by_pupil.get(pupil, {})
        if verdict.work or not answers:
            return verdict
        own = answers.get(verdict.payer or "")
        claims = sorted(code for code, row in answers.items() if row["confirmed"] and code != verdict.payer)
        if claims or (own is not None and not own["confirmed"]):
            named = claims or ([own["other"]] if own is not None and own["other"] else [])
            detail = f"Genoemd wordt: {', '.join(named)}." if named else ""
            return Verdict("residence_disputed", work=True, detail=detail)
        return replace(verdict, evidence=EVIDENCE["confirmed"]) if own is not None else verdict
