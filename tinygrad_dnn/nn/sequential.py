"""Sequential: layers applied one after another, numbered and named as the course does it.

Layer l is a layer with parameters together with the activation after it; the input is layer 0.
"""

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any

import numpy as np

from tinygrad_dnn.graph import layer as current_layer
from tinygrad_dnn.graph import no_grad
from tinygrad_dnn.nn.activations import ACTIVATIONS
from tinygrad_dnn.nn.init import Initialiser
from tinygrad_dnn.nn.linear import Linear
from tinygrad_dnn.nn.losses import Loss
from tinygrad_dnn.nn.naming import refused
from tinygrad_dnn.nn.noticed import Noticed
from tinygrad_dnn.nn.parameters import buffers, parameters, resting, set_training
from tinygrad_dnn.nn.saving import load, restore, save
from tinygrad_dnn.nn.steps import Layer, Step, steps_of
from tinygrad_dnn.nn.summary import summary
from tinygrad_dnn.nn.validation import validate
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.report import Report
from tinygrad_dnn.tensor import Tensor


class Sequential(Noticed):
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
        self._layers = tuple(_flat(layers))
        for given in self._layers:
            if isinstance(given, type):
                name = given.__name__
                raise TypeError(f"Sequential: {name} is a kind of layer; make one, {name}(...)")
            if not callable(given):
                raise TypeError(f"Sequential: {given!r} is no layer, as it cannot be called")
        self.steps: tuple[Step, ...] = tuple(steps_of(self._layers))
        for name, tensor in {**self.parameters(), **self.buffers()}.items():
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
        identity, or another one of ``nn.activations.ACTIVATIONS``.

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
                raise ValueError(
                    f"unknown activation {name!r}; choose from {', '.join(ACTIVATIONS)}"
                )
            if activation := ACTIVATIONS[name]:
                layers.append(activation())
        return cls(*layers)

    def __call__(self, X: Array) -> Any:
        """Return the prediction A[L] of X (n[0], m)."""
        return self.outputs(X)[-1]

    def outputs(self, X: Array) -> list[Any]:
        """Return X and the result of every step on it: A[0], Z[1], A[1], ..., A[L]."""
        A = X if hasattr(X, "shape") else np.asarray(X)
        results = [A]
        outside = current_layer.number
        inside = None
        try:
            for number, layer, result in self.steps:
                if number != inside:
                    inside = number
                    current_layer.number = number
                A = layer(A)
                if result and isinstance(A, Tensor) and (node := A.node).name is None:
                    node.name = result
                results.append(A)
        except Exception as error:
            refused(error, layer, A)
            raise
        finally:
            current_layer.number = outside
        return results

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, one after another; others make another network: Sequential(*layers)."""
        return self._layers

    def parameters(self) -> dict[str, Tensor]:
        """Return the Tensors to be learned by the course's names: W1, b1, W2, ..."""
        return self._numbered(parameters)

    def buffers(self) -> dict[str, Tensor]:
        """Return the state that is not learned, as batch norm's running mean: mean2, ..."""
        return self._numbered(buffers)

    def _numbered(self, held: Callable[[Layer], dict[str, Tensor]]) -> dict[str, Tensor]:
        named: dict[str, Tensor] = {}
        known: set[int] = set()
        for number, layer, _ in self.steps:
            for path, tensor in held(layer).items():
                if id(tensor) not in known:
                    known.add(id(tensor))
                    plain = path.isidentifier() and not path[-1].isdigit()
                    named[f"{path}{number}" if plain else f"layer{number}.{path}"] = tensor
        return named

    def train(self) -> "Sequential":
        """Let dropout and batch norm do what they do while training; returns self."""
        set_training(self.layers, True)
        return self

    def eval(self) -> "Sequential":
        """Let dropout rest, and batch norm use what it has gathered; returns self."""
        set_training(self.layers, False)
        return self

    @property
    def L(self) -> int:
        """The number of layers, the input not counted."""
        return max((step.number for step in self.steps), default=0)

    def summary(self, X: Array | None = None) -> str:
        """Return a table of the layers: what they are, their parameters, and with X all shapes."""
        if X is None:
            return summary(self.steps, None)
        with resting(self.layers), no_grad():
            return summary(self.steps, self.outputs(X))

    def validate(self, X: Array, Y: Array, *, loss: Loss | None = None) -> Report:
        """Compare every layer on X (n[0], m), Y with the equations derived by hand.

        Checks, for l = 1 to L, the dimensions and values of Z, A, dZ, dW, db and dA against
        ``tinygrad_dnn.equations``, in the course's convention: dZ and dA per example, m times the
        derivatives of J.  ``loss`` is by default the one that belongs to the output activation.
        Layers that are not Linear with a known activation are taken as given, and named.
        """
        return validate(self.steps, self.outputs, X, Y, loss)

    def save(self, path: str | PathLike[str]) -> None:
        """Write layers, parameters and buffers to ``path``, a file that ``load`` reads back.

        An .npz file, or .safetensors (needs that package) if ``path`` ends so.
        """
        save(path, self.layers, {**self.parameters(), **self.buffers()})

    @classmethod
    def load(cls, path: str | PathLike[str], *, rng: Any = None) -> "Sequential":
        """Return the network that ``save`` wrote to ``path``, ready to train.

        ``rng`` is for layers that draw while training, as Dropout does.  Files that hold less than
        they claim are refused before anything is allocated; nothing in a file is executed.
        """
        layers, arrays = load(path, rng)
        net = cls(*layers)
        restore({**net.parameters(), **net.buffers()}, arrays, path)
        return net

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.layers))})"


def _flat(layers: Sequence[Layer]) -> list[Layer]:
    flat: list[Layer] = []
    for layer in layers:
        flat += layer.layers if isinstance(layer, Sequential) else [layer]
    return flat
