"""The terugmelding: the workbook a sender gets back, with the own rows that were rejected and what is wrong with each.

Belongs here: what a school, provider or zorgkantoor reads about one file (SPEC section 2), in Dutch, as bytes. It is pure:
the same rows, in whatever order, give the same bytes.
Does not belong here: judging rows, and where the workbook is kept. It holds personal data, as the sender wrote them.

Nothing a sender wrote can become a formula, not even after an edit: it is a string, in a cell formatted as text, with the
prefix that keeps it one (SPEC section 8). A character that a workbook cannot hold shows as its picture.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from zio_pipeline.contracts import sources
from zio_pipeline.workbooks import lines_needed, new_workbook

MAX_SHOWN = 10_000
"""Rows shown on a sheet; a line says how many are not, and the table of reasons counts them all."""
MAX_COLUMNS = 100
"""Columns of the sender that are shown; those that the contract knows go before the others."""
MAX_CHARACTERS = 250
"""Shown of one cell, far below the 32,767 that Excel holds: a longer one ends in an ellipsis, and its row says so."""

_ABSENT, _WHOLE_ROW = 1 << 20, 1 << 21  # positions after any column of a sheet
_FILE_RULES = frozenset(("unknown_sheet", "unknown_column", "unnamed_column"))
_REJECTED, _REMARKS = "Afgekeurde rijen", "Opmerkingen"
_CONTROLS = str.maketrans({code: chr(0x2400 + code) for code in range(32) if code != 10} | {127: "\u2421"})
_OUTCOMES = {
    "accepted": ("good", "Aanvaard", "Alle rijen tellen mee."),
    "partly_accepted": ("warn", "Gedeeltelijk aanvaard", "De afgekeurde rijen tellen nog niet mee."),
    "refused": ("bad", "Geweigerd", "Niets uit dit bestand is gebruikt. Wat u eerder goed aanleverde, blijft gelden."),
    "contradicting": ("bad", "Tegenstrijdig", "Dit bestand telt nog niet mee; wat eerder goed was, blijft gelden."),
}
_CONFIDENTIAL = (
    "Dit werkboek en uw bestand bevatten persoonsgegevens: mail ze nooit onversleuteld; wis dit werkboek na gebruik."
)

Place = tuple[str, int]  # the sender's sheet and row number; row 0 is the sheet as a whole


class _Field(NamedTuple):
    """A column as the sender has it: `position` from 1, 0 when the file lacks it; `column` of the contract, or ''."""

    position: int
    title: str
    column: str


class _Said(NamedTuple):
    """A reason as its sender reads it, under the sender's own header ('' for a whole row); sorts as it is listed."""

    is_about_rows: bool
    place: Place
    is_warning: bool
    position: int
    title: str
    text: str
    column: str

    @property
    def sentence(self) -> str:
        return ("Let op: " if self.is_warning else "") + (f"{self.title}: " if self.title else "") + self.text


class _Row(NamedTuple):
    """A rejected row: its cells by position, and what is said of it."""

    place: Place
    cells: Mapping[int, str]
    said: Sequence[_Said]


_Headers = dict[str, list[_Field]]  # by sheet
_Block = tuple[Sequence[_Field], Sequence[_Row]]  # rejected rows of sheets with the same headers


def terugmelding(delivery: Mapping[str, Any], reasons: Sequence[Mapping[str, Any]], raw: pa.Table) -> bytes:
    """The XLSX for the sender of one file.

    Args:
        delivery: its row of the product `deliveries`; `records_in` and `records_beside` are shown when they are there.
        reasons: its rows of the product `quarantine`; row 0 of a sheet is the whole sheet, of sheet '' the whole file.
        raw: its rows with a reason as they were sent (`delivery.RAW_SCHEMA`); rows without an error are not shown.

    Raises:
        ValueError: the counts do not add up, or are not those of the reasons (SPEC section 2: always shown).
    """
    contract, headers = sources().get(delivery["source"]), _headers(raw)
    dutch = {c.name: c.dutch for dataset in (contract.datasets if contract else ()) for c in dataset.columns}
    rejected, remarks = _sorted_out(_said(reason, headers, dutch) for reason in reasons)
    _require_sums(delivery, sum(number > 0 for _, number in rejected))
    blocks = _blocks(headers, rejected, raw)
    buffer = BytesIO()
    with new_workbook(buffer, "Terugmelding", "Uw aanlevering; vertrouwelijk") as book:
        formats = {name: book.add_format(look) for name, look in _looks().items()}
        page = _Page(book.add_worksheet("Samenvatting"), formats, (24, 90, 14))
        steps = _steps(delivery["status"], bool(rejected), bool(remarks))
        _write_summary(page, delivery, contract.name if contract else "niet herkend", steps)
        _write_tally(page, [said for mine in rejected.values() for said in mine], with_sheet=len(blocks) > 1)
        lead = {"blad": 14, "regel": 9} if any(reason["sheet"] for reason in reasons) else {"regel": 9}
        if blocks:
            page = _Page(book.add_worksheet(_REJECTED), formats, [*lead.values(), *_widths(blocks), 60])
            _write_rejected(page, blocks, tuple(lead), len(rejected))
        if remarks:
            _write_remarks(_Page(book.add_worksheet(_REMARKS), formats, [*lead.values(), 26, 90]), remarks, tuple(lead))
    return buffer.getvalue()


