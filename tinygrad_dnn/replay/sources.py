"""Sources: generators for which nothing stands in; if they were drawn from, and that undone."""

import pickle
import random
from collections.abc import Sequence
from ctypes import c_char
from functools import lru_cache
from typing import Any

import numpy as np

_NUMPYS: Any = np.random.random.__self__  # type: ignore[attr-defined]
_PYTHONS: Any = random.random.__self__  # type: ignore[attr-defined]
_MT19937 = c_char * (625 * 4)  # 624 numbers, and how many of them are used up


class Sources:
    """The two generators that all programs share, and ``others``, where they are at present.

    The shared ones are looked at as they lie in memory: to ask for their states takes as long as
    some twenty calls.
    """

    def __init__(self, others: Sequence[Any]) -> None:
        self._others, self._states = others, [*map(pickle.dumps, others)]
        self._shared = _shared()

    def drawn(self) -> str:
        """Return what has been drawn from since; an empty text if nothing has."""
        if _shared() != self._shared:
            return "np.random or random themselves"
        for other, before in zip(self._others, self._states, strict=True):
            if pickle.dumps(other) != before:
                return f"a {type(other).__name__}"
        return ""

    def put_back(self) -> None:
        """Put all of them back to where they were."""
        bits, state, numpys, pythons, _PYTHONS.gauss_next = self._shared
        _OF_PYTHONS.raw = pythons
        if bits is _bits():  # else another source has been set: what lies in memory tells of that
            _OF_NUMPYS.raw = numpys
            if (inside := _inside(bits)) is not None:
                inside.raw = state
            else:
                _become(bits, state)
        for other, before in zip(self._others, self._states, strict=True):
            _become(other, before)


def _become(source: Any, pickled: bytes) -> None:
    """Let ``source`` be as it was when it was pickled."""
    *_, state = pickle.loads(pickled).__reduce__()
    source.__setstate__(state)


def _bits() -> Any:
    """Return the source of NumPy's shared generator."""
    return np.random.get_bit_generator()  # type: ignore[attr-defined]


@lru_cache(maxsize=1)
def _inside(bits: Any) -> Any:
    """Return a view of the state of a source of random bits; None if it is of a kind not known."""
    known = isinstance(bits, np.random.MT19937)
    return _MT19937.from_address(bits.ctypes.state_address) if known else None


def _memory(x: Any, kind: Any) -> Any:
    """Return a view of what ``x`` has by this kind, written in C, besides what all objects have."""
    head = object.__basicsize__
    return (c_char * (kind.__basicsize__ - head)).from_address(id(x) + head)


_OF_NUMPYS, _OF_PYTHONS = (
    _memory(_NUMPYS, np.random.RandomState),
    _memory(_PYTHONS, random.Random.__base__),
)


def _shared() -> tuple[Any, ...]:
    """Return where the shared generators are, the second of two normals included."""
    bits = _bits()
    state = pickle.dumps(bits) if (inside := _inside(bits)) is None else inside.raw
    return bits, state, _OF_NUMPYS.raw, _OF_PYTHONS.raw, _PYTHONS.gauss_next
