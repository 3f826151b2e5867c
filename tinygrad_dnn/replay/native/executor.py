"""The native executor: runs of calls that the kernels know become one step each."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from tinygrad_dnn.graph import Node
from tinygrad_dnn.replay.fusion import fused
from tinygrad_dnn.replay.memory import Memory, aligned
from tinygrad_dnn.replay.native.compiler import library
from tinygrad_dnn.replay.native.lowering import lowered
from tinygrad_dnn.replay.native.table import Row, rows_of
from tinygrad_dnn.replay.passes import early
from tinygrad_dnn.replay.program import Program

STAGED = 1 << 15  # bytes: an input up to this size is copied to where the kernels look for it
WRITTEN = (np.where,)  # what a kernel writes into an array that is there, and NumPy does not


def prepared(program: Program) -> None:
    """Put ``program`` into the form that the kernels know, with its updates fused."""
    lowered(program)
    fused(program)


class NativeStep:
    """Several calls as one: a table, and the function that runs it."""

    def __init__(self, calls: Sequence[Node], rows: Sequence[Row], memory: Memory) -> None:
        self.calls = calls
        known, work = library(rows[0].dtype), memory.work.ctypes.data
        self.table = np.array([r.numbers(known, work) for r in rows], np.int64)
        self.run = known.execute
        step = self.table.ctypes.data, len(rows), memory.slots.ctypes.data
        self.step = np.array(step, np.int64)
        self.arguments = (self.step.ctypes.data,)


def grouped(program: Program, memory: Memory) -> list[Node | NativeStep]:
    """Return the calls of ``program`` as steps, as few as can be."""
    made_first = early(program)
    calls = [c for c in program.calls if c not in memory.views and c not in made_first]
    found = list(zip(calls, rows_of(calls, memory), strict=True))
    memory.work = aligned(max((r.work for _, r in found if r), default=0))
    memory.work[:] = 0
    steps: list[Node | NativeStep] = []
    for dtype, group in groupby(found, lambda pair: pair[1].dtype.char if pair[1] else ""):
        run = list(group)
        if not dtype or (len(run) == 1 and run[0][0].fn in _CHEAP):
            steps += [call for call, _ in run]
        else:
            steps.append(NativeStep([c for c, _ in run], [r for _, r in run if r], memory))
    return steps


_CHEAP = {np.add, np.subtract, np.multiply, np.divide, np.negative}  # no better alone
