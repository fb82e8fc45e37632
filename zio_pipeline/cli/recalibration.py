"""The command `zio recalibration`: the hours proposed for next year, and what they would mean per payer.

Belongs here: its arguments and what it prints. Does not belong here: the proposal (`hours`), reading and writing (`stages`).
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from resources.home import Home
from zio_pipeline.cli.commands import export
from zio_pipeline.cli.parsing import Add, day
from zio_pipeline.contracts import products
from zio_pipeline.hours.recalibration import WITHOUT_OWN_HOURS
from zio_pipeline.hours.recalibration_effect import NOT_COMPUTED
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
    command = add(
        "recalibration", propose, "uren voor volgend jaar: gemeten naast toegekend, met wat het per betaler zou schelen"
    )
    command.add_argument(
        "--as-of", type=day, required=True, metavar="2026-07-31", help="de dag tot wanneer wordt gemeten"
    )


def propose(args: argparse.Namespace, console: Console) -> int:
    """Publish `recalibration` and `recalibration_effect`, and show them; the status is 1 when euros of an order are not known."""
    home = Home.open(args.home)
    tables = publish_recalibration(home, args.school_year, args.as_of)
    export(home, args.school_year)
    show_hours(console, tables["recalibration"], args.school_year, args.as_of)
    show_effect(console, tables["recalibration_effect"])
    return int(any(row["basis"] == NOT_COMPUTED for row in tables["recalibration_effect"]))


def show_hours(console: Console, rows: Rows, school_year: str, as_of: date) -> None:
    title = f"Uren per week, gemeten in {school_year} tot en met {as_of:%d-%m-%Y}"
    table = Table(title=title, title_justify="left", title_style="bold")
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


def show_effect(console: Console, rows: Rows) -> None:
    """Per payer, all orders together but those that are not computed; the last line is the sum of the region."""
    rows = list(rows)
    totals: dict[str, Counter[str]] = {}
    for row in (row for row in rows if row["basis"] != NOT_COMPUTED):
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
    for order_id, basis, explanation in sorted({(row["order_id"], row["basis"], row["explanation"]) for row in rows}):
        apart = "staat niet in deze tabel. " if basis == NOT_COMPUTED else ""
        console.print(escape(f"{order_id}: {apart}{explanation}"))


def _hours(hundredths: int) -> str:
    whole, rest = divmod(hundredths, 100)
    return f"{whole},{rest:02d}"
