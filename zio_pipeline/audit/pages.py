"""Data Docs: the pages in which a data engineer reads what Great Expectations found, by delivery.

Belongs here: the content of a page and of the index, built from the components of Great Expectations and rendered by its own
view, in a frame of ours (`templates/`): Dutch, and complete in itself, because its own frame fetches styles and scripts from
the network. Only counts, column names and labels of files.
Does not belong here: judging anything (`verdict`, `drift`), where the pages are kept (stages).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from zio_pipeline.audit.drift import Change, Drift
from zio_pipeline.audit.engine import import_quietly, quietly
from zio_pipeline.audit.verdict import Audit, Check
from zio_pipeline.contracts import sources

INDEX = "index.html"
NOT_APPLICABLE = "Niet van toepassing: er is geen eerdere aanlevering om mee te vergelijken."
LISTED = 60
"""Of more deliveries than this audited together, only those with a finding are listed by name."""
DETAILED = 10
"""Of more deliveries with a finding than this, the figures are left out: they stand in the detail of each verdict."""
_TEMPLATES = Path(__file__).parent / "templates"
_SUFFIX = ".html"


@dataclass(frozen=True)
class Page:
    """What one page is about: the deliveries audited together, the outcome per table, and the drift per delivery."""

    name: str
    source: str
    deliveries: tuple[str, ...]
    audits: tuple[Audit, ...]
    drifts: tuple[Drift, ...]

    @property
    def file(self) -> str:
        """Name of its file, beside the index."""
        return self.name + _SUFFIX

    @property
    def failed(self) -> int:
        """Number of rules that were not met."""
        return sum(not check.passed for audit in self.audits for check in audit.checks)

    @property
    def deviations(self) -> int:
        """Number of changes beyond their tolerance."""
        return sum(len(drift.deviations) for drift in self.drifts)


def render(page: Page) -> bytes:
    """One page as HTML that needs nothing but itself."""
    with quietly():
        parts = _parts()
        sections = [_overview(parts, page), *_comparisons(parts, page), *_tables(parts, page)]
        return _html(parts, f"{_title(page.source)}: {_named(page)}", sections)


def render_index(pages: Sequence[Page]) -> bytes:
    """The list of all pages, by source and then by label."""
    order = list(sources())
    header = ["Oordeel", "Bron", "Levering", "#Rijen", "#Regels", "#Niet gehaald", "Afwijking van de vorige"]
    with quietly():
        parts = _parts()
        ordered = sorted(pages, key=lambda page: (order.index(page.source), page.deliveries, page.name))
        rows = [_index_row(parts, page) for page in ordered]
        section = parts.section("Alle controles", [_banner(parts, pages), parts.table(header, rows)])
        return _html(parts, "Gegevenscontrole", [section])


def _banner(parts: "_Parts", pages: Sequence[Page]) -> Any:
    failed, deviations = sum(page.failed for page in pages), sum(page.deviations for page in pages)
    rules = _number(sum(len(audit.checks) for page in pages for audit in page.audits))
    good = "Alle regels zijn gehaald" if len(pages) != 1 else f"Alle {rules} regels zijn gehaald"
    verdict = f"{failed} van {rules} regels niet gehaald" if failed else good
    drifted = f"; {deviations} keer anders dan de vorige aanlevering (waarschuwing)" if deviations else ""
    return parts.banner(f"{verdict}{drifted}.", "bad" if failed else "warn" if deviations else "good")


def _index_row(parts: "_Parts", page: Page) -> list[Any]:
    rows = sum(audit.row_count for audit in page.audits)
    rules = sum(len(audit.checks) for audit in page.audits)
    link = parts.link(_named(page), page.file)
    return [parts.icon(_mark(page)), _title(page.source), link, rows, rules, page.failed, _drift_verdict(page)]


def _mark(page: Page) -> str:
    return "times" if page.failed else "exclamation" if page.deviations else "check-circle"


def _overview(parts: "_Parts", page: Page) -> Any:
    facts = [
        ["Bron", _title(page.source)],
        ["Levering", _named(page)],
        ["Rijen", _number(sum(audit.row_count for audit in page.audits))],
        ["Regels", _number(sum(len(audit.checks) for audit in page.audits))],
        ["Niet gehaald", _number(page.failed)],
        ["Afwijking van de vorige", _drift_verdict(page)],
    ]
    return parts.section("Overzicht", [_banner(parts, [page]), parts.table([], facts)])


def _drift_verdict(page: Page) -> str:
    compared = sum(drift.previous is not None for drift in page.drifts)
    if not compared:
        return "niet van toepassing: geen eerdere aanlevering"
    found = f"{page.deviations} keer" if page.deviations else "geen"
    return found if len(page.drifts) == 1 else f"{found} ({compared} van {len(page.drifts)} leveringen vergeleken)"


def _comparisons(parts: "_Parts", page: Page) -> Iterator[Any]:
    """Per delivery what is beyond its tolerance, and all figures of a delivery that stands alone or has such a change."""
    header = ["Oordeel", "Levering", "Vorige levering", "#Rijen toen", "#Rijen nu", "Bevinding"]
    drifting = [drift for drift in page.drifts if drift.deviations]
    listed = drifting if len(page.drifts) > LISTED else page.drifts
    if page.drifts:
        title = "Vergelijking met de vorige aanlevering"
        rows = [_comparison(parts, page, drift) for drift in listed]
        if others := len(page.drifts) - len(listed):
            rows.append([parts.icon("check-circle"), f"{_number(others)} andere", "", "", "", "Geen afwijking."])
        yield parts.section(title, [parts.heading(title), parts.table(header, rows)])
    detailed = page.drifts if len(page.drifts) == 1 else drifting if len(drifting) <= DETAILED else ()
    yield from (_figures(parts, page, drift) for drift in detailed if drift.changes)


def _comparison(parts: "_Parts", page: Page, drift: Drift) -> list[Any]:
    label = _short(page, drift.label)
    if drift.previous is None:
        return [parts.icon("minus"), label, "geen", "", "", NOT_APPLICABLE]
    mark = "exclamation" if drift.deviations else "check-circle"
    found = parts.lines(drift.deviations or ("Geen afwijking.",))
    return [parts.icon(mark), label, _short(page, drift.previous), *drift.rows, found]


def _figures(parts: "_Parts", page: Page, drift: Drift) -> Any:
    title = f"Cijfers van {_short(page, drift.label)}"
    several = len({change.table for change in drift.changes}) > 1
    rows = [_figure(parts, change, several=several) for change in drift.changes]
    table = parts.table(["Oordeel", "Cijfer", "#Verschil", "#Gewoon tot"], rows)
    return parts.section(title, [parts.heading(title), table])


def _figure(parts: "_Parts", change: Change, *, several: bool) -> list[Any]:
    unit = "procentpunt" if change.now.kind in ("share", "blank") else "%"
    sentence = f"Blad {change.table}: {change.sentence}" if several else change.sentence
    limits = (parts.cell(f"{_tenths(number)} {unit}") for number in (change.deviation, change.tolerance))
    return [parts.icon("check-circle" if change.passed else "exclamation"), sentence, *limits]


def _tenths(thousandths: int) -> str:
    whole, part = divmod(thousandths, 10)
    return f"{whole},{part}" if part else str(whole)


def _tables(parts: "_Parts", page: Page) -> Iterator[Any]:
    words = _words(page.source)
    for audit in page.audits:
        title = f"Regels van {words.get((audit.dataset, ''), audit.dataset)} ({_number(audit.row_count)} rijen)"
        named = [[words.get((audit.dataset, name), name) for name in check.columns] for check in audit.checks]
        block = parts.rules(audit, [", ".join(names) or "hele tabel" for names in named])
        yield parts.section(title, [parts.heading(title), block])


def _words(source: str) -> Mapping[tuple[str, str], str]:
    """Dutch name of every table ('' as column) and column of a source, as its contract now stands."""
    datasets = sources()[source].datasets
    tables = {(dataset.name, ""): dataset.dutch for dataset in datasets}
    return tables | {(dataset.name, column.name): column.dutch for dataset in datasets for column in dataset.columns}


def _title(source: str) -> str:
    return sources()[source].name


def _named(page: Page) -> str:
    """The label without the source it begins with, or how many were audited together; those stand below it."""
    if len(page.deliveries) == 1:
        return _short(page, page.deliveries[0])
    return f"{len(page.deliveries)} leveringen samen ({page.name.rpartition('-')[2]})"


def _short(page: Page, label: str) -> str:
    return label.removeprefix(f"{page.source}-")


def _unbroken(text: str) -> str:
    """A percentage stays on one line."""
    return text.replace(" %", "\u00a0%")


def _number(number: int) -> str:
    return f"{number:,}".replace(",", ".")


def _html(parts: "_Parts", title: str, sections: Sequence[Any]) -> bytes:
    document = parts.render.RenderedDocumentContent(
        renderer_type="ValidationResultsPageRenderer", page_title=escape(title), sections=list(sections)
    )
    view = parts.view(custom_views_directory=str(_TEMPLATES))
    return str(view.render(document, template="zio_page.j2", index=INDEX)).encode()


@dataclass(frozen=True)
class _Parts:
    """The components of Great Expectations that pages are built from. Text is escaped here, because its view does not."""

    render: Any
    view: Any
    rule_table: Any
    result: Any
    configuration: Any

    def section(self, name: str, blocks: Sequence[Any]) -> Any:
        return self.render.RenderedSectionContent(section_name=escape(name), content_blocks=list(blocks))

    def heading(self, text: str) -> Any:
        return self.render.RenderedHeaderContent(header=self._text(text, tag="h2"), styling={"classes": ["col-12"]})

    def banner(self, text: str, kind: str) -> Any:
        return self._text(text, tag="p", classes=["banner", kind])

    def table(self, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> Any:
        """Whole numbers stand to the right, and so does a heading that begins with #."""
        cells = [[self._cell(value) for value in row] for row in rows]
        headings = [self.heading_cell(text) for text in header] or None
        styling = {"classes": ["col-12"], "body": {"classes": ["table", "rows" if header else "facts"]}}
        return self.render.RenderedTableContent(table=cells, header_row=headings, styling=styling)

    def _cell(self, value: Any) -> Any:
        if isinstance(value, int):
            return self.cell(_number(value))
        return escape(_unbroken(value)) if isinstance(value, str) else value

    def lines(self, texts: Sequence[str]) -> Any:
        """A cell with a line for each text."""
        params = {f"line{place}": _unbroken(text) for place, text in enumerate(texts)}
        template = {"template": "\n".join(f"${name}" for name in params), "params": params}
        return self.render.RenderedStringTemplateContent(string_template=template)

    def cell(self, text: str) -> Any:
        """A cell that stands to the right."""
        return self._text(text, tag="span", parent=["number"])

    def heading_cell(self, text: str) -> Any:
        return self._text(text.removeprefix("#"), tag="span", classes=["number"] if text.startswith("#") else [])

    def icon(self, name: str) -> Any:
        """By its name in Great Expectations: check-circle, times, exclamation, minus."""
        return self._text("", tag="i", classes=["fas", f"fa-{name}"])

    def link(self, text: str, address: str) -> Any:
        return self._text(text, tag="a", attributes={"href": address})

    def rules(self, audit: Audit, columns: Sequence[str]) -> Any:
        """The table of rules as Great Expectations renders the results of a suite, with the columns beside each rule."""
        block = self.rule_table.render(
            [self._result(audit, check) for check in audit.checks], include_column_name=False
        )
        block.header_row = ["Oordeel", "Kolom", "Regel", "Waargenomen"]
        block.header_row_options = {}
        block.table = [
            [icon, escape(column), *rest] for (icon, *rest), column in zip(block.table, columns, strict=True)
        ]
        return block

    def _result(self, audit: Audit, check: Check) -> Any:
        """The stored counts as a result of Great Expectations; which expectation it was, its sentence already says."""
        bad = f"{_number(check.violations)} rijen wijken af" if check.violations else "geen rij wijkt af"
        observed = f"{_number(audit.row_count)} rijen" if not check.columns else bad
        configuration = self.configuration(
            type="expect_table_row_count_to_be_between",
            kwargs={"min_value": 0},
            description=escape(check.sentence, quote=False),
        )
        return self.result(success=check.passed, expectation_config=configuration, result={"observed_value": observed})

    def _text(self, text: str, tag: str, parent: Sequence[str] = (), **styling: Any) -> Any:
        template = {"template": "$text", "params": {"text": text}, "tag": tag, "styling": styling}
        around = {"parent": {"classes": list(parent)}} if parent else None
        return self.render.RenderedStringTemplateContent(string_template=template, styling=around)


def _parts() -> _Parts:
    import_quietly()
    from great_expectations import render  # noqa: PLC0415 - seconds that only a page should pay
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult  # noqa: PLC0415
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration  # noqa: PLC0415
    from great_expectations.render.renderer.content_block.validation_results_table_content_block import (  # noqa: PLC0415
        ValidationResultsTableContentBlockRenderer,
    )
    from great_expectations.render.view.view import DefaultJinjaPageView  # noqa: PLC0415

    return _Parts(
        render,
        DefaultJinjaPageView,
        ValidationResultsTableContentBlockRenderer,
        ExpectationValidationResult,
        ExpectationConfiguration,
    )
