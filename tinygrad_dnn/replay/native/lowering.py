"""Lowering: calls that no kernel knows, as calls that kernels know.

The numbers are NumPy's up to their rounding.
"""

from typing import Any

import numpy as np

from tinygrad_dnn.graph import Node
from tinygrad_dnn.replay.passes import REDUCTIONS
from tinygrad_dnn.replay.program import Call, Program


def lowered(program: Program) -> None:
    """Write means as sums, and squares as products."""
    calls: list[Call] = []
    for call in program.calls:
        if call.fn is np.power and _number(call.args[1]) == 2:
            call.fn, call.args = np.square, call.args[:1]
        elif call.fn is np.mean and _is_plain_mean(call):
            calls.append(_as_sum(call))
        calls.append(call)
    program.calls[:] = calls


def _number(a: Any) -> Any:
    value = a.value if isinstance(a, Node) and not a.fn else a
    return value.item() if isinstance(value, np.ndarray) and not value.ndim else value


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
