"""Panels: blocks of a matrix, rearranged into the order in which a product reads them.

A side of a product is a matrix of entries (q, k), where k is the index that is summed over.  A
panel has ``width`` values of q; there those of all q for one k lie side by side.  One panel comes
after the other.
"""

from collections.abc import Callable
from typing import NamedTuple

from tinygrad_dnn.replay.native.code import Number
from tinygrad_dnn.replay.native.vectors import Vectors

TOGETHER = 8  # values of k that are copied into one panel before the next has its turn


class Side(NamedTuple):
    """Entry (q, k) is at ``base``, q qs + k ks entries on."""

    base: Number
    qs: Number
    ks: Number

    def block(self, vectors: Vectors, q: Number, k: Number) -> "Side":
        """Return what begins at (q, k)."""
        return self._replace(base=vectors.address(self.base, q * self.qs + k * self.ks))


class Panels:
    """Panels at ``base``, of ``width`` values of q and ``depth`` values of k each."""

    def __init__(self, vectors: Vectors, base: Number, width: int, depth: Number) -> None:
        self.code, self.vectors = vectors.code, vectors
        self.base, self.width, self.depth = base, width, depth

    def at(self, q: Number) -> Number:
        """Return where the panel that begins with ``q`` is."""
        return self.vectors.address(self.base, q * self.depth)

    def fill(self, side: Side, n: Number, ahead: Number | None = None) -> None:
        """Put there all q < n.  What lies ``ahead`` of them is wanted next."""
        self.code.choose(
            (side.ks == 1) & (n > 1),
            lambda: self._turned(side, n, ahead),
            lambda: self.copied(side, n, ahead),
        )

    def _turned(self, side: Side, n: Number, ahead: Number | None) -> None:
        """Do it where the k lie side by side: turn square by square, whole ones in a panel."""
        code, vectors, lanes = self.code, self.vectors, self.vectors.lanes
        squares = self.depth & -lanes
        with code.loop(n, self.width) as first:
            last = (n - first).smaller(self.width) - 1
            with code.loop(last + 1, lanes) as q:
                place = vectors.address(self.at(first), q)
                # after the last one comes that one again: nobody will look there
                lines = [(first + (q + i).smaller(last)) * side.qs for i in range(lanes)]
                with code.loop(squares, lanes) as k:
                    square = [vectors.load(side.base, line + k) for line in lines]
                    if ahead is not None:
                        for line in lines:
                            vectors.fetch(side.base, line + k + ahead)
                    for i, x in enumerate(vectors.transposed(square)):
                        vectors.store(place, (k + i) * self.width, x)
                with code.loop(self.depth - squares) as rest:
                    k = rest + squares
                    for i, line in enumerate(lines):
                        x = code.load(side.base, line + k, stored=True)
                        code.store(place, k * self.width + i, x)

    def copied(self, side: Side, n: Number, ahead: Number | None = None) -> None:
        """Put all q < n there, where the q lie side by side, or nothing does."""
        code, vectors = self.code, self.vectors
        with code.loop(self.depth, TOGETHER) as above, code.loop(n, self.width) as first:
            left = (n - first).smaller(self.width)

            def lines(copy: Callable[[Number, Number], None]) -> None:
                with code.loop((self.depth - above).smaller(TOGETHER)) as below:
                    k = above + below
                    source = vectors.address(side.base, k * side.ks + first * side.qs)
                    if ahead is not None:
                        vectors.fetch_line(source, ahead, self.width)
                    copy(source, vectors.address(self.at(first), k * self.width))

            code.choose(
                (side.qs == 1) & (left == self.width),
                lambda: lines(lambda source, place: vectors.copy(source, place, self.width)),
                lambda: lines(lambda source, place: self._some(source, place, side.qs, left)),
            )

    def _some(self, source: Number, place: Number, qs: Number, n: Number) -> None:
        """Copy ``n`` values for one k."""
        code, vectors = self.code, self.vectors
        whole = (qs == 1).select(n & -vectors.lanes, 0)
        with code.loop(whole, vectors.lanes) as q:
            vectors.store(place, q, vectors.load(source, q))
        with code.loop(n - whole) as rest:
            q = rest + whole
            code.store(place, q, code.load(source, q * qs, stored=True))
