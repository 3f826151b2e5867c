"""Memory: where every value of a program lives, decided once.

A *buffer* is a stretch of one arena; it is given away again when its value, and every view of it,
has been read for the last time.  What an elementwise call computes may take the place of an
argument that is read there for the last time, and what is left in a live place is written straight
there, if what was there before is not read any more.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import numpy as np

from tinygrad_dnn.graph import Node, data_of
from tinygrad_dnn.replay.fusion import FUSED
from tinygrad_dnn.replay.passes import is_elementwise
from tinygrad_dnn.replay.program import Program, State
from tinygrad_dnn.replay.reductions import is_reduction

ALIGNMENT = 64


@dataclass
class Memory:
    """``arrays`` has the fixed array of a node; other nodes are made anew in every replay."""

    arrays: dict[Node, np.ndarray]
    views: set[Node]  # of a fixed array, and so fixed themselves
    copies: list[State]  # live places that could not be written straight
    arena: np.ndarray
    reused: dict[Node, Node] = field(default_factory=dict)  # a value -> the argument it replaces
    numbers: dict[tuple[Any, Any], np.ndarray] = field(default_factory=dict)
    staged: dict[Node, np.ndarray] = field(default_factory=dict)  # inputs that are copied first
    moving: dict[Node, np.ndarray] = field(default_factory=dict)  # inputs read where they are
    slots: np.ndarray = field(default_factory=lambda: np.zeros(1, np.int64))  # their addresses
    work: np.ndarray = field(default_factory=lambda: np.empty(0, np.uint8))  # what one call needs

    def number(self, a: Any, dtype: Any) -> np.ndarray:
        """Return the array of one number in which ``a``, a number or its node, is kept."""
        key = (a if isinstance(a, Node) else repr(a)), dtype  # -0.0 is not 0.0
        if key not in self.numbers:
            self.numbers[key] = np.array(data_of(a), dtype)
        return self.numbers[key]


def end_to_end(*arrays: np.ndarray) -> np.ndarray:
    """Return the entries of ``arrays`` in a row: a plan computes them where they are needed."""
    return np.concatenate([np.ravel(a) for a in arrays])


def aligned(size: int) -> np.ndarray:
    """Return ``size`` bytes that begin where a line of memory does."""
    room = np.empty(size + ALIGNMENT, np.uint8)
    return room[-room.ctypes.data % ALIGNMENT :][:size]


def takes_out(call: Node, written: Sequence[Any] = ()) -> bool:
    """Say if ``call`` can write its result into an array that is there, as ``written`` all can."""
    if not isinstance(call.value, np.ndarray) or call.value.dtype.hasobject:
        return False  # objects are no bytes
    return (
        is_elementwise(call)
        or is_reduction(call)
        or call.fn in (np.matmul, np.copy, np.astype, *FUSED, *written)
    )


def planned(program: Program, stage: int | None = None, written: Sequence[Any] = ()) -> Memory:
    """Return where the values of ``program`` live.

    With ``stage`` inputs have a place too, those of at most so many bytes are copied there.  The
    functions ``written`` are those besides NumPy's usual ones that can write into an array.
    """
    return _Planner(program, stage, written).memory()


class _Planner:
    def __init__(self, program: Program, stage: int | None, written: Sequence[Any]) -> None:
        self.program, self.written = program, written
        arrays = {n: n.value for n in program.inputs if isinstance(n.value, np.ndarray)}
        large = {n: a for n, a in arrays.items() if stage is None or a.nbytes > stage}
        self.staged = {n: np.empty_like(a) for n, a in arrays.items() if n not in large}
        self.moving = large if stage is not None else {}
        self.owner = _owners(program)
        self.position: dict[Node, int] = {call: i for i, call in enumerate(program.calls)}
        self.last = self._last_uses()
        self.place: dict[Node, Any] = {}  # owner -> the leaf whose memory it takes, or an offset
        self.reused: dict[Node, Node] = {}
        self.inside: dict[Node, tuple[Node, int]] = {}  # an array -> the row it is in, and where
        for row in (c for c in program.calls if c.fn is end_to_end):
            ends = accumulate(a.value.nbytes for a in row.parents)
            self.inside |= {
                a: (row, end - a.value.nbytes) for a, end in zip(row.parents, ends, strict=True)
            }
        self.free = _Intervals()

    def memory(self) -> Memory:
        states = {s.after: s for s in self.program.written}
        direct = {after: s for after, s in states.items() if self._can_be_written_straight(s)}
        ending: dict[int, list[Node]] = {}
        for owner, end in self.last.items():
            ending.setdefault(end, []).append(owner)
        for i, call in enumerate(self.program.calls):
            if self.owner[call] is call and takes_out(call, self.written):
                self._assign(i, call, direct)
            for owner in ending.get(i, ()):
                if self.last[owner] == i and isinstance(self.place.get(owner), int):
                    self.free.give(self.place[owner], _size(owner.value))
        arena = aligned(self.free.top)
        copies = [s for s in self.program.written if s.after not in direct and s.is_array]
        arrays, views = self._arrays(arena)
        slots = np.zeros(1 + len(self.moving), np.int64)
        return Memory(
            arrays, views, copies, arena, self.reused, {}, self.staged, self.moving, slots
        )

    def _assign(self, i: int, call: Node, direct: dict[Node, State]) -> None:
        """Give ``call`` the memory for its result."""
        if call in direct:
            self.place[call] = direct[call].before
            return
        if call in self.inside:
            row, offset = self.inside[call]
            if row not in self.place:
                self.place[row] = self.free.take(_size(row.value))
            self.place[call] = self.place[row] + offset
            self.last[call] = -1  # it is the row that is free one day
            return
        if is_elementwise(call):
            for a in call.parents:
                if self._gives_way(a, call, i):
                    self.place[call] = self.place[a]
                    self.last[a] = -1  # it is not free, it is the result's now
                    self.reused[call] = a
                    return
        self.place[call] = self.free.take(_size(call.value))

    def _gives_way(self, a: Node, call: Node, i: int) -> bool:
        """Say if the result of ``call`` may be written where its argument ``a`` is."""
        return (
            self.owner[a] is a
            and isinstance(self.place.get(a), int)
            and self.last[a] == i
            and a.value.shape == call.value.shape
            and a.value.dtype == call.value.dtype
            and a.value.strides == call.value.strides
            and a.value.size > 1  # to overwrite one number NumPy takes the long way
            and not any(self.owner[b] is a for b in call.parents if b is not a)
        )

    def _can_be_written_straight(self, s: State) -> bool:
        after, before = s.after, s.before
        if not (s.is_array and takes_out(after, self.written) and self.owner[after] is after):
            return False
        if after.value.shape != before.value.shape or after.value.dtype != before.value.dtype:
            return False
        at = self.position[after]
        inside = [a for a in after.parents if self.owner.get(a) is before]
        if self.last.get(before, -1) > at or not all(a is before for a in inside):
            return False
        in_place = is_elementwise(after) or (after.fn in FUSED and before not in after.args[1:])
        return in_place or not inside

    def _last_uses(self) -> dict[Node, int]:
        """Return the position of the last call that reads each owner's memory."""
        last: dict[Node, int] = {}
        for i, call in enumerate(self.program.calls):
            last[self.owner[call]] = i
            for a in call.parents:
                last[self.owner[a]] = i
        for end in self.program.ends:
            if end in self.owner:
                last[self.owner[end]] = len(self.program.calls)
        return last

    def _arrays(self, arena: np.ndarray) -> tuple[dict[Node, np.ndarray], set[Node]]:
        """Return the fixed arrays: of leaves that stay, of buffers, and of views of these."""
        views: set[Node] = set()
        arrays: dict[Node, np.ndarray] = {
            s.before: s.before.value for s in self.program.state if s.is_array
        } | self.staged
        live = self.program.live
        for call in self.program.calls:
            for a in call.parents:
                if not a.fn and a not in live and isinstance(a.value, np.ndarray):
                    arrays[a] = a.value
            if call in self.place:
                if call.fn is end_to_end:
                    views.add(call)
                place = self.place[call]
                arrays[call] = (
                    arrays[place] if isinstance(place, Node) else _within(arena, place, call.value)
                )
            elif (
                self.owner[call] is not call
                and isinstance(call.value, np.ndarray)
                and all(a in arrays for a in call.parents)
            ):
                view = call.fn(
                    *[arrays[a] if isinstance(a, Node) else a for a in call.args], **call.kwargs
                )
                if any(np.may_share_memory(view, arrays[a]) for a in call.parents):
                    arrays[call] = view
                    views.add(call)
        return arrays, views


