"""What a function can reach: the live things that its replay reads and writes in place.

Found from the function itself (what it closes over, the globals it names, what it is bound to) and
from its arguments, through containers, attributes and further functions of the user's.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from tinygrad_dnn.graph import Node
from tinygrad_dnn.nn.parameters import held
from tinygrad_dnn.replay.lookout import Again, Overlooked
from tinygrad_dnn.tensor import Tensor

_OURS = __name__.partition(".")[0]
_NO_PARTS = (str, bytes, int, float, complex, type, ModuleType, BuiltinFunctionType, np.dtype)


@dataclass
class Reach:
    """Live things: leaves of a graph, optimisers, and the places that hold generators."""

    leaves: list[Node] = field(default_factory=list)
    optimizers: list[Any] = field(default_factory=list)
    generators: list[tuple[Any, Any]] = field(default_factory=list)  # (holder, key)
    moded: list[Any] = field(default_factory=list)  # layers that train or rest
    accumulating: set[Node] = field(default_factory=set)  # leaves whose gradients are added up

    def learn(self, found: Again) -> None:
        """Take in what a recording has found out."""
        if isinstance(found, Overlooked):
            self.leaves.append(found.leaf)
        else:
            self.accumulating.add(found.leaf)


def reach(*roots: Any) -> Reach:
    """Return what can be reached from ``roots``, each thing once."""
    found = Reach()
    seen: set[int] = set()
    stack = list(roots)
    while stack:
        part = stack.pop()
        if id(part) in seen or isinstance(part, _NO_PARTS) or part is None:
            continue
        seen.add(id(part))
        if isinstance(part, Tensor):
            if not part.node.fn and part.node not in found.leaves:
                found.leaves.append(part.node)
            continue
        if isinstance(part, np.ndarray | np.generic | np.random.Generator):
            continue
        if isinstance(getattr(part, "training", None), bool):
            found.moded.append(part)
        if hasattr(part, "step") and hasattr(part, "parameters"):
            found.optimizers.append(part)
        for holder, key, inner in _parts(part):
            if _draws(inner) and not isinstance(holder, tuple):
                found.generators.append((holder, key))
            if not isinstance(inner, np.random.Generator):
                stack.append(inner)
    found.leaves.sort(key=lambda node: node.born)
    return found


def _draws(part: Any) -> bool:
    """Say if ``part`` is a generator, or a tuple that has one."""
    rng = np.random.Generator
    return isinstance(part, rng) or (
        isinstance(part, tuple) and any(isinstance(x, rng) for x in part)
    )


def _parts(part: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Yield what ``part`` is made of, with what holds it and under which key."""
    if isinstance(part, MethodType):
        yield part, "__self__", part.__self__
        yield part, "__func__", part.__func__
    elif isinstance(part, FunctionType):
        yield from _of_function(part)
    elif isinstance(part, partial):
        yield from ((part, key, getattr(part, key)) for key in ("func", "args", "keywords"))
    elif isinstance(part, dict | list | tuple | set | frozenset):
        items = part.items() if isinstance(part, dict) else enumerate(part)
        yield from ((part, key, value) for key, value in items)
    else:
        yield from ((part, key, value) for key, value in held(part).items())


def _of_function(f: FunctionType) -> Iterator[tuple[Any, Any, Any]]:
    for cell in f.__closure__ or ():
        try:
            yield cell, "cell_contents", cell.cell_contents
        except ValueError:  # not filled yet
            continue
    yield f, "__defaults__", f.__defaults__
    yield f, "__kwdefaults__", f.__kwdefaults__
    yield f, "__dict__", f.__dict__
    if (f.__module__ or "").partition(".")[0] not in (_OURS, "numpy"):
        for name in _names(f.__code__):
            if name in f.__globals__:
                yield f.__globals__, name, f.__globals__[name]


def _names(code: CodeType) -> Iterator[str]:
    """Yield the global names of ``code`` and of the functions defined in it."""
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)
