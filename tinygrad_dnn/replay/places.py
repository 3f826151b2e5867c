"""Places: where live things are kept, so that a recording can exchange them and put them back."""

from collections.abc import Iterator, Sequence
from dataclasses import FrozenInstanceError
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.array_utils import byte_bounds

from tinygrad_dnn.replay.symbol import is_number


class Place(NamedTuple):
    """An attribute, or an entry of a container."""

    holder: Any
    key: Any

    def get(self, *default: Any) -> Any:
        """Return what is there; ``default`` if there is nothing any more."""
        try:
            if isinstance(self.holder, dict | list):
                return self.holder[self.key]
            return getattr(self.holder, self.key)
        except (AttributeError, LookupError, ValueError):  # of an object, container or cell
            if default:
                return default[0]
            raise

    def set(self, value: Any) -> None:
        """Put ``value`` there."""
        if isinstance(self.holder, dict | list):
            self.holder[self.key] = value
        else:
            try:
                setattr(self.holder, self.key, value)
            except FrozenInstanceError:
                object.__setattr__(self.holder, self.key, value)

    def text(self, holder: str, key: str) -> str:
        """Return what Python calls it, with names for the holder and for the key of an entry."""
        if isinstance(self.holder, dict | list):
            return f"{holder}[{key}]"
        return f"{holder}.{self.key}"


def state_of(optimizer: Any) -> Iterator[Place]:
    """Yield every place of an optimiser with a number or an array, in dicts and lists too.

    Also, before these, the places of the dicts and lists themselves.
    """
    stack: list[Any] = [(optimizer, vars(optimizer))]
    while stack:
        holder, entries = stack.pop(0)
        for key, value in entries.items() if isinstance(entries, dict) else enumerate(entries):
            if isinstance(value, (dict, list)):
                yield Place(holder, key)
                stack.append((value, value))
            elif is_live(value):
                yield Place(holder, key)


def is_live(value: Any) -> bool:
    """Say if ``value`` is an array or a number."""
    return isinstance(value, (np.ndarray, np.generic)) or is_number(value)


def first_shared(held: Sequence[tuple[Place, Any]]) -> list[str]:
    """Return what the first two places are called whose arrays lie in the same memory, if any."""
    arrays = [a for _, a in held if isinstance(a, np.ndarray)]
    if all(a.base is None for a in arrays) and len(set(map(id, arrays))) == len(arrays):
        return []  # nearly always
    bounds = [(*byte_bounds(a), i) for i, (_, a) in enumerate(held) if np.size(a) and np.ndim(a)]
    bounds.sort()
    for (_, end, i), (start, _, j) in pairwise(bounds):
        if start < end and np.shares_memory(held[i][1], held[j][1]):
            return [_called(held[k][0]) for k in (i, j)]
    return []


def _called(place: Place) -> str:
    name = getattr(place.holder, "name", None)
    return str(name or place.key)
