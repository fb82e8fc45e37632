"""`zio explain`: any posted line or share, taken back to its pupils, hours, tariff and clause.

Belongs here: the arguments and printing. Does not belong here: the tree (`explain`), reading the books (`stages.explaining`).
"""

import argparse

from rich.console import Console

from resources.home import Home
from zio_pipeline.cli.parsing import Add, school_year
from zio_pipeline.errors import ZioError
from zio_pipeline.stages import explaining
from zio_pipeline.terms import STREAM_ORDER


def add_to(add: Add) -> None:
    """`explain`."""
    explain = add(
        "explain",
        explain_figure,
        "een document of een aandeel tot op de leerling uitleggen (vertrouwelijk)",
        year=False,
    )
    explain.add_argument("document", nargs="?", metavar="DOCUMENT", help="nummer van een geboekt document")
    explain.add_argument(
        "--share",
        nargs=3,
        metavar=("OPDRACHT", "STROOM", "BETALER"),
        help=f"het jaarbedrag van een betaler in plaats van een document; stroom is {', '.join(STREAM_ORDER)}",
    )
    explain.add_argument("--school-year", type=school_year, metavar="2025-2026", help="nodig bij --share")
    explain.add_argument(
        "--vault", action="store_true", help="ook pseudoniemen, redenen en rijen uit de kluis: persoonsgegevens"
    )


def explain_figure(args: argparse.Namespace, console: Console) -> int:
    """Print the tree of one document or share."""
    if bool(args.document) == bool(args.share):
        raise ZioError("Noem een documentnummer, of --share met opdracht, stroom en betaler.")
    home = Home.open(args.home)
    if args.document:
        text = explaining.explain_document(home, args.document, pseudonyms=args.vault)
    elif args.school_year is None:
        raise ZioError("Noem bij --share ook het schooljaar, bijvoorbeeld --school-year 2025-2026.")
    else:
        text = explaining.explain_share(home, args.school_year, *args.share, pseudonyms=args.vault)
    # As it is: a bracket in it is no markup, and a table may not be folded.
    console.print(text, markup=False, highlight=False, soft_wrap=True, end="")
    return 0
