"""Activations that the diagnosis knows, each with its derivative, as functions of Z."""

from collections.abc import Callable, Mapping
from math import erf

import numpy as np

from tinygrad_dnn import equations
from tinygrad_dnn.primitives import Array

ROOT, CUBE = np.sqrt(2 / np.pi), 0.044715  # in gelu, as it is approximated


def swish(Z: Array) -> Array:
    """Z sigmoid(Z)."""
    return Z * equations.sigmoid(Z)


def swish_prime(Z: Array) -> Array:
    """The derivative of ``swish``: s + Z s (1 - s), s = sigmoid(Z)."""
    s = equations.sigmoid(Z)
    return s + Z * s * (1 - s)


def softplus(Z: Array) -> Array:
    """log(1 + e^Z)."""
    return np.logaddexp(0, Z)


def softsign_prime(Z: Array) -> Array:
    """1 / (1 + abs(Z))^2."""
    return 1 / (1 + np.absolute(Z)) ** 2


def gelu(Z: Array) -> Array:
    """Z Phi(Z)."""
    return Z * normal(Z)


def normal(Z: Array) -> Array:
    """Phi(Z), the distribution function of the normal distribution."""
    return (1 + np.vectorize(erf, otypes=[float])(Z / np.sqrt(2))) / 2


def gelu_prime(Z: Array) -> Array:
    """Phi(Z) + Z phi(Z)."""
    return normal(Z) + Z * np.exp(-(Z**2) / 2) / np.sqrt(2 * np.pi)


def gelu_of_tanh(Z: Array) -> Array:
    """Gelu as it is approximated by tanh."""
    return Z * (1 + np.tanh(ROOT * (Z + CUBE * Z**3))) / 2


def gelu_of_tanh_prime(Z: Array) -> Array:
    """The derivative of ``gelu_of_tanh``."""
    t = np.tanh(ROOT * (Z + CUBE * Z**3))
    return (1 + t) / 2 + Z * (1 - t**2) * ROOT * (1 + 3 * CUBE * Z**2) / 2


def elu(Z: Array, slope: float = 1.0) -> Array:
    """Z where Z > 0, else slope (e^Z - 1)."""
    return np.where(Z > 0, Z, slope * np.expm1(np.minimum(Z, 0)))


def elu_prime(Z: Array, slope: float = 1.0) -> Array:
    """1 where Z > 0, else slope e^Z."""
    return np.where(Z > 0, 1.0, slope * np.exp(np.minimum(Z, 0)))


ACTIVATIONS: Mapping[str, tuple[Callable[..., Array], Callable[..., Array]]] = {
    **equations.G,
    "elu": (elu, elu_prime),
    "softplus": (softplus, equations.sigmoid),
    "swish": (swish, swish_prime),
    "softsign": (lambda Z: Z / (1 + np.absolute(Z)), softsign_prime),
    "gelu": (gelu, gelu_prime),
    "gelu (by tanh)": (gelu_of_tanh, gelu_of_tanh_prime),
    "sin": (np.sin, np.cos),
    "arctan": (np.arctan, lambda Z: 1 / (1 + Z**2)),
    "exp": (np.exp, np.exp),
}
SMOOTH = ("softplus", "swish", "softsign", "gelu", "gelu (by tanh)", "sin", "arctan", "exp", "elu")
