"""check_network: gradients derived by hand of one of our networks, against the engine."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tinygrad_dnn.checking.diagnosis.explain import explain
from tinygrad_dnn.checking.diagnosis.forward import Elementwise, Forward, Linear, Softmax, Step
from tinygrad_dnn.checking.names import by_values
from tinygrad_dnn.checking.parameters import holding
from tinygrad_dnn.checking.randomness import Randomness
from tinygrad_dnn.checking.shown import CLOSE, Shown, convention_words
from tinygrad_dnn.graph import recording
from tinygrad_dnn.nn.losses import Loss, one_hot
from tinygrad_dnn.nn.parameters import undisturbed
from tinygrad_dnn.nn.sequential import Sequential
from tinygrad_dnn.nn.validation import Layer, by_engine, default_loss, layers_of
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.report import WRONG, Report, relative_error
from tinygrad_dnn.tensor import Tensor, grad

WHO = "check_network"
EPS32 = float(np.finfo(np.float32).eps)
FEW = 32  # the hand's float32 rounds elsewhere than the engine's
Gradients = Mapping[str, Any] | Callable[[list[Array]], Mapping[str, Any]]


def check_network(
    net: Sequential, grads: Gradients, X: Array, Y: Array, *, loss: Loss | None = None
) -> Report:
    """Check gradients derived by hand of ``loss(net(X), Y)``, and say which equation is wrong.

    ``grads`` has the course's names: dW1, db1, ..., and dZ and dA of any layer if you like, per
    example as in the course or as derivatives of J: which of the two is found out, and said.  It
    may be a function that computes them from the outputs [X, Z1, A1, ...] of the very forward pass
    that they are checked in, as arrays; with dropout on they depend on its masks.

    The engine is the reference, so all is exact: a difference above 1e-7 is wrong; of gradients in
    float32, one above what float32 makes of the engine's own, a few times.

    >>> from tinygrad_dnn import nn
    >>> net = nn.Sequential.from_layer_dims([2, 3, 1], rng=np.random.default_rng(0))
    >>> X, Y = np.array([[1.0, 2.0, -1.0], [0.5, -1.0, 2.0]]), np.array([[1, 0, 1]])
    >>> dZ2 = net(X).data - Y
    >>> Z1 = net.outputs(X)[1].data
    >>> dZ1 = net.layers[2].W.data.T @ dZ2
    >>> grads = {"dW2": dZ2 @ np.maximum(Z1, 0).T / 3, "db2": np.mean(dZ2, axis=1, keepdims=True),
    ...          "dW1": dZ1 @ X.T / 3, "db1": np.mean(dZ1, axis=1, keepdims=True)}
    >>> print(check_network(net, grads, X, Y).diagnosis)  # doctest: +NORMALIZE_WHITESPACE
    dW1: dZ1, not among the gradients, is the root: the factor relu' = [Z1 > 0] is missing;
    right is dZ1 = dA1 * relu'(Z1); dW1, db1 follow from it, their own equations are right
    db1: follows from dZ1: db1 = (1/m) * np.sum(dZ1, axis=1, keepdims=True) itself is right
    """
    loss = loss or default_loss(net.steps)
    randomness = Randomness(net)
    with randomness.unmoved():
        run = _Run(net, X, Y, loss, np.float64)
        notes = _of_masks(net, grads) if randomness.drawn() else []
        if callable(grads):
            randomness.rewind()
            grads = grads(run.outputs)
        randomness.rewind()
        rough = _Run(net, X, Y, loss, np.float32).of_J
    forward, of_J = run.forward, run.of_J
    given = by_values(WHO, grads, list(net.parameters()), forward.values)
    shown = Shown(given, {name: forward.values[name] for name in of_J})
    middle = {name: x for name, x in of_J.items() if name not in forward.parameters}
    convention = shown.convention(middle, forward.m)
    possible = [True, False] if convention is None else [convention]
    scale = {name: forward.m if possible[0] and name in middle else 1 for name in of_J}
    close = dict.fromkeys(shown.fitting, CLOSE)
    for name in shown.fitting:
        if _is_float32(given[name]):
            close[name] = max(FEW * relative_error(rough[name], of_J[name]), FEW * EPS32)
    rows = {name: shown.misshapen_row(name) for name in shown.misshapen} | {
        name: shown.compared_row(name, scale[name] * of_J[name], "by the engine", close[name])
        for name in shown.fitting
    }
    found = None
    if any(row.verdict == WRONG for row in rows.values()):
        found = explain(forward, of_J, shown.arrays, possible)
    notes.append(f"the engine is the reference; a relative error above {CLOSE:.0e} is wrong")
    if coarse := [f"d{name}" for name in close if close[name] > CLOSE]:
        notes.append(
            f"{', '.join(coarse)} in float32: judged by {FEW} times what float32 makes of the "
            f"engine's own"
        )
    if any(name in middle for name in shown.fitting):
        notes.insert(0, convention_words(found.per_example if found else convention, forward.m))
    return Report(
        "gradients by hand against the engine",
        shown.explained(rows, found, of_J, forward.m),
        notes,
    )


def _of_masks(net: Sequential, grads: Gradients) -> list[str]:
    if callable(grads):
        return []
    return [
        "dropout is on, with the masks that its generators give now: if grads were computed with "
        "others, pass a function of the outputs, or let dropout rest (net.eval())"
    ]


def _is_float32(x: Array) -> bool:
    """Say if float64 numbers have been float32 before."""
    return bool(np.all(x.astype(np.float32) == x))


class _Run:
    """A forward and a backward pass by the engine, in float64 or float32.

    ``forward`` has it as equations, ``of_J`` all derivatives of J, ``outputs`` what net.outputs
    gives, as arrays.
    """

    def __init__(self, net: Sequential, X: Array, Y: Array, loss: Loss, dtype: Any) -> None:
        parameters = net.parameters()
        nodes = [x.node for x in parameters.values()]
        given = Tensor(np.asarray(X.data if isinstance(X, Tensor) else X, dtype), name="X")
        token = recording.set(True)
        try:
            with undisturbed(net.layers), holding(nodes, [n.value.astype(dtype) for n in nodes]):
                outputs = net.outputs(given)
                layers = layers_of(net.steps, outputs)
                J = loss(layers[-1].A, Y)
                numbers, m = by_engine(layers, J), layers[-1].A.shape[-1]
                found = grad(J, list(parameters.values()))
        finally:
            recording.reset(token)
        derivatives = dict(zip(parameters, found, strict=True))
        self.outputs = [np.array(x.data) for x in outputs]
        self.of_J = {
            name: np.asarray(numbers[f"d{name}"] / m, np.float64)
            for name in numbers
            if name[0] in "ZA" and f"d{name}" in numbers
        } | {name: np.asarray(d, np.float64) for name, d in derivatives.items()}
        values = {name: np.asarray(x, np.float64) for name, x in numbers.items() if name[0] != "d"}
        values |= {name: np.asarray(x.data, np.float64) for name, x in parameters.items()}
        values |= {f"D{layer.l}": layer.D for layer in layers if layer.D is not None}
        target = np.asarray(Y.data if isinstance(Y, Tensor) else Y)
        values["Y"] = one_hot(target, layers[-1].A.shape[0]) if target.ndim == 1 else target * 1.0
        steps = [step for layer in layers if layer.linear for step in _steps(layer)]
        self.forward = Forward(values, tuple(parameters), steps, m, 1)


def _steps(layer: Layer) -> list[Step]:
    """Return Z = W A_prev + b and A = g(Z), or less where they are one and the same."""
    l = layer.l
    Z, A = f"Z{l}", f"A{l}"
    linear = Linear(Z, ((f"W{l}", f"A{l - 1}"),), (f"b{l}",))
    if layer.g == "softmax":
        return [linear, Softmax(A, Z, 0)]
    mask = f"D{l}" if layer.D is not None else None
    return [linear, Elementwise(A, Z, layer.g, layer.slope.get("slope"), mask)]
