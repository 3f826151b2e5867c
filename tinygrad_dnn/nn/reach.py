"""What a function can reach: everything live that it may read or write.

Found from the function itself (what it closes over, the globals it names, what it is bound to) and
from its arguments, through containers, attributes and further functions and classes of the user's.
"""

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from io import IOBase
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    MappingProxyType,
    MethodType,
    MethodWrapperType,
    ModuleType,
)
from typing import Any

import numpy as np

from tinygrad_dnn.graph import Node
from tinygrad_dnn.nn.parameters import attributes, attributes_of
from tinygrad_dnn.nn.steps import Step
from tinygrad_dnn.tensor import Tensor

GENERATORS = (np.random.Generator, np.random.RandomState)
_OURS = __name__.partition(".")[0]
_LIBRARIES = (_OURS, "numpy")
_NO_PARTS = (
    str, bytes, int, float, complex, ModuleType, np.dtype, Node,
    CodeType,
    Step,  # its layer is one of the network's
)  # fmt: skip
BOUND = (BuiltinFunctionType, MethodWrapperType)  # methods written in C, with what they belong to
_OWN = "__code__", "__defaults__", "__kwdefaults__"  # what a function can be given anew
_WHOLE = (Tensor, np.ndarray, np.generic, *GENERATORS)  # are yielded, and not taken apart


