"""Vectors: several floats that lie side by side, as one Number of LLVM's vector type."""

from collections.abc import Sequence

from llvmlite import ir

from tinygrad_dnn.replay.native.code import I8, I32, I64, SINGLE, Code, Number

LINE = 64  # bytes that memory hands over at once


class Vectors:
    """Vectors of ``lanes`` floats for the function ``code``; ``size`` is the bytes of a float."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self.size = 4 if code.real == SINGLE else 8
        self.lanes = code.width // self.size
        self.kind = ir.VectorType(code.real, self.lanes)

    def address(self, base: Number, i: Number | int) -> Number:
        """Return the address of entry ``i`` at ``base``."""
        return base + self.code.lift(i, I64) * self.size

    def load(self, base: Number, i: Number | int) -> Number:
        """Return entry ``i`` at ``base`` and those after it."""
        b = self.code.builder
        place = b.inttoptr(self.address(base, i).value, ir.PointerType(self.kind))
        return Number(self.code, b.load(place, align=self.size))

    def store(self, base: Number, i: Number | int, x: Number) -> None:
        """Set entry ``i`` at ``base`` and those after it."""
        b = self.code.builder
        place = b.inttoptr(self.address(base, i).value, ir.PointerType(self.kind))
        b.store(x.value, place, align=self.size)

    def copy(self, source: Number, place: Number, n: int) -> None:
        """Put the ``n`` entries from ``source`` on to ``place``."""
        b, kind = self.code.builder, ir.PointerType(ir.VectorType(self.code.real, n))
        x = b.load(b.inttoptr(source.value, kind), align=self.size)
        b.store(x, b.inttoptr(place.value, kind), align=self.size)

    def fetch(self, base: Number, i: Number | int) -> None:
        """Let entry ``i`` at ``base`` come near: it will be loaded soon.  Any address will do."""
        pointer, module = ir.PointerType(I8), self.code.function.module
        kind = ir.FunctionType(ir.VoidType(), [pointer, I32, I32, I32])
        name = "llvm.prefetch.p0"
        f = module.globals.get(name) or ir.Function(module, kind, name)
        place = self.code.builder.inttoptr(self.address(base, i).value, pointer)
        to_read, second_level, data = (ir.Constant(I32, n) for n in (0, 2, 1))
        self.code.builder.call(f, [place, to_read, second_level, data])

    def fetch_line(self, base: Number, i: Number | int, n: int) -> None:
        """Let ``n`` entries from ``i`` on come near."""
        for k in range(0, n * self.size + LINE, LINE):
            self.fetch(base, self.code.lift(i, I64) + k // self.size)

    def spread(self, x: Number) -> Number:
        """Return ``x`` in every lane."""
        none = ir.Constant(self.kind, ir.Undefined)
        one = self.code.builder.insert_element(none, x.value, ir.Constant(I32, 0))
        return self._picked(Number(self.code, one), Number(self.code, none), [0] * self.lanes)

    def transposed(self, rows: Sequence[Number]) -> list[Number]:
        """Return the columns of a square of as many vectors as these have lanes.

        Blocks of two times two change places, blocks of four times four, ...
        """
        n, found = self.lanes, list(rows)
        for step in (2**k for k in range(n.bit_length() - 1)):
            low = [n + k - step if k & step else k for k in range(n)]
            high = [n + k if k & step else k + step for k in range(n)]
            for i in (i for i in range(n) if not i & step):
                x, y = found[i], found[i + step]
                found[i], found[i + step] = self._picked(x, y, low), self._picked(x, y, high)
        return found

    def _picked(self, x: Number, y: Number, which: Sequence[int]) -> Number:
        """Return lanes of ``x`` and, numbered on, of ``y``."""
        mask = ir.Constant(ir.VectorType(I32, self.lanes), list(which))
        return Number(self.code, self.code.builder.shuffle_vector(x.value, y.value, mask))
