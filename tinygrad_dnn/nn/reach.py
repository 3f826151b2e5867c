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
from tinygrad_dnn.nn.parameters import held
from tinygrad_dnn.tensor import Tensor

GENERATORS = (np.random.Generator, np.random.RandomState)
_OURS = __name__.partition(".")[0]
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
        stack += reversed(list(parts(part)))


def has_no_parts(part: Any) -> bool:
    """Say if nothing live can be reached through ``part``."""
    kind: Any = type(part)
    return are_whole(kind)


@lru_cache
def are_whole(kind: type) -> bool:
    """Say if nothing live can be reached through what is of this kind."""
    return issubclass(kind, (type(None), *_NO_PARTS))


def draws(part: Any, kinds: tuple[type, ...] = GENERATORS) -> bool:
    """Say if ``part`` is a generator, or a tuple that has one."""
    return isinstance(part, kinds) or (
        isinstance(part, tuple) and any(isinstance(x, kinds) for x in part)
    )


def parts(part: Any) -> Iterable[tuple[Any, Any, Any]]:
    """Return what ``part`` is made of, with what holds it and under which key."""
    kind: Any = type(part)
    return _way_into(kind)(part)


@lru_cache
def _way_into(kind: Any) -> Callable[[Any], Iterable[tuple[Any, Any, Any]]]:
    if issubclass(kind, MethodType):
        return lambda part: [(part, key, getattr(part, key)) for key in ("__self__", "__func__")]
    if issubclass(kind, FunctionType):
        return _of_function
    if issubclass(kind, partial):
        return lambda part: [(part, key, getattr(part, key)) for key in _OF_PARTIAL]
    if issubclass(kind, dict):
        return lambda part: [(part, key, value) for key, value in part.items()]
    if issubclass(kind, (list, tuple, set, frozenset)):
        return lambda part: [(part, i, value) for i, value in enumerate(part)]
    return _of_object if are_ours(kind) else _of_attributes


_OF_PARTIAL = ("func", "args", "keywords")


def _of_object(part: Any) -> list[tuple[Any, Any, Any]]:
    if "__wrapped__" in getattr(part, "__dict__", ()):
        return [(part, "f", part.__wrapped__)]  # of a recorded function not its recordings
    return _of_attributes(part)


def _of_attributes(part: Any) -> list[tuple[Any, Any, Any]]:
    return [(part, key, value) for key, value in held(part).items()]


def _of_function(f: FunctionType) -> Iterator[tuple[Any, Any, Any]]:
    for cell in f.__closure__ or ():
        try:
            yield cell, "cell_contents", cell.cell_contents
        except ValueError:  # not filled yet
            continue
    yield f, "__defaults__", f.__defaults__
    yield f, "__kwdefaults__", f.__kwdefaults__
    yield f, "__dict__", f.__dict__
    if not _is_library(f.__module__ or ""):
        names = dict.fromkeys(global_names(f.__code__))
        for name in (n for n in names if n in f.__globals__):
            value = f.__globals__[name]
            yield f.__globals__, name, value
            if isinstance(value, ModuleType) and not _is_library(value.__name__):
                inside = ((value, n, vars(value)[n]) for n in names if n in vars(value))
                yield from (found for found in inside if _is_live(found[-1]))


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


def _is_library(module: str) -> bool:
    return module.partition(".")[0] in (_OURS, "numpy")


def global_names(code: CodeType) -> Iterator[str]:
    """Yield the global names of ``code`` and of the functions defined in it."""
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from global_names(inner)
