"""tap: values inside a plain forward pass, made visible to the gradient checker.

``Z1 = tg.tap("Z1", W1 @ X + b1)`` is just its second argument, except while a check runs: then the
value is noted, and can be replaced to measure the derivative of the cost by it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from tinygrad_dnn.checking.arrays import in_words, numbers
from tinygrad_dnn.checking.dual import Dual
from tinygrad_dnn.primitives import Array

T = TypeVar("T")


@dataclass
class Taps:
    """The values noted in one forward pass, and what is to be added to them.

    ``raw`` ones are noted as they are, Tensors too.
    """

    shifts: Mapping[str, Array] = field(default_factory=dict)
    raw: bool = False
    values: dict[str, Any] = field(default_factory=dict)


_taps: ContextVar[Taps | None] = ContextVar("taps", default=None)


def tap(name: str, value: T) -> T:
    """Return ``value``, after a gradient check has noted it under ``name``.

    The names are the course's: "Z1", "A1", and "D1" for a mask of dropout.  Raises TypeError for a
    name that is no text and, during a check, for a value that is no array of real numbers.

    >>> import numpy as np
    >>> tap("Z1", np.array([1.0, 2.0]))
    array([1., 2.])
    """
    if not isinstance(name, str) or not name:
        raise TypeError(f"tap: the name comes first, tap('Z1', Z1), got {in_words(name)}")
    taps = _taps.get()
    if taps is None:
        return value
    if name[0] == "d" and name[1:2].isupper():
        raise ValueError(
            f"tap({name!r}, ...): values of the forward pass are tapped, Z1 or A1; gradients "
            f"belong into grads"
        )
    if name in taps.values:
        raise ValueError(
            f"tap({name!r}, ...) is called twice in one forward pass; number the names, as in "
            f'tap(f"Z{{l}}", Z)'
        )
    noted = value if taps.raw else numbers("tap", f"the value of {name!r}", value)
    taps.values[name] = np.real(np.asarray(noted)) if isinstance(value, Dual) else noted
    return value + taps.shifts[name] if name in taps.shifts else value


@contextmanager
def tapping(shifts: Mapping[str, Array] | None = None, *, raw: bool = False) -> Iterator[Taps]:
    """Note what is tapped inside, with ``shifts`` added to it."""
    taps = Taps(shifts or {}, raw)
    token = _taps.set(taps)
    try:
        yield taps
    finally:
        _taps.reset(token)
