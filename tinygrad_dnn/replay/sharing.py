"""Sharing: which Symbols lie in the memory of others, as views do.

A Symbol that is changed in place stands for a new value from then on.  What it is a view of has to
change with it, and other views of the same memory would be out of date: these are not to be used.
"""

from collections.abc import Callable
from typing import Any
from weakref import ref

import numpy as np


class Link:
    """How a Symbol shares its memory: a view of ``base``, got by ``index``, with views itself."""

    __slots__ = ("base", "index", "outdated", "views")

    def __init__(self, base: Any = None, index: Any = None) -> None:
        self.base = base
        self.index = index  # None if it was not got by indexing
        self.views: list[ref[Any]] = []
        self.outdated: tuple[str, int] | None = None  # where its memory was changed elsewhere


def link(view: Any, of: Any, index: Any = None) -> None:
    """Remember that ``view`` lies in the memory of ``of``, if it does."""
    if view is not of and np.may_share_memory(view.value, of.value):
        share(view, of, index)


def share(view: Any, of: Any, index: Any = None) -> None:
    """Remember that ``view`` lies in the memory of ``of``."""
    view.link = Link(of, index)
    view.node.base = view.node.base or of.node
    if of.link is None:
        of.link = Link()
    of.link.views.append(ref(view))


def outdate(symbol: Any, place: Callable[[], Any], but: Any = None) -> None:
    """Let no view of ``symbol``, which is changed at ``place()``, be used again, save ``but``."""
    stack = [symbol]
    while stack:
        one = stack.pop()
        for found in one.link.views if one.link else ():
            view = found()
            if view is not None and view is not but:
                view.outdate(place())
                stack.append(view)
