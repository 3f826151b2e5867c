"""Scalars: a number as an array of no dimensions, which NumPy takes in half the time of a float."""

from functools import lru_cache
from typing import Any

import numpy as np


class Scalar(dict[Any, Any]):
    """One number, for calls on arrays: ``s[x.dtype]`` is it in the dtype of ``x``.

    Where ``x`` is not of floats, and if the number is not Python's own, it stays what it is.

    >>> half = Scalar(0.5)
    >>> half[np.dtype("float32")] * np.ones(2, "float32")
    array([0.5, 0.5], dtype=float32)
    """

    __slots__ = ("number",)

    def __init__(self, number: Any) -> None:
        self.number = number

    def __missing__(self, dtype: Any) -> Any:
        known = self.number
        if type(known) in (int, float) and getattr(dtype, "kind", "") == "f":
            known = np.array(known, dtype)
            known.flags.writeable = False
        self[dtype] = known
        return known


def scalar(number: Any) -> Scalar:
    """Return the Scalar of ``number``; of a float the one from before, as making one costs more.

    >>> scalar(0.5) is scalar(0.5)
    True
    """
    return _kept(number) if type(number) is float and number else Scalar(number)


_kept = lru_cache(Scalar)

ZERO, ONE = Scalar(0), Scalar(1)
