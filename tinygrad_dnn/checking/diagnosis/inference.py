"""Finding out what a network is from its cost alone, where nothing was tapped.

Given X and Y, a chain of layers with parameters W1, b1, ..., WL, bL is known by its activations.
They are found layer by layer, the last first: where W of a layer is zero, what lies below is not
seen.  What is found is believed only if it gives the student's cost at several random points, to
rounding.  The cost may be a multiple of a known loss, plus L2 and L1 penalties of W and b.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, product
from string import digits as DIGITS

import numpy as np

from tinygrad_dnn.checking.diagnosis.chain import (
    LETTERS,
    LOSSES,
    Arrays,
    Chain,
    Data,
    Found,
    G,
    Layers,
    Skips,
)
from tinygrad_dnn.checking.diagnosis.sources import is_mask
from tinygrad_dnn.primitives import Array

POINTS = 6  # random points, besides those that the multiple and the penalties are fitted to
PROBES = 7  # points at which one bias differs
MOST = 60  # chains that are carried on from layer to layer
HIDDEN = ("relu", "tanh", "sigmoid", "identity")
OUTPUTS = ("sigmoid", "softmax", "identity", "tanh", "relu")
Guesses = dict[tuple[G, ...], Sequence[str]]  # activations of the last layers, and losses


def infer(cost: Callable[[Arrays], float], parameters: Arrays, context: Arrays) -> Found | None:
    """Return the network that gives this cost, or None."""
    layers = _layers(parameters)
    if not layers:
        return None
    points = _points(parameters, POINTS + 2 * len(parameters))
    costs = np.array([float(cost(point)) for point in points])
    if not np.all(np.isfinite(costs)):
        return None
    probes = _probes(cost, parameters, layers)
    plain: set[Data] = set()  # where every layer is one that has no skip connection
    for wiring in _wirings(parameters, context, layers):
        if wiring.skips and wiring.data in plain:
            continue
        guesses = wiring.guesses(probes)
        if guesses and all(probes) and not wiring.skips:
            plain.add(wiring.data)
        for g, losses in guesses.items():
            if found := wiring.chain(g).matching(losses, points, costs):
                return found
    return None


@dataclass(frozen=True)
class _Probe:
    """What the cost is for several b of a layer where W of this layer is zero."""

    W: str
    b: str
    values: Sequence[Array]
    costs: Array


def _probes(
    cost: Callable[[Arrays], float], parameters: Arrays, layers: Layers
) -> list[_Probe | None]:
    """Return what shows the activation of each layer; None where that cannot be seen."""
    rng = np.random.default_rng(1)
    found: list[_Probe | None] = []
    for l, (W, b) in enumerate(layers):
        if b is None or any(other == W for other, _ in layers[l + 1 :]):
            found.append(None)
            continue
        values = [parameters[b] + rng.standard_normal(parameters[b].shape) for _ in range(PROBES)]
        zero = {**parameters, W: 0 * parameters[W]}
        costs = np.array([float(cost({**zero, b: value})) for value in values])
        found.append(_Probe(W, b, values, costs) if np.all(np.isfinite(costs)) else None)
    return found


@dataclass(frozen=True)
class _Wiring:
    """A network whose activations and loss are not known yet."""

    parameters: Arrays
    context: Arrays
    layers: Layers
    data: Data
    masks: Mapping[str, str]
    keep: float
    skips: Skips

    def chain(self, g: Sequence[G]) -> Chain:
        """Return the network with these activations."""
        known = self.parameters, self.context, self.layers, self.data
        return Chain(*known, g, self.masks, self.keep, self.skips)

    def guesses(self, probes: Sequence[_Probe | None]) -> Guesses:
        """Return what it may be, networks with one activation in all hidden layers first."""
        slopes = dict.fromkeys([0.01, *_fractions(self.context), 0.1, 0.2])
        hidden: list[G] = [(g, None) for g in HIDDEN] + [("leaky_relu", slope) for slope in slopes]
        outputs: list[G] = [(g, None) for g in OUTPUTS]
        guesses: Guesses = {(): LOSSES}
        for l in range(len(self.layers), 0, -1):
            last = l == len(self.layers)
            passed = any(source < l <= target for target, (source, _) in self.skips.items())
            probe = None if passed else probes[l - 1]
            longer: Guesses = {}
            for tail, losses in guesses.items():
                for g in outputs if last else hidden:
                    said = self._agreeing(l, (g, *tail), probe) if probe else losses
                    if fitting := [loss for loss in losses if loss in said]:
                        longer[(g, *tail)] = fitting
            order = sorted(longer, key=lambda tail: len(set(tail[:-1])))
            guesses = {tail: longer[tail] for tail in order[:MOST]}
        return guesses

    def _agreeing(self, l: int, tail: Sequence[G], probe: _Probe) -> list[str]:
        """Return the losses with which the layers from ``l`` on, fed with nothing, agree."""
        n, X = self.parameters[probe.b].size, self.data.X
        if self.parameters[probe.W].shape[0 if self.data.usual else 1] != n:
            return []
        m = self.context[X].shape[1 if self.data.columns else 0]
        W = np.zeros((n, 1) if self.data.usual else (1, n))
        points = [{**self.parameters, probe.W: W, probe.b: b} for b in probe.values]
        nothing = {**self.context, X: np.zeros(self.data.shaped(1, m))}
        upper = points[0], nothing, self.layers[l - 1 :], self.data
        skips = {t - l + 1: (s - l + 1, after) for t, (s, after) in self.skips.items() if t >= l}
        chain = Chain(*upper, tail, self.masks, self.keep, skips)
        return chain.agrees(points, probe.costs, probe.b)


def _wirings(parameters: Arrays, context: Arrays, layers: Layers) -> Iterator[_Wiring]:
    """Yield the networks that there may be: plain ones, with dropout, with skip connections."""
    for data in _data(parameters, context, layers):
        known = parameters, context, layers, data
        yield _Wiring(*known, {}, 0.0, {})
        if masks := _masks(parameters, context, layers, data):
            yield from (_Wiring(*known, masks, keep, {}) for keep in _keeps(context))
        yield from (_Wiring(*known, {}, 0.0, skips) for skips in _skips(parameters, layers, data))


def _layers(parameters: Arrays) -> list[tuple[str, str | None]]:
    """Return the names of (W, b) layer by layer, if the parameters are those of a chain.

    Where there is a b without a W, the W of the layer before is used again.

    >>> _layers({"W1": np.ones((2, 3)), "b1": np.ones((2, 1)), "W2": np.ones((1, 2))})
    [('W1', 'b1'), ('W2', None)]
    >>> _layers({"W": np.ones((2, 2)), "b1": np.ones((2, 1)), "b2": np.ones((2, 1))})
    [('W', 'b1'), ('W', 'b2')]
    """
    biases = {n: _number(n) for n, x in parameters.items() if x.ndim != 2 or 1 in x.shape}
    biases = {n: number for n, number in biases.items() if n.rstrip(DIGITS) in ("b", "bias", "B")}
    weights = {n: _number(n) for n, x in parameters.items() if x.ndim == 2 and n not in biases}
    if not weights or len(weights) + len(biases) < len(parameters):
        return []
    again = len(weights) == 1 < len(biases)  # one W in all layers
    layers: list[tuple[str, str | None]] = []
    for number in sorted({*biases.values(), *(() if again else weights.values())}):
        before = layers[-1][0] if layers else next(iter(weights))
        W = next((name for name, k in weights.items() if k == number), before)
        b = next((name for name, k in biases.items() if k == number), None)
        layers.append((W, b))
    return layers


def _number(name: str) -> int:
    digits = name.lstrip(LETTERS)
    return int(digits) if digits.isdigit() else 0


def _points(parameters: Arrays, count: int) -> list[dict[str, Array]]:
    """Return points around the parameters, every other one far away: small W hide what is below."""
    rng = np.random.default_rng(0)
    return [
        {
            name: x + max(0.1 * float(np.std(x)), least) * rng.standard_normal(x.shape)
            for name, x in parameters.items()
        }
        for least, _ in zip(cycle((0.01, 0.5)), range(count), strict=False)
    ]


def _data(parameters: Arrays, context: Arrays, layers: Layers) -> Iterator[Data]:
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
                    yield Data(x, y, columns, turned)


def _masks(parameters: Arrays, context: Arrays, layers: Layers, data: Data) -> dict[str, str]:
    """Return the names of masks of dropout by the names of b (or W), whatever they are called.

    A mask has the shape of A; of several, the number in its name decides, else their order.
    """
    m = context[data.X].shape[1 if data.columns else 0]
    free = [name for name, x in context.items() if name not in (data.X, data.Y) and is_mask(x)]
    found: dict[str, str] = {}
    for W, b in layers[:-1]:
        n, number = parameters[W].shape[0 if data.usual else 1], _number(b or W)
        fitting = [name for name in free if context[name].shape == data.shaped(n, m)]
        named = [name for name in fitting if _number(name) == number]
        if fitting:
            mask = found[b or W] = (*named, *fitting)[0]
            free.remove(mask)
    return found


def _keeps(context: Arrays) -> list[float]:
    """Return what masks of dropout may be divided by."""
    numbers = _fractions(context)
    return [1.0, *numbers, *(1 - x for x in numbers)]


def _fractions(context: Arrays) -> list[float]:
    """Return the numbers between 0 and 1 in the context."""
    return [float(x) for x in context.values() if x.size == 1 and 0 < float(x.item()) < 1]


def _skips(parameters: Arrays, layers: Layers, data: Data) -> Iterator[Skips]:
    """Yield skip connections: in one layer or in all that they fit, over one layer or over two."""
    units = [parameters[W].shape[0 if data.usual else 1] for W, _ in layers]
    first = parameters[layers[0][0]].shape[1 if data.usual else 0]
    n, L = [first, *units], len(layers)
    for over, after in product((1, 2), (True, False)):
        fitting = [l for l in range(over, L) if n[l] == n[l - over]]
        for chosen in dict.fromkeys([tuple(fitting), tuple(fitting[1:]), *((l,) for l in fitting)]):
            if chosen:
                yield {l: (l - over, after) for l in chosen}
