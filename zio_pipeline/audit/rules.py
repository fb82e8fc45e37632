"""What the audit asks of a dataset: the rules of its contract that hold for a whole table, each said for two engines.

Belongs here: compiling a contract to keys, required values, allowed values, ranges, forms, periods and volume; per rule the
expectation of Great Expectations, the same as SQL, and the Dutch sentence a reader sees.
Does not belong here: running any of it (`engine`, `counts`), or what intake asks of the text of a cell.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from zio_pipeline.contracts import Column, Dataset, RowRule
from zio_pipeline.errors import ContractError
from zio_pipeline.sql import literal, quoted

FORMS = {
    "school_year": (r"20[0-9]{2}-20[0-9]{2}", "een schooljaar"),
    "month": (r"20[0-9]{2}-(?:0[1-9]|1[0-2])", "een maand als jjjj-mm"),
    "pgn": (r"[0-9a-f]{64}", "een pseudoniem van 64 tekens"),
    "brin": (r"[0-9]{2}[A-Z]{2}[0-9]{2}", "BRIN met vestigingsnummer"),
    "agb": (r"[0-9]{8}", "een AGB-code van acht cijfers"),
    "gemeentecode": (r"(?:[0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)", "een gemeentecode van vier cijfers"),
    "zorgkantoor": (r"55(?:0[1-9]|1[0-9]|2[013-9]|3[0-3])", "een zorgkantoorcode"),
    "postcode": (r"[1-9][0-9]{3}(?:[A-RT-Z][A-Z]|S[BCE-RT-Z])", "een postcode"),
}
"""Form of the typed value per kind, and its name. Only what Python and RE2 read alike: no classes such as \\d, no look-ahead."""

_PERIOD = re.compile(r"(?:\w+ is null or )*(?P<later>\w+) >= (?P<earlier>\w+)")


@dataclass(frozen=True)
class Rule:
    """One rule of a table. `bad` is SQL over a typed row, true where the row breaks it; a rule over the table has none."""

    name: str
    columns: tuple[str, ...]
    sentence: str
    expectation: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    bad: str = ""


def rules_of(dataset: Dataset, minimum_rows: int = 0) -> tuple[Rule, ...]:
    """Every rule of the contract that can be asked of a whole table, the volume first.

    Row rules of the contract other than a period ("the end is not before the begin") are not among them: intake judges them,
    and said a second time in the same SQL they would be no second opinion.

    Raises:
        ContractError: the form of a column is not anchored at both ends.
    """
    return (
        _volume(minimum_rows),
        *_key(dataset),
        *(rule for column in dataset.columns for rule in _column(column)),
        *(rule for row_rule in dataset.rules for rule in _period(dataset, row_rule)),
    )


def _volume(minimum_rows: int) -> Rule:
    sentence = f"Er zijn ten minste {minimum_rows} rijen." if minimum_rows > 1 else "Er is ten minste één rij."
    return Rule(
        "volume",
        (),
        sentence if minimum_rows else "Mag leeg zijn.",
        "ExpectTableRowCountToBeBetween",
        {"min_value": minimum_rows},
    )


def _key(dataset: Dataset) -> Iterator[Rule]:
    names = ", ".join(f"'{dataset.column(name).dutch}'" for name in dataset.key)
    filled = " and ".join(f"{quoted(name)} is not null" for name in dataset.key)
    bad = f"{filled} and count(*) over (partition by {', '.join(map(quoted, dataset.key))}) > 1"
    if len(dataset.key) == 1:
        sentence = f"Geen twee rijen hebben dezelfde {names}."
        yield Rule("unique_key", dataset.key, sentence, "ExpectColumnValuesToBeUnique", {"column": dataset.key[0]}, bad)
    elif dataset.key:
        sentence = f"Geen twee rijen hebben dezelfde combinatie van {names}."
        # A blank in a key is a matter of `required`, as it is at the door.
        arguments = {"column_list": list(dataset.key), "ignore_row_if": "any_value_is_missing"}
        yield Rule("unique_key", dataset.key, sentence, "ExpectCompoundColumnsToBeUnique", arguments, bad)


def _column(column: Column) -> Iterator[Rule]:
    name, value = (column.name,), quoted(column.name)
    one: dict[str, Any] = {"column": column.name}
    if column.required:
        yield Rule("required", name, "Overal ingevuld.", "ExpectColumnValuesToNotBeNull", one, f"{value} is null")
    if column.allowed:
        values = [canonical for canonical, _ in column.allowed]
        sentence = f"Alleen {', '.join(label for _, label in column.allowed)}."
        bad = f"{value} not in ({', '.join(map(literal, values))})"
        yield Rule("allowed", name, sentence, "ExpectColumnValuesToBeInSet", one | {"value_set": values}, bad)
    if column.minimum is not None or column.maximum is not None:
        limits = {"min_value": column.minimum, "max_value": column.maximum}
        outside = [f"{value} < {column.minimum}"] if column.minimum is not None else []
        outside += [f"{value} > {column.maximum}"] if column.maximum is not None else []
        bad = " or ".join(outside)
        words = column.range_in_words
        sentence = f"{words[0].upper()}{words[1:]}."
        yield Rule("range", name, sentence, "ExpectColumnValuesToBeBetween", one | limits, bad)
    form = _form(column)
    if form is not None:
        body, sentence = form
        pattern = one | {"regex": rf"^(?:{body})\Z"}
        bad = f"not regexp_full_match({value}, {literal(body)})"
        yield Rule("form", name, sentence, "ExpectColumnValuesToMatchRegex", pattern, bad)


def _form(column: Column) -> tuple[str, str] | None:
    """The form a text must have as a whole, and the sentence for it."""
    if column.pattern is not None:
        if not (column.pattern.startswith("^") and column.pattern.endswith("$")):
            raise ContractError(f"Kolom {column.name}: een vorm begint met ^ en eindigt met $.")
        return column.pattern[1:-1], "Heeft de vorm die het contract voorschrijft."
    if column.kind in FORMS:
        body, words = FORMS[column.kind]
        return body, f"Heeft de vorm van {words}."
    return None


def _period(dataset: Dataset, rule: RowRule) -> Iterator[Rule]:
    """A rule that says no more than that one column is not before another; whatever else it says, it is none of these."""
    found = _PERIOD.fullmatch(rule.ok)
    if found is None or rule.severity != "error":
        return
    later, earlier = found["later"], found["earlier"]
    sentence = f"'{dataset.column(later).dutch}' ligt nergens vóór '{dataset.column(earlier).dutch}'."
    pair = {"column_A": later, "column_B": earlier, "or_equal": True, "ignore_row_if": "either_value_is_missing"}
    bad = f"{quoted(later)} < {quoted(earlier)}"
    yield Rule(rule.name, (later, earlier), sentence, "ExpectColumnPairValuesAToBeGreaterThanB", pair, bad)
