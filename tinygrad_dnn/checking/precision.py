"""Float32: numbers that carry its rounding, whatever array they have been put into since."""

import numpy as np

from tinygrad_dnn.primitives import Array

EPS32 = float(np.finfo(np.float32).eps)
FEW = 32  # times its rounding: two ways through one network in float32 are no farther apart


def is_single(x: Array) -> bool:
    """Return whether these are numbers of float32 that have been rounded to it.

    Zeros, whole numbers and what has no more digits than float16 are none: nobody rounded them.

    >>> third = np.float32(1) / 3
    >>> is_single(np.array([third, 2.0])), is_single(np.array([1 / 3])), is_single(np.arange(9.0))
    (True, False, False)
    """
    with np.errstate(over="ignore"):
        if not np.all(x == np.float32(x)):
            return False
    mantissa = np.frexp(x[x != np.round(x)])[0]
    return bool(np.any(mantissa != np.float16(mantissa)))
