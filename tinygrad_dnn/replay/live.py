"""Live things: what a function reaches that its replay reads and writes in place.

Also the way there: a function that reads another object by then is to be recorded anew.
"""

import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, TypeAlias

import numpy as np

from tinygrad_dnn.graph import Node
from tinygrad_dnn.nn.noticed import Noticed
from tinygrad_dnn.nn.reach import Entries, are_ours, are_whole, entries_of, surroundings
from tinygrad_dnn.replay.lookout import Accumulating, Again, Moving, Overlooked
from tinygrad_dnn.replay.places import CONTAINERS, Place, state_of
from tinygrad_dnn.tensor import Tensor

_FIXED = (
    tuple,
    set,
    frozenset,
    np.ndarray,
    FunctionType,
    partial,
    MethodType,
)  # hold what they were made with
ARRAYS = (np.ndarray, np.generic)
_UNKNOWN = (  # draw without a recording noticing
    np.random.RandomState, np.random.BitGenerator, np.random.SeedSequence, random.Random,
)  # fmt: skip
_WHOLE = (Tensor, np.random.Generator, np.generic, *_UNKNOWN)
_COPIED: Any = ((dict, dict), (set, set), ((list, deque), list))
_NOTHING: dict[str, Any] = {}

Inside: TypeAlias = tuple[Any, Entries, bool]  # a holder, what it has, and if it is of this package


