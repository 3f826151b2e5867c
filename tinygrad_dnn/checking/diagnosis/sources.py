"""Where one value comes from: the steps that make it of the values at hand, to rounding."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, permutations, product
from string import ascii_letters

import numpy as np

from tinygrad_dnn import equations
from tinygrad_dnn.checking.diagnosis.activations import ACTIVATIONS, SMOOTH
from tinygrad_dnn.checking.diagnosis.forward import (
    Elementwise,
    Forward,
    Linear,
    Softmax,
    Step,
    value_of,
)
from tinygrad_dnn.primitives import Array

CLOSE = 1e-7
ENOUGH = 4  # entries that a mask read from zeros leaves, for a factor and a slope to be told
RESCALED = 20.0  # a mask of dropout is multiplied, or divided, by less
MOST_PAIRS = 200
LETTERS = ascii_letters + "_"
NONLINEAR = ("relu", "tanh", "sigmoid")
Found = list[tuple[Step, dict[str, Array]]]  # steps, each with the values it brings in


def same(a: Array, b: Array, close: float = CLOSE) -> bool:
    """Whether two arrays are equal, up to ``close`` of the largest entry."""
    if a.shape != b.shape:
        return False
    if not a.size:
        return True
    off = float(np.absolute(a - b).max())
    size = max(float(np.absolute(a).max()), float(np.absolute(b).max()))
    return off <= close * size < np.inf


def results(forward: Forward) -> list[str]:
    """Return the names that may be inputs of a layer, the latest first."""
    names = [n for n, v in forward.values.items() if n not in forward.parameters and v.ndim == 2]
    return names[::-1]


def renamed(name: str, V: Array, forward: Forward) -> Iterator[Found]:
    """Yield A = Z, an output layer without an activation."""
    for step in forward.steps:
        if same(V, forward.values[step.out]):
            yield [(Elementwise(name, step.out, "identity"), {})]


def linear(name: str, V: Array, forward: Forward, count: int) -> Iterator[Found]:
    """Yield V = W @ A + b, or A @ W + b, or the sum of ``count`` such products."""
    values = forward.values
    weights = [n for n in forward.parameters if values[n].ndim == 2]
    weights.sort(key=lambda W: W.lstrip(LETTERS) != name.lstrip(LETTERS))  # its own first
    pairs = [
        (left, right)
        for W, A in product(weights, results(forward))
        for left, right in ((W, A), (A, W), (f"{W}.T", A), (A, f"{W}.T"))
        if product_shape(value_of(left, values), value_of(right, values)) == V.shape
    ]
    for chosen in combinations(pairs, count) if len(pairs) <= MOST_PAIRS else ():
        rest = V - sum(value_of(a, values) @ value_of(b, values) for a, b in chosen)
        for addends in _addends(rest, V, forward):
            yield [(Linear(name, chosen, addends), {})]


def product_shape(a: Array, b: Array) -> tuple[int, ...]:
    """Return the shape of a @ b, () if there is none."""
    return (a.shape[0], b.shape[1]) if multiplies(a, b) else ()


def multiplies(a: Array, b: Array) -> bool:
    """Whether there is a @ b, of matrices or vectors.

    >>> multiplies(np.ones((2, 3)), np.ones(3)), multiplies(np.ones(3), np.ones((2, 3)))
    (True, False)
    """
    return {a.ndim, b.ndim} <= {1, 2} and a.shape[-1] == b.shape[0]


def _addends(rest: Array, V: Array, forward: Forward) -> Iterator[tuple[str, ...]]:
    """Yield the names of a bias and of a skip connection that sum to ``rest``."""
    values, size = forward.values, np.max(np.absolute(V), initial=0.0)

    def vanishes(x: Array) -> bool:
        return bool(np.max(np.absolute(x), initial=0.0) <= CLOSE * size)

    if vanishes(rest):
        yield ()
    for b in forward.parameters:
        if values[b].size != V.size and broadcasts(values[b], V) and vanishes(rest - values[b]):
            yield (b,)
    for skip in results(forward):
        if values[skip].shape == V.shape:
            left = rest - values[skip]
            for b in forward.parameters:
                if broadcasts(values[b], V) and vanishes(left - values[b]):
                    yield (b, skip)
            if vanishes(left):
                yield (skip,)


def broadcasts(b: Array, V: Array) -> bool:
    """Whether V + b has the shape of V."""
    return b.ndim <= V.ndim and all(
        n in (1, k) for n, k in zip(b.shape[::-1], V.shape[::-1], strict=False)
    )


def activations(
    name: str, V: Array, forward: Forward, candidates: Sequence[str]
) -> Iterator[Found]:
    """Yield V = g(Z) of one of the candidates, with or without dropout, and V = softmax(Z)."""
    for z in candidates:
        Z = forward.values[z]
        if Z.shape != V.shape:
            continue
        for step in activation_steps(name, V, z, Z):
            yield [(step, {})]
        for axis in range(Z.ndim):
            e = np.exp(Z - Z.max(axis=axis, keepdims=True))
            if same(V, e / e.sum(axis=axis, keepdims=True)):
                yield [(Softmax(name, z, axis), {})]
    for z in candidates:
        if forward.values[z].shape == V.shape:
            yield from _dropout(name, V, z, forward)
    for one, other in combinations(candidates, 2):
        P, Q = forward.values[one], forward.values[other]
        if P.shape == Q.shape == V.shape:
            yield from _skipping(name, V, (one, other), P, Q, forward)


def _skipping(
    name: str, V: Array, names: tuple[str, str], P: Array, Q: Array, forward: Forward
) -> Iterator[Found]:
    """Yield V = P + Q, V = g(P) + Q, V = g(P + Q)."""
    if same(V, P + Q):
        yield [(Linear(name, (), names), {})]
    for (z, Z), (skip, S) in permutations(zip(names, (P, Q), strict=True)):
        for step in activation_steps(name, V - S, z, Z):
            yield [(replace(step, skip=skip), {})]
    hidden = numbered("S", name, forward.values)
    for step in activation_steps(name, V, hidden, P + Q):
        yield [(Linear(hidden, (), names), {hidden: P + Q}), (step, {})]


def activation_steps(name: str, V: Array, z: str, Z: Array) -> Iterator[Elementwise]:
    """Yield V = g(Z) for the elementwise activations that are known."""
    for g in (*NONLINEAR, *SMOOTH):
        if same(V, ACTIVATIONS[g][0](Z)):
            yield Elementwise(name, z, g)
    if (slope := _leak(V, Z)) is not None:
        yield Elementwise(name, z, "leaky_relu", slope)


def _leak(V: Array, Z: Array) -> float | None:
    """Return the slope for Z < 0 if V is a leaky relu of Z."""
    below = Z < 0
    if not below.any() or below.all():
        return None
    i = np.argmin(Z)
    slope = float(V.flat[i] / Z.flat[i])
    leaky = 0 < slope < 1 and same(V, equations.leaky_relu(Z, slope))
    return round(slope, 9) if leaky else None


def _dropout(name: str, V: Array, z: str, forward: Forward) -> Iterator[Found]:
    """Yield V = g(Z) * D * rescale; a mask that is not at hand is read from the zeros of V."""
    Z = forward.values[z]
    plain = ((g, None) for g in (*NONLINEAR, "identity", *SMOOTH))
    for g, slope in (*plain, ("leaky_relu", _slope(V, Z))) if not np.all(V) else ():
        if slope is not None and abs(slope - 1) < CLOSE:
            continue  # the identity
        step = Elementwise(name, z, g, slope)
        A = step.function(Z)
        alive = np.absolute(A) > CLOSE / 10 * np.max(np.absolute(A), initial=0.0)
        kept = alive & (V != 0)
        if not kept.any() or not (alive & (V == 0)).any():
            continue
        rescale = float(np.median(V[kept] / A[kept]))
        if not 1 / RESCALED < rescale < RESCALED or not same(V, A * kept * rescale):
            continue
        for mask, D in forward.values.items():
            if D.shape == V.shape and np.array_equal((D != 0) & alive, kept):
                unit = float(np.max(np.absolute(D)))
                yield [(replace(step, mask=mask, rescale=rescale / unit), {})]
        if np.count_nonzero(kept) >= (2 if slope is None else ENOUGH):
            mask, D = numbered("D", name, forward.values), np.where(kept | ~alive, 1.0, 0.0)
            yield [(replace(step, mask=mask, rescale=rescale), {mask: D})]


def _slope(V: Array, Z: Array) -> float:
    """Return the slope for Z < 0 that a leaky relu with dropout would have."""
    above, below = (Z > 0) & (V != 0), (Z < 0) & (V != 0)
    if not above.any() or not below.any():
        return 0.01
    return float(np.median(V[below] / Z[below]) / np.median(V[above] / Z[above]))


def is_mask(D: Array) -> bool:
    """Whether an array can be a mask of dropout: of zeros and one other number."""
    return D.ndim == 2 and bool(np.any(D)) and bool(np.all((D == 0) | (D.max() == D)))


def numbered(letter: str, like: str, taken: Mapping[str, Array]) -> str:
    """Return a free name with the number of another one.

    >>> numbered("A", "Z12", {}), numbered("A", "hidden", {})
    ('A12', 'A(hidden)')
    """
    digits = like[len(like.rstrip("0123456789")) :]
    name = f"{letter}{digits}" if digits else f"{letter}({like})"
    while name in taken:
        name += "'"
    return name
