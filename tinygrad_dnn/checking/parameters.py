"""check_parameters: the gradients of a cost by a network's own parameters, where they are.

The cost is a closure that reads the parameters; they are replaced while it is evaluated and put
back after every evaluation, whatever happens.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Unpack

import numpy as np

from tinygrad_dnn.checking.arrays import in_words
from tinygrad_dnn.checking.call import blaming, function_name, require_function
from tinygrad_dnn.checking.options import Options, chosen
from tinygrad_dnn.checking.problem import Point, Problem
from tinygrad_dnn.checking.run import check
from tinygrad_dnn.engine import pushforward
from tinygrad_dnn.errors import DimensionError, HistoryError
from tinygrad_dnn.graph import Node, recording
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.report import Report
from tinygrad_dnn.tensor import Tensor, grad, require_float

WHO = "check_parameters"


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
    settings = chosen(WHO, options)
    require_function(WHO, "cost", cost, "cost()")
    return check("gradients of the cost", [_Cost(cost, _named(parameters)).problem()], settings)


class _Cost:
    """A cost of parameters that it does not take but reads, as a function of their values."""

    def __init__(self, cost: Callable[[], Tensor], named: Mapping[str, Tensor]) -> None:
        self.cost, self.named = cost, named
        self.nodes = [tensor.node for tensor in named.values()]

    def recorded(self, point: Point) -> Tensor:
        """Return J at a point, with its history."""
        token = recording.set(True)
        arguments = zip(self.named, point, strict=True)
        try:
            with holding(self.nodes, point), blaming(WHO, self.cost, arguments):
                J = self.cost()
        finally:
            recording.reset(token)
        scalar(f"{WHO}: {function_name(self.cost)}()", J)
        return J

    def pull(self, point: Point, g: Array) -> Point:
        """Return the gradients, ``g`` times."""
        with holding(self.nodes, point):
            J = self.recorded(point)
            tensors = list(self.named.values())
            found: Sequence[Array] = grad(J, tensors, gradient=g.reshape(J.shape))
        return found

    def push(self, point: Point, tangents: Point) -> Array:
        """Return the tangent of J, flat."""
        with holding(self.nodes, point):
            J = self.recorded(point)
            (t,) = pushforward([J.node], dict(zip(self.nodes, tangents, strict=True)))
        return np.ravel(np.zeros_like(J.data) if t is None else t)

    def problem(self) -> Problem:
        """Return what is to be checked."""
        return Problem(
            [f"d{name}" for name in self.named],
            [np.array(node.value, np.float64) for node in self.nodes],
            lambda point: self.recorded(point).data,
            self.pull,
            self.push,
            lambda point: self.recorded(point).node,
            function=function_name(self.cost),
            roots=(self.cost,),
        )


def _named(parameters: Any) -> dict[str, Tensor]:
    """Return the parameters to be checked by name; raise if there is none, or something else."""
    if isinstance(parameters, Mapping):
        named = dict(parameters)
    elif isinstance(parameters, Iterable) and not isinstance(parameters, Tensor | np.ndarray | str):
        named = {getattr(x, "name", "") or f"parameter{i}": x for i, x in enumerate(parameters)}
    else:
        raise TypeError(
            f"{WHO}: parameters must be a dict {{'W1': Tensor, ...}}, as net.parameters() is, or "
            f"Tensors in a list, got {in_words(parameters)}"
        )
    for name, x in named.items():
        if not isinstance(x, Tensor):
            raise TypeError(f"{WHO}: parameters[{name!r}] must be a Tensor, got {in_words(x)}")
        if x.node.fn:
            raise HistoryError(f"{name} is a result, not a parameter; check the leaf it came from")
    first = {id(x): name for name, x in reversed(named.items())}  # one Tensor may have two names
    checked = {n: x for n, x in named.items() if x.requires_grad and first[id(x)] == n}
    if not checked:
        raise ValueError(f"{WHO}: there is no parameter that requires a gradient among {[*named]}")
    for name, x in checked.items():
        require_float(x.node.value.dtype, name)
    return checked


def scalar(called: str, J: Any) -> None:
    """Raise unless what was ``called`` has returned a Tensor of one number."""
    if not isinstance(J, Tensor):
        raise HistoryError(f"{called} must return a Tensor, the cost J, got {in_words(J)}")
    if J.size != 1:
        raise DimensionError(
            f"{called} must return one number, got shape {J.shape}; reduce it (np.sum, np.mean)"
        )


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
