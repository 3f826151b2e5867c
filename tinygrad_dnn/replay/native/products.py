"""Products of matrices: OUT - s A B, block by block.

A block of B is put into panels, each a strip of some vectors; a block of A too, unless it lies in
the order in which it is read.  Then some rows times each of these strips are added up in registers.
What comes next is fetched meanwhile: so a product waits for memory less than BLAS's does.  A block
of A is large: it is read in order, so it need not be near, and the deeper it is the less often OUT
is fetched.
"""

from collections.abc import Sequence
from typing import NamedTuple

from llvmlite import ir

from tinygrad_dnn.replay.native.code import I8, I32, I64, Code, Number
from tinygrad_dnn.replay.native.frame import Array, Frame
from tinygrad_dnn.replay.native.panels import Panels, Side
from tinygrad_dnn.replay.native.vectors import LINE, Vectors

DEPTH, HEIGHT = 8, 1024  # of a block of A: inner entries for a byte of a vector, rows
TALL = 48  # rows of a panel of A: several times those in registers, and whole vectors
FEW = 128  # rows: up to here much of the time goes to reading B, which is best done evenly


class _Shape(NamedTuple):
    """What is in registers: rows, one of ``heights``, of vectors, so many ``abreast``.

    A block of B has ``strips`` of these vectors.
    """

    heights: tuple[int, ...]
    abreast: int
    strips: int


def _shapes(width: int) -> dict[str, _Shape]:
    """Return the shapes for few rows and for many: there are 32 vectors of 64 bytes, else 16."""
    if width == 64:
        return {"few": _Shape((1, 2, 4, 6, 8), 2, 1), "many": _Shape((2, 6), 4, 4)}
    return {"few": _Shape((1, 2, 4, 6), 2, 1), "many": _Shape((2, 6), 2, 4)}


def product(frame: Frame) -> None:
    """OUT = A B, of matrices (rows, inner) and (inner, columns), where the number C is -1."""
    _blocks(frame, new=True)


def update(frame: Frame) -> None:
    """OUT = OUT - s A B, where s is the number C."""
    _blocks(frame, new=False)


def work(rows: int, inner: int, size: int, width: int) -> int:
    """Return the bytes of the panels: for floats of ``size`` bytes, in vectors of ``width``."""
    lanes, tall = width // size, -(-min(rows, HEIGHT) // TALL) * TALL
    block = max(shape.strips * shape.abreast for shape in _shapes(width).values()) * lanes
    return min(inner, DEPTH * width) * (block + tall) * size


def _blocks(frame: Frame, *, new: bool) -> None:
    """Go through the blocks, in the shape that suits; if OUT is ``new`` it is not read."""
    code, known = frame.code, frame.code.function.module.globals
    for name, shape in _shapes(code.width).items():
        if name not in known:
            shared = Code(code.function.module, name, 3, code.real, code.width)
            shared.function.attributes.add("noinline")
            _Blocks(Frame(shared), shape, shared.arguments[2] != 0).write()
            shared.finish()
    arguments = [frame.row.value, frame.slots.value, ir.Constant(I64, int(new))]
    code.choose(
        frame.rows <= FEW,
        lambda: code.builder.call(known["few"], arguments),
        lambda: code.builder.call(known["many"], arguments),
    )


class _Tile(NamedTuple):
    """Rows of A times a strip of B, to be added up where OUT has its ``corner``."""

    corner: Number
    a: Side
    b: Number
    sizes: tuple[Number, Number, Number]  # rows, columns, inner length
    new: Number  # is there nothing to add to?
    ahead: Number  # how many entries of the rows below are to be fetched


