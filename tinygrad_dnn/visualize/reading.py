"""Reading: a recorded graph as numbered things, and who uses whom.

Things are operations, leaves and constant arrays, in topological order; a constant is one thing
however often it is used.  Nothing here recurses: a graph may be a chain of any length.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_dnn import nn
from tinygrad_dnn.graph import Node, ancestors
from tinygrad_dnn.primitives import RULES, Each
from tinygrad_dnn.visualize.chain import LOSS_NAMES, LOSSES
from tinygrad_dnn.visualize.walked import Walked
from tinygrad_dnn.visualize.words import course_name, gradient_name, is_array

WIRES = 2  # the most arrows from an array that is a leaf


@dataclass(slots=True)
class Thing:
    """One box, unless it is folded; ``kind`` is operation, leaf or constant."""

    kind: str
    name: str
    value: Any
    fn: Callable[..., Any] | None = None
    args: Sequence[Any] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    layer: int | None = None
    is_end: bool = False
    formula: str = ""
    used_by: Any = None  # the function that first uses a leaf
    derived: bool = False  # does the backward walk arrive here?
    gradient: Any = None  # what it brings, where numbers are to be shown
    node: Node | None = None
    back: bool = False  # is it an operation of a recorded backward pass?
    known: bool = True  # is its value there, and not only its shape?
    remark: str = ""  # where it lives
    failure: str = ""  # what it said, for a call that did not succeed and has no value

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the value; of a call with several results their number."""
        several = isinstance(self.value, (tuple, list))
        return (len(self.value),) if several else np.shape(self.value)

    @property
    def size(self) -> int:
        """The number of entries."""
        return int(np.prod(self.shape))

    @property
    def value_shown(self) -> bool:
        """Whether the value itself is drawn: a single number."""
        return self.shape == () and self.known and not self.failure


