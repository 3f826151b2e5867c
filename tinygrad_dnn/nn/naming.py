"""What messages call a layer and what it was given: the names of the network it stands in."""

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np

from tinygrad_dnn.errors import DimensionError
from tinygrad_dnn.graph import blame
from tinygrad_dnn.graph import layer as current_layer
from tinygrad_dnn.nn.parameters import parameters
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.tensor import Tensor


def where(who: Any) -> str:
    """Return ``who``, a layer or the name of a function, with the number of the layer it is in."""
    number = current_layer.number
    return f"layer {number}, {who}" if number else f"{who}"


def given(x: Any, who: Any = "") -> str:
    """Return the name of the input ``x`` of ``who``."""
    name = getattr(x, "name", None)
    if isinstance(name, str):
        return name
    number = current_layer.number
    if isinstance(who, str):
        return "x"
    if not parameters(who):
        return "its input"
    return "A0 = X" if number in (None, 1) else f"A{number - 1}"


def numbered(labels: Array, n: int, unfit: Callable[[Any, Any], Exception]) -> Array:
    """Return whole numbers that run from 0 to n - 1 at most; else raise ``unfit(least, most)``.

    Where arrays of another library stand for ones that are not known yet, it is asked later.
    """
    if isinstance(labels, Tensor):
        checked = numbered(labels.node.value, n, unfit)
        return labels if type(checked) is np.ndarray else checked
    if type(labels) is not np.ndarray:
        kinds, given = (type(labels),), (labels, n, unfit)
        return labels.__array_function__(numbered, kinds, given, {})
    if labels.size and not (labels.min() >= 0 and labels.max() < n):
        raise unfit(labels.min(), labels.max())
    return labels.copy()


def misfit(who: Any, x: Any, wanted: str, advice: str = "") -> DimensionError:
    """Return the error for an input ``x`` that has not the shape ``who`` wants."""
    advice = advice and f"; {advice}"
    return unfit(f"{where(who)}: {given(x, who)} is {x.shape}; it needs {wanted}{advice}", who, x)


def unfit(said: str, who: Any, *inputs: Any) -> DimensionError:
    """Return the error of ``who`` called on ``inputs``; it carries that call, which is drawn."""
    error = DimensionError(said)
    refused(error, who, *inputs)
    return error


def refused(error: Exception, who: Any, *inputs: Any) -> None:
    """Let ``error`` carry the call of ``who``, a layer or the name of a function, on ``inputs``.

    A layer's own Tensors are taken for inputs too, the first ones.
    """
    held = () if isinstance(who, str) else parameters(who).values()
    tensors = {id(x): x for x in (*held, *inputs) if x is not None}.values()
    blame(error, who, [getattr(x, "node", x) for x in tensors], {})


def at_least_one(who: str, **numbers: int) -> None:
    """Refuse sizes of a layer that are no whole numbers >= 1."""
    for name, n in numbers.items():
        if not isinstance(n, Integral) or n < 1:
            raise DimensionError(f"{who}: {name} must be >= 1, a whole number; got {n!r}")


def a_generator(who: str, rng: Any) -> None:
    """Refuse a seed where a generator is wanted."""
    if isinstance(rng, Integral):
        raise TypeError(
            f"{who} draws from a generator, got rng={rng}; pass rng=np.random.default_rng({rng})"
        )
