"""Commands around the end of a school year: what is still to pay, the forecast, the year statement, closing.

Belongs here: their arguments and what they print. Does not belong here: the rules of it (`stages.closing`).
"""

import argparse
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from resources import clock
from resources.closing import ProviderStatement
from resources.home import Home
from zio_pipeline.cli.commands import export
from zio_pipeline.cli.parsing import Add, day
from zio_pipeline.contracts import products
from zio_pipeline.money import format_euro
from zio_pipeline.stages import billing, closing

Rows = Sequence[Mapping[str, Any]]


def add_to(add: Add) -> None:
    """`accruals`, `forecast`, `year-statement`, `provider-statement` and `close`."""
    accruals = add("accruals", show_accruals, "nog te betalen en vooruitbetaald op een dag, bijvoorbeeld 31 december")
    _on(accruals, "2025-12-31")

    forecast = add("forecast", show_forecast, "raming per gemeente van het kalenderjaar na deze dag")
    _on(forecast, "2026-04-01")

    statement = add("year-statement", show_statement, "jaaropgave per betaler en opdracht")
    _on(statement, "2026-07-31")

    register = add("provider-statement", register_statement, "de jaaropgave van een aanbieder registreren")
    register.add_argument("--provider", required=True, metavar="AGB", help="AGB-code van de aanbieder")
    amount = register.add_mutually_exclusive_group(required=True)
    amount.add_argument("--amount", dest="cents", type=_euros, metavar="1.234,56", help="bedrag in euro's")
    amount.add_argument("--cents", type=_cents, metavar="123456", help="bedrag in hele centen")
    register.add_argument("--source", required=True, help="waar het staat, bijvoorbeeld kenmerk en datum van de opgave")
    _who_and_when(register, "2026-08-20")

    close = add("close", close_year, "een schooljaar sluiten; daarna verandert er niets meer aan")
    _who_and_when(close, "2026-09-01")


def _on(parser: argparse.ArgumentParser, example: str) -> None:
    parser.add_argument("--as-of", type=day, required=True, metavar=example, help="de stand op deze dag")


def _who_and_when(parser: argparse.ArgumentParser, example: str) -> None:
    parser.add_argument("--by", required=True, help="wie dit doet")
    parser.add_argument("--as-of", type=day, required=True, metavar=example)


def _euros(text: str) -> int:
    """Euros as a Dutch reader writes them, in cents. A point groups thousands and only together with two decimals."""
    if not re.fullmatch(r"[0-9]+(,[0-9]{2})?|[0-9]{1,3}(\.[0-9]{3})+,[0-9]{2}", text):
        raise argparse.ArgumentTypeError("schrijf een bedrag als 1234,56 of 1.234,56")
    euros, _, cents = text.replace(".", "").partition(",")
    return int(euros) * 100 + int(cents or 0)


def _cents(text: str) -> int:
    if not re.fullmatch(r"[0-9]+", text):
        raise argparse.ArgumentTypeError("schrijf hele centen, bijvoorbeeld 123456")
    return int(text)


def show_accruals(args: argparse.Namespace, console: Console) -> int:
    """Cost to date beside what was posted, per payer; publishes `accruals`."""
    home = Home.open(args.home)
    rows = closing.publish_accruals(home, args.school_year, args.as_of)
    export(home, args.school_year)
    names = ("year_cents", "cost_cents", "posted_cents", "difference_cents")
    _print(console, "accruals", f"Nog te betalen en vooruitbetaald op {args.as_of:%d-%m-%Y}", rows, names)
    return 0


def show_forecast(args: argparse.Namespace, console: Console) -> int:
    """The coming calendar year per municipality; publishes `forecast`."""
    home = Home.open(args.home)
    rows = closing.publish_forecast(home, args.school_year, args.as_of)
    export(home, args.school_year)
    title = f"Raming kalenderjaar {args.as_of.year + 1}"
    _print(console, "forecast", title, rows, ("known_cents", "estimated_cents", "amount_cents"))
    for basis in sorted({row["basis"] for row in rows}):
        console.print(f"Grondslag: {basis}.")
    return 0


def show_statement(args: argparse.Namespace, console: Console) -> int:
    """The year per payer; publishes `year_statement`."""
    home = Home.open(args.home)
    rows = closing.publish_year_statement(home, args.school_year, args.as_of)
    export(home, args.school_year)
    names = ("share_cents", "posted_cents", "parked_cents", "not_due_cents", "to_post_cents")
    _print(console, "year_statement", f"Jaaropgave {args.school_year}", rows, names)
    return 0


def register_statement(args: argparse.Namespace, console: Console) -> int:
    """What a provider says it declared."""
    home = Home.open(args.home)
    statement = ProviderStatement(args.school_year, args.provider, args.cents, args.source, args.by, args.as_of)
    fresh = closing.register_statement(home, statement)
    console.print(f"Jaaropgave van aanbieder {args.provider} {'geregistreerd' if fresh else 'was al geregistreerd'}.")
    return 0


def close_year(args: argparse.Namespace, console: Console) -> int:
    """Close the year, or say everything that stands in the way."""
    home = Home.open(args.home)
    billing.require_no_future(home, args.school_year, args.as_of, clock.today())
    fresh = closing.close(home, args.school_year, args.by, args.as_of)
    export(home, args.school_year)
    console.print(f"Schooljaar {args.school_year} {'is nu' if fresh else 'was al'} gesloten; zie year_statement.")
    return 0


def _print(console: Console, product: str, title: str, rows: Rows, names: Sequence[str]) -> None:
    """Per payer, all orders together, under the Dutch headers of the contract; the last line is the sum of the region."""
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("betaler")
    for name in names:
        # Folded, where a line is short: an amount that is cut off says something else.
        table.add_column(products()[product].column(name).dutch, justify="right", overflow="fold")
    for payer in sorted({row["payer"] for row in rows}):
        table.add_row(payer, *_sums((row for row in rows if row["payer"] == payer), names))
    table.add_section()
    table.add_row("regio", *_sums(rows, names))
    console.print(table)


def _sums(rows: Iterable[Mapping[str, Any]], names: Sequence[str]) -> list[str]:
    rows = list(rows)
    return [format_euro(sum(row[name] for row in rows)) for name in names]
