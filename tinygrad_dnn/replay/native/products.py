"""Products of matrices: OUT - s A B, block by block.

A block of A, and one strip of the block of B that goes with it, are put into panels; then some rows
times the strip are added up in registers.  Meanwhile the next strip is fetched: so a product with
few rows, or few columns, waits for memory less than BLAS's does.
"""

from collections.abc import Sequence

from tinygrad_dnn.replay.native.code import I8, I32, Number
from tinygrad_dnn.replay.native.frame import Array, Frame
from tinygrad_dnn.replay.native.panels import STRIP, Panel, Side
from tinygrad_dnn.replay.native.vectors import Vectors

DEPTH, HEIGHT = 192, 384  # of a block of A: inner entries, rows


def product(frame: Frame) -> None:
    """OUT = A B, of matrices (rows, inner) and (inner, columns): the update of zeros, C = -1."""
    code = frame.code
    with code.loop(frame.rows) as r, code.loop(frame.columns) as j:
        frame.out.set(r, j, code.lift(0.0))
    update_ = code.function.module.globals["update"]
    code.builder.call(update_, [frame.row.value, frame.slots.value])


def update(frame: Frame) -> None:
    """OUT = OUT - s A B, where s is the number C."""
    frame.code.function.attributes.add("noinline")
    _Update(frame).blocks()


def work(rows: int, inner: int, size: int, width: int) -> int:
    """Return the bytes of the panels: for floats of ``size`` bytes, in vectors of ``width``."""
    lanes = width // size
    high = min(-(-rows // lanes) * lanes, HEIGHT)
    return min(inner, DEPTH) * (high + STRIP * lanes) * size


class _Update:
    """The code of ``update``."""

    def __init__(self, frame: Frame) -> None:
        self.frame, self.code, self.vectors = frame, frame.code, Vectors(frame.code)
        self.heights = (1, 2, 4, 6, 8, 12) if frame.code.width == 64 else (1, 2, 4, 6)
        self.strip = STRIP * self.vectors.lanes
        self.scale = self.vectors.spread(-frame.c.get(0, 0, 0))
        self.edge = frame.code.room(self.heights[-1] * self.strip)

    def blocks(self) -> None:
        """Go through the blocks of A, and the strips that go with each."""
        frame, code, vectors, strip = self.frame, self.code, self.vectors, self.strip
        a = Side(frame.a.base, frame.a.rs, frame.a.cs)
        b = Side(frame.b.base, frame.b.cs, frame.b.rs)
        high = ((frame.rows + (vectors.lanes - 1)) & -vectors.lanes).smaller(HEIGHT)
        of_a = Panel(vectors, frame.helper, high)
        after = vectors.address(frame.helper, frame.inner.smaller(DEPTH) * high)
        of_b = Panel(vectors, after, code.whole(strip))
        with code.loop(frame.inner, DEPTH) as k, code.loop(frame.rows, HEIGHT) as i:
            depth, height = (frame.inner - k).smaller(DEPTH), (frame.rows - i).smaller(HEIGHT)
            of_a.fill(a.block(vectors, i, k), height, depth)
            with code.loop(frame.columns, strip) as j:
                width = (frame.columns - j).smaller(strip)
                more = j + strip < frame.columns
                ahead = more.select(b.qs * strip, b.ks * DEPTH - b.qs * j)
                of_b.fill(b.block(vectors, j, k), width, depth, ahead)
                with code.loop(height, self.heights[-1]) as r:
                    rows = Panel(vectors, vectors.address(of_a.base, r), high)
                    left = (height - r).smaller(self.heights[-1])
                    corner = vectors.address(frame.out.base, (i + r) * frame.out.rs + j)
                    self.some_rows(corner, (rows, of_b), (left, width, depth), self.heights)

    def some_rows(
        self,
        corner: Number,
        panels: tuple[Panel, Panel],
        sizes: tuple[Number, Number, Number],
        heights: Sequence[int],
    ) -> None:
        """Update some rows of a strip: in the lowest of ``heights`` that suffices."""
        height, *higher = heights
        if not higher:
            self._summed(corner, panels, sizes, height)
            return
        self.code.choose(
            sizes[0] <= height,
            lambda: self._summed(corner, panels, sizes, height),
            lambda: self.some_rows(corner, panels, sizes, higher),
        )

    def _summed(
        self,
        corner: Number,
        panels: tuple[Panel, Panel],
        sizes: tuple[Number, Number, Number],
        height: int,
    ) -> None:
        code, vectors, lanes = self.code, self.vectors, self.vectors.lanes
        (of_a, of_b), (left, width, depth) = panels, sizes
        zero = vectors.spread(code.lift(0.0))
        sums = [[code.variable(zero) for _ in range(STRIP)] for _ in range(height)]
        for r in range(height):
            vectors.fetch_line(corner, self.frame.out.rs * r, self.strip)
        with code.loop(depth) as k:
            b = [vectors.load(of_b.base, k * of_b.width + n * lanes) for n in range(STRIP)]
            for r in range(height):
                a = vectors.spread(code.load(of_a.base, k * of_a.width + r, stored=True))
                for total, y in zip(sums[r], b, strict=True):
                    total.set(total.get() + a * y)
        places = [(r, n * lanes, sums[r][n].get()) for r in range(height) for n in range(STRIP)]

        def whole() -> None:
            for i, n, x in places:
                at = self.frame.out.rs * i + n
                vectors.store(corner, at, vectors.load(corner, at) + self.scale * x)

        def at_the_edge() -> None:
            for i, n, x in places:
                vectors.store(self.edge, i * self.strip + n, self.scale * x)
            with code.loop(left) as r, code.loop(width) as j:
                at = self.frame.out.rs * r + j
                x = code.load(self.edge, r * self.strip + j, stored=True)
                code.store(corner, at, code.load(corner, at, stored=True) + x)

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
