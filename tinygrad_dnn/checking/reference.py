"""Reference: a network's forward and backward pass by the engine, and as equations."""

from typing import Any

import numpy as np

from tinygrad_dnn.checking.call import blaming
from tinygrad_dnn.checking.diagnosis.forward import Elementwise, Forward, Linear, Softmax, Step
from tinygrad_dnn.checking.parameters import holding, scalar
from tinygrad_dnn.graph import recording
from tinygrad_dnn.nn.losses import Loss, one_hot
from tinygrad_dnn.nn.parameters import undisturbed
from tinygrad_dnn.nn.sequential import Sequential
from tinygrad_dnn.nn.validation import Layer, by_engine, layers_of
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.tensor import Tensor, grad


class Reference:
    """A forward and a backward pass, in float64 or float32.

    ``forward`` has it as equations, ``of_J`` all derivatives of J, ``outputs`` what net.outputs
    gives, as arrays.  ``who`` is the function that was called.
    """

    def __init__(
        self, who: str, net: Sequential, X: Array, Y: Array, loss: Loss, dtype: Any
    ) -> None:
        parameters = net.parameters()
        nodes = [x.node for x in parameters.values()]
        given = Tensor(np.asarray(X, dtype), name="X")
        token = recording.set(True)
        try:
            with undisturbed(net.layers), holding(nodes, [n.value.astype(dtype) for n in nodes]):
                with blaming(who, net, [("X", X)]):
                    outputs = net.outputs(given)
                layers = layers_of(net.steps, outputs)
                A = layers[-1].A
                with blaming(who, loss, [(f"A{len(layers)}", A), ("Y", Y)]):
                    J = loss(A, Y)
                scalar(f"{who}: loss(A, Y)", J)
                numbers, m = by_engine(layers, J), A.shape[-1]
                found = grad(J, list(parameters.values()))
        finally:
            recording.reset(token)
        self.outputs = [np.array(x.data) for x in outputs]
        derivatives = {name: numbers[f"d{name}"] / m for name in numbers if _between(name, numbers)}
        derivatives |= dict(zip(parameters, found, strict=True))
        self.of_J = {name: np.asarray(d, np.float64) for name, d in derivatives.items()}
        values = {name: x for name, x in numbers.items() if name[0] != "d"}
        values |= {name: x.data for name, x in parameters.items()}
        values |= {f"D{layer.l}": layer.D for layer in layers if layer.D is not None}
        values["Y"] = one_hot(Y, A.shape[0]) if Y.ndim == 1 else Y
        values = {name: np.asarray(x, np.float64) for name, x in values.items()}
        steps = [step for layer in layers if layer.linear for step in _steps(layer)]
        self.forward = Forward(values, tuple(parameters), steps, m, 1)


def _between(name: str, numbers: Any) -> bool:
    """Whether this is a value between the parameters and J whose derivative is known."""
    return name[0] in "ZA" and f"d{name}" in numbers


def _steps(layer: Layer) -> list[Step]:
    """Return Z = W A_prev + b and A = g(Z), or less where they are one and the same."""
    l = layer.l
    Z, A = f"Z{l}", f"A{l}"
    linear = Linear(Z, ((f"W{l}", f"A{l - 1}"),), (f"b{l}",))
    if layer.g == "softmax":
        return [linear, Softmax(A, Z, 0)]
    mask = f"D{l}" if layer.D is not None else None
    return [linear, Elementwise(A, Z, layer.g, layer.slope.get("slope"), mask)]
