"""Values between two that were tapped: Z2 over A1 that nobody has shown, or A1 over Z1."""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from tinygrad_dnn import equations
from tinygrad_dnn.checking.diagnosis.forward import (
    Elementwise,
    Forward,
    Linear,
    value_of,
)
from tinygrad_dnn.checking.diagnosis.sources import (
    CLOSE,
    NONLINEAR,
    Found,
    activations,
    broadcasts,
    is_mask,
    linear,
    numbered,
    product_shape,
    results,
)
from tinygrad_dnn.primitives import Array


def over_hidden(name: str, V: Array, forward: Forward) -> Iterator[Found]:
    """Yield steps through one value that was not tapped: Z2 over A1, or A1 over Z1."""
    for z in _computed(forward):
        for step in _fed(V, z, forward):
            A = forward.result(step)
            for found in linear(name, V, _with(forward, step.out, A), 1):
                if step.out in str(found):
                    yield [(step, {step.out: A}), *found]
    for W, A_prev in product(forward.parameters, results(forward)):
        if forward.values[W].ndim != 2:
            continue
        for left, right in ((W, A_prev), (A_prev, W), (f"{W}.T", A_prev), (A_prev, f"{W}.T")):
            P, Q = value_of(left, forward.values), value_of(right, forward.values)
            if product_shape(P, Q) != V.shape:
                continue
            biases = [b for b in forward.parameters if broadcasts(forward.values[b], V)]
            for addends in ((), *((b,) for b in biases if b != W)):
                Z = P @ Q + sum(forward.values[b] for b in addends)
                hidden = numbered("Z", name, forward.values)
                more = _with(forward, hidden, Z)
                for found in activations(name, V, more, [hidden]):
                    yield [(Linear(hidden, ((left, right),), addends), {hidden: Z}), *found]


def _fed(V: Array, z: str, forward: Forward) -> Iterator[Elementwise]:
    """Yield A = g(Z), with dropout, a skip connection or neither, that may give V = W @ A + b.

    The slope of leaky_relu and the rescaling by dropout are numbers that V depends on linearly.
    """
    Z = forward.values[z]
    hidden = numbered("A", z, forward.values)
    for g in NONLINEAR:
        yield Elementwise(hidden, z, g)
    like = [name for name in results(forward) if forward.values[name].shape == Z.shape]
    for skip in (None, *(name for name in _computed(forward) if name in like and name != z)):
        added = forward.values[skip] if skip else 0 * Z
        for g in NONLINEAR if skip else ():
            yield Elementwise(hidden, z, g, skip=skip)
        for slope, _ in _numbers(V, added, (np.maximum(Z, 0), np.minimum(Z, 0)), forward):
            yield Elementwise(hidden, z, "leaky_relu", slope, skip=skip)
    for mask in (name for name in like if is_mask(forward.values[name])):
        D = forward.values[mask]
        for g in ("identity", *NONLINEAR):
            out = f"{z}_dropped" if g == "identity" else hidden
            for _, scale in _numbers(V, 0 * Z, (equations.G[g][0](Z) * D,), forward):
                yield Elementwise(out, z, g, None, mask, scale)
        parts = np.maximum(Z, 0) * D, np.minimum(Z, 0) * D
        for slope, scale in _numbers(V, 0 * Z, parts, forward):
            yield Elementwise(hidden, z, "leaky_relu", slope, mask, scale)


def _numbers(
    V: Array, added: Array, parts: Sequence[Array], forward: Forward
) -> Iterator[tuple[float, float]]:
    """Yield (slope, scale): V = W @ (scale (parts[0] + slope parts[1]) + added) + b.

    A skip connection may be added to V.
    """
    values = forward.values
    biases = [b for b in (values[n] for n in forward.parameters) if b.size != V.size]
    biases = [np.zeros((1, 1)), *(b for b in biases if broadcasts(b, V))]
    skips = [0 * V, *(values[n] for n in _computed(forward) if values[n].shape == V.shape)]
    rests = np.stack([(V - b - skip).ravel() for b, skip in product(biases, skips)], 1)
    for W, turned, left in product(forward.parameters, ("", ".T"), (True, False)):
        if values[W].ndim != 2:
            continue
        weights = value_of(W + turned, values)
        if product_shape(*((weights, added) if left else (added, weights))) != V.shape:
            continue
        P, *Q = (weights @ A if left else A @ weights for A in (added, *parts))
        columns, wanted = np.stack([q.ravel() for q in Q], 1), rests - P.reshape(-1, 1)
        fits, _, rank, _ = np.linalg.lstsq(columns, wanted, rcond=None)
        off = np.max(np.absolute(columns @ fits - wanted), axis=0)
        fitting = (off <= CLOSE * np.max(np.absolute(wanted), axis=0)) & (fits[0] > 0)
        for fit in fits.T[fitting] if rank == len(parts) else ():
            slope = fit[1] / fit[0] if len(parts) > 1 else 0.0
            yield round(float(slope), 9), round(float(fit[0]), 12)


def _computed(forward: Forward) -> list[str]:
    """Return the names of what may have been computed on the way: no masks, no labels 0 and 1."""
    return [name for name in results(forward) if not is_mask(forward.values[name])]


def _with(forward: Forward, name: str, value: Array) -> Forward:
    return Forward({**forward.values, name: value}, forward.parameters)
