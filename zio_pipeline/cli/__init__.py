"""The command line: `zio run`, `zio establish`, `zio status`, `zio reread`, `zio retention`, ...

Belongs here: reading arguments, calling stages in order, and showing Dutch tables. Does not belong here: anything a Dagster
run needs as well (stages), rules.
"""

from zio_pipeline.cli.main import main

__all__ = ["main"]
