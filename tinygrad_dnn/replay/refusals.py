"""Refusals: what a replay could not repeat, in words, with the line of the user's program."""

import ast
import sys
from dis import opname
from functools import cache
from itertools import islice
from os.path import dirname, sep
from types import CodeType, FrameType

import numpy as np

from tinygrad_dnn.errors import ReplayError
from tinygrad_dnn.leaving import expression

_TABLE = (
    "pass the table as an argument, make it a Tensor outside, or take np.take_along_axis; "
    "one-hot columns of labels y are nn.one_hot(y, n)"
)
_ARRAY_ALREADY = "it is an array already: use x, x.copy(), x.astype(dtype)"
# What to do instead of a function that NumPy lets nobody else carry out.
_INSTEAD = {
    "take": _TABLE,
    "full": "take np.full_like(a, x) or np.broadcast_to(x, shape)",
    "array": "take np.stack([x, y]) to put arrays together, x.copy() of one",
    "vectorize": "let the function work on whole arrays",
} | dict.fromkeys(["asarray", "asanyarray", "ascontiguousarray", "require"], _ARRAY_ALREADY)
_INSTEAD_OF_CHANGING = {
    "an array": "let it work on a copy: x = x.copy(), or x = x + 1 for x += 1",
    "the data of a Tensor": "let it use the Tensor from outside instead of being given it",
    "a list or a dict": "let it return what is new, or use that from outside (an attribute, a "
    "variable around it) instead of being given it",
}
_OURS = tuple(dirname(path) + sep for path in (dirname(__file__), np.__file__))


