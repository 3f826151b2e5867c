"""Activations as layers: objects without parameters that apply one function to Z.

What else the function takes is an option of the layer, kept under the same name.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_dnn.nn.naming import at_least_one, misfit
from tinygrad_dnn.nn.noticed import Noticed
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.rules import activations as rules
from tinygrad_dnn.rules.network import leaky_relu, relu, sigmoid, softmax
from tinygrad_dnn.tensor import Tensor


class Activation(Noticed):
    """A function of Z (n, m) -> A (n, m) as a layer; ``function`` is what it applies."""

    function: Callable[..., Any]

    def __call__(self, Z: Array) -> Array:
        return self.function(Z)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, vars(self).values()))})"


class Shaped(Activation):
    """An activation whose ``function`` takes options: the attributes, in their order."""

    def __call__(self, Z: Array) -> Array:
        return self.function(Z, *vars(self).values())


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


class Softplus(Activation):
    """log(1 + exp(Z)), elementwise: a smooth relu."""

    function = staticmethod(rules.softplus)


class Softsign(Activation):
    """Z / (1 + |Z|), elementwise: a slower tanh."""

    function = staticmethod(rules.softsign)


class SELU(Activation):
    """The ELU that keeps mean 0 and variance 1, elementwise; with init="lecun"."""

    function = staticmethod(rules.selu)


class Mish(Activation):
    """Z tanh(softplus(Z)), elementwise."""

    function = staticmethod(rules.mish)


class LeakyReLU(Shaped):
    """Z where Z > 0, else ``slope`` * Z, elementwise."""

    function = staticmethod(leaky_relu)

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = slope


class PReLU(Noticed):
    """Z where Z > 0, else ``slope`` * Z, elementwise; the slope is learned, one for each unit.

    Shapes: Z (n, m) -> (n, m), with slope (n, 1); without ``n`` a single slope () for all units.

    >>> PReLU()(np.array([[-2.0], [2.0]])).data
    array([[-0.5],
           [ 2. ]])
    """

    def __init__(self, n: int | None = None, *, dtype: Any = np.float64) -> None:
        if n is not None:
            at_least_one(f"PReLU({n})", n=n)
        self.n = n
        self.slope = Tensor(np.full(() if n is None else (n, 1), 0.25, dtype), name="slope")

    def __call__(self, Z: Array) -> Any:
        if self.n is not None and (Z.ndim != 2 or Z.shape[0] != self.n):
            raise misfit(self, Z, f"({self.n}, m)")
        return rules.prelu(Z, self.slope)

    def __repr__(self) -> str:
        return f"PReLU({'' if self.n is None else self.n})"


class GLU(Activation):
    """The first half of the units, gated by the sigmoid of the second.  Shapes: (2 n, m) -> (n, m).

    >>> GLU()(np.array([[4.0], [0.0]]))
    array([[2.]])
    """

    function = staticmethod(rules.glu)


class Maxout(Shaped):
    """The largest of every ``pieces`` neighbouring units.  Shapes: Z (n pieces, m) -> (n, m)."""

    function = staticmethod(rules.maxout)

    def __init__(self, pieces: int) -> None:
        at_least_one(f"Maxout({pieces})", pieces=pieces)
        self.pieces = pieces


class ELU(Shaped):
    """Z where Z > 0, else alpha (exp(Z) - 1), elementwise."""

    function = staticmethod(rules.elu)

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha


class Swish(Shaped):
    """Z sigmoid(beta Z), elementwise; SiLU for beta = 1."""

    function = staticmethod(rules.swish)

    def __init__(self, beta: float = 1.0) -> None:
        self.beta = beta


class GELU(Shaped):
    """Z times the share of a normal distribution below Z, elementwise.

    "tanh" is off by at most 5e-4; "none" is exact and needs SciPy.
    """

    function = staticmethod(rules.gelu)

    def __init__(self, approximate: str = "tanh") -> None:
        self.approximate = approximate


ACTIVATIONS: dict[str, type[Activation] | None] = {
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "tanh": Tanh,
    "sigmoid": Sigmoid,
    "softmax": Softmax,
    "softplus": Softplus,
    "softsign": Softsign,
    "elu": ELU,
    "selu": SELU,
    "swish": Swish,
    "mish": Mish,
    "gelu": GELU,
    "identity": None,  # A = Z: no layer at all
}