def _require_sums(delivery: Mapping[str, Any], rejected: int) -> None:
    rows_in, accepted, quarantined = (delivery[name] for name in ("rows_in", "rows_accepted", "rows_quarantined"))
    unused = rows_in - accepted - quarantined
    if unused and not (delivery["status"] in ("refused", "contradicting") and accepted == 0 and unused > 0):
        raise ValueError("rows in must be accepted plus quarantined")
    if quarantined != rejected:
        raise ValueError("the quarantined rows must be those with an error")
    if delivery.get("records_in") is not None and delivery["records_in"] != delivery["records_beside"] + rows_in:
        raise ValueError("records in must be those beside plus the rows in")


def _headers(raw: pa.Table) -> _Headers:
    """The columns that have a header."""
    found: _Headers = defaultdict(list)
    lines = raw.group_by(["sheet", "position", "header", "column"]).aggregate([]).itercolumns()
    for sheet, position, header, column in sorted(zip(*(line.to_pylist() for line in lines), strict=True)):
        if header or column:
            found[sheet].append(_Field(position, " ".join(header.split())[:80], column))
    return found


def _said(reason: Mapping[str, Any], headers: _Headers, dutch: Mapping[str, str]) -> _Said:
    """The reason, under the sender's own header instead of the contract's; that one stands in it, or else in `dutch`."""
    sheet, column, explanation = reason["sheet"], reason["column"], reason["explanation"]
    own = [field for field in headers.get(sheet, ()) if column and field.column == column]
    named = re.fullmatch(r"Kolom '([^']*)': (.*)", explanation, re.DOTALL)
    return _Said(
        is_about_rows=reason["row_number"] > 0 and reason["rule"] not in _FILE_RULES,
        place=(sheet, reason["row_number"]),
        is_warning=reason["severity"] != "error",
        position=own[0].position if own else _ABSENT if column else _WHOLE_ROW,
        title=" + ".join(field.title for field in own) or (named[1] if named else dutch.get(column, column)),
        text=named[2] if named else explanation,
        column=column,
    )


def _sorted_out(reasons: Iterable[_Said]) -> tuple[dict[Place, list[_Said]], list[_Said]]:
    """What is said of every row that has an error; and the warnings about the rest, those about the file first."""
    found: dict[Place, list[_Said]] = defaultdict(list)
    for said in sorted(set(reasons)):
        found[said.place].append(said)
    rejected = {place: mine for place, mine in found.items() if not all(said.is_warning for said in mine)}
    return rejected, sorted(said for place in found.keys() - rejected for said in found[place])


def _cells(raw: pa.Table, shown: Sequence[Place]) -> dict[Place, dict[int, str]]:
    """The filled cells of the rows that are shown, by position; the rest of a large table never becomes Python."""
    sheets = {sheet: number for number, sheet in enumerate(sorted({sheet for sheet, _ in shown}))}
    places = pa.array([(sheets[sheet] << 40) + number for sheet, number in shown], pa.int64())
    sheet = pc.cast(pc.index_in(raw["sheet"], value_set=pa.array(list(sheets), pa.string())), pa.int64())
    mine = raw.filter(pc.is_in(pc.add(pc.shift_left(sheet, 40), raw["row_number"]), value_set=places))
    cells: dict[Place, dict[int, str]] = defaultdict(dict)
    columns = (mine[name].to_pylist() for name in ("sheet", "row_number", "position", "value"))
    for name, number, position, value in zip(*columns, strict=True):
        if value:
            cells[name, number][position] = value
    return cells


