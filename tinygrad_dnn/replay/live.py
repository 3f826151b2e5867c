"""Live things: what a function reaches that its replay reads and writes in place.

Also the way there: a function that reads another object by then is to be recorded anew.
"""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from operator import is_
from types import BuiltinFunctionType, MappingProxyType, MethodType, ModuleType
from typing import Any, TypeAlias

import numpy as np

from tinygrad_dnn.graph import Node
from tinygrad_dnn.nn.noticed import Noticed
from tinygrad_dnn.nn.reach import (
    BOUND,
    Entries,
    are_iterators,
    are_ours,
    are_whole,
    entries_of,
    surroundings,
)
from tinygrad_dnn.replay.lookout import Accumulating, Again, Drawing, Moving, Overlooked
from tinygrad_dnn.replay.places import CONTAINERS, Place, state_of
from tinygrad_dnn.replay.symbol import NUMBERS
from tinygrad_dnn.tensor import Tensor

_FIXED = (
    tuple,
    set,
    frozenset,
    np.ndarray,
    partial,
    MethodType,
    *BOUND,
)  # hold what they were made with
ARRAYS = (np.ndarray, np.generic)
_UNKNOWN = (  # draw without a recording noticing
    np.random.RandomState, np.random.BitGenerator, np.random.SeedSequence, random.Random,
)  # fmt: skip
_WHOLE = (Tensor, np.random.Generator, np.generic, *_UNKNOWN)
_COPIED: Any = ((dict, dict), (set, set), ((list, deque), list))
_NOTHING: MappingProxyType[str, Any] = MappingProxyType({})

Inside: TypeAlias = tuple[Any, Entries, bool, bool]  # a holder, what it has; is it ours, fixed?


