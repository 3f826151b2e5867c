"""Frame: what a kernel is given, a row of a table, with names for what stands there.

A kernel is called with the address of its row, and that of the slots.  A row has the kernel's own
address, rows, columns, inner length, the address of a helper (BLAS's product, or memory to work
in), then three numbers for each of the arrays OUT, A, B, C: a slot, a distance in bytes from the
address in that slot, and the strides, in entries, from row to row and, in the lower 32 bits, from
column to column.  Slot 0 is address 0: what never moves.  Columns of OUT lie side by side.
"""

from collections.abc import Callable
from typing import Any

from tinygrad_dnn.replay.native.code import I64, Code, Number

ROWS, COLUMNS, INNER, HELPER, ARRAYS = 1, 2, 3, 4, 5
WIDTH = ARRAYS + 3 * 4
Kernel = Callable[["Frame"], None]


class Frame:
    """One kernel's code, with the names of what its row says."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self.row, self.slots = code.arguments[:2]
        self.rows, self.columns, self.inner, self.helper = (
            self.field(i) for i in (ROWS, COLUMNS, INNER, HELPER)
        )
        self.out, self.a, self.b, self.c = (Array(self, ARRAYS + 3 * k) for k in range(4))

    def field(self, i: int) -> Number:
        """Return entry ``i`` of the row."""
        return self.code.load(self.row, i, I64)


class Array:
    """An array of a row: ``base`` is its address, ``rs`` and ``cs`` are its strides."""

    def __init__(self, frame: Frame, at: int) -> None:
        self.code = frame.code
        self.base = self.code.load(frame.slots, frame.field(at), I64) + frame.field(at + 1)
        strides = frame.field(at + 2)
        self.rs, self.cs = strides >> 32, (strides << 32) >> 32

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
