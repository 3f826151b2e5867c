"""Program: a recorded function as data, the calls of NumPy's that it makes on what is live.

Its values are nodes of a graph (``graph.Node``); a node without a call is live, or a constant.
Of an array that a call gave, shape, dtype and layout are kept, and in whose memory it lies, but not
its numbers: so the run that is recorded needs no more memory than others.  Those who plan work with
*stand-ins*, arrays of that layout whose numbers mean nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from tinygrad_dnn.graph import NO_KWARGS, Node, data_of, layer
from tinygrad_dnn.replay.places import Place

Layout: TypeAlias = tuple[tuple[int, ...], np.dtype[Any], tuple[int, ...]]


class Value(Node):
    """A node of a recording without a call: live, or a constant."""

    __slots__ = ()

    fn = detour = grad = layer = None
    args = seen = ()
    kwargs = NO_KWARGS
    needs_grad = retains_grad = False
    born = 0

    def __init__(self, value: Any, name: str | None = None) -> None:
        self.value, self.name = value, name


class Call(Node):
    """A node of a recording: of what a graph knows of a call, that which differs from the others.

    ``layout`` is shape, dtype and strides of the array that it gave; ``value`` becomes a stand-in.
    Where it gave a number, or several arrays, these are its value, and the layout is None.
    ``base`` is the node in whose memory the array lies, if it is a view.  ``origin`` is the
    instruction that the recorded function, its own frame, had come to: to look for the line of the
    user's that is being run would take as long as the call.
    """

    __slots__ = ("base", "layout")

    layout: Layout | None

    seen = ()
    needs_grad = retains_grad = False
    name = detour = grad = None

    def __init__(
        self,
        value: Any,
        fn: Callable[..., Any],
        args: Sequence[Any],
        kwargs: dict[str, Any] = NO_KWARGS,
        base: Node | None = None,
    ) -> None:
        self.value, self.fn, self.args, self.kwargs, self.base = value, fn, args, kwargs, base
        self.layout = None
        self.layer = layer.number

    @property
    def data(self) -> list[Any]:
        """The arguments, of nodes their values."""
        return [data_of(a) for a in self.args]


def constant(a: Any, live: set[Node]) -> Any:
    """Return what the argument ``a`` is at every replay; None if it is live, or computed."""
    if not isinstance(a, Node):
        return a
    return None if a.fn or a in live else a.value


def is_one_number(a: Any) -> bool:
    """Say if ``a``, or what its node has, is a number, or an array of no dimensions."""
    value = data_of(a)
    if isinstance(value, np.ndarray | np.generic):
        return not value.ndim
    return isinstance(value, int | float)


@dataclass(slots=True, eq=False)
class State:
    """One live place: ``before`` stands for what it holds, ``after`` for what a replay leaves."""

    place: Place
    before: Node
    after: Node
    is_array: bool  # that stays where it is: numbers and gradients are new at every replay


@dataclass
class Program:
    """What is read (``inputs``, ``state``), what is done (``calls``), what is returned.

    ``results`` are nodes, or constants; ``grads`` are gradients to be left in a leaf, or in that of
    the argument of this number; ``dropped`` are leaves that had one and have none afterwards,
    ``modes`` are layers that train, or rest, from then on.  The last of the results are left in the
    places ``kept``.
    """

    name: str
    inputs: list[Node]
    state: list[State]
    grads: list[tuple[Node | int, Node]]
    dropped: list[Node]
    modes: list[tuple[Any, bool]]
    calls: list[Call]
    results: list[Any]
    kept: list[Place] = field(default_factory=list)
    of_tensors: bool = False  # are there Tensors among the arguments?

    @property
    def ends(self) -> Iterator[Node]:
        """Every node that a replay must have computed when it returns."""
        yield from (s.after for s in self.state if s.after is not s.before)
        yield from (g for _, g in self.grads)
        yield from (r for r in self.results if isinstance(r, Node))

    @property
    def names(self) -> dict[Node, str]:
        """What is live by its name; without one, as x0 of arguments and t0 of what is reached."""
        names = {node: node.name or f"x{i}" for i, node in enumerate(self.inputs)}
        return names | {s.before: s.before.name or f"t{i}" for i, s in enumerate(self.state)}

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

        relaid: set[Node] = set()  # views of something else than before
        for call in self.calls:
            if any(a in new for a in call.parents):
                call.args = [final(a) for a in call.args]
            if call.base in new or call.base in relaid:
                call.base = final(call.base)
                relaid.add(call)
                if isinstance(call.value, np.ndarray):
                    call.value = call.fn(*call.data, **call.kwargs)
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
