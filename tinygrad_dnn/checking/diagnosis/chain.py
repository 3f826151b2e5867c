"""A chain of layers that may be the network: its forward pass, and what its cost would be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_letters
from types import MappingProxyType

import numpy as np

from tinygrad_dnn import equations
from tinygrad_dnn.checking.diagnosis.forward import Elementwise, Forward, Linear, Softmax, Step
from tinygrad_dnn.primitives import Array

LETTERS = ascii_letters + "_"
LOSSES = (
    "binary cross-entropy",
    "cross-entropy",
    "squared error",
    "hinge",
    "logistic",
    "absolute error",
)
CLOSE = 1e-9  # of the largest cost
Arrays = Mapping[str, Array]
Layers = Sequence[tuple[str, str | None]]  # the names of W and b
G = tuple[str, float | None]  # an activation, with the slope of leaky_relu
Skips = Mapping[int, tuple[int, bool]]  # layer: the layer whose A is added, to A or else to Z


@dataclass(frozen=True)
class Found:
    """The forward pass, and the derivative of the cost J by its last activation."""

    forward: Forward
    output: str
    derivative: Array


@dataclass(frozen=True)
class Data:
    """The names of input and target, whether examples are columns, and which way round W is."""

    X: str
    Y: str
    columns: bool
    turned: bool  # W is (n[l-1], n[l]), and its transpose is used

    @property
    def usual(self) -> bool:
        """Whether W is (n[l], n[l-1])."""
        return self.columns != self.turned

    def shaped(self, n: int, m: int) -> tuple[int, int]:
        """Return the shape of n values for each of m examples."""
        return (n, m) if self.columns else (m, n)


class Chain:
    """One network that may be the one."""

    def __init__(
        self,
        parameters: Arrays,
        context: Arrays,
        layers: Layers,
        data: Data,
        g: Sequence[G],
        masks: Mapping[str, str],
        keep: float,
        skips: Skips = MappingProxyType({}),
    ) -> None:
        self.skips = skips
        self.parameters, self.context, self.layers, self.g = parameters, context, layers, g
        self.X, self.columns, self.masks, self.keep = data.X, data.columns, masks, keep
        self.turn = ".T" if data.turned else ""
        last = parameters[layers[-1][0]]
        self.n_out = last.shape[0 if data.usual else 1]
        self.Y = self._target(context[data.Y])
        self.steps = self._steps()

    def _target(self, Y: Array) -> Array:
        m = self.context[self.X].shape[1 if self.columns else 0]
        if Y.ndim == 1 and self.n_out > 1:
            hot = (np.arange(self.n_out)[:, None] == Y).astype(float)
            return hot if self.columns else hot.T
        return np.asarray(Y, float).reshape((self.n_out, m) if self.columns else (m, self.n_out))

    def _steps(self) -> list[Step]:
        steps: list[Step] = []
        outs = [given := self.X]
        for place, ((W, b), (g, slope)) in enumerate(zip(self.layers, self.g, strict=True), 1):
            l = (b or W).lstrip(LETTERS)
            weights = W + self.turn
            pair = (weights, given) if self.columns else (given, weights)
            source, after = self.skips.get(place, (None, True))
            skip = None if source is None else outs[source]
            before = [name for name in (b, None if after else skip) if name]
            steps.append(Linear(f"Z{l}", (pair,), tuple(before)))
            given = f"Z{l}"
            last = (W, b) == self.layers[-1]
            mask = self.masks.get(b or W)
            if g == "softmax":
                steps.append(Softmax(f"A{l}", given, 0 if self.columns else 1))
            elif g != "identity" or last or mask or (skip and after):
                rescale, added = 1 / self.keep if mask else 1.0, skip if after else None
                steps.append(Elementwise(f"A{l}", given, g, slope, mask, rescale, added))
            outs.append(given := steps[-1].out)
        return steps

    def _run(self, parameters: Arrays) -> dict[str, Array]:
        forward = Forward({**self.context, **parameters}, tuple(parameters), self.steps)
        with np.errstate(all="ignore"):
            forward.complete()
        return forward.values

    def _loss(self, A: Array, loss: str) -> float:
        with np.errstate(all="ignore"):
            if self.columns:
                return float(equations.cost(A, self.Y, loss))
            return float(equations.cost(A.T, self.Y.T, loss))

    def predicted(self, points: Sequence[Arrays]) -> list[Array]:
        """Return A[L] at several points; none if the shapes do not fit: it is another network."""
        try:
            return [self._run(point)[self.steps[-1].out] for point in points]
        except ValueError:
            return []

    def matching(
        self, losses: Sequence[str], points: Sequence[Arrays], costs: Array
    ) -> Found | None:
        """Return the network if the cost is a multiple of a loss, plus penalties of the W and b."""
        outs = self.predicted(points)
        L2 = [[float(np.sum(p[name] ** 2)) for p in points] for name in self.parameters]
        L1 = [[float(np.sum(np.absolute(p[name]))) for p in points] for name in self.parameters]
        for loss in losses if outs else ():
            values = [self._loss(A, loss) for A in outs]
            for columns in ([values], [values, *L2], [values, *L2, *L1]):
                if (fit := fitted(columns, costs)) is not None:
                    return self.found(loss, float(fit[0]))
        return None

    def agrees(self, points: Sequence[Arrays], costs: Array, b: str) -> list[str]:
        """Return the losses that explain how the cost depends on one bias, all others fixed."""
        outs = self.predicted(points)
        squares = [float(np.sum(p[b] ** 2)) for p in points]
        ones = [1.0] * len(points)
        if not outs:
            return []
        return [
            loss
            for loss in LOSSES
            if fitted([[self._loss(A, loss) for A in outs], ones, squares], costs) is not None
        ]

    def found(self, loss: str, factor: float) -> Found:
        """Return the network at the student's own parameters."""
        forward = Forward(
            {**self.context, **self.parameters, "Y": self.Y}, tuple(self.parameters), self.steps
        )
        forward.complete()
        forward.over = 1 if self.columns else 0
        out = self.steps[-1].out
        A = forward.values[out]
        forward.m = A.shape[forward.over]
        with np.errstate(all="ignore"):
            if self.columns:
                dA = equations.cost_backward(A, self.Y, loss)
            else:
                dA = equations.cost_backward(A.T, self.Y.T, loss).T
        return Found(forward, out, factor * dA / forward.m)


def fitted(columns: Sequence[Sequence[float]], costs: Array) -> Array | None:
    """Return the numbers by which the columns are to be multiplied to give the costs."""
    A = np.array(columns).T
    if A.shape[:1] != costs.shape or not np.all(np.isfinite(A)):
        return None
    fit, *_ = np.linalg.lstsq(A, costs, rcond=None)
    close = np.max(np.absolute(A @ fit - costs)) <= CLOSE * np.max(np.absolute(costs))
    return fit if close else None
