"""Two engines, one contract: intake (DuckDB, over the text of a file) and the audit (Great Expectations, over typed rows) must
reject the same rows for the same reason.

The same dirty rows go to both: as a CSV or workbook to `take_in`, and typed to the expectations that the audit compiles. Shared,
and compared here row by row: `required`, `allowed`, `range`, the form of a text (`form` there; the kind of the column, or
`pattern`, at the door), periods (`placement_period`, `indication_period`), and `unique_key` against `duplicate_key`.

Not shared, and why:
- a date, number, time or yes/no that cannot be read: it has no typed value to give the audit;
- the elfproef of a pgn: only its pseudonym is kept, so the audit knows another form than the door;
- a school year of two years that do not follow each other, which a form cannot say;
- what the door repairs (an AGB code without its leading zero, `5022 ke`): the audit sees the repaired value only;
- the other row rules, references, and equal rows (`duplicate_row`, of which the door keeps the first): not asked of a whole table;
- `volume`: a file without a row is refused before it is judged.
"""

import datetime
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.intake.files import KEYS, csv_bytes, pgn, school_class, setup_sheets, xlsx_bytes
from zio_pipeline.audit import rules
from zio_pipeline.audit.engine import Asked, expect
from zio_pipeline.audit.rules import FORMS, Rule, rules_of
from zio_pipeline.audit.verdict import frame
from zio_pipeline.contracts import Column, Dataset, sources
from zio_pipeline.intake import Delivery, take_in

ROWS = 300
SINGLE = ("provider_timesheets", "pupil_registrations", "wlz_statuses")

PERIODS = {"placement_period": ("placed_to", "placed_from"), "indication_period": ("ends_on", "starts_on")}
SAME = {"duplicate_key": "unique_key", "pattern": "form"}
"""What the door calls a rule that the audit calls otherwise."""

Failing = dict[tuple[str, tuple[str, ...]], frozenset[int]]
"""Rule and columns -> numbers of the rows that break it."""


@dataclass(frozen=True)
class Cell:
    """One cell for both engines: what a sender writes, and what it is once typed (None for a blank)."""

    text: str
    typed: Any


BLANK = Cell("", None)
ARROW = {"string": pa.string(), "integer": pa.int64(), "boolean": pa.bool_(), "date": pa.date32()}
GOOD_TEXT = {
    "school_year": "2025-2026",
    "brin": "02ZX00",
    "agb": "06012345",
    "zorgkantoor": "5527",
    "postcode": "5022KE",
}
REPAIRED = {"brin": r"[0-9][A-Z]{2}[0-9]{2}", "agb": r"[0-9]{7}"}
"""Texts without separators that the door still repairs."""
SPELLED: Mapping[str, Callable[[int], str]] = {
    "duration": lambda minutes: f"{minutes // 60}:{minutes % 60:02d}",
    "time": lambda minutes: f"{minutes // 60:02d}:{minutes % 60:02d}",
}
DUTCH_DATE = "%d-%m-%Y"


def odd_texts(column: Column) -> st.SearchStrategy[str]:
    """Texts that may or may not have the form of a column, without anything the door would repair."""
    allowed = {word.casefold() for pair in column.allowed for word in pair}
    repaired = re.compile(REPAIRED.get(column.kind, "(?!)"))
    texts = st.text("0123456789ABDESX", min_size=1, max_size=9)
    return texts.filter(lambda text: text.casefold() not in allowed and not repaired.fullmatch(text))


def cells(column: Column) -> st.SearchStrategy[Cell]:
    """Cells of a column, good ones and ones that break a shared rule."""
    if column.allowed or has_form(column):
        named = st.sampled_from([Cell(label, value) for value, label in column.allowed] or [_good(column)])
        return st.one_of(named, odd_texts(column).map(lambda text: Cell(text, text)))
    days = st.dates(datetime.date(2000, 1, 1), datetime.date(2049, 12, 31))
    texts = st.sampled_from(["SO-2", "Tilburg", "M7"])
    return {
        "date": days.map(lambda day: Cell(day.strftime(DUTCH_DATE), day)),
        "boolean": st.sampled_from([Cell("ja", True), Cell("nee", False)]),
        "integer": _numbers(column),
        "string": texts.map(lambda text: Cell(text, text)),
        "pgn": st.integers(0, 7).map(lambda number: Cell(pgn(number), f"{number:064x}")),
    }["pgn" if column.kind == "pgn" else column.logical_type]


def _numbers(column: Column) -> st.SearchStrategy[Cell]:
    """Around both ends of the range; never below what the kind can be written as."""
    low = column.minimum if column.minimum is not None else 0
    high = column.maximum if column.maximum is not None else 1439
    lowest = low - 2 if column.kind == "integer" else max(low - 2, 0)
    beyond = 2 if column.maximum is not None else 0
    numbers = st.one_of(st.integers(low, high), st.integers(lowest, low + 2), st.integers(high - 2, high + beyond))
    return numbers.map(lambda number: Cell(SPELLED.get(column.kind, str)(number), number))


