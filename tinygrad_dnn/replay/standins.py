"""Stand-ins: arrays without numbers of their own, for what the calls of a recording gave.

Who plans asks of them shape, dtype and layout.  So calls of equal layout have the same one, and all
lie over one stretch of memory, which nobody reads.  But a view is taken of the stand-in, or of the
live array, that it is a view of.
"""

import numpy as np

from tinygrad_dnn.replay.program import Layout, Program


def stood_in(program: Program) -> Program:
    """Give every call of ``program`` its value."""
    layouts = {call.layout for call in program.calls if call.layout and call.base is None}
    room = np.empty(max(map(_room, layouts), default=0), np.uint8)
    arrays = {layout: _laid_over(room, layout) for layout in layouts}
    for call in program.calls:
        if call.base is not None and call.layout:
            call.value = call.fn(*call.data, **call.kwargs)
        elif call.layout:
            call.value = arrays[call.layout]
    return program


def _laid_over(room: np.ndarray, layout: Layout) -> np.ndarray:
    shape, dtype, strides = layout
    if not _room(layout):
        return np.empty(shape, dtype)
    return np.ndarray(shape, dtype, room, -_reach(layout)[0], strides)


def _room(layout: Layout) -> int:
    """Return how many bytes an array reaches over: 0 if it is empty, or of objects."""
    shape, dtype, _ = layout
    start, end = _reach(layout)
    return 0 if 0 in shape or dtype.hasobject else end - start


def _reach(layout: Layout) -> tuple[int, int]:
    """Return where an array begins and ends, in bytes from its first entry."""
    shape, dtype, strides = layout
    steps = [(n - 1) * s for n, s in zip(shape, strides, strict=True)]
    return sum(s for s in steps if s < 0), sum(s for s in steps if s > 0) + dtype.itemsize
