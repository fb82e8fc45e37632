"""Recognition: which contract the sheets follow, and where each of its columns stands.

Belongs here: header text -> column, finding the header row below titles, choosing the contract, refusing what is not
complete or says the same thing twice. A file is recognised by its content, never by its name (SPEC section 2).
Does not belong here: which rows below the header are data (layout) and what their cells mean (parsing).
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

from zio_pipeline.contracts import Contract, Dataset, sources
from zio_pipeline.errors import ContractError
from zio_pipeline.intake.delivery import Reason, RefusedFileError
from zio_pipeline.intake.sheets import Sheet

SETUP = "school_year_setup"
HEADER_SEARCH_ROWS = 30
SETUP_SHEETS_TO_RECOGNISE = 3
MAY_BE_ABSENT = ("class_names",)
"""Sheets of the setup workbook that came later: a workbook without them is whole, and says nothing about them."""

_UNIT_KINDS = ("euro", "hours", "time", "duration")


@dataclass(frozen=True)
class Found:
    """A table in a sheet: its dataset, which row is its header, and where each column stands.

    A column stands in one place, but for a BRIN whose vestigingsnummer has a column of its own.
    """

    dataset: Dataset
    sheet: Sheet
    header_index: int
    positions: Mapping[str, tuple[int, ...]]

    @cached_property
    def header(self) -> list[str]:
        """The cells of the header."""
        return self.sheet.row(self.header_index)

    @property
    def header_number(self) -> int:
        """The sender's number of the header row."""
        return int(self.sheet.numbers[self.header_index])

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """Dutch headers of the required columns that are not there."""
        return tuple(c.dutch for c in self.dataset.columns if c.required and c.name not in self.positions)


@dataclass(frozen=True)
class Recognised:
    """The contract of a file, its tables in sheet order, and warnings about the rest."""

    source: str
    contract: Contract
    tables: tuple[Found, ...]
    warnings: tuple[Reason, ...]
    records: int
    """Rows in all sheets, those that are not read too."""


