"""The command `zio claims`: claims of providers beside what they may declare.

Belongs here: its arguments and what it prints. Does not belong here: the verdicts (`claims`), reading and writing (`stages`).
"""

import argparse
from collections import Counter

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from resources.home import Home
from zio_pipeline.claims import LAW_IN_DUTCH, SETTLED
from zio_pipeline.cli.parsing import Add, day
from zio_pipeline.contracts import products
from zio_pipeline.money import format_euro
from zio_pipeline.stages.claims import ANSWERS, Claims, publish_claims


def add_to(add: Add) -> None:
    """`claims`."""
    claims = add(
        "claims", judge, "declaraties van aanbieders naast wat zij mogen declareren, met een antwoord per aanbieder"
    )
    claims.add_argument("--as-of", type=day, required=True, metavar="2026-01-05", help="de dag waarop wordt geoordeeld")


def judge(args: argparse.Namespace, console: Console) -> int:
    """Judge, publish, answer, and show what is not settled."""
    home = Home.open(args.home)
    claims, _ = publish_claims(home, args.school_year, args.as_of)
    show(console, claims)
    console.print(f"Antwoorden voor de aanbieders: {home.outbox / args.school_year / ANSWERS}.")
    return 0


def show(console: Console, claims: Claims) -> None:
    """How many months have which verdict, and every month and line that somebody must look at."""
    labels = dict(products()["claim_lines"].column("status").allowed)
    totals, differences = Counter[str](), Counter[str]()
    for month in claims.control.months:
        totals[month.status] += 1
        differences[month.status] += month.difference_cents
    table = Table("oordeel", title=f"Declaraties op {claims.as_of:%d-%m-%Y}", title_justify="left", title_style="bold")
    table.add_column("maanden", justify="right")
    table.add_column("verschil", justify="right")
    for status, count in sorted(totals.items()):
        table.add_row(labels[status], str(count), format_euro(differences[status]))
    console.print(table)
    for month in claims.control.months:
        if month.status not in SETTLED | {"expected"} or month.late:
            where = f"{month.order_id}, {LAW_IN_DUTCH[month.law]}, {month.month}"
            console.print(escape(f"{where}: {labels[month.status]}. {month.reason}"))
    for verdict in claims.control.lines:
        if verdict.order_id is None:
            console.print(escape(f"{verdict.line.row_ref}: {labels[verdict.status]}. {verdict.reason}"))
