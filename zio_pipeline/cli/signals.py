"""The command `zio signals`: what is odd about the hours, which weeks are owed, and telling people.

Belongs here: its arguments and what it prints. Does not belong here: the rules (`hours`), reading and writing (`stages`).
"""

import argparse
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from resources.home import Home
from resources.notifier import notifier
from zio_pipeline.cli.commands import export
from zio_pipeline.cli.parsing import Add, day
from zio_pipeline.contracts import products
from zio_pipeline.hours.alerts import serious_in_words
from zio_pipeline.hours.missing import OWED_BY, owed_in_words
from zio_pipeline.stages import signals

Rows = Sequence[Mapping[str, Any]]


def add_to(add: Add) -> None:
    """`signals`."""
    command = add("signals", show_signals, "signalen over uren en ontbrekende urenstaten, met wie wat moet doen")
    command.add_argument("--month", metavar="2025-10", help="alleen deze maand; zonder: het hele schooljaar")
    command.add_argument(
        "--as-of", type=day, required=True, metavar="2025-11-11", help="de dag waarop wordt geoordeeld"
    )
    command.add_argument(
        "--notify", action="store_true", help="ook berichten sturen: per e-mail (ZIO_SMTP_HOST), anders in het log"
    )


def show_signals(args: argparse.Namespace, console: Console) -> int:
    """Judge, publish, show, and tell people when asked; 1 when a message could not be sent."""
    home = Home.open(args.home)
    found = signals.publish_hour_signals(home, args.school_year, args.as_of, args.month)
    owed = signals.publish_missing(home, args.school_year, args.as_of)
    owed = [row for row in owed if args.month in (None, row["month"])]
    _show_kinds(console, found)
    for sentence in serious_in_words(found):
        console.print(escape(sentence))
    _show_owed(console, owed)
    if not args.notify:
        export(home, args.school_year)
        return 0
    told = signals.notify(home, args.school_year, args.as_of, notifier(os.environ), args.month)
    export(home, args.school_year)
    for alert in told.sent:
        console.print(escape(f"Verzonden: {alert.subject}"))
    for alert in told.failed:
        console.print(escape(f"Niet verzonden (zie het log), volgende keer opnieuw: {alert.subject}"))
    if not told.sent and not told.failed:
        console.print("Er was niets nieuws te melden.")
    return 1 if told.failed else 0


def _show_kinds(console: Console, found: Rows) -> None:
    dataset = products()["hour_signals"]
    kinds, severities = dict(dataset.column("kind").allowed), dict(dataset.column("severity").allowed)
    counts = Counter((row["severity"], row["kind"]) for row in found)
    table = Table("soort", "ernst", title="Signalen over uren", title_justify="left", title_style="bold")
    table.add_column("aantal", justify="right")
    for (severity, kind), count in sorted(counts.items()):
        table.add_row(kinds[kind], severities[severity], str(count))
    console.print(table if counts else "Er zijn geen signalen.")


def _show_owed(console: Console, owed: Rows) -> None:
    steps = dict(products()["missing_statements"].column("step").allowed)
    for step in OWED_BY:
        for sentence in owed_in_words(owed, step):
            console.print(escape(f"Ontbreekt ({steps[step]}): {sentence}"))
    if not owed:
        console.print("Er ontbreekt geen enkele week.")
