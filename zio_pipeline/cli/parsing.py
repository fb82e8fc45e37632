"""How a topic adds its commands to `zio`, and how the arguments they share are read.

Belongs here: types of arguments and the shape of `add`. Does not belong here: what a command does.
"""

import argparse
from collections.abc import Callable
from datetime import date
from typing import Protocol

from rich.console import Console

from zio_pipeline.school_year import SchoolYear

Command = Callable[[argparse.Namespace, Console], int]


class Add(Protocol):
    """Adds a command with its Dutch help; with `year` it asks for `--school-year`. Returns the parser for further arguments."""

    def __call__(
        self, name: str, command: Command, help_text: str, *, year: bool = True
    ) -> argparse.ArgumentParser: ...


def school_year(text: str) -> str:
    try:
        return SchoolYear.parse(text).key
    except ValueError as error:
        raise argparse.ArgumentTypeError("schrijf een schooljaar als 2025-2026") from error


def day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError("schrijf een datum als 2026-07-31") from error
