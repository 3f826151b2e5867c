"""Lookout: what is found out while a function is recorded, so that it must be recorded again."""

import gc
from collections.abc import Collection, Sequence
from sys import getrefcount
from typing import Any, NoReturn

import numpy as np

from tinygrad_dnn.graph import Node, moment
from tinygrad_dnn.replay.places import Place
from tinygrad_dnn.replay.symbol import Symbol


class Again(BaseException):
    """The run must be made again, now that something is known."""


class Overlooked(Again):
    """The leaf ``leaf`` is live, but was not found to be."""

    def __init__(self, leaf: Node) -> None:
        self.leaf = leaf


class Accumulating(Again):
    """What the gradient of ``leaf`` is at the beginning matters, even if there is none."""

    def __init__(self, leaf: Node) -> None:
        self.leaf = leaf


class Moving(Again):
    """The numbers, or arrays, at ``places`` are changed by the function."""

    def __init__(self, *places: Place) -> None:
        self.places = places


class Drawing(Again):
    """The function draws from ``what``, which a recording does not hear: where, is to be seen."""

    def __init__(self, what: str) -> None:
        self.what = what


class Absent(Symbol):
    """Stands for the gradient that a leaf does not have, to see if it is read or dropped."""

    __slots__ = ("leaf",)

    def __init__(self, leaf: Node, tape: Any) -> None:
        self.leaf, self.tape, self.link = leaf, tape, None

    @property
    def node(self) -> NoReturn:  # type: ignore[override]
        self.tape.refuse_others()
        raise Accumulating(self.leaf)

    value = shape = dtype = node


class Lookout:
    """Watches for Tensors that are used but were not found to be reachable.

    ``young`` are leaves that the run makes, with numbers of their own, or changes.
    """

    walks = False

    def __init__(self) -> None:
        self.start = moment()
        self.young: dict[int, Node] = {}

    def called(self, node: Node, fn: Any, inputs: Sequence[Any]) -> None:
        """Stop where a leaf older than the run has data of its own."""
        for a in inputs:
            if type(a) is Node and type(a.value) is not Symbol:
                self.read(a)

    def read(self, node: Node) -> None:
        """Stop there too."""
        if not node.fn and isinstance(node.value, np.ndarray):
            if node.born < self.start:
                raise Overlooked(node)
            self.young[id(node)] = node

    def changed(self, node: Node) -> None:
        """Let data change."""
        self.young[id(node)] = node

    def strays(self, live: Collection[Node]) -> list[Node]:
        """Return the young that somebody still has, when the run is over, and are not ``live``."""
        for node in live:
            self.young.pop(id(node), None)
        if _held(self.young):
            gc.collect()
        return _held(self.young)


def _held(nodes: dict[int, Node]) -> list[Node]:
    """Return those of ``nodes`` that others have, too."""
    of_nobody = {0: Node(None)}
    (count,) = [getrefcount(node) for node in of_nobody.values()]
    return [node for node in nodes.values() if getrefcount(node) > count]
