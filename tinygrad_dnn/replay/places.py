"""Places: where live things are kept, so that a recording can exchange them and put them back."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from tinygrad_dnn.replay.symbol import is_number


class Place(NamedTuple):
    """An attribute, or an entry of a container."""

    holder: Any
    key: Any

    def get(self) -> Any:
        """Return what is there."""
        if isinstance(self.holder, dict | list):
            return self.holder[self.key]
        return getattr(self.holder, self.key)

    def set(self, value: Any) -> None:
        """Put ``value`` there."""
        if isinstance(self.holder, dict | list):
            self.holder[self.key] = value
        else:
            setattr(self.holder, self.key, value)


def state_of(optimizer: Any) -> Iterator[Place]:
    """Yield every place of an optimiser with a number or an array, in dicts and lists too."""
    stack = [Place(optimizer, key) for key in vars(optimizer)]
    while stack:
        place = stack.pop(0)
        value = place.get()
        if isinstance(value, dict | list):
            keys = value if isinstance(value, dict) else range(len(value))
            stack += [Place(value, key) for key in keys]
        elif is_live(value):
            yield place


def is_live(value: Any) -> bool:
    """Say if ``value`` is an array or a number."""
    return isinstance(value, np.ndarray | np.generic) or is_number(value)
