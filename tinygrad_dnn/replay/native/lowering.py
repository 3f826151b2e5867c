"""Lowering: calls that no kernel knows, as calls that kernels know.

The numbers are NumPy's up to their rounding.
"""

import numpy as np

from tinygrad_dnn.graph import Node
from tinygrad_dnn.replay.passes import REDUCTIONS
from tinygrad_dnn.replay.program import Call, Program


def lowered(program: Program) -> None:
    """Write means as sums, and squares as products."""
    live = program.live
    calls: list[Call] = []
    for call in program.calls:
        if call.fn is np.power and _is_square(call, live):
            call.fn, call.args = np.square, call.args[:1]
        elif call.fn is np.mean and _is_plain_mean(call):
            calls.append(_as_sum(call))
        calls.append(call)
    program.calls[:] = calls


def _is_square(call: Node, live: set[Node]) -> bool:
    """Say if the exponent is 2 at every replay, and the result of the dtype of its square."""
    x, exponent = call.args
    if isinstance(exponent, Node):
        if exponent.fn or exponent in live:
            return False
        exponent = exponent.value
    dtype = getattr(x.value if isinstance(x, Node) else x, "dtype", None)
    return not np.ndim(exponent) and bool(exponent == 2) and dtype == call.value.dtype


def _is_plain_mean(call: Node) -> bool:
    x = call.args[0]
    return (
        isinstance(x, Node)
        and x.value.dtype == call.value.dtype
        and x.value.size > 0
        and len(call.args) <= 2
        and call.kwargs.keys() <= {"axis", "keepdims"}
    )


def _as_sum(call: Node) -> Call:
    """Let ``call`` divide a sum, which is returned."""
    x, axis = [*call.args, call.kwargs.get("axis")][:2]
    keep = bool(call.kwargs.get("keepdims", False))
    sums = Call(call.value, REDUCTIONS[np.sum], [x, axis, None, None, keep])
    sums.layer = call.layer
    call.fn, call.kwargs = np.divide, {}
    call.args = [sums, x.value.size // call.value.size]
    return sums
