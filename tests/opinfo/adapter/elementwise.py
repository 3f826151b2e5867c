"""Elementwise functions of one argument that NumPy has under some name."""

import numpy as np

from tests.opinfo.adapter.arguments import first

NAMES = {
    "abs": "absolute", "acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh",
    "atan": "arctan", "atanh": "arctanh", "ceil": "ceil", "cos": "cos", "cosh": "cosh",
    "deg2rad": "deg2rad", "exp": "exp", "exp2": "exp2", "expm1": "expm1", "floor": "floor",
    "log": "log", "log10": "log10", "log1p": "log1p", "log2": "log2", "neg": "negative",
    "positive": "positive", "rad2deg": "rad2deg", "reciprocal": "reciprocal", "round": "rint",
    "sgn": "sign", "sign": "sign", "signbit": "signbit", "sin": "sin", "sinc": "sinc",
    "sinh": "sinh", "sqrt": "sqrt", "square": "square", "tan": "tan", "tanh": "tanh",
    "trunc": "trunc", "isfinite": "isfinite", "isinf": "isinf", "isnan": "isnan",
    "isposinf": "isposinf", "isneginf": "isneginf", "isreal": "isreal",
    "logical_not": "logical_not", "angle": "angle", "real": "real", "conj": "conjugate",
    "conj_physical": "conjugate", "resolve_conj": "conjugate", "resolve_neg": "positive",
    "clone": "copy", "contiguous": "copy", "alias_copy": "copy",
}  # fmt: skip


def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    return np.nan_to_num(x, nan=nan or 0.0, posinf=posinf, neginf=neginf)


def rounded(x, decimals=0):
    return np.round(x, decimals)


def like(fn):
    """A new array of another's shape, and of its dtype unless another is asked for."""
    return lambda x, *value, dtype=None, device=None: fn(x, *value, dtype=dtype)


OPERATIONS = {name: first(getattr(np, numpy)) for name, numpy in NAMES.items()} | {
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "frac": lambda x: x - np.trunc(x),
    "nan_to_num": nan_to_num,
    "round.decimals_0": rounded,
    "round.decimals_3": rounded,
    "round.decimals_neg_3": rounded,
    "double": first(lambda x: np.astype(x, np.float64)),
    "float": first(lambda x: np.astype(x, np.float32)),
    "half": first(lambda x: np.astype(x, np.float16)),
    "int": first(lambda x: np.astype(x, np.int32)),
    "long": first(lambda x: np.astype(x, np.int64)),
    "short": first(lambda x: np.astype(x, np.int16)),
    "char": first(lambda x: np.astype(x, np.int8)),
    "bool": first(lambda x: np.astype(x, np.bool_)),
    "zeros_like": like(np.zeros_like),
    "ones_like": like(np.ones_like),
    "full_like": like(np.full_like),
}