def reachable(*roots: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Yield (holder, key, part) of what can be reached from ``roots``; these have no holder.

    Each part once.

    >>> rng = np.random.default_rng(0)
    >>> [key for _, key, part in reachable({"a": rng}, [rng, rng]) if part is rng]
    ['a']
    """
    seen: set[int] = set()
    stack: list[tuple[Any, Any, Any]] = [(None, None, root) for root in reversed(roots)]
    while stack:
        found = stack.pop()
        part = found[-1]
        kind: Any = type(part)
        if are_whole(kind) or id(part) in seen:
            continue
        seen.add(id(part))
        yield found
        if not isinstance(part, _WHOLE):
            inside = [(holder, k, x) for holder, entries in holders(part) for k, x in entries]
            stack += reversed(inside)


@lru_cache
def are_whole(kind: type) -> bool:
    """Say if nothing live can be reached through what is of this kind."""
    return issubclass(kind, (type(None), *_NO_PARTS))


Entries = Iterable[tuple[Any, Any]]  # keys, and what is there


def holders(part: Any) -> Iterable[tuple[Any, Entries]]:
    """Return what holds the parts of ``part``: itself, but for a function or a class."""
    kind: Any = type(part)
    way_into = entries_of(kind)
    return [(part, way_into(part))] if way_into else surroundings(part)


@lru_cache
def entries_of(kind: Any) -> Callable[[Any], Entries] | None:
    """Return the function that gives the entries of what is of this kind.

    None for functions and classes.
    """
    if issubclass(kind, (FunctionType, type)):
        return None
    if issubclass(kind, MethodType):
        return lambda part: [(key, getattr(part, key)) for key in ("__self__", "__func__")]
    if issubclass(kind, BOUND):
        return lambda part: [("__self__", part.__self__)]
    if issubclass(kind, partial):
        return lambda part: [(key, getattr(part, key)) for key in ("func", "args", "keywords")]
    if issubclass(kind, (dict, MappingProxyType)):
        return lambda part: part.items()
    if issubclass(kind, (list, tuple, set, frozenset, deque)):
        return enumerate
    own = attributes_of(kind)
    if are_ours(kind):
        return lambda part: _of_ours(own(part))
    if _are_users(kind):
        return lambda part: [*own(part).items(), ("__class__", kind)]
    if issubclass(kind, np.ndarray):
        return _of_array
    return lambda part: own(part).items()


def _of_array(part: Any) -> Entries:
    return enumerate(part.flat) if part.dtype.hasobject else ()


def _of_ours(own: dict[str, Any]) -> Entries:
    if "__wrapped__" in own:  # of a recorded function not its recordings
        return [("f", own["__wrapped__"])]
    return own.items()


def surroundings(part: Any) -> Iterable[tuple[Any, Entries]]:
    """Return what holds what a function, or a class, can reach."""
    return _of_class(part) if isinstance(part, type) else _of_function(part)


def _of_function(f: FunctionType) -> list[tuple[Any, Entries]]:
    """Return the cells of ``f``, itself, and modules."""
    seen: list[Any] = []
    holders: list[tuple[Any, Entries]] = []
    for cell in f.__closure__ or ():
        try:
            seen.append(cell.cell_contents)
        except ValueError:  # not filled yet
            continue
        holders.append((cell, (("cell_contents", seen[-1]),)))
    holders.append(((f.__dict__,), enumerate((f.__dict__,))))  # which is always the same
    own = [(name, part) for name in _OWN if (part := getattr(f, name)) is not None]
    holders.append((f, own))
    if _is_library(f.__module__):
        return holders
    names, known = global_names(f.__code__), f.__globals__
    found = {name: known[name] for name in names if name in known}
    holders.append((known, found.items()))
    modules = [x for x in (*seen, *found.values()) if type(x) is ModuleType]
    for module in modules:  # grows as it goes
        if _is_library(module.__name__):
            continue
        inside, users = vars(module), is_users(module.__name__)
        named = {name: inside[name] for name in names if name in inside}
        holders.append((module, [(name, x) for name, x in named.items() if users or _is_live(x)]))
        modules += [x for x in named.values() if type(x) is ModuleType and x not in modules]
    return holders


def _of_class(kind: Any) -> Iterator[tuple[Any, Entries]]:
    """Yield a class, and what its methods reach.

    Of methods that are called by their names, which may be for other occasions, only what is live.
    """
    known: set[tuple[int, Any]] = set()
    for base in filter(_are_users, kind.__mro__):
        own = dict(vars(base))
        for name, entry in own.items():
            for holder, entries in (
                found for f in _functions_of(entry) for found in _of_function(f)
            ):
                new = [(key, x) for key, x in entries if (id(holder), key) not in known]
                new = [(key, x) for key, x in new if name.startswith("__") or _is_live(x)]
                known.update((id(holder), key) for key, _ in new)
                yield holder, new
            kind_of_entry: Any = type(entry)
            if hasattr(entry, "__get__") and _are_users(kind_of_entry):
                yield entry, attributes(entry).items()
        plain = [n for n, x in own.items() if not (n.startswith("__") or hasattr(x, "__get__"))]
        yield base, [(name, own[name]) for name in plain]


def _functions_of(entry: Any) -> list[FunctionType]:
    """Return the functions that an entry of a class is made of."""
    if isinstance(entry, FunctionType):
        return [entry]
    made_of = [getattr(entry, name, None) for name in ("__wrapped__", "fget", "fset", "func")]
    return [f for f in made_of if isinstance(f, FunctionType)]


def _is_live(x: Any) -> bool:
    """Say if ``x``, that perhaps is of no importance, is worth a look."""
    if isinstance(x, (FunctionType, type)):
        return is_users(_module_of(x))
    kind: Any = type(x)
    return (
        isinstance(x, (Tensor, float, *GENERATORS))
        or hasattr(kind, "step")
        or are_ours(kind)
        or (isinstance(x, tuple) and any(isinstance(part, GENERATORS) for part in x))
    )


@lru_cache
def are_ours(kind: type) -> bool:
    """Say if this package makes what is of this kind."""
    return _module_of(kind).partition(".")[0] == _OURS


@lru_cache
def are_iterators(kind: type) -> bool:
    """Say if what is of this kind gives one part after the other; not if the user wrote it."""
    return issubclass(kind, Iterator) and not (_are_users(kind) or issubclass(kind, IOBase))


@lru_cache
def _are_users(kind: type) -> bool:
    """Say if the user has written the class of what is of this kind."""
    return is_users(_module_of(kind))


@lru_cache
def is_users(module: str) -> bool:
    """Say if the user has written this module: it is no part of Python, and was not installed."""
    if _is_library(module) or module.partition(".")[0] in sys.stdlib_module_names:
        return False
    return "site-packages" not in (getattr(sys.modules.get(module), "__file__", None) or "")


def _module_of(x: Any) -> str:
    """Return the name of the module that a class or a function was written in."""
    return x.__module__ if isinstance(x.__module__, str) else ""


def _is_library(module: str | None) -> bool:
    return module is not None and module.partition(".")[0] in _LIBRARIES


def global_names(code: CodeType) -> list[str]:
    """Return the global names of ``code`` and of the functions defined in it."""
    inner = [x for x in code.co_consts if type(x) is CodeType]
    return [*code.co_names, *(name for x in inner for name in global_names(x))]
