"""The command `zio recalibration`: the hours proposed for next year, and what they would mean per payer.

Belongs here: its arguments and what it prints. Does not belong here: the proposal (`hours`), reading and writing (`stages`).
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from resources.home import Home
from zio_pipeline.cli.commands import export
from zio_pipeline.cli.parsing import Add
from zio_pipeline.contracts import products
from zio_pipeline.hours.recalibration import WITHOUT_OWN_HOURS
from zio_pipeline.money import format_euro
from zio_pipeline.stages.recalibration import publish_recalibration

Rows = Iterable[Mapping[str, Any]]
_HOURS = ("granted_hours_hundredths", "measured_hours_hundredths", "proposed_hours_hundredths")
_CENTS = (
    "established_cents",
    "proposed_cents",
    "difference_cents",
    "agreement_difference_cents",
    "hours_difference_cents",
)


def add_to(add: Add) -> None:
    """`recalibration`."""
    add(
        "recalibration", propose, "uren voor volgend jaar: gemeten naast toegekend, met wat het per betaler zou schelen"
    )


def propose(args: argparse.Namespace, console: Console) -> int:
    """Publish `recalibration` and `recalibration_effect`, and show them."""
    home = Home.open(args.home)
    tables = publish_recalibration(home, args.school_year)
    export(home, args.school_year)
    _show_hours(console, tables["recalibration"], args.school_year)
    _show_effect(console, tables["recalibration_effect"])
    return 0


def _show_hours(console: Console, rows: Rows, school_year: str) -> None:
    table = Table(title=f"Uren per week, gemeten in {school_year}", title_justify="left", title_style="bold")
    for name in ("order_id", "doelgroep", "class_code"):
        table.add_column(products()["recalibration"].column(name).dutch)
    for name in (*_HOURS, "class_weeks"):
        table.add_column(products()["recalibration"].column(name).dutch, justify="right")
    rows = list(rows)
    for row in rows:
        hours = ("niet gemeten" if row[name] is None else _hours(row[name]) for name in _HOURS)
        table.add_row(row["order_id"], row["doelgroep"], row["class_code"], *hours, str(row["class_weeks"]))
    console.print(table)
    for row in rows:
        which = "" if row["class_code"] == WITHOUT_OWN_HOURS else f", klas {row['class_code']}"
        console.print(escape(f"{row['order_id']}, {row['doelgroep']}{which}: {row['explanation']}"))


def _show_effect(console: Console, rows: Rows) -> None:
    """Per payer, all orders together; the last line is the sum of the region."""
    rows = list(rows)
    totals: dict[str, Counter[str]] = {}
    for row in rows:
        for payer in (row["payer"], "totaal"):
            totals.setdefault(payer, Counter()).update({name: row[name] for name in _CENTS})
    region = totals.pop("totaal", Counter[str]())
    table = Table(title="Wat het zou schelen per betaler", title_justify="left", title_style="bold")
    table.add_column("betaler")
    for name in _CENTS:
        table.add_column(products()["recalibration_effect"].column(name).dutch, justify="right", overflow="fold")
    for payer, cents in sorted(totals.items()):
        table.add_row(payer, *(format_euro(cents[name]) for name in _CENTS))
    table.add_section()
    table.add_row("totaal", *(format_euro(region[name]) for name in _CENTS))
    console.print(table)
    for order_id, explanation in sorted({(row["order_id"], row["explanation"]) for row in rows}):
        console.print(escape(f"{order_id}: {explanation}"))


def _hours(hundredths: int) -> str:
    whole, rest = divmod(hundredths, 100)
    return f"{whole},{rest:02d}"
