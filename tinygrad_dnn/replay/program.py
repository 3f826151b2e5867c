"""Program: a recorded function as data, the calls of NumPy's that it makes on what is live.

Its values are nodes of a graph (``graph.Node``); a node without a call is live, or a constant.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_dnn.graph import Node
from tinygrad_dnn.replay.places import Place


@dataclass
class State:
    """One live place: ``before`` stands for what it holds, ``after`` for what a replay leaves."""

    place: Place
    before: Node
    after: Node

    @property
    def is_array(self) -> bool:
        """Say if it is an array that stays where it is: numbers and gradients are new each time."""
        return isinstance(self.before.value, np.ndarray) and self.place.key != "grad"


@dataclass
class Program:
    """What is read (``inputs``, ``state``), what is done (``calls``), what is returned.

    ``results`` are nodes, or constants; ``grads`` are gradients to be left in a leaf, or in that of
    the argument of this number; ``dropped`` are leaves that had one and have none afterwards,
    ``modes`` are layers that train, or rest, from then on.
    """

    name: str
    inputs: list[Node]
    state: list[State]
    grads: list[tuple[Node | int, Node]]
    dropped: list[Node]
    modes: list[tuple[Any, bool]]
    calls: list[Node]
    results: list[Any]
    of_tensors: bool = False  # are there Tensors among the arguments?

    @property
    def ends(self) -> Iterator[Node]:
        """Every node that a replay must have computed when it returns."""
        yield from (s.after for s in self.state if s.after is not s.before)
        yield from (g for _, g in self.grads)
        yield from (r for r in self.results if isinstance(r, Node))

    @property
    def live(self) -> set[Node]:
        """The nodes that stand for something else at every replay, without a call."""
        return {*self.inputs, *(s.before for s in self.state)}

    @property
    def written(self) -> list[State]:
        """The live places that a replay changes."""
        return [s for s in self.state if s.after is not s.before]

    def exchange(self, new: dict[Node, Node]) -> None:
        """Let every use of a key of ``new`` be one of its value."""
        if not new:
            return

        def final(a: Any) -> Any:
            while isinstance(a, Node) and a in new:
                a = new[a]
            return a

        was: dict[Node, Any] = {}  # what views looked at before
        for call in self.calls:
            moved = [a for a in call.parents if a in new or a in was]
            if not moved:
                continue
            call.args = [final(a) for a in call.args]
            if any(_share(call.value, was.get(a, a.value)) for a in moved):
                was[call] = call.value
                data = [x.value if isinstance(x, Node) else x for x in call.args]
                call.value = call.fn(*data, **call.kwargs)
        for s in self.state:
            s.after = final(s.after)
        self.grads = [(leaf, final(g)) for leaf, g in self.grads]
        self.results = [final(r) for r in self.results]

    def uses(self) -> dict[Node, list[Node]]:
        """Return for every node the calls that read it, in order."""
        found: dict[Node, list[Node]] = {}
        for call in self.calls:
            for a in dict.fromkeys(call.parents):
                found.setdefault(a, []).append(call)
        return found


def base_of(call: Node) -> Node | None:
    """Return what ``call``, or the call it takes a part of, was given and only looks at, if any."""
    value = call.value
    own = type(value) is np.ndarray and value.base is None  # lies in no other array's memory
    for a in call.parents:
        for b in a.parents if isinstance(a.value, (tuple, list)) else (a,):
            if value is b.value or (not (own or type(b.value) is float) and _share(value, b.value)):
                return b
    return None


def _share(x: Any, y: Any) -> bool:
    """Say if arrays, or some of several, lie in the same memory."""
    if isinstance(x, np.ndarray) and isinstance(y, np.ndarray):
        return np.may_share_memory(x, y)
    if isinstance(x, (tuple, list)):
        return any(_share(part, y) for part in x)
    return isinstance(y, (tuple, list)) and any(_share(x, part) for part in y)
