"""The checks a contract asks of its rows, each with its rule, its severity, its SQL and its Dutch sentence.

Belongs here: that list for a column and for a dataset; the position of a check in it is its bit in a row's verdict.
Does not belong here: carrying the checks out (columns, judging).

A check says what is wrong, so a rule of the contract (which says what is ok) fails when it is not true.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from zio_pipeline.contracts import Column, Dataset
from zio_pipeline.errors import ContractError
from zio_pipeline.intake.parsing import EXPECTED
from zio_pipeline.sql import literal, quoted

TEST_NUMBERS = ("111222333", "123456782", "999990007", "999990019", "999990020")
REPEATABLE = ("provider_timesheets",)
"""Somebody may do the same for as long twice a day: two equal rows are a signal there, not a fault (SPEC section 7)."""

PERIOD_STARTS = ("valid_from", "member_from")


@dataclass(frozen=True)
class Check:
    """One way for a row to be wrong. `bad` is SQL, '' when it is found otherwise; `needs` are columns that must be good."""

    column: str
    rule: str
    severity: str
    explanation: str
    bad: str = ""
    needs: frozenset[str] = frozenset()


@cache
def checks_of(dataset: Dataset) -> tuple[Check, ...]:
    """All checks of a dataset: of its columns in contract order, shifted rows, rules over columns, rows compared.

    Raises:
        ContractError: they do not fit in one verdict.
    """
    own = [check for column in dataset.columns for check in column_checks(column)]
    shifted = "De rij heeft meer cellen dan de kopregel; een waarde is mogelijk verschoven."
    rules = [_rule_check(dataset, rule.name, rule.ok, rule.message, rule.severity) for rule in dataset.rules]
    checks = (*own, Check("", "extra_cells", "error", shifted), *rules, *_comparisons(dataset))
    if len(checks) > 62:
        raise ContractError(f"{dataset.name}: meer dan 62 regels passen niet in één oordeel.")
    return checks


@cache
def first_bits(dataset: Dataset) -> tuple[int, ...]:
    """The bit of the first check of each column."""
    counts = [len(column_checks(column)) for column in dataset.columns]
    return tuple(sum(counts[:i]) for i in range(len(counts)))


def bit(dataset: Dataset, rule: str) -> int:
    """The mask of a check over whole rows, by its rule."""
    return 1 << next(i for i, check in enumerate(checks_of(dataset)) if check.column == "" and check.rule == rule)


def error_mask(dataset: Dataset, column: str | None = None) -> int:
    """The bits of all errors, or of those of one column."""
    pairs = enumerate(checks_of(dataset))
    return sum(1 << i for i, c in pairs if c.severity == "error" and column in (None, c.column))


def key_of(dataset: Dataset) -> tuple[str, ...]:
    """The contract's key, and the start of the period where rows are dated: two periods of one setting are two rows."""
    starts = tuple(c.name for c in dataset.columns if c.name in PERIOD_STARTS and c.name not in dataset.key)
    return (*dataset.key, *starts) if dataset.key else ()


def accepted_name(dataset: str) -> str:
    """How the connection knows the accepted rows of a dataset that others refer to."""
    return f"accepted_{dataset}"


def mask_sql(parts: Sequence[tuple[int, str]]) -> str:
    """SQL of a verdict: the sum of the bits whose condition holds."""
    return " + ".join(["0::bigint", *(f"case when {bad} then {1 << at}::bigint else 0 end" for at, bad in parts)])


@cache
def column_checks(column: Column, value: str = "value", plain: str = "plain") -> tuple[Check, ...]:
    """The checks on one cell, as SQL over its typed value and its cleaned text."""
    return tuple(_column_checks(column, value, plain))


def _column_checks(column: Column, value: str, plain: str) -> Iterator[Check]:
    sentence, unread = f"Kolom '{column.dutch}': ", f"{plain} is not null and {value} is null"
    if column.required:
        yield Check(column.name, "required", "error", sentence + "mag niet leeg zijn.", f"{plain} is null")
    if column.allowed:
        labels = ", ".join(label for _, label in column.allowed)
        yield Check(column.name, "allowed", "error", f"{sentence}kies uit {labels}.", unread)
    else:
        yield Check(column.name, column.kind, "error", f"{sentence}verwacht wordt {EXPECTED[column.kind]}.", unread)
    if column.kind == "duration":
        text = f"{sentence}staat in een andere eenheid dan de rest van de kolom; schrijf haar als de andere."
        yield Check(column.name, "mixed_unit", "error", text)
    if column.kind == "date":
        text = (
            f"{sentence}dag en maand zijn niet te onderscheiden, want de kolom bevat ook datums in een andere volgorde; "
            "schrijf alle datums als dd-mm-jjjj."
        )
        yield Check(column.name, "ambiguous_date", "error", text)
    if column.minimum is not None or column.maximum is not None:
        limits = ((">=", column.minimum), ("<=", column.maximum))
        inside = " and ".join(f"{value} {sign} {limit}" for sign, limit in limits if limit is not None)
        outside = "" if column.kind == "duration" else f"{value} is not null and not ({inside})"
        yield Check(column.name, "range", "error", f"{sentence}verwacht wordt {column.range_in_words}.", outside)
    if column.pattern is not None:
        pattern = f"{value} is not null and not regexp_matches({value}, {literal(column.pattern)})"
        yield Check(column.name, "pattern", "error", f"{sentence}de vorm klopt niet.", pattern)
    if column.refers_to is not None:
        sheet, name = column.refers_to.split(".")
        known = f"select {quoted(name)} from {accepted_name(sheet)}"  # noqa: S608 (names of the contract)
        text = f"{sentence}staat niet bij de aanvaarde rijen van het blad waarnaar hij verwijst."
        yield Check(column.name, "reference", "error", text, f"{value} is not null and {value} not in ({known})")
    if column.kind == "municipality":
        text = f"{sentence}deze gemeente is niet herkend; geef de naam of de gemeentecode."
        yield Check(column.name, "unknown_municipality", "warning", text)
    if column.kind == "pgn":
        numbers = ", ".join(map(literal, TEST_NUMBERS))
        text = f"{sentence}dit is een bekend testnummer."
        yield Check(column.name, "test_number", "warning", text, f"{value} in ({numbers})")


def _comparisons(dataset: Dataset) -> tuple[Check, Check]:
    key = ", ".join(f"'{dataset.column(name).dutch}'" for name in key_of(dataset))
    same_key = f"Er zijn meer rijen met dezelfde {key}; onduidelijk is welke geldt."
    clash = Check("", "duplicate_key", "error", same_key)
    if dataset.name in REPEATABLE:
        text = "Deze rij staat al eerder in het bestand; beide tellen mee. Controleer of dat klopt."
        return Check("", "duplicate_row", "warning", text), clash
    return Check("", "duplicate_row", "error", "Deze rij staat al eerder in het bestand; de eerste is gebruikt."), clash


def _rule_check(dataset: Dataset, name: str, ok: str, message: str, severity: str) -> Check:
    words = set(re.findall(r"\w+", re.sub(r"'[^']*'", "", ok)))
    needs = frozenset(column.name for column in dataset.columns if column.name in words)
    return Check("", name, severity, message, f"({ok}) is not true", needs)