class _Blocks:
    """The code that both kernels share."""

    def __init__(self, frame: Frame, shape: _Shape, new: Number) -> None:
        self.frame, self.code, self.vectors = frame, frame.code, Vectors(frame.code)
        self.shape, self.high = shape, shape.heights[-1]
        self.strip = shape.abreast * self.vectors.lanes
        self.new, self.scale = new, self.vectors.spread(-frame.c.get(0, 0, 0))
        self.edge = frame.code.room(self.high * self.strip)

    def write(self) -> None:
        """Go through the blocks of A, and the blocks of B that go with each."""
        frame, code, vectors = self.frame, self.code, self.vectors
        block, deep = self.shape.strips * self.strip, DEPTH * code.width
        a = Side(frame.a.base, frame.a.rs, frame.a.cs)
        b = Side(frame.b.base, frame.b.cs, frame.b.rs)
        with code.loop(frame.inner, deep) as k, code.loop(frame.rows, HEIGHT) as i:
            depth, height = (frame.inner - k).smaller(deep), (frame.rows - i).smaller(HEIGHT)
            of_b = Panels(vectors, frame.helper, self.strip, depth)
            of_a = Panels(vectors, vectors.address(of_b.base, depth * block), TALL, depth)
            side, in_order = a.block(vectors, i, k), a.ks == 1
            rows, apart = self._rows(side, in_order, of_a, height)
            with code.loop(frame.columns, block) as j:
                wide = (frame.columns - j).smaller(block)
                of_b.fill(b.block(vectors, j, k), wide, b.qs * self.strip)
                with (
                    code.loop(height, TALL) as above,
                    code.loop((height - above).smaller(TALL), self.high) as below,
                    code.loop(wide, self.strip) as right,
                ):
                    left = (height - above - below).smaller(self.high)
                    base = vectors.address(rows.base, above * apart + below * rows.qs)
                    row = i + above + below
                    tile = _Tile(
                        vectors.address(frame.out.base, row * frame.out.rs + j + right),
                        rows._replace(base=base),
                        of_b.at(right),
                        (left, (wide - right).smaller(self.strip), depth),
                        self.new & (k == 0),
                        (in_order & (right == 0)).select(depth, 0),
                    )
                    self._some_rows(tile, self.shape.heights)

    def _rows(self, side: Side, in_order: Number, panels: Panels, n: Number) -> tuple[Side, Number]:
        """Return the rows of A to be read: from ``panels`` if those of ``side`` are not in order.

        And how far apart panels are, for each row that they have.
        """
        self.code.choose(in_order, lambda: None, lambda: panels.copied(side, n))
        base, qs = in_order.select(side.base, panels.base), in_order.select(side.qs, 1)
        rows = Side(base, qs, in_order.select(side.ks, panels.width))
        return rows, in_order.select(side.qs, panels.depth)

    def _some_rows(self, tile: _Tile, heights: Sequence[int]) -> None:
        """Add up all rows: in the lowest of ``heights`` that suffices."""
        height, *higher = heights
        if not higher:
            self._summed(tile, height)
            return
        self.code.choose(
            tile.sizes[0] <= height,
            lambda: self._summed(tile, height),
            lambda: self._some_rows(tile, higher),
        )

    def _summed(self, tile: _Tile, height: int) -> None:
        code, vectors, lanes, rs = self.code, self.vectors, self.vectors.lanes, self.frame.out.rs
        (left, width, depth), abreast = tile.sizes, self.shape.abreast
        zero = vectors.spread(code.lift(0.0))
        sums = [[code.variable(zero) for _ in range(abreast)] for _ in range(height)]
        # a row too many is the last one again: nobody will look there
        lines = [
            vectors.address(tile.a.base, tile.a.qs * (left - 1).smaller(r)) for r in range(height)
        ]
        for r in range(height):
            vectors.fetch_line(tile.corner, rs * r, self.strip)
        if self.shape.strips > 1 and height == self.high:
            with code.loop(tile.ahead, LINE // vectors.size) as k:
                for r in range(height):
                    vectors.fetch(tile.a.base, tile.a.qs * (height + r) + k)
        with code.loop(depth) as k:
            b = [vectors.load(tile.b, k * self.strip + n * lanes) for n in range(abreast)]
            for r in range(height):
                a = vectors.spread(code.load(lines[r], k * tile.a.ks, stored=True))
                for total, y in zip(sums[r], b, strict=True):
                    total.set(total.get() + a * y)
        places = [
            (r, n * lanes, self.scale * total.get())
            for r in range(height)
            for n, total in enumerate(sums[r])
        ]

        def whole() -> None:
            for i, n, x in places:
                at = rs * i + n
                before = tile.new.select(zero, vectors.load(tile.corner, at))
                vectors.store(tile.corner, at, before + x)

        def at_the_edge() -> None:
            for i, n, x in places:
                vectors.store(self.edge, i * self.strip + n, x)
            with code.loop(left) as r, code.loop(width) as j:
                at = rs * r + j
                before = tile.new.select(0.0, code.load(tile.corner, at, stored=True))
                x = code.load(self.edge, r * self.strip + j, stored=True)
                code.store(tile.corner, at, before + x)

        code.choose((left == height) & (width == self.strip), whole, at_the_edge)


# ---- BLAS --------------------------------------------------------------------------------------
def blas_product(frame: Frame) -> None:
    """OUT = A B, by BLAS."""
    _gemm(frame, frame.code.lift(1.0), frame.code.lift(0.0))


def blas_update(frame: Frame) -> None:
    """OUT = OUT - s A B, by BLAS, where s is the number C."""
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
        frame.helper,
        (tb, I8), (ta, I8), (frame.columns, I32), (frame.rows, I32), (frame.inner, I32),
        (scale, real), frame.b.base, (ldb, I32), frame.a.base, (lda, I32),
        (beta, real), frame.out.base, (ldc, I32),
    )  # fmt: skip
