"""`python -m zio_pipeline.cli` is the same as `zio`."""

from zio_pipeline.cli.main import entry

entry()
