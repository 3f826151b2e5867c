"""check_network: gradients derived by hand of one of our networks, against the engine."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tinygrad_dnn.checking.arrays import in_words, not_finite, real
from tinygrad_dnn.checking.call import blaming, function_name, require_function
from tinygrad_dnn.checking.choices import told_by_equations
from tinygrad_dnn.checking.diagnosis.explain import explain
from tinygrad_dnn.checking.masked import split_off
from tinygrad_dnn.checking.names import by_values, require_dict
from tinygrad_dnn.checking.precision import EPS32, FEW, is_single
from tinygrad_dnn.checking.randomness import Randomness
from tinygrad_dnn.checking.reference import Reference
from tinygrad_dnn.checking.shown import CLOSE, Shown, convention_words
from tinygrad_dnn.nn.losses import Loss
from tinygrad_dnn.nn.sequential import Sequential
from tinygrad_dnn.nn.validation import default_loss
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.report import WRONG, Report, relative_error
from tinygrad_dnn.tensor import Tensor

WHO = "check_network"
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

    Raises TypeError and ValueError for what is no network, no data of it, or has no such names.

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
    X, Y = _usable(net, grads, X, Y)
    loss = loss or default_loss(net.steps)
    require_function(WHO, "loss", loss, "loss(A, Y)")
    randomness = Randomness(net)
    with randomness.unmoved():
        exact = Reference(WHO, net, X, Y, loss, np.float64)
        notes = [MASKS] if randomness.drawn() and not callable(grads) else []
        if callable(grads):
            randomness.rewind()
            arguments = [(f"outputs[{i}]", x) for i, x in enumerate(exact.outputs)]
            name = function_name(grads)
            with blaming(WHO, grads, arguments):
                grads = grads(exact.outputs)
            require_dict(WHO, f"what {name} returns", grads, "'dW1'")
        randomness.rewind()
        rough = Reference(WHO, net, X, Y, loss, np.float32)
    given = by_values(WHO, grads, list(net.parameters()), exact.forward.values)
    for name in given:
        if name not in exact.of_J:
            has = ", ".join(f"d{known}" for known in exact.of_J)
            raise ValueError(f"{WHO}: grads has 'd{name}', but the network has {has} alone")
    return _judged(given, exact, rough, notes)


MASKS = (
    "dropout is on, with the masks that its generators give now: if grads were computed with "
    "others, pass a function of the outputs, or let dropout rest (net.eval())"
)


def _usable(net: Any, grads: Any, X: Any, Y: Any) -> tuple[Array, Array]:
    """Return X and Y as arrays if a check can be made of all this, raise if not."""
    order = f"; the order is {WHO}(net, grads, X, Y)"
    if not isinstance(net, Sequential):
        raise TypeError(f"{WHO}: net must be an nn.Sequential, got {in_words(net)}{order}")
    if not net.parameters():
        raise ValueError(f"{WHO}: the network has no parameters, so there are no gradients")
    if not callable(grads) and not isinstance(grads, Mapping):
        raise TypeError(
            f"{WHO}: grads must be a dict {{'dW1': array, ...}}, or a function of the outputs that "
            f"returns one, got {in_words(grads)}{order}"
        )
    if not callable(grads):
        require_dict(WHO, "grads", grads, "'dW1'")
    for name, x in (("X", X), ("Y", Y)):
        if bad := not_finite(real(WHO, name, x)):
            raise ValueError(f"{WHO}: {name} holds {bad}; there is nothing to compare then")
    return _data(X), _data(Y)


def _data(x: Any) -> Array:
    return np.asarray(x.data if isinstance(x, Tensor) else x)


def _judged(
    given: Mapping[str, Array], exact: Reference, rough: Reference, notes: list[str]
) -> Report:
    """Compare gradients with the engine's, and explain those that are wrong."""
    forward, of_J = exact.forward, exact.of_J
    shown = Shown(given, {name: forward.values[name] for name in of_J})
    forward, known, masks = split_off(forward, shown.arrays, of_J, forward.values)
    of_J = {**of_J, **known}
    notes += [masked.words for masked in masks]
    middle = {name: x for name, x in of_J.items() if name not in forward.parameters}
    convention = shown.convention(middle, forward.m)
    if convention is None:
        convention = told_by_equations(forward, of_J, shown.equations(forward.parameters))
    possible = [True, False] if convention is None else [convention]
    scale = {name: forward.m if possible[0] and name in middle else 1 for name in of_J}
    close = dict.fromkeys(shown.fitting, CLOSE)
    if any(is_single(x) for x in (*given.values(), *forward.values.values())):
        for name in shown.fitting:
            close[name] = max(FEW * relative_error(rough.of_J[name], exact.of_J[name]), FEW * EPS32)
    rows = {name: shown.misshapen_row(name) for name in shown.misshapen} | {
        name: shown.compared_row(name, scale[name] * of_J[name], "by the engine", close[name])
        for name in shown.fitting
    }
    found = None
    if any(row.verdict == WRONG for row in rows.values()):
        found = explain(forward, of_J, shown.equations(forward.parameters), possible)
    notes.append(f"the engine is the reference; a relative error above {CLOSE:.0e} is wrong")
    if coarse := [f"d{name}" for name in close if close[name] > CLOSE]:
        notes.append(
            f"{', '.join(coarse)} in float32: judged by {FEW} times what float32 makes of the "
            f"engine's own"
        )
    if any(name in middle for name in shown.fitting):
        notes.insert(0, convention_words(found.per_example if found else convention, forward.m))
    explained = shown.explained(rows, found, of_J, forward.m)
    return Report("gradients by hand against the engine", explained, notes)
