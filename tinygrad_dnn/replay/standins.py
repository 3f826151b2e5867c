"""Stand-ins: arrays without numbers of their own, for what the calls of a recording gave.

Who plans asks of them shape, dtype and layout.  So all lie over one stretch of memory, which nobody
reads, but for views: these are taken of the stand-in, or the live array, that they are a view of.
"""

import numpy as np

from tinygrad_dnn.replay.program import Layout, Program


def stood_in(program: Program) -> Program:
    """Give every call of ``program`` its value."""
    room = np.empty(_room(program), np.uint8)
    for call in program.calls:
        if call.layout is None:
            continue
        if call.base is not None:
            call.value = call.fn(*call.data, **call.kwargs)
        elif _is_short(call.layout):
            call.value = np.empty(*call.layout[:2])
        else:
            shape, dtype, strides = call.layout
            call.value = np.ndarray(shape, dtype, room, -_reach(call.layout)[0], strides)
    return program


def _is_short(layout: Layout) -> bool:
    """Say if an array of this layout cannot be laid over memory: it is empty, or of objects."""
    shape, dtype, _ = layout
    return 0 in shape or dtype.hasobject


def _room(program: Program) -> int:
    """Return how many bytes the largest array that is no view reaches over."""
    layouts = [call.layout for call in program.calls if call.layout and call.base is None]
    reaches = [_reach(layout) for layout in layouts if not _is_short(layout)]
    return max((end - start for start, end in reaches), default=0)


def _reach(layout: Layout) -> tuple[int, int]:
    """Return where such an array begins and ends, in bytes from its first entry."""
    shape, dtype, strides = layout
    steps = [(n - 1) * s for n, s in zip(shape, strides, strict=True)]
    return sum(s for s in steps if s < 0), sum(s for s in steps if s > 0) + dtype.itemsize
