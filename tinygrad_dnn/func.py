"""Derivatives as functions of functions, as JAX names them.

Arrays in, arrays out; where any Tensor that requires a gradient flows in, as an argument or
through the closure of ``f``, Tensors come out.  So nesting needs no flag: ``grad(grad(f))`` and a
gradient penalty on a model's parameters are both right without asking.

How: a transformation runs ``f`` on inputs of its own, and as soon as ``f`` has returned these stop
requiring a gradient.  What still requires one then belongs to somebody further out, and only then
is the derivative itself recorded.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from tinygrad_dnn.engine import View, owned, pullback, pushforward
from tinygrad_dnn.errors import DimensionError, HistoryError
from tinygrad_dnn.graph import Node, ancestors, recording
from tinygrad_dnn.primitives import Array, multilinear, primitive
from tinygrad_dnn.seed import require_float, seed
from tinygrad_dnn.tensor import Tensor, as_tensor, handle

Argnums = int | tuple[int, ...]


@primitive
def alias(x: Array) -> Array:
    """The same value as a new node: where a derivative by somebody else's Tensor starts."""
    return x


multilinear(alias, lambda g, out, x: g)


def value_and_grad(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., tuple[Any, Any]]:
    """Return the function ``(*args) -> (f(*args), gradient)`` of a scalar-valued ``f``.

    The gradient is by argument ``argnums``, in its shape; a tuple of them for a tuple.

    >>> value_and_grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    (array(5.), array([2., 4.]))
    """

    def value_and_gradient(*args: Any) -> tuple[Any, Any]:
        primals, restricted = _restrict(f, argnums, args)
        trace = _Trace(restricted, primals)
        gradients = trace.pull(seed(trace.out.node, None))
        return trace.value(), gradients[0] if isinstance(argnums, int) else gradients

    return value_and_gradient


def grad(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """Return the function ``(*args) -> gradient`` of a scalar-valued ``f``.

    >>> grad(grad(np.sin))(np.array(0.0))
    array(-0.)
    """
    both = value_and_grad(f, argnums)
    return lambda *args: both(*args)[1]


def vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """Return ``f(*primals)`` and the linear map from its cotangent to theirs, a tuple.

    >>> out, back = vjp(np.multiply, np.array(2.0), np.array(5.0))
    >>> back(np.array(1.0))
    (array(5.), array(2.))
    """
    trace = _Trace(f, primals)
    return trace.value(), lambda g: trace.pull(seed(trace.out.node, g))


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Return ``f(*primals)`` and its derivative along ``tangents``, by a walk forwards.

    >>> jvp(np.square, (np.array(3.0),), (np.array(1.0),))
    (array(9.), array(6.))
    """
    trace = _Trace(f, primals)
    return trace.value(), trace.push(tangents)


def jacobian(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """Return the function ``(*args) -> Jacobian``, of shape ``(*out.shape, *x.shape)``.

    Row by row, or column by column where there are fewer columns.

    >>> jacobian(np.square)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """

    def jacobian_at(*args: Any) -> Any:
        primals, restricted = _restrict(f, argnums, args)
        trace = _Trace(restricted, primals)
        out, x = trace.out.data, trace.inputs[0].data
        by_row = out.size <= x.size
        like = out if by_row else x
        basis = np.eye(like.size, dtype=like.dtype).reshape(like.size, *like.shape)
        if by_row:
            pieces = [trace.pull(e)[0] for e in basis]
        else:
            pieces = [trace.push([e]) for e in basis]
        if not pieces:
            return np.zeros((*out.shape, *x.shape), out.dtype)
        rows = np.stack(pieces, axis=0 if by_row else -1)
        return np.reshape(rows, (*out.shape, *x.shape))

    return jacobian_at


def hessian(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """Return the function ``(*args) -> Hessian`` of a scalar ``f``.

    Its shape is ``(*x.shape, *x.shape)``.

    >>> hessian(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    array([[ 6.,  0.],
           [ 0., 12.]])
    """
    return jacobian(grad(f, argnums), argnums)


def hvp(f: Callable[..., Any], x: Any, v: Any) -> Any:
    """Return the Hessian of the scalar ``f`` at ``x`` times ``v``, without forming the Hessian.

    >>> hvp(lambda x: np.sum(x**3), np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """
    return jvp(grad(f), (x,), (v,))[1]


class _Trace:
    """One recorded run of ``f``, ready to be walked in either direction, any number of times."""

    def __init__(self, f: Callable[..., Any], primals: Sequence[Any]) -> None:
        outermost_records = recording.get()
        token = recording.set(True)
        try:
            self.inputs = [handle(_input(p, i)) for i, p in enumerate(primals)]
            self.out = _one_tensor(f(*self.inputs), f)
        finally:
            recording.reset(token)
        for x, p in zip(self.inputs, primals, strict=True):
            x.node.needs_grad = isinstance(p, Tensor) and p.requires_grad
        nested = outermost_records and any(
            node.needs_grad and not node.fn for node in ancestors(self.out.node)
        )
        self.view: View | None = handle if nested else None

    def value(self) -> Any:
        """Return ``f``'s result: a Tensor if a derivative of it may still be wanted."""
        return self.out if self.view else self.out.data

    def pull(self, g: Any) -> tuple[Any, ...]:
        """Return the cotangent of every input."""
        nodes = [x.node for x in self.inputs]
        found = dict(owned(pullback({self.out.node: g}, nodes, self.view), g))
        return tuple(found[n] if n in found else np.zeros_like(n.value) for n in nodes)

    def push(self, tangents: Sequence[Any]) -> Any:
        """Return the tangent of the output."""
        if len(tangents) != len(self.inputs):
            raise DimensionError(f"{len(tangents)} tangents for {len(self.inputs)} inputs")
        seeds = {}
        for x, t in zip(self.inputs, tangents, strict=True):
            if np.shape(t) != x.shape:
                raise DimensionError(f"a tangent of shape {np.shape(t)} for an input of {x.shape}")
            seeds[x.node] = t if isinstance(t, Tensor) else np.asarray(t, x.dtype)
        out = self.out.node
        (t,) = pushforward([out], seeds, self.view)
        if t is None:
            return np.zeros_like(out.value)
        return t if isinstance(t, Tensor) else np.array(t)


def _input(p: Any, i: int) -> Node:
    """Return a node of our own for input ``i``, which requires a gradient while ``f`` runs."""
    value = p.data if isinstance(p, Tensor) else np.asarray(p)
    require_float(value.dtype, f"argument {i}")
    if isinstance(p, Tensor):
        return Node(value, alias, (p.node,), (value,), needs_grad=True)
    return Node(value, needs_grad=True)


def _one_tensor(out: Any, f: Callable[..., Any]) -> Tensor:
    if isinstance(out, tuple | list | dict) or out is None:
        raise HistoryError(
            f"{getattr(f, '__name__', 'f')} must return one Tensor, got {type(out).__name__}"
        )
    return as_tensor(out)


def _restrict(
    f: Callable[..., Any], argnums: Argnums, args: tuple[Any, ...]
) -> tuple[list[Any], Callable[..., Any]]:
    """Return the arguments ``argnums`` and ``f`` as a function of these alone."""
    positions = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for i in positions:
        if not -len(args) <= i < len(args):
            raise ValueError(f"argnums={argnums}, but the function was given {len(args)} arguments")

    @wraps(f)
    def restricted(*chosen: Any) -> Any:
        full = list(args)
        for i, x in zip(positions, chosen, strict=True):
            full[i] = x
        return f(*full)

    return [args[i] for i in positions], restricted
