"""Drift: how far a delivery is from the one before it, in volume and in distribution.

Belongs here: the profile of a table (counts only), the changes between two profiles, their tolerances, and the Dutch sentence
of each. Great Expectations judges the changes against the tolerances.
Does not belong here: which delivery is the one before, and what becomes of a drift: it is a warning and never stops anything.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import duckdb
import pyarrow as pa

from zio_pipeline.audit.engine import Asked, expect
from zio_pipeline.audit.verdict import frame
from zio_pipeline.contracts import Column, Dataset
from zio_pipeline.sql import in_memory, literal, quoted

TOLERANCES = {"volume": 250, "distinct": 250, "share": 100, "blank": 100, "mean": 150}
"""What is still ordinary, in thousandths: of the earlier number for `volume`, `distinct` and `mean`; of all rows, so a tenth is
ten percentage points, for `share` and `blank`."""
MONTHLY_VOLUME = 500
"""The same for the volume of a file per month: a month has 14 to 23 school days, so the next may well be a third off."""
HANDFUL = 5
"""Fewer rows than this more or less are never drift: in a table of ten rows one row is ten per cent."""

COUNTED = {"pupil": "leerlingen", "class_code": "klassen", "employee": "medewerkers"}
"""Columns of which the number of different values is a figure of its own, and what they count."""
ALTERNATIVES = frozenset({"time", "minutes", "duration"})
"""Kinds of which a sender fills one and leaves the others blank (rule one_duration): their blanks say nothing."""
_WORKED = ("duration_minutes", "stated_minutes", "begin_minute", "end_minute", "pause_minutes")
_MINUTES = "coalesce(duration_minutes, stated_minutes, end_minute - begin_minute - coalesce(pause_minutes, 0))"
_VERSION = 1


@dataclass(frozen=True)
class Measure:
    """One figure of a table: `part` out of `whole`. A volume and a number of different values have 1 as whole."""

    kind: str
    subject: str
    part: int
    whole: int


@dataclass(frozen=True)
class Profile:
    """Figures of one table, by name; counts only, so it may be stored and shown. `dutch` is what a reader calls the table."""

    dataset: str
    dutch: str
    row_count: int
    measures: Mapping[str, Measure]


@dataclass(frozen=True)
class Change:
    """One figure now and before. Deviation and tolerance are in thousandths; `passed` is the verdict over the two."""

    table: str
    measure: str
    before: Measure
    now: Measure
    deviation: int
    tolerance: int
    passed: bool

    @property
    def sentence(self) -> str:
        """The change in Dutch, with counts and percentages only."""
        if self.now.kind in ("share", "blank"):
            shares = _percent(self.before), _percent(self.now)
            moved = "bleef {1}" if shares[0] == shares[1] else "ging van {0} naar {1}"
            return f"{self.now.subject} {moved.format(*shares)}."
        before, now = _round(self.before), _round(self.now)
        much = f"{_hundred(abs(now - before), before)} {'hoger' if now > before else 'lager'} dan"
        if now == before:
            much = "gelijk aan die"
        elif not before:
            much = "hoger dan"
        return f"{self.now.subject} is {much} in de vorige aanlevering (van {before} naar {now})."


@dataclass(frozen=True)
class Drift:
    """A delivery beside the one before it: `previous` is its label, None when there is none and nothing was compared."""

    label: str
    previous: str | None
    changes: tuple[Change, ...]

    @property
    def deviations(self) -> tuple[str, ...]:
        """A sentence for every change beyond its tolerance."""
        many = len({change.table for change in self.changes}) > 1
        return tuple(
            f"Blad {change.table}: {change.sentence}" if many else change.sentence
            for change in self.changes
            if not change.passed
        )

    @property
    def rows(self) -> tuple[int, int]:
        """Number of rows before and now, over all tables of the delivery."""
        volumes = [change for change in self.changes if change.measure == "volume"]
        return sum(v.before.part for v in volumes), sum(v.now.part for v in volumes)

    def as_json(self) -> dict[str, Any]:
        """Counts, column names and labels: what may be stored of it."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Drift":
        """What `as_json` gave."""
        changes = (
            Change(**{**change, "before": Measure(**change["before"]), "now": Measure(**change["now"])})
            for change in stored["changes"]
        )
        return cls(stored["label"], stored["previous"], tuple(changes))


