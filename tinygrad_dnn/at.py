"""Entries changed without changing the array: ``at(x)[index].set(v)`` is a new one.

A Tensor's own entries cannot be assigned, since earlier results were computed from them.  What
comes back here is differentiable by ``x`` and by ``v``.  (The notation is JAX's.)
"""

from typing import Any

import numpy as np

from tinygrad_dnn.errors import DimensionError
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.rules.indexing import put, scatter
from tinygrad_dnn.tensor import Tensor


def at(x: Any) -> "At":
    """Return ``x`` ready to be indexed: ``at(x)[index].set(v)``, ``at(x)[index].add(v)``.

    ``index`` is whatever NumPy takes; ``v`` broadcasts to the shape of ``x[index]``.  ``x`` and
    ``v`` are Tensors or arrays, and the result is a Tensor if either is.

    Raises DimensionError if ``v`` does not broadcast to ``x[index]``.

    >>> x = Tensor([1.0, 2.0, 3.0])
    >>> at(x)[1:].set(0.0)
    Tensor([1., 0., 0.], from put)
    >>> at(x)[[0, 0]].add(10.0).data
    array([21.,  2.,  3.])
    """
    return At(x)


class At:
    """An array waiting for an index."""

    def __init__(self, x: Any) -> None:
        self.x = x if hasattr(x, "dtype") else np.asarray(x)

    def __getitem__(self, index: Any) -> "Places":
        parts = index if isinstance(index, tuple) else (index,)
        return Places(self.x, tuple(_plain(part) for part in parts))


class Places:
    """Some places of an array, to be given other entries in a new one."""

    def __init__(self, x: Array, index: tuple[Any, ...]) -> None:
        self.x, self.index = x, index
        self.shape: tuple[int, ...] = np.broadcast_to(False, x.shape)[index].shape

    def set(self, v: Any) -> Any:
        """Return a copy with ``v`` at these places; of a place named twice the last ``v`` stays.

        >>> at(np.zeros(3))[[0, 0, 2]].set([1.0, 2.0, 3.0])
        array([2., 0., 3.])
        """
        return put(self.x, self._stretched(v, "set"), *self.index)

    def add(self, v: Any) -> Any:
        """Return a copy with ``v`` added at these places; one named twice receives both.

        >>> at(np.zeros(3))[[0, 0, 2]].add([1.0, 2.0, 3.0])
        array([3., 0., 3.])
        """
        return self.x + scatter(self._stretched(v, "add"), self.x.shape, *self.index)

    def _stretched(self, v: Any, method: str) -> Array:
        if not hasattr(v, "dtype"):
            number = v if isinstance(v, int | float | complex) else np.asarray(v)
            v = np.asarray(v, np.result_type(self.x.dtype, number))  # a Python number is weak
        try:
            return v if v.shape == self.shape else np.broadcast_to(v, self.shape)
        except ValueError:
            raise DimensionError(
                f"at(x)[...].{method}(v): v has shape {v.shape}, but the chosen places of x "
                f"{self.x.shape} have shape {self.shape}; v must broadcast to that"
            ) from None


def _plain(part: Any) -> Any:
    """Return one part of an index as NumPy's own indexing wants it."""
    if isinstance(part, Tensor):
        return part.data
    return np.array(part, None if part else int) if type(part) is list else part
