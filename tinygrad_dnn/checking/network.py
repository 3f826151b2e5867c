"""check_network: gradients derived by hand of one of our networks, against the engine."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinygrad_dnn.checking.diagnosis.explain import explain
from tinygrad_dnn.checking.diagnosis.forward import Elementwise, Forward, Linear, Softmax, Step
from tinygrad_dnn.checking.names import by_values
from tinygrad_dnn.checking.shown import CLOSE, Shown, convention_words
from tinygrad_dnn.graph import recording
from tinygrad_dnn.nn.losses import Loss, one_hot
from tinygrad_dnn.nn.parameters import undisturbed
from tinygrad_dnn.nn.sequential import Sequential
from tinygrad_dnn.nn.validation import Layer, by_engine, default_loss, layers_of
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.report import WRONG, Report
from tinygrad_dnn.tensor import Tensor, grad

WHO = "check_network"


def check_network(
    net: Sequential, grads: Mapping[str, Any], X: Array, Y: Array, *, loss: Loss | None = None
) -> Report:
    """Check gradients derived by hand of ``loss(net(X), Y)``, and say which equation is wrong.

    ``grads`` has the course's names: dW1, db1, ..., and dZ and dA of any layer if you like, per
    example as in the course or as derivatives of J: which of the two is found out, and said.  The
    engine is the reference, so all is exact: a difference above 1e-7 is wrong.  Dropout should
    rest (``net.eval()``), or the masks would be others than those of ``grads``.

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
    forward, of_J = _by_engine(net, X, Y, loss or default_loss(net.steps))
    given = by_values(WHO, grads, list(net.parameters()), forward.values)
    shown = Shown(given, {name: forward.values[name] for name in of_J})
    middle = {name: x for name, x in of_J.items() if name not in forward.parameters}
    convention = shown.convention(middle, forward.m)
    possible = [True, False] if convention is None else [convention]
    scale = {name: forward.m if possible[0] and name in middle else 1 for name in of_J}
    rows = {name: shown.misshapen_row(name) for name in shown.misshapen} | {
        name: shown.compared_row(name, scale[name] * of_J[name], "by the engine")
        for name in shown.fitting
    }
    found = None
    if any(row.verdict == WRONG for row in rows.values()):
        found = explain(forward, of_J, shown.arrays, possible)
    notes = [f"the engine is the reference; a relative error above {CLOSE:.0e} is wrong"]
    if any(name in middle for name in shown.fitting):
        notes.insert(0, convention_words(found.per_example if found else convention, forward.m))
    return Report(
        "gradients by hand against the engine",
        shown.explained(rows, found, of_J, forward.m),
        notes,
    )


def _by_engine(net: Sequential, X: Array, Y: Array, loss: Loss) -> tuple[Forward, dict[str, Array]]:
    """Return the forward pass as equations, and all derivatives of J as the engine has them."""
    token = recording.set(True)
    try:
        with undisturbed(net.layers):
            layers = layers_of(net.steps, net.outputs(Tensor(np.asarray(X, float), name="X")))
        J = loss(layers[-1].A, Y)
    finally:
        recording.reset(token)
    numbers, m = by_engine(layers, J), layers[-1].A.shape[-1]
    parameters = net.parameters()
    derivatives = dict(zip(parameters, grad(J, list(parameters.values())), strict=True))
    of_J = {
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
    return Forward(values, tuple(parameters), steps, m, 1), of_J


def _steps(layer: Layer) -> list[Step]:
    """Return Z = W A_prev + b and A = g(Z), or less where they are one and the same."""
    l = layer.l
    Z, A = f"Z{l}", f"A{l}"
    linear = Linear(Z, ((f"W{l}", f"A{l - 1}"),), (f"b{l}",))
    if layer.g == "softmax":
        return [linear, Softmax(A, Z, 0)]
    mask = f"D{l}" if layer.D is not None else None
    return [linear, Elementwise(A, Z, layer.g, layer.slope.get("slope"), mask)]
