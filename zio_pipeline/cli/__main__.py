"""`python -m zio_pipeline.cli` is the same as `zio`."""

import sys

from zio_pipeline.cli.main import main

sys.exit(main())
