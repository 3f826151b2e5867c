"""Reductions: NumPy's functions that only pass on to the method of a ufunc, as that method.

A recording has its arguments as it takes them: the array, axis, dtype, out, keepdims.
"""

from typing import Any

import numpy as np

from tinygrad_dnn.graph import Node
from tinygrad_dnn.primitives import Function

_METHODS: dict[Function, Function] = {
    np.sum: np.add.reduce,
    np.max: np.maximum.reduce,
    np.amax: np.maximum.reduce,
    np.min: np.minimum.reduce,
    np.amin: np.minimum.reduce,
    np.prod: np.multiply.reduce,
}
_ALL = set(_METHODS.values())


def as_method(fn: Function, axis: Any, keepdims: Any) -> tuple[Function, tuple[Any, ...]]:
    """Return the method that ``fn`` comes to, and its arguments after the array."""
    return _METHODS[fn], (axis, None, None, bool(keepdims))


def method_for(fn: Function, call: Node) -> tuple[Function, list[Any]] | None:
    """Return the method that ``fn`` comes to, and its arguments, where it is called as ``call`` is.

    None if it comes to none, or if there are other options than axis and keepdims.
    """
    if fn not in _METHODS or len(call.args) > 2 or not call.kwargs.keys() <= {"axis", "keepdims"}:
        return None
    x, axis = [*call.args, call.kwargs.get("axis")][:2]
    method, args = as_method(fn, axis, call.kwargs.get("keepdims", False))
    return method, [x, *args]


def is_reduction(call: Node) -> bool:
    """Say if ``call`` is a method that ``as_method`` gives, with all its arguments."""
    return call.fn in _ALL and len(call.args) == 5
