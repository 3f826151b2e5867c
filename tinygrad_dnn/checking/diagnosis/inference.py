"""Finding out what a network is from its cost alone, where nothing was tapped.

Given X and Y, a chain of layers with parameters W1, b1, ..., WL, bL is one of a few hundred: each
is tried, and believed only if it gives the student's cost at several random points, to rounding.
The cost may be a multiple of a known loss, plus multiples of the squares of each W and b.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from string import ascii_letters
from types import MappingProxyType

import numpy as np

from tinygrad_dnn import equations
from tinygrad_dnn.checking.diagnosis.forward import Elementwise, Forward, Linear, Softmax, Step
from tinygrad_dnn.primitives import Array

LETTERS = ascii_letters + "_"
POINTS = 6  # random points, besides those that the multiple and the penalties are fitted to
HIDDEN = ("relu", "tanh", "sigmoid", "identity")
OUTPUTS = ("sigmoid", "softmax", "identity", "tanh", "relu")
LOSSES = ("binary cross-entropy", "cross-entropy", "squared error")
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


def infer(cost: Callable[[Arrays], float], parameters: Arrays, context: Arrays) -> Found | None:
    """Return the network that gives this cost, or None."""
    layers = _layers(parameters)
    if not layers:
        return None
    points = _points(parameters, POINTS + len(parameters))
    costs = np.array([float(cost(point)) for point in points])
    if not np.all(np.isfinite(costs)):
        return None
    for data in _data(parameters, context, layers):
        masks = _masks(parameters, context, layers, data)
        for keep in _keeps(context) if masks else [0.0]:
            for g in _activations(len(layers), context):
                chain = _Chain(parameters, context, layers, data, g, masks if keep else {}, keep)
                if found := chain.matching(points, costs):
                    return found
        for skips in _skips(parameters, layers, data):
            for g in _activations(len(layers), context):
                if len(set(g[:-1])) == 1:
                    chain = _Chain(parameters, context, layers, data, g, {}, 0.0, skips)
                    if found := chain.matching(points, costs):
                        return found
    return None


@dataclass(frozen=True)
class _Data:
    """The names of input and target, whether examples are columns, and which way round W is."""

    X: str
    Y: str
    columns: bool
    turned: bool  # W is (n[l-1], n[l]), and its transpose is used

    def shaped(self, n: int, m: int) -> tuple[int, int]:
        """Return the shape of n values for each of m examples."""
        return (n, m) if self.columns else (m, n)


def _layers(parameters: Arrays) -> list[tuple[str, str | None]]:
    """Return the names of (W, b) layer by layer, if the parameters are those of a chain.

    >>> _layers({"W1": np.ones((2, 3)), "b1": np.ones((2, 1)), "W2": np.ones((1, 2))})
    [('W1', 'b1'), ('W2', None)]
    """
    rest = [name for name, x in parameters.items() if x.ndim != 2 or 1 in x.shape]
    layers: list[tuple[str, str | None]] = []
    for name in sorted((n for n in parameters if parameters[n].ndim == 2), key=_number):
        number = name.lstrip(LETTERS)
        b = next((n for n in (f"b{number}", f"bias{number}", f"B{number}") if n in rest), None)
        if name[:1] not in "bB":
            layers.append((name, b))
    used = {name for layer in layers for name in layer}
    return layers if all(name in used for name in parameters) else []


def _number(name: str) -> int:
    digits = name.lstrip(LETTERS)
    return int(digits) if digits.isdigit() else 0


def _points(parameters: Arrays, count: int) -> list[dict[str, Array]]:
    rng = np.random.default_rng(0)
    return [
        {
            name: x + 0.1 * max(float(np.std(x)), 0.1) * rng.standard_normal(x.shape)
            for name, x in parameters.items()
        }
        for _ in range(count)
    ]


def _data(parameters: Arrays, context: Arrays, layers: Layers) -> Iterator[_Data]:
    """Yield the arrays that can be input and target."""
    first, last = parameters[layers[0][0]], parameters[layers[-1][0]]
    for columns, turned in ((True, False), (False, False), (True, True), (False, True)):
        usual = columns != turned  # W is (n[l], n[l-1])
        n, k = (first.shape[1], last.shape[0]) if usual else (first.shape[0], last.shape[1])
        for x, X in context.items():
            if X.ndim != 2 or X.shape[0 if columns else 1] != n:
                continue
            m = X.shape[1 if columns else 0]
            for y, Y in context.items():
                shaped = (k, m) if columns else (m, k)
                if y != x and (Y.shape == shaped or (Y.size == m and 1 in (k, Y.ndim))):
                    yield _Data(x, y, columns, turned)


def _masks(parameters: Arrays, context: Arrays, layers: Layers, data: _Data) -> dict[str, str]:
    """Return the names of masks of dropout by the names of W, whatever they are called.

    A mask has the shape of A; of several, the number in its name decides, else their order.
    """
    m = context[data.X].shape[1 if data.columns else 0]
    free = [name for name, x in context.items() if name not in (data.X, data.Y) and _is_mask(x)]
    found: dict[str, str] = {}
    for W, _ in layers[:-1]:
        n = parameters[W].shape[0 if data.columns != data.turned else 1]
        fitting = [name for name in free if context[name].shape == data.shaped(n, m)]
        fitting.sort(key=lambda name: _number(name) != _number(W))
        if fitting:
            found[W] = fitting[0]
            free.remove(fitting[0])
    return found


def _keeps(context: Arrays) -> list[float]:
    """Return what masks of dropout may be divided by; 0 stands for no dropout."""
    numbers = _fractions(context)
    return [0.0, 1.0, *numbers, *(1 - x for x in numbers)]


def _is_mask(D: Array) -> bool:
    return D.ndim == 2 and not np.all(D) and len(np.unique(D)) == 2


def _fractions(context: Arrays) -> list[float]:
    """Return the numbers between 0 and 1 in the context."""
    return [float(x) for x in context.values() if x.size == 1 and 0 < float(x.item()) < 1]


def _skips(parameters: Arrays, layers: Layers, data: _Data) -> Iterator[Skips]:
    """Yield skip connections: in one layer or in all that they fit, over one layer or over two."""
    units = [parameters[W].shape[0 if data.columns != data.turned else 1] for W, _ in layers]
    first = parameters[layers[0][0]].shape[1 if data.columns != data.turned else 0]
    n, L = [first, *units], len(layers)
    for over, after in product((1, 2), (True, False)):
        fitting = [l for l in range(over, L) if n[l] == n[l - over]]
        for chosen in dict.fromkeys([tuple(fitting), tuple(fitting[1:]), *((l,) for l in fitting)]):
            if chosen:
                yield {l: (l - over, after) for l in chosen}


def _activations(L: int, context: Arrays) -> Iterator[tuple[G, ...]]:
    """Yield (activation, slope) of layers 1 to L, those with one for all hidden layers first."""
    slopes = dict.fromkeys([0.01, *_fractions(context), 0.1, 0.2])
    hidden: list[G] = [(g, None) for g in HIDDEN] + [("leaky_relu", slope) for slope in slopes]
    outputs: list[G] = [(g, None) for g in OUTPUTS]
    if L == 1:
        yield from ((g,) for g in outputs)
        return
    for out in outputs:
        yield from ((*(g,) * (L - 1), out) for g in hidden)
    if 2 < L <= 4:
        for out in outputs[:3]:
            for mixed in product(hidden[:4], repeat=L - 1):
                if len(set(mixed)) > 1:
                    yield (*mixed, out)


class _Chain:
    """One network that may be the one."""

    def __init__(
        self,
        parameters: Arrays,
        context: Arrays,
        layers: Layers,
        data: _Data,
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
        self.n_out = last.shape[0 if data.columns != data.turned else 1]
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
            l = W.lstrip(LETTERS)
            weights = W + self.turn
            pair = (weights, given) if self.columns else (given, weights)
            source, after = self.skips.get(place, (None, True))
            skip = None if source is None else outs[source]
            before = [name for name in (b, None if after else skip) if name]
            steps.append(Linear(f"Z{l}", (pair,), tuple(before)))
            given = f"Z{l}"
            last = (W, b) == self.layers[-1]
            mask = self.masks.get(W)
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

    def fitted(self, loss: str, points: Sequence[Arrays], costs: Array) -> float | None:
        """Return k if the cost is k times this loss, plus penalties of the W, at all points."""
        out = self.steps[-1].out
        try:
            losses = np.array([self._loss(self._run(point)[out], loss) for point in points])
        except ValueError:  # shapes do not fit: it is another network
            return None
        if not np.all(np.isfinite(losses)):
            return None
        squares = [[float(np.sum(p[name] ** 2)) for p in points] for name in self.parameters]
        for columns in (np.stack([losses], 1), np.stack([losses, *squares], 1)):
            fit, *_ = np.linalg.lstsq(columns, costs, rcond=None)
            if np.max(np.absolute(columns @ fit - costs)) <= 1e-9 * np.max(np.absolute(costs)):
                return float(fit[0])
        return None

    def matching(self, points: Sequence[Arrays], costs: Array) -> Found | None:
        """Return the network with the loss that gives these costs, if there is one."""
        for loss in LOSSES:
            if (factor := self.fitted(loss, points, costs)) is not None:
                return self.found(loss, factor)
        return None

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
