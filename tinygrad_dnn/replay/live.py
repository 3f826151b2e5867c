"""Live things: what a function reaches that its replay reads and writes in place.

Also the way there: a function that reads another object by then is to be recorded anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from tinygrad_dnn.graph import Node
from tinygrad_dnn.nn.reach import draws, has_no_parts, is_ours, parts
from tinygrad_dnn.replay.lookout import Accumulating, Again, Moving, Overlooked
from tinygrad_dnn.replay.places import Place, state_of
from tinygrad_dnn.tensor import Tensor

_FIXED = (tuple, set, frozenset, FunctionType, partial, MethodType)  # hold what they were made with
_LASTING = (type, ModuleType, BuiltinFunctionType)
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
            continue
        if isinstance(part, _ARRAYS):
            continue
        kind = type(part)
        if type(getattr(part, "__dict__", _NOTHING).get("training")) is bool:
            found.moded.append(part)
        optimizer = hasattr(kind, "step") and hasattr(part, "parameters")
        if optimizer:
            found.optimizers.append(part)
            places = (p for p in state_of(part) if p.key != "parameters")
            found.held += [(p, p.get()) for p in places if not isinstance(p.get(), int | float)]
        if kind.__module__ != "builtins":
            ours = optimizer or is_ours(part)
        stack += [(x, ours) for x in _noted(part, ours, optimizer, found)]
    found.leaves += sorted(leaves, key=lambda node: node.born)
    return found


def _noted(part: Any, ours: bool, optimizer: bool, found: Live) -> Iterator[Any]:
    """Yield what ``part`` is made of, and note what may change there."""
    for holder, key, inner in parts(part):
        whole = has_no_parts(inner)
        if not whole and draws(inner, _RNG):
            if not isinstance(holder, tuple):
                found.generators.append((holder, key))
            whole = isinstance(inner, _RNG)
        number = type(inner) in (int, float) and not optimizer
        if (number or not ours) and not isinstance(holder, _FIXED):
            if number:
                found.numbers.append((Place(holder, key), inner))
            if not (ours or isinstance(inner, _LASTING)):
                found.held.append((Place(holder, key), inner))
        if not whole:
            yield inner
