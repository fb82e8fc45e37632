"""What the rules need of a row of the pupil file: an age class instead of a birth date, a municipality instead of a postcode.

Belongs here: reading a row into its facts, and taking facts that were kept instead of the row (SPEC section 8: at
establishment birth date and postcode are dropped). Rules 1 to 6 see nothing else, so a year gives the same decisions from
the rows and from the facts.
Does not belong here: what the facts mean for the payer (placement, residence, decide), storing them (stages.thinning).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from zio_pipeline.errors import SetupError
from zio_pipeline.payer.model import Row, age_class, age_on
from zio_pipeline.reference import municipalities
from zio_pipeline.settings import Settings

NETHERLANDS = {"", "nl", "nld", "nederland", "the netherlands"}
EVIDENCE = {
    "confirmed": "bevestigd door de gemeente",
    "brp": "BRP",
    "school": "opgave van de school",
    "address": "alleen het adres",
}
_PROBLEM = {"abroad": "abroad", "missing": "municipality_missing", "split": "municipality_split"}
OTHERWISE = ("start_date", "reference_date", "stay_postcodes", "age_class", "turns_18", "municipality", "problem")
"""What another startdatum, peildatum or list of verblijf locations is, and what it changes."""
_DECIDING = ("birth_date", "municipality", "municipality_since", "postcode", "country", "secret_address", "needs_care")


@dataclass(frozen=True)
class Facts:
    """One row of the pupil file as far as it decides anything; `municipality` is None where `problem` says why.

    `reading` tells rows of one pupil in one class apart that say different things: 0 for the first, 1 for the next.
    """

    pupil: str
    school: str
    class_code: str
    placed_from: date
    placed_to: date | None
    row_ref: str
    needs_care: bool | None
    age_class: str
    turns_18: bool
    municipality: str | None
    problem: str | None
    evidence: str
    reading: int


def facts_of(rows: Sequence[Row], settings: Settings) -> list[Facts]:
    """The facts of every row, in order; of rows that were thinned the facts that were kept for this startdatum and peildatum.

    Raises:
        SetupError: thinned rows, and another startdatum, peildatum or list of verblijf locations than they were thinned for.
    """
    readings = _readings(row for row in rows if not _is_thin(row))
    basis = _basis(settings)
    return [_kept(row, basis) if _is_thin(row) else _read(row, readings[_values(row)], settings) for row in rows]


def _is_thin(row: Row) -> bool:
    """Whether of a row only its facts are left."""
    return "age_class" in row


def _kept(row: Row, basis: Mapping[str, Any]) -> Facts:
    kept = [row, *(dict(row) | other for other in row.get("otherwise") or ())]
    found = next((one for one in kept if {name: one[name] for name in basis} == basis), None)
    if found is None:
        raise SetupError(
            "Van de leerlingbestanden van dit schooljaar zijn geboortedatum en postcode na de vaststelling verwijderd, en de "
            "inrichting noemt nu een andere startdatum, peildatum of lijst van verblijfpostcodes. "
            "Laat de scholen hun leerlingbestand opnieuw aanleveren."
        )
    return Facts(**{name: found[name] for name in Facts.__dataclass_fields__})


def thinned(facts: Facts, settings: Settings, *others: tuple[Facts, Settings]) -> dict[str, Any]:
    """A row to keep instead of the one of the sender: its facts, and what they were read with.

    Args:
        facts: of the row.
        settings: what they were read with.
        others: the same of the same row for other settings: what another startdatum or peildatum makes of it is kept as well.
    """
    basis, otherwise = _basis(settings), list[dict[str, Any]]()
    for other, read_with in others:
        kept = asdict(other) | _basis(read_with)
        if _basis(read_with) != basis:
            otherwise.append({name: kept[name] for name in OTHERWISE})
    return asdict(facts) | basis | {"otherwise": otherwise}


def _basis(settings: Settings) -> dict[str, Any]:
    return {
        "start_date": settings.start_date,
        "reference_date": settings.reference_date,
        "stay_postcodes": " ".join(sorted(settings.stay_postcodes)),
    }


def _read(row: Row, reading: int, settings: Settings) -> Facts:
    born, age = row["birth_date"], age_on(row["birth_date"], settings.start_date)
    municipality, problem = _responsible(row, settings)
    since = row["municipality_since"]
    return Facts(
        pupil=row["pupil"],
        school=row["school"],
        class_code=row["class_code"],
        placed_from=row["placed_from"],
        placed_to=row["placed_to"],
        row_ref=row["row_ref"],
        needs_care=row["needs_care"],
        age_class=age_class(age),
        turns_18=age < 18 <= age_on(born, settings.school_year.last_day),
        municipality=municipality,
        problem=problem,
        evidence=EVIDENCE[row["municipality_evidence"] or "school"] + (f", sinds {since:%Y-%m-%d}" if since else ""),
        reading=reading,
    )


def _responsible(row: Row, settings: Settings) -> tuple[str | None, str | None]:
    """The responsible municipality on the peildatum, or the worklist reason why it cannot be told; never a guess."""
    if (row["country"] or "").strip().casefold() not in NETHERLANDS:
        return None, "abroad"
    if row["secret_address"] and not row["municipality"]:
        return None, "secret_address"
    if row["postcode"] in settings.stay_postcodes:
        return None, "stay"
    if row["municipality_since"] is not None and row["municipality_since"] > settings.reference_date:
        return None, "municipality_after_reference_date"
    found = municipalities().resolve(row["municipality"], settings.reference_date, row["postcode"])
    return (found.code, None) if found.code else (None, _PROBLEM.get(found.problem or "", "municipality_unknown"))


def _readings(rows: Iterable[Row]) -> Mapping[tuple[Any, ...], int]:
    """Number the different things that are said of one pupil in one class, whatever the order of the rows."""
    said: dict[tuple[str, ...], set[tuple[Any, ...]]] = defaultdict(set)
    for row in rows:
        said[row["pupil"], row["school"], row["class_code"]].add(_values(row))
    return {values: n for found in said.values() for n, values in enumerate(sorted(found, key=repr))}


def _values(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("pupil", "school", "class_code", *_DECIDING))
