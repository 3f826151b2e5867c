"""Recording: call a primitive on data, and remember the call as a node of the graph.

``record`` is where every operation on Tensors arrives, and the only maker of nodes with a history.
Here a call's arguments are put where the rules look for them, options that would corrupt a
derivative are refused, and a loss after its own activation becomes one numerical step.

Knows a Tensor only as the ``kind`` of handle it is asked to make: an object with a ``node``.
"""

import inspect
from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np
from numpy import ndarray

from tinygrad_dnn import graph, ufuncs
from tinygrad_dnn.errors import HistoryError, MissingRuleError
from tinygrad_dnn.graph import NO_KWARGS, Node, overwritten, recording
from tinygrad_dnn.primitives import (
    COMPOSITES,
    REFUSED,
    RULES,
    Each,
    Function,
    Rule,
    as_array,
    place_of_out,
    with_keywords,
)
from tinygrad_dnn.rules import special

Handle = TypeVar("Handle")

NO_ADVICE = (
    "register one (tg.elementwise, tg.multilinear, tg.rule), or call it on x.data to treat the "
    "result as a constant"
)
SCALARS = (np.generic, float, int)
OBJECTS = np.dtype(object)
SEQUENCES = (list, tuple)
_new = object.__new__


def record(
    kind: type[Handle], fn: Function, args: tuple[Any, ...], kwargs: dict[str, Any] = NO_KWARGS
) -> Handle:
    """Call ``fn`` on the data of ``args`` and return a new ``kind`` that remembers the call."""
    rule = RULES.get(fn)
    if rule is None:
        return _without_rule(kind, fn, args, kwargs)  # type: ignore[no-any-return]
    if kwargs or len(args) > rule.before_out:
        fn, args, kwargs = _normalised(kind, fn, args, kwargs)
        if kwargs and isinstance(fn, np.ufunc):
            return ufuncs.called(fn, args, kwargs)  # type: ignore[no-any-return]
        rule = RULES[fn]
    values, inputs, needs_grad = [], [], False
    for a in args:
        if isinstance(a, kind):
            node = a.node  # type: ignore[attr-defined]
            inputs.append(node)
            values.append(node.value)
            if node.needs_grad:
                needs_grad = True
        else:
            if isinstance(a, SEQUENCES) and _takes_array(rule, len(values)):
                i = len(values)
                return record(kind, fn, (*args[:i], as_array(a), *args[i + 1 :]), kwargs)
            inputs.append(a)
            values.append(a)
    detour = _detour(rule, inputs, values, kwargs) if rule.detours else None
    try:
        if detour:
            value = detour.value
        else:
            value = rule.call(*values, **kwargs) if kwargs else rule.call(*values)
    except Exception as error:
        error.add_note(f"in {describe(fn, inputs)}")
        graph.blame(error, fn, inputs, kwargs)
        raise
    if type(value) is not ndarray:
        if type(value) is tuple and fn is np.where:  # of a condition alone
            return np.nonzero(*args)  # type: ignore[return-value]
        value = _as_array(value, fn, inputs)
    if value.dtype is OBJECTS:
        raise _of_objects(fn, inputs)
    handle: Any = _new(kind)
    if recording.get():
        node = Node(value, fn, inputs, values, kwargs, needs_grad and not rule.constant)
        node.detour = detour
        handle.node = node
    else:
        handle.node = Node(value)
    if graph.watched and (watch := graph.watching.get()):
        watch.called(handle.node, fn, inputs)
    return handle  # type: ignore[no-any-return]


def name_of(fn: Function) -> str:
    """Return ``fn`` as a user writes it."""
    name: str = getattr(fn, "__name__", str(fn))
    if _of_ufunc(fn):
        return f"np.{fn.__self__.__name__}.{name}"  # type: ignore[attr-defined]
    module = getattr(fn, "__module__", "") or ""
    if isinstance(fn, np.ufunc) and getattr(np, name, None) is fn:
        module = "numpy"
    return f"np{module[5:]}.{name}" if module.startswith("numpy") else f"{name}"


def advice_on(fn: Function) -> str:
    """Return what to do instead of calling ``fn``, which has no rule, on Tensors."""
    name = name_of(fn)
    if _of_ufunc(fn):
        name = f"ufunc.{name.rpartition('.')[2]}"
    return REFUSED.get(name) or REFUSED.get(name.rpartition(".")[0], NO_ADVICE)


