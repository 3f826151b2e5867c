"""Elementwise functions: one partial derivative per argument, ``partial(out, *args)``."""

import numpy as np

from tinygrad_dnn.primitives import Array, composite, elementwise, primitive, rule, same

_LN2, _LN10 = float(np.log(2)), float(np.log(10))


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
elementwise(np.reciprocal, lambda out, x: -np.square(out))


def _whole(out, x, y):  # how often y goes into x
    return -np.rint((x - out) / y)


elementwise(np.remainder, lambda out, x, y: 1, _whole)
elementwise(np.fmod, lambda out, x, y: 1, _whole)
composite(np.divmod)(lambda x, y: (np.floor_divide(x, y), np.remainder(x, y)))
composite(np.modf)(lambda x: (np.fmod(x, 1), np.trunc(x)))

# ---- powers and roots ------------------------------------------------------------------------
elementwise(np.square, lambda out, x: 2 * x)
elementwise(np.sqrt, lambda out, x: 0.5 / out)
elementwise(np.cbrt, lambda out, x: 1 / (3 * np.square(out)))


def _per_length(x, out):  # x / out, and 0 where both are
    return x / np.where(out == 0, 1, out)


elementwise(np.hypot, lambda out, x, y: _per_length(x, out), lambda out, x, y: _per_length(y, out))


def _power_dx(out, x, n):
    if isinstance(n, int | float):  # a Python number stays weak: float32 stays float32
        return n * x ** (n - 1 if n else 1)
    return n * x ** np.where((n == 0) & (x == 0), 1, n - 1)


def _power_dn(out, x, n):
    return out * np.log(np.where(x == 0, 1, x))


elementwise(np.power, _power_dx, _power_dn)
elementwise(np.float_power, _power_dx, _power_dn)

# ---- exponential and logarithm ---------------------------------------------------------------
elementwise(np.exp, lambda out, x: out)
elementwise(np.exp2, lambda out, x: out * _LN2)
elementwise(np.expm1, lambda out, x: out + 1)
elementwise(np.log, lambda out, x: 1 / x)
elementwise(np.log2, lambda out, x: 1 / (x * _LN2))
elementwise(np.log10, lambda out, x: 1 / (x * _LN10))
elementwise(np.log1p, lambda out, x: 1 / (1 + x))


def _share(exp, x, out):  # of one term in the sum; of log(0 + 0) none
    return exp(x - np.where(out == -np.inf, 0, out))


elementwise(
    np.logaddexp,
    lambda out, x, y: _share(np.exp, x, out),
    lambda out, x, y: _share(np.exp, y, out),
)
elementwise(
    np.logaddexp2,
    lambda out, x, y: _share(np.exp2, x, out),
    lambda out, x, y: _share(np.exp2, y, out),
)
elementwise(np.ldexp, lambda out, x, n: np.exp2(n), None)

# ---- pieces ----------------------------------------------------------------------------------
elementwise(np.fabs, lambda out, x: np.sign(x))
elementwise(np.copysign, lambda out, x, y: np.sign(x) * np.where(np.signbit(y), -1, 1), None)
elementwise(np.heaviside, None, lambda out, x, half: x == 0)
elementwise(np.nan_to_num, lambda out, x, **options: np.isfinite(x))


def _first(out, x, y):  # the share of x where it is the one chosen: 1, or 1/2 at a tie
    return (out == x) / (1.0 + (x == y))


def _second(out, x, y):
    return (out == y) / (1.0 + (x == y))


for _fn in (np.maximum, np.minimum, np.fmax, np.fmin):
    elementwise(_fn, _first, _second)


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
def _clip(a, a_min=None, a_max=None, out=None, *, min=None, max=None):
    return clip(a, min if a_min is None else a_min, max if a_max is None else a_max)


def _chosen(v, out, condition, x, y):
    return np.where(condition, v, 0)


def _left(v, out, condition, x, y):
    return np.where(condition, 0, v)


rule(np.where, vjps=(None, _chosen, _left), jvps=(None, _chosen, _left), broadcasts=True)


@composite(np.select)
def _select(condlist, choicelist, default=0):
    if len(condlist) != len(choicelist):
        raise ValueError(
            f"np.select got {len(condlist)} conditions and {len(choicelist)} choices; it takes one "
            f"choice per condition"
        )
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        default = np.where(condition, choice, default)
    return default


def _astype_map(v, out, x, dtype, **kwargs):  # the engine casts; to integers is a step function
    return v if np.issubdtype(out.dtype, np.inexact) else np.zeros_like(v)


rule(np.astype, vjps=(_astype_map,), jvps=(_astype_map,))
