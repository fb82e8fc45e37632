"""The command that shows what changed after the peildatum, and what it would have cost.

Belongs here: its arguments and what it prints. Does not belong here: telling an error from a mutation (`mutations`).
"""

import argparse
from collections import Counter

from rich.console import Console
from rich.table import Table

from resources.home import Home
from zio_pipeline.cli.parsing import Add, day
from zio_pipeline.contracts import products
from zio_pipeline.money import format_euro
from zio_pipeline.stages import mutations, year


def add_to(add: Add) -> None:
    """`mutations`."""
    command = add(
        "mutations", show_mutations, "wat na de peildatum veranderde, en wat het zou hebben gescheeld; verrekent niets"
    )
    command.add_argument("--as-of", type=day, required=True, metavar="2026-03-01", help="de dag waarvan de stand telt")


def show_mutations(args: argparse.Namespace, console: Console) -> int:
    """Publish worklist, mutations and shadow shares, and show them in total."""
    home = Home.open(args.home)
    year.publish_decisions(home, args.school_year)
    tables = mutations.publish_mutations(home, args.school_year, args.as_of)
    words = dict(products()["mutations"].column("kind").allowed)
    counts = Counter(words[row["kind"]] for row in tables["mutations"])
    shown = Table("mutatie", "aantal", title="Mutaties: veranderen dit schooljaar niets", title_justify="left")
    for word, number in sorted(counts.items()):
        shown.add_row(word, str(number))
    console.print(shown)
    work = home.warehouse.rows("worklist", school_year=args.school_year, reason="error_or_mutation")
    console.print(f"Fout of mutatie, nog te beoordelen (werklijst): {sum(row['decision_id'] is None for row in work)}.")
    totals: dict[str, Counter[str]] = {}
    for row in tables["shadow_shares"]:
        totals.setdefault(row["payer"], Counter()).update({name: row[name] for name in row if name.endswith("_cents")})
    shadow = Table("betaler", "vastgesteld", "schaduw", "verschil", title=f"Schaduw op {args.as_of:%d-%m-%Y}")
    for payer, cents in sorted(totals.items()):
        if cents["difference_cents"]:
            shadow.add_row(
                payer, *(format_euro(cents[f"{name}_cents"]) for name in ("established", "shadow", "difference"))
            )
    console.print(shadow)
    return 0
