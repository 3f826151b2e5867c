"""What lies between parameters and cost in a recorded computation: network, loss, penalty."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_dnn.checking.diagnosis.recorded import Recorded
from tinygrad_dnn.graph import Node


class Reach:
    """Who uses what, and where the network ends and the loss begins.

    ``ends`` are the predictions: what no parameter is met by on its way to the cost, and was made
    of something that is.  ``tail`` says of every value whether that is true of it.
    """

    def __init__(self, run: Recorded) -> None:
        self.J = run.J
        self.order = [v for v in run.nodes if v.needs_grad]
        self.nodes = set(self.order)
        self.users: dict[Node, list[Node]] = {v: [] for v in self.order}
        self.data: dict[Node, bool] = {}  # whether anything but parameters went into it
        for v in run.nodes:
            self.data[v] = any(self._has_data(a) for a in v.args)
        for v in self.order:
            for a in v.args:
                if isinstance(a, Node) and a in self.users:
                    self.users[a].append(v)
        self.tail = self._tails()
        self.ends = [v for v in self.order if self.tail[v] and self.data[v] and self._first(v)]

    def _has_data(self, a: Any) -> bool:
        return self.data[a] if isinstance(a, Node) else isinstance(a, np.ndarray) and a.size > 1

    def _enters(self, v: Node) -> bool:
        """Whether a parameter is met by data here."""
        parts = [a for a in v.args if isinstance(a, Node) and a.needs_grad and not self.data[a]]
        return self.data[v] and any(v.value.size > 1 or not a.fn for a in parts)

    def _tails(self) -> dict[Node, bool]:
        tail: dict[Node, bool] = {}
        for v in reversed(self.order):
            tail[v] = all(tail[u] and not self._enters(u) for u in self.users[v])
        return tail

    def _first(self, v: Node) -> bool:
        parents = [a for a in v.args if isinstance(a, Node) and a.needs_grad and self.data[a]]
        return self._enters(v) or any(not self.tail[a] for a in parents)

    def uses(self, v: Node) -> int:
        """Return how often a value is used."""
        return len(self.users[v])

    def after(self, v: Node) -> Iterator[Node]:
        """Yield what is computed from a prediction in its own shape."""
        seen = {v}
        for u in self.order:
            if u not in seen and any(a in seen for a in u.args if isinstance(a, Node)):
                seen.add(u)
                if u.value.shape == v.value.shape:
                    yield u

    def passes(self, v: Node, by: Node) -> bool:
        """Whether every way from ``v`` to the cost goes through ``by``."""
        seen, stack = {v}, [v]
        while stack:
            for u in self.users[stack.pop()]:
                if u is self.J:
                    return False
                if u is not by and u not in seen:
                    seen.add(u)
                    stack.append(u)
        return True
