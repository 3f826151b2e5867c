"""What a function can see: the arrays and numbers among the globals and closures that it uses.

A student's cost reads X and Y from around it; the diagnosis wants to know them.  They are guesses,
to be confirmed by numbers.
"""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from numbers import Number
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from tinygrad_dnn.nn.reach import global_names
from tinygrad_dnn.primitives import Array

DEPTH = 4  # functions that call functions


def surroundings(f: Callable[..., Any]) -> dict[str, Array]:
    """Return what ``f`` and the functions that it calls read from around them, in float64.

    >>> X = np.ones((2, 3))
    >>> list(surroundings(lambda: X.sum()))
    ['X']
    """
    found: dict[str, Array] = {}
    for name, value in _seen(f, DEPTH, set()):
        for path, array in _arrays(name, value):
            found.setdefault(path, array)
    return found


def _seen(f: Any, depth: int, known: set[int]) -> Iterator[tuple[str, Any]]:
    """Yield (name, value) of everything that ``f`` refers to, callees included."""
    if id(f) in known or not depth:
        return
    known.add(id(f))
    if isinstance(f, functools.partial):
        yield from f.keywords.items()
        yield from _seen(f.func, depth, known)
    elif inspect.ismethod(f):
        yield from vars(f.__self__).items() if hasattr(f.__self__, "__dict__") else ()
        yield from _seen(f.__func__, depth, known)
    elif isinstance(f, FunctionType):
        names = set(global_names(f.__code__))
        around = {name: f.__globals__[name] for name in names if name in f.__globals__}
        cells = zip(f.__code__.co_freevars, f.__closure__ or (), strict=True)
        for name, cell in cells:
            try:
                around[name] = cell.cell_contents
            except ValueError:  # not yet filled
                continue
        defaults = inspect.signature(f).parameters.values()
        around |= {p.name: p.default for p in defaults if p.default is not p.empty}
        for name, value in around.items():
            if callable(value):
                if not (getattr(value, "__module__", None) or "numpy").startswith("numpy"):
                    yield from _seen(value, depth - 1, known)
            else:
                yield name, value
    elif callable(f) and hasattr(f, "__dict__"):
        yield from vars(f).items()


def _arrays(name: str, value: Any) -> Iterator[tuple[str, Array]]:
    """Yield the arrays and numbers in a value, a dict, list or object of them taken apart."""
    if isinstance(value, np.ndarray | Number) and not isinstance(value, complex):
        array = np.asarray(value)
        if array.dtype.kind in "fiub" and array.dtype.itemsize <= 8:
            yield name, array.astype(np.float64)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(item, np.ndarray | Number):
                yield from _arrays(key if isinstance(key, str) else f"{name}{key}", item)
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            if isinstance(item, np.ndarray):
                yield from _arrays(f"{name}{i}", item)
    elif hasattr(value, "__dict__") and not isinstance(value, ModuleType | type):
        for key, item in vars(value).items():
            if isinstance(item, np.ndarray | Number | Mapping):
                yield from _arrays(key, item)
