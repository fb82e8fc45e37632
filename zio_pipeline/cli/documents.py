"""Commands around posted documents: see what a run would post, release, deliver, close a period.

Belongs here: their arguments and what they print. Does not belong here: the rules of it (`stages`).
"""

import argparse
import hashlib
from pathlib import Path

from rich.console import Console

from resources import clock
from resources.home import Home
from resources.registers import Sending
from zio_pipeline.cli import show
from zio_pipeline.cli.parsing import Add, day
from zio_pipeline.stages import billing, releasing
from zio_pipeline.stages.retention import require_no_future


def add_to(add: Add) -> None:
    """`bill`, `release`, `deliver` and `lock`."""
    bill = add("bill", bill_year, "boeken wat vervallen is; met --preview alleen laten zien")
    bill.add_argument("--as-of", type=day, required=True, metavar="2026-01-02", help="de dag waarop geboekt wordt")
    bill.add_argument("--preview", action="store_true", help="dezelfde run, maar er wordt niets geschreven")

    release = add("release", release_documents, "geboekte documenten vrijgeven om te verzenden")
    release.add_argument("numbers", nargs="*", metavar="NUMMER", help="documentnummers; zonder nummers: alles")
    _who_and_when(release)

    deliver = add("deliver", deliver_document, "vastleggen dat een vrijgegeven document is verzonden", year=False)
    deliver.add_argument("number", metavar="NUMMER")
    deliver.add_argument("--channel", required=True, choices=("e-mail", "peppol", "post", "portaal"))
    deliver.add_argument(
        "--file", type=Path, required=True, help="het bestand dat verzonden is; zijn vingerafdruk blijft"
    )
    _who_and_when(deliver)

    lock = add("lock", lock_period, "de boeken sluiten tot en met een dag; een slot gaat alleen vooruit", year=False)
    lock.add_argument("--through", type=day, required=True, metavar="2025-12-31")
    _who_and_when(lock)


def _who_and_when(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", required=True, help="wie dit doet")
    parser.add_argument("--as-of", type=day, required=True, metavar="2026-01-05")


def bill_year(args: argparse.Namespace, console: Console) -> int:
    """Post what is due, or show it."""
    home = Home.open(args.home)
    if not args.preview:
        billing.require_no_future(home, args.school_year, args.as_of, clock.today())
    billed = billing.bill(home, args.school_year, args.as_of, preview=args.preview)
    if args.preview:
        console.print("Voorbeeld: er is niets geschreven. Nummers kunnen bij het echte boeken anders zijn.")
        show.document_list(console, billed.posted_now)
    else:
        billing.publish_documents(home, args.school_year, billed)
        billing.publish_parked(home, args.school_year, billed)
        releasing.publish_states(home, args.school_year)
    show.documents(console, billed)
    return 0


def release_documents(args: argparse.Namespace, console: Console) -> int:
    """A person lets documents go out."""
    home = Home.open(args.home)
    require_no_future(home, args.as_of, clock.today())
    released = releasing.release(home, args.school_year, args.numbers, args.by, args.as_of)
    console.print(f"Vrijgegeven: {len(released)} documenten." if released else "Er was niets meer vrij te geven.")
    return 0


def deliver_document(args: argparse.Namespace, console: Console) -> int:
    """A document went out."""
    home = Home.open(args.home)
    require_no_future(home, args.as_of, clock.today())
    content = hashlib.sha256(args.file.read_bytes()).hexdigest()
    fresh = releasing.deliver(home, Sending(args.number, args.channel, content, args.by, args.as_of))
    console.print(f"Bezorging van {args.number} {'vastgelegd' if fresh else 'was al vastgelegd'}.")
    return 0


def lock_period(args: argparse.Namespace, console: Console) -> int:
    """Close the books up to a day."""
    home = Home.open(args.home)
    require_no_future(home, args.as_of, clock.today())
    fresh = home.ledger.lock_through(args.through, args.by, args.as_of)
    console.print(f"De boeken {'zijn nu' if fresh else 'waren al'} gesloten tot en met {args.through:%d-%m-%Y}.")
    return 0
