"""Commands that show what hours prove: `zio lawfulness`, `zio faces` and `zio wlz-hours`.

Belongs here: their arguments and what they print. Does not belong here: the rules (`hours`), reading and writing (`stages`).
"""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from resources.home import Home
from zio_pipeline.cli.commands import export
from zio_pipeline.cli.parsing import Add, day
from zio_pipeline.contracts import products
from zio_pipeline.hours.lawfulness import MINUTES_PER_HOUR, SHORT, TOLERANCE_PERMILLE
from zio_pipeline.hours.lawfulness_sample import SAMPLE_SIZE
from zio_pipeline.money import format_euro, round_half_up
from zio_pipeline.stages.faces import publish_faces
from zio_pipeline.stages.lawfulness import Draw, Lawfulness, publish_lawfulness
from zio_pipeline.stages.wlz_hours import publish_wlz_hours

Rows = Sequence[Mapping[str, Any]]


def add_to(add: Add) -> None:
    """`lawfulness`, `faces` and `wlz-hours`."""
    lawfulness = add(
        "lawfulness",
        show_lawfulness,
        "rechtmatigheid: bewijzen goedgekeurde uren wat er te declareren is; trekt regels",
    )
    lawfulness.add_argument("--as-of", type=day, required=True, metavar="2026-08-15", help="de stand op deze dag")
    lawfulness.add_argument(
        "--seed",
        help="trek een steekproef met deze startwaarde: een getal of tekst (geen naam), door de accountant gekozen nadat de "
        "urenstaten binnen zijn; zonder startwaarde wordt niet getrokken",
    )
    lawfulness.add_argument("--sample", type=int, default=SAMPLE_SIZE, metavar="25", help="regels per opdracht")
    lawfulness.add_argument(
        "--tolerance", type=int, default=TOLERANCE_PERMILLE, metavar="20", help="tolerantie in promille van het bedrag"
    )
    add("faces", show_faces, "vaste gezichten: medewerkers per klas en maand")
    wlz = add("wlz-hours", show_wlz_hours, "geplande en geleverde uren per zorgkantoor, en afwezig maar betaald")
    wlz.add_argument("--month", metavar="2025-10", help="één maand (anders alle maanden van het schooljaar)")
    wlz.add_argument(
        "--as-of",
        type=day,
        required=True,
        metavar="2026-07-31",
        help="een maand die dan nog niet begonnen is heeft geen volume",
    )


def show_lawfulness(args: argparse.Namespace, console: Console) -> int:
    """Publish the lawfulness file, and draw a sample when a seed is given.

    There is no seed without being asked for one: whoever knows it before the files are in can write a file of which a line is not
    drawn. The status is 1 when an order lacks hours, whatever the school still approves: behind plan in the course of the year, not
    covered after its last month.
    """
    home = Home.open(args.home)
    draw = None if args.seed is None else Draw(args.seed, args.sample)
    made = publish_lawfulness(home, args.school_year, args.as_of, draw, args.tolerance)
    export(home, args.school_year)
    for row in made.orders:
        console.print(escape(f"{row['order_id']}: {row['conclusion']}"))
    console.print(escape(_about_draw(draw, made)))
    return int(any(row["status"] in SHORT for row in made.orders))


def _about_draw(draw: Draw | None, made: Lawfulness) -> str:
    if draw is None:
        return "Er is geen steekproef getrokken: de accountant kiest een startwaarde zodra de urenstaten binnen zijn (--seed)."
    if not made.sample:
        return "Er is niets getrokken: er zijn nog geen goedgekeurde regels."
    line = made.sample[0]
    known = f"Trekking {line['draw_number']} van {line['drawn_on']:%d-%m-%Y}: {len(made.sample)} regels in dossier {made.path}."
    return known if made.written else f"{known} Zij was al gedaan; het dossier is niet overschreven."


def show_faces(args: argparse.Namespace, console: Console) -> int:
    """Publish the fixed faces and show every class as it stands in its last month."""
    home = Home.open(args.home)
    rows = publish_faces(home, args.school_year)
    export(home, args.school_year)
    last = {(row["school"], row["class_code"]): row for row in rows}  # in order of month
    names = ("month", "employees", "most_per_day", "top_three_permille", "newcomers", "employees_so_far")
    table = _table("fixed_faces", f"Vaste gezichten {args.school_year}, laatste maand met uren", ("klas",), names)
    for (school, class_code), row in sorted(last.items()):
        table.add_row(f"{school} {class_code}", *(str(row[name]) for name in names))
    console.print(table)
    return 0


def show_wlz_hours(args: argparse.Namespace, console: Console) -> int:
    """Publish one month or all of them, and show the year so far per zorgkantoor and order, in hours."""
    home = Home.open(args.home)
    rows = publish_wlz_hours(home, args.school_year, args.as_of, args.month)
    export(home, args.school_year)
    names = ("planned_minutes", "delivered_minutes", "absent_paid_minutes", "volume_minutes")
    table = _table("wlz_hours", f"Uren Wlz {args.school_year}, in uren", ("zorgkantoor", "opdracht"), names)
    for payer, order_id in sorted({(row["payer"], row["order_id"]) for row in rows}):
        mine = [row for row in rows if (row["payer"], row["order_id"]) == (payer, order_id)]
        table.add_row(payer, order_id, *(_hours(mine, name) for name in names))
    console.print(table)
    for ground in sorted({row["legal_ground"] for row in rows if row["legal_ground"]}):
        console.print(escape(f"Planning is realisatie op grond van: {ground}."))
    return 0


def _table(product: str, title: str, first: Sequence[str], names: Sequence[str]) -> Table:
    """Under the Dutch headers of the contract."""
    table = Table(*first, title=title, title_justify="left", title_style="bold")
    for name in names:
        table.add_column(products()[product].column(name).dutch, justify="right", overflow="fold")
    return table


def _hours(rows: Rows, name: str) -> str:
    """Minutes added up, in hours with two decimals; what does not stand there is said with its reason, never taken for nothing."""
    known = [row[name] for row in rows if row[name] is not None]
    words = dict(products()["wlz_hours"].column("absence_status").allowed)
    lacking = Counter(words[row["absence_status"]] for row in rows if row[name] is None)
    if not known:
        return ", ".join(sorted(lacking))
    hours = format_euro(round_half_up(sum(known) * 100, MINUTES_PER_HOUR))
    return " ".join([hours, *(f"({count} {word})" for word, count in sorted(lacking.items()))])
