"""What a besluit makes of a pupil, where the rules cannot tell.

Belongs here: which besluit is about whom, what it settles, and the verdict it gives (SPEC section 3).
Does not belong here: which points need a besluit (`decide`), besluiten about orders, members or debtors.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

from zio_pipeline.errors import SetupError
from zio_pipeline.payer.model import PAYER_KIND, PGB_HOLDERS, Row, Verdict
from zio_pipeline.reference import municipalities, zorgkantoor_name
from zio_pipeline.settings import Settings
from zio_pipeline.setup import PUPIL_DECISIONS, Besluit, SchoolYearSetup

_USUAL_FORM = {"wlz_zin": "7", "wlz_pgb": "2"}


@dataclass(frozen=True)
class Besluiten:
    """The besluiten about pupils, by pupil and by the quarantined row they name."""

    all: tuple[Besluit, ...]
    by_pupil: Mapping[str, Besluit]
    by_row: Mapping[str, Besluit]

    @classmethod
    def of(cls, setup: SchoolYearSetup) -> "Besluiten":
        found = setup.decisions_of(*PUPIL_DECISIONS)
        return cls(found, {b.pupil: b for b in found if b.pupil}, {b.row_ref: b for b in found if b.row_ref})

    def owner(self, row: Row) -> str | None:
        """The pupil a quarantined row is about: as far as it could be read, or as its besluit says."""
        besluit = self.by_row.get(row["row_ref"])
        return row["pupil"] or (besluit.pupil if besluit else None)

    def about(self, row: Row) -> Besluit | None:
        """The besluit on a quarantined row; one that names the row goes before one that names the pupil."""
        return self.by_row.get(row["row_ref"]) or self.by_pupil.get(row["pupil"] or "")

    def strikes_out(self, row: Row) -> bool:
        """Whether a besluit 'niet tellen' is about this row alone; one that names the pupil too is about the pupil."""
        besluit = self.by_row.get(row["row_ref"])
        return besluit is not None and besluit.kind == "not_counted" and besluit.pupil is None

    def require_agreement(self, pupil: str | None, quarantined: Iterable[Row]) -> None:
        """Stop when a besluit about a pupil says otherwise than one about a quarantined row of the same pupil.

        Raises:
            SetupError: naming both.
        """
        if pupil is None:
            return
        rows = [row for row in quarantined if row["row_ref"] in self.by_row and not self.strikes_out(row)]
        found = {b.decision_id: b for b in (self.by_pupil.get(pupil), *(self.by_row[r["row_ref"]] for r in rows)) if b}
        for one, other in combinations(sorted(found.values(), key=lambda b: b.decision_id), 2):
            if _contradict(one, other):
                raise SetupError(
                    f"Besluiten {one.decision_id} en {other.decision_id} gaan over dezelfde leerling en zeggen iets anders; "
                    "laat er één staan."
                )

    def about_pupil(self, pupil: str, quarantined: Iterable[Row]) -> Besluit | None:
        """The besluit about a pupil, or about one of its quarantined rows; one that says who pays goes first."""
        named = (self.by_pupil.get(pupil), *(self.by_row.get(row["row_ref"]) for row in quarantined))
        found = [besluit for besluit in named if besluit is not None]
        return next(filter(settles_payer, found), found[0] if found else None)


def _contradict(one: Besluit, other: Besluit) -> bool:
    """Whether both say who pays, or both say which class, and not the same."""
    payers = [(b.kind, b.stream, b.payer) for b in (one, other) if settles_payer(b)]
    seats = [(b.school, b.class_code) for b in (one, other) if b.class_code is not None]
    return len(set(payers)) > 1 or len(set(seats)) > 1


def settles_payer(besluit: Besluit) -> bool:
    """Whether the besluit says who pays: a definitive one that only names the class does not."""
    return besluit.kind != "definitive" or (besluit.stream is not None and besluit.payer is not None)


def verdict_by(besluit: Besluit, delivery_form: str | None, settings: Settings) -> Verdict:
    """What a besluit makes of a pupil: its stream and payer, the penvoerder for the time being, or not counted.

    Raises:
        SetupError: the payer cannot pay that stream.
    """
    evidence = f"besluit {besluit.decision_id}"
    if besluit.kind == "not_counted":
        return Verdict("besluit_not_counted", evidence=evidence, delivery_form=delivery_form)
    if besluit.kind == "provisional":
        return Verdict("besluit_provisional", "jeugdwet", settings.penvoerder, "municipality", evidence)
    stream, payer = besluit.stream or "", besluit.payer or ""
    kind = PAYER_KIND.get(stream) or settings.pgb_policy  # a pgb policy is named after the kind of payer it chooses
    if not _can_pay(payer, kind, settings):
        raise SetupError(f"Besluit {besluit.decision_id}: betaler {payer} kan de stroom {stream} niet betalen.")
    return Verdict("besluit_definitive", stream, payer, kind, evidence, delivery_form or _USUAL_FORM.get(stream))


def _can_pay(payer: str, kind: str, settings: Settings) -> bool:
    if kind == "municipality":
        return municipalities().exists(payer, settings.reference_date)
    if kind == "zorgkantoor":
        return zorgkantoor_name(payer) is not None
    return kind == "pgb_holders" and payer == PGB_HOLDERS
