"""Kept: what a function leaves in attributes and entries, besides what it returns: ``self.J = J``.

A replay leaves there what it has computed, as it returns its results: Tensors without history.
"""

from itertools import zip_longest
from typing import Any

import numpy as np

from tinygrad_dnn.containers import leaves, rebuilt
from tinygrad_dnn.errors import ReplayError
from tinygrad_dnn.graph import Node
from tinygrad_dnn.replay.live import ARRAYS, Live
from tinygrad_dnn.replay.lookout import Absent, Moving
from tinygrad_dnn.replay.places import Place
from tinygrad_dnn.replay.program import State
from tinygrad_dnn.replay.refusals import assigned
from tinygrad_dnn.replay.symbol import NUMBERS, Symbol
from tinygrad_dnn.tensor import Tensor, handle


class Kept:
    """The places where a run has left recorded values, and what is there.

    ``stable`` says if the next call can be a replay: before the run there were Tensors there, too,
    of which it is known if they were read, and not a None or a number.
    """

    def __init__(self, live: Live) -> None:
        before = [*live.numbers, *live.held, *((p, None) for p in _new(live))]
        before += [(p, np.float64(0)) for p in live.moving]
        changed = {p.name: (p, x) for p, x in before if p.get(None) is not x}
        kept = self._recorded_in(changed, live) if changed else []
        self.places = [place for place, _, _ in kept]
        self.left = [left for _, _, left in kept]
        self.names = {place.name for place in self.places}
        self._before = [value for _, value, _ in kept]

    def _recorded_in(self, changed: dict[Any, tuple[Place, Any]], live: Live) -> list[Any]:
        """Return the places in which recorded values stay, what was there before, and what is."""
        for place, _ in live.state:
            changed.pop(place.name, None)
        self._live = {*live.leaves}
        kept = [(p, x, p.get(None)) for p, x in changed.values()]
        kept = [x for x in kept if self._is_recorded(x[2])]
        moved = {p.name: p for p, x, left in kept if _moves(x, left)}
        if new := moved.keys() - {p.name for p in live.moving}:
            raise Moving(*(moved[name] for name in new))
        return [x for x in kept if x[0].name not in moved]

    @property
    def stable(self) -> bool:
        """Say if what was there before is of the same kind, and no leaf is there now."""
        tensors = [x for x in leaves(self.left) if _is_tensor(x)]
        return all(x.node.fn for x in tensors) and all(map(_are_alike, self._before, self.left))

    def refuse_read(self, name: str, read: set[Node], lifted: list[State]) -> None:
        """Refuse that what was there is among what was ``read``."""
        nodes = {s.place.name: s.before for s in lifted}
        for place, value in zip(self.places, self._before, strict=True):
            names = [(id(x.node), "value") for x in leaves(value) if _is_tensor(x)]
            if any(nodes[n] in read for n in (place.name, *names) if n in nodes):
                raise ReplayError(
                    f"{name} leaves a Tensor in {place.key!r} and reads it at the next call, where "
                    f"a replay would find that of the recording; keep its data there (J.data), or "
                    f"give new data to a Tensor that stays (self.mean.data = ...)"
                )

    def settle(self) -> list[Any]:
        """Leave arrays, and Tensors without history, in place of what was recorded; return them."""
        settled = [
            own(x.value) if type(x) is Symbol else rebuilt(x, map(self._settled, leaves(x)))
            for x in self.left
        ]
        for place, left in zip(self.places, settled, strict=True):
            place.set(left)
        return settled

    def _settled(self, x: Any) -> Any:
        """Return what is left for ``x``: a leaf remains one, and the same."""
        if not _is_tensor(x) or x.node.fn:
            return public(x)
        if x.node not in self._live:  # made in this run
            settle_leaf(x.node)
        return x

    def _is_recorded(self, left: Any) -> bool:
        """Say if there are Symbols in ``left``, but for the data of what is live."""
        found = leaves(left)
        return any(
            isinstance(x.node.value, Symbol) and x.node not in self._live
            if _is_tensor(x)
            else isinstance(x, Symbol)
            for x in found
        )


def _new(live: Live) -> list[Place]:
    """Return the places that were not there before the run."""
    found: list[Place] = []
    for holder, before in live.contents:
        if isinstance(before, dict):
            if holder.keys() != before.keys():
                found += [Place(holder, key) for key in holder if key not in before]
        elif isinstance(before, list):
            found += [Place(holder, i) for i in range(len(before), len(holder))]
    return found


def _is_tensor(x: Any) -> bool:
    return isinstance(x, Tensor)


def _moves(before: Any, left: Any) -> bool:
    """Say if an array, or a number, is now another one, so that it is read and written."""
    if type(left) is not Symbol:
        return False
    return isinstance(before, ARRAYS) or (
        type(before) in NUMBERS and not getattr(left, "shape", ())
    )


def _are_alike(before: Any, left: Any) -> bool:
    """Say if there are Tensors at the same positions, and else the same objects."""
    pairs = [*zip_longest(leaves(before), leaves(left))]
    return all((_is_tensor(x) and _is_tensor(y)) or x is y for x, y in pairs)


def own(value: Any) -> Any:
    """Return an array of its own; of no dimensions the number, as NumPy's functions do."""
    if not isinstance(value, np.ndarray):
        return value
    return np.array(value) if value.ndim else value[()]


def value_of(left: Symbol) -> Any:
    """Return the value of a Symbol, to which nobody has assigned another shape or dtype."""
    value = left.value
    for name in ("shape", "dtype") if type(value) is np.ndarray else ():
        if getattr(left, name) != getattr(value, name):
            raise assigned(left.tape.name, name)
    return value


def settle_leaf(leaf: Node) -> None:
    """Let a leaf that the run has made have arrays."""
    if isinstance(leaf.value, Symbol):
        leaf.value = np.array(leaf.value.value)
    leaf.grad = None if type(leaf.grad) is Absent else public(leaf.grad)


def public(x: Any) -> Any:
    """Return what the caller gets for ``x``: a copy, since a plan keeps its arrays to itself."""
    if isinstance(x, Tensor):
        value = x.node.value
        return handle(
            Node(np.array(value.value if isinstance(value, Symbol) else value), name=x.name)
        )
    if isinstance(x, Symbol):
        return np.array(x.value) if hasattr(x.value, "shape") else x.value
    return x.copy() if type(x) is np.ndarray else x
