"""Validation: a network's forward and backward pass against the equations derived by hand.

The equations run from X and Y alone, with the network's parameters; the engine's numbers are then
compared with theirs, layer by layer.  They follow the course's convention: dZ and dA are
derivatives of the sum of the losses, m times the engine's derivatives of J.

A difference is rounding if it is small against the terms that were summed, not only against their
sum: a db whose columns nearly cancel is a small difference of large numbers.  A[L], once compared,
is taken from the engine for A[L] - Y, so that a well-trained network is judged as sharply as a new
one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np

from tinygrad_dnn import equations
from tinygrad_dnn.graph import recording
from tinygrad_dnn.nn import losses
from tinygrad_dnn.nn.activations import ACTIVATIONS, LeakyReLU
from tinygrad_dnn.nn.dropout import Dropout
from tinygrad_dnn.nn.linear import Linear
from tinygrad_dnn.nn.parameters import parameters, undisturbed
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
    """Layer l as the equations know it: (Linear, g, D) and its results; no Linear if they do not.

    ``A_prev`` is what the Linear was given, and ``D`` the mask of dropout where it is on.
    """

    l: int
    linear: Linear | None
    A_prev: Any
    Z: Any
    A: Any
    g: str = ""
    slope: dict[str, float] = field(default_factory=dict)
    D: Array | None = None


def default_loss(steps: Sequence[Step]) -> losses.Loss:
    """Return the loss that belongs to the output activation."""
    of: dict[str, losses.Loss] = {
        "sigmoid": losses.binary_cross_entropy,
        "softmax": losses.cross_entropy,
    }
    return of.get(_activation(steps[-1].layer), losses.mean_squared_error)


def validate(
    steps: Sequence[Step],
    outputs: Callable[[Any], list[Any]],
    X: Array,
    Y: Array,
    loss: losses.Loss | None,
) -> Report:
    """Return a report with a row per quantity of every layer; ``outputs`` runs the network."""
    loss = loss or default_loss(steps)
    data = np.asarray(X.data if isinstance(X, Tensor) else X)
    if not np.all(np.isfinite(data)):
        raise ValueError("validate: X holds nan or inf; there is nothing to compare then")
    X = Tensor(data, name="X", requires_grad=data.dtype.kind == "f")
    token = recording.set(True)
    try:
        with undisturbed([step.layer for step in steps]):
            layers = layers_of(steps, outputs(X))
        J = loss(layers[-1].A, Y)
    finally:
        recording.reset(token)
    if not any(layer.linear for layer in layers):
        raise ValueError(
            "validate: no layer of this network is Linear with an activation that the equations "
            "know (nn.ReLU, nn.Sigmoid, ...), so there is nothing to compare"
        )
    Y = np.asarray(Y.data if isinstance(Y, Tensor) else Y)
    Y = losses.one_hot(Y, layers[-1].A.shape[0]) if Y.ndim == 1 else Y.astype(layers[-1].A.dtype)
    engine = by_engine(layers, J)
    kind = LOSSES.get(loss)
    forward, sizes = _forward(engine, layers)
    backward, sizes_back = _backward(engine, forward, layers, Y, kind)
    output = (f"dA{len(layers)}", "J")
    saturated = [name for name in output if not np.all(np.isfinite(backward.get(name, 0.0)))]
    rows = _rows(engine, forward | backward, sizes | sizes_back, layers, saturated)
    title = f"engine against equations, L = {len(layers)}, m = {layers[-1].A.shape[1]}"
    return Report(title, rows, _notes(layers, kind, saturated))


def _activation(layer: Any) -> str:
    """Return the equations' name of an activation, layer or function; "" if they have none."""
    known = {name: cls for name, cls in ACTIVATIONS.items() if cls}
    name = next((n for n, cls in known.items() if type(layer) is cls or layer is cls.function), "")
    return name if name in equations.G or name == "softmax" else ""


def layers_of(steps: Sequence[Step], outputs: list[Any]) -> list[Layer]:
    """Return the layers of a network as the equations know them, from the results of its steps."""
    layers: list[Layer] = []
    results = iter(outputs[1:])
    given = outputs[0]
    uses = [number for number, _ in groupby(step.number for step in steps)]
    for l, group in groupby(steps, key=lambda step: step.number):
        made = [(step.layer, next(results)) for step in group]
        while len(made) > 1 and not parameters(made[0][0]):  # what comes before layer 1
            given = made.pop(0)[1]
        (first, Z), *after = made
        A = made[-1][1]
        layer = Layer(len(layers) + 1, None, given, Z, A)
        if isinstance(first, Linear) and uses.count(l) == 1:
            _read(layer, first, after)
        layers.append(layer)
        given = A
    if layers[-1].D is not None:
        layers[-1].linear = None  # A - Y is of an output that nothing was done to
    return layers


