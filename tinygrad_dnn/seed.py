"""What a backward walk may start from: a seed in the end's shape, and numbers with a derivative."""

from typing import Any

import numpy as np

from tinygrad_dnn.errors import DimensionError, HistoryError
from tinygrad_dnn.graph import Node
from tinygrad_dnn.primitives import Array, as_data, is_recorded
from tinygrad_dnn.scalars import ONE


def seed(end: Node, gradient: Array | None = None) -> Array:
    """Return the seed of a backward walk from ``end``, in its shape and dtype.

    Without ``gradient`` it is 1, for an ``end`` of one real number.
    """
    value = end.value
    if gradient is None:
        if value.size != 1:
            raise DimensionError(
                f"backward from {end.name or 'a Tensor'} of shape {value.shape}: only a scalar has "
                f"one gradient; reduce it (np.sum, np.mean), or give gradient=, an array of that "
                f"shape"
            )
        if value.dtype.kind == "c":
            raise HistoryError(
                f"backward from {end.name or 'a Tensor'} of {value.dtype}: only a real number has "
                f"one gradient; take np.real or np.absolute of it, or give gradient="
            )
        if not value.ndim and value.dtype.kind == "f":
            return ONE[value.dtype]
        return np.ones_like(value)
    if np.shape(gradient) != value.shape:
        raise DimensionError(
            f"gradient= has shape {np.shape(gradient)}, but {end.name or 'the Tensor'} it belongs "
            f"to has {value.shape}; they must be equal"
        )
    return gradient if is_recorded(type(gradient)) else as_data(gradient, value.dtype)


def require_float(dtype: Any, who: str) -> None:
    """Refuse a dtype that has no derivative; ``who`` is what holds it."""
    if dtype.kind == "O":
        raise HistoryError(
            f"{who} is no array of numbers; give arrays, or dicts, lists and tuples of them"
        )
    if dtype.kind not in "fc":
        raise HistoryError(
            f"{who} holds {dtype}, which has no derivative; use floats (1.0, or "
            f".astype(float)), or requires_grad=False for labels and indices"
        )
