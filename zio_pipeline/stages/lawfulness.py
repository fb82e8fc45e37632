"""The lawfulness file of a school year: what may be declared beside the hours that prove it, and draws of lines with a workbook.

Belongs here: reading the established year, its timesheets and the claims as they were judged, publishing, keeping every draw, and
writing its workbook into the confidential outbox. Does not belong here: the figures (`hours.lawfulness`), the lots
(`hours.lawfulness_sample`), how the workbook looks (`hours.lawfulness_file`).

A draw is made when somebody gives a seed, and stays: the same seed, days and files give the same draw, and its workbook, which
somebody may have filled in by then, is not written again. A draw after a file changed is another one, beside it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from resources.establishments import Establishment
from resources.home import Home, write_atomically
from zio_pipeline.contracts import products
from zio_pipeline.declarations import Term, monthly_declarations
from zio_pipeline.errors import EstablishmentBlocked, ZioError
from zio_pipeline.establishment import require_signed
from zio_pipeline.figures import figures_hash, stamped
from zio_pipeline.hours import lawfulness as rules
from zio_pipeline.hours import lawfulness_sample as lots
from zio_pipeline.hours.lawfulness_file import Dossier, lawfulness_file
from zio_pipeline.hours.planning import plans
from zio_pipeline.hours.signals import line_signals
from zio_pipeline.manifest import ManifestEntry
from zio_pipeline.stages.hours import HoursYear, hours_year, read_lines
from zio_pipeline.stages.publishing import never_made, publish, require_verdict, trusted_rows
from zio_pipeline.stages.timesheets import TIMESHEETS, months_of, months_with_lines

SAMPLE = "lawfulness_sample"
LAWFULNESS_TABLES = ("lawfulness", SAMPLE)

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Draw:
    """How lines are drawn: by a seed that the accountant chose when the files were in, and so many lines per order."""

    seed: str
    size: int = lots.SAMPLE_SIZE

    def __post_init__(self) -> None:
        if not self.seed.strip():
            raise ZioError(
                "Geef een startwaarde: een getal of tekst, door de accountant gekozen nadat de urenstaten binnen zijn."
            )
        if self.size < 1:
            raise ZioError("Kies ten minste één regel per opdracht.")


@dataclass(frozen=True)
class Lawfulness:
    """What was published: a row per order and, after a draw, its lines and its workbook.

    `written`: whether the workbook was written now; one that was there already is left as it is.
    """

    orders: Rows
    sample: Rows
    path: Path | None = None
    written: bool = False


def publish_lawfulness(
    home: Home,
    school_year: str,
    as_of: date,
    draw: Draw | None = None,
    tolerance_permille: int = rules.TOLERANCE_PERMILLE,
) -> Lawfulness:
    """Publish `lawfulness` of an established year and, when a draw is asked for, its lines in `lawfulness_sample` and a workbook.

    Args:
        home: where everything is kept.
        school_year: key of an established year.
        as_of: the business date; `hours.lawfulness.period_of` says which months are judged on it.
        draw: None draws nothing.
        tolerance_permille: of what has to be proved.

    Raises:
        EstablishmentBlocked: the year is not established, so nothing may be declared yet.
        NotProved: the terms lack a valid verdict, or are not those that were signed for; or the claims lack one.
        SetupError: a school has no calendar, or an order with hours holds on no open day.
        ZioError: the tolerance is none.
    """
    if not 0 <= tolerance_permille <= 1000:
        raise ZioError("Kies een tolerantie van 0 tot en met 1000 promille.")
    standing = home.warehouse.establishment(school_year)
    if standing is None:
        raise EstablishmentBlocked([f"schooljaar {school_year} is nog niet vastgesteld; er is niets te declareren."])
    year = hours_year(home, school_year)
    setup = year.setup
    period = rules.period_of(setup.settings.school_year, as_of, setup.settings.timesheet_grace_days)
    worked, candidates = _hours(home, year, period, draw)
    declared = _declared(home, standing, year, period)
    orders = [
        rules.lawfulness_row(
            o, declared[o.order_id], worked.get(o.order_id, rules.Worked()), period, tolerance_permille
        )
        for o in setup.orders
    ]
    table = stamped(orders, setup, standing.version)
    publish(home, {"lawfulness": table}, {"school_year": school_year, "version": standing.version})
    lines = stamped(lots.sample_rows(candidates, draw.seed, draw.size), setup, standing.version) if draw else []
    if draw is None or not lines:
        return Lawfulness(table, [])
    sample = _kept(home, lines, period)
    dossier = Dossier(
        school_year=school_year,
        version=standing.version,
        as_of=as_of,
        through=period.through,
        tolerance_permille=tolerance_permille,
        grace_days=setup.settings.timesheet_grace_days,
        draw_id=sample[0]["draw_id"],
        sample_size=draw.size,
        fictitious=setup.settings.fictitious,
    )
    path = dossier_path(home, sample[0])
    written = not path.exists()
    if written:
        files = [(file.label, file.content_sha256) for file in _files(home, school_year, period)]
        write_atomically(path, lawfulness_file(dossier, table, sample, draws(home, school_year), files))
    return Lawfulness(table, sample, path, written)


def dossier_path(home: Home, line: Mapping[str, Any]) -> Path:
    """Where the workbook of a draw is kept, by any of its lines: every draw has one of its own."""
    name = "rechtmatigheid-{school_year}-v{version}-tm-{through}-trekking-{draw_number}-{draw_id}.xlsx".format(**line)
    return home.outbox / str(line["school_year"]) / "vertrouwelijk" / name


def draws(home: Home, school_year: str) -> Rows:
    """The lines of every draw of a year, of every version, as they were kept.

    Raises:
        NotProved: the lines of a draw do not pass the audit.
    """
    rows = home.warehouse.rows(SAMPLE, school_year=school_year)
    parts: dict[tuple[Any, ...], Rows] = defaultdict(list)
    for row in rows:
        parts[row["version"], row["draw_id"]].append(row)
    for part in parts.values():
        # A draw cannot be made again once its files have changed: rules that came later are asked about it now.
        require_verdict(home, products()[SAMPLE], figures_hash({SAMPLE: part}), lambda part=part: part)  # type: ignore[misc]
    return rows


def _kept(home: Home, lines: Rows, period: rules.Period) -> Rows:
    """The lines of a draw: as they stand when it was made before, else published beside the earlier draws of the year."""
    scope = {name: lines[0][name] for name in ("school_year", "version")}
    files = [file.content_sha256 for file in _files(home, scope["school_year"], period)]
    scope["draw_id"] = lots.draw_id(lines, files, period.through, lines[0]["seed"])
    earlier = draws(home, scope["school_year"])
    same = [row for row in earlier if all(row[name] == value for name, value in scope.items())]
    if same:
        return same
    number = 1 + max((row["draw_number"] for row in earlier), default=0)
    about = scope | {"draw_number": number, "drawn_on": period.as_of, "through": period.through}
    rows = [about | line for line in lines]
    publish(home, {SAMPLE: rows}, scope)
    return rows


def _files(home: Home, school_year: str, period: rules.Period) -> list[ManifestEntry]:
    """The timesheets that count for these days."""
    last = f"{period.through:%Y-%m}"
    return [file for file in home.warehouse.active(TIMESHEETS, school_year) if min(months_of(file)) <= last]


def _hours(
    home: Home, year: HoursYear, period: rules.Period, draw: Draw | None
) -> tuple[dict[str, rules.Worked], Sequence[pa.Table]]:
    """Hours per order and the lines with the lowest lots; a month at a time, for a year of lines need not fit in memory."""
    key, last = year.setup.settings.school_year.key, f"{period.through:%Y-%m}"
    parts: list[tuple[str, str, bool, int, int]] = []
    serious = Counter[str]()
    candidates = []
    for month in months_with_lines(home, key):
        if month <= last:
            with read_lines(home, key, month, year) as lines:
                parts += rules.worked(lines, year.setup, period)
                serious += rules.serious_minutes(line_signals(lines, year.open_days, key, month), year.setup)
                if draw:
                    candidates.append(lots.drawn(lines, year.setup, period, draw.seed, draw.size))
    found = rules.added_up(parts)
    return {
        order_id: replace(found.get(order_id, rules.Worked()), serious=serious[order_id])
        for order_id in {*found, *serious}
    }, candidates


def _declared(home: Home, standing: Establishment, year: HoursYear, period: rules.Period) -> dict[str, rules.Declared]:
    """What each order may declare, added up from the signed terms; what it was granted, planned, and what was claimed."""
    setup, scope = year.setup, {"school_year": standing.school_year, "version": standing.version}
    rows = trusted_rows(home, "terms", **scope)
    names = [field.name for field in fields(Term)]
    declarations = monthly_declarations(setup, [Term(**{name: row[name] for name in names}) for row in rows])
    require_signed(
        standing.receipt, {"terms": rows, "monthly_declarations": stamped(declarations, setup, standing.version)}
    )
    last = f"{period.through:%Y-%m}"
    whole, to_date = _per_order(declarations), _per_order(row for row in declarations if row["month"] <= last)
    granted = rules.granted(setup)
    planned = rules.planned(setup, (plan for plan in plans(setup, year.open_days) if plan.month <= last))
    claimed = _claimed(home, scope, last)
    return {
        o.order_id: rules.Declared(
            to_date_cents=to_date[o.order_id],
            year_cents=whole[o.order_id],
            granted=granted[o.order_id],
            planned=planned[o.order_id],
            claimed_cents=None if claimed is None else claimed[o.order_id],
        )
        for o in setup.orders
    }


def _claimed(home: Home, scope: Mapping[str, Any], last: str) -> Counter[str] | None:
    """Net per order over the months up to and including the last; None when nobody has judged the claims of this version yet."""
    if never_made(home, products()["claim_control"], scope):
        return None
    control = trusted_rows(home, "claim_control", **scope)
    return _per_order((row for row in control if row["month"] <= last), "claimed_cents")


def _per_order(rows: Iterable[Mapping[str, Any]], name: str = "amount_cents") -> Counter[str]:
    sums = Counter[str]()
    for row in rows:
        sums[row["order_id"]] += row[name]
    return sums
