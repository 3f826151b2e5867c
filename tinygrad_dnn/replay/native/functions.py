"""Functions of one float or two, as code without branches: exp, log, tanh, logaddexp.

Each reduces its argument to a small interval, where some terms of a series suffice.  They are
right to three units in the last place.
"""

import math
from collections.abc import Sequence

from tinygrad_dnn.replay.native.code import SINGLE, Number


def _polynomial(coefficients: Sequence[float], z: Number) -> Number:
    """Return c[0] + c[1] z + c[2] z**2 + ..."""
    total = z.code.lift(coefficients[-1])
    for c in coefficients[-2::-1]:
        total = total * z + c
    return total


def _exp_parts(x: Number) -> tuple[Number, Number, Number]:
    """Return q, s, t with exp(x) = (1 + q) s t, where s and t are powers of two."""
    single = x.value.type == SINGLE
    lowest, highest = (-104.0, 89.0) if single else (-746.0, 710.0)
    # log 2 in two parts, the first of so few bits that n times it is exact
    high, low = (
        (0.693145751953125, 1.4286068203094172e-06)
        if single
        else (0.6931471803691238, 1.9082149292705877e-10)
    )
    bias, place = (127, 23) if single else (1023, 52)
    y = (x > lowest).select(x, lowest)
    y = (y < highest).select(y, highest)
    n = x.code.intrinsic("floor", y * (1 / math.log(2)) + 0.5)
    r = (y - n * high) - n * low
    q = r * _polynomial([1 / math.factorial(k) for k in range(1, 8 if single else 14)], r)
    k = n.to_int()
    half = k >> 1
    return q, ((half + bias) << place).as_float(), ((k - half + bias) << place).as_float()


def exp(x: Number) -> Number:
    """The exponential."""
    q, s, t = _exp_parts(x)
    return (x == x).select((s + s * q) * t, x)


def tanh(x: Number) -> Number:
    """Return e / (e + 2) on |x|, where e = exp(2 |x|) - 1, with the sign of x."""
    y = abs(x)
    y = (y < 22.0).select(y, 22.0)
    q, s, t = _exp_parts(y + y)
    p = s * t
    e = p * q + (p - 1.0)
    e = e / (e + 2.0)
    e = (x > 0.0).select(e, -e)
    return ((x > 0.0) | (x < 0.0)).select(e, x)


def _atanh_twice(s: Number, terms: int) -> Number:
    """Return 2 atanh(s)."""
    return s * _polynomial([2 / (2 * k + 1) for k in range(terms)], s * s)


def log(x: Number) -> Number:
    """Return n log 2 + 2 atanh((m - 1) / (m + 1)), where x = 2**n m and m is near 1."""
    single = x.value.type == SINGLE
    tiny, scale = (2.0**-126, 25) if single else (2.0**-1022, 54)
    bias, place = (127, 23) if single else (1023, 52)
    small = x < tiny
    bits = small.select(x * 2.0**scale, x).bits()
    m = ((bits & ((1 << place) - 1)) | (bias << place)).as_float()
    n = ((bits >> place) - bias).to_float()
    large = m > math.sqrt(2)
    m = large.select(m * 0.5, m)
    n = large.select(n + 1.0, n)
    n = small.select(n - float(scale), n)
    y = n * math.log(2) + _atanh_twice((m - 1.0) / (m + 1.0), 6 if single else 11)
    y = (x < math.inf).select(y, x)
    return (x > 0.0).select(y, (x == 0.0).select(-math.inf, x * math.nan))


def logaddexp(x: Number, y: Number) -> Number:
    """Return the larger one + log(1 + e), which is 2 atanh(e / (2 + e)), with e = exp(-|x - y|)."""
    d = abs(x - y)
    e = exp(-d)
    total = (x > y).select(x, y) + _atanh_twice(e / (e + 2.0), 9 if x.value.type == SINGLE else 18)
    return (d == d).select(total, x + y)
