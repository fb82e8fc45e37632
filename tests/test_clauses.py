"""The catalogue of clauses stands beside the code: every function it names exists, and every rule of money is named."""

import importlib
import inspect
import pkgutil
import re
from types import ModuleType

import pytest

import zio_pipeline.billing
import zio_pipeline.payer
from zio_pipeline import (
    budget,
    declarations,
    establishment,
    kept_terms,
    money,
    order_history,
    proofs,
    shares,
    terms,
    versions,
)
from zio_pipeline.clauses import CLAUSES, clause

NO_RULE = {
    "zio_pipeline.money:format_euro": "writes an amount",
    "zio_pipeline.establishment:sha256_of": "a hash",
    "zio_pipeline.payer.facts:thinned": "what is kept of a row: privacy, no amount",
    "zio_pipeline.versions:calendar_of": "reads settings",
    "zio_pipeline.versions:idle_changes": "a report on besluiten",
    "zio_pipeline.versions:order_totals": "a sum",
    "zio_pipeline.versions:payer_changes": "two versions side by side, for a reader",
}
"""Public functions of the money modules that carry out no clause, and why."""


def submodules(package: ModuleType) -> list[ModuleType]:
    return [importlib.import_module(f"{package.__name__}.{m.name}") for m in pkgutil.iter_modules(package.__path__)]


MONEY = [budget, declarations, establishment, kept_terms, money, order_history, proofs, shares, terms, versions]
MONEY += submodules(zio_pipeline.billing) + submodules(zio_pipeline.payer)


def rules_of(module: ModuleType) -> set[str]:
    """The public functions a module defines, as the catalogue names them."""
    found = inspect.getmembers(module, inspect.isfunction)
    return {f"{module.__name__}:{n}" for n, f in found if f.__module__ == module.__name__ and not n.startswith("_")}


@pytest.mark.parametrize("name", sorted({f for one in CLAUSES for f in one.functions}))
def test_every_function_that_a_clause_names_exists(name: str) -> None:
    module, _, path = name.partition(":")
    found = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    assert callable(found)


@pytest.mark.parametrize("module", MONEY, ids=lambda module: module.__name__)
def test_every_rule_of_a_money_module_carries_out_a_clause(module: ModuleType) -> None:
    named = {f for one in CLAUSES for f in one.functions}
    assert rules_of(module) - named - NO_RULE.keys() == set()


def test_what_is_no_rule_exists_and_is_named_by_no_clause() -> None:
    everything = set().union(*(rules_of(module) for module in MONEY))
    assert NO_RULE.keys() <= everything
    assert not NO_RULE.keys() & {f for one in CLAUSES for f in one.functions}


def test_a_clause_says_something_once_and_where_it_stands() -> None:
    assert len({one.id for one in CLAUSES}) == len({one.text for one in CLAUSES}) == len(CLAUSES)
    for one in CLAUSES:
        assert re.fullmatch(r"[LBVTDSF][1-9]", one.id)
        assert one.text.endswith(".")
        assert one.source
        assert one.functions
        assert clause(one.id) is one


def test_the_explanation_cites_clauses_of_the_catalogue_only() -> None:
    package = importlib.import_module("zio_pipeline.explain")
    cited = {c for m in submodules(package) for c in re.findall(r'"([LBVTDSF][1-9])"', inspect.getsource(m))}
    assert cited
    assert cited <= {one.id for one in CLAUSES}
