"""What each command does: stages in order, and a table at the end.

Belongs here: the order of the stages of one run. Does not belong here: how a table looks (`show`), argument parsing (`main`).
"""

import argparse
import os
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from resources import clock
from resources.home import Home, write_atomically
from resources.vault_key import NEW_VAULT_VARIABLE, new_key
from zio_pipeline.cli import show
from zio_pipeline.contracts import products
from zio_pipeline.dictionary import data_dictionary
from zio_pipeline.errors import ZioError
from zio_pipeline.privacy import VAULT_VARIABLE
from zio_pipeline.stages import (
    billing,
    claims,
    closing,
    establishing,
    hours,
    mutations,
    releasing,
    retention,
    thinning,
    verifying,
    year,
)
from zio_pipeline.stages.inputs import later_files
from zio_pipeline.stages.publishing import never_made
from zio_pipeline.stages.receiving import inbox_files, inbox_folders, receive
from zio_pipeline.stages.rereading import outdated
from zio_pipeline.stages.rereading import reread as read_again
from zio_pipeline.stages.withdrawing import withdraw as take_out

RESTRICTED = frozenset({"restricted"})


def run(args: argparse.Namespace, console: Console) -> int:
    """The whole line in one process. What became of every file is shown first, also when the year then cannot go on."""
    home, school_year = Home.open(args.home), args.school_year
    with _progress(console) as progress:
        task = progress.add_task("innemen", total=len(inbox_files(args.inbox)))
        received = receive(home, args.inbox, clock.today(), on_file=lambda: progress.advance(task))
    show.received(console, received)
    show.folders(console, inbox_folders(args.inbox))
    show.outdated(console, outdated(home), home.keys)
    with _progress(console) as progress:
        task = progress.add_task("betalers en verdeling", total=4)
        year.publish_decisions(home, school_year)
        figures = year.publish_figures(home, school_year)
        progress.update(task, description="vaststellen", advance=1)
        if establishing.establish_if_fictitious(home, school_year, args.as_of) is None:
            raise establishing.waits_for_two(school_year)
        progress.update(task, description="boeken", advance=1)
        billing.require_no_future(home, school_year, args.as_of, clock.today())
        billed = billing.bill(home, school_year, args.as_of, replay=args.replay)
        billing.publish_documents(home, school_year, billed)
        billing.publish_parked(home, school_year, billed)
        releasing.publish_states(home, school_year)
        progress.update(task, description="controle", advance=1)
        claims.publish_claims(home, school_year, args.as_of)
        mutations.publish_mutations(home, school_year, args.as_of)
        closing.publish_accruals(home, school_year, args.as_of)
        closing.publish_year_statement(home, school_year, args.as_of)
        closing.renewed_forecast(home, school_year, args.as_of)
        delivered = _delivered(home, school_year)
        export(home, school_year)
        findings = verifying.verify(home)
        progress.advance(task)
    show.later_files(console, later_files(home, school_year))
    show.documents(console, billed)
    show.hours(console, delivered)
    show.settlement(console, figures)
    show.proofs(console, figures.proofs, findings)
    console.print(f"Resultaten voor finance: {home.outbox / school_year}; alles bij elkaar: {home.folder}.")
    good = not findings and all(proof.proved for proof in figures.proofs) and not isinstance(delivered, ZioError)
    return 0 if good else 1


def _delivered(home: Home, school_year: str) -> hours.Publication | ZioError:
    """Hours prove delivery and move no money: what is wrong with them stops no run, and is told (SPEC section 7)."""
    try:
        return hours.publish_summary(home, school_year)
    except ZioError as error:
        return error


