"""Spelling: what functions are called in a formula, and how Python's own objects are written."""

import inspect
from typing import Any

import numpy as np

from tinygrad_dnn.recording import name_of
from tinygrad_dnn.rules import network
from tinygrad_dnn.visualize.equations.term import Plain, Term

NAMES: dict[Any, str] = {network.sigmoid: "σ", np.sqrt: "√", np.absolute: "abs"}
SHORT = 7  # a range up to this length is written out


def function_name(fn: Any) -> str:
    """Return what a function is called in a formula: NumPy's name, without ``np.``."""
    fn = fn.fn if isinstance(fn, Plain) else fn
    return NAMES.get(fn) or (
        fn if isinstance(fn, str) else name_of(fn).removeprefix("np.").strip("<>")
    )


def with_keywords(
    fn: Any, args: list[Any], options: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Return the arguments without those that are assumed, and the ones after them by name."""
    try:
        parameters = inspect.signature(fn.fn if isinstance(fn, Plain) else fn).parameters
    except (TypeError, ValueError):  # not every function of NumPy shows its signature
        return args, options
    if any(p.kind == p.VAR_POSITIONAL for p in parameters.values()):
        return args, options
    options = {k: v for k, v in options.items() if not _is_assumed(v, parameters.get(k))}
    silent = [_is_assumed(a, p) for a, p in zip(args, parameters.values(), strict=False)]
    if True not in silent or len(silent) < len(args):
        return args, options
    first = silent.index(True)
    named = list(parameters)[first : len(args)]
    said = {n: a for n, a, no in zip(named, args[first:], silent[first:], strict=True) if not no}
    return args[:first], said | options


def _is_assumed(a: Any, parameter: inspect.Parameter | None) -> bool:
    """Say whether an argument is what a function assumes without it."""
    if a is np._NoValue or parameter is None:
        return a is np._NoValue
    if a is None:
        return parameter.default is None
    return isinstance(a, str | bool | int | float) and bool(a == parameter.default)


def written(value: Any) -> str:
    """Return what a call was given besides terms, as Python writes it."""
    if isinstance(value, slice):
        ends = ["" if end is None else written(end) for end in (value.start, value.stop)]
        return ":".join([*ends, written(value.step)] if value.step is not None else ends)
    if value is Ellipsis:
        return "..."
    if isinstance(value, np.dtype | type):
        return np.dtype(value).name
    if callable(value):
        return function_name(value)
    if isinstance(value, range):
        return written(tuple(value)) if len(value) < SHORT else repr(value)
    if isinstance(value, tuple | list):
        inner = ", ".join(map(written, value))
        inner += "," * (isinstance(value, tuple) and len(value) == 1)
        return f"({inner})" if isinstance(value, tuple) else f"[{inner}]"
    if isinstance(value, np.generic):
        value = value.item()
    return (
        repr(value).replace("-", "−") if isinstance(value, int | float | complex) else repr(value)
    )


def is_data(value: Any) -> bool:
    """Say whether an option can be written down, unlike an object that only a rule understands."""
    spelt = isinstance(value, Term | np.generic) or callable(value)
    return spelt or not repr(value).startswith("<")