@dataclass(frozen=True)
class Pair:
    """What is compared: the profiles of a delivery and of the one before it; none before means not applicable."""

    label: str
    now: Sequence[Profile] = ()
    previous: str | None = None
    before: Sequence[Profile] = ()
    monthly: bool = False


def profile(dataset: Dataset, table: pa.Table) -> Profile:
    """Profile a table of accepted rows.

    Args:
        dataset: the contract.
        table: typed by it; columns it does not know are left out, and columns the table lacks are not measured.
    """
    return profiles([(dataset, table)])[0]


def profiles(tables: Sequence[tuple[Dataset, pa.Table]]) -> list[Profile]:
    """As `profile`, of many tables: those of one contract with the same columns are counted in one go."""
    alike: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    for place, (dataset, table) in enumerate(tables):
        alike.setdefault((dataset.name, tuple(table.column_names)), []).append(place)
    found: dict[int, Profile] = {}
    with in_memory() as connection:
        for places in alike.values():
            dataset = tables[places[0]][0]
            counted = _counted(connection, dataset, {place: tables[place][1] for place in places})
            found |= {
                place: Profile(dataset.name, dataset.dutch, tables[place][1].num_rows, counted[place])
                for place in places
            }
    return [found[place] for place in range(len(tables))]


def _counted(
    connection: duckdb.DuckDBPyConnection, dataset: Dataset, tables: Mapping[int, pa.Table]
) -> dict[int, dict[str, Measure]]:
    """The measures of tables that have the same columns, by their place; a table without a row counts nothing."""
    known = [column.name for column in dataset.columns if column.name in next(iter(tables.values())).column_names]
    figures = list(_figures(dataset, frozenset(known)))
    numbered = [
        table.select(known).append_column("_table", pa.repeat(pa.scalar(place, pa.int64()), table.num_rows))
        for place, table in tables.items()
    ]
    selected = ", ".join(f"{part}, {whole}" for _, _, _, part, whole in figures)
    connection.register("delivered", pa.concat_tables(numbered))
    # Names come from the contracts, never from a file.
    query = f"select _table, {selected} from delivered group by _table"  # noqa: S608
    counted = {place: counts for place, *counts in connection.sql(query).fetchall()}
    connection.unregister("delivered")
    nothing = [0] * (2 * len(figures))
    return {place: _measures(figures, counted.get(place, nothing)) for place in tables}


def _measures(figures: Sequence[tuple[str, str, str, str, str]], counts: Sequence[int | None]) -> dict[str, Measure]:
    return {
        name: Measure(kind, subject, int(part or 0), int(whole or 0))
        for (name, kind, subject, _, _), part, whole in zip(figures, counts[::2], counts[1::2], strict=True)
    }


def compare(pairs: Sequence[Pair]) -> list[Drift]:
    """Compare every delivery with the one before it, all in one run of Great Expectations.

    Raises:
        NotProved: the expectation could not be carried out.
    """
    changes = [(number, change) for number, pair in enumerate(pairs) for change in _changes(pair)]
    beyond = _beyond([change for _, change in changes])
    judged = [(number, _with_verdict(change, place not in beyond)) for place, (number, change) in enumerate(changes)]
    return [
        Drift(pair.label, pair.previous, tuple(change for owner, change in judged if owner == number))
        for number, pair in enumerate(pairs)
    ]


def drift_hash() -> str:
    """Changes whenever something else is measured or tolerated: the rule set of a stored comparison."""
    rules = (_VERSION, sorted(TOLERANCES.items()), MONTHLY_VOLUME, HANDFUL, sorted(COUNTED), _MINUTES)
    return hashlib.sha256(repr(rules).encode()).hexdigest()


