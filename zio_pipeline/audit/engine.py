"""Great Expectations, asked one way only: a frame, a list of expectations, and back a count per expectation.

Belongs here: the package itself, imported once per process and only when something is audited; and the guard that what was
asked was also carried out. No value of any row leaves this module: results are asked for without them.
Does not belong here: which expectations there are (`rules`, `drift`), how they are shown (`pages`).
"""

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from zio_pipeline.errors import NotProved

if TYPE_CHECKING:
    import pandas as pd

COUNTS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0}
"""Counts and nothing else: no list of unexpected values, not even the first twenty."""


@dataclass(frozen=True)
class Asked:
    """One expectation: its class in Great Expectations, its arguments, and the Dutch sentence it carries."""

    expectation: str
    arguments: Mapping[str, Any]
    sentence: str


@dataclass(frozen=True)
class Answer:
    """Whether it was met, by how many rows not, and the index of those rows when an index column was given."""

    success: bool
    violations: int
    places: frozenset[Any] = frozenset()


def expect(name: str, frame: "pd.DataFrame", asked: Sequence[Asked], index: str | None = None) -> list[Answer]:
    """Carry out expectations on a frame, in the order asked.

    Args:
        name: what the frame is, for an error.
        frame: the rows.
        asked: the expectations.
        index: a column of row numbers; with it the answers say which rows.

    Raises:
        NotProved: an expectation was not carried out. That is never a pass, and never a number of rows either.
    """
    result_format = COUNTS_ONLY
    if index is not None:
        places_only = {"exclude_unexpected_values": True, "unexpected_index_column_names": [index]}
        result_format = {**COUNTS_ONLY, "result_format": "COMPLETE", **places_only}
    with quietly():
        gx, definition = great_expectations()
        wanted = [_expectation(gx.expectations, one) for one in asked]
        suite = gx.ExpectationSuite(name=name, expectations=wanted)
        result = definition.get_batch({"dataframe": frame}).validate(suite, result_format=result_format)
    if len(result.results) != len(wanted):
        raise NotProved(f"Controle van {name}: {len(wanted)} regels gevraagd, {len(result.results)} uitgevoerd.")
    outcomes = {_identity(outcome.expectation_config): outcome for outcome in result.results}
    return [
        _answer(name, one, outcomes[_identity(expectation.configuration)], index)
        for one, expectation in zip(asked, wanted, strict=True)
    ]


def _expectation(expectations: Any, asked: Asked) -> Any:
    return getattr(expectations, asked.expectation)(**asked.arguments, description=asked.sentence)


def _answer(name: str, asked: Asked, outcome: Any, index: str | None) -> Answer:
    if _raised(outcome.exception_info):
        # What was raised may quote a row, so it is not passed on.
        raise NotProved(f"Controle van {name}: de regel '{asked.sentence}' kon niet worden uitgevoerd.")
    found = outcome.result or {}
    violations = int(found.get("unexpected_count") or (0 if outcome.success else 1))
    listed = (found.get("unexpected_index_list") or ()) if index is not None else ()
    places = frozenset(place for group in listed for place in group[index])
    return Answer(bool(outcome.success), violations, places)


def import_quietly() -> Any:
    """The package, which asks where to send figures about its use before anything else: nowhere."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx  # noqa: PLC0415 - five seconds that only an audit should pay

    return gx


@cache
def great_expectations() -> tuple[Any, Any]:
    """The package and one batch definition per process."""
    gx = import_quietly()
    from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: PLC0415

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("zio").add_dataframe_asset("tabel")
    return gx, asset.add_batch_definition_whole_dataframe("alles")


@contextmanager
def quietly() -> Iterator[None]:
    """Great Expectations calls deprecated parts of its own dependencies: nothing a reader here could mend."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _raised(info: Mapping[str, Any] | None) -> bool:
    """Whether the expectation could not be run: said once, or per metric when a metric of it failed."""
    said = dict(info or {})
    per_metric = [one for one in said.values() if isinstance(one, Mapping)]
    return any(one.get("raised_exception") for one in (said, *per_metric))


def _identity(configuration: Any) -> str:
    named = sorted((key, repr(value)) for key, value in configuration.kwargs.items() if key != "batch_id")
    return repr((configuration.type, named))
