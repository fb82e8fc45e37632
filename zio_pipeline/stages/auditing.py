"""Auditing deliveries: every delivery once against its contract and once beside the delivery before it.

Belongs here: which rows are audited together, which delivery is the one before, the verdicts and the pages kept of both.
Does not belong here: how rows are judged (`zio_pipeline.audit`), and what a verdict means for money (`publishing`).

A bad verdict on the contract stops the run: rows that intake judged good fail a second engine. A drift never does: it is a
warning, kept in the detail of a verdict of its own (source, content of the delivery, drift rules) so that it is seen later
without being computed again.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from resources.home import Home, write_atomically
from zio_pipeline.audit import Audit, Drift, Pair, Profile, compare, drift_hash, profiles, ruleset_hash
from zio_pipeline.audit.pages import INDEX, Page, render, render_index
from zio_pipeline.contracts import Dataset, sources
from zio_pipeline.intake.delivery import Delivery
from zio_pipeline.manifest import ManifestEntry
from zio_pipeline.periods import days_of
from zio_pipeline.stages.publishing import require_verdict
from zio_pipeline.stages.standing import accepted_table, vault_stem
from zio_pipeline.stages.verdicts import details_of, paged_details, record_all


@dataclass(frozen=True)
class Compared:
    """What was found of a delivery beside the one before it, and the page that shows it."""

    drift: Drift
    page: Path


@dataclass(frozen=True)
class _Batch:
    """Deliveries of one source that are audited as one table."""

    source: str
    deliveries: Sequence[Delivery]

    @property
    def datasets(self) -> Sequence[Dataset]:
        return sources()[self.source].datasets

    @property
    def identity(self) -> str:
        return _hash(",".join(sorted(delivery.content_sha256 for delivery in self.deliveries)))

    @property
    def minimum_rows(self) -> int:
        """A delivery has a row; a sheet of a workbook may be empty."""
        return 1 if len(self.datasets) == 1 else 0

    @property
    def page(self) -> str:
        """Another page for another content or other rules, so a page that is there need not be made again."""
        label = self.deliveries[0].label if len(self.deliveries) == 1 else f"{self.source}-samen"
        rules = "".join(ruleset_hash(dataset, self.minimum_rows) for dataset in self.datasets)
        return f"{label}-{_hash(self.identity + rules)[:8]}"


def audit_deliveries(home: Home, deliveries: Sequence[Delivery], earlier: Sequence[ManifestEntry] = ()) -> None:
    """Audit the accepted rows of deliveries that were offered together, compare them with earlier ones, and show both.

    A content that was judged by the rules of today is not judged again.

    Args:
        home: where everything is kept; the tables of registered files and of `earlier` are in its vault.
        deliveries: in order of arrival, not registered yet; refused ones are left out.
        earlier: what was offered with them and audited in an earlier portion, as it will be registered.

    Raises:
        NotProved: accepted rows do not keep their contract. What was found stands in the verdict and on its page.
    """
    try:
        for batch in _batches([delivery for delivery in deliveries if delivery.accepted]):
            _audit(home, batch)
            _compare(home, batch, earlier)
    finally:
        write_data_docs(home)


def compared(home: Home, entry: ManifestEntry) -> Compared | None:
    """What was found when this file was compared; None when nobody has compared it by the rules of today."""
    detail = details_of(home, entry.source, drift_hash()).get(entry.content_sha256)
    if detail is None:
        return None
    return Compared(Drift.from_json(detail["drift"]), data_docs(home) / f"{detail['page']}.html")


def data_docs(home: Home) -> Path:
    """The folder of the pages; `index.html` in it lists them."""
    return home.folder / "data-docs"


def write_data_docs(home: Home) -> Path:
    """Make the pages that are missing, out of the stored verdicts, and with them the index; the index.

    Where nothing is missing nothing is written, and Great Expectations is not even imported.
    """
    folder, pages = data_docs(home), _pages(home)
    missing = [page for page in pages if not (folder / page.file).exists()]
    index = folder / INDEX
    if missing or (pages and not index.exists()):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for page in missing:
            write_atomically(folder / page.file, render(page))
        write_atomically(index, render_index(pages))
    return index


def _batches(deliveries: Sequence[Delivery]) -> Iterator[_Batch]:
    """Rows of a keyed source are unique within a file only; the others are audited as one batch, which is far faster."""
    for source in sorted({delivery.source for delivery in deliveries}):
        mine = [delivery for delivery in deliveries if delivery.source == source]
        keyed = any(dataset.key for dataset in sources()[source].datasets)
        yield from (_Batch(source, together) for together in ([[one] for one in mine] if keyed else [mine]))


def _audit(home: Home, batch: _Batch) -> None:
    labels = sorted(delivery.label for delivery in batch.deliveries)
    shown = {"page": batch.page, "source": batch.source, "deliveries": labels}
    for dataset in batch.datasets:
        rows = partial(_together, [delivery.accepted[dataset.name] for delivery in batch.deliveries], dataset)
        require_verdict(home, dataset, batch.identity, rows, minimum_rows=batch.minimum_rows, shown=shown)


def _together(tables: Sequence[pa.Table], dataset: Dataset) -> pa.Table:
    return pa.concat_tables([table.select([column.name for column in dataset.columns]) for table in tables])


def _compare(home: Home, batch: _Batch, offered: Sequence[ManifestEntry]) -> None:
    """One comparison for the whole batch. What is found is recorded per delivery, also that there was nothing before it."""
    rules = drift_hash()
    known = details_of(home, batch.source, rules)
    fresh = [delivery for delivery in batch.deliveries if delivery.content_sha256 not in known]
    arrived: list[Delivery | ManifestEntry] = [*_readable(home, batch.source, offered), *batch.deliveries]
    drifts = compare(_pairs(home, fresh, arrived))
    shown = {"page": batch.page, "source": batch.source}
    found = {
        delivery.content_sha256: (not drift.deviations, {**shown, "drift": drift.as_json()})
        for delivery, drift in zip(fresh, drifts, strict=True)
    }
    record_all(home, batch.source, rules, found)


def _pairs(home: Home, fresh: Sequence[Delivery], arrived: Sequence[Delivery | ManifestEntry]) -> list[Pair]:
    """Every delivery beside the one before it; profiles are made of what is compared only, and once of each."""
    previous = {delivery.content_sha256: _previous(delivery, arrived) for delivery in fresh}
    both = [(delivery, previous[delivery.content_sha256]) for delivery in fresh]
    profiled = _profiled(home, [one for pair in both if pair[1] is not None for one in pair if one is not None])
    return [
        Pair(delivery.label)
        if earlier is None
        else Pair(
            delivery.label,
            profiled[delivery.content_sha256],
            earlier.label,
            profiled[earlier.content_sha256],
            monthly=delivery.period is not None,
        )
        for delivery, earlier in both
    ]


def _readable(home: Home, source: str, offered: Sequence[ManifestEntry]) -> list[ManifestEntry]:
    """Files to compare with: a refused one has no accepted rows, and of an old one they may have been removed."""
    kept = frozenset(home.vault.names())
    names = [dataset.name for dataset in sources()[source].datasets]
    entries = [*home.warehouse.manifest(source=source), *(entry for entry in offered if entry.source == source)]
    return [
        entry
        for entry in entries
        if entry.status != "refused" and kept.issuperset(f"{vault_stem(entry)}-{name}" for name in names)
    ]


def _previous(delivery: Delivery, arrived: Sequence[Delivery | ManifestEntry]) -> Delivery | ManifestEntry | None:
    """The delivery before this one: of the same school and provider, of the same period or else of the nearest earlier one.

    Of one period the latest to arrive. What is offered together counts too, because a whole year may come in at once.
    """
    mine = next(place for place, one in enumerate(arrived) if one is delivery)
    earlier = [
        (_period(one), place)
        for place, one in enumerate(arrived)
        if _place(one) == _place(delivery)
        and one.content_sha256 != delivery.content_sha256
        and (_period(one), place) < (_period(delivery), mine)
    ]
    return arrived[max(earlier)[1]] if earlier else None


def _place(one: Delivery | ManifestEntry) -> tuple[str | None, str | None, bool]:
    """A week is held against a week, a month against a month."""
    return one.school, one.provider, "W" in (one.period or "")


def _period(one: Delivery | ManifestEntry) -> tuple[str, date]:
    return one.school_year or "", days_of(one.period)[0]


def _profiled(home: Home, deliveries: Sequence[Delivery | ManifestEntry]) -> dict[str, list[Profile]]:
    """Profiles of the tables of each, by content."""
    each = {one.content_sha256: one for one in deliveries}
    tables = [
        (content, dataset, _table(home, one, dataset.name))
        for content, one in each.items()
        for dataset in sources()[one.source].datasets
    ]
    measured = profiles([(dataset, table) for _, dataset, table in tables])
    found: dict[str, list[Profile]] = {content: [] for content in each}
    for (content, _, _), profile in zip(tables, measured, strict=True):
        found[content].append(profile)
    return found


def _table(home: Home, one: Delivery | ManifestEntry, dataset: str) -> pa.Table:
    return one.accepted[dataset] if isinstance(one, Delivery) else accepted_table(home, one, dataset)


def _pages(home: Home) -> list[Page]:
    """Every page that the stored verdicts speak of."""
    by_page: dict[str, list[dict[str, Any]]] = {}
    for detail in paged_details(home):
        by_page.setdefault(detail["page"], []).append(detail)
    return [_page(name, details) for name, details in sorted(by_page.items()) if details[0]["source"] in sources()]


def _page(name: str, details: Sequence[Mapping[str, Any]]) -> Page:
    source = details[0]["source"]
    order = [dataset.name for dataset in sources()[source].datasets]
    audits = [Audit.from_json(detail["audit"]) for detail in details if "audit" in detail]
    drifts = [Drift.from_json(detail["drift"]) for detail in details if "drift" in detail]
    return Page(
        name,
        source,
        tuple(sorted({label for detail in details for label in detail.get("deliveries", ())})),
        tuple(sorted(audits, key=lambda audit: order.index(audit.dataset) if audit.dataset in order else len(order))),
        tuple(sorted(drifts, key=lambda drift: drift.label)),
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
