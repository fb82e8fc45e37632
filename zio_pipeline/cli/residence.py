"""Commands around the rows of pupils: the residence check of a municipality, and dropping what an established year needs no more.

Belongs here: their arguments and what they print. Does not belong here: the rules of it (`stages.residence`, `stages.thinning`).
"""

import argparse
from pathlib import Path

from rich.console import Console

from resources import clock
from resources.home import Home
from zio_pipeline.cli.parsing import Add, day
from zio_pipeline.stages import residence, thinning
from zio_pipeline.stages.retention import require_no_future


def add_to(add: Add) -> None:
    """`residence-check`, `residence-answer` and `thin`."""
    check = add(
        "residence-check", ask, "de woonplaatstoets van één gemeente maken: haar eigen leerlingen op de peildatum"
    )
    check.add_argument("--municipality", required=True, metavar="0855", help="gemeentecode van vier cijfers")
    _who_and_when(check)

    answer = add("residence-answer", take_answer, "het antwoord van een gemeente op de woonplaatstoets inlezen")
    answer.add_argument("--file", type=Path, required=True, help="het ingevulde werkboek (XLSX of CSV)")
    _who_and_when(answer)

    thin = add(
        "thin", thin_year, "na de vaststelling geboortedatum en postcode uit de kluis verwijderen; dit is definitief"
    )
    _who_and_when(thin)


def _who_and_when(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", required=True, help="wie dit doet")
    parser.add_argument("--as-of", type=day, required=True, metavar="2025-07-10")


def ask(args: argparse.Namespace, console: Console) -> int:
    """Make the workbook for one municipality."""
    municipality = args.municipality.zfill(4)
    question = residence.ask(Home.open(args.home), args.school_year, municipality, args.by, args.as_of)
    console.print(f"Woonplaatstoets van {question.children} leerlingen geschreven: {question.path}", soft_wrap=True)
    console.print("Verstuur haar alleen beveiligd en alleen aan deze gemeente, en wis het bestand daarna.")
    return 0


def take_answer(args: argparse.Namespace, console: Console) -> int:
    """Read what a municipality answered."""
    home = Home.open(args.home)
    reply = residence.take_answer(home, args.school_year, args.file.read_bytes(), args.by, args.as_of)
    console.print(
        f"Gemeente {reply.municipality}: {reply.confirmed} bevestigd, {reply.disputed} betwist, {reply.unanswered} niet beantwoord."
        + ("" if reply.fresh else " Dit antwoord was al ingelezen; er is niets gewijzigd.")
    )
    if reply.late:
        console.print("Het schooljaar is al vastgesteld: het antwoord is bewaard en verandert daar niets aan.")
    return 0


def thin_year(args: argparse.Namespace, console: Console) -> int:
    """Drop birth date and postcode of an established year."""
    home = Home.open(args.home)
    require_no_future(home, args.as_of, clock.today())
    thinned = thinning.thin(home, args.school_year, args.by, args.as_of)
    console.print(
        f"Geboortedatum en postcode verwijderd uit {thinned} leerlingbestanden."
        if thinned
        else "Er was niets meer te verwijderen."
    )
    return 0