@dataclass
class Live:
    """Leaves of a graph, optimisers, and the places that hold generators."""

    leaves: list[Node] = field(default_factory=list)
    optimizers: list[Any] = field(default_factory=list)
    generators: list[tuple[Any, Any]] = field(default_factory=list)  # (holder, key)
    unknown: list[Any] = field(default_factory=list)  # generators of kinds that stay as they are
    moded: list[Any] = field(default_factory=list)  # layers that train or rest
    accumulating: set[Node] = field(default_factory=set)  # leaves whose gradients are added up
    held: list[tuple[Place, Any]] = field(default_factory=list)  # what the way to them led through
    options: list[tuple[dict[Any, Any], Any, Any]] = field(
        default_factory=list
    )  # of layers of ours
    contents: list[tuple[Any, Any]] = field(
        default_factory=list
    )  # of what may have more, or less, by now
    numbers: list[tuple[Place, Any]] = field(default_factory=list)  # so far constant
    moving: list[Place] = field(default_factory=list)  # of numbers that are not
    state: list[tuple[Place, Any]] = field(default_factory=list)  # arrays and numbers of optimisers
    kinds: list[tuple[Place, type]] = field(default_factory=list)  # of the numbers among them
    stateful: set[int] = field(default_factory=set)  # the ids of these, their dicts and their lists

    def learn(self, found: Again) -> None:
        """Take in what a recording has found out."""
        if isinstance(found, Overlooked):
            self.leaves.append(found.leaf)
        elif isinstance(found, Accumulating):
            self.accumulating.add(found.leaf)
        elif isinstance(found, Moving):
            self.moves(*found.places)

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
        self.stateful.add(id(optimizer))
        held = []
        for holder, key, value in state_of(optimizer):
            kind = _kinds[type(value)]
            if kind.number or kind.array:
                self.state.append((Place(holder, key), value))
            elif kind.container:
                self.stateful.add(id(value))
            if kind.number or isinstance(value, np.generic):
                self.kinds.append((Place(holder, key), type(value)))
            else:
                held.append((Place(holder, key), value))
                if kind.copied:
                    self.contents.append((value, kind.copied(value)))
        self.held = [(p, x) for p, x in self.held if id(p.holder) not in self.stateful] + held
        self.numbers = [(p, x) for p, x in self.numbers if id(p.holder) not in self.stateful]

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
        return any(own.get(key) is not value for own, key, value in self.options)

    def rewind(self) -> None:
        """Put back what was reached, where something else is by now; what is new goes."""
        for holder, before in self.contents:
            holder.clear()
            holder.extend(before) if isinstance(before, list) else holder.update(before)
        for place, value in (*self.numbers, *self.held):
            if place.get(None) is not value:
                place.set(value)
        for own, key, value in self.options:
            own[key] = value


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is known of all that is of one type."""

    tensor: bool
    number: bool
    array: bool  # or a number of NumPy's
    container: bool
    copied: Callable[[Any], Any] | None  # makes a copy of what may have more by and by
    generator: bool
    unknown: bool  # is it a generator of another kind?
    tuple: bool  # can be exchanged as a whole only
    fixed: bool  # does it go on holding what it was made with?
    lasting: bool  # is it never exchanged?
    whole: bool  # is nothing live reached through it?
    steps: bool
    noticed: bool  # is it said when its attributes are set?
    ours: bool | None  # None if it is a container of Python's: then as what it was found in
    entries: Callable[[Any], Entries] | None  # of which only functions have none


class _Kinds(dict[Any, _Kind]):
    """Types that were met before; not for ever, since some programs go on making types."""

    def __missing__(self, of: Any) -> _Kind:
        if len(self) == 1000:
            self.clear()
        kind = self[of] = _Kind(
            tensor=issubclass(of, Tensor),
            number=of in (int, float),
            array=issubclass(of, ARRAYS),
            copied=next((to for kinds, to in _COPIED if issubclass(of, kinds)), None),
            container=issubclass(of, CONTAINERS),
            generator=issubclass(of, np.random.Generator),
            unknown=issubclass(of, _UNKNOWN),
            tuple=issubclass(of, tuple),
            fixed=issubclass(of, _FIXED),
            lasting=issubclass(of, (type, ModuleType, BuiltinFunctionType)),
            whole=are_whole(of) or issubclass(of, _WHOLE),
            steps=hasattr(of, "step"),
            noticed=issubclass(of, Noticed),
            ours=None if of.__module__ in ("builtins", "collections") else are_ours(of),
            entries=entries_of(of),
        )
        return kind


_kinds = _Kinds()


def live_in(*roots: Any) -> Live:
    """Return what is live of what can be reached from ``roots``, each thing once."""
    found = Live()
    leaves: dict[Node, None] = {}
    tuples: list[tuple[Any, Any, Any]] = []
    drawing: set[int] = set()  # tuples that have a generator
    seen: set[int] = set()
    queue: list[Inside] = [(roots, enumerate(roots), False)]
    for holder, entries, ours in queue:
        of_holder = _kinds[type(holder)]
        fixed = of_holder.fixed or id(holder) in found.stateful
        own = holder.__dict__ if ours and of_holder.noticed else None
        for key, part in entries:
            kind = _kinds[type(part)]
            if kind.tensor:
                if not part.node.fn:
                    leaves[part.node] = None
            elif kind.number:
                if not fixed:
                    found.numbers.append((Place(holder, key), part))
            elif kind.tuple:
                tuples.append((holder, key, part))
            elif kind.generator:
                if isinstance(holder, tuple):
                    drawing.add(id(holder))
                else:
                    found.generators.append((holder, key))
            elif kind.unknown:
                found.unknown.append(part)
            if own is not None and key != "training":  # which the signature has
                found.options.append((own, key, part))
            if not (ours or fixed or kind.lasting):
                found.held.append((Place(holder, key), part))
            if not kind.whole and id(part) not in seen:
                seen.add(id(part))
                queue += _inside(part, kind, ours, found)
    if drawing:
        with_one = [(holder, key) for holder, key, part in tuples if id(part) in drawing]
        found.generators += [(h, key) for h, key in with_one if not isinstance(h, tuple)]
    found.leaves += leaves
    return found


def _inside(part: Any, kind: _Kind, ours: bool, found: Live) -> Iterable[Inside]:
    """Return what holds the parts of ``part``, after a look at the whole of it."""
    if kind.ours is not None:
        ours = kind.ours
        if kind.steps and hasattr(part, "parameters"):
            ours = True
            found.descends(part)
        attributes = getattr(part, "__dict__", _NOTHING)
        if type(attributes.get("training")) is bool:
            found.moded.append(part)
        if not ours and type(attributes) is dict:
            found.contents.append((attributes, {**attributes}))
    if kind.copied and not ours:
        found.contents.append((part, kind.copied(part)))
    if kind.entries:
        return ((part, kind.entries(part), ours),)
    return [(holder, entries, ours) for holder, entries in surroundings(part)]
