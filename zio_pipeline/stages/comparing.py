"""A new file beside the others of its source, school and period: may it take their place?

Belongs here: files offered together that contradict each other, a Wlz list older than the one that counts or without one of its
zorgkantoren, timesheets that would lose weeks. Does not belong here: one file by itself (intake), what the rows of different
sources say of each other.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from itertools import combinations

import pyarrow as pa

from resources.home import Home
from zio_pipeline.contracts import sources
from zio_pipeline.intake import Delivery, Reason
from zio_pipeline.intake.delivery import CONTRADICTING, refusal_of
from zio_pipeline.manifest import ManifestEntry
from zio_pipeline.periods import days_of, in_dutch, shared_days, week_of
from zio_pipeline.stages.standing import QUARANTINED, RAW, accepted_table, kept, vault_stem
from zio_pipeline.stages.timesheets import TIMESHEETS, counting_lines, on_days

Entry = Callable[[Delivery], ManifestEntry]
SHOWN = 6


def settled(home: Home, deliveries: Sequence[Delivery], entry_of: Entry) -> list[Delivery]:
    """The deliveries as they end, in the order in which they take effect: older statements first.

    A content that was registered before, in whatever reading, keeps its place in the order; only contents never seen before can
    contradict each other.

    Args:
        home: for what stands.
        deliveries: offered together, their tables already in the vault.
        entry_of: the manifest entry of each.
    """
    order = {entry.content_sha256: entry.sequence for entry in reversed(home.warehouse.manifest())}
    groups: dict[tuple[str, ...], list[Delivery]] = defaultdict(list)
    result = []
    for delivery in (_not_ahead(home, one, entry_of(one)) for one in deliveries):
        if delivery.status == "refused":
            result.append(delivery)
        else:
            groups[delivery.source, *map(str, (delivery.school_year, delivery.school, delivery.provider))].append(
                delivery
            )
    for group in groups.values():
        known = sorted((d for d in group if d.content_sha256 in order), key=lambda d: order[d.content_sha256])
        new = [d for d in group if d.content_sha256 not in order]
        contradicting = _contradictions(home, new, entry_of)
        sound = [d for d in new if d.content_sha256 not in contradicting]
        ordered = sorted(sound, key=lambda d: (_stated_date(home, entry_of(d)) or date.min, d.content_sha256))
        result += _each_against_earlier(home, known + ordered, order, entry_of)
        result += [_contradicting(d) for d in new if d.content_sha256 in contradicting]
    return result


def _not_ahead(home: Home, delivery: Delivery, entry: ManifestEntry) -> Delivery:
    """A list dated ahead of its reception is refused: every later list would be older than it, for ever."""
    if delivery.status == "refused" or delivery.source != "wlz_statuses":
        return delivery
    newest = max(accepted_table(home, entry, delivery.source)["list_date"].to_pylist())
    if newest <= entry.received_on:
        return delivery
    reason = f"De dagtekening {newest:%d-%m-%Y} ligt na de dag van ontvangst, {entry.received_on:%d-%m-%Y}."
    return refusal_of(delivery, f"{reason} Verbeter de dagtekening en lever de lijst opnieuw aan.")


def _contradictions(home: Home, group: Sequence[Delivery], entry_of: Entry) -> set[str]:
    """Contents that are about the same days, say different things of them and do not say which is the newest.

    Files that say the same, such as a workbook and its copy as text, do not contradict each other; which of them counts
    follows from their bytes, never from their names. A date that was still to come at reception says nothing.
    """
    found: set[str] = set()
    for one, other in combinations([entry_of(delivery) for delivery in group], 2):
        days = one.shared_days(other)
        if days and not _say_the_same(home, one, other, days):
            dates = {_stated_date(home, one), _stated_date(home, other)}
            if None in dates or len(dates) == 1:
                found |= {one.content_sha256, other.content_sha256}
    return found


def _say_the_same(home: Home, one: ManifestEntry, other: ManifestEntry, days: tuple[date, date]) -> bool:
    """Whether the accepted rows of these days are equal, and the others: of a row that was set apart nobody knows the day."""
    names = [dataset.name for dataset in sources()[one.source].datasets]
    if _accepted(home, one, names, days) != _accepted(home, other, names, days):
        return False
    return _rejected(home, one) == _rejected(home, other)


def _accepted(home: Home, entry: ManifestEntry, names: Iterable[str], days: tuple[date, date]) -> list[pa.Table]:
    """The accepted rows of some days without their place, in an order of their own."""
    tables = [accepted_table(home, entry, name).drop_columns(["sheet", "row_number"]) for name in names]
    tables = [on_days(table, days) if entry.source == TIMESHEETS else table for table in tables]
    return [table.sort_by([(name, "ascending") for name in table.column_names]).combine_chunks() for table in tables]


def _rejected(home: Home, entry: ManifestEntry) -> list[list[str]]:
    """What is known of the other rows, and every row with a reason as it was sent, in an order of their own."""
    stem = vault_stem(entry)
    facts = kept(home, stem, QUARANTINED).drop_columns(["row_ref"]).to_pylist()
    sent = defaultdict(list)
    for cell in kept(home, stem, RAW).to_pylist():
        place = cell.pop("sheet"), cell.pop("row_number")
        sent[place].append(repr(cell))
    return sorted([*([repr(fact)] for fact in facts), *(sorted(cells) for cells in sent.values())])


def _stated_date(home: Home, entry: ManifestEntry) -> date | None:
    column = {
        "wlz_statuses": "list_date",
        "pupil_absence": "list_date",
        "provider_timesheets": "handed_in_on",
        "provider_claims": "invoice_date",
    }.get(entry.source)
    days = [] if column is None else accepted_table(home, entry, entry.source)[column].drop_null().unique().to_pylist()
    newest = max(days, default=None)
    return newest if newest is None or newest <= entry.received_on else None


def _contradicting(delivery: Delivery) -> Delivery:
    reason = (
        "Tegelijk is nog een bestand aangeleverd over dezelfde school en periode met andere gegevens, en nergens staat welk "
        "het nieuwste is. Haal het verkeerde bestand uit de map en lever alleen het juiste aan; tot dan telt geen van beide."
    )
    return replace(refusal_of(delivery, reason), status=CONTRADICTING)


def _each_against_earlier(
    home: Home, ordered: Sequence[Delivery], order: dict[str, int], entry_of: Entry
) -> list[Delivery]:
    """Files of one school, each judged against what counts before it: what stands, and those of its own drop before it."""
    result: list[Delivery] = []
    before: list[ManifestEntry] = []
    for delivery in ordered:
        mine, known = entry_of(delivery), order.get(delivery.content_sha256)
        standing = home.warehouse.manifest(source=delivery.source, school_year=delivery.school_year, active=True)
        # What came after a known content was judged against it then.
        earlier = [one for one in standing if known is None or order[one.content_sha256] <= known]
        earlier.sort(key=lambda one: order[one.content_sha256])
        if known is None:
            scopes = {one.scope for one in before}
            earlier = [one for one in earlier if one.scope not in scopes] + before
        judged = _against(home, delivery, mine, [one for one in earlier if one.shared_days(mine)])
        if judged.status != "refused":
            # Of one scope the last one counts.
            before = [*(one for one in before if one.scope != mine.scope), mine]
        result.append(judged)
    return result


def _against(home: Home, delivery: Delivery, mine: ManifestEntry, earlier: Sequence[ManifestEntry]) -> Delivery:
    """The delivery as it is, or refused because of what stands: that may change, so such a refusal is not the last word."""
    if delivery.source == TIMESHEETS:
        reason = _days_lost(home, mine, earlier)
        delivery = replace(delivery, warnings=(*delivery.warnings, *_part_of(mine, earlier)))
    else:
        reason = _older(home, mine, earlier)
    return replace(refusal_of(delivery, reason), final=False) if reason else delivery


def _older(home: Home, mine: ManifestEntry, earlier: Iterable[ManifestEntry]) -> str | None:
    refusals: dict[str, Callable[[pa.Table, pa.Table], str | None]] = {
        "wlz_statuses": _not_the_newest_list,
        "pupil_absence": _older_absences,
    }
    refusal = refusals.get(mine.source)
    if refusal is None:
        return None
    offered = accepted_table(home, mine, mine.source)
    found = (refusal(offered, accepted_table(home, entry, mine.source)) for entry in earlier)
    return next(filter(None, found), None)


def _not_the_newest_list(offered: pa.Table, standing: pa.Table) -> str | None:
    """A list takes the place of the whole list before it, so it is not older and names the same zorgkantoren at least."""
    day, newest = max(offered["list_date"].to_pylist()), max(standing["list_date"].to_pylist())
    if day < newest:
        return f"De lijst van {day:%d-%m-%Y} is ouder dan de lijst die nu geldt, van {newest:%d-%m-%Y}."
    missing = _zorgkantoren(standing) - _zorgkantoren(offered)
    if not missing:
        return None
    codes = ", ".join(sorted(missing))
    one, many = f"zorgkantoor {codes} niet, dat wel in", f"zorgkantoren {codes} niet, die wel in"
    which = f"{one} de geldende lijst staat" if len(missing) == 1 else f"{many} de geldende lijst staan"
    return f"De lijst noemt {which}. Lever één lijst met alle zorgkantoren."


def _older_absences(offered: pa.Table, standing: pa.Table) -> str | None:
    """A file of absences takes the place of the whole one before it, so it is not older."""
    day, newest = max(offered["list_date"].to_pylist()), max(standing["list_date"].to_pylist())
    if day >= newest:
        return None
    return f"Het bestand is volledig tot en met {day:%d-%m-%Y}, het bestand dat nu geldt tot en met {newest:%d-%m-%Y}."


def _zorgkantoren(table: pa.Table) -> set[str]:
    return set(table["responsible_zorgkantoor"].drop_null().unique().to_pylist())


def _days_lost(home: Home, mine: ManifestEntry, earlier: Sequence[ManifestEntry]) -> str | None:
    """A later timesheet takes the place of what was said of its days before, so it may not leave them out in silence.

    Over the same period it must have the weeks, so that hours may be taken back; over another period every day: who sends a week
    does not speak of a month, and one wrong date makes a month of a week.
    """
    offered = _days(accepted_table(home, mine, TIMESHEETS))
    for entry, rows in counting_lines(home, earlier, mine.period):
        standing = _days(rows)
        weeks = {week_of(day) for day in standing} - {week_of(day) for day in offered}
        if weeks:
            return (
                f"Het bestand mist week {_listed(str(int(week[-2:])) for week in sorted(weeks))}, die eerder wel is aangeleverd. "
                "Lever de hele maand in één bestand aan, of per week een eigen bestand."
            )
        if entry.period != mine.period and standing - offered:
            wider = in_dutch(entry.period)
            return (
                f"Het bestand gaat over {in_dutch(mine.period)} en heeft geen uren op "
                f"{_listed(f'{day:%d-%m-%Y}' for day in sorted(standing - offered))}, het eerdere bestand over {wider} wel. "
                f"Controleer de datums, en lever alle dagen aan of het hele bestand over {wider} opnieuw."
            )
    return None


def _days(rows: pa.Table) -> set[date]:
    return set(rows["work_date"].unique().to_pylist())


def _listed(names: Iterable[str]) -> str:
    found = list(names)
    return ", ".join(found[:SHOWN]) + (", ..." if len(found) > SHOWN else "")


def _part_of(mine: ManifestEntry, earlier: Iterable[ManifestEntry]) -> list[Reason]:
    """Said to whoever sends a part of what he sent before: the rest goes on counting."""
    own = days_of(mine.period)
    others = [e for e in earlier if e.content_sha256 != mine.content_sha256]
    wider = {
        e.period for e in others if e.period and e.period != mine.period and shared_days(e.period, mine.period) == own
    }
    read_as = in_dutch(mine.period)
    return [
        Reason(
            TIMESHEETS,
            "",
            0,
            "",
            "part_of_period",
            "warning",
            f"Gelezen als {read_as}: wat over de rest van {in_dutch(period)} eerder is ingeleverd blijft gelden.",
        )
        for period in sorted(wider)
    ]
