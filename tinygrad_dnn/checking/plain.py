"""Plain NumPy functions and derivatives written by hand: a gradient, a vjp or a jvp.

No Tensor takes part: the function is evaluated at other points, the derivative too.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Unpack

import numpy as np

from tinygrad_dnn.checking.arrays import one_number, real
from tinygrad_dnn.checking.call import Call, Wanted, blaming, function_name, require_function
from tinygrad_dnn.checking.derivation import Derivation
from tinygrad_dnn.checking.options import Options, Settings, chosen
from tinygrad_dnn.checking.problem import Point, Problem
from tinygrad_dnn.checking.randomness import Randomness
from tinygrad_dnn.checking.run import check
from tinygrad_dnn.checking.surroundings import surroundings
from tinygrad_dnn.containers import matched, rebuilt
from tinygrad_dnn.errors import DimensionError, StructureError
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.report import Report

Pull = Callable[[Point, Array], Point]
BY_VJP = ", or check its backward pass with check_vjp"


def check_gradient(
    f: Callable[..., Any],
    grad_f: Callable[..., Any],
    *inputs: Any,
    wrt: Wanted = None,
    **options: Unpack[Options],
) -> Report:
    """Check the gradient of a cost: ``f(*inputs)`` is one number, ``grad_f(*inputs)`` its gradient.

    ``grad_f`` returns what ``inputs`` are: for one array an array of its shape, for a dict of
    parameters a dict, for several inputs a tuple; with ``wrt`` (names or positions) only theirs.
    Do not wrap the cost in ``float()``: without, the check can be twice as fast and exact to
    rounding, by the complex step.  See ``gradcheck`` for verdicts, errors and the other options.

    >>> X = np.array([[1.0, 2.0], [0.5, -1.0]])
    >>> J = lambda w: np.mean((X @ w) ** 2)
    >>> report = check_gradient(J, lambda w: X.T @ (X @ w), np.array([1.0, 3.0]))
    >>> print(report.verdict, report.rows[0].details["numeric"])
    right 16.5
    >>> print(check_gradient(J, lambda w: 2 * X.T @ (X @ w), np.array([1.0, 3.0])).diagnosis)
    w: wrong at [1] ... numeric 16.5; the factor 2 too much: it is twice the right value
    """
    settings = chosen("check_gradient", options)
    call = DerivativeCall("check_gradient", f, grad_f, "grad_f(*inputs)", inputs, wrt)
    return call.checked(call.number, call.gradient, settings)


def check_vjp(
    f: Callable[..., Any],
    vjp_f: Callable[..., Any],
    *inputs: Any,
    wrt: Wanted = None,
    **options: Unpack[Options],
) -> Report:
    """Check a backward pass: ``vjp_f(g, *inputs)`` for g, dJ/df(*inputs), of f's own shape.

    It returns dJ/dinputs, as ``grad_f`` of ``check_gradient`` does.

    >>> linear = lambda W, A, b: W @ A + b
    >>> def backward(dZ, W, A, b):
    ...     return dZ @ A.T, W.T @ dZ, np.sum(dZ, axis=1, keepdims=True)
    >>> W, A, b = np.ones((2, 3)), np.arange(12.0).reshape(3, 4), np.zeros((2, 1))
    >>> bool(check_vjp(linear, backward, W, A, b))
    True
    """
    settings = chosen("check_vjp", options)
    call = DerivativeCall("check_vjp", f, vjp_f, "vjp_f(g, *inputs)", inputs, wrt)
    return call.checked(call.value, call.pulled, settings)


def check_jvp(
    f: Callable[..., Any],
    jvp_f: Callable[..., Any],
    *inputs: Any,
    wrt: Wanted = None,
    **options: Unpack[Options],
) -> Report:
    """Check a forward derivative: ``jvp_f(tangents, *inputs)``, of f's own shape.

    ``tangents`` are what ``inputs`` are: an array for one, a tuple for several.

    >>> bool(check_jvp(np.sin, lambda t, x: np.cos(x) * t, np.array([0.5, 1.0])))
    True
    """
    settings = chosen("check_jvp", options)
    call = DerivativeCall("check_jvp", f, jvp_f, "jvp_f(tangents, *inputs)", inputs, wrt)
    return check(call.title, [call.problem(call.value, push=call.pushed)], settings)


class DerivativeCall(Call):
    """A call of a function, and of its derivative at the same inputs; ``usage`` is how."""

    def __init__(
        self,
        what: str,
        f: Callable[..., Any],
        derivative: Callable[..., Any],
        usage: str,
        inputs: Sequence[Any],
        wrt: Wanted,
    ) -> None:
        require_function(what, usage.partition("(")[0], derivative, usage)
        super().__init__(what, f, inputs, wrt)
        self.derivative, self.derivative_name = derivative, function_name(derivative)
        self.title = f"{what} of {self.derivative_name}"

    @property
    def roots(self) -> Sequence[Any]:
        """What the user wrote and passed."""
        return (*super().roots, self.derivative)

    def problem(self, value: Callable[[Point], Any], **claims: Any) -> Problem:
        """Return what is to be checked; ``claims`` are pull or push."""
        return Problem(
            self.names,
            self.point,
            value,
            given=self.given,
            function=self.name,
            roots=self.roots,
            **claims,
        )

    def checked(self, value: Callable[[Point], Any], pull: Pull, settings: Settings) -> Report:
        """Return the report on a gradient or vjp, with causes for what is wrong."""

        def claimed(g: Array) -> dict[str, Array]:
            return dict(zip(self.names, pull(self.point, np.ravel(g)), strict=True))

        derivation = Derivation(
            lambda point: self.value([point[name] for name in self.names]),
            claimed,
            dict(zip(self.names, self.point, strict=True)),
            surroundings(self.f),
            Randomness(*self.roots),
        )
        report = check(self.title, [self.problem(value, pull=pull)], settings, derivation.said_of)
        return replace(report, notes=[*report.notes, *derivation.notes])

    def number(self, point: Point) -> Any:
        """Return the cost at a point."""
        return one_number(self.what, self.name, self.value(point), BY_VJP)

    def gradient(self, point: Point, g: Array) -> Point:
        """Return the gradient of a cost, ``g`` times."""
        return [g.reshape(()) * d for d in self._gradients(point)]

    def pulled(self, point: Point, g: Array) -> Point:
        """Return what the vjp gives for the flat cotangent ``g``."""
        dtype = np.result_type(*point) if point else float
        shape = np.shape(self.value(point))
        return self._gradients(point, g.astype(dtype).reshape(shape))

    def pushed(self, point: Point, tangents: Point) -> Array:
        """Return what the jvp gives, flat."""
        tree = rebuilt(self.varied, tangents)
        shown = zip((f"the tangent of {name}" for name in self.names), tangents, strict=True)
        with self._blaming(point, shown):
            found = self.derivative(tree, *self.inputs_at(point))
        out = real(self.what, f"what {self.derivative_name} returns", found)
        wanted = np.shape(self.value(point))
        if out.shape != wanted:
            raise DimensionError(
                f"{self.derivative_name} returned shape {out.shape}, but {self.name} returns "
                f"{wanted}"
            )
        return np.ravel(out)

    def _blaming(self, point: Point, before: Iterable[tuple[str, Any]]) -> Any:
        arguments = (*before, *zip(self.names, point, strict=True))
        return blaming(self.what, self.derivative, arguments)

    def _gradients(self, point: Point, *before: Array) -> Point:
        with self._blaming(point, [("g", g) for g in before]):
            found = self.derivative(*before, *self.inputs_at(point))
        like = self.varied
        who = f"what {self.derivative_name} returns"
        everything = isinstance(found, list | tuple) and len(found) == len(self.inputs)
        if everything and len(self.varying) < len(self.inputs):
            found = [found[i] for i in self.varying]
            found = found[0] if len(found) == 1 else found
        if isinstance(found, tuple) and len(found) == 1 and not isinstance(like, tuple):
            found = found[0]
        try:
            parts = matched(found, like, who)
        except StructureError as error:
            arguments = ", ".join(self.names)
            raise StructureError(f"{error}; {self.name} has the arguments {arguments}") from None
        return [
            real(self.what, f"the gradient of {name} that {self.derivative_name} returns", part)
            for name, part in zip(self.names, parts, strict=True)
        ]
