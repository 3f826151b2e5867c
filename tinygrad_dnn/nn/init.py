"""Initialisers: functions ``init(rng, n_out, n_in)`` that draw a weight matrix W (n_out, n_in).

``rng`` is anything with NumPy's ``standard_normal`` and ``uniform``: a Generator, or a RandomState
where a published run must be reproduced.  Biases start at zero.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_dnn.nn.naming import a_generator
from tinygrad_dnn.primitives import Array

Initialiser = Callable[[Any, int, int], Array]


def zeros(rng: Any, n_out: int, n_in: int) -> Array:
    """All zeros: right for logistic regression; in deeper nets all units would stay alike."""
    return np.zeros((n_out, n_in))


def normal(rng: Any, n_out: int, n_in: int) -> Array:
    """Normal with standard deviation 0.01, the course's first choice for shallow nets."""
    return 0.01 * rng.standard_normal((n_out, n_in))


def lecun(rng: Any, n_out: int, n_in: int) -> Array:
    """Normal with variance 1 / n_in, which keeps the variance of A through linear layers.

    Source: LeCun et al., "Efficient BackProp" (1998).
    """
    return rng.standard_normal((n_out, n_in)) / np.sqrt(n_in)


def he(rng: Any, n_out: int, n_in: int) -> Array:
    """Normal with variance 2 / n_in: the 2 makes up for the half that a ReLU cuts off.

    Source: He et al., "Delving Deep into Rectifiers" (2015).
    """
    return rng.standard_normal((n_out, n_in)) * np.sqrt(2 / n_in)


def glorot(rng: Any, n_out: int, n_in: int) -> Array:
    """Uniform with variance 2 / (n_in + n_out), a compromise of forward and backward pass.

    Source: Glorot and Bengio, "Understanding the difficulty of training deep networks" (2010).
    """
    limit = np.sqrt(6 / (n_in + n_out))
    return rng.uniform(-limit, limit, (n_out, n_in))


INITIALISERS: dict[str, Initialiser] = {
    "zeros": zeros,
    "normal": normal,
    "lecun": lecun,
    "he": he,
    "glorot": glorot,
}


def initialiser(init: str | Initialiser) -> Initialiser:
    """Return the initialiser of that name, or the function itself; ``rng`` is checked."""
    if isinstance(init, str) and init not in INITIALISERS:
        raise ValueError(f"unknown init {init!r}; choose from {', '.join(INITIALISERS)}")
    chosen = INITIALISERS[init] if isinstance(init, str) else init

    def draw(rng: Any, n_out: int, n_in: int) -> Array:
        a_generator("an initialiser", rng)
        return chosen(rng, n_out, n_in)

    return draw
