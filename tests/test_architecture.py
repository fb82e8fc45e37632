"""The house stays as drawn: who may import whom, how long a room may be, and what must not stand in a rule."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("zio_pipeline", "assets", "resources")
MODULES = sorted(p for room in ROOMS for p in (ROOT / room).rglob("*.py"))
RULES = [p for p in MODULES if p.relative_to(ROOT).parts[0] == "zio_pipeline"]
OUTER = ("zio_pipeline/stages/", "zio_pipeline/cli/", "zio_pipeline/orchestration/", "zio_pipeline/definitions.py")
"""The outer ring of the package: it puts the core and the stores together. Everything else in it is core."""
MAY_IMPORT_DAGSTER = (
    "assets/",
    "zio_pipeline/orchestration/",
    "zio_pipeline/definitions.py",
    "resources/dagster_home.py",
)
_MONEY = (
    "accruals",
    "claims",
    "clauses",
    "explain",
    "forecast",
    "mutations",
    "open_days",
    "shadow",
    "versions",
    "year_statement",
    "money",
    "budget",
    "shares",
    "terms",
    "declarations",
    "proofs",
    "figures",
    "payer",
    "billing",
    "establishment",
)
EXACT = tuple(f"zio_pipeline/{name}" for name in _MONEY)
"""Where money is computed or decided: no floating point number may be written there."""


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path, *, top_level_only: bool = False) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    nodes = tree.body if top_level_only else ast.walk(tree)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_core_knows_neither_dagster_nor_the_outside_world(path: Path):
    where, found = place(path), imports(path)
    if not where.startswith(MAY_IMPORT_DAGSTER):
        assert "dagster" not in found
    if where.startswith("zio_pipeline/") and not where.startswith(OUTER):
        assert not found & {"assets", "resources", "sqlalchemy"}
    if where.startswith("resources/"):
        assert "assets" not in found


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_heavy_libraries_are_imported_where_they_are_used(path: Path):
    assert not imports(path, top_level_only=True) & {"great_expectations", "pandas"}


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_a_room_has_a_charter_and_fits_in_a_view(path: Path):
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 400
    assert ast.get_docstring(ast.parse(text)) or not text.strip(), "every module says what belongs in it"


@pytest.mark.parametrize("path", [p for p in RULES if not place(p).startswith("zio_pipeline/cli/")], ids=place)
def test_no_rule_asks_the_clock(path: Path):
    calls = [node.func for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    called = {function.attr for function in calls if isinstance(function, ast.Attribute)}
    assert not called & {"now", "today", "utcnow"}


@pytest.mark.parametrize("path", [p for p in MODULES if place(p).startswith(EXACT)], ids=place)
def test_no_floating_point_near_money(path: Path):
    tree = ast.parse(path.read_text("utf-8"))
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, float)]
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == "float"]
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Div)]


def test_no_registry_host_stands_in_the_lock_files():
    for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml", "Makefile"):
        text = (ROOT / name).read_text("utf-8")
        assert "https://" not in text
        assert "index-url" not in text.replace("--no-emit-index-url", "")
