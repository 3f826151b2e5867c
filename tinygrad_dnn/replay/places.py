"""Places: where live things are kept, so that a recording can exchange them and put them back."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import FrozenInstanceError, dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from tinygrad_dnn.errors import ReplayError
from tinygrad_dnn.tensor import Tensor

CONTAINERS = (
    dict,
    list,
    deque,
    MappingProxyType,
)  # what they hold are entries, of all else attributes


@dataclass(slots=True, eq=False)
class Place:
    """An attribute, or an entry of a container."""

    holder: Any
    key: Any

    @property
    def name(self) -> tuple[int, Any]:
        """What tells it from other places while its holder is there."""
        return id(self.holder), self.key

    def get(self, *default: Any) -> Any:
        """Return what is there; ``default`` if there is nothing any more."""
        try:
            if isinstance(self.holder, CONTAINERS):
                return self.holder[self.key]
            return getattr(self.holder, self.key)
        except (AttributeError, LookupError, ValueError):  # of an object, container or cell
            if default:
                return default[0]
            raise
        except TypeError:  # entries of a set have no names
            raise self._staying() from None

    def set(self, value: Any) -> None:
        """Put ``value`` there."""
        try:
            if isinstance(self.holder, CONTAINERS):
                self.holder[self.key] = value  # type: ignore[index]  # of a view a TypeError
            else:
                setattr(self.holder, self.key, value)
        except FrozenInstanceError:
            object.__setattr__(self.holder, self.key, value)
        except (AttributeError, TypeError):
            raise self._staying() from None

    def _staying(self) -> ReplayError:
        """Return the error of a place that cannot be given anything else."""
        return ReplayError(
            f"a generator or a number that is live, or an iterator, is held by a "
            f"{type(self.holder).__name__}, where tg.jit cannot exchange it while it records; hold "
            f"it in a variable, attribute, list or dict, and draw from it there: rng.random() "
            f"instead of draw(); let parts of an iterator be arguments"
        )

    def emptied(self, name: str) -> ReplayError:
        """Return the error of a function that takes away what is there."""
        return ReplayError(
            f"{name} takes the entry {self.key!r} out of a {type(self.holder).__name__}, where "
            f"every replay would look for it; take it outside and let it be an argument"
        )

    @property
    def owner(self) -> str:
        """What a message calls it: the name of its holder, if that has one."""
        return str(getattr(self.holder, "name", None) or self.key)

    def text(self, holder: str, key: str) -> str:
        """Return what Python calls it, with names for the holder and for the key of an entry."""
        if isinstance(self.holder, CONTAINERS):
            return f"{holder}[{key}]"
        return f"{holder}.{self.key}"


def state_of(optimizer: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Yield holder, key and value of what an optimiser has, in dicts and lists too, but Tensors."""
    inside: list[Any] = [(optimizer, vars(optimizer))]
    for holder, entries in inside:
        for key, value in entries.items() if hasattr(entries, "items") else enumerate(entries):
            if type(value) is not Tensor:
                yield holder, key, value
                if isinstance(value, CONTAINERS):
                    inside.append((value, value))


def first_shared(held: Sequence[Any]) -> list[int]:
    """Return the numbers of the first two that are arrays in the same memory, if there are any."""
    arrays = [a for a in held if isinstance(a, np.ndarray)]
    if len({id(a) for a in arrays if a.base is None}) == len(arrays):
        return []  # nearly always: each is another one, and has its own memory
    bounds = [(*byte_bounds(a), i) for i, a in enumerate(held) if np.size(a) and np.ndim(a)]
    bounds.sort()
    for (_, end, i), (start, _, j) in pairwise(bounds):
        if start < end and np.shares_memory(held[i], held[j]):
            return [i, j]
    return []
