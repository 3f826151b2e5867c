"""Reading: a recorded graph as numbered things and who uses whom, ready to be folded and drawn.

Things are operations, leaves and constant arrays, in topological order; a constant is one thing
however often it is used.  Nothing here recurses: a graph may be a chain of any length.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_dnn import nn
from tinygrad_dnn.graph import Node, ancestors
from tinygrad_dnn.primitives import RULES, Each
from tinygrad_dnn.visualize.chain import LOSSES
from tinygrad_dnn.visualize.fold import between, middle, runs
from tinygrad_dnn.visualize.words import course_name, is_array


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
    failure: str = ""  # what it said, for a call that did not succeed and has no value

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the value."""
        return np.shape(self.value)

    @property
    def size(self) -> int:
        """The number of entries."""
        return int(np.prod(self.shape))

    @property
    def value_shown(self) -> bool:
        """Whether the value itself is drawn: a single number."""
        return self.shape == () and not self.failure


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
    ) -> None:
        self.things: list[Thing] = []
        self.inputs: list[list[int]] = []
        self.users: list[list[int]] = []
        self.flows_back: set[tuple[int, int]] = set()
        self._index: dict[int, int] = {}  # of a node or constant, by identity (the graph holds it)
        self._names = {id(array): name for name, array in names if array is not None}
        named_ends = {id(node): name for name, node in ends.items()}
        for node in ancestors(*ends.values()):
            self._read(node, named_ends.get(id(node)))
            self.things[-1].gradient = gradients.get(node)
            self.things[-1].node = node
        self.things[-1].failure = failure  # the end of such a graph, and its youngest node
        self._walk_back()

    def _read(self, node: Node, end_name: str | None) -> None:
        name = node.name or self._names.get(id(node)) or ""
        if node.fn is None:
            kind = "leaf" if node.needs_grad else "constant"
            self._add(node, Thing(kind, name, node.value), [])
            return
        inputs = []
        for position, a in enumerate(node.args):
            if isinstance(a, Node):
                j = self._index[id(a)]
                leaf = self.things[j]
                if leaf.kind == "leaf" and leaf.used_by is None:
                    leaf.used_by, leaf.name = node.fn, course_name(leaf.name, node.layer)
            elif is_array(a):
                if id(a) not in self._index:
                    known = _guessed(node, position) or self._names.get(id(a), "")
                    self._add(a, Thing("constant", known, a), [])
                j = self._index[id(a)]
            else:
                continue
            inputs.append(j)
        name = course_name(name or end_name or "", node.layer)
        thing = Thing("operation", name, node.value, node.fn, node.args, node.kwargs, node.layer)
        thing.is_end = end_name is not None
        thing.derived = thing.is_end and node.needs_grad
        i = self._add(node, thing, inputs)
        if node.fn is np.matmul and all(self.things[j].name for j in inputs) and len(inputs) == 2:
            thing.formula = " ".join(self.things[j].name.split(" = ")[-1] for j in inputs)
        for position, a in enumerate(node.args):
            if (
                isinstance(a, Node)
                and a.needs_grad
                and node.needs_grad
                and _carries(node, position)
            ):
                self.flows_back.add((self._index[id(a)], i))

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

    # ---- folding -----------------------------------------------------------------------------
    def parts(self, fold: int | None, max_nodes: int) -> list[list[int]]:
        """Return what is drawn as one box each: mostly one thing, of a deep graph many."""
        folds: list[set[int]] = []
        if (layers := self._deep_layers(fold)) is not None:
            folds.append(layers)
        parts = self._contracted(folds)
        if len(parts) > max_nodes:
            for run in self._runs(set().union(*folds)):
                folds += self._between_results(run)
            parts = self._contracted(folds)
        if len(parts) > max_nodes:
            parts = self._contracted(self._middle(max_nodes))
        if len(parts) > max_nodes:
            parts = self._fewer_inputs(parts, max_nodes)
        return parts

    def _deep_layers(self, fold: int | None) -> set[int] | None:
        numbers = sorted({t.layer for t in self.things if t.layer is not None})
        hidden = middle(len(numbers), fold)
        if hidden is None:
            return None
        inner = set(numbers[slice(*hidden)])
        folded = between((i for i, t in enumerate(self.things) if t.layer in inner), self.inputs)
        return None if any(self.things[i].is_end for i in folded) else folded

    def _runs(self, taken: set[int]) -> list[list[int]]:
        def free(i: int) -> bool:
            return self.things[i].kind == "operation" and i not in taken

        operations = [i for i in range(len(self.things)) if free(i)]
        before = [sorted({j for j in inputs if free(j)}) for inputs in self.inputs]
        uses = [len(users) for users in self.users]
        return runs(operations, before, uses)

    def _middle(self, max_nodes: int) -> list[set[int]]:
        """Return the middle of the operations as they were made, always convex, without results."""
        operations = [i for i, t in enumerate(self.things) if t.kind == "operation"]
        kept = max(1, max_nodes // 6)
        return self._between_results(operations[kept : len(operations) - kept])

    def _between_results(self, operations: list[int]) -> list[set[int]]:
        """Return the stretches to fold: a result is always drawn."""
        folds: list[set[int]] = [set()]
        for i in operations:
            if self.things[i].is_end:
                folds.append(set())
            else:
                folds[-1].add(i)
        return folds

    def _contracted(self, folds: list[set[int]]) -> list[list[int]]:
        """Return the parts, a leaf or constant going where all its users have gone."""
        fold_of = {i: f for f, fold in enumerate(folds) for i in fold}
        for i, thing in enumerate(self.things):
            if thing.kind != "operation" and i not in fold_of:
                homes = {fold_of.get(user) for user in self.users[i]}
                if len(homes) == 1 and (home := homes.pop()) is not None:
                    fold_of[i] = home
        parts: list[list[int]] = []
        folded: list[list[int]] = [[] for _ in folds]
        placed: set[int] = set()
        for i, thing in enumerate(self.things):
            fold = fold_of.get(i)
            if fold is None:
                parts.append([i])
                continue
            folded[fold].append(i)
            if thing.kind == "operation" and fold not in placed:  # its place in the flow
                placed.add(fold)
                parts.append(folded[fold])
        return parts

    def _fewer_inputs(self, parts: list[list[int]], max_nodes: int) -> list[list[int]]:
        """Return the parts with the leaves and constants that are too many as one."""
        alone = [p for p in parts if len(p) == 1 and self.things[p[0]].kind != "operation"]
        surplus = alone[max(0, len(alone) - (len(parts) - max_nodes) - 1) :]
        joined = {part[0] for part in surplus}
        return [part for part in parts if part[0] not in joined] + [sorted(joined)]


def _carries(node: Node, position: int) -> bool:
    """Say whether a derivative flows to this argument: a rule may claim that it is zero."""
    vjps = RULES[node.fn].vjps if node.fn in RULES else ()
    return isinstance(vjps, Each) or (position < len(vjps) and vjps[position] is not None)


def _guessed(node: Node, position: int) -> str:
    """Return what a constant is by its place: a network's input, a loss's targets."""
    first = node.fn is np.matmul or isinstance(node.fn, nn.Linear)
    if node.layer == 1 and first and position == len(node.args) - 1:
        return "X = A[0]"
    is_loss = node.fn in LOSSES or any(node.fn == loss.__name__ for loss in LOSSES)
    return "Y" if is_loss and position == 1 else ""