@lru_cache(4096)
def normalise(header: str) -> str:
    """A header as it is compared: no case, accents, invisible characters, punctuation, underscores or line breaks."""
    decomposed = unicodedata.normalize("NFKD", header.casefold())
    bare = "".join(c for c in decomposed if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
    return " ".join(re.sub(r"[\W_]+", " ", bare).split())


@cache
def aliases(dataset: Dataset) -> Mapping[str, str]:
    """Normalised header -> column name. Dutch names go before English ones.

    The English name of an amount, hours or time ends in the unit it is stored in, which is not the unit a sender
    writes: such a column goes by its English name without the unit.

    Raises:
        ContractError: two columns of the contract go by the same Dutch header.
    """
    found: dict[str, str] = {}
    for column in dataset.columns:
        for header in column.headers:
            if found.setdefault(normalise(header), column.name) != column.name:
                raise ContractError(f"{dataset.name}: kop '{header}' hoort bij twee kolommen.")
    for column in dataset.columns:
        english = column.name.rsplit("_", 1)[0] if column.kind in _UNIT_KINDS else column.name
        found.setdefault(normalise(english), column.name)
    return found


def score(cells: Sequence[str]) -> int:
    """How many columns of the best-fitting contract a row of cells names."""
    return max(len(_positions(cells, known)) for known in _single_table_aliases())


def recognise(sheets: Sequence[Sheet]) -> Recognised:
    """Find the contract and its tables.

    Raises:
        RefusedFileError: no contract fits, a required column or sheet is missing, or a column stands there twice.
    """
    candidates = [(name, found) for sheet in sheets for name, found in _candidates(sheet)]
    complete = [(name, found) for name, found in candidates if not found.missing]
    names = sorted({name for name, _ in complete})
    if len(names) > 1:
        kinds = " en ".join(f"'{sources()[name].name}'" for name in names)
        raise RefusedFileError(f"Het werkboek bevat verschillende soorten gegevens ({kinds}); lever ze apart.")
    if names:
        incomplete = [found for name, found in candidates if found.missing and name == names[0]]
        if incomplete:
            raise _missing(names[0], incomplete[0])
        return _checked(names[0], [found for _, found in complete], sheets)
    by_name = _setup_sheets(sheets)
    if len(by_name) >= SETUP_SHEETS_TO_RECOGNISE or (by_name and not candidates):
        return _recognised_setup(by_name, sheets)
    if candidates:
        name, best = min(candidates, key=lambda c: (len(c[1].missing), -len(c[1].positions)))
        raise _missing(name, best)
    kinds = ", ".join(contract.name for contract in sources().values())
    raise RefusedFileError(f"Het bestand is niet herkend: er is geen kopregel van een bekende soort ({kinds}).")


@cache
def _single_table_contracts() -> Mapping[str, Contract]:
    return {name: contract for name, contract in sources().items() if len(contract.datasets) == 1}


@cache
def _single_table_aliases() -> tuple[Mapping[str, str], ...]:
    return tuple(aliases(contract.datasets[0]) for contract in _single_table_contracts().values())


def _positions(cells: Sequence[str], known: Mapping[str, str]) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for position, cell in enumerate(cells):
        if cell and (column := known.get(normalise(cell))) is not None:
            found[column] = (*found.get(column, ()), position)
    return found


def _candidates(sheet: Sheet) -> list[tuple[str, Found]]:
    """The contracts whose required headers all stand in one row, the first such; else how far each contract comes."""
    contracts = _single_table_contracts().items()
    for index in range(min(HEADER_SEARCH_ROWS, len(sheet))):
        rows = [(name, found_at(sheet, contract.datasets[0], index)) for name, contract in contracts]
        if complete := [(name, found) for name, found in rows if not found.missing]:
            return complete
    best = ((name, _header_row(sheet, contract.datasets[0])) for name, contract in contracts)
    return [(name, table) for name, table in best if table is not None]


def found_at(sheet: Sheet, dataset: Dataset, index: int) -> Found:
    """What a row is as a header of the dataset."""
    return Found(dataset, sheet, index, _positions(sheet.row(index), aliases(dataset)))


def _header_row(sheet: Sheet, dataset: Dataset) -> Found | None:
    """The first row with every required header; else the one that misses the fewest, if it has at least half."""
    best: Found | None = None
    required = sum(column.required for column in dataset.columns)
    for index in range(min(HEADER_SEARCH_ROWS, len(sheet))):
        found = found_at(sheet, dataset, index)
        if not found.missing:
            return found
        if 2 * len(found.missing) <= required and (best is None or len(found.missing) < len(best.missing)):
            best = found
    return best


def _setup_sheets(sheets: Iterable[Sheet]) -> dict[str, list[Sheet]]:
    """Sheets of the setup workbook by dataset name, recognised by their own name (Dutch, else English)."""
    datasets = {normalise(name): d.name for d in sources()[SETUP].datasets for name in (d.name, d.dutch)}
    found: dict[str, list[Sheet]] = {}
    for sheet in sheets:
        if (name := datasets.get(normalise(sheet.name))) is not None:
            found.setdefault(name, []).append(sheet)
    return found


def _recognised_setup(by_name: Mapping[str, list[Sheet]], sheets: Sequence[Sheet]) -> Recognised:
    datasets = sources()[SETUP].datasets
    if absent := [f"'{d.dutch}'" for d in datasets if d.name not in by_name and d.name not in MAY_BE_ABSENT]:
        lacks = _lacks("het blad", "de bladen", absent)
        raise RefusedFileError(f"In het werkboek {lacks}; een blad mag leeg zijn.", SETUP)
    tables = []
    for dataset in (d for d in datasets if d.name in by_name):
        if len(by_name[dataset.name]) > 1:
            raise RefusedFileError(f"Blad '{dataset.dutch}' staat twee keer in het werkboek.", SETUP)
        (sheet,) = by_name[dataset.name]
        if not len(sheet):
            continue
        found = _header_row(sheet, dataset)
        if found is None:
            headers = ", ".join(f"'{c.dutch}'" for c in dataset.columns if c.required)
            raise RefusedFileError(f"Blad '{dataset.dutch}' heeft geen kopregel; verplicht zijn {headers}.", SETUP)
        if found.missing:
            raise _missing(SETUP, found)
        tables.append(found)
    return _checked(SETUP, tables, sheets)


def _checked(source: str, tables: Sequence[Found], sheets: Sequence[Sheet]) -> Recognised:
    for found in tables:
        for column, places in found.positions.items():
            in_two_parts = found.dataset.column(column).kind == "brin" and len(places) == 2
            if len(places) > 1 and not in_two_parts:
                headers = " en ".join(f"'{_printable(found.header[p])}'" for p in places)
                dutch = found.dataset.column(column).dutch
                reason = f"{_place(found)}Kolommen {headers} betekenen allebei '{dutch}'; laat er één staan."
                raise RefusedFileError(reason, source)
    rest = [sheet for sheet in sheets if len(sheet) and not any(sheet is found.sheet for found in tables)]
    warnings = [_unknown_columns(found) for found in tables if _named(found)] + [
        _unknown_sheet(sheet) for sheet in rest
    ]
    records = sum(sheet.records for sheet in sheets)
    return Recognised(source, sources()[source], tuple(tables), tuple(warnings), records)


def _unknown_columns(found: Found) -> Reason:
    headers = ", ".join(_named(found))
    text = f"Deze kolommen hebben een onbekende kop en zijn niet gelezen: {headers}."
    return Reason(found.dataset.name, found.sheet.name, found.header_number, "", "unknown_column", "warning", text)


def _named(found: Found) -> list[str]:
    """The places of the unknown headers, never their words: the first row of data may have run into the header."""
    used = {position for places in found.positions.values() for position in places}
    unknown = [i for i, cell in enumerate(found.header) if cell and i not in used]
    return [f"{_letters(i)} (de {i + 1}e)" for i in unknown]


def _printable(header: str) -> str:
    return "".join(c for c in header if c.isprintable())


def _letters(position: int) -> str:
    """A column as Excel names it: 0 is A, 26 is AA."""
    letters = chr(65 + position % 26)
    return letters if position < 26 else _letters(position // 26 - 1) + letters


def _unknown_sheet(sheet: Sheet) -> Reason:
    return Reason("", sheet.name, 0, "", "unknown_sheet", "warning", "Dit blad is niet herkend en niet gelezen.")


def _missing(source: str, found: Found) -> RefusedFileError:
    lacks = _lacks("de kolom", "de kolommen", [f"'{header}'" for header in found.missing])
    reason = f"{_place(found)}In de kopregel op regel {found.header_number} ({sources()[source].name}) {lacks}."
    return RefusedFileError(reason, source)


def _place(found: Found) -> str:
    return f"Blad '{found.sheet.name}': " if found.sheet.name else ""


def _lacks(one: str, many: str, names: Sequence[str]) -> str:
    return f"ontbreekt {one} {names[0]}" if len(names) == 1 else f"ontbreken {many} {', '.join(names)}"
