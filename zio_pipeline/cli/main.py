"""Arguments, and the exit status: 0 only when everything is proved, 1 when a person must act, 2 when the call is wrong."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from zio_pipeline.cli import (
    claims,
    closing,
    commands,
    documents,
    establishing,
    explain,
    grants,
    hours,
    lawfulness,
    mutations,
    recalibration,
    residence,
    signals,
)
from zio_pipeline.cli.parsing import Command, day, school_year
from zio_pipeline.contracts import sources
from zio_pipeline.errors import ZioError
from zio_pipeline.stages.retention import KEEP_DAYS

TOPICS = (
    establishing,
    documents,
    claims,
    explain,
    mutations,
    residence,
    closing,
    hours,
    signals,
    lawfulness,
    recalibration,
    grants,
)
"""Modules with commands of their own, in the order of `zio --help`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    args = _parser().parse_args(arguments)
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    try:
        status: int = args.command(args, console)
    except ZioError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"[bold red]Gestopt.[/] {_plain(error)}")
        return 1
    except OSError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"[bold red]Gestopt.[/] {_fault(error)}")
        return 1
    except Exception as error:
        if args.command is not commands.verify:
            raise
        # Damaged stores can stop any reader in any way; its own words may hold what it read, so only its kind is said.
        said = f"Wat er staat is niet te lezen ({type(error).__name__}); zet de laatste goede reservekopie terug."
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"[bold red]Gestopt.[/] {said}")
        return 1
    return status


def entry() -> NoReturn:
    """The command `zio`. Everything is committed and flushed by now, so the process ends here at once: threads of the data
    engines that are still winding down could otherwise turn a sound exit status into an abort.
    """
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _plain(error: ZioError) -> str:
    return str(error).replace("[", r"\[")


def _fault(error: OSError) -> str:
    """What went wrong and in which folder: a sender may have put a child's name in the name of a file."""
    place = f" in de map {Path(os.fsdecode(error.filename)).parent}" if isinstance(error.filename, str | bytes) else ""
    return f"{error.strerror or 'Lezen of schrijven is mislukt'}{place}.".replace("[", r"\[")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="zio",
        description="Collectief gefinancierde Zorg in Onderwijstijd: van aangeleverde bestanden tot facturen.",
    )
    parser.add_argument("--home", type=Path, help="map waarin alles staat (standaard ZIO_HOME, anders .zio)")
    subparsers = parser.add_subparsers(required=True, metavar="opdracht")

    def add(name: str, command: Command, help_text: str, *, year: bool = True) -> argparse.ArgumentParser:
        sub = subparsers.add_parser(name, help=help_text, description=help_text)
        sub.set_defaults(command=command)
        # Also accepted behind the command; absent there, the one before the command stands.
        sub.add_argument("--home", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        if year:
            sub.add_argument("--school-year", type=school_year, required=True, metavar="2025-2026")
        return sub

    run = add("run", commands.run, "de hele lijn: innemen, verdelen, vaststellen, boeken, bewijzen")
    run.add_argument(
        "--inbox", type=Path, required=True, help="map met aangeleverde bestanden; er wordt niets in gewijzigd"
    )
    run.add_argument("--as-of", type=day, required=True, metavar="2026-07-31", help="de dag waarop geboekt wordt")
    run.add_argument(
        "--replay", action="store_true", help="boek elke termijn op haar eigen vervaldag (alleen op een leeg grootboek)"
    )

    add("status", commands.status, "hoe het schooljaar ervoor staat")
    reread = add("reread", commands.reread, "uit de kluis herlezen wat met een oudere lezer is ingenomen", year=False)
    reread.add_argument("--source", choices=sorted(sources()), help="alleen bestanden van deze bron")

    withdraw = add(
        "withdraw",
        commands.withdraw,
        "een bestand dat telt intrekken; het bestand dat erdoor vervangen was telt weer",
        year=False,
    )
    withdraw.add_argument("label", metavar="LABEL", help="bestandslabel, zoals in de tabel deliveries")
    withdraw.add_argument("--by", required=True, help="wie dit doet")
    withdraw.add_argument("--reason", required=True, help="waarom, zonder persoonsgegevens")
    withdraw.add_argument("--as-of", type=day, required=True, metavar="2025-10-01", help="de dag van intrekking")

    retention = add(
        "retention",
        commands.remove_expired,
        "verwijderen wat aanleveraars stuurden en langer bewaard is dan nodig; er blijft een aantekening van",
        year=False,
    )
    retention.add_argument("--as-of", type=day, required=True, metavar="2026-08-03", help="de dag van verwijdering")
    retention.add_argument(
        "--keep-days", type=int, default=KEEP_DAYS, metavar="N", help="bewaartermijn in dagen (standaard %(default)s)"
    )

    add("rotate-vault-key", commands.rotate_vault_key, "de kluis met een andere sleutel versleutelen", year=False)

    add("verify", commands.verify, "bewijs keten, nummers en optellingen van het hele grootboek", year=False)

    demo = add("demo-data", commands.demo_data, "een fictief schooljaar aan bestanden maken")
    demo.add_argument("--out", type=Path, required=True)
    demo.add_argument("--pupils", type=int, default=1030)
    demo.add_argument("--seed", type=int, default=1)

    for topic in TOPICS:
        topic.add_to(add)

    dictionary = add(
        "dictionary", commands.dictionary, "het gegevenswoordenboek uit de contracten schrijven", year=False
    )
    dictionary.add_argument("--out", type=Path, required=True)
    return parser
