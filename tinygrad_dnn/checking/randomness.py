"""Random numbers of the user's functions, frozen: every evaluation draws the same ones.

Generators that the functions can reach, and the two that all programs share, are put back to where
they were.  What else changes from call to call (the time, the order of a set, a generator that is
made anew without a seed) is not known here, and found by ``fitness``.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CellType
from typing import Any

import numpy as np

from tinygrad_dnn.nn.reach import GENERATORS, reachable

Setter = Callable[[Any], object]


class Randomness:
    """The states of all generators that ``roots`` can draw from, as they are now.

    >>> rng = np.random.default_rng(0)
    >>> randomness = Randomness({"rng": rng})
    >>> first = rng.random()
    >>> randomness.drawn(), randomness.names
    (True, ['rng'])
    >>> randomness.rewind()
    >>> bool(rng.random() == first)
    True
    """

    def __init__(self, *roots: Any) -> None:
        self._states: list[tuple[str, Callable[[], Any], Setter, Any]] = []
        shared = lambda: np.random.get_state(legacy=False)  # noqa: NPY002
        self._keep("np.random", shared, np.random.set_state)
        self._keep("random", random.getstate, random.setstate)
        for holder, key, part in reachable(*roots):
            if isinstance(part, GENERATORS):
                self._keep(_name(holder, key), *_state_of(part))

    def _keep(self, name: str, get: Callable[[], Any], put: Setter) -> None:
        self._states.append((name, get, put, get()))

    def drawn(self) -> bool:
        """Keep only the generators that have been drawn from since; return if there are any."""
        self._states = [kept for kept in self._states if not _same(kept[1](), kept[3])]
        return bool(self._states)

    @property
    def names(self) -> list[str]:
        """What the generators are called."""
        return [name for name, *_ in self._states]

    def rewind(self) -> None:
        """Put all generators back to where they were."""
        for _, _, put, state in self._states:
            put(state)

    @contextmanager
    def unmoved(self) -> Iterator[None]:
        """Leave the generators after this block where they were."""
        try:
            yield
        finally:
            self.rewind()


def frozen_words(names: list[str]) -> str:
    """Say what is frozen."""
    return (
        f"random numbers are frozen: {', '.join(names)} put back before every evaluation, and in "
        f"the end"
    )


def _state_of(generator: Any) -> tuple[Callable[[], Any], Setter]:
    if isinstance(generator, np.random.RandomState):
        return lambda: generator.get_state(legacy=False), generator.set_state
    bits = generator.bit_generator
    return lambda: bits.state, lambda state: setattr(bits, "state", state)


def _same(a: Any, b: Any) -> bool:
    """Say if two states are equal; they are nested containers of numbers and arrays."""
    if isinstance(a, dict):
        return all(_same(value, b[key]) for key, value in a.items())
    return bool(np.all(a == b))


def _name(holder: Any, key: Any) -> str:
    """Name a generator by where it is: the global ``rng``, ``Dropout.rng``."""
    if not isinstance(key, str) or isinstance(holder, CellType):
        return "a generator"
    return key if isinstance(holder, dict) else f"{type(holder).__name__}.{key}"
