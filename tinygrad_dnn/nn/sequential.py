"""Sequential: layers applied one after another, numbered and named as the course does it.

Layer l is a layer with parameters together with the activation after it; the input is layer 0.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tinygrad_dnn.graph import layer as current_layer
from tinygrad_dnn.nn.activations import ACTIVATIONS
from tinygrad_dnn.nn.init import Initialiser
from tinygrad_dnn.nn.linear import Linear
from tinygrad_dnn.nn.parameters import parameters
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.tensor import Tensor

Layer = Callable[[Any], Any]


class Step(NamedTuple):
    """One callable of a network, the layer l it belongs to, and what its result is called."""

    number: int
    layer: Layer
    result: str | None


class Sequential:
    """Layers applied one after another; a layer is any callable object, with Tensors in it or not.

    Nested Sequentials are flattened; a layer used twice is one layer.

    >>> rng = np.random.default_rng(0)
    >>> net = Sequential(Linear(3, 5, rng=rng), ACTIVATIONS["relu"](), Linear(5, 1, rng=rng))
    >>> list(net.parameters())
    ['W1', 'b1', 'W2', 'b2']
    >>> net(np.ones((3, 7))).shape
    (1, 7)
    """

    def __init__(self, *layers: Layer) -> None:
        self.layers: list[Layer] = _flat(layers)
        for given in self.layers:
            if not callable(given):
                raise TypeError(f"Sequential: {given!r} is no layer, as it cannot be called")
        self.steps = _steps(self.layers)
        for name, tensor in self.parameters().items():
            tensor.name = name

    @classmethod
    def from_layer_dims(
        cls,
        dims: Sequence[int],
        *,
        rng: Any,
        hidden: str = "relu",
        output: str = "sigmoid",
        init: str | Initialiser = "he",
        dtype: Any = np.float64,
    ) -> "Sequential":
        """Return the net with ``dims`` = [n[0], n[1], ..., n[L]] units, for any L >= 1.

        ``hidden`` and ``output`` name the activations: relu, leaky_relu, tanh, sigmoid, softmax,
        identity.

        >>> Sequential.from_layer_dims([2, 3, 1], rng=np.random.default_rng(0))
        Sequential(Linear(2 -> 3), ReLU(), Linear(3 -> 1), Sigmoid())
        """
        if len(dims) < 2:
            raise ValueError(f"layer_dims {list(dims)} must name the input and at least one layer")
        layers: list[Layer] = []
        last = len(dims) - 1
        for i in range(1, last + 1):
            layers.append(Linear(dims[i - 1], dims[i], rng=rng, init=init, dtype=dtype))
            name = output if i == last else hidden
            if name not in ACTIVATIONS:
                raise ValueError(f"unknown activation {name!r}; choose from {', '.join(ACTIVATIONS)}")
            if activation := ACTIVATIONS[name]:
                layers.append(activation())
        return cls(*layers)

    def __call__(self, X: Array) -> Any:
        """Return the prediction A[L] of X (n[0], m)."""
        A = X if hasattr(X, "shape") else np.asarray(X)
        outside = current_layer.get()
        try:
            for number, layer, result in self.steps:
                current_layer.set(number)
                A = layer(A)
                if result and isinstance(A, Tensor) and A.node.name is None:
                    A.node.name = result
        finally:
            current_layer.set(outside)
        return A

    def parameters(self) -> dict[str, Tensor]:
        """Return the Tensors to be learned by the course's names: W1, b1, W2, ..."""
        named: dict[str, Tensor] = {}
        known: set[int] = set()
        for number, layer, _ in self.steps:
            for path, tensor in parameters(layer).items():
                if id(tensor) not in known:
                    known.add(id(tensor))
                    named[f"{path}{number}"] = tensor
        return named

    @property
    def L(self) -> int:
        """The number of layers, the input not counted."""
        return max((step.number for step in self.steps), default=0)

    def summary(self, X: Array | None = None) -> str:
        """Return a table of the layers: equation, shapes, number of parameters."""
        from tinygrad_dnn.nn.summary import summary

        return summary(self, X)

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.layers))})"


def _flat(layers: Sequence[Layer]) -> list[Layer]:
    flat: list[Layer] = []
    for layer in layers:
        flat += layer.layers if isinstance(layer, Sequential) else [layer]
    return flat


def _steps(layers: Sequence[Layer]) -> list[Step]:
    """Number the callables by layer, and name their results Z[l] and A[l]."""
    numbers: dict[int, int] = {}  # of each layer with parameters, by identity: used twice, one layer
    steps: list[Step] = []
    number = 0
    for i, layer in enumerate(layers):
        has_parameters = bool(parameters(layer))
        if has_parameters:
            number = numbers.setdefault(id(layer), len(numbers) + 1)
        ends = i + 1 == len(layers) or bool(parameters(layers[i + 1]))
        result = f"Z{number}" if has_parameters else f"A{number}" if ends and number else None
        steps.append(Step(max(number, 1), layer, result))
    return steps
