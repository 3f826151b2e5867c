"""Record: a recorded computation once more, with its constants as nodes, and its backward walk.

The copy is made so that the rules see constants as Tensors too: what they compute from Y is then
recorded like everything else.  Every value is the one that the calls saw.  A nameless call that
repeats another one is that one.  Losses and normalisations are recorded a second time as the
formulas they are defined by.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_dnn import graph
from tinygrad_dnn.engine import pullback
from tinygrad_dnn.errors import ChangedDataError
from tinygrad_dnn.graph import Node, ancestors, overwritten
from tinygrad_dnn.hooks import hooks_of
from tinygrad_dnn.primitives import RULES, UNDISPATCHED, Each
from tinygrad_dnn.rules.normalisation import l2_normalize, standardize
from tinygrad_dnn.tensor import as_tensor, handle
from tinygrad_dnn.visualize.chain import LOSSES
from tinygrad_dnn.visualize.words import is_array

PLAIN = (int, float, complex, str, type(None), np.generic, Node)  # equal if they compare so
SPELT_OUT = (*LOSSES, standardize, l2_normalize)


class Record:
    """``nodes`` as they were made, ``copies`` of the user's nodes; ``constants`` as nodes too.

    ``formulas``: of some nodes, another one that computes the same by simpler calls.  ``uses``: the
    calls of each leaf; ``last_product``: when the last matrix product was made.  Calls in ``apart``
    stay apart from those they repeat.
    """

    def __init__(self, end: Node, apart: Iterable[Node] = ()) -> None:
        self.copies: dict[Node, Node] = {}
        self.constants: list[Node] = []
        self.formulas: dict[Node, Node] = {}
        self._arrays: dict[int, Node] = {}
        calls = ancestors(end)
        for node in calls:
            if node.fn is None:
                self.copies[node] = _leaf(node, node.value)
        self._as_seen(calls)
        kept = {end, *apart}
        made: dict[Any, Node] = {}
        for node in calls:
            if node.fn is None:
                continue
            copy = self._call(node)
            first = made.setdefault((copy.fn, *map(_key, copy.args), _key(copy.kwargs)), copy)
            self.copies[node] = copy if node in kept or _is_of_its_own(copy, first) else first
        self.end = self.copies[end]
        self.nodes = list(dict.fromkeys(self.copies[node] for node in calls))
        products = [node.born for node in self.nodes if node.fn is np.matmul]
        self.last_product = max(products, default=0)
        self.uses: dict[Node, list[tuple[Node, int]]] = {}  # of leaves: calls, and which argument
        for call in self.nodes:
            for i, a in enumerate(call.args):
                if isinstance(a, Node) and a.fn is None:
                    self.uses.setdefault(a, []).append((call, i))

    def _as_seen(self, calls: list[Node]) -> None:
        """Give every leaf the data that the calls saw; refuse if that is no longer there."""
        seen: dict[Node, Any] = {}
        for call in calls:
            for a, data in zip(call.args, call.seen, strict=True):
                if not isinstance(a, Node) or a.fn is not None:
                    continue
                if overwritten(a, data, call) or seen.setdefault(a, data) is not data:
                    raise ChangedDataError(
                        f"explain(): the data of {a.name or 'a Tensor'} was changed after "
                        f"{call.fn.__name__} had used it; run the forward pass again before"
                    )
        for leaf, data in seen.items():
            self.copies[leaf].value = data

    def _call(self, node: Node) -> Node:
        args = [self._argument(node, i) for i in range(len(node.args))]
        if node.fn in SPELT_OUT:
            formula = UNDISPATCHED[node.fn](*map(_shown, args), **node.kwargs)
        copy = Node(node.value, node.fn, args, node.seen, node.kwargs, node.needs_grad, node.name)
        copy.layer = node.layer
        if graph.hooked and hooks_of(node):
            copy.hooks = hooks_of(node)
        if node.fn in SPELT_OUT:
            self.formulas[copy] = formula.node
        if node.detour:
            pair = node.detour
            args = [self._argument(pair, i) for i in range(len(pair.args))]
            copy.detour = Node(pair.value, pair.fn, args, pair.seen, pair.kwargs)
        return copy

    def _argument(self, call: Node, i: int) -> Any:
        """Return an argument of a call as the copy has it: an array may become a constant node."""
        a = call.args[i]
        if isinstance(a, Node):
            return self.copies[a]
        if not is_array(a) or not _may_be_a_tensor(call.fn, i):
            return a
        if id(a) not in self._arrays:
            self._arrays[id(a)] = Node(a)
            self.constants.append(self._arrays[id(a)])
        return self._arrays[id(a)]

    def back(self, wanted: Iterable[Node]) -> dict[Node, Node]:
        """Return the derivatives of the end by the ``wanted`` nodes, as nodes of a graph."""
        self.seed = Node(np.ones_like(self.end.value))
        found = pullback({self.end: handle(self.seed)}, wanted, handle)
        return {node: as_tensor(c).node for node, c in found.items()}


def _leaf(node: Node, value: Any) -> Node:
    copy = Node(value, needs_grad=node.needs_grad, name=node.name)
    copy.layer = node.layer
    return copy


def _key(a: Any) -> Any:
    """Return what is equal for equal arguments; for what cannot be compared, its identity."""
    if isinstance(a, tuple | list):
        return (type(a), *map(_key, a))
    if isinstance(a, dict):
        return tuple((name, _key(value)) for name, value in a.items())
    if isinstance(a, slice):
        return slice, _key(a.start), _key(a.stop), _key(a.step)
    return (type(a), a) if isinstance(a, PLAIN) else id(a)


def _is_of_its_own(call: Node, first: Node) -> bool:
    """Say whether a call is more than a nameless repetition of the first one like it."""
    special = call.name or call.layer or call.detour or (graph.hooked and hooks_of(call))
    return bool(special) or not np.array_equal(call.value, first.value)


def _shown(a: Any) -> Any:
    return handle(a) if isinstance(a, Node) else a


def _may_be_a_tensor(fn: Any, i: int) -> bool:
    """Say whether a rule knows how to go on with a Tensor as argument ``i``."""
    vjps = RULES[fn].vjps
    return isinstance(vjps, Each) or (i < len(vjps) and vjps[i] is not None)
