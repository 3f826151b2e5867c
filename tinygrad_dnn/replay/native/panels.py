"""Panels: blocks of a matrix, rearranged into the order in which a product reads them.

A side of a product is a matrix of entries (q, k), where k is the index that is summed over.  In a
panel of it those of all q for one k lie side by side.
"""

from collections.abc import Callable
from typing import NamedTuple

from tinygrad_dnn.replay.native.code import Number
from tinygrad_dnn.replay.native.vectors import Vectors

STRIP = 2  # vectors side by side in a panel of B


class Side(NamedTuple):
    """Entry (q, k) is at ``base``, q qs + k ks entries on."""

    base: Number
    qs: Number
    ks: Number

    def block(self, vectors: Vectors, q: Number, k: Number) -> "Side":
        """Return what begins at (q, k)."""
        return self._replace(base=vectors.address(self.base, q * self.qs + k * self.ks))


class Panel:
    """Entry (q, k) is at ``base``, q + k width entries on."""

    def __init__(self, vectors: Vectors, base: Number, width: Number) -> None:
        self.code, self.vectors = vectors.code, vectors
        self.base, self.width = base, width

    def fill(self, side: Side, n: Number, depth: Number, ahead: Number | None = None) -> None:
        """Put there all q < n and k < depth.  What lies ``ahead`` of them is wanted next."""
        self.code.choose(
            (side.ks == 1) & (n > 1),
            lambda: self._turned(side, n, depth, ahead),
            lambda: self._copied(side, n, depth, ahead),
        )

    def _turned(self, side: Side, n: Number, depth: Number, ahead: Number | None) -> None:
        """Do it where the k lie side by side: turn square by square."""
        code, vectors = self.code, self.vectors
        squares = depth & -vectors.lanes
        with code.loop(n, vectors.lanes) as q:
            # after the last one comes that one again: nobody will look there
            lines = [(q + i).smaller(n - 1) * side.qs for i in range(vectors.lanes)]
            with code.loop(squares, vectors.lanes) as k:
                square = [vectors.load(side.base, line + k) for line in lines]
                if ahead is not None:
                    for line in lines:
                        vectors.fetch(side.base, line + k + ahead)
                for i, x in enumerate(vectors.transposed(square)):
                    vectors.store(self.base, (k + i) * self.width + q, x)
            with code.loop(depth - squares) as rest:
                k = rest + squares
                for i, line in enumerate(lines):
                    x = code.load(side.base, line + k, stored=True)
                    code.store(self.base, k * self.width + q + i, x)

    def _copied(self, side: Side, n: Number, depth: Number, ahead: Number | None) -> None:
        """Do it where the q lie side by side, or nothing does."""
        code, vectors = self.code, self.vectors
        strip = STRIP * vectors.lanes
        vectors_of_q = (side.qs == 1).select(n & -vectors.lanes, 0)

        def all_of_a_strip(k: Number) -> None:
            row = [vectors.load(side.base, k * side.ks + q) for q in range(0, strip, vectors.lanes)]
            for i, x in enumerate(row):
                vectors.store(self.base, k * self.width + i * vectors.lanes, x)

        def some(k: Number) -> None:
            with code.loop(vectors_of_q, vectors.lanes) as q:
                x = vectors.load(side.base, k * side.ks + q)
                vectors.store(self.base, k * self.width + q, x)
            with code.loop(n - vectors_of_q) as rest:
                q = rest + vectors_of_q
                x = code.load(side.base, k * side.ks + q * side.qs, stored=True)
                code.store(self.base, k * self.width + q, x)

        def lines(copy: Callable[[Number], None]) -> None:
            with code.loop(depth) as k:
                if ahead is not None:
                    vectors.fetch_line(side.base, k * side.ks + ahead, strip)
                copy(k)

        code.choose(
            (vectors_of_q == n) & (n == strip),
            lambda: lines(all_of_a_strip),
            lambda: lines(some),
        )