def _owners(program: Program) -> dict[Node, Node]:
    """Return for every node the one whose memory it lies in, itself if it is no view."""
    owner: dict[Node, Node] = {}
    for call in program.calls:
        for a in call.parents:
            owner.setdefault(a, a)
        owner[call] = call if call.base is None else owner[call.base]
    for s in program.state:
        owner.setdefault(s.before, s.before)
    return owner


def _size(value: np.ndarray) -> int:
    return -(-max(value.nbytes, 1) // ALIGNMENT) * ALIGNMENT


def _within(arena: np.ndarray, offset: int, like: np.ndarray) -> np.ndarray:
    """Return the array at ``offset``, with shape, dtype and order of axes of ``like``."""
    if like.flags.c_contiguous:
        return np.ndarray(like.shape, like.dtype, arena, offset)
    axes = sorted(range(like.ndim), key=lambda i: -like.strides[i])
    dense = np.ndarray([like.shape[i] for i in axes], like.dtype, arena, offset)
    return dense.transpose(np.argsort(axes))


class _Intervals:
    """The free stretches of an arena that grows at its end; two of them never touch."""

    def __init__(self) -> None:
        self.top = 0
        self._sizes: list[tuple[int, int]] = []  # (size, offset), sorted
        self._starts: dict[int, int] = {}  # offset -> size
        self._ends: dict[int, int] = {}  # end -> offset

    def take(self, size: int) -> int:
        """Return the offset of the smallest free stretch that is large enough."""
        at = bisect_left(self._sizes, (size, 0))
        if at < len(self._sizes):
            found, offset = self._sizes[at]
            self._remove(offset)
            if found > size:
                self._insert(offset + size, found - size)
            return offset
        offset = self._ends.get(self.top, self.top)  # what is free at the end grows
        if offset < self.top:
            self._remove(offset)
        self.top = offset + size
        return offset

    def give(self, offset: int, size: int) -> None:
        """Make a stretch free again."""
        if (before := self._ends.get(offset)) is not None:
            size += self._remove(before)
            offset = before
        if offset + size in self._starts:
            size += self._remove(offset + size)
        self._insert(offset, size)

    def _insert(self, offset: int, size: int) -> None:
        insort(self._sizes, (size, offset))
        self._starts[offset], self._ends[offset + size] = size, offset

    def _remove(self, offset: int) -> int:
        size = self._starts.pop(offset)
        del self._ends[offset + size]
        del self._sizes[bisect_left(self._sizes, (size, offset))]
        return size