def _figures(dataset: Dataset, present: frozenset[str]) -> Iterator[tuple[str, str, str, str, str]]:
    """Name, kind, Dutch subject, and the SQL of part and whole."""
    yield "volume", "volume", "Het aantal rijen", "count(*)", "1"
    for name in sorted(COUNTED.keys() & present):
        yield (
            f"distinct {name}",
            "distinct",
            f"Het aantal verschillende {COUNTED[name]}",
            f"count(distinct {name})",
            "1",
        )
    for column in dataset.columns:
        if column.name not in present:
            continue
        yield from _shares(column)
        if not column.required and column.kind not in ALTERNATIVES:
            subject = f"Het aandeel lege cellen in kolom '{column.dutch}'"
            yield f"blank {column.name}", "blank", subject, f"count(*) - count({quoted(column.name)})", "count(*)"
    if present.issuperset(_WORKED):
        yield "mean minutes", "mean", "De gemiddelde duur in minuten", f"sum({_MINUTES})", f"count({_MINUTES})"


def _shares(column: Column) -> Iterator[tuple[str, str, str, str, str]]:
    """The share of every value of a closed list among the filled cells; never of a column about one person."""
    if column.classification == "personal":
        return
    value = quoted(column.name)
    answers = [("ja", value)] if column.logical_type == "boolean" else []
    answers += [(label, f"{value} = {literal(canonical)}") for canonical, label in column.allowed]
    for label, holds in answers:
        subject = f"Het aandeel '{label}' in kolom '{column.dutch}'"
        yield f"share {column.name} {label}", "share", subject, f"count(*) filter (where {holds})", f"count({value})"


def _changes(pair: Pair) -> Iterator[Change]:
    """Every figure that both profiles have; a share of nothing is no figure."""
    earlier = {profile.dataset: profile.measures for profile in pair.before}
    for current in pair.now:
        for name, now in current.measures.items():
            before = earlier.get(current.dataset, {}).get(name)
            if before is not None and before.whole and now.whole:
                tolerance = max(_tolerance(now.kind, pair.monthly), _handful(before, now))
                yield Change(current.dutch, name, before, now, _deviation(before, now), tolerance, passed=False)


def _tolerance(kind: str, monthly: bool) -> int:
    return MONTHLY_VOLUME if monthly and kind == "volume" else TOLERANCES[kind]


def _deviation(before: Measure, now: Measure) -> int:
    """In thousandths, rounded up, of the earlier figure or of all rows."""
    difference = abs(now.part * before.whole - before.part * now.whole)
    if now.kind in ("share", "blank"):
        return -(-1000 * difference // (now.whole * before.whole))
    return -(-1000 * difference // max(before.part * now.whole, 1))


def _handful(before: Measure, now: Measure) -> int:
    """What a handful of rows would make of the deviation, so that a small table is left in peace."""
    rows = min(before.whole, now.whole) if now.kind in ("share", "blank", "mean") else before.part
    return 1000 * HANDFUL // max(rows, 1)


def _beyond(changes: Sequence[Change]) -> frozenset[int]:
    """Places of the changes beyond their tolerance; nothing to compare is nothing to ask."""
    if not changes:
        return frozenset()
    columns = {
        "place": range(len(changes)),
        "deviation": [change.deviation for change in changes],
        "tolerance": [change.tolerance for change in changes],
    }
    asked = Asked(
        "ExpectColumnPairValuesAToBeGreaterThanB",
        {"column_A": "tolerance", "column_B": "deviation", "or_equal": True, "severity": "warning"},
        "Geen cijfer wijkt meer af dan gewoon is.",
    )
    (answer,) = expect("afwijking", frame(pa.table(columns)), [asked], index="place")
    return answer.places


def _with_verdict(change: Change, passed: bool) -> Change:
    return Change(**{**vars(change), "passed": passed})


def _round(measure: Measure) -> int:
    """To the nearest whole, a half up."""
    return (2 * measure.part + measure.whole) // (2 * measure.whole)


def _percent(measure: Measure) -> str:
    return _hundred(measure.part, measure.whole)


def _hundred(part: int, whole: int) -> str:
    """A percentage without decimals, but never 0 % for something nor 100 % for not everything."""
    rounded = (200 * part + whole) // (2 * whole) if whole else 0
    if part and not rounded:
        return "minder dan 1 %"
    return "bijna 100 %" if rounded == 100 and part != whole else f"{rounded} %"
