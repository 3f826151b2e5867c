"""The equations of a deep L-layer network, written out by hand on plain arrays.

An independent witness: nothing here is differentiated by machine, and nothing of the package is
imported.  Examples are columns; the numbers are those of the equations (1) to (9).

    Z[l] = W[l] A[l-1] + b[l]                   W (n[l], n[l-1])   b (n[l], 1)
    A[l] = g[l](Z[l])                           Z, A (n[l], m)     A[0] = X (n[0], m)

Convention: dZ and dA are *per example*, the derivatives of the sum of the losses; the factor 1/m
stands in dW and db, which are derivatives of the cost J, the mean of the losses.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any


# ---- activations and their derivatives -------------------------------------------------------
def relu(Z: Array) -> Array:
    """max(Z, 0)."""
    return np.maximum(Z, 0)


def relu_prime(Z: Array) -> Array:
    """1 where Z > 0, else 0."""
    return (Z > 0).astype(Z.dtype)


def leaky_relu(Z: Array, slope: float = 0.01) -> Array:
    """Z where Z > 0, else slope Z."""
    return np.where(Z > 0, Z, slope * Z)


def leaky_relu_prime(Z: Array, slope: float = 0.01) -> Array:
    """1 where Z > 0, else slope."""
    return np.where(Z > 0, Z.dtype.type(1), Z.dtype.type(slope))


def tanh(Z: Array) -> Array:
    """The hyperbolic tangent of Z."""
    return np.tanh(Z)


def tanh_prime(Z: Array) -> Array:
    """1 - tanh(Z)^2."""
    return 1 - np.tanh(Z) ** 2


def sigmoid(Z: Array) -> Array:
    """1 / (1 + e^-Z), written so that no exponential overflows."""
    e = np.exp(-np.abs(Z))
    return np.where(Z >= 0, 1 / (1 + e), e / (1 + e))


def sigmoid_prime(Z: Array) -> Array:
    """A (1 - a) with a = sigmoid(Z)."""
    a = sigmoid(Z)
    return a * (1 - a)


def identity(Z: Array) -> Array:
    """Z itself."""
    return Z


def identity_prime(Z: Array) -> Array:
    """1."""
    return np.ones_like(Z)


def softmax(Z: Array) -> Array:
    """e^Z / sum of e^Z, down each column."""
    e = np.exp(Z - Z.max(axis=0))
    return e / e.sum(axis=0)


G: dict[str, tuple[Callable[..., Array], Callable[..., Array]]] = {
    "relu": (relu, relu_prime),
    "leaky_relu": (leaky_relu, leaky_relu_prime),
    "tanh": (tanh, tanh_prime),
    "sigmoid": (sigmoid, sigmoid_prime),
    "identity": (identity, identity_prime),
}


def activation(Z: Array, g: str, **slope: float) -> Array:
    """A = g(Z).  ``slope`` is leaky_relu's."""
    return softmax(Z) if g == "softmax" else G[g][0](Z, **slope)


def activation_backward(dA: Array, Z: Array, g: str, **slope: float) -> Array:
    """(6) dZ = dA * g'(Z); for softmax, whose units depend on each other, its own form."""
    if g == "softmax":
        A = softmax(Z)
        return A * (dA - np.sum(dA * A, axis=0, keepdims=True))
    return dA * G[g][1](Z, **slope)


# ---- dropout: D holds 0 with the probability to switch off, else 1 / (1 - that) --------------
def dropout(A: Array, D: Array) -> Array:
    """A = A * D."""
    return A * D


def dropout_backward(dA: Array, D: Array) -> Array:
    """Return dA = dA * D."""
    return dA * D


# ---- one layer -------------------------------------------------------------------------------
def layer_forward(A_prev: Array, W: Array, b: Array, g: str, **slope: float) -> tuple[Array, Array]:
    """Return Z = W A_prev + b and A = g(Z)."""
    Z = W @ A_prev + b
    A = activation(Z, g, **slope)
    return Z, A


