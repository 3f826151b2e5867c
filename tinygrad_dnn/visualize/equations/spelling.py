"""Spelling: what functions are called in a formula, and how Python's own objects are written."""

import inspect
from typing import Any

import numpy as np

from tinygrad_dnn.recording import name_of
from tinygrad_dnn.rules import network
from tinygrad_dnn.visualize.equations.term import Plain, Term

NAMES: dict[Any, str] = {network.sigmoid: "σ", np.sqrt: "√"}
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
    """Return the arguments without those that say nothing, and the ones after them by name."""
    silent = [a is None or a is np._NoValue for a in args]
    if not any(silent):
        return args, options
    try:
        parameters = inspect.signature(fn.fn if isinstance(fn, Plain) else fn).parameters
    except (TypeError, ValueError):
        return args, options
    first = silent.index(True)
    named = list(parameters)[first : len(args)]
    if len(named) < len(args) - first or any(
        p.kind == p.VAR_POSITIONAL for p in parameters.values()
    ):
        return args, options
    said = {n: a for n, a, no in zip(named, args[first:], silent[first:], strict=True) if not no}
    return args[:first], said | options


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
    return isinstance(value, Term | np.generic) or not repr(value).startswith("<")
