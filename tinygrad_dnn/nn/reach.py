"""What a function can reach: everything live that it may read or write.

Found from the function itself (what it closes over, the globals it names, what it is bound to) and
from its arguments, through containers, attributes and further functions of the user's.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from tinygrad_dnn.graph import Node
from tinygrad_dnn.nn.parameters import attributes
from tinygrad_dnn.tensor import Tensor

GENERATORS = (np.random.Generator, np.random.RandomState)
_OURS = __name__.partition(".")[0]
_LIBRARIES = (_OURS, "numpy")
_NO_PARTS = (
    str, bytes, int, float, complex, type, ModuleType, BuiltinFunctionType, np.dtype, Node,
)  # fmt: skip
_WHOLE = (Tensor, np.ndarray, np.generic, *GENERATORS)  # are yielded, and not taken apart


def reachable(*roots: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Yield (holder, key, part) of what can be reached from ``roots``; these have no holder.

    Each part once, but a generator, and a tuple that has one, at every place that holds it.

    >>> rng = np.random.default_rng(0)
    >>> [key for _, key, part in reachable({"a": rng}, [rng, rng]) if part is rng]
    ['a', 0, 1]
    """
    seen: set[int] = set()
    stack: list[tuple[Any, Any, Any]] = [(None, None, root) for root in reversed(roots)]
    while stack:
        found = stack.pop()
        part = found[-1]
        if has_no_parts(part):
            continue
        known = id(part) in seen
        if not known or draws(part):
            yield found
        if known or isinstance(part, _WHOLE):
            seen.add(id(part))
            continue
        seen.add(id(part))
        inside = [(holder, k, x) for holder, entries in holders(part) for k, x in entries]
        stack += reversed(inside)


def has_no_parts(part: Any) -> bool:
    """Say if nothing live can be reached through ``part``."""
    kind: Any = type(part)
    return are_whole(kind)


@lru_cache
def are_whole(kind: type) -> bool:
    """Say if nothing live can be reached through what is of this kind."""
    return issubclass(kind, (type(None), *_NO_PARTS))


def draws(part: Any) -> bool:
    """Say if ``part`` is a generator, or a tuple that has one."""
    return isinstance(part, GENERATORS) or (
        isinstance(part, tuple) and any(isinstance(x, GENERATORS) for x in part)
    )


Entries = Iterable[tuple[Any, Any]]  # keys, and what is there


def holders(part: Any) -> Iterable[tuple[Any, Entries]]:
    """Return what holds the parts of ``part``: itself, but for a function."""
    kind: Any = type(part)
    way_into = entries_of(kind)
    return [(part, way_into(part))] if way_into else surroundings(part)


@lru_cache
def entries_of(kind: Any) -> Callable[[Any], Entries] | None:
    """Return the function that gives the entries of what is of this kind; None for functions."""
    if issubclass(kind, FunctionType):
        return None
    if issubclass(kind, MethodType):
        return lambda part: [(key, getattr(part, key)) for key in ("__self__", "__func__")]
    if issubclass(kind, partial):
        return lambda part: [(key, getattr(part, key)) for key in ("func", "args", "keywords")]
    if issubclass(kind, dict):
        return lambda part: part.items()
    if issubclass(kind, (list, tuple, set, frozenset)):
        return enumerate
    return _of_ours if are_ours(kind) else lambda part: attributes(part).items()


def _of_ours(part: Any) -> Entries:
    found = attributes(part)
    if "__wrapped__" in found:  # of a recorded function not its recordings
        return [("f", found["__wrapped__"])]
    return found.items()


def surroundings(f: FunctionType) -> Iterator[tuple[Any, Entries]]:
    """Yield what holds what ``f`` can reach: its cells, itself, modules."""
    for cell in f.__closure__ or ():
        try:
            yield cell, [("cell_contents", cell.cell_contents)]
        except ValueError:  # not filled yet
            continue
    own = ("__defaults__", f.__defaults__), ("__kwdefaults__", f.__kwdefaults__)
    yield f, (*own, ("__dict__", f.__dict__))
    if _is_library(f.__module__):
        return
    names, known = dict.fromkeys(global_names(f.__code__)), f.__globals__
    found = [(name, known[name]) for name in names if name in known]
    yield known, found
    for _, value in found:
        if type(value) is ModuleType and not _is_library(value.__name__):
            inside = vars(value)
            named = [(name, inside[name]) for name in names if name in inside]
            yield value, [(name, x) for name, x in named if _is_live(x)]


def _is_live(x: Any) -> bool:
    """Say if ``x``, of a module of whatever make, is worth a look."""
    return isinstance(x, (*GENERATORS, Tensor, float)) or hasattr(type(x), "step") or is_ours(x)


def is_ours(part: Any) -> bool:
    """Say if ``part`` is of a kind that this package makes."""
    kind: Any = type(part)
    return are_ours(kind)


@lru_cache
def are_ours(kind: type) -> bool:
    """Say if this package makes what is of this kind."""
    return kind.__module__.partition(".")[0] == _OURS


def _is_library(module: str | None) -> bool:
    return module is not None and module.partition(".")[0] in _LIBRARIES


def global_names(code: CodeType) -> Iterator[str]:
    """Yield the global names of ``code`` and of the functions defined in it."""
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from global_names(inner)
