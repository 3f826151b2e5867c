"""Table: calls of NumPy's as rows for the native kernels, where these know them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tinygrad_dnn.graph import Node, data_of
from tinygrad_dnn.replay.blas import are_rows, blas_threads
from tinygrad_dnn.replay.fusion import minus_scaled, minus_scaled_product
from tinygrad_dnn.replay.memory import Memory
from tinygrad_dnn.replay.native.compiler import REALS, Library, vector_width
from tinygrad_dnn.replay.native.frame import WIDTH
from tinygrad_dnn.replay.native.kernels import COMPARE, ONE, TWO
from tinygrad_dnn.replay.native.products import work
from tinygrad_dnn.replay.passes import is_elementwise
from tinygrad_dnn.replay.reductions import is_reduction
from tinygrad_dnn.replay.regrouped import FEW, LARGE

Operand = tuple[int, int, int, int]  # slot, distance in bytes, strides of rows and columns
NOTHING: Operand = (0, 0, 0, 0)
BOOL = np.dtype(bool)
WIDE = 1 << 31  # entries: strides have half a number each
ALONE = 1 << 18  # multiplications: up to here OpenBLAS starts no threads
SHARED = 1 << 27  # multiplications: up to here starting threads takes longer than they save


class Row(NamedTuple):
    """One call for a kernel: the dtype of its floats, rows, columns and inner length, arrays."""

    dtype: Any
    kernel: str
    sizes: tuple[int, int, int]
    operands: Sequence[Operand]
    work: int = 0  # bytes of memory to work in

    def numbers(self, known: Library, work: int) -> list[int]:
        """Return what stands in the table; ``work`` is the address of memory to work in."""
        numbers = [known.addresses[self.kernel], *self.sizes, work if self.work else known.blas]
        for slot, distance, rs, cs in self.operands:
            numbers += slot, distance, (rs << 32) + (cs & (1 << 32) - 1)
        return numbers + [0] * (WIDTH - len(numbers))


def rows_of(calls: Sequence[Node], memory: Memory) -> list[Row | None]:
    """Return every call as a row; None if no kernel knows it."""
    places: dict[int, tuple[int, int]] = {}
    return [_row(call, memory, places) for call in calls]


def _row(call: Node, memory: Memory, places: dict[int, tuple[int, int]]) -> Row | None:
    if call not in memory.arrays or call in memory.views:
        return None
    found = _Encoder(call, memory, places).row()
    for _, _, down, right in found.operands if found else ():
        if not (-WIDE <= down < WIDE and -WIDE <= right < WIDE):
            return None
    return found


def is_moving(a: Node, memory: Memory) -> bool:
    """Say if ``a`` is an input that is read where it is, or a view of one."""
    return isinstance(a.value, np.ndarray) and any(
        np.may_share_memory(a.value, moving) for moving in memory.moving.values()
    )


class _Encoder:
    def __init__(self, call: Node, memory: Memory, places: dict[int, tuple[int, int]]) -> None:
        self.call, self.memory, self.places = call, memory, places
        self.out = memory.arrays[call]
        self.arrays = {id(a): self.found(a) for a in call.args}
        arrays = [self.out, *self.arrays.values()]
        self.floats = {a.dtype for a in arrays if a is not None and a.dtype != BOOL}

    def array(self, a: Any) -> Any:
        """Return the array of an argument, if it has a place that is known."""
        return self.arrays[id(a)] if id(a) in self.arrays else self.found(a)

    def found(self, a: Any) -> Any:
        """Look for the array of an argument: not one with parts of entries between its entries."""
        if isinstance(a, Node):
            a = a.value if is_moving(a, self.memory) else self.memory.arrays.get(a)
        known = isinstance(a, np.ndarray) and not any(s % a.itemsize for s in a.strides)
        return a if known else None

    def slot(self, a: np.ndarray) -> tuple[int, int]:
        """Return the slot that ``a``, one that stays, is reached from, and how far it is there."""
        if id(a) not in self.places:
            self.places[id(a)] = self._look_up(a)
        return self.places[id(a)]

    def _look_up(self, a: np.ndarray) -> tuple[int, int]:
        for i, moving in enumerate(self.memory.moving.values(), 1):
            if np.may_share_memory(a, moving):
                return i, a.ctypes.data - moving.ctypes.data
        return 0, a.ctypes.data

    def row(self) -> Row | None:
        """Return the row, if there is a kernel for this call on such arrays."""
        if len(self.floats) != 1 or not self.floats <= REALS.keys():
            return None
        (self.dtype,) = self.floats
        call = self.call
        if is_elementwise(call):
            return self.elementwise()
        if is_reduction(call):
            return self.reduction()
        if call.fn in (np.matmul, minus_scaled_product):
            return self.product()
        if call.fn is np.where and len(call.args) == 3:
            return self.choice()
        if call.fn is minus_scaled:
            return self.over_all("minus_scaled", call.args)
        if call.fn is np.copy:
            return self.over_all("positive", call.args)
        return None

    def elementwise(self) -> Row | None:
        fn, args = self.call.fn, self.call.args
        masks = [getattr(self.array(a), "dtype", None) == BOOL for a in args]
        if fn is np.multiply and masks.count(True) == 1:
            return self.over_all("masked", args if masks[1] else args[::-1])
        known = fn in ONE or fn in TWO or fn in COMPARE or fn is np.isfinite
        return None if not known or any(masks) else self.over_all(fn.__name__, args)

    def choice(self) -> Row | None:
        condition, *values = map(self.constant, self.call.args)
        if any(a is None for a in (condition, *values)) or condition.dtype != BOOL:
            return None
        return (
            None if BOOL in [a.dtype for a in values] else self.over_all("chosen", self.call.args)
        )

    def over_all(self, kernel: str, args: Sequence[Any]) -> Row | None:
        """Return a row that goes through all entries, as one line of columns if it can."""
        arrays = [self.constant(a) for a in args]
        if any(a is None for a in arrays):
            return None
        out = self.out
        whole = [a for a in arrays if a.size != 1]
        if all(a.shape == out.shape and a.flags.c_contiguous for a in (out, *whole)):
            flat = [a.reshape(-1)[None] for a in (out, *arrays)]
        elif out.ndim <= 2:
            flat = [np.atleast_2d(a) for a in (out, *arrays)]
        else:
            return None
        rows, columns = flat[0].shape
        known = zip((out, *arrays), flat, strict=True)
        operands = [self.operand(a, line, columns) for a, line in known]
        if columns > 1 and operands[0][3] != 1:
            return None
        return Row(self.dtype, kernel, (rows, columns, 0), operands)

    def constant(self, a: Any) -> Any:
        """Return an argument as an array: one number is put into one."""
        array = self.array(a)
        value = data_of(a)
        if array is None and isinstance(value, (int, float, np.generic)):
            return self.memory.number(a, self.dtype)
        return array

    def operand(self, a: np.ndarray, seen: np.ndarray, width: int) -> Operand:
        """Return where ``a`` is, ``seen`` with two axes; one that is stretched has a stride of 0.

        ``width`` is how many columns the result has.
        """
        (rows, columns), (down, right), size = seen.shape, seen.strides, seen.itemsize
        rs, cs = (0 if rows == 1 else down // size), (0 if columns == 1 else right // size)
        return *self.slot(a), rs, (1 if width == 1 and not cs else cs)

    def reduction(self) -> Row | None:
        x, axis = self.array(self.call.args[0]), self.call.args[1]
        largest = self.call.fn == np.maximum.reduce
        if x is None or not (x.ndim and x.size) or not (largest or self.call.fn == np.add.reduce):
            return None
        named = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        axes = {i % x.ndim for i in named}
        seen = x
        if len(axes) == x.ndim and not largest and x.flags.c_contiguous:
            seen, kernel = x.reshape(1, -1), "sum_rows"
        elif x.ndim != 2 or len(axes) != 1:
            return None
        elif axes == {1} and not largest:
            kernel = "sum_rows"
        elif axes == {0}:
            kernel = "max_columns" if largest else "sum_columns"
        else:
            return None
        rows, columns = seen.shape
        operands = [(*self.slot(self.out), 0, 1), self.operand(x, seen, columns)]
        return Row(self.dtype, kernel, (rows, columns, 0), operands)

    def product(self) -> Row | None:
        update = self.call.fn is minus_scaled_product
        a, b = (self.array(x) for x in self.call.args[-2:])
        if a is None or b is None or a.ndim != 2 or b.ndim != 2 or not (a.size and b.size):
            return None
        (rows, inner), columns = a.shape, b.shape[1]
        c, x, y = map(self.matrix, (self.out, a, b))
        if c is None or x is None or y is None or c[3] != 1:
            return None
        number = self.call.args[1] if update else -1.0
        factor = self.constant(number)
        scale = self.operand(factor, np.atleast_2d(factor), 1)
        kind, needed = "update" if update else "product", 0
        many = rows * columns * inner
        several = many > ALONE and blas_threads() > 1
        if many <= (ALONE if several else LARGE):
            kind = f"blas_{kind}"
        elif not several or rows <= FEW or many <= SHARED:
            needed = work(rows, inner, self.dtype.itemsize, vector_width())
        else:
            return (
                None  # NumPy's BLAS: the threads of a second one, SciPy's, would stand in its way
            )
        return Row(self.dtype, kind, (rows, columns, inner), [c, x, y, scale], needed)

    def matrix(self, a: Any) -> Operand | None:
        """Return a matrix of a product, if BLAS can read it, a single row wherever it lies."""
        for m in (a, a.T):
            (rows, columns), (down, right) = m.shape, (s // m.itemsize for s in m.strides)
            strides = (down if rows > 1 else columns), (right if columns > 1 else 1)
            if are_rows(m.shape, strides):
                return *self.slot(a), *(strides if m is a else strides[::-1])
        return None
