"""Elementwise functions: one partial derivative per argument, ``partial(out, *args)``."""

import numpy as np

from tinygrad_dnn.primitives import Array, composite, constant, elementwise, primitive, rule


def same(v, out, *args):
    """Pass ``v`` on as it is."""
    return v


def negated(v, out, *args):
    """Pass ``v`` on with the other sign."""
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
    return n * x ** np.where((n == 0) & (x == 0), 1, n - 1)


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
def clip(x: Array, low: Array | None = None, high: Array | None = None) -> Array:
    """``np.clip`` with one name per limit: ``np.clip`` on Tensors records this."""
    return np.clip(x, low, high)


elementwise(
    clip,
    lambda out, x, low=None, high=None: out == x,
    lambda out, x, low, high=None: (x < low) if high is None else (x < low) & (low <= high),
    lambda out, x, low, high: (x > high) if low is None else (x > high) | (low > high),
)


@composite(np.clip)
def _clip(a, a_min=None, a_max=None, *, min=None, max=None):
    return clip(a, min if a_min is None else a_min, max if a_max is None else a_max)


def _chosen(v, out, condition, x, y):
    return np.where(condition, v, 0)


def _left(v, out, condition, x, y):
    return np.where(condition, 0, v)


rule(np.where, vjps=(None, _chosen, _left), jvps=(None, _chosen, _left), broadcasts=True)


def _astype_map(v, out, x, dtype, **kwargs):  # the engine casts; to integers is a step function
    return v if np.issubdtype(out.dtype, np.inexact) else np.zeros_like(v)


rule(np.astype, vjps=(_astype_map,), jvps=(_astype_map,))

# ---- piecewise constant: recorded, derivative zero -------------------------------------------
for _fn in (
    np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal,
    np.logical_and, np.logical_or, np.logical_not, np.logical_xor,
    np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert,
    np.sign, np.floor, np.ceil, np.rint, np.round, np.trunc, np.any, np.all,
    np.isfinite, np.isnan, np.isinf, np.signbit, np.argmax, np.argmin,
    np.zeros_like, np.ones_like, np.floor_divide,
):  # fmt: skip
    constant(_fn)