def users_frame() -> FrameType:
    """Return the frame of the user's program that is being run."""
    frame = sys._getframe()
    while frame.f_back and is_ours(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def users_place() -> tuple[str, int]:
    """Return file and line of the user's program that is being run."""
    frame = users_frame()
    return frame.f_code.co_filename, frame.f_lineno


def recorded_frame(recorder: FrameType | None) -> FrameType:
    """Return the frame of the function that is being run by ``recorder``: the user's next to it.

    Where a function of ours is, that of the user who called it.
    """
    frame: FrameType | None = sys._getframe()
    inside = None
    while frame and frame is not recorder:
        if not is_ours(frame.f_code.co_filename):
            inside = frame
        frame = frame.f_back
    return inside or users_frame()


def place_of(code: CodeType | None, instruction: int) -> tuple[str, int] | None:
    """Return file and line of an instruction of ``code``."""
    if code is None:
        return None
    line, *_ = next(islice(code.co_positions(), instruction // 2, None))
    return code.co_filename, line or code.co_firstlineno


@cache
def is_ours(path: str) -> bool:
    """Say if this file is of this package's recorder, or of NumPy."""
    return path.startswith(_OURS)


def shown(place: tuple[str, int]) -> str:
    """Return a place as messages show it."""
    return f"{place[0]}:{place[1]}"


def of_unknown_shape(name: str, call: str) -> ReplayError:
    """Return the error of a call whose result has another shape for other data."""
    return ReplayError(
        f"{name} calls {call} at {shown(users_place())}, whose shape differs from call to "
        f"call; keep the shape and choose entry by entry: np.where(mask, x, 0), or do it outside"
    )


def done_outside(name: str, call: str) -> ReplayError:
    """Return the error of a call that returns nothing: what it does is no computing."""
    return ReplayError(
        f"{name} calls {call} at {shown(users_place())}, which a replay would not do; return the "
        f"array and do that outside"
    )


def of_number(name: str) -> ReplayError:
    """Return the error of what takes a number out of what is recorded."""
    if _is_stored():
        return written_elsewhere(name)
    frame = users_frame()
    asking = expression(frame.f_code, frame.f_lasti)
    called = ast.unparse(asking.func) if isinstance(asking, ast.Call) else ""
    if called.startswith("math."):
        return ReplayError(
            f"{name} calls {called}, at {shown(users_place())}, of a number that differs from call "
            f"to call, where tg.jit cannot follow; take NumPy's function: np.{called[5:]}"
        )
    return ReplayError(
        f"{name} asks for a number that differs from call to call, at {shown(users_place())}: an "
        f"if, float(...), print or loop over data would be frozen in a replay; choose with "
        f"np.where, return the value and look at it outside, or do not use tg.jit"
    )


def of_index(name: str) -> ReplayError:
    """Return the error of what takes a recorded number for an index."""
    return ReplayError(
        f"{name} takes a number that differs from call to call for an index, a size or an axis, at "
        f"{shown(users_place())}; let it be an argument, and an int of Python's (int(i)), so that "
        f"each one has a recording of its own"
    )


def _is_stored() -> bool:
    """Say if what the user's program does just now is to write into an array, or a list."""
    frame = users_frame()
    return opname[frame.f_code.co_code[frame.f_lasti]].startswith("STORE")


def of_entries(name: str, *, truth: bool) -> ReplayError:
    """Return the error of what takes the entries out of a recorded array, of ``truth`` or not."""
    if _is_stored():
        return written_elsewhere(name)
    frame = users_frame()
    asking = expression(frame.f_code, frame.f_lasti)
    what, instead = (
        "something",
        "say it with NumPy's functions of arrays, or return it and do that outside",
    )
    if isinstance(asking, ast.Subscript):
        if truth:
            return of_unknown_shape(name, ast.unparse(asking))
        what, instead = ast.unparse(asking), _TABLE
    elif isinstance(asking, ast.Call):
        what = ast.unparse(asking.func)
        instead = _INSTEAD.get(what.rpartition(".")[2], instead)
    return ReplayError(
        f"{name} gives {what}, at {shown(users_place())}, an array that differs from call to "
        f"call, where tg.jit cannot follow; {instead}"
    )


def written_elsewhere(name: str) -> ReplayError:
    """Return the error of a write into an array that is none of the recording's."""
    return ReplayError(
        f"{name} writes a recorded value into an array of its own at {shown(users_place())}; a "
        f"replay could not repeat that: make a new array (np.stack, np.where, tg.at), or return "
        f"the value"
    )


def outdated_view(
    name: str, changed: tuple[str, int], used: tuple[str, int] | None = None
) -> ReplayError:
    """Return the error of a view, used or else returned, of what was changed at ``changed``."""
    how = f"uses, at {shown(used)}," if used else "returns"
    return ReplayError(
        f"{name} {how} a view of an array that it has changed in place since, at "
        f"{shown(changed)}; take the view afterwards, or a copy before: x[i].copy()"
    )


def assigned(name: str, what: str) -> ReplayError:
    """Return the error of ``y.shape = ...``, which a recorded array does not follow."""
    instead = "y.reshape(shape)" if what == "shape" else "y.astype(dtype)"
    return ReplayError(
        f"{name} assigns the {what} of an array that differs from call to call, and leaves or "
        f"returns it, where tg.jit cannot follow; take another one: y = {instead}"
    )


def changed_argument(name: str, what: str) -> ReplayError:
    """Return the error of a change of what was given."""
    return ReplayError(
        f"{name} changes {what} that is its argument, which a replay would not do; "
        f"{_INSTEAD_OF_CHANGING[what]}"
    )


def leaked(name: str, where: tuple[str, int] | None) -> ReplayError:
    """Return the error of the use, after its recording, of a value that was made at ``where``."""
    made = f", made at {shown(where)}," if where else ""
    return ReplayError(
        f"a value of the recording of {name}{made} is used at {shown(users_place())}, "
        f"outside of it; return it from {name}, by itself or in dicts, lists and tuples: tg.jit "
        f"does not look into other objects"
    )


def of_another_thread(name: str) -> ReplayError:
    """Return the error of a thread that uses what another one records just now."""
    return ReplayError(
        f"{shown(users_place())} uses a value of {name} that another thread is recording; "
        f"let this thread wait for the first call of {name}, or use a copy made before it, and "
        f"let {name} itself start no threads"
    )