@st.composite
def tables(draw: st.DrawFn, dataset: Dataset) -> list[dict[str, Cell]]:
    """ROWS rows: per column a palette of cells with a blank among them, mixed by a seed. A cell in ten is from the palette."""
    good = {column.name: _good(column) for column in dataset.columns}
    palettes = {c.name: [*draw(st.lists(cells(c), min_size=1, max_size=8)), BLANK] for c in dataset.columns}
    mixed = random.Random(draw(st.integers(0, 2**32)))
    return [
        {name: mixed.choice(palette) if mixed.random() < 0.1 else good[name] for name, palette in palettes.items()}
        for _ in range(ROWS)
    ]


def _good(column: Column) -> Cell:
    text = GOOD_TEXT.get(column.kind, "SO-1")
    typed = {"date": datetime.date(2025, 9, 2), "boolean": True, "integer": column.minimum or 60, "string": text}
    if column.kind == "pgn":
        return Cell(pgn(1), f"{1:064x}")
    if column.allowed:
        return Cell(column.allowed[0][1], column.allowed[0][0])
    value = typed[column.logical_type]
    spelled = {"date": "02-09-2025", "boolean": "ja", "string": text}
    return Cell(spelled.get(column.logical_type) or SPELLED.get(column.kind, str)(value), value)


def shared(dataset: Dataset) -> set[tuple[str, tuple[str, ...]]]:
    """The rules both engines must have, said once more from the contract: a rule that one compiler forgets is a difference."""
    asked = {(rule.name, PERIODS[rule.name]) for rule in dataset.rules if rule.name in PERIODS}
    for column in dataset.columns:
        asked |= {("required", (column.name,))} if column.required else set()
        asked |= {("allowed", (column.name,))} if column.allowed else set()
        asked |= {("range", (column.name,))} if (column.minimum, column.maximum) != (None, None) else set()
        asked |= {("form", (column.name,))} if has_form(column) else set()
    return asked | ({("unique_key", dataset.key)} if dataset.key else set())


def has_form(column: Column) -> bool:
    return column.pattern is not None or (column.kind in FORMS and column.kind != "pgn")


def by_audit(dataset: Dataset, rows: Sequence[Mapping[str, Cell]]) -> Failing:
    """Rows that Great Expectations says break a rule; the first row is number 1."""
    own = [rule for rule in rules_of(dataset) if rule.name != "volume" and "pgn" not in _kinds_of_form(dataset, rule)]
    typed = {c.name: pa.array([row[c.name].typed for row in rows], ARROW[c.logical_type]) for c in dataset.columns}
    table = pa.table(typed | {"number": pa.array(range(1, len(rows) + 1), pa.int64())})
    asked = [Asked(rule.expectation, rule.arguments, rule.sentence) for rule in own]
    answers = expect(dataset.name, frame(table), asked, index="number")
    assert [answer.violations for answer in answers] == [len(answer.places) for answer in answers]
    return {
        (rule.name, rule.columns): answer.places for rule, answer in zip(own, answers, strict=True) if answer.places
    }


def _kinds_of_form(dataset: Dataset, rule: Rule) -> set[str]:
    return {dataset.column(name).kind for name in rule.columns} if rule.name == "form" else set()


def by_intake(dataset: Dataset, delivery: Delivery) -> Failing:
    """Rows that the door says break a shared rule, numbered as in `by_audit`: the header is line 1."""
    asked, found = shared(dataset), dict[tuple[str, tuple[str, ...]], set[int]]()
    for reason in (reason for row in delivery.quarantined for reason in row.reasons if reason.dataset == dataset.name):
        columns = PERIODS.get(reason.rule) or (dataset.key if reason.rule == "duplicate_key" else (reason.column,))
        kind = dataset.column(reason.column).kind if reason.column else ""
        rule = ("form" if reason.rule == kind else SAME.get(reason.rule, reason.rule), columns)
        if rule in asked:
            found.setdefault(rule, set()).add(reason.row_number - 1)
    return {rule: frozenset(numbers) for rule, numbers in found.items()}


def offered(dataset: Dataset, rows: Sequence[Mapping[str, Cell]]) -> Delivery:
    """The rows as a CSV through the door."""
    lines = [[column.dutch for column in dataset.columns]]
    lines += [[row[column.name].text for column in dataset.columns] for row in rows]
    delivery = take_in(csv_bytes(lines), KEYS)
    assert delivery.rows_in == len(rows), delivery.reason
    return delivery


def single(source: str) -> Dataset:
    return sources()[source].datasets[0]