def _blocks(headers: _Headers, rejected: Mapping[Place, list[_Said]], raw: pa.Table) -> list[_Block]:
    """The first rows by place, those of sheets with the same headers together."""
    shown = list(rejected)[:MAX_SHOWN]
    cells = _cells(raw, shown)
    grouped: dict[tuple[_Field, ...], list[_Row]] = defaultdict(list)
    for place in shown:
        grouped[tuple(headers.get(place[0], ()))].append(_Row(place, cells[place], rejected[place]))
    return [(_fields(named, rows), rows) for named, rows in grouped.items()]


def _fields(named: Sequence[_Field], rows: Sequence[_Row]) -> list[_Field]:
    """The named columns, those without a header where they hold something, and those to be filled that the file lacks."""
    beyond = {position for row in rows for position in row.cells} - {field.position for field in named}
    unnamed = (_Field(position, "(zonder kop)", "") for position in beyond)
    kept = sorted([*named, *unnamed], key=lambda field: (not field.column, field.position))[:MAX_COLUMNS]
    absent = {(s.title, s.column) for row in rows for s in row.said if s.position == _ABSENT and not s.is_warning}
    lacking = (_Field(0, f"{title} (niet in uw bestand)", column) for title, column in sorted(absent))
    return [*sorted(kept), *lacking]


def _steps(status: str, has_rejected: bool, has_remarks: bool) -> Iterator[str]:
    again = "Lever daarna het hele bestand opnieuw aan"
    if has_rejected:
        place = "Vooraan staat het regelnummer in uw eigen bestand, achteraan wat er mis is."
        yield f"Kijk op het blad '{_REJECTED}'. {place} Cellen die niet kloppen zijn rood, vet en dik omrand."
        reason = " en verhelp de reden van weigering" if status == "refused" else ""
        yield f"Verbeter de gemarkeerde cellen in uw eigen bestand{reason}. Stuur dit werkboek zelf niet terug."
        why = "Het nieuwe bestand komt in de plaats van het hele vorige; alleen de afgekeurde rijen sturen is niet genoeg."
        yield f"{again}, ook de rijen die al goed waren. {why}"
    elif status in ("refused", "contradicting"):
        yield f"Verhelp de reden van weigering in uw eigen bestand. {again}."
    if has_remarks:
        yield f"Lees het blad '{_REMARKS}' na. Klopt iets niet, verbeter het dan in uw eigen bestand. {again}."
    elif status == "accepted":
        yield "U hoeft niets te doen."


