"""The command `zio hours`: what was delivered beside what was planned.

Belongs here: its arguments and what it prints. Does not belong here: what counts as delivered (`hours`), publishing (`stages`).
"""

import argparse
import re
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from resources.home import Home
from zio_pipeline.cli import show
from zio_pipeline.cli.commands import export
from zio_pipeline.cli.parsing import Add, day
from zio_pipeline.stages.hours import Rows
from zio_pipeline.stages.hours_year import publish_hours

SHOWN = ("planned", "delivered", "provisional")
_LEVELS = {"doelgroep": "opdracht / doelgroep", "school": "vestiging"}


def add_to(add: Add) -> None:
    """`hours`."""
    hours = add(
        "hours",
        show_hours,
        "alle tabellen over uren, met nieuwe urenstaten; toont geleverde uren naast geplande, per doelgroep en school",
    )
    hours.add_argument("--as-of", type=day, required=True, metavar="2026-01-12", help="de stand op deze dag")
    hours.add_argument("--month", type=_month, metavar="2025-10", help="toon deze maand; zonder: het hele schooljaar")


def _month(text: str) -> str:
    if not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", text):
        raise argparse.ArgumentTypeError("schrijf een maand als 2025-10")
    return text


def show_hours(args: argparse.Namespace, console: Console) -> int:
    """Publish every table on hours and show the totals, of one month or of the year, and what changed since the last time."""
    home = Home.open(args.home)
    published = publish_hours(home, args.school_year, args.as_of)
    export(home, args.school_year)
    period = args.month or args.school_year
    for level, title in _LEVELS.items():
        rows = [row for row in published.summary if (row["level"], row["period"]) == (level, period) and _any(row)]
        console.print(_table(title, f"Uren per {level}, {period}", rows))
    show.differences(console, published.differences)
    return 0


def _any(row: Mapping[str, Any]) -> bool:
    """Whether anything stands in what is shown of it."""
    return any(row[f"{name}_minutes"] for name in SHOWN)


def _table(head: str, title: str, rows: Rows) -> Table:
    table = Table(head, title=title, title_justify="left", title_style="bold")
    for name in ("gepland", "geleverd", "voorlopig", "geleverd van gepland"):
        table.add_column(name, justify="right")
    for row in rows:
        minutes = (row[f"{name}_minutes"] for name in SHOWN)
        table.add_row(escape(row["subject"]), *map(_hours, minutes), _percent(row["ratio_permille"]))
    return table


def _hours(minutes: int) -> str:
    """Minutes as hours and minutes: 90 -> `1:30`."""
    hours, rest = divmod(minutes, 60)
    return f"{hours:,}".replace(",", ".") + f":{rest:02d}"


def _percent(permille: int | None) -> str:
    return "-" if permille is None else f"{permille // 10},{permille % 10} %"
