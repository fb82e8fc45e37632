"""A process that has the imports behind it and takes in a folder in a child, which it kills when asked to.

Run as `python -m tests.soak.nursery`. Every line on its input is one intake (JSON): `home`, `inbox`, `audit`, and for a kill
either `seconds` after which, or the number of the `write` before which. Every line on its output says how it ended.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

from resources.home import Home
from zio_pipeline.stages import receiving

ON = date(2025, 7, 1)
NEVER = 1_000_000


class Countdown:
    """Counts what changes the disk: flushes, renames, removals and commits; right before the chosen one the process is killed."""

    def __init__(self, last: int):
        self.left = self.last = last

    def arm(self) -> None:
        for owner, name in ((os, "fsync"), (Path, "replace"), (Path, "unlink"), (DefaultDialect, "do_commit")):
            setattr(owner, name, self._counted(getattr(owner, name)))

    def _counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **kwargs: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)

        return step


def intake(job: dict[str, Any], answer: int) -> None:
    """In the child: take the folder in, and answer how many writes that took."""
    countdown = Countdown(job.get("write", NEVER))
    countdown.arm()
    if not job["audit"]:
        receiving.audit_deliveries = lambda *_, **__: None
    receiving.receive(Home.open(Path(job["home"]), {}), Path(job["inbox"]), ON)
    os.write(answer, str(countdown.last - countdown.left).encode())


def raised(job: dict[str, Any]) -> dict[str, Any]:
    """Start the child, kill it when its time has come, and see how it ended."""
    if job["audit"]:
        import great_expectations  # noqa: F401, PLC0415
    came, answer = os.pipe()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        try:
            intake(job, answer)
            os._exit(0)
        except BaseException:
            sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
            os._exit(1)
    os.close(answer)
    if "seconds" in job:
        time.sleep(job["seconds"])
        os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with os.fdopen(came) as stream:
        return {"status": status, "seconds": time.monotonic() - began, "writes": int(stream.read() or 0)}


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps(raised(json.loads(line))) + "\n")
        sys.stdout.flush()