def export(home: Home, school_year: str) -> None:
    """Write every table of the year to the outbox as CSV.

    What only settlement and audit may read goes whole into `vertrouwelijk`; the general reader gets such a table without
    its restricted columns, and not at all when its amounts are restricted too or it has none (SPEC section 8).
    """
    folder, version = home.outbox / school_year, year.version_of(home, school_year)
    for name, dataset in products().items():
        if dataset.group == "intake":
            continue
        # A draft of a new version stands beside the one in force; what leaves is what two people signed.
        scope: dict[str, Any] = {"school_year": school_year} | (
            {"version": version} if "version" in dataset.key else {}
        )
        if never_made(home, dataset, scope):
            continue  # an empty file would say that there was nothing
        restricted = {column.name for column in dataset.columns if column.classification == "restricted"}
        if restricted:
            whole = home.warehouse.export_csv(name, **scope)
            write_atomically(folder / "vertrouwelijk" / f"{name}.csv", whole)
        open_measures = {c.name for c in dataset.columns if c.kind in ("euro", "minutes", "hours")} - restricted
        if open_measures and "amount_cents" not in restricted:
            general = home.warehouse.export_csv(name, without=RESTRICTED, **scope)
            write_atomically(folder / f"{name}.csv", general)


def status(args: argparse.Namespace, console: Console) -> int:
    """How the school year stands."""
    home = Home.open(args.home)
    show.status(console, home.warehouse, home.ledger.posted(args.school_year), args.school_year)
    show.whole_files(console, len(thinning.whole_files(home, args.school_year)))
    show.outdated(console, outdated(home), home.keys)
    return 0


def reread(args: argparse.Namespace, console: Console) -> int:
    """Read again from the vault what an older reader took in, and show what that changes."""
    home = Home.open(args.home)
    with _progress(console) as progress:
        task = progress.add_task("herlezen", total=len(outdated(home, args.source)))
        found = read_again(home, args.source, on_file=lambda: progress.advance(task))
    show.reread(console, found)
    counts = all(file.status in ("accepted", "partly_accepted") for file in found.files)
    return 0 if counts and not found.gone else 1


def withdraw(args: argparse.Namespace, console: Console) -> int:
    """Take one file out of force, and put the one it replaced back."""
    home = Home.open(args.home)
    show.withdrawn(console, args.label, take_out(home, args.label, args.by, args.reason, args.as_of))
    return 0


def remove_expired(args: argparse.Namespace, console: Console) -> int:
    """Remove what senders wrote and what is past its retention period."""
    home = Home.open(args.home)
    retention.require_no_future(home, args.as_of, clock.today())
    show.removed(console, retention.remove_expired(home, args.as_of, args.keep_days))
    return 0


def rotate_vault_key(args: argparse.Namespace, console: Console) -> int:
    """Encrypt the vault with another key."""
    home = Home.open(args.home)
    keys, switch = new_key(home.folder / "vault" / "keys", home.keys, os.environ)
    number = home.vault.change_key(keys, switch)
    console.print(f"De kluis heeft een andere sleutel: {number} bestanden zijn opnieuw versleuteld.")
    if os.environ.get(VAULT_VARIABLE):
        console.print(f"Zet nu in {VAULT_VARIABLE} de sleutel van {NEW_VAULT_VARIABLE}; de oude opent niets meer.")
    return 0


def verify(args: argparse.Namespace, console: Console) -> int:
    """Prove chain, numbers and sums of the whole ledger, and every signature against tables and vault."""
    findings = verifying.verify(Home.open(args.home))
    show.proofs(console, (), findings)
    return 1 if findings else 0


def demo_data(args: argparse.Namespace, console: Console) -> int:
    """Write a fictitious school year and say what was planted in it."""
    from zio_pipeline.demo import generate  # noqa: PLC0415 - only this command needs the generator

    args.out.mkdir(parents=True, exist_ok=True)
    made = generate(args.out, args.school_year, args.pupils, args.seed)
    show.demo(console, made, args.out)
    return 0


def dictionary(args: argparse.Namespace, console: Console) -> int:
    """Write the data dictionary."""
    write_atomically(args.out, data_dictionary().encode())
    console.print(f"Geschreven: {args.out}")
    return 0


def _progress(console: Console) -> Progress:
    """A bar on a terminal, nothing in a log."""
    columns = (TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