@pytest.mark.parametrize("source", SINGLE)
@given(data=st.data())
@settings(max_examples=5)
def test_both_engines_reject_the_same_rows(source: str, data: st.DataObject) -> None:
    dataset = single(source)
    rows = data.draw(tables(dataset), label=source)
    assert by_audit(dataset, rows) == by_intake(dataset, offered(dataset, rows))


def boundary_rows(dataset: Dataset) -> list[dict[str, Cell]]:
    """A good row with one odd cell, for every odd cell there is: what a mutation must stumble over. And as many good ones."""
    odd = [(column.name, cell) for column in dataset.columns for cell in (BLANK, *_boundary(column))]
    days = [datetime.date(2025, 9, 1) + datetime.timedelta(days=number) for number in range(3)]
    ends = [columns[0] for name, columns in shared(dataset) if name in PERIODS]
    odd += [(end, Cell(day.strftime(DUTCH_DATE), day)) for end in ends for day in days]
    good = {column.name: _good(column) for column in dataset.columns}
    return [good | {name: cell} for name, cell in odd] + [good] * 2 * len(odd)


def _boundary(column: Column) -> list[Cell]:
    """Both ends of a range and their neighbours, every value of a closed list, and a text that is nothing."""
    spelled, lowest = SPELLED.get(column.kind, str), -1 if column.kind == "integer" else 0
    ends = [end + step for end in (column.minimum, column.maximum) if end is not None for step in (-1, 0, 1)]
    return [
        *(Cell(spelled(number), number) for number in ends if number >= lowest),
        *(Cell(label, value) for value, label in column.allowed),
        *([Cell("ANDERS", "ANDERS")] if column.allowed or has_form(column) else []),
    ]


@pytest.mark.parametrize("source", SINGLE)
def test_the_boundary_rows_break_every_shared_rule_alike(source: str) -> None:
    dataset, rows = single(source), boundary_rows(single(source))
    found = by_audit(dataset, rows)
    assert found == by_intake(dataset, offered(dataset, rows))
    assert set(found) == shared(dataset)


def changed(dataset: Dataset, name: str, **change: Any) -> Dataset:
    columns = tuple(replace(column, **change) if column.name == name else column for column in dataset.columns)
    return replace(dataset, columns=columns)


MUTATIONS = {
    "a minimum one higher": ("wlz_statuses", lambda d: changed(d, "pgb_percentage", minimum=1)),
    "a maximum one lower": ("provider_timesheets", lambda d: changed(d, "duration_minutes", maximum=1439)),
    "a required column that need not be filled": (
        "pupil_registrations",
        lambda d: changed(d, "class_code", required=False),
    ),
    "a column that must be filled": ("pupil_registrations", lambda d: changed(d, "country", required=True)),
    "a value less in a closed list": (
        "provider_timesheets",
        lambda d: changed(d, "activity", allowed=d.column("activity").allowed[1:]),
    ),
    "a rule less": ("pupil_registrations", lambda d: replace(d, rules=())),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_difference_in_one_engine_is_noticed(name: str) -> None:
    """The check of the check: a contract changed for the audit alone makes the two disagree."""
    source, mutate = MUTATIONS[name]
    dataset, rows = single(source), boundary_rows(single(source))
    assert by_audit(mutate(dataset), rows) != by_intake(dataset, offered(dataset, rows))


def test_another_form_in_one_engine_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, rows = single("pupil_registrations"), boundary_rows(single("pupil_registrations"))
    at_the_door = by_intake(dataset, offered(dataset, rows))
    monkeypatch.setitem(rules.FORMS, "brin", (r"[0-9A-Z]{6}", "iets van zes tekens"))
    assert by_audit(dataset, rows) != at_the_door


@given(
    picks=st.lists(st.tuples(st.integers(0, 40), st.sampled_from("SM")), min_size=20, max_size=80),
    seed=st.integers(0, 9),
)
@settings(max_examples=3)
def test_both_engines_find_the_same_keys_twice(picks: list[tuple[int, str]], seed: int) -> None:
    """Classes of a workbook: the key is school and class. Every row has a source text of its own, so that no two are equal."""
    dataset = sources()["school_year_setup"].dataset("classes")
    codes = [f"{letter}{number}" if number else "" for number, letter in picks]
    rows = [school_class(code, bron=f"fictief {seed}-{number}") for number, code in enumerate(codes)]
    delivery = take_in(xlsx_bytes(setup_sheets(classes=rows)), KEYS)
    same = {c.name: Cell("", 1 if c.logical_type == "integer" else "02ZX00") for c in dataset.columns}
    typed = [same | {"class_code": Cell("", code or None)} for code in codes]
    key = ("unique_key", dataset.key)
    assert by_audit(dataset, typed).get(key) == by_intake(dataset, delivery).get(key)
