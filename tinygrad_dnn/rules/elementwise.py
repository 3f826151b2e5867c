"""Elementwise functions: one partial derivative per argument, ``partial(out, *args)``."""

import math

import numpy as np

from tinygrad_dnn.primitives import Array, composite, constant, elementwise, primitive, rule


def same(v, out, *args, **kwargs):
    return v


def negated(v, out, *args, **kwargs):
    return -v


# ---- arithmetic ------------------------------------------------------------------------------
rule(np.add, vjps=(same, same), jvps=(same, same), broadcasts=True)
rule(np.subtract, vjps=(same, negated), jvps=(same, negated), broadcasts=True)
rule(np.negative, vjps=(negated,), jvps=(negated,))
rule(np.positive, vjps=(same,), jvps=(same,))
elementwise(np.multiply, lambda out, x, y: y, lambda out, x, y: x)
elementwise(np.divide, lambda out, x, y: 1 / y, lambda out, x, y: -out / y)
elementwise(np.square, lambda out, x: 2 * x)
elementwise(np.sqrt, lambda out, x: 0.5 / out)


def _power_dx(out, x, n):
    if isinstance(n, int | float):  # a Python number stays weak: float32 stays float32
        return n * x ** (n - 1 if n else 1)
    return n * x ** np.where(n == 0, 1, n - 1)


def _power_dn(out, x, n):
    return out * np.log(np.where(x == 0, 1, x))


elementwise(np.power, _power_dx, _power_dn)

# ---- exponential and logarithm ---------------------------------------------------------------
elementwise(np.exp, lambda out, x: out)
elementwise(np.expm1, lambda out, x: out + 1)
elementwise(np.log, lambda out, x: 1 / x)
elementwise(np.log1p, lambda out, x: 1 / (1 + x))

# ---- trigonometric and hyperbolic ------------------------------------------------------------
elementwise(np.sin, lambda out, x: np.cos(x))
elementwise(np.cos, lambda out, x: -np.sin(x))
elementwise(np.tanh, lambda out, x: 1 - out**2)

# ---- pieces ----------------------------------------------------------------------------------
elementwise(np.absolute, lambda out, x: np.sign(x))


def _first(out, x, y):  # the share of x where it is the one chosen: 1, or 1/2 at a tie
    return (out == x) / (1.0 + (x == y))


def _second(out, x, y):
    return (out == y) / (1.0 + (x == y))


elementwise(np.maximum, _first, _second)
elementwise(np.minimum, _first, _second)


@primitive
def clip(x: Array, low: Array = -math.inf, high: Array = math.inf) -> Array:
    """``np.clip`` with its limits always there: ``np.clip`` on Tensors records this."""
    return np.clip(x, low, high)


elementwise(
    clip,
    lambda out, x, low=-math.inf, high=math.inf: (x >= low) & (x <= high),
    lambda out, x, low=-math.inf, high=math.inf: (x < low) & (low <= high),
    lambda out, x, low=-math.inf, high=math.inf: (x > high) | (low > high),
)


@composite(np.clip)
def _clip(a, a_min=None, a_max=None, *, min=None, max=None):
    low = next((v for v in (a_min, min) if v is not None), -math.inf)
    high = next((v for v in (a_max, max) if v is not None), math.inf)
    return clip(a, low, high)


def _chosen(v, out, condition, x, y):
    return np.where(condition, v, 0)


def _left(v, out, condition, x, y):
    return np.where(condition, 0, v)


rule(np.where, vjps=(None, _chosen, _left), jvps=(None, _chosen, _left), broadcasts=True)

rule(
    np.astype,
    vjps=(same,),
    jvps=(lambda t, out, x, dtype, **kwargs: np.astype(t, out.dtype),),
)

# ---- piecewise constant: recorded, derivative zero -------------------------------------------
for _fn in (
    np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal,
    np.logical_and, np.logical_or, np.logical_not, np.logical_xor,
    np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert,
    np.sign, np.floor, np.ceil, np.rint, np.trunc,
    np.isfinite, np.isnan, np.isinf, np.signbit, np.argmax, np.argmin,
    np.zeros_like, np.ones_like, np.floor_divide,
):  # fmt: skip
    constant(_fn)
