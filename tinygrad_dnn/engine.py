"""The two walks over a recorded graph: backwards with cotangents, forwards with tangents.

Knows nodes and rules, and has never heard of the Tensor.  Rules are shown a node through ``view``:
as its array, or, when the walk is itself to be recorded, as whatever ``view`` makes of it.  What
NumPy did to an argument on the way in (stretch it, promote its dtype) is undone here and nowhere
else.
"""

from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from typing import Any, NoReturn

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

import tinygrad_dnn.rules  # noqa: F401  (importing it fills the table)
from tinygrad_dnn import graph
from tinygrad_dnn.errors import ChangedDataError, DimensionError
from tinygrad_dnn.graph import Node, ancestors, overwritten
from tinygrad_dnn.primitives import RULES, Array, Rule

View = Callable[[Node], Any]


def pullback(
    end: Node, g: Array, wrt: Iterable[Node] | None = None, view: View | None = None
) -> dict[Node, Array]:
    """Carry the cotangent ``g`` of ``end`` back to the nodes ``wrt``; one left out is zero.

    Without ``wrt``: to every leaf that needs a gradient and every node that retains its own.  Only
    nodes that a wanted one flows into are visited, each once, youngest first.
    """
    wanted = None if wrt is None else set(wrt)
    reached = None if wanted is None else _reached(end, wanted)
    if not (end.needs_grad if reached is None else end in reached):
        return {}
    cotangents: dict[Node, Array] = {end: g}
    aside: list[tuple[Node, Array]] = []  # what a detour leads round: reported, not passed on
    queue = [(-end.born, end)] if end.fn else []
    while queue:
        node = heappop(queue)[1]
        kept = node.retains_grad if wanted is None else node in wanted
        g = cotangents[node] if kept else cotangents.pop(node)
        out = view(node) if view else node.value
        call = node
        if node.detour:
            call, skipped = node.detour, node.args[0]
            if skipped.retains_grad if wanted is None else skipped in wanted:
                rule = RULES[node.fn]
                vjp: Any = rule.vjps[0]
                c = vjp(g, out, *_seen(node, view), **node.kwargs)
                aside.append((skipped, _fit(c, skipped.value, rule, 0)))
        rule = RULES[call.fn]
        vjps, kwargs = rule.vjps, call.kwargs
        seen = _seen(call, view) if view or call.born < graph.last_change else call.seen
        for i, parent in enumerate(call.args):
            if type(parent) is not Node:
                continue
            if not (parent.needs_grad if reached is None else parent in reached):
                continue
            try:
                vjp = vjps[i]
            except IndexError:
                raise rule.unknown(i) from None
            if vjp is None:
                continue
            like = parent.value
            try:
                c = vjp(g, out, *seen, **kwargs)
                if c.shape != like.shape or c.dtype != like.dtype:
                    c = _fit(c, like, rule, i)
            except Exception as error:
                error.add_note(f"in the vjp of {rule.call.__name__} for argument {i}")
                raise
            if parent in cotangents:
                cotangents[parent] = cotangents[parent] + c
            else:
                cotangents[parent] = c
                if parent.fn:
                    heappush(queue, (-parent.born, parent))
    for node, c in aside:
        cotangents[node] = cotangents[node] + c if node in cotangents else c
    return cotangents


