"""check_parameters: the gradients of a cost by a network's own parameters, where they are.

The cost is a closure that reads the parameters; they are replaced while it is evaluated and put
back after every evaluation, whatever happens.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Unpack

import numpy as np

from tinygrad_dnn.checking.problem import Point, Problem
from tinygrad_dnn.checking.run import Options, check
from tinygrad_dnn.engine import pushforward
from tinygrad_dnn.errors import DimensionError, HistoryError
from tinygrad_dnn.graph import Node, recording
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.report import Report
from tinygrad_dnn.tensor import Tensor, grad, require_float


def check_parameters(
    cost: Callable[[], Tensor],
    parameters: Mapping[str, Tensor] | Iterable[Tensor],
    **options: Unpack[Options],
) -> Report:
    """Check the gradients of the scalar ``cost()`` by each of the parameters it is made from.

    A row per parameter: "dW1" for "W1".  Neither ``data`` nor ``grad`` of a parameter is changed;
    those with ``requires_grad=False`` are left out.  See ``gradcheck`` for the rest.

    >>> W, b = Tensor([[1.0, -2.0]]), Tensor([[0.5]])
    >>> X = np.array([[1.0, 2.0, 3.0], [0.0, 1.0, -1.0]])
    >>> report = check_parameters(lambda: np.mean(np.tanh(W @ X + b)), {"W1": W, "b1": b})
    >>> print(report.verdict, [row.name for row in report.rows])
    right ['dW1', 'db1', 'forward mode']
    """
    named = _named(parameters)
    nodes = [tensor.node for tensor in named.values()]
    for name, node in zip(named, nodes, strict=True):
        if node.fn:
            raise HistoryError(f"{name} is a result, not a parameter; check the leaf it came from")
        require_float(node.value.dtype, name)

    def evaluated(point: Point) -> Tensor:
        token = recording.set(True)
        try:
            with holding(nodes, point):
                J = cost()
        finally:
            recording.reset(token)
        if not isinstance(J, Tensor):
            raise HistoryError(f"cost() must return a Tensor, the cost J, got {type(J).__name__}")
        if J.size != 1:
            raise DimensionError(
                f"cost() must return one number, got shape {J.shape}; reduce it (np.sum, np.mean)"
            )
        return J

    def pull(point: Point, g: Array) -> Point:
        with holding(nodes, point):
            J = evaluated(point)
            found: Sequence[Array] = grad(J, list(named.values()), gradient=g.reshape(J.shape))
        return found

    def push(point: Point, tangents: Point) -> Array:
        with holding(nodes, point):
            J = evaluated(point)
            (t,) = pushforward([J.node], dict(zip(nodes, tangents, strict=True)))
        return np.ravel(np.zeros_like(J.data) if t is None else t)

    problem = Problem(
        [f"d{name}" for name in named],
        [np.array(node.value, np.float64) for node in nodes],
        lambda point: evaluated(point).data,
        pull,
        push,
        lambda point: evaluated(point).node,
        roots=(cost,),
    )
    return check("gradients of the cost", [problem], **options)


def _named(parameters: Mapping[str, Tensor] | Iterable[Tensor]) -> dict[str, Tensor]:
    if isinstance(parameters, Mapping):
        named = dict(parameters)
    else:
        named = {x.name or f"parameter{i}": x for i, x in enumerate(parameters)}
    return {name: x for name, x in named.items() if x.requires_grad}


@contextmanager
def holding(nodes: Sequence[Node], point: Point) -> Iterator[None]:
    """Let the parameters hold other values.

    Not through ``Tensor.data``: that would mark them as changed, and graphs that the user recorded
    before could no longer be walked.
    """
    kept = [node.value for node in nodes]
    try:
        for node, x in zip(nodes, point, strict=True):
            node.value = np.array(x)
        yield
    finally:
        for node, value in zip(nodes, kept, strict=True):
            node.value = value
