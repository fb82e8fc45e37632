"""The command `zio hours`: what was delivered beside what was planned.

Belongs here: its arguments and what it prints. Does not belong here: what counts as delivered (`hours`), publishing (`stages`).
"""

import argparse
import re

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from resources.home import Home
from zio_pipeline.cli.commands import export
from zio_pipeline.cli.parsing import Add
from zio_pipeline.hours.differences import difference_report
from zio_pipeline.stages.hours import Rows, publish_summary

SHOWN = 20
_LEVELS = {"doelgroep": "opdracht / doelgroep", "school": "vestiging"}


def add_to(add: Add) -> None:
    """`hours`."""
    hours = add(
        "hours", show_hours, "geleverde uren naast geplande, per doelgroep en school; nieuwe urenstaten tellen mee"
    )
    hours.add_argument("--month", type=_month, metavar="2025-10", help="toon deze maand; zonder: het hele schooljaar")


def _month(text: str) -> str:
    if not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", text):
        raise argparse.ArgumentTypeError("schrijf een maand als 2025-10")
    return text


def show_hours(args: argparse.Namespace, console: Console) -> int:
    """Publish every month and show the totals, of one month or of the year, and what changed since the publication before."""
    home = Home.open(args.home)
    published = publish_summary(home, args.school_year)
    export(home, args.school_year)
    period = args.month or args.school_year
    for level, title in _LEVELS.items():
        rows = [row for row in published.summary if (row["level"], row["period"]) == (level, period)]
        console.print(_table(title, f"Uren per {level}, {period}", rows))
    changed = len(published.differences)
    console.print(f"Gewijzigd sinds de vorige publicatie: {changed} {'cijfer' if changed == 1 else 'cijfers'}.")
    for line in difference_report(published.differences, SHOWN):
        console.print(escape(f"- {line}"))
    return 0


def _table(head: str, title: str, rows: Rows) -> Table:
    table = Table(head, title=title, title_justify="left", title_style="bold")
    for name in ("gepland", "geleverd", "voorlopig", "geleverd van gepland"):
        table.add_column(name, justify="right")
    for row in rows:
        minutes = (row[f"{name}_minutes"] for name in ("planned", "delivered", "provisional"))
        table.add_row(escape(row["subject"]), *map(_hours, minutes), _percent(row["ratio_permille"]))
    return table


def _hours(minutes: int) -> str:
    """Minutes as hours and minutes: 90 -> `1:30`."""
    hours, rest = divmod(minutes, 60)
    return f"{hours:,}".replace(",", ".") + f":{rest:02d}"


def _percent(permille: int | None) -> str:
    return "-" if permille is None else f"{permille // 10},{permille % 10} %"
