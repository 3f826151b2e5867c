"""Passes: each leaves a program that computes the same numbers, to the bit, with less work."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_dnn.graph import Node, data_of
from tinygrad_dnn.replay.blas import are_rows
from tinygrad_dnn.replay.calls import Packed, Under
from tinygrad_dnn.replay.program import Call, Program, State, Value, constant, is_one_number
from tinygrad_dnn.replay.reductions import method_for
from tinygrad_dnn.replay.symbol import is_number

Pass = Callable[[Program], None]


def is_draw(call: Node) -> bool:
    """Say if ``call`` draws from a generator: it is done at every replay, whoever needs it."""
    fn = call.fn
    return type(fn) is not np.ufunc and isinstance(
        getattr(fn, "__self__", None), np.random.Generator
    )


def early(program: Program) -> dict[Node, None]:
    """Return the calls that make numbers of live numbers alone, which can be made first."""
    found: dict[Node, None] = {}
    for call in program.calls:
        if not is_number(call.value) or is_draw(call):
            continue
        if all(is_number(a.value) and (not a.fn or a in found) for a in call.parents):
            found[call] = None
    return found


def without_dead(program: Program) -> None:
    """Drop the calls that no result, state or draw needs."""
    needed: set[Node] = set(program.ends)
    kept = []
    for call in reversed(program.calls):
        if call in needed or is_draw(call):
            needed.update(call.parents)
            kept.append(call)
    program.calls[:] = kept[::-1]


def folded(program: Program) -> None:
    """Turn the calls on constants alone into constants."""
    live = program.live
    for call in program.calls:
        if not live.isdisjoint(call.parents) or is_draw(call):
            live.add(call)
    new: dict[Node, Node] = {}
    for call in program.calls:
        if call not in live:
            data = [new.get(a, a).value if isinstance(a, Node) else a for a in call.args]
            new[call] = Value(call.fn(*data, **call.kwargs))
    program.calls[:] = [c for c in program.calls if c in live]
    program.exchange(new)


def without_ones(program: Program) -> None:
    """Take x for x * 1, if it is real, and for a cast to the dtype that it has.

    As a complex number 1 has an imaginary part of 0, which makes nan of infinity.
    """
    new: dict[Node, Node] = {}
    live = program.live
    for call in program.calls:
        if call.fn is np.multiply and not np.iscomplexobj(call.value):
            for a, one in (call.args, call.args[::-1]):
                value = constant(one, live)
                if is_one_number(value) and value == 1 and _alike(a, call):
                    new[call] = a
        elif call.fn is np.astype and _alike(call.args[0], call):
            new[call] = call.args[0]
    program.calls[:] = [c for c in program.calls if c not in new]
    program.exchange(new)


def _alike(a: Any, b: Node) -> bool:
    return (
        isinstance(a, Node)
        and isinstance(a.value, np.ndarray)
        and isinstance(b.value, np.ndarray)
        and a.value.shape == b.value.shape
        and a.value.dtype == b.value.dtype
        and a.value.strides == b.value.strides
    )


def without_repeats(program: Program) -> None:
    """Compute what is asked for twice once."""
    first: dict[Any, Node] = {}
    new: dict[Node, Node] = {}
    for call in program.calls:
        key = _key(call, new)
        if key is None:
            continue
        if key in first:
            new[call] = first[key]
        else:
            first[key] = call
    program.calls[:] = [c for c in program.calls if c not in new]
    program.exchange(new)


def signs_of_results(program: Program) -> None:
    """Ask if max(x, c) > c instead of x > c: so x need not be kept beside what relu made of it."""
    live = program.live

    def number(a: Any) -> float | None:
        value = constant(a, live)
        known = is_one_number(value) and hasattr(value, "dtype") and value.dtype.kind == "f"
        return float(value) if known else None

    larger: dict[tuple[Any, float | None], Node] = {}
    for call in program.calls:
        if call.fn in (np.maximum, np.greater) and isinstance(call.args[0], Node):
            key = call.args[0], number(call.args[1])
            if call.fn is np.maximum and key[1] is not None and _alike(key[0], call):
                larger[key] = call
            elif call.fn is np.greater and key in larger:
                call.args = [larger[key], call.args[1]]


def _key(call: Node, new: dict[Node, Node]) -> Any:
    """Return what makes two calls the same call, ``new`` in mind; None if that cannot be said."""
    if is_draw(call) or isinstance(call.fn, Packed | Under):
        return None
    given = (*call.args, *call.kwargs.values())
    parts = [_part(new.get(a, a) if isinstance(a, Node) else a) for a in given]
    if None in parts:
        return None
    return call.fn, tuple(parts), tuple(call.kwargs)


def _part(a: Any) -> Any:
    if isinstance(a, Node):
        return "node", id(a)
    if isinstance(a, np.ndarray):
        return "array", id(a)
    if isinstance(a, slice):
        return "slice", _part(a.start), _part(a.stop), _part(a.step)
    if isinstance(a, tuple | list):
        parts = tuple(_part(x) for x in a)
        return None if None in parts else (type(a), parts)
    try:
        hash(a)
    except TypeError:
        return None
    return type(a), a, str(a) if isinstance(a, float | complex | np.generic) else ""  # -0.0 is 0.0


def settled(program: Program) -> None:
    """Let what is left in a live place be a value of its own: nothing live, no view, no constant.

    Then the places can be written in any order, each as soon as its old value has been read.
    """
    taken: set[Node] = set()
    position = {call: i for i, call in enumerate(program.calls)}
    for s in program.written:
        if not s.is_array:
            continue
        if not s.after.fn or s.after not in position or s.after.base or s.after in taken:
            s.after = _copied(program, s)
        taken.add(s.after)


def _copied(program: Program, s: State) -> Node:
    value = np.empty_like(s.before.value)
    call = Call(value, np.copy, [s.after])
    if value.dtype != getattr(s.after.value, "dtype", None):
        call.fn, call.args = np.astype, [s.after, value.dtype]
    program.calls.append(call)
    return call


def is_product(call: Node) -> bool:
    """Say if ``call`` is a product of matrices that BLAS takes as they are.

    So ``np.dot`` and ``np.matmul`` are the same to the bit: others the one copies and the other
    multiplies by itself, and of a matrix of one entry the one makes a factor: 0 instead of -0.
    """
    values = [data_of(a) for a in call.args]
    return call.fn in (np.matmul, np.dot) and len(values) == 2 and all(map(_is_dense, values))


def _is_dense(a: Any) -> bool:
    """Say if ``a`` is a matrix with rows or columns of entries side by side, a stride apart."""
    if not (isinstance(a, np.ndarray) and a.ndim == 2 and a.size != 1 and a.dtype.kind in "fc"):
        return False
    return any(are_rows(m.shape, m.strides, m.itemsize) for m in (a, a.T))


def plain(program: Program) -> None:
    """Call the ufunc's method where NumPy's function only passes on to it."""
    for call in program.calls:
        if is_product(call):
            call.fn = np.matmul
        elif found := method_for(call.fn, call):
            x = call.args[0]
            dtype = getattr(data_of(x), "dtype", None)  # a number of Python's has none
            if isinstance(x, Node) and dtype is not None and dtype.kind == "f":
                (call.fn, call.args), call.kwargs = found, {}


def is_elementwise(call: Node) -> bool:
    """Say if ``call`` computes entry by entry, into one array."""
    fn = call.fn
    return (
        isinstance(fn, np.ufunc)
        and fn.signature is None
        and fn.nout == 1
        and not call.kwargs
        and len(call.args) == fn.nin
    )


PASSES: tuple[Pass, ...] = (
    without_dead,
    folded,
    without_ones,
    without_repeats,
    signs_of_results,
    settled,
    plain,
)


def simplified(program: Program) -> Program:
    """Return ``program`` after every pass."""
    for one in PASSES:
        one(program)
    without_dead(program)
    return program