def _counts(delivery: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    """What it is, how it adds up, and how many."""
    total, good, bad = (delivery[name] for name in ("rows_in", "rows_accepted", "rows_quarantined"))
    sum_above = "rijen met gegevens"
    if delivery.get("records_in") is not None:
        records, beside = delivery["records_in"], delivery["records_beside"]
        yield "Regels in het bestand", "alles wat erin staat", records
        yield "Geen gegevens", "lege regels, titels, koppen, totalen, notities, bladen die niet worden gelezen", beside
        sum_above = f"{_dotted(records)} − {_dotted(beside)} = {_dotted(total)}"
    yield "Aangeboden rijen", sum_above, total
    yield "Aanvaard", "tellen mee", good
    yield "Afgekeurd", "tellen niet mee; de redenen staan hieronder", bad
    if unused := total - good - bad:
        yield "Niet gebruikt", "geen fout gevonden, maar het bestand is als geheel geweigerd", unused
    parts = (good, bad, unused) if unused else (good, bad)
    yield "Samen", f"{' + '.join(map(_dotted, parts))} = {_dotted(total)}", sum(parts)


def _dotted(value: int) -> str:
    return f"{value:,}".replace(",", ".")


def _looks() -> dict[str, dict[str, Any]]:
    plain = {"valign": "top", "text_wrap": True}
    line = plain | {"border": 1, "border_color": "#BFBFBF"}
    cell, bold = line | {"num_format": "@", "quote_prefix": True}, {"bold": True}
    bad, head = bold | {"font_color": "#9C0006", "bg_color": "#FFE3DE"}, bold | {"font_color": "#1F3A5F"}
    mark, middle = bad | {"border": 2, "border_color": "#9C0006"}, {"align": "center"}
    return {
        "title": head | {"font_size": 16},
        "section": head | {"font_size": 12},
        "plain": plain,
        "label": plain | bold,
        "good": line | bold | {"font_color": "#1E5631", "bg_color": "#E2F0D9"},
        "warn": line | bold | {"font_color": "#5F4700", "bg_color": "#FFF2CC"},
        "bad": line | bad,
        "ours": line | bold | {"font_color": "#FFFFFF", "bg_color": "#1F3A5F"},
        "theirs": cell | bold | {"bg_color": "#DFE7F0"},
        "line": line | {"quote_prefix": True},  # begins with a header of the sender
        "count": line | {"num_format": "#,##0"},
        "place": line | middle,
        "cell": cell,
        "mark": cell | mark,
        "mark_place": line | mark | middle,
    }


class _Page:
    """A sheet, written from top to bottom. Looks `title` and `section` run on over the empty cells beside them."""

    def __init__(self, sheet: Any, formats: Mapping[str, Any], widths: Sequence[int]):
        self.sheet, self.formats, self.widths, self.row = sheet, formats, widths, 0
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.set_margins(0.4, 0.4, 0.5, 0.6)
        sheet.fit_to_pages(1, 0)
        sheet.hide_gridlines(2)
        sheet.set_footer("&L&8Vertrouwelijk: bevat persoonsgegevens&R&8&A, pagina &P van &N")

    def add(self, *cells: tuple[str | int | None, str], spread: int = 0) -> None:
        """Write a line of values and looks, as high as it needs; the last goes on over the columns through `spread`."""
        lines = 1
        for column, (value, look) in enumerate(cells):
            width, format_ = self.widths[column], self.formats[look]
            if column == len(cells) - 1 and spread > column:
                self.sheet.merge_range(self.row, column, self.row, spread, "", format_)
                width = sum(self.widths[column : spread + 1])
            if isinstance(value, int):
                self.sheet.write_number(self.row, column, value, format_)
            elif value:
                text = _clean(value, MAX_CHARACTERS if look in ("cell", "mark") else 16_000)
                self.sheet.write_string(self.row, column, text, format_)
                if look not in ("title", "section"):
                    lines = max(lines, lines_needed(text, width))
            else:
                self.sheet.write_blank(self.row, column, None, format_)
        self.sheet.set_row(self.row, 24 if cells[0][1] == "title" else min(13 * lines + 4, 405))
        self.row += 1

    def add_section(self, text: str, count: int = 0) -> None:
        """A heading after an empty line; below it how many lines of a list are not shown."""
        self.row += self.row > 0
        self.add((text, "section"))
        if count > MAX_SHOWN:
            rest = f"nog {_dotted(count - MAX_SHOWN)} zijn er niet getoond."
            self.add((f"Alleen de eerste {_dotted(MAX_SHOWN)} staan hier; {rest}", "section"))

    def keep_header(self, fixed: int, rows: int) -> None:
        """The line just written stays in sight, on paper too, and filters the `rows` below it."""
        self.sheet.freeze_panes(self.row, fixed)
        self.sheet.repeat_rows(self.row - 1)
        self.sheet.autofilter(self.row - 1, 0, self.row - 1 + rows, len(self.widths) - 1)


def _clean(text: str, limit: int) -> str:
    """A text as a cell can hold it: control characters and a leading line break as pictures, and never too long."""
    text = re.sub(r"\A\n", "\u240a", text.replace("\r\n", "\n").translate(_CONTROLS))
    text = re.sub("[\ud800-\udfff\ufffe\uffff]", "\ufffd", text)
    text = text if len(text) <= limit else text[: limit - 1] + "…"
    # XlsxWriter takes what stands between these tags for ready-made XML.
    return f"{text} " if text.startswith("<r>") and text.endswith("</r>") else text


def _write_summary(page: _Page, delivery: Mapping[str, Any], source: str, steps: Iterable[str]) -> None:
    look, verdict, meaning = _OUTCOMES[delivery["status"]]
    scope = re.sub(r"\b\d\d[A-Z]{2}\d\d\b", r"vestiging \g<0>", delivery["scope"] or "")
    scope = re.sub(r"\b20\d\d-\d\d\b", r"maand \g<0>", re.sub(r"\b\d{8}\b", r"aanbieder \g<0>", scope))
    lines = [("Soort bestand", source, "plain"), ("Schooljaar", delivery["school_year"], "plain")]
    lines += [("Gaat over", scope, "plain"), ("Kenmerk", delivery["label"], "plain"), ("Uitkomst", verdict, look)]
    lines += [("", meaning, "plain"), ("Reden van weigering", delivery["reason"], "label")]
    page.add(("Terugmelding over uw bestand", "title"))
    for label, value, its_look in lines:
        if value:
            page.add((label, "label"), (value, its_look))
    page.add_section("Wat moet u nu doen?")
    for number, step in enumerate(steps, 1):
        page.add((f"Stap {number}", "label"), (step, "plain"))
    page.add(("Vertrouwelijk", "label"), (_CONFIDENTIAL, "plain"))
    if delivery["rows_in"] or delivery.get("records_in"):
        page.add_section("Telling")
        for what, explained, count in _counts(delivery):
            page.add((what, "line"), (explained, "line"), (count, "count"))


def _write_tally(page: _Page, reasons: Iterable[_Said], *, with_sheet: bool) -> None:
    """Where, what and in how many rows, the most frequent first."""
    errors = [s for s in reasons if not s.is_warning]
    counts = Counter(((f"{s.place[0]}: " if with_sheet else "") + (s.title or "hele rij"), s.text) for s in errors)
    if counts:
        page.add_section("Waarom rijen zijn afgekeurd (een rij kan meer redenen hebben)")
        page.add(("kolom", "ours"), ("reden", "ours"), ("aantal rijen", "ours"))
    for (where, reason), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        page.add((where, "line"), (reason, "line"), (count, "count"))


def _write_rejected(page: _Page, blocks: Sequence[_Block], lead: Sequence[str], count: int) -> None:
    """A block per set of headers; of a single block the header stays in sight and can be filtered."""
    last = len(page.widths) - 1
    page.add_section("Rood, vet en dik omrand is onjuist; is dat het regelnummer, dan gaat het om de hele rij.", count)
    for fields, rows in blocks:
        if len(blocks) > 1:
            page.add_section(f"Blad {', '.join(dict.fromkeys(row.place[0] for row in rows))}")
        titles = [*((name, "ours") for name in lead), *((field.title, "theirs") for field in fields)]
        page.add(*titles, ("wat er mis is", "ours"), spread=last)
        if len(blocks) == 1:
            page.keep_header(len(lead), len(rows))
        for row in rows:
            wrong = {said.column for said in row.said if not said.is_warning}
            place = _place(row.place, lead, "mark_place" if "" in wrong else "place")
            looks = ("mark" if field.column in wrong - {""} else "cell" for field in fields)
            cells = zip((row.cells.get(field.position, "") for field in fields), looks, strict=True)
            lines = [said.sentence for said in row.said]
            if any(len(cell) > MAX_CHARACTERS for cell in row.cells.values()):
                lines.append(f"Let op: een cel van meer dan {MAX_CHARACTERS} tekens is hier afgekapt (…).")
            page.add(*place, *cells, ("\n".join(lines), "line"), spread=last)


def _write_remarks(page: _Page, remarks: Sequence[_Said], lead: Sequence[str]) -> None:
    page.add_section("Deze opmerkingen keuren geen rij af. Kijk of alles zo bedoeld is.", len(remarks))
    page.add(*((name, "ours") for name in (*lead, "kolom", "opmerking")))
    page.keep_header(len(lead), len(remarks[:MAX_SHOWN]))
    for said in remarks[:MAX_SHOWN]:
        page.add(*_place(said.place, lead, "place"), (said.title, "line"), (said.text, "line"))


def _place(place: Place, lead: Sequence[str], look: str) -> Sequence[tuple[str | int, str]]:
    """The sheet, where the file has them, and the row; row 0 is all of it."""
    return ((place[0], "cell"), (place[1] or "alle", look))[-len(lead) :]


def _widths(blocks: Sequence[_Block]) -> list[int]:
    """As wide as the widest cell and the longest word of a header, within reason."""
    widths = [0] * max(len(fields) for fields, _ in blocks)
    for fields, rows in blocks:
        for column, field in enumerate(fields):
            texts = [*field.title.split(), *(row.cells.get(field.position, "") for row in rows)]
            widths[column] = max(widths[column], *map(len, texts))
    return [min(max(width + 3, 9), 30) for width in widths]
