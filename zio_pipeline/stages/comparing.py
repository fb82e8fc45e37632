"""A new file beside the others of its source, school and period: may it take their place?

Belongs here: files offered together that contradict each other, a Wlz list older than the one that counts, timesheets that
would lose weeks. Does not belong here: one file by itself (intake), what the rows of different sources say of each other.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import pyarrow as pa

from resources.home import Home
from zio_pipeline.contracts import sources
from zio_pipeline.intake import Delivery
from zio_pipeline.intake.delivery import CONTRADICTING, refusal_of
from zio_pipeline.manifest import ManifestEntry
from zio_pipeline.stages.standing import accepted_table

Entry = Callable[[Delivery], ManifestEntry]


def settled(home: Home, deliveries: Sequence[Delivery], entry_of: Entry) -> list[Delivery]:
    """The deliveries as they end, in the order in which they take effect: older statements first.

    Args:
        home: for what stands.
        deliveries: offered together, their tables already in the vault.
        entry_of: the manifest entry of each.
    """
    groups: dict[tuple[str, str], list[Delivery]] = defaultdict(list)
    for delivery in deliveries:
        if delivery.status != "refused":
            groups[delivery.source, entry_of(delivery).scope].append(delivery)
    result = [delivery for delivery in deliveries if delivery.status == "refused"]
    for group in groups.values():
        ordered = _in_order_of_statement(home, group, entry_of)
        result += [_against_standing(home, one, entry_of) for one in ordered] if ordered else map(_contradicting, group)
    return result


def _in_order_of_statement(home: Home, group: Sequence[Delivery], entry_of: Entry) -> list[Delivery] | None:
    """Files of one place in the order of the dates they state; None when those do not say which is the newest.

    Files that say the same, such as a workbook and its copy as text, do not contradict each other.
    """
    if len(group) == 1 or _say_the_same(home, group, entry_of):
        return list(group)
    dates = {
        one.content_sha256: _stated_date(accepted_table(home, entry_of(one), one.source), one.source) for one in group
    }
    if None in dates.values() or len(set(dates.values())) < len(group):
        return None
    return sorted(group, key=lambda one: dates[one.content_sha256] or date.min)


def _say_the_same(home: Home, group: Sequence[Delivery], entry_of: Entry) -> bool:
    names = [dataset.name for dataset in sources()[group[0].source].datasets]
    first, *others = (
        [accepted_table(home, entry_of(one), name).drop_columns(["sheet", "row_number"]) for name in names]
        for one in group
    )
    return all(mine.equals(theirs) for other in others for mine, theirs in zip(first, other, strict=True))


def _stated_date(table: pa.Table, source: str) -> date | None:
    column = {"wlz_statuses": "list_date", "provider_timesheets": "handed_in_on"}.get(source)
    days = [] if column is None else table[column].drop_null().unique().to_pylist()
    return max(days, default=None)


def _contradicting(delivery: Delivery) -> Delivery:
    reason = (
        "Tegelijk is nog een bestand aangeleverd over dezelfde school en periode met andere gegevens, en nergens staat welk "
        "het nieuwste is. Haal het verkeerde bestand uit de map en lever alleen het juiste aan; tot dan telt geen van beide."
    )
    return replace(refusal_of(delivery, reason), status=CONTRADICTING)


def _against_standing(home: Home, delivery: Delivery, entry_of: Entry) -> Delivery:
    refusal = {"wlz_statuses": _older_list, "provider_timesheets": _weeks_lost}.get(delivery.source)
    mine = entry_of(delivery)
    for entry in home.warehouse.manifest(source=delivery.source, scope=mine.scope, active=True) if refusal else ():
        offered, standing = (accepted_table(home, one, delivery.source) for one in (mine, entry))
        if refusal and (reason := refusal(offered, standing)):
            return refusal_of(delivery, reason)
    return delivery


def _older_list(offered: pa.Table, standing: pa.Table) -> str | None:
    day, newest = max(offered["list_date"].to_pylist()), max(standing["list_date"].to_pylist())
    if day >= newest:
        return None
    return f"De lijst van {day:%d-%m-%Y} is ouder dan de lijst die nu geldt, van {newest:%d-%m-%Y}."


def _weeks_lost(offered: pa.Table, standing: pa.Table) -> str | None:
    """A later file of the month takes the place of the earlier one, so it must cover its weeks."""
    lost = _weeks(standing) - _weeks(offered)
    if not lost:
        return None
    weeks = ", ".join(str(week) for _, week in sorted(lost))
    return f"Het bestand mist week {weeks}, die eerder wel is aangeleverd. Lever de hele maand in één bestand aan."


def _weeks(table: pa.Table) -> set[tuple[int, int]]:
    return {day.isocalendar()[:2] for day in table["work_date"].unique().to_pylist()}
