"""Lowering: calls that no kernel knows, as calls that kernels know.

The numbers are NumPy's up to their rounding.
"""

from typing import Any

import numpy as np

from tinygrad_dnn.graph import Node, data_of
from tinygrad_dnn.primitives import Function
from tinygrad_dnn.replay.program import Call, Program, constant, is_one_number
from tinygrad_dnn.replay.reductions import method_for


def lowered(program: Program) -> None:
    """Write means as sums, and squares as products."""
    live = program.live
    calls: list[Call] = []
    for call in program.calls:
        if call.fn is np.power and _is_square(call, live):
            call.fn, call.args = np.square, call.args[:1]
        elif call.fn is np.mean and (found := method_for(np.sum, call)) and _keeps_dtype(call):
            calls.append(_sum_before(call, *found))
        calls.append(call)
    program.calls[:] = calls


def _is_square(call: Node, live: set[Node]) -> bool:
    """Say if the exponent is 2 at every replay, and the result of the dtype of its square."""
    x, exponent = call.args
    exponent = constant(exponent, live)
    dtype = getattr(data_of(x), "dtype", None)
    return is_one_number(exponent) and bool(exponent == 2) and dtype == call.value.dtype


def _keeps_dtype(mean: Node) -> bool:
    x = mean.args[0]
    if not (isinstance(x, Node) and hasattr(x.value, "dtype")):  # a number of Python's has none
        return False
    return bool(x.value.dtype == mean.value.dtype and x.value.size > 0)


def _sum_before(mean: Node, method: Function, args: list[Any]) -> Call:
    """Let ``mean`` divide a sum, which is returned."""
    sums = Call(mean.value, method, args)
    sums.layer = mean.layer
    mean.fn, mean.kwargs = np.divide, {}
    mean.args = [sums, args[0].value.size // mean.value.size]
    return sums
