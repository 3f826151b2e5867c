"""Joined: what is done alike to many small arrays is done once, to the memory in which they lie.

The numbers are the same, to the bit; of a small array the call costs more than the arithmetic.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from tinygrad_dnn.graph import Node
from tinygrad_dnn.replay.memory import ALIGNMENT, end_to_end, takes_out
from tinygrad_dnn.replay.passes import early, is_elementwise
from tinygrad_dnn.replay.program import Call, Program, is_one_number

MOST = 1 << 17  # bytes end to end, so that they are near when their parts are read


def part(row: np.ndarray, start: int, shape: tuple[int, ...]) -> np.ndarray:
    """Return the array of ``shape`` whose entries begin at ``start`` of ``row``, a view."""
    return row[start : start + prod(shape)].reshape(shape)


@dataclass
class _Group:
    """Calls of one function with one number, each on an array that is there at ``position``.

    The arrays are the arguments at ``at``.
    """

    position: int
    at: int
    calls: list[Call] = field(default_factory=list)
    nbytes: int = 0


def joined(program: Program) -> None:
    """Let calls of one function with one number, as lr dW and lr db are, be one call."""
    at: dict[int, list[Call]] = {}
    new: dict[Node, Node] = {}
    for group in _groups(program):
        group.calls.sort(key=lambda c: c.value.nbytes % ALIGNMENT > 0)
        _, _, *parts = at[group.position] = [*_one_call(group)]
        new |= zip(group.calls, parts, strict=True)
    calls: list[Call] = []
    for i, call in enumerate(program.calls):
        calls += at.get(i, ())
        if call not in new:
            calls.append(call)
    program.calls[:] = calls
    program.exchange(new)


def _groups(program: Program) -> list[_Group]:
    """Return what can be joined."""
    uses, ends, first = program.uses(), set(program.ends), early(program)
    position = {call: i for i, call in enumerate(program.calls)}
    latest: dict[Any, _Group] = {}
    taken: set[Node] = set()
    found: list[_Group] = []
    for i, call in enumerate(program.calls):
        if (at := _array_in(call)) is None:
            continue
        array, number = call.args[at], call.args[1 - at]
        if array in taken or uses[array] != [call] or ends & {array, call}:
            continue  # it is needed where it is
        if isinstance(number, Node) and number.fn and number not in first:
            continue
        key = call.fn, at, call.value.dtype, _identity(number)
        group, nbytes = latest.get(key), call.value.nbytes
        if not group or position[array] > group.position or group.nbytes + nbytes > MOST:
            group = latest[key] = _Group(i, at)
            found.append(group)
        group.calls.append(call)
        group.nbytes += nbytes
        taken.add(call)
    return [group for group in found if len(group.calls) > 1]


def _array_in(call: Call) -> int | None:
    """Return which of two arguments is an array in a buffer, if the other one is a number."""
    if is_elementwise(call) and len(call.args) == 2:
        for at, number in ((1, call.args[0]), (0, call.args[1])):
            if is_one_number(number) and _is_made(call.args[at], call):
                return at
    return None


def _is_made(array: Any, like: Call) -> bool:
    """Say if ``array`` is computed into memory of its own, and lies as ``like`` does: in order."""
    if not (isinstance(array, Call) and takes_out(array) and array.base is None):
        return False
    x, y = array.value, like.value
    return bool(
        x.ndim > 0
        and x.size > 0
        and x.shape == y.shape
        and x.dtype == y.dtype
        and x.flags.c_contiguous
        and y.flags.c_contiguous
    )


def _identity(number: Any) -> Any:
    """Return what tells ``number`` from others, also where these are printed alike."""
    if isinstance(number, Node):
        return number
    array = np.asarray(number)
    return type(number), array.dtype, array.tobytes()


def _one_call(group: _Group) -> Iterator[Call]:
    """Yield the row of what the calls read, what is made of it, and the parts of that."""
    calls, at = group.calls, group.at
    args, size, dtype = [*calls[0].args], sum(c.value.size for c in calls), calls[0].value.dtype
    row = args[at] = Call(np.empty(size, dtype), end_to_end, [c.args[at] for c in calls])
    whole = Call(np.empty(size, dtype), calls[0].fn, args)
    yield from (row, whole)
    start = 0
    for call in calls:
        shape = call.value.shape
        value = part(whole.value, start, shape)
        yield Call(value, part, [whole, start, shape], base=whole)
        start += call.value.size