def pushforward(end: Node, tangents: dict[Node, Array], view: View | None = None) -> Array | None:
    """Carry the ``tangents`` of some nodes forward to ``end``; None means zero."""
    carried = dict(tangents)
    for node in ancestors(end):
        if node in carried or not node.fn:
            continue
        call = node.detour if node.detour and node.args[0] not in tangents else node
        rule = RULES[call.fn]
        moving = [i for i, a in enumerate(call.args) if type(a) is Node and a in carried]
        if rule.constant or not moving:
            continue
        out, seen = view(node) if view else node.value, _seen(call, view)
        shares = []
        for i in moving:
            try:
                jvp = rule.jvps[i]
            except IndexError:
                raise rule.unknown(i) from None
            if jvp:
                try:
                    shares.append(jvp(carried[call.args[i]], out, *seen, **call.kwargs))
                except Exception as error:
                    error.add_note(f"in the jvp of {rule.call.__name__} for argument {i}")
                    raise
        if shares:
            like = node.value
            total: Array = sum(shares[1:], shares[0])
            total = total if total.shape == like.shape else np.broadcast_to(total, like.shape)
            carried[node] = total if total.dtype == like.dtype else total.astype(like.dtype)
    return carried.get(end)


def owned(found: dict[Node, Array], g: Array) -> Iterator[tuple[Node, Array]]:
    """Yield cotangents as arrays that share memory with nothing else, nor with the seed ``g``."""
    taken = {id(g)}
    for node, c in found.items():
        if isinstance(c, np.generic):
            c = np.asarray(c)
        elif isinstance(c, np.ndarray) and (id(c) in taken or c.base is not None):
            c = c.copy()
        taken.add(id(c))
        yield node, c


def _reached(end: Node, wanted: set[Node]) -> set[Node]:
    """Return the ancestors of ``end`` that some wanted node flows into, itself included."""
    reached: set[Node] = set()
    for node in ancestors(end):
        if node in wanted or (
            node.fn and not RULES[node.fn].constant and any(p in reached for p in node.parents)
        ):
            reached.add(node)
    return reached


def _seen(call: Node, view: View | None) -> list[Any]:
    """Return a call's arguments as a rule is to see them; changed data must not be read."""
    fresh = call.born > graph.last_change
    seen: list[Any] = []
    for a, data in zip(call.args, call.seen, strict=True):
        if type(a) is not Node:
            seen.append(a)
        elif fresh:
            seen.append(view(a) if view else data)
        elif changed := (a if view and a.born > call.born else overwritten(a, data, call)):
            seen.append(_Changed(changed, data, call))
        else:
            seen.append(view(a) if view else data)
    return seen


def _fit(c: Array, like: Array, rule: Rule, i: int) -> Array:
    """Undo what NumPy did to argument ``i`` on the way in: broadcasting and dtype promotion."""
    if rule.broadcasts:
        c = _unbroadcast(c, like.shape)
    if c.shape != like.shape:
        raise DimensionError(
            f"the vjp of {rule.call.__name__} for argument {i} returned shape {c.shape}, but the "
            f"argument has shape {like.shape}; a rule returns its argument's shape"
            + ("" if rule.broadcasts else ", or is declared with broadcasts=True")
        )
    return c if c.dtype == like.dtype else c.astype(like.dtype)


def _unbroadcast(c: Array, shape: tuple[int, ...]) -> Array:
    """Sum ``c`` over the axes along which an argument of ``shape`` was stretched."""
    extra = c.ndim - len(shape)
    if extra > 0:
        c = c.sum(axis=tuple(range(extra)))
    if extra < 0:
        return c
    stretched = tuple([i for i, n in enumerate(shape) if n == 1 != c.shape[i]])
    return c.sum(axis=stretched, keepdims=True) if stretched else c


class _Changed(NDArrayOperatorsMixin):
    """Stands for data that was replaced after ``user`` had used it: to read it is an error."""

    def __init__(self, node: Node, data: Any, user: Node) -> None:
        self.shape, self.ndim, self.size, self.dtype = data.shape, data.ndim, data.size, data.dtype
        self._names = node.name or "a Tensor", user.fn.__name__

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        name, user = self._names
        raise ChangedDataError(
            f"the backward pass through {user} needs the data of {name}, but it was replaced after "
            f"{user} had used it; run the forward pass again before walking back"
        )

    __array_ufunc__ = __array_function__ = __array__ = __getitem__ = __record__ = _refuse
    T = mT = astype = sum = property(_refuse)
