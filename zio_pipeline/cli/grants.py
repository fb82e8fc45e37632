"""`zio grants`: the rights of every role on the tables of a warehouse on PostgreSQL, as SQL.

Belongs here: printing them. Does not belong here: which they are (`resources.grants`), giving them: the owner of the tables does.
"""

import argparse

from rich.console import Console

from resources.grants import grants
from zio_pipeline.cli.parsing import Add


def add_to(add: Add) -> None:
    """`grants`."""
    add(
        "grants",
        show_grants,
        "de rechten op een PostgreSQL-warehouse als SQL, voor de eigenaar van de tabellen",
        year=False,
    )


def show_grants(args: argparse.Namespace, console: Console) -> int:
    """Print the statements, for psql."""
    for statement in grants():
        console.print(statement, soft_wrap=True, markup=False, highlight=False)
    return 0
