"""A kill at a chosen moment inside this process: what the tests of crash safety of several rooms share."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


class Killed(BaseException):
    """Stands for a kill: nothing catches it."""


@contextmanager
def killed_at(moment: int, *steps: tuple[Any, str]) -> Iterator[list[int]]:
    """The n-th call of one of these (owner, name) is never reached; yields those that were."""
    reached: list[int] = []

    def step(real: Any) -> Any:
        def counted(*args: Any, **kwargs: Any) -> Any:
            if len(reached) + 1 == moment:
                raise Killed
            reached.append(moment)
            return real(*args, **kwargs)

        return counted

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in steps:
            patch.setattr(owner, name, step(getattr(owner, name)))
        yield reached
