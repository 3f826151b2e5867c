"""Activations as layers: objects without parameters that apply one function to Z."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_dnn.primitives import Array
from tinygrad_dnn.rules.network import leaky_relu, relu, sigmoid, softmax


class Activation:
    """A function of Z (n, m) -> A (n, m) as a layer; ``function`` is what it applies."""

    function: Callable[..., Any]

    def __call__(self, Z: Array) -> Array:
        return self.function(Z)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class ReLU(Activation):
    """max(Z, 0), elementwise."""

    function = staticmethod(relu)


class Tanh(Activation):
    """tanh(Z), elementwise."""

    function = staticmethod(np.tanh)


class Sigmoid(Activation):
    """1 / (1 + exp(-Z)), elementwise: the probability of one of two classes."""

    function = staticmethod(sigmoid)


class Softmax(Activation):
    """exp(Z) / sum(exp(Z)) down each column: the probabilities of n classes."""

    function = staticmethod(softmax)


class LeakyReLU(Activation):
    """Z where Z > 0, else ``slope`` * Z, elementwise."""

    function = staticmethod(leaky_relu)

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = slope

    def __call__(self, Z: Array) -> Array:
        return leaky_relu(Z, self.slope)

    def __repr__(self) -> str:
        return f"LeakyReLU({self.slope})"


ACTIVATIONS: dict[str, type[Activation] | None] = {
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "tanh": Tanh,
    "sigmoid": Sigmoid,
    "softmax": Softmax,
    "identity": None,  # A = Z: no layer at all
}
