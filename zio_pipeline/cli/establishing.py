"""The command that fixes a school year: propose, look it over, approve; a new version with its reason.

Belongs here: its arguments and what it prints. Does not belong here: the rules of it (`stages.establishing`).
"""

import argparse

from rich.console import Console

from resources.home import Home
from zio_pipeline.cli import show
from zio_pipeline.cli.parsing import Add, day
from zio_pipeline.establishment import REASON_OF_WORD
from zio_pipeline.stages import establishing, year


def add_to(add: Add) -> None:
    """`establish`."""
    command = add("establish", establish, "een schooljaar vaststellen: één persoon stelt voor, een ander keurt goed")
    step = command.add_mutually_exclusive_group(required=True)
    step.add_argument("--propose", action="store_true", help="reken het jaar door en leg het voorstel neer")
    step.add_argument("--check", metavar="BEWIJS", help="reken het voorstel na en laat het zien, zonder te tekenen")
    step.add_argument("--approve", metavar="BEWIJS", help="keur het voorstel met dit bewijs (hash) goed")
    command.add_argument(
        "--reason",
        metavar="REDEN",
        help=f"waarom een nieuwe versie van een vastgesteld jaar: {', '.join(REASON_OF_WORD)}",
    )
    command.add_argument("--explanation", default="", help="toelichting bij een nieuwe versie, zonder persoonsgegevens")
    command.add_argument("--by", required=True, help="wie dit doet")
    command.add_argument("--as-of", type=day, required=True, metavar="2025-07-15")


def establish(args: argparse.Namespace, console: Console) -> int:
    """First or second signature under a school year, or a look at what would be signed."""
    home, school_year = Home.open(args.home), args.school_year
    if args.propose:
        year.publish_decisions(home, school_year)
        made = establishing.propose(
            home, school_year, args.by, args.as_of, reason=args.reason, explanation=args.explanation
        )
        _show(console, school_year, made)
        console.print(
            "Een ander keurt goed met: zio establish --school-year ... --approve BEWIJS --by NAAM --as-of DATUM"
        )
    elif args.check:
        _show(console, school_year, establishing.proposed(home, school_year, args.check))
        console.print("Er is niets getekend.")
    else:
        signed = establishing.approve(home, school_year, args.approve, args.by, args.as_of)
        _show(console, school_year, signed)
        version = f" (versie {signed.version})" if signed.version > 1 else ""
        console.print(f"Schooljaar {school_year} is vastgesteld{version}; goedgekeurd door {args.by}.")
    return 0


def _show(console: Console, school_year: str, made: establishing.Proposal) -> None:
    """The proposal, and of a new version every row of a later file that it takes for an error."""
    show.proposal(console, school_year, made)
    if taken := made.receipt.get("base", {}).get("taken_rows", []):
        console.print(
            f"Uit latere bestanden overgenomen, omdat ze anders zijn dan vastgesteld en geen mutatie: {len(taken)} regel(s)."
        )
        for row_ref in taken:
            console.print(f"  {row_ref}", markup=False, highlight=False)
