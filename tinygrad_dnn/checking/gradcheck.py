"""gradcheck: are the derivatives of a function of Tensors what its values say they are.

Reverse mode is compared with numeric slopes, argument by argument; then forward mode with reverse
mode, and with ``order=2`` the gradient's own gradient.  How slopes are measured is in ``numeric``,
how they are judged in ``verdict``.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_dnn import func
from tinygrad_dnn.checking.problem import Point, Probe, Problem
from tinygrad_dnn.checking.run import check
from tinygrad_dnn.errors import ChangedDataError, HistoryError
from tinygrad_dnn.graph import Node, recording
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.report import Report
from tinygrad_dnn.tensor import Tensor, require_float


def gradcheck(
    f: Callable[..., Any],
    *inputs: Any,
    order: int = 1,
    every_entry: bool | None = None,
    rng: np.random.Generator | None = None,
) -> Report:
    """Check the derivatives of ``f``, a function of Tensors that returns one Tensor of any shape.

    ``inputs`` are arrays or Tensors, never changed; a Tensor with ``requires_grad=False`` is held
    constant.  There is no tolerance: differences are compared with the measured error of the
    numeric slopes.  All is computed in float64, float32 inputs too.  ``order=2`` also checks the
    gradient of the gradient.  With more than 3000 numbers a few random directions stand for the
    entries, unless ``every_entry=True``; the report says which it was.  ``rng`` draws the
    directions, by default always the same ones.

    A row is *right*, *wrong*, *kink* (f has no derivative there: the value is one of the slopes,
    and beside the kink it is right) or *cannot tell*, with the reason.

    Raises HistoryError for inputs or outputs that have no derivative, ChangedDataError if ``f``
    changes an input in place.

    >>> report = gradcheck(lambda x, y: np.sum(np.tanh(x) * y), np.array([0.5, 2.0]), np.ones(2))
    >>> bool(report), [row.name for row in report.rows]
    (True, ['x', 'y', 'forward mode'])
    """
    if order not in (1, 2):
        raise ValueError(f"gradcheck(order={order}): only 1 and 2 are known")
    rng = np.random.default_rng(0) if rng is None else rng
    call = _Call(f, inputs)
    problem = call.problem()
    what = f"gradcheck of {getattr(f, '__name__', type(f).__name__)}"
    orders = [problem, _second_order(problem, call, rng)] if order == 2 else [problem]
    return check(what, orders, every_entry=every_entry, rng=rng)


class _Call:
    """A call of the user's function: which arguments vary, and how it is made in float64."""

    def __init__(self, f: Callable[..., Any], inputs: Sequence[Any]) -> None:
        self.f, self.inputs = f, inputs
        self.name = getattr(f, "__name__", type(f).__name__)
        names = _names(f, inputs)
        self.varying = [
            i for i, x in enumerate(inputs) if not isinstance(x, Tensor) or x.requires_grad
        ]
        self.names = [names[i] for i in self.varying]
        self.point = []
        for i in self.varying:
            x = inputs[i]
            value = x.data if isinstance(x, Tensor) else np.asarray(x)
            require_float(value.dtype, f"argument {names[i]} of {self.name}")
            if np.iscomplexobj(value):
                raise HistoryError(
                    f"argument {names[i]} of {self.name} is complex; gradcheck knows real "
                    f"arguments only: pass real and imaginary part as two"
                )
            self.point.append(np.array(value, np.float64))

    def __call__(self, *varying: Any) -> Tensor:
        """Call f on Tensors in place of the varying inputs; it must return one."""
        full = list(self.inputs)
        for i, x in zip(self.varying, varying, strict=True):
            full[i] = x
        out = self.f(*full)
        if not isinstance(out, Tensor):
            raise HistoryError(
                f"{self.name} must return one Tensor, got {type(out).__name__}; write it with "
                f"NumPy's functions on the Tensors it is given (not their .data, not float())"
            )
        require_float(out.dtype, f"the result of {self.name}")
        if np.iscomplexobj(out.data):
            raise HistoryError(f"{self.name} returns complex numbers; gradcheck knows real ones")
        return out

    def recorded(self, point: Point) -> Tensor:
        """Return f's result at a point, with its history."""
        tensors = [Tensor(x) for x in point]
        token = recording.set(True)
        try:
            out = self(*tensors)
        finally:
            recording.reset(token)
        for name, tensor, x in zip(self.names, tensors, point, strict=True):
            if not np.array_equal(tensor.data, x, equal_nan=True):
                raise ChangedDataError(
                    f"{self.name} changed its argument {name} in place; compute a new array "
                    f"instead (x = x * 2, not x *= 2 on x.data)"
                )
        return out

    def value(self, point: Point) -> Array:
        """Return f's values, flat."""
        return np.array(self.recorded(point).data, np.float64).ravel()

    def pull(self, point: Point, g: Array) -> Point:
        """Return the gradients for the cotangent ``g``, flat."""
        out, back = func.vjp(self, *point)
        return back(g.reshape(out.shape))

    def push(self, point: Point, tangents: Point) -> Array:
        """Return the tangent of f's values, flat."""
        return np.ravel(func.jvp(self, point, tangents)[1])

    def graph(self, point: Point) -> Node:
        """Return the last node of f's computation."""
        return self.recorded(point).node

    def problem(self) -> Problem:
        """Return what is to be checked."""
        return Problem(self.names, self.point, self.value, self.pull, self.push, self.graph)


def _second_order(first: Problem, call: _Call, rng: np.random.Generator) -> Problem:
    """Return the problem of checking the gradient of the gradient, for a random cotangent."""
    weights = Probe(first, first.point, rng).cotangents[0]

    def gradients(*varying: Any) -> tuple[Any, ...]:
        out, back = func.vjp(call, *varying)
        return back(weights.reshape(out.shape))

    def value(point: Point) -> Array:
        return np.concatenate([np.ravel(g) for g in gradients(*point)])

    def pull(point: Point, g: Array) -> Point:
        ends = np.cumsum([x.size for x in point])[:-1]
        parts = [p.reshape(x.shape) for p, x in zip(np.split(g, ends), point, strict=True)]

        def weighted(*varying: Any) -> Any:
            return sum(np.sum(p * d) for p, d in zip(parts, gradients(*varying), strict=True))

        return func.vjp(weighted, *point)[1](np.array(1.0))

    names = [f"{name}, order 2" for name in first.names]
    return Problem(names, first.point, value, pull, None, first.graph)


def _names(f: Callable[..., Any], inputs: Sequence[Any]) -> list[str]:
    """Return what to call each input: the Tensor's own name, else the function's, else x0, x1."""
    try:
        signature = inspect.signature(f)
        bound = signature.bind(*inputs)
    except (TypeError, ValueError):
        bound = None
    names = []
    for name in signature.parameters if bound else ():
        value = bound.arguments.get(name, ()) if bound else ()
        if signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL:
            names += [f"{name}[{i}]" for i in range(len(value))]
        elif bound and name in bound.arguments:
            names.append(name)
    if len(names) != len(inputs):
        names = [f"x{i}" for i in range(len(inputs))]
    own = [x.name if isinstance(x, Tensor) else None for x in inputs]
    return [mine or given for mine, given in zip(own, names, strict=True)]
