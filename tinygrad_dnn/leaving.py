"""Leaving the graph for a plain number: when that is wanted, and when it would be an accident.

``float(J)`` is for people: to print a cost, to collect a history.  But Python and NumPy also call
it by themselves, and what is then computed has no derivative and says nothing.  NumPy has no
protocol by which ``out[i] = t`` could be recorded; it can be told from ``float(t)`` by the
instruction that the calling code has come to, and NumPy's own calls by whose code that is: by the
frame where it is Python's, else by the function that is called there according to the source.
"""

import ast
import linecache
import sys
from dis import opmap
from functools import lru_cache
from itertools import islice
from types import CodeType, FrameType
from typing import Any, NoReturn

import numpy as np

from tinygrad_dnn.errors import HistoryError
from tinygrad_dnn.graph import Node, tracing
from tinygrad_dnn.primitives import RULES

_NAMES = {ast.Name, ast.Attribute, ast.Load}  # what np.add.reduce is made of


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
    frame = sys._getframe(2)  # whoever made __array__ be called
    return _of_numpy(frame) and _is_constant(frame)


def _of_numpy(frame: FrameType) -> bool:
    return bool(frame.f_globals.get("__name__", "").partition(".")[0] == "numpy")


def _is_constant(frame: FrameType) -> bool:
    """Whether the function of NumPy's that runs in ``frame`` has no derivative."""
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
    by_numpy = _of_numpy(frame)
    if by_numpy and _is_constant(frame):
        return
    if name := frame.f_code.co_name if by_numpy else _numpys_call(frame):
        _refuse(
            node,
            f"would become a constant inside NumPy's {name}, and lose its history; say it with "
            f"operations on Tensors, as np.sum(x) + t for np.sum(x, initial=t), np.stack for "
            f"np.fromiter",
        )
    if tracing.get():
        _refuse(
            node,
            "would become a constant inside a function that is being differentiated, by float(); "
            "use NumPy's functions on Tensors (np.exp, not math.exp)",
        )


def _numpys_call(frame: FrameType) -> str:
    """Return the name of the function of NumPy's, written in C, that ``frame`` is calling, or "".

    np.float64(t), a type, is meant as float(t) is.
    """
    code = _called(frame.f_code, frame.f_lasti)
    if code is None:
        return ""
    try:
        fn: Any = eval(code, frame.f_globals, frame.f_locals)
    except Exception:  # not what the source says
        return ""
    of_array = isinstance(getattr(fn, "__self__", None), np.ndarray | np.ufunc)
    module = getattr(fn, "__module__", None) or ""
    if isinstance(fn, type) or not (of_array or module.partition(".")[0] == "numpy"):
        return ""
    return str(fn.__name__)


@lru_cache
def _called(code: CodeType, at: int) -> CodeType | None:
    """Return the name, ``np.fromiter`` or the like, of what the instruction ``at`` calls.

    None if it has none, and where a number is meant: by float(t), map(float, ts).
    """
    call = expression(code, at)
    if not isinstance(call, ast.Call) or not _NAMES.issuperset(map(type, ast.walk(call.func))):
        return None
    inner = (part for part in ast.walk(call) if isinstance(part, ast.Call) and part is not call)
    if ast.unparse(call.func) == "float" or any("float" in ast.unparse(part) for part in inner):
        return None
    return compile(ast.Expression(call.func), code.co_filename, "eval")


@lru_cache
def expression(code: CodeType, at: int) -> ast.expr | None:
    """Return what the source says that the instruction ``at`` computes; None if it is not there."""
    line, last, column, end = next(islice(code.co_positions(), at // 2, None))
    if line is None or last is None or column is None or end is None:
        return None
    source = [text.encode() for text in linecache.getlines(code.co_filename)[line - 1 : last]]
    try:
        source[-1] = source[-1][:end]
        source[0] = source[0][column:]
        return ast.parse(b"(" + b"".join(source) + b")", mode="eval").body
    except (IndexError, SyntaxError):
        return None


def _refuse(node: Node, what: str) -> NoReturn:
    raise HistoryError(f"{node.name or 'a Tensor'} {what}; x.item() is the number, on purpose")
