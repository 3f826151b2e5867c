"""gradcheck: are the derivatives of a function of Tensors what its values say they are.

Reverse mode is compared with numeric slopes, argument by argument; then forward mode with reverse
mode.  How slopes are measured is in ``numeric``, how they are judged in ``verdict``.
"""

from collections.abc import Callable
from typing import Any, Unpack

import numpy as np

from tinygrad_dnn import func
from tinygrad_dnn.checking.call import Call, Wanted
from tinygrad_dnn.checking.options import Options, chosen
from tinygrad_dnn.checking.probe import random_cotangents
from tinygrad_dnn.checking.problem import Point, Problem
from tinygrad_dnn.checking.run import check
from tinygrad_dnn.errors import ChangedDataError, HistoryError
from tinygrad_dnn.graph import recording
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.report import Report
from tinygrad_dnn.tensor import Tensor, require_float


def gradcheck(
    f: Callable[..., Any],
    *inputs: Any,
    wrt: Wanted = None,
    **options: Unpack[Options],
) -> Report:
    """Check the derivatives of ``f``, a function of Tensors that returns one Tensor of any shape.

    ``inputs`` are arrays or Tensors, or nested dicts, lists and tuples of them, never changed; a
    list of floats is an array.  ``wrt`` names those to differentiate by; by default all but Tensors
    with ``requires_grad=False``.  There is no tolerance: differences are compared with the measured
    error of the numeric slopes.  All is computed in float64, float32 inputs too.

    With more than 3000 numbers a few random directions stand for the entries, unless
    ``every_entry=True``; the report says which it was.  ``points=k`` checks k random points around
    the inputs too: some mistakes do not show at zeros or at equal entries.  ``rng``, a generator or
    a seed, draws directions and points, by default always the same ones.  Generators that f draws
    from (dropout) are put back before every evaluation, and in the end; ``reset()``, called before
    each too, is for what cannot be found from f: a file, another library's random numbers.

    A row is *right*, *wrong*, *kink* (f has no derivative there: the value is one of the slopes,
    and beside the kink it is right; with ``strict=True`` a failure) or *cannot tell*, with the
    reason.

    Raises HistoryError for inputs or outputs that have no derivative, ChangedDataError if ``f``
    changes an input in place, TypeError and ValueError for options and inputs of a wrong kind.  To
    an exception of ``f`` a note is added, with what it was called with and the line it came from.

    >>> report = gradcheck(lambda x, y: np.sum(np.tanh(x) * y), np.array([0.5, 2.0]), np.ones(2))
    >>> bool(report), [row.name for row in report.rows]
    (True, ['x', 'y', 'forward mode'])
    """
    settings = chosen("gradcheck", options)
    call = TensorCall("gradcheck", f, inputs, wrt)
    return check(f"gradcheck of {call.name}", [call.problem()], settings)


def gradgradcheck(
    f: Callable[..., Any],
    *inputs: Any,
    wrt: Wanted = None,
    **options: Unpack[Options],
) -> Report:
    """Check the derivatives of ``f`` as ``gradcheck`` does, then those of its gradient.

    >>> report = gradgradcheck(lambda x: np.sin(x), np.array([0.5, 2.0]))
    >>> bool(report), [row.name for row in report.rows]
    (True, ['x', 'forward mode', 'x, order 2'])
    """
    settings = chosen("gradgradcheck", options)
    call = TensorCall("gradgradcheck", f, inputs, wrt)
    problem = call.problem()
    problems = [problem, _second_order(problem, call, settings.rng)]
    return check(f"gradgradcheck of {call.name}", problems, settings)


class TensorCall(Call):
    """A call of a function of Tensors, which must return one."""

    def traced(self, *varying: Any) -> Tensor:
        """Return the result of f for Tensors in place of the varying leaves."""
        out = self.value(varying)
        if not isinstance(out, Tensor):
            raise HistoryError(
                f"{self.name} must return one Tensor, got {type(out).__name__}; write it with "
                f"NumPy's functions on the Tensors it is given (not their .data, not float())"
            )
        require_float(out.dtype, f"the result of {self.name}")
        if np.iscomplexobj(out.data) and not any(np.iscomplexobj(x.data) for x in varying):
            raise HistoryError(f"{self.name} returns complex numbers; {self.what} knows real ones")
        return out

    def recorded(self, point: Point) -> Tensor:
        """Return f's result at a point, with its history."""
        tensors = [Tensor(x) for x in point]
        token = recording.set(True)
        try:
            out = self.traced(*tensors)
        finally:
            recording.reset(token)
        for name, tensor, x in zip(self.names, tensors, point, strict=True):
            if not np.array_equal(tensor.data, x, equal_nan=True):
                raise ChangedDataError(
                    f"{self.name} changed its argument {name} in place; compute a new array "
                    f"instead (x = x * 2, not x *= 2 on x.data)"
                )
        return out

    def pull(self, point: Point, g: Array) -> Point:
        """Return the gradients for the cotangent ``g``, flat."""
        out, back = func.vjp(self.traced, *point)
        return [_data(d) for d in back(np.asarray(g, out.dtype).reshape(out.shape))]

    def push(self, point: Point, tangents: Point) -> Array:
        """Return the tangent of f's values, flat."""
        return np.ravel(_data(func.jvp(self.traced, point, tangents)[1]))

    def problem(self) -> Problem:
        """Return what is to be checked."""
        return Problem(
            self.names,
            self.point,
            lambda point: self.recorded(point).data,
            self.pull,
            self.push,
            lambda point: self.recorded(point).node,
            self.given,
            self.name,
            self.roots,
        )


def _data(x: Any) -> Array:
    """Return plain numbers, also where f uses Tensors of somebody else's."""
    return x.data if isinstance(x, Tensor) else np.asarray(x)


def _second_order(first: Problem, call: TensorCall, rng: np.random.Generator) -> Problem:
    """Return the problem of checking the gradient of the gradient, for a random cotangent."""
    weights = random_cotangents(np.ravel(first.value(first.point)), rng)[0]

    def gradients(*varying: Any) -> tuple[Any, ...]:
        out, back = func.vjp(call.traced, *varying)
        return back(weights.reshape(out.shape))

    def value(point: Point) -> Array:
        return np.concatenate([np.ravel(_data(g)) for g in gradients(*point)])

    def pull(point: Point, g: Array) -> Point:
        ends = np.cumsum([x.size for x in point])[:-1]
        parts = [p.reshape(x.shape) for p, x in zip(np.split(g, ends), point, strict=True)]

        def weighted(*varying: Any) -> Any:
            return sum(np.sum(p * d) for p, d in zip(parts, gradients(*varying), strict=True))

        return [_data(d) for d in func.vjp(weighted, *point)[1](np.array(1.0))]

    names = [f"{name}, order 2" for name in first.names]
    return Problem(names, first.point, value, pull, None, first.graph, roots=first.roots)
