"""Kernels: what the native executor knows, a piece of code for each kind of call.

A kernel is called with the address of its row in a table, and that of the slots.  A row has the
kernel's own address, rows, columns, inner length, the address of BLAS's product, then four numbers
for each of the arrays OUT, A, B, C: a slot, a distance in bytes from the address in that slot, and
the strides from row to row and from column to column, in entries.  Slot 0 is address 0: what never
moves.  Columns of OUT lie side by side.
"""

import math
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from tinygrad_dnn.primitives import Function
from tinygrad_dnn.replay.native import functions
from tinygrad_dnn.replay.native.code import I8, I32, I64, Code, Number

ROWS, COLUMNS, INNER, BLAS, ARRAYS = 1, 2, 3, 4, 5
WIDTH = ARRAYS + 4 * 4
Kernel = Callable[["Frame"], None]


class Frame:
    """One kernel's code, with the names of what its row says."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self.row, self.slots = code.arguments
        self.rows, self.columns, self.inner, self.blas = (
            self.field(i) for i in (ROWS, COLUMNS, INNER, BLAS)
        )
        self.out, self.a, self.b, self.c = (Array(self, ARRAYS + 4 * k) for k in range(4))

    def field(self, i: int) -> Number:
        """Return entry ``i`` of the row."""
        return self.code.load(self.row, i, I64)


class Array:
    """An array of a row: ``base`` is its address, ``rs`` and ``cs`` are its strides."""

    def __init__(self, frame: Frame, at: int) -> None:
        self.code = frame.code
        self.base = self.code.load(frame.slots, frame.field(at), I64) + frame.field(at + 1)
        self.rs, self.cs = frame.field(at + 2), frame.field(at + 3)

    def get(self, r: Any, j: Any, cs: Any = None, **options: Any) -> Number:
        """Return entry (r, j), with the stride ``cs`` if that is known."""
        return self.code.load(self.base, self._place(r, j, cs), **options)

    def set(self, r: Any, j: Any, x: Number) -> None:
        """Set entry (r, j) of an array whose columns lie side by side."""
        self.code.store(self.base, self._place(r, j, 1), x)

    def _place(self, r: Any, j: Any, cs: Any) -> Number:
        row, column = self.code.lift(r, I64), self.code.lift(j, I64)
        if cs == 0 and isinstance(cs, int):
            return row * self.rs
        return row * self.rs + (column if isinstance(cs, int) else column * self.cs)


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


# ---- products ----------------------------------------------------------------------------------
def product(frame: Frame) -> None:
    """OUT = A B, of matrices (rows, inner) and (inner, columns)."""
    _gemm(frame, frame.code.lift(1.0), frame.code.lift(0.0))


def update(frame: Frame) -> None:
    """OUT = OUT - s A B, where s is the number C."""
    _gemm(frame, -frame.c.get(0, 0, 0), frame.code.lift(1.0))


def _gemm(frame: Frame, scale: Number, beta: Number) -> None:
    """Call BLAS, to which the transposes of our matrices are known: OUT' = B' A'."""
    code, real = frame.code, frame.code.real

    def layout(x: Array) -> tuple[Number, Number]:
        plain = x.cs == 1
        step = plain.select(x.rs, x.cs)
        return plain.select(code.whole(ord("N")), ord("T")), (step > 1).select(step, 1)

    (ta, lda), (tb, ldb), (_, ldc) = layout(frame.a), layout(frame.b), layout(frame.out)
    code.call_by_reference(
        frame.blas,
        (tb, I8), (ta, I8), (frame.columns, I32), (frame.rows, I32), (frame.inner, I32),
        (scale, real), frame.b.base, (ldb, I32), frame.a.base, (lda, I32),
        (beta, real), frame.out.base, (ldc, I32),
    )  # fmt: skip


def thin(scaled: bool) -> Kernel:
    """Return the kernel of a product, or ``update``, of few rows: four times four entries at once.

    Rows of A and columns of B lie side by side, and OUT is a multiple of four both ways.  BLAS
    spends more time on rearranging B than on multiplying.
    """

    def kernel(frame: Frame) -> None:
        code, four = frame.code, range(4)
        code.flags = ("contract", "reassoc")
        scale = -frame.c.get(0, 0, 0) if scaled else None
        with code.loop(frame.columns, 4) as j, code.loop(frame.rows, 4) as i:
            sums = [[code.variable(code.lift(0.0)) for _ in four] for _ in four]
            with code.loop(frame.inner) as k:
                a = [frame.a.get(i + p, k, 1) for p in four]
                b = [code.load(frame.b.base, (j + q) * frame.b.cs + k) for q in four]
                for p in four:
                    for q in four:
                        sums[p][q].set(sums[p][q].get() + a[p] * b[q])
            for p in four:
                for q in four:
                    x = sums[p][q].get()
                    if scale is not None:
                        x = frame.out.get(i + p, j + q, 1, stored=True) + scale * x
                    frame.out.set(i + p, j + q, x)

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
    "product": product,
    "update": update,
    "thin_product": thin(False),
    "thin_update": thin(True),
}