@dataclass
class Live:
    """Leaves of a graph, optimisers, and the places that hold generators and iterators."""

    leaves: list[Node] = field(default_factory=list)
    optimizers: list[Any] = field(default_factory=list)
    generators: list[tuple[Any, Any]] = field(default_factory=list)  # and iterators: (holder, key)
    unknown: list[Any] = field(default_factory=list)  # generators of kinds that stay as they are
    drawing: str = ""  # what the function is known to draw from, not yet where
    moded: list[Any] = field(default_factory=list)  # layers that train or rest
    accumulating: set[Node] = field(default_factory=set)  # leaves whose gradients are added up
    held: list[tuple[Place, Any]] = field(default_factory=list)  # what the way to them led through
    options: list[tuple[Any, dict[str, Any]]] = field(default_factory=list)  # of layers of ours
    contents: list[tuple[Any, Any]] = field(
        default_factory=list
    )  # of what may have more, or less, by now
    numbers: list[tuple[Place, Any]] = field(default_factory=list)  # so far constant
    moving: list[Place] = field(default_factory=list)  # of numbers that are not
    state: list[tuple[Place, Any]] = field(default_factory=list)  # arrays and numbers of optimisers
    kinds: list[tuple[Place, type]] = field(default_factory=list)  # of the numbers among them
    stateful: dict[int, str] = field(default_factory=dict)  # what holds it, by id, and its name

    def learn(self, found: Again) -> None:
        """Take in what a recording has found out."""
        if isinstance(found, Overlooked):
            self.leaves.append(found.leaf)
        elif isinstance(found, Accumulating):
            self.accumulating.add(found.leaf)
        elif isinstance(found, Moving):
            self.moves(*found.places)
        elif isinstance(found, Drawing):
            self.drawing = found.what

    def moves(self, *places: Place) -> None:
        """Take the numbers at ``places`` for live."""
        state = {p.name for p, _ in self.state}
        new = [p for p in places if p.name not in state]
        self.moving += new
        self.kinds += [(p, type(p.get())) for p in new]
        moving = self.moves_at
        self.hold_no_longer(moving)
        self.numbers = [(p, x) for p, x in self.numbers if p.name not in moving]

    @property
    def moves_at(self) -> set[Any]:
        """The names of the places of numbers and arrays that are not constant."""
        return {p.name for p in self.moving}

    def hold_no_longer(self, names: set[Any]) -> None:
        """Let the places of these names hold anything."""
        self.held = [(p, x) for p, x in self.held if p.name not in names]

    def descends(self, optimizer: Any) -> None:
        """Take the arrays and numbers of ``optimizer`` for live."""
        self.optimizers.append(optimizer)
        self.stateful[id(optimizer)] = ""
        for holder, key, value in state_of(optimizer):
            kind = _kinds.get(type(value)) or _kind_of(type(value))
            place, number = Place(holder, key), kind.role == "number"
            if number or kind.array:
                self.state.append((place, value))
            elif kind.container:
                self.stateful[id(value)] = self.name_at(place)
            if number or isinstance(value, np.generic):
                self.kinds.append((place, type(value)))
            else:
                self.held.append((place, value))
                if kind.copied:
                    self.contents.append((value, kind.copied(value)))

    def name_at(self, place: Place) -> str:
        """Return what a plan calls the value at ``place``: lr, m[0]."""
        key = place.key
        return key if type(key) is str else f"{self.stateful.get(id(place.holder), '')}[{key!r}]"

    def of_others(self, held: list[tuple[Place, Any]]) -> list[tuple[Place, Any]]:
        """Return the places that are not in optimisers."""
        return [x for x in held if id(x[0].holder) not in self.stateful] if self.stateful else held

    def exchanged(self) -> list[Place]:
        """Return the places that hold something else by now."""
        return [place for place, value in self.held if place.get(None) is not value]

    def has_changed(self) -> bool:
        """Say if something else is reached by now, but for options of layers."""
        return (
            bool(self.exchanged())
            or any(type(place.get(None)) is not of for place, of in self.kinds)
            or any(
                holder != before if isinstance(before, set) else len(holder) != len(before)
                for holder, before in self.contents
            )
        )

    def have_options_changed(self) -> bool:
        """Say if an attribute of a layer of ours holds something else by now."""
        return not all(
            all(map(is_, map(own.get, before), before.values())) for own, before in self.options
        )

    def rewind(self) -> None:
        """Put back what was reached, where something else is by now; what is new goes."""
        for holder, before in self.contents:
            holder.clear()
            holder.extend(before) if isinstance(before, list) else holder.update(before)
        for place, value in (*self.numbers, *self.held):
            if place.get(None) is not value:
                place.set(value)
        for own, before in self.options:
            own.update(before)


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is known of all that is of one type."""

    role: str  # what a recording has to do with it; most have none
    array: bool  # or a number of NumPy's
    container: bool
    copied: Callable[[Any], Any] | None  # makes a copy of what may have more by and by
    fixed: bool  # does it go on holding what it was made with?
    lasting: bool  # is it never exchanged?
    whole: bool  # is nothing live reached through it?
    steps: bool
    noticed: bool  # is it said when its attributes are set?
    ours: bool | None  # None if it is a container of Python's: then as what it was found in
    entries: Callable[[Any], Entries] | None  # of which only functions and classes have none


_kinds: dict[Any, _Kind] = {}  # of types that were met before


def _kind_of(of: Any) -> _Kind:
    """Return what is known of a type; not for ever, since some programs go on making types."""
    if len(_kinds) == 1000:
        _kinds.clear()
    kind = _kinds[of] = _Kind(
        role=_role(of),
        array=issubclass(of, ARRAYS),
        copied=next((to for kinds, to in _COPIED if issubclass(of, kinds)), None),
        container=issubclass(of, CONTAINERS),
        fixed=issubclass(of, _FIXED),
        lasting=issubclass(of, (type, ModuleType, BuiltinFunctionType)),
        whole=are_whole(of) or issubclass(of, _WHOLE),
        steps=hasattr(of, "step"),
        noticed=issubclass(of, Noticed),
        ours=None if of.__module__ in ("builtins", "collections") else are_ours(of),
        entries=entries_of(of),
    )
    return kind


def _role(of: Any) -> str:
    """Return what a recording has to do with all that is of a type."""
    if of in NUMBERS or are_whole(of):
        return "number" if of in NUMBERS else ""
    roles = {Tensor: "tensor", tuple: "tuple", np.random.Generator: "generator"}
    roles |= dict.fromkeys(_UNKNOWN, "unknown")
    found = (role for kind, role in roles.items() if issubclass(of, kind))
    return next(found, "iterator" if are_iterators(of) else "")


def live_in(*roots: Any) -> Live:
    """Return what is live of what can be reached from ``roots``, each thing once."""
    found = Live()
    leaves: dict[Node, None] = {}
    held: list[tuple[Place, Any]] = []
    numbers: list[tuple[Place, Any]] = []
    tuples: list[tuple[Any, Any, Any]] = []
    drawing: set[int] = set()  # tuples that have a generator
    seen: set[int] = set()
    known = _kinds.get
    queue: list[Inside] = [(roots, enumerate(roots), False, True)]
    for holder, entries, ours, fixed in queue:  # which grows
        for key, part in entries:
            kind = known(type(part)) or _kind_of(type(part))
            if role := kind.role:
                if role == "tensor":
                    if not part.node.fn:
                        leaves[part.node] = None
                elif role == "number":
                    if not fixed:
                        numbers.append((Place(holder, key), part))
                elif role == "tuple":
                    tuples.append((holder, key, part))
                elif role == "unknown":
                    found.unknown.append(part)
                elif isinstance(holder, tuple):
                    drawing.add(id(holder))
                else:
                    found.generators.append((holder, key))
            if not (ours or fixed or kind.lasting):
                held.append((Place(holder, key), part))
            if not kind.whole and (name := id(part)) not in seen:
                seen.add(name)
                own = ours if kind.ours is None else _is_ours(part, kind, found)
                if kind.copied and not own:
                    found.contents.append((part, kind.copied(part)))
                if kind.entries:
                    queue.append((part, kind.entries(part), own, kind.fixed))
                else:
                    inside = surroundings(part)
                    queue += [(x, entries, own, isinstance(x, _FIXED)) for x, entries in inside]
    if drawing:
        with_one = [(holder, key) for holder, key, part in tuples if id(part) in drawing]
        found.generators += [(h, key) for h, key in with_one if not isinstance(h, tuple)]
    found.leaves += leaves
    found.held += found.of_others(held)
    found.numbers += found.of_others(numbers)
    return found


def _is_ours(part: Any, kind: _Kind, found: Live) -> bool:
    """Say if this package has made an object; what matters of it as a whole goes into ``found``."""
    own = getattr(part, "__dict__", _NOTHING)
    if "training" in own and type(own["training"]) is bool:
        found.moded.append(part)
    if kind.steps and hasattr(part, "parameters"):
        found.descends(part)
        return True
    if not kind.ours:
        if type(own) is dict:
            found.contents.append((own, {**own}))
        return False
    if kind.noticed and own:
        options = {**own}
        options.pop("training", None)  # which the signature has
        found.options.append((own, options))
    return True
