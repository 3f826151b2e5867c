"""Calls: what a recording puts in place of calls that are not one function of positional arrays."""

import operator
from contextvars import ContextVar, copy_context
from inspect import signature
from typing import Any

import numpy as np

from tinygrad_dnn.containers import rebuilt
from tinygrad_dnn.primitives import Function, place_of_out


class Packed:
    """A function of arguments with Symbols inside containers, as one of the leaves alone."""

    def __init__(self, fn: Function, args: Any, kwargs: Any) -> None:
        self.fn, self.tree = fn, (args, kwargs)
        self.__name__ = getattr(fn, "__name__", "call")
        self.__module__ = getattr(fn, "__module__", "")

    def __call__(self, *parts: Any) -> Any:
        args, kwargs = rebuilt(self.tree, parts)
        return self.fn(*args, **kwargs)


class Under:
    """A function called under the ``np.errstate`` that it was recorded under."""

    def __init__(self, fn: Function, errors: Any) -> None:
        self.fn, self.errors = fn, errors
        self.__name__ = getattr(fn, "__name__", "call")
        self.__module__ = getattr(fn, "__module__", "")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with np.errstate(**self.errors):
            return self.fn(*args, **kwargs)


def error_variable() -> ContextVar[Any]:
    """Return the variable that ``np.errstate`` sets: to compare it is quicker than np.geterr()."""
    before = copy_context()
    with np.errstate(all="ignore"):
        (found,) = (v for v, state in copy_context().items() if before.get(v) is not state)
    return found


def out_named(fn: Function, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return the arguments with ``out``, if it has no name, and all after it among the named."""
    at = place_of_out(fn)
    if len(args) <= at:
        return args, kwargs
    names = ["out", *list(signature(fn).parameters)[at + 1 :]] if args[at + 1 :] else ["out"]
    return args[:at], kwargs | dict(zip(names, args[at:], strict=False))


def done_to(fn: Function, x: Any, *args: Any, **kwargs: Any) -> Any:
    """Return a copy of ``x`` with ``fn`` done to it in place."""
    x = np.array(x)
    fn(x, *args, **kwargs)
    return x


def with_entries(x: Any, index: Any, v: Any) -> Any:
    """Return a copy of ``x`` with ``v`` at ``index``."""
    return done_to(operator.setitem, x, index, v)


def with_results(fn: np.ufunc, inputs: Any, out: Any, **kwargs: Any) -> Any:
    """Return copies of ``out`` with the results of ``fn`` where it is to compute them."""
    return fn(*inputs, out=tuple([x if x is None else np.array(x) for x in out]), **kwargs)


# NumPy's functions that change their first argument and return nothing.
IN_PLACE = {
    np.copyto, np.put, np.place, np.putmask, np.put_along_axis, np.fill_diagonal,
}  # fmt: skip

# Of these the shape of the result depends on the data.
OF_UNKNOWN_SHAPE = {
    np.nonzero, np.flatnonzero, np.argwhere, np.compress, np.extract, np.trim_zeros, np.unique,
    np.unique_all, np.unique_counts, np.unique_inverse, np.unique_values, np.union1d,
    np.intersect1d, np.setdiff1d, np.setxor1d, np.bincount,
}  # fmt: skip


MAYBE_OF_UNKNOWN_SHAPE = {*OF_UNKNOWN_SHAPE, np.where, np.repeat, np.delete}


def is_of_unknown_shape(fn: Function, args: Any, kwargs: Any, live: Any) -> bool:
    """Say if the result's shape depends on data that is ``live``: a predicate."""
    if fn is np.where:
        return len(args) == 1
    if fn in (np.repeat, np.delete):
        return any(live(a) for a in (*args[1:2], kwargs.get("repeats"), kwargs.get("obj")))
    return fn in OF_UNKNOWN_SHAPE


def has_mask(index: Any, live: Any) -> bool:
    """Say if ``index`` picks entries by truth that is ``live``."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(live(part) and part.dtype == bool for part in parts)
