"""Step functions, comparisons and places: recorded, but no derivative flows through them.

And questions about an array whose answer is no array, and has no history.
"""

import numpy as np

from tinygrad_dnn.primitives import composite, constant, primitive

for _fn in (
    # comparisons and logic
    np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal,
    np.logical_and, np.logical_or, np.logical_not, np.logical_xor,
    np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert, np.left_shift, np.right_shift,
    np.bitwise_count, np.any, np.all, np.isclose, np.allclose, np.array_equal, np.array_equiv,
    np.isin,
    # of what kind a number is
    np.isfinite, np.isnan, np.isinf, np.isneginf, np.isposinf, np.isreal, np.iscomplex, np.signbit,
    # stairs
    np.floor, np.ceil, np.rint, np.round, np.around, np.trunc, np.fix, np.floor_divide,
    np.spacing,
    # places and counts
    np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.argsort, np.argpartition,
    np.searchsorted, np.digitize, np.argwhere, np.flatnonzero, np.count_nonzero,
    np.linalg.matrix_rank,
    # arrays like another
    np.zeros_like, np.ones_like,
):  # fmt: skip
    constant(_fn)


composite(np.empty_like)(np.zeros_like)


@primitive
def lexsorted(keys, axis=-1):
    """``np.lexsort`` of keys in one array."""
    return np.lexsort(keys, axis)


constant(lexsorted)
composite(np.lexsort)(lambda keys, axis=-1: lexsorted(np.stack([*keys]), axis))


# ---- asking ----------------------------------------------------------------------------------
def _dtype(a):
    return a if isinstance(a, type) else getattr(a, "dtype", a)


composite(np.iscomplexobj)(lambda x: _dtype(x).kind == "c")
composite(np.isrealobj)(lambda x: _dtype(x).kind != "c")
composite(np.result_type)(lambda *arrays: np.result_type(*map(_dtype, arrays)))

QUESTIONS = (np.shape, np.ndim, np.size, np.iscomplexobj, np.isrealobj, np.result_type)
