"""Hooks: functions that see the gradient of one value, or replace it, while it is computed.

A hook hears the whole gradient, after every path has been added up and before it goes further back.
What a walk without hooks pays for this is one comparison per node.
"""

from collections.abc import Callable
from itertools import count
from typing import Any, TypeAlias

import numpy as np

from tinygrad_dnn import graph
from tinygrad_dnn.errors import DimensionError, HistoryError
from tinygrad_dnn.graph import Node, changed
from tinygrad_dnn.primitives import is_recorded

Function: TypeAlias = Callable[[Any], Any]

_number = count().__next__


class Hook:
    """A registered hook: ``remove()``, or the end of a ``with`` block, takes it off again."""

    def __init__(self, node: Node, f: Function) -> None:
        node.hooks = hooks_of(node)  # the handle keeps these, not the node: a graph dies without it
        self._hooks, self._key = node.hooks, _number()
        self._hooks[self._key] = f
        graph.hooked = True
        changed()  # a plan that hears of no hook has to look again

    def remove(self) -> None:
        """Take the hook off; a second time does nothing."""
        self._hooks.pop(self._key, None)

    def __enter__(self) -> "Hook":
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def hooks_of(node: Node) -> dict[int, Function]:
    """Return the hooks of ``node`` by number, in the order of registration."""
    hooks: dict[int, Function] = getattr(node, "hooks", {})
    return hooks


def heard(node: Node, g: Any, recorded: bool) -> Any:
    """Return the gradient ``g`` of ``node`` as its hooks leave it."""
    for f in tuple(hooks_of(node).values()):
        shown = g
        if type(g) is np.ndarray:  # others may hold the same array
            shown = g.view()
            shown.flags.writeable = False
        try:
            answer = f(shown)
            if answer is not None and answer is not shown:
                g = _accepted(answer, node, recorded)
        except Exception as error:
            error.add_note(f"in a hook on {node.name or 'a Tensor'}")
            raise
    return g


def _accepted(answer: Any, node: Node, recorded: bool) -> Any:
    """Return what a hook answered as a gradient of ``node``, if it can be one."""
    like, name = node.value, node.name or "a Tensor"
    if is_recorded(type(answer)) and not recorded:
        raise HistoryError(
            f"the hook on {name} returned a Tensor, but this walk is not recorded; return an array "
            f"made from the one it is given, or walk with create_graph=True"
        )
    if np.shape(answer) != like.shape:
        raise DimensionError(
            f"the hook on {name} returned shape {np.shape(answer)}, but a gradient of {name} has "
            f"shape {like.shape}; return None to leave it as it is"
        )
    answer = answer if hasattr(answer, "dtype") else np.asarray(answer)
    return answer if answer.dtype == like.dtype else answer.astype(like.dtype)
