"""Derivatives of one's own for a whole function, and none at all."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_dnn.containers import mapped
from tinygrad_dnn.errors import DimensionError
from tinygrad_dnn.primitives import Each, Function, primitive, rule
from tinygrad_dnn.tensor import Tensor


def custom_vjp(back: Callable[..., tuple[Any, ...]]) -> Callable[[Function], Function]:
    """Give a function the derivative ``back``: a decorator.

    ``back(g, out, *args)`` returns the cotangents of all positional arguments as a tuple, each of
    its argument's shape; None is zero.  It may call NumPy's functions only, and then derivatives of
    higher order follow; it is called once per argument that somebody wants.  The function itself is
    called on arrays and may do anything.  Forward mode is not known.

    >>> @custom_vjp(lambda g, out, x: (np.clip(g, -1, 1),))
    ... def clip_gradient(x):
    ...     return x
    >>> x = Tensor([1.0, 2.0])
    >>> np.sum(5 * clip_gradient(x)).backward()
    >>> x.grad
    array([1., 1.])
    """

    def decorate(f: Function) -> Function:
        def vjp(i: int, g: Any, out: Any, *args: Any, **kwargs: Any) -> Any:
            found = back(g, out, *args, **kwargs)
            if not isinstance(found, tuple) or len(found) != len(args):
                got = len(found) if isinstance(found, tuple) else type(found).__name__
                raise DimensionError(
                    f"the derivative of {f.__name__} must be a tuple of {len(args)}, one cotangent "
                    f"per argument, got {got}"
                )
            return np.zeros(np.shape(args[i])) if found[i] is None else found[i]

        fn = primitive(f)
        rule(fn, vjps=Each(vjp), jvps=())
        return fn

    return decorate


def stop_gradient(x: Any) -> Any:
    """Return the same data as a constant: no derivative flows through it.

    ``x`` is a Tensor, an array, or a container of them.

    >>> x = Tensor(3.0)
    >>> (x * stop_gradient(x)).backward()
    >>> x.grad
    array(3.)
    """
    return mapped(lambda leaf: leaf.detach() if isinstance(leaf, Tensor) else leaf, x)
