"""Validation: a network's forward and backward pass against the equations derived by hand.

The equations run from X and Y alone, with the network's parameters; the engine's numbers are then
compared with theirs, layer by layer.  They follow the course's convention: dZ and dA are
derivatives of the sum of the losses, m times the engine's derivatives of J.

A difference is rounding if it is small against the terms that were summed, not only against their
sum: the gradient of a well-trained network is a small difference of large numbers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from tinygrad_dnn import equations
from tinygrad_dnn.nn import losses
from tinygrad_dnn.nn.activations import ACTIVATIONS, LeakyReLU
from tinygrad_dnn.nn.linear import Linear
from tinygrad_dnn.nn.steps import Step
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.report import RIGHT, WRONG, Report, Row, relative_error
from tinygrad_dnn.tensor import Tensor, grad

LOSSES: dict[losses.Loss, str] = {
    losses.binary_cross_entropy: "binary cross-entropy",
    losses.cross_entropy: "cross-entropy",
    losses.mean_squared_error: "squared error",
}
ROUNDING = 4096  # units in the last place: 9e-13 in float64, 5e-4 in float32
Numbers = dict[str, Array]


@dataclass
class Layer:
    """Layer l as the equations know it: (Linear, g) and its results; no Linear if they do not."""

    l: int
    linear: Linear | None
    g: str
    Z: Any
    A: Any


def default_loss(steps: Sequence[Step]) -> losses.Loss:
    """Return the loss that belongs to the output activation."""
    of: dict[str, losses.Loss] = {
        "sigmoid": losses.binary_cross_entropy,
        "softmax": losses.cross_entropy,
    }
    return of.get(_activation(steps[-1].layer) or "", losses.mean_squared_error)


def validate(
    steps: Sequence[Step],
    outputs: Callable[[Any], list[Any]],
    X: Array,
    Y: Array,
    loss: losses.Loss | None,
) -> Report:
    """Return a report with a row per quantity of every layer; ``outputs`` runs the network."""
    loss = loss or default_loss(steps)
    X = Tensor(X.data if isinstance(X, Tensor) else X, name="X")
    layers = _layers(steps, outputs(X))
    J = loss(layers[-1].A, Y)
    Y = np.asarray(Y.data if isinstance(Y, Tensor) else Y)
    Y = losses.one_hot(Y, layers[-1].A.shape[0]) if Y.ndim == 1 else Y
    engine = _by_engine(X, layers, J)
    kind = LOSSES.get(loss)
    forward, sizes = _forward(engine, layers)
    backward, sizes_back = _backward(engine, forward, layers, Y, kind)
    rows = _rows(engine, forward | backward, sizes | sizes_back, layers)
    title = f"engine against equations, L = {len(layers)}, m = {X.shape[1]}"
    return Report(title, rows, _notes(layers, kind))


def _activation(layer: Any) -> str | None:
    """Return the equations' name of an activation layer."""
    if isinstance(layer, LeakyReLU) and layer.slope != 0.01:
        return None
    return next((name for name, cls in ACTIVATIONS.items() if cls and type(layer) is cls), None)


def _layers(steps: Sequence[Step], outputs: list[Any]) -> list[Layer]:
    layers: list[Layer] = []
    results = iter(outputs[1:])
    uses = [number for number, _ in groupby(step.number for step in steps)]
    for l, group in groupby(steps, key=lambda step: step.number):
        callables = [step.layer for step in group]
        made = [next(results) for _ in callables]
        first, *after = callables
        g = "identity" if not after else _activation(after[0]) if len(after) == 1 else None
        linear = first if isinstance(first, Linear) and g and uses.count(l) == 1 else None
        layers.append(Layer(len(layers) + 1, linear, g or "", made[0], made[-1]))
    return layers


def _by_engine(X: Tensor, layers: list[Layer], J: Tensor) -> Numbers:
    """Return what the network computed and what the engine makes of it, dZ and dA times m."""
    tensors = {"A0": X} | {f"A{layer.l}": layer.A for layer in layers}
    for layer in layers:
        if layer.linear:
            l = layer.l
            tensors |= {f"Z{l}": layer.Z, f"W{l}": layer.linear.W, f"b{l}": layer.linear.b}
    with np.errstate(divide="ignore", invalid="ignore"):  # dA[L] where A saturates
        gradients = zip(tensors, grad(J, tensors.values()), strict=True)
    m = X.shape[1]
    return (
        {name: tensor.data for name, tensor in tensors.items()}
        | {f"d{name}": m * d if name[0] in "ZA" else d for name, d in gradients}
        | {"J": J.data}
    )


def _forward(engine: Numbers, layers: list[Layer]) -> tuple[Numbers, dict[str, float]]:
    """Return Z and A of every layer by hand, and the size of the terms in each."""
    hand: Numbers = {"A0": engine["A0"]}
    sizes: dict[str, float] = {}
    for layer in layers:
        l = layer.l
        if not layer.linear:
            hand[f"A{l}"] = engine[f"A{l}"]
            continue
        W, b, A = engine[f"W{l}"], engine[f"b{l}"], hand[f"A{l - 1}"]
        hand[f"Z{l}"], hand[f"A{l}"] = equations.layer_forward(A, W, b, layer.g)
        sizes[f"Z{l}"] = sizes[f"A{l}"] = _largest(np.abs(W) @ np.abs(A) + np.abs(b))
        if layer.g in ("sigmoid", "tanh", "softmax"):
            sizes[f"A{l}"] = 0.0  # no sum: what is left of it is all there was
    return hand, sizes


