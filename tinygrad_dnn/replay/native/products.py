"""Products of matrices: OUT - s A B, block by block.

A block of A, and one strip of the block of B that goes with it, are put into panels; then some rows
times the strip are added up in registers.  Meanwhile the next strip is fetched: so a product with
few rows, or few columns, waits for memory less than BLAS's does.  A block is large: it is read in
order, so it need not be near, and the deeper it is the less often OUT is fetched.
"""

from collections.abc import Sequence

from tinygrad_dnn.replay.native.code import I8, I32, Number
from tinygrad_dnn.replay.native.frame import Array, Frame
from tinygrad_dnn.replay.native.panels import Panels, Side
from tinygrad_dnn.replay.native.vectors import Vectors

STRIP = 2  # vectors side by side in a strip
DEPTH, HEIGHT = 8, 1024  # of a block of A: inner entries for a byte of a vector, rows


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
    lanes, high = width // size, heights(width)[-1]
    tall = -(-min(rows, HEIGHT) // high) * high
    return (min(inner, DEPTH * width) * (STRIP * lanes + tall) + lanes) * size


def heights(width: int) -> tuple[int, ...]:
    """Return how many rows are added up in registers, for vectors of ``width`` bytes."""
    return (1, 2, 4, 6, 8, 12) if width == 64 else (1, 2, 4, 6)


class _Update:
    """The code of ``update``."""

    def __init__(self, frame: Frame) -> None:
        self.frame, self.code, self.vectors = frame, frame.code, Vectors(frame.code)
        self.heights = heights(frame.code.width)
        self.high, self.strip = self.heights[-1], STRIP * self.vectors.lanes
        self.deep = DEPTH * frame.code.width
        self.scale = self.vectors.spread(-frame.c.get(0, 0, 0))
        self.edge = frame.code.room(self.high * self.strip)

    def blocks(self) -> None:
        """Go through the blocks of A, and the strips that go with each."""
        frame, code, vectors, strip = self.frame, self.code, self.vectors, self.strip
        a = Side(frame.a.base, frame.a.rs, frame.a.cs)
        b = Side(frame.b.base, frame.b.cs, frame.b.rs)
        with code.loop(frame.inner, self.deep) as k, code.loop(frame.rows, HEIGHT) as i:
            depth, height = (frame.inner - k).smaller(self.deep), (frame.rows - i).smaller(HEIGHT)
            of_b = Panels(vectors, frame.helper, strip, depth)
            of_a = Panels(vectors, vectors.address(of_b.base, depth * strip), self.high, depth)
            of_a.fill(a.block(vectors, i, k), height)
            with code.loop(frame.columns, strip) as j:
                width = (frame.columns - j).smaller(strip)
                more = j + strip < frame.columns
                ahead = more.select(b.qs * strip, b.ks * self.deep - b.qs * j)
                of_b.fill(b.block(vectors, j, k), width, ahead)
                with code.loop(height, self.high) as r:
                    left = (height - r).smaller(self.high)
                    corner = vectors.address(frame.out.base, (i + r) * frame.out.rs + j)
                    panels, sizes = (of_a.at(r), of_b.base), (left, width, depth)
                    self.some_rows(corner, panels, sizes, self.heights)

    def some_rows(
        self,
        corner: Number,
        panels: tuple[Number, Number],
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
        panels: tuple[Number, Number],
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
            b = [vectors.load(of_b, k * self.strip + n * lanes) for n in range(STRIP)]
            for r in range(height):
                a = vectors.spread(code.load(of_a, k * self.high + r, stored=True))
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