def _read(layer: Layer, linear: Linear, after: list[tuple[Any, Any]]) -> None:
    """Fill in (Linear, g, D), if what comes after the Linear is an activation and dropout."""
    if after and isinstance(after[-1][0], Dropout):
        node = after.pop()[1].node
        before = after[-1][1] if after else layer.Z
        if node is not before.node:  # it is on: A * D
            layer.D = node.seen[1]
    if len(after) > 1:
        return
    layer.g = _activation(after[0][0]) if after else "identity"
    if after and isinstance(after[0][0], LeakyReLU):
        layer.slope = {"slope": after[0][0].slope}
    layer.linear = linear if layer.g else None


def by_engine(layers: list[Layer], J: Tensor) -> Numbers:
    """Return what the network computed and what the engine makes of it, dZ and dA times m."""
    tensors = {"A0": layers[0].A_prev} | {f"A{layer.l}": layer.A for layer in layers}
    for layer in layers:
        if layer.linear:
            l = layer.l
            tensors |= {f"Z{l}": layer.Z, f"W{l}": layer.linear.W, f"b{l}": layer.linear.b}
    with np.errstate(divide="ignore", invalid="ignore"):  # dA[L] where A saturates
        sought = {name: tensor for name, tensor in tensors.items() if tensor.requires_grad}
        gradients = zip(sought, grad(J, sought.values()), strict=True)
    m = layers[-1].A.shape[1]
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
        hand[f"Z{l}"], hand[f"A{l}"] = equations.layer_forward(A, W, b, layer.g, **layer.slope)
        sizes[f"Z{l}"] = sizes[f"A{l}"] = _largest(np.abs(W) @ np.abs(A) + np.abs(b))
        if layer.g in ("sigmoid", "tanh", "softmax"):
            sizes[f"A{l}"] = 0.0  # no sum: what is left of it is all there was
        if layer.D is not None:
            hand[f"A{l}"] = equations.dropout(hand[f"A{l}"], layer.D)
            sizes[f"A{l}"] *= _largest(layer.D)
    return hand, sizes


def _backward(
    engine: Numbers, hand: Numbers, layers: list[Layer], Y: Array, kind: str | None
) -> tuple[Numbers, dict[str, float]]:
    """Return dZ, dW, db and dA of every layer by hand, and the size of the terms in each."""
    L = len(layers)
    A, m = engine[f"A{L}"], Y.shape[1]
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
    for layer in reversed(layers):
        l = layer.l
        dA = found[f"dA{l}"]
        if not layer.linear:
            found[f"dA{l - 1}"] = engine.get(f"dA{l - 1}")  # whole numbers have none
            continue
        W, Z, A_prev = engine[f"W{l}"], hand[f"Z{l}"], hand[f"A{l - 1}"]
        if l == L and kind:
            dZ = equations.output_backward(A, Y, Z, layer.g, kind, **layer.slope)
        else:
            if layer.D is not None:
                dA = equations.dropout_backward(dA, layer.D)
            dZ = equations.activation_backward(dA, Z, layer.g, **layer.slope)
        dW, db, dA_prev = equations.layer_backward(dZ, A_prev, W)
        found |= {f"dZ{l}": dZ, f"dW{l}": dW, f"db{l}": db, f"dA{l - 1}": dA_prev}
        sizes |= {
            f"dZ{l}": 0.0 if l == L and kind else _largest(dA),
            f"dW{l}": _largest(np.abs(dZ) @ np.abs(A_prev.T)) / m,
            f"db{l}": _largest(np.sum(np.abs(dZ), axis=1)) / m,
            f"dA{l - 1}": _largest(np.abs(W.T) @ np.abs(dZ)),
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
    engine: Numbers,
    hand: Numbers,
    sizes: dict[str, float],
    layers: list[Layer],
    saturated: list[str],
) -> list[Row]:
    """Compare the engine's numbers with those derived by hand; parameters only by their shape."""
    n = [engine["A0"].shape[0], *(layer.A.shape[0] for layer in layers)]
    known = [layer.l for layer in layers if layer.linear]
    rows: list[Row] = []
    for name, wanted in _dimensions(n, layers[-1].A.shape[1], known).items():
        if name not in engine:
            continue  # dA0, where X holds whole numbers
        ours = engine[name]
        theirs: Array = hand.get(name, ours)
        if name in saturated:
            continue  # log 0 or 0/0; dZ[L] = A - Y, the form that is used, has its row
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


def _notes(layers: list[Layer], kind: str | None, saturated: list[str]) -> list[str]:
    notes = ["convention: dZ and dA per example (m dJ/dZ, m dJ/dA); dW and db of the cost J"]
    given = [str(layer.l) for layer in layers if not layer.linear]
    if layers[0].A_prev.node.fn:
        notes.append(f"A0 is what comes before layer 1 makes of X: {layers[0].A_prev.shape}")
    if given:
        notes.append(f"not checked, taken as given: layer {', '.join(given)}")
    if saturated:
        notes.append(f"not compared, as A{len(layers)} is 0 or 1: {', '.join(saturated)}")
    if not kind:
        notes.append(f"not checked, taken as given: the loss, and with it dA{len(layers)}")
    return notes


def _largest(x: Array) -> float:
    return float(np.max(np.abs(x), initial=0.0))