def _backward(
    engine: Numbers, hand: Numbers, layers: list[Layer], Y: Array, kind: str | None
) -> tuple[Numbers, dict[str, float]]:
    """Return dZ, dW, db and dA of every layer by hand, and the size of the terms in each."""
    L = len(layers)
    A, m = hand[f"A{L}"], Y.shape[1]
    found: Numbers = {f"dA{L}": engine[f"dA{L}"]}
    sizes: dict[str, float] = {}
    if kind:
        with np.errstate(divide="ignore", invalid="ignore"):  # 0/0 where A saturates
            found |= {
                "J": equations.cost(A, Y, kind),
                f"dA{L}": equations.cost_backward(A, Y, kind),
            }
        # rounding of A shifts log A by units of 1, and (A - Y)^2 by units of A and Y
        unit = _largest(np.abs(A) + np.abs(Y)) ** 2 if kind == "squared error" else 1.0
        sizes["J"] = unit * A.shape[0]
    cancelled = 1.0  # how much larger the terms of dZ[L] = A - Y were than what is left of them
    for layer in reversed(layers):
        l = layer.l
        dA = found[f"dA{l}"]
        if not layer.linear:
            found[f"dA{l - 1}"] = engine[f"dA{l - 1}"]
            continue
        W, Z, A_prev = engine[f"W{l}"], hand[f"Z{l}"], hand[f"A{l - 1}"]
        if l == L and kind:
            dZ = equations.output_backward(A, Y, Z, layer.g, kind)
            cancelled = max(1.0, _largest(np.abs(A) + np.abs(Y)) / (_largest(dZ) or 1.0))
        else:
            dZ = equations.activation_backward(dA, Z, layer.g)
        dW, db, dA_prev = equations.layer_backward(dZ, A_prev, W)
        found |= {f"dZ{l}": dZ, f"dW{l}": dW, f"db{l}": db, f"dA{l - 1}": dA_prev}
        sizes |= {
            f"dZ{l}": cancelled * _largest(dZ if l == L else dA),
            f"dW{l}": cancelled * _largest(np.abs(dZ) @ np.abs(A_prev.T)) / m,
            f"db{l}": cancelled * _largest(np.sum(np.abs(dZ), axis=1)) / m,
            f"dA{l - 1}": cancelled * _largest(np.abs(W.T) @ np.abs(dZ)),
        }
    return found, sizes


def _dimensions(n: list[int], m: int, known: list[int]) -> dict[str, tuple[int, ...]]:
    """Return the course's table of shapes, in order of computation; n[l] units in layer l."""
    L = len(n) - 1
    table: dict[str, tuple[int, ...]] = {}
    for l in known:
        table |= {f"W{l}": (n[l], n[l - 1]), f"b{l}": (n[l], 1)}
        table |= {f"Z{l}": (n[l], m), f"A{l}": (n[l], m)}
    table |= {"J": (), f"dA{L}": (n[L], m)}
    for l in reversed(known):
        table |= {f"dZ{l}": (n[l], m), f"dW{l}": (n[l], n[l - 1]), f"db{l}": (n[l], 1)}
        table[f"dA{l - 1}"] = (n[l - 1], m)
    return table


def _rows(
    engine: Numbers, hand: Numbers, sizes: dict[str, float], layers: list[Layer]
) -> list[Row]:
    """Compare the engine's numbers with those derived by hand; parameters only by their shape."""
    n = [engine["A0"].shape[0], *(layer.A.shape[0] for layer in layers)]
    known = [layer.l for layer in layers if layer.linear]
    rows: list[Row] = []
    for name, wanted in _dimensions(n, engine["A0"].shape[1], known).items():
        ours = engine[name]
        theirs: Array = hand.get(name, ours)
        if name in ("J", f"dA{len(layers)}") and not np.all(np.isfinite(theirs)):
            continue  # log 0 and 0/0 where A saturates; dZ[L] = A - Y, the form used, has its row
        fits = ours.shape == wanted
        error = relative_error(ours, theirs) if fits else np.inf
        size = max(_largest(theirs), sizes.get(name, 0.0))
        limit = ROUNDING * np.finfo(ours.dtype).eps * size
        right = fits and _largest(ours - theirs) <= limit
        first = not right and all(row.verdict == RIGHT for row in rows)
        note = "the first to differ; what is computed from it follows" if first else ""
        details = {"wanted": str(wanted)}
        rows.append(Row(name, ours.shape, error, RIGHT if right else WRONG, details, note))
    return rows


def _notes(layers: list[Layer], kind: str | None) -> list[str]:
    notes = ["convention: dZ and dA per example (m dJ/dZ, m dJ/dA); dW and db of the cost J"]
    given = [str(layer.l) for layer in layers if not layer.linear]
    if given:
        notes.append(f"not checked, taken as given: layer {', '.join(given)}")
    if not kind:
        notes.append(f"not checked, taken as given: the loss, and with it dA{len(layers)}")
    return notes


def _largest(x: Array) -> float:
    return float(np.max(np.abs(x), initial=0.0))
