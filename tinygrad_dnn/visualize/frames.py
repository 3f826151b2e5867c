"""Frames: which boxes of the operations stand together: in a layer's frame, or at the same step.

What an operation is made from stands beside it, one leaf on either side.  Where the backward pass
is drawn as operations, each call of the forward pass heads a column: what it is made from, and all
that goes back through it, in the order of execution.  Knows numbers of parts, no boxes.
"""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from tinygrad_dnn.visualize.parts import Part
from tinygrad_dnn.visualize.reading import Reading, Thing


@dataclass(slots=True)
class Frames:
    """Parts that belong together, by their numbers.

    ``layers``: by layer; ``cost``: what follows the layers; ``beside``: by operation, what stands
    at its step; ``columns``: by operation, what stands below it.
    """

    layers: dict[int, list[int]] = field(default_factory=dict)
    cost: list[int] = field(default_factory=list)
    beside: dict[int, list[int]] = field(default_factory=dict)
    columns: dict[int, list[int]] = field(default_factory=dict)


def frames_of(reading: Reading, parts: list[Part]) -> Frames:
    """Return what belongs together of the parts that are single things."""
    return _Finder(reading, parts).frames()


def sizes_of(things: list[Thing]) -> str:
    """Return n_in → n_out of a layer that holds one matrix.

    >>> sizes_of([Thing("leaf", "W1", np.ones((5, 3)), used_by=np.matmul)])
    '3 → 5'
    """
    leaves = [thing for thing in things if thing.kind == "leaf"]
    matrices = [leaf for leaf in leaves if len(leaf.shape) == 2 and leaf.used_by is np.matmul]
    if len(matrices) != 1:
        return ""
    n_out, n_in = matrices[0].shape
    return f"{n_in} → {n_out}"


class _Finder:
    def __init__(self, reading: Reading, parts: list[Part]) -> None:
        self.reading, self.parts = reading, parts
        self.part_of = {i: p for p, part in enumerate(parts) for i in part}
        self.single = {p: reading.things[part[0]] for p, part in enumerate(parts) if not part[1:]}

    def frames(self) -> Frames:
        layer_of = {
            p: thing.layer
            for p, thing in self.single.items()
            if thing.kind == "operation" and thing.layer is not None
        }
        operations = dict(layer_of)
        beside: dict[int, list[int]] = defaultdict(list)
        for p, thing in self.single.items():
            users = {self.part_of[i] for i in self.reading.wired_users(self.parts[p][0])}
            if thing.kind == "operation" or len(users) != 1:
                continue
            (user,) = users
            back = user in self.single and self.single[user].back
            own = (thing.kind == "leaf" or back) and user in operations
            if own:
                layer_of[p] = operations[user]
            if not back and (own or self.has_other_input(user, p)):
                beside[user].append(p)
        frames = Frames(beside=beside)
        for p in sorted(layer_of):
            frames.layers.setdefault(layer_of[p], []).append(p)
        if any(thing.back for thing in self.single.values()):
            frames.columns = self.columns(beside)
            frames.cost = self.cost(operations)
        return frames

    def has_other_input(self, user: int, p: int) -> bool:
        """Say whether ``user`` has an operation before it, so that ``p`` may stand beside it."""
        things = self.reading.things
        return any(
            things[j].kind == "operation" and self.part_of[j] not in (user, p)
            for i in self.parts[user]
            for j in self.reading.inputs[i]
        )

    def columns(self, beside: dict[int, list[int]]) -> dict[int, list[int]]:
        """Return, for every call of the forward pass, its inputs and what goes back through it."""
        columns = {user: list(inputs) for user, inputs in beside.items()}
        for p, thing in self.single.items():
            if thing.back:
                through = self.part_of[self.reading.through(self.parts[p][0])]
                if through in self.single:
                    columns.setdefault(through, []).append(p)
        return columns

    def cost(self, layered: dict[int, int]) -> list[int]:
        """Return what follows the layers, and goes back through that."""
        things, reading = self.reading.things, self.reading
        last = max((p for p in layered if not self.single[p].back), default=None)
        if last is None:
            return []
        end = self.parts[last][0]
        cost = {i for i, t in enumerate(things) if t.fn and not t.back and i > end}
        cost |= {i for i, t in enumerate(things) if t.back and reading.through(i) in cost}
        cost |= {i for i, t in enumerate(things) if not t.fn and cost.issuperset(reading.users[i])}
        return [p for p in self.single if self.parts[p][0] in cost]
