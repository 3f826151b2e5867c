"""Live things: what a function reaches that its replay reads and writes in place.

Also the way there: a function that reads another object by then is to be recorded anew.
"""

from dataclasses import dataclass, field
from functools import lru_cache, partial
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from tinygrad_dnn.graph import Node
from tinygrad_dnn.nn.reach import are_ours, are_whole, draws, has_no_parts, parts
from tinygrad_dnn.replay.lookout import Accumulating, Again, Moving, Overlooked
from tinygrad_dnn.replay.places import Place, state_of
from tinygrad_dnn.tensor import Tensor

_FIXED = (tuple, set, frozenset, FunctionType, partial, MethodType)  # hold what they were made with
_ARRAYS = (np.ndarray, np.generic)
_RNG = (np.random.Generator,)
_NOTHING: dict[str, Any] = {}


@dataclass
class Live:
    """Leaves of a graph, optimisers, and the places that hold generators."""

    leaves: list[Node] = field(default_factory=list)
    optimizers: list[Any] = field(default_factory=list)
    generators: list[tuple[Any, Any]] = field(default_factory=list)  # (holder, key)
    moded: list[Any] = field(default_factory=list)  # layers that train or rest
    accumulating: set[Node] = field(default_factory=set)  # leaves whose gradients are added up
    held: list[tuple[Place, Any]] = field(default_factory=list)  # what the way to them led through
    numbers: list[tuple[Place, Any]] = field(default_factory=list)  # so far constant
    moving: list[Place] = field(default_factory=list)  # of numbers that are not

    def learn(self, found: Again) -> None:
        """Take in what a recording has found out."""
        if isinstance(found, Overlooked):
            self.leaves.append(found.leaf)
        elif isinstance(found, Accumulating):
            self.accumulating.add(found.leaf)
        elif isinstance(found, Moving):
            self.moves(found.place)

    def moves(self, *places: Place) -> None:
        """Take the numbers at ``places`` for live."""
        known = {(id(p.holder), p.key) for p in self.moving}
        self.moving += [p for p in places if (id(p.holder), p.key) not in known]
        known |= {(id(p.holder), p.key) for p in places}
        self.held = [(p, x) for p, x in self.held if (id(p.holder), p.key) not in known]
        self.numbers = [(p, x) for p, x in self.numbers if (id(p.holder), p.key) not in known]

    def changed(self) -> list[Place]:
        """Return the places that hold something else by now."""
        return [place for place, value in self.held if place.get(None) is not value]


class _Kind(NamedTuple):
    """What is known of all parts of one type."""

    whole: bool  # is nothing live reached through it?
    number: bool
    drawing: bool  # can it be a generator, or have one?
    lasting: bool
    steps: bool
    ours: bool | None  # None if it is a container of Python's: then as what it was found in


@lru_cache
def _kind(of: Any) -> _Kind:
    return _Kind(
        are_whole(of),
        of in (int, float),
        issubclass(of, (np.random.Generator, tuple)),
        issubclass(of, (type, ModuleType, BuiltinFunctionType)),
        hasattr(of, "step"),
        None if of.__module__ == "builtins" else are_ours(of),
    )


def live_in(*roots: Any) -> Live:
    """Return what is live of what can be reached from ``roots``, each thing once."""
    found = Live()
    leaves: dict[Node, None] = {}
    seen: set[int] = set()
    stack = [(root, False) for root in roots if not has_no_parts(root)]
    while stack:
        part, ours = stack.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, Tensor):
            if not part.node.fn:
                leaves[part.node] = None
        elif not isinstance(part, _ARRAYS):
            stack += _noted(part, ours, found)
    found.leaves += sorted(leaves, key=lambda node: node.born)
    return found


def _noted(part: Any, ours: bool, found: Live) -> list[tuple[Any, bool]]:
    """Note what may change in ``part``; return what is to be looked into."""
    of: Any = type(part)
    kind = _kind(of)
    optimizer = kind.steps and hasattr(part, "parameters")
    if kind.ours is not None:
        ours = optimizer or kind.ours
        if type(getattr(part, "__dict__", _NOTHING).get("training")) is bool:
            found.moded.append(part)
    if optimizer:
        found.optimizers.append(part)
        places = [p for p in state_of(part) if p.key != "parameters"]
        found.held += [(p, p.get()) for p in places if not isinstance(p.get(), (int, float))]
    inside = []
    for holder, key, inner in parts(part):
        of = type(inner)
        kind = _kind(of)
        whole = kind.whole
        if kind.drawing and draws(inner, _RNG):
            if not isinstance(holder, tuple):
                found.generators.append((holder, key))
            whole = isinstance(inner, _RNG)
        number = kind.number and not optimizer
        if (number or not ours) and not isinstance(holder, _FIXED):
            if number:
                found.numbers.append((Place(holder, key), inner))
            if not (ours or kind.lasting):
                found.held.append((Place(holder, key), inner))
        if not whole:
            inside.append((inner, ours))
    return inside
