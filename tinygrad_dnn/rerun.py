"""Running a function again without doing again what it does besides computing.

A checkpoint runs a function a second time.  The random numbers in it are then those of the first
run, and what it does to the data of a Tensor (as batch norm to its running mean) is taken
back.  Layers ask ``generator`` for what to draw from; other programs never notice.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from copy import deepcopy
from typing import Any

import numpy as np

from tinygrad_dnn.graph import Node


def generator(rng: Any) -> Any:
    """Return what to draw from in place of ``rng``: itself, but in a second run as it was then."""
    run = current.get()
    return run.generator(rng) if run else rng


class FirstRun:
    """Notes every generator that is asked for, as it is at that moment."""

    def __init__(self) -> None:
        self.outer = current.get()
        self.noted: list[Any] = []

    def generator(self, rng: Any) -> Any:
        """Return ``rng``, or what an outer run has for it."""
        rng = self.outer.generator(rng) if self.outer else rng
        self.noted.append(deepcopy(rng))
        return rng

    def reads(self, leaf: Node) -> None:
        """The data of ``leaf`` is about to be handed out."""
        if self.outer:
            self.outer.reads(leaf)

    def assigns(self, leaf: Node) -> None:
        """``leaf`` is about to be given other data."""
        if self.outer:
            self.outer.assigns(leaf)


class Rerun:
    """Hands out the ``noted`` generators in their order, and takes back what is assigned."""

    def __init__(self, noted: Sequence[Any]) -> None:
        self._rest = iter(noted)
        self._handed_out: list[Any] = []
        self._before: list[tuple[Node, Any, int]] = []
        self._entries: dict[int, tuple[Any, Any]] = {}

    def generator(self, rng: Any) -> Any:
        """Return a generator that draws what the first run has drawn at this point."""
        noted = next(self._rest, rng)
        if any(rng is own for own in self._handed_out):
            return rng
        self._handed_out.append(deepcopy(noted))
        return self._handed_out[-1]

    def reads(self, leaf: Node) -> None:
        """The data of ``leaf`` is about to be handed out, and may be changed in place."""
        array, known = leaf.value, self._entries
        if not leaf.fn and type(array) is np.ndarray and array.flags.writeable:
            known.setdefault(id(array), (array, array.copy()))

    def assigns(self, leaf: Node) -> None:
        """``leaf`` is about to be given other data."""
        self._before.append((leaf, leaf.value, leaf.born))

    def take_back(self) -> None:
        """Give every leaf the data it had before, and every array its entries."""
        for array, entries in self._entries.values():
            array[...] = entries
        for leaf, value, born in reversed(self._before):
            leaf.value, leaf.born = value, born


current: ContextVar[FirstRun | Rerun | None] = ContextVar("run", default=None)


@contextmanager
def running(run: FirstRun | Rerun) -> Iterator[None]:
    """Let what is computed in this block belong to ``run``."""
    token = current.set(run)
    try:
        yield
    finally:
        current.reset(token)
        if isinstance(run, Rerun):
            run.take_back()
