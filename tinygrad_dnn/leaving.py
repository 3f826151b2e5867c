"""Leaving the graph for a plain number: when that is wanted, and when it would be an accident.

``float(J)`` is for people: to print a cost, to collect a history.  But Python and NumPy also call
it by themselves, and what is then computed has no derivative and says nothing.  NumPy has no
protocol by which ``out[i] = t`` could be recorded; it can be told from ``float(t)`` by the
instruction that the calling code has come to, and NumPy's own calls by whose code that is.
"""

import sys
from dis import opmap
from types import FrameType
from typing import Any, NoReturn

import numpy as np

from tinygrad_dnn.errors import HistoryError
from tinygrad_dnn.graph import Node, tracing
from tinygrad_dnn.primitives import RULES


def number(node: Node) -> Any:
    """Return the one number that ``node`` holds, for ``float()`` or ``complex()`` of its Tensor.

    Raises HistoryError where it needs a gradient and the number goes into a plain array, is asked
    for by one of NumPy's functions, or by a function that is being differentiated.
    """
    if node.needs_grad:
        _refuse_by_accident(node)
    return node.value.item()


def for_a_constant() -> bool:
    """Whether a Tensor's array is asked for by a function of NumPy's that has no derivative.

    So it is for Tensors in a list, of which NumPy's dispatch does not know: np.array_equal([t], a).
    """
    return _asks_for_a_constant(sys._getframe(2))  # whoever made __array__ be called


def _of_numpy(frame: FrameType) -> bool:
    return bool(frame.f_globals.get("__name__", "").partition(".")[0] == "numpy")


def _asks_for_a_constant(frame: FrameType) -> bool:
    if not _of_numpy(frame):
        return False
    fn: Any = getattr(np, frame.f_code.co_qualname.partition(".")[0], None)
    return fn in RULES and RULES[fn].constant


def _refuse_by_accident(node: Node) -> None:
    frame = sys._getframe(3)  # whoever made __float__ be called
    if frame.f_code.co_code[frame.f_lasti] == opmap["STORE_SUBSCR"]:
        _refuse(
            node,
            "would be written into a plain array as a number, and lose its history; collect "
            "Tensors in a list and np.stack them, or use tg.at(x)[index].set(value)",
        )
    if _asks_for_a_constant(frame):
        return
    if _of_numpy(frame):
        _refuse(
            node,
            f"would become a constant inside NumPy's {frame.f_code.co_name}, and lose its history; "
            f"say it with operations on Tensors, as np.sum(x) + t for np.sum(x, initial=t)",
        )
    if tracing.get():
        _refuse(
            node,
            "would become a constant inside a function that is being differentiated, by float(); "
            "use NumPy's functions on Tensors (np.exp, not math.exp)",
        )


def _refuse(node: Node, what: str) -> NoReturn:
    raise HistoryError(f"{node.name or 'a Tensor'} {what}; x.item() is the number, on purpose")
