"""Sharing: which Symbols lie in the memory of others, as views do.

A Symbol that is changed in place stands for a new value from then on.  What it is a view of has to
change with it, and other views of the same memory would be out of date: these are not to be used.
"""

from dataclasses import dataclass, field
from typing import Any
from weakref import ref

import numpy as np


@dataclass
class Link:
    """How a Symbol shares its memory: a view of ``base``, got by ``index``, with views itself."""

    base: Any = None
    index: Any = None  # None if it was not got by indexing
    views: list[ref[Any]] = field(default_factory=list)
    outdated: tuple[str, int] | None = None  # where its memory was changed under another name


def link(view: Any, of: Any, index: Any = None) -> None:
    """Remember that ``view`` lies in the memory of ``of``, if it does."""
    if view is not of and np.may_share_memory(view.node.value, of.node.value):
        view.link = Link(of, index)
        of.link = of.link or Link()
        of.link.views.append(ref(view))


def outdate(symbol: Any, place: tuple[str, int], but: Any = None) -> None:
    """Let no view of ``symbol``, which was changed at ``place``, be used again, save ``but``."""
    stack = [symbol]
    while stack:
        one = stack.pop()
        views = [] if one.link is None else one.link.views
        for view in (found() for found in views):
            if view is not None and view is not but:
                view.link.outdated = place
                stack.append(view)
