"""Kernels: what the native executor knows, a piece of code for each kind of call."""

import math
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from tinygrad_dnn.primitives import Function
from tinygrad_dnn.replay.native import functions
from tinygrad_dnn.replay.native.code import I8, Number
from tinygrad_dnn.replay.native.frame import Frame, Kernel
from tinygrad_dnn.replay.native.products import blas_product, blas_update, product, update

_PATTERNS = [(1,), (1, 1), (1, 0), (0, 1), (1, 1, 1), (1, 0, 1), (1, 1, 0), (1, 0, 0)]


# ---- entry by entry ----------------------------------------------------------------------------
def elementwise(f: Callable[..., Number], *kinds: Any) -> Kernel:
    """Return the kernel OUT = f(A, B, ...), with the type of each (None: floats).

    Loops over arrays whose columns lie side by side, or are one number, are written on their own.
    """
    n = len(kinds)
    patterns = [p for p in _PATTERNS if len(p) == n]

    def kernel(frame: Frame) -> None:
        code, arrays = frame.code, (frame.a, frame.b, frame.c)[:n]

        def loop(r: Number, strides: Sequence[Any]) -> None:
            fixed = [
                a.get(r, 0, 0, kind=kind) if s == 0 and isinstance(s, int) else None
                for a, s, kind in zip(arrays, strides, kinds, strict=True)
            ]
            with code.loop(frame.columns) as j:
                args = [
                    x or a.get(r, j, s, kind=kind)
                    for x, a, s, kind in zip(fixed, arrays, strides, kinds, strict=True)
                ]
                frame.out.set(r, j, f(*args))

        def first_fitting(r: Number, left: Sequence[tuple[int, ...]]) -> None:
            if not left:
                loop(r, (None,) * n)
                return
            fits = [a.cs == s for a, s in zip(arrays, left[0], strict=True)]
            condition = reduce(lambda x, y: x & y, fits)
            code.choose(condition, lambda: loop(r, left[0]), lambda: first_fitting(r, left[1:]))

        with code.loop(frame.rows) as r:
            first_fitting(r, patterns)

    return kernel


def _larger(x: Number, y: Number) -> Number:
    return ((x >= y) | (x != x)).select(x, y)


def _smaller(x: Number, y: Number) -> Number:
    return ((x <= y) | (x != x)).select(x, y)


ONE: dict[Function, Callable[[Number], Number]] = {
    np.positive: lambda x: x,
    np.negative: lambda x: -x,
    np.absolute: abs,
    np.square: lambda x: x * x,
    np.sqrt: lambda x: x.code.intrinsic("sqrt", x),
    np.reciprocal: lambda x: 1.0 / x,
    np.exp: functions.exp,
    np.log: functions.log,
    np.tanh: functions.tanh,
}
TWO: dict[Function, Callable[[Number, Number], Number]] = {
    np.add: lambda x, y: x + y,
    np.subtract: lambda x, y: x - y,
    np.multiply: lambda x, y: x * y,
    np.divide: lambda x, y: x / y,
    np.maximum: _larger,
    np.minimum: _smaller,
    np.logaddexp: functions.logaddexp,
}
COMPARE: dict[Function, Callable[[Number, Number], Number]] = {
    np.greater: lambda x, y: (x > y).to_mask(),
    np.greater_equal: lambda x, y: (x >= y).to_mask(),
    np.less: lambda x, y: (x < y).to_mask(),
    np.less_equal: lambda x, y: (x <= y).to_mask(),
    np.equal: lambda x, y: (x == y).to_mask(),
    np.not_equal: lambda x, y: (x != y).to_mask(),
}


# ---- sums --------------------------------------------------------------------------------------
def sum_rows(frame: Frame) -> None:
    """OUT[r] = the sum of row r of A, in any order."""
    code = frame.code
    code.flags = ("contract", "reassoc")
    with code.loop(frame.rows) as r:

        def total(cs: Any) -> Callable[[], None]:
            def add() -> None:
                result = code.variable(code.lift(0.0))
                with code.loop(frame.columns) as j:
                    result.set(result.get() + frame.a.get(r, j, cs))
                frame.out.set(0, r, result.get())

            return add

        code.choose(frame.a.cs == 1, total(1), total(None))


def over_columns(f: Callable[[Number, Number], Number]) -> Kernel:
    """Return the kernel OUT[j] = f(... f(A[0, j], A[1, j]) ..., A[n, j])."""

    def kernel(frame: Frame) -> None:
        code = frame.code
        with code.loop(frame.columns) as j:
            frame.out.set(0, j, frame.a.get(0, j))
        with code.loop(frame.rows - 1) as r, code.loop(frame.columns) as j:
            so_far = frame.out.get(0, j, 1, stored=True)
            frame.out.set(0, j, f(so_far, frame.a.get(r + 1, j)))

    return kernel


# ---- all of them -------------------------------------------------------------------------------
KERNELS: dict[str, Kernel] = {
    **{f.__name__: elementwise(code, None) for f, code in ONE.items()},
    **{f.__name__: elementwise(code, None, None) for f, code in TWO.items()},
    **{f.__name__: elementwise(code, None, None) for f, code in COMPARE.items()},
    "isfinite": elementwise(lambda x: (abs(x) < math.inf).to_mask(), None),
    "masked": elementwise(lambda x, m: x * m.to_float(), None, I8),
    "chosen": elementwise(lambda m, x, y: (m != 0).select(x, y), I8, None, None),
    "minus_scaled": elementwise(lambda x, s, y: x - s * y, None, None, None),
    "sum_rows": sum_rows,
    "sum_columns": over_columns(lambda x, y: x + y),
    "max_columns": over_columns(_larger),
    "update": update,
    "product": product,
    "blas_product": blas_product,
    "blas_update": blas_update,
}