def layer_backward(dZ: Array, A_prev: Array, W: Array) -> tuple[Array, Array, Array]:
    """Return dW, db and dA_prev, equations (7), (8) and (9)."""
    m = dZ.shape[1]
    dW = (1 / m) * dZ @ A_prev.T
    db = (1 / m) * np.sum(dZ, axis=1, keepdims=True)
    dA_prev = W.T @ dZ
    return dW, db, dA_prev


# ---- the cost --------------------------------------------------------------------------------
def cost(A: Array, Y: Array, loss: str) -> Array:
    """J = (1/m) sum of the losses.

    ``loss``: "binary cross-entropy", "cross-entropy", "hinge" and "logistic" (Y is 1 or -1),
    "absolute error", "squared error".
    """
    n, m = Y.shape
    if loss == "binary cross-entropy":
        return -(1 / m) * np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A))
    if loss == "cross-entropy":
        return -(1 / m) * np.sum(Y * np.log(A))
    if loss == "hinge":
        return (1 / m) * np.sum(np.maximum(0, 1 - Y * A))
    if loss == "logistic":
        return (1 / m) * np.sum(np.logaddexp(0, -Y * A))
    if loss == "absolute error":
        return (1 / m) * np.sum(np.abs(A - Y)) / n
    return (1 / m) * np.sum((A - Y) ** 2) / n


def cost_backward(A: Array, Y: Array, loss: str) -> Array:
    """dA[L], the derivative of each example's loss by its prediction."""
    if loss == "binary cross-entropy":
        return -Y / A + (1 - Y) / (1 - A)
    if loss == "cross-entropy":
        return -Y / A
    if loss == "hinge":
        return -Y * (Y * A < 1)
    if loss == "logistic":
        return -Y * sigmoid(-Y * A)
    if loss == "absolute error":
        return np.sign(A - Y) / Y.shape[0]
    return 2 * (A - Y) / Y.shape[0]


def output_backward(A: Array, Y: Array, Z: Array, g: str, loss: str, **slope: float) -> Array:
    """dZ[L].  Where the loss undoes its activation it is A - Y, the form to compute with."""
    if (g, loss) == ("sigmoid", "binary cross-entropy"):
        return A - Y
    if (g, loss) == ("softmax", "cross-entropy"):
        return A * np.sum(Y, axis=0) - Y  # A - Y where, as usual, the columns of Y sum to one
    return activation_backward(cost_backward(A, Y, loss), Z, g, **slope)


# ---- the network -----------------------------------------------------------------------------
def network_forward(X: Array, parameters: dict[str, Array], g: Sequence[str]) -> dict[str, Array]:
    """Return A0, Z1, A1, ..., ZL, AL; ``g`` names the activations of layers 1 to L."""
    cache = {"A0": X}
    for l in range(1, len(g) + 1):
        W, b = parameters[f"W{l}"], parameters[f"b{l}"]
        cache[f"Z{l}"], cache[f"A{l}"] = layer_forward(cache[f"A{l - 1}"], W, b, g[l - 1])
    return cache


def network_backward(
    cache: dict[str, Array], Y: Array, parameters: dict[str, Array], g: Sequence[str], loss: str
) -> dict[str, Array]:
    """Return dZ, dW, db and dA of every layer, dAL to dA0, from the cache of the forward pass."""
    L = len(g)
    A, Z = cache[f"A{L}"], cache[f"Z{L}"]
    grads = {f"dA{L}": cost_backward(A, Y, loss)}
    for l in range(L, 0, -1):
        if l == L:
            dZ = output_backward(A, Y, Z, g[L - 1], loss)
        else:
            dZ = activation_backward(grads[f"dA{l}"], cache[f"Z{l}"], g[l - 1])
        dW, db, dA_prev = layer_backward(dZ, cache[f"A{l - 1}"], parameters[f"W{l}"])
        grads |= {f"dZ{l}": dZ, f"dW{l}": dW, f"db{l}": db, f"dA{l - 1}": dA_prev}
    return grads