class Reading:
    """``inputs[i]``: what thing i was made from, one entry per use; ``users[i]``: the reverse.

    ``flows_back`` holds the pairs (j, i) where the backward walk goes from i to j.
    """

    def __init__(
        self,
        ends: Mapping[str, Node],
        names: Sequence[tuple[str, Any]],
        gradients: Mapping[Node, Any],
        failure: str = "",
        walked: Walked | None = None,
        remarks: Mapping[Node, str] | None = None,
    ) -> None:
        self.things: list[Thing] = []
        self.inputs: list[list[int]] = []
        self.users: list[list[int]] = []
        self.flows_back: set[tuple[int, int]] = set()
        self._index: dict[int, int] = {}  # of a node or constant, by identity (the graph holds it)
        self._given = [(name, array) for name, array in names if array is not None]
        self._names = {id(array): name for name, array in self._given}
        self._guessed: set[str] = set()
        self._through = walked.through if walked else {}
        self._slopes_of: dict[int, list[Node]] = defaultdict(list)
        for of, derivative in (walked.gradients if walked else {}).items():
            self._slopes_of[id(derivative)].append(of)
        named_ends = {id(node): name for name, node in ends.items()}
        for node in ancestors(*ends.values()):
            self._read(node, named_ends.get(id(node)))
            self.things[-1].gradient = gradients.get(node)
            self.things[-1].node = node
            if remarks is not None:
                self._remark(self.things[-1], remarks.get(node, ""))
        if failure:
            self.things[-1].failure = failure  # the end of such a graph, and its youngest node
        self._walk_back()

    def _remark(self, thing: Thing, remark: str) -> None:
        """Say where a value of a plan lives, which itself is not known."""
        thing.remark, thing.known = remark, False
        if remark and not thing.fn:
            thing.kind = "leaf"

    def _read(self, node: Node, end_name: str | None) -> None:
        name = node.name or self._names.get(id(node)) or ""
        if node.fn is None:
            kind = "leaf" if node.needs_grad else "constant"
            self._add(node, Thing(kind, name, node.value), [])
            return
        inputs = [*self._inputs(node)]
        name = course_name(name or self._slope(node) or end_name or "", node.layer)
        thing = Thing("operation", name, node.value, node.fn, node.args, node.kwargs, node.layer)
        thing.is_end = end_name is not None
        if node in self._through:
            thing.back, thing.layer = True, self._through[node].layer
        else:
            thing.derived = thing.is_end and node.needs_grad
        i = self._add(node, thing, inputs)
        thing.formula = self._formula(node, [self.things[j] for j in inputs])
        for position, a in enumerate(node.args):
            if (
                isinstance(a, Node)
                and a.needs_grad
                and node.needs_grad
                and _carries(node, position)
            ):
                self.flows_back.add((self._index[id(a)], i))

    def _inputs(self, node: Node) -> Iterator[int]:
        """Yield the numbers of what goes into a call; a leaf learns who uses it first."""
        for position, a in enumerate(node.args):
            if isinstance(a, Node):
                leaf = self.things[self._index[id(a)]]
                if leaf.kind == "leaf" and leaf.used_by is None:
                    leaf.used_by, leaf.name = node.fn, course_name(leaf.name, node.layer)
            elif not is_array(a):
                continue
            elif id(a) not in self._index:
                self._add(a, Thing("constant", self._called(a, node, position), a), [])
            yield self._index[id(a)]

    def _called(self, array: Any, user: Node, position: int) -> str:
        """Return the name of a constant: as given, or what it is by its place, once."""
        given, guess = self._names.get(id(array), ""), _guessed(user, position)
        other = guess.startswith("X") and not given and "X" in self._names.values()
        if guess and not other and guess not in self._guessed:
            self._guessed.add(guess)
            return guess
        return given or self._step(array) or self._turned(array)

    def _formula(self, node: Node, inputs: Sequence[Thing]) -> str:
        """Return a product or a transpose in terms of what it is made from, if that has names."""
        named = [(t.name or t.formula).split(" = ")[-1] for t in inputs]
        if not all(named):
            return ""
        if node.fn is np.matmul and len(named) == 2:
            return " ".join(named)
        if node.fn is np.transpose and not any(node.args[1:]) and " " not in named[0]:
            return f"{named[0]}ᵀ"
        return ""

    def _slope(self, node: Node) -> str:
        """Return the name of a derivative that a recorded backward pass has come by."""
        of = (self.things[self._index[id(n)]].name for n in self._slopes_of.get(id(node), ()))
        names = [d for name in of if (d := gradient_name(name)) != "gradient"]
        return " = ".join(dict.fromkeys(names))

    def is_shared(self, i: int) -> bool:
        """Say whether thing i is a leaf used so often that most uses only call it by its name."""
        thing = self.things[i]
        is_named_array = thing.kind == "leaf" and thing.shape and thing.name
        return bool(is_named_array) and len(self.first_users(i)) > WIRES

    def wired_users(self, i: int) -> list[int]:
        """Return the first users of thing i to which an arrow leads."""
        users = self.first_users(i)
        return users[:1] if self.is_shared(i) else users

    def first_users(self, i: int) -> list[int]:
        """Return what was made from thing i on the way forward, or if nothing was, at all."""
        return [j for j in self.users[i] if not self.things[j].back] or self.users[i]

    def through(self, i: int) -> int:
        """Return the operation that operation i, of a backward pass, goes back through."""
        thing = self.things[i]
        return self._index[id(self._through[thing.node])] if thing.node else i

    def _step(self, array: Any) -> str:
        """Return the name of a constant that is a step of a sequence that has one: X[2]."""
        for name, whole in self._given:
            both = isinstance(array, np.ndarray) and isinstance(whole, np.ndarray)
            if both and whole.shape[1:] == array.shape and np.shares_memory(array, whole):
                start = array.ctypes.data - whole.ctypes.data
                return f"{name}[{start // (whole.strides[0] or 1)}]"
        return ""

    def _turned(self, array: Any) -> str:
        """Return the name of a constant that is another one, transposed."""
        for thing in self.things:
            if thing.kind == "constant" and thing.name and is_transpose(array, thing.value):
                return thing.name.split(" = ")[-1] + "ᵀ"
        return ""

    def _walk_back(self) -> None:
        """Keep of ``flows_back`` what a walk from the ends comes by: a zero derivative stops it."""
        carried, self.flows_back = self.flows_back, set()
        for i in reversed(range(len(self.things))):
            if self.things[i].derived:
                for j in self.inputs[i]:
                    if (j, i) in carried:
                        self.flows_back.add((j, i))
                        self.things[j].derived = True

    def _add(self, key: Any, thing: Thing, inputs: list[int]) -> int:
        i = len(self.things)
        self._index[id(key)] = i
        self.things.append(thing)
        self.inputs.append(inputs)
        self.users.append([])
        for j in set(inputs):
            self.users[j].append(i)
        return i


def is_transpose(a: Any, b: Any) -> bool:
    """Say whether the array ``a`` is ``b`` seen with its axes the other way round."""
    both = isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.ndim > 1
    return (
        both
        and np.shares_memory(a, b)
        and a.shape == b.shape[::-1]
        and a.strides == b.strides[::-1]
    )


def _carries(node: Node, position: int) -> bool:
    """Say whether a derivative flows to this argument: a rule may claim that it is zero."""
    vjps = RULES[node.fn].vjps if node.fn in RULES else ()
    return isinstance(vjps, Each) or (position < len(vjps) and vjps[position] is not None)


def _guessed(node: Node, position: int) -> str:
    """Return what a constant is by its place: a network's input, a loss's targets."""
    first = node.fn is np.matmul or isinstance(node.fn, nn.Linear)
    if node.layer == 1 and first and position == len(node.args) - 1:
        return "X = A[0]"
    is_loss = node.fn in LOSSES or node.fn in LOSS_NAMES
    return "Y" if is_loss and position == 1 else ""
