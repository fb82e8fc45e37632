"""Commands around the rows of pupils: the residence check of a municipality, and dropping what an established year needs no more.

Belongs here: their arguments and what they print. Does not belong here: the rules of it (`stages.residence`, `stages.thinning`).
"""

import argparse
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from resources import clock
from resources.home import Home
from zio_pipeline.cli.parsing import Add, day
from zio_pipeline.errors import ZioError
from zio_pipeline.stages import residence, thinning
from zio_pipeline.stages.retention import require_no_future
from zio_pipeline.stages.year import current_setup


def add_to(add: Add) -> None:
    """`residence-check`, `residence-answer`, `residence-words` and `thin`."""
    check = add(
        "residence-check", ask, "de woonplaatstoets van één gemeente maken: haar eigen leerlingen op de peildatum"
    )
    check.add_argument("--municipality", required=True, metavar="0855", help="gemeentecode van vier cijfers")
    _who_and_when(check)

    answer = add("residence-answer", take_answer, "het antwoord van een gemeente op de woonplaatstoets inlezen")
    answer.add_argument("--file", type=Path, required=True, help="het ingevulde werkboek (XLSX of CSV)")
    _who_and_when(answer)

    notes = add(
        "residence-words",
        show_words,
        "lezen wat gemeenten in de woonplaatstoets schreven, bij de punten op de werklijst",
    )
    _who_and_when(notes)

    thin = add(
        "thin", thin_year, "na de vaststelling geboortedatum en postcode uit de kluis verwijderen; dit is definitief"
    )
    _who_and_when(thin)


def _who_and_when(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", required=True, help="wie dit doet")
    parser.add_argument("--as-of", type=day, required=True, metavar="2025-07-10")


def _opened(args: argparse.Namespace) -> Home:
    """The home, when the day of what is done there is not still to come; a fictitious year may look ahead."""
    home, today = Home.open(args.home), clock.today()
    if args.as_of > today and not current_setup(home, args.school_year).settings.fictitious:
        raise ZioError(f"De datum {args.as_of:%d-%m-%Y} ligt in de toekomst; vandaag is het {today:%d-%m-%Y}.")
    return home


def ask(args: argparse.Namespace, console: Console) -> int:
    """Make the workbook for one municipality."""
    municipality = args.municipality.zfill(4)
    question = residence.ask(_opened(args), args.school_year, municipality, args.by, args.as_of)
    console.print(f"Woonplaatstoets van {question.children} leerlingen geschreven: {question.path}", soft_wrap=True)
    console.print("Verstuur haar alleen beveiligd en alleen aan deze gemeente, en wis het bestand daarna.")
    return 0


def take_answer(args: argparse.Namespace, console: Console) -> int:
    """Read what a municipality answered."""
    home = _opened(args)
    reply = residence.take_answer(home, args.school_year, args.file.read_bytes(), args.by, args.as_of)
    console.print(
        f"Gemeente {reply.municipality}: {reply.confirmed} bevestigd, {reply.disputed} betwist, {reply.unanswered} niet beantwoord."
        + ("" if reply.fresh else " Dit antwoord was al ingelezen; er is niets gewijzigd.")
    )
    if reply.late:
        console.print("Het schooljaar is al vastgesteld: het antwoord is bewaard en verandert daar niets aan.")
    return 0


def show_words(args: argparse.Namespace, console: Console) -> int:
    """Show what municipalities wrote. It is not for a log or a file: only a person reads it."""
    if not console.is_terminal:
        raise ZioError("Deze toelichtingen kunnen een naam bevatten en worden alleen op een scherm getoond.")
    found = residence.words(_opened(args), args.school_year, args.by, args.as_of)
    table = Table("gemeente", "punt op de werklijst", "bestand en regel", "andere gemeente", "toelichting")
    for one in found:
        table.add_row(
            one.municipality, ", ".join(one.points) or "geen", one.row_ref, *map(_plain, (one.other_text, one.note))
        )
    console.print(table if found else "Er is niets bij geschreven, of het jaar is al uitgedund.")
    return 0


def _plain(text: str) -> Text:
    """Words of others: no markup and no control characters."""
    return Text("".join(character if character.isprintable() else " " for character in text))


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