def _without_rule(kind: type, fn: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if fn in COMPOSITES:
        _refuse_out(fn, args, kwargs, place_of_out(fn))
        if _of_ufunc(fn) and not any(isinstance(a, kind) for a in args):  # but in where=
            constant: Any = _new(kind)
            constant.node = Node(np.asarray(args[0]))
            args = (constant, *args[1:])
        return COMPOSITES[fn](*args, **kwargs)
    if isinstance(fn, np.ufunc):
        public: Any = getattr(np, fn.__name__, None)  # a.clip calls a ufunc, like np.clip by name
        if ours := COMPOSITES.get(public) or special.counterpart(fn):
            return ours(*args, **kwargs)
    raise MissingRuleError(f"no derivative rule for {name_of(fn)}; {advice_on(fn)}")


def _refuse_out(
    fn: Function, args: tuple[Any, ...], kwargs: dict[str, Any], before_out: int
) -> None:
    """Refuse an ``out=``, by keyword or by position, that is more than None."""
    out = next((a for a in (kwargs.get("out"), *args[before_out:][:1]) if a is not None), None)
    if out is not None:
        change = f"write y = {name_of(fn)}(...) instead"
        if isinstance(out, tuple) and args and out[0] is args[0]:
            change += ", as a = a + t for a += t of an array"
        raise HistoryError(
            f"{name_of(fn)}: out= would overwrite data that a derivative may need; {change}"
        )


def _normalised(
    kind: type, fn: Function, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Function, tuple[Any, ...], dict[str, Any]]:
    """Refuse what no rule can undo; move inputs given by keyword to where the rules look."""
    _refuse_out(fn, args, kwargs, RULES[fn].before_out)
    kwargs = {k: v for k, v in kwargs.items() if k != "out"}
    if isinstance(fn, np.ufunc):
        return fn, args, kwargs
    if RULES[fn].detours or any(isinstance(v, kind) for v in kwargs.values()):
        bound = inspect.signature(fn).bind(*args, **kwargs)
        args, kwargs = bound.args, bound.kwargs
        named = {k: v for k, v in kwargs.items() if isinstance(v, kind)}
        for name, value in named.items():
            if value.node.needs_grad:  # type: ignore[attr-defined]
                raise MissingRuleError(
                    f"{name_of(fn)}: its derivative by {name}= is not known; pass an array there "
                    f"to hold it constant"
                )
        if named:
            fn = with_keywords(fn, len(args), tuple(named))
            args = (*args, *named.values())
            kwargs = {k: v for k, v in kwargs.items() if k not in named}
    return fn, args, kwargs


def _takes_array(rule: Rule, i: int) -> bool:
    """Whether argument ``i`` is an array, of which a list is only another notation."""
    maps = rule.vjps
    return isinstance(rule.call, np.ufunc) or (
        not isinstance(maps, Each) and i < len(maps) and maps[i] is not None
    )


def _of_ufunc(fn: Function) -> bool:
    """Whether ``fn`` is a method of a ufunc: np.add.reduce, ..."""
    return isinstance(getattr(fn, "__self__", None), np.ufunc)


def _as_array(value: Any, fn: Function, inputs: list[Any]) -> Any:
    """Return a scalar result as an array; any other array type stays what it is."""
    if isinstance(value, SCALARS):
        return np.asarray(value)
    if not hasattr(value, "dtype"):
        raise MissingRuleError(
            f"{name_of(fn)} returned a {type(value).__name__}, but a recorded call returns one "
            f"array; call it on x.data to treat the result as a constant"
        )
    if isinstance(value, np.ndarray):  # of another kind
        require_plain(value, describe(fn, inputs))
    return value


def require_plain(value: Any, what: str) -> None:
    """Refuse objects, and matrices and masked arrays, whose * and sum are not what rules mean."""
    if value.dtype == OBJECTS:
        raise HistoryError(f"{what} would hold Python's objects, which are no array of numbers")
    if type(value) is np.ndarray or not isinstance(value, np.ndarray):
        return
    if isinstance(value, np.matrix):
        raise HistoryError(
            f"{what}: of a np.matrix * is the product of matrices, here it goes entry by entry; "
            f"give np.asarray(M), and write products with @"
        )
    if isinstance(value, np.ma.MaskedArray):
        raise HistoryError(
            f"{what}: a masked array would lose its mask; give a.data, and say with where= of a "
            f"reduction, or np.where(a.mask, 0, x), what is left out"
        )


def _of_objects(fn: Function, inputs: list[Any]) -> HistoryError:
    """Return the error for a result whose entries are Python's objects, not NumPy's numbers."""
    return HistoryError(
        f"{describe(fn, inputs)}: NumPy makes an array of objects of these, which has no "
        f"derivative; give plain numbers, as float(a) or a.astype(float)"
    )


def _detour(
    rule: Rule, inputs: list[Any], values: list[Any], kwargs: dict[str, Any]
) -> Node | None:
    """Return the pair as one call, if the first input comes from a function with a detour."""
    inner = inputs[0]
    if not isinstance(inner, Node) or inner.fn not in rule.detours:
        return None
    pair, options = rule.detours[inner.fn]
    z, data = inner.args[0], inner.seen[0]
    if inner.kwargs and not inner.kwargs.items() <= options.items():
        return None
    if inner.born < graph.last_change and (z.born > inner.born or overwritten(z, data, inner)):
        return None  # what went into the activation is no longer there
    args, seen = [z, *inputs[1:], inner], [data, *values[1:], values[0]]
    return Node(RULES[pair].call(*seen, **kwargs), pair, args, seen, kwargs)


def describe(fn: Function, inputs: Iterable[Any]) -> str:
    """Return the call in the user's words: its name, and each input's name and shape."""
    shown = (
        f"{a.name or 'a Tensor'} {a.value.shape}"
        if isinstance(a, Node)
        else f"an array {a.shape}"
        if hasattr(a, "shape")
        else repr(a)
        for a in inputs
    )
    return f"{name_of(fn)}({', '.join(shown)})"
