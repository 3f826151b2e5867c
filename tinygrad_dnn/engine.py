"""The two walks over a recorded graph: backwards with cotangents, forwards with tangents.

Knows nodes and rules, and has never heard of the Tensor.  Rules are shown a node through ``view``:
as its array, or, when the walk is itself to be recorded, as whatever ``view`` makes of it.  What
NumPy did to an argument on the way in (stretch it, promote its dtype) is undone here and nowhere
else.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from heapq import heapify, heappop, heappush
from typing import Any, NoReturn, TypeVar

import numpy as np
from numpy import ndarray
from numpy.lib.mixins import NDArrayOperatorsMixin

import tinygrad_dnn.rules  # noqa: F401  (importing it fills the table)
from tinygrad_dnn import graph
from tinygrad_dnn.errors import ChangedDataError, DimensionError
from tinygrad_dnn.graph import Node, WalkWatch, ancestors, overwritten, tracing, walk_watch
from tinygrad_dnn.hooks import heard, hooks_of
from tinygrad_dnn.primitives import RULES, Array, Rule, is_recorded, same

View = Callable[[Node], Any]
Found = TypeVar("Found")


def pullback(
    seeds: Mapping[Node, Array], wrt: Iterable[Node] | None = None, view: View | None = None
) -> dict[Node, Array]:
    """Carry the cotangents ``seeds`` of some ends back to ``wrt``; a node left out has zero.

    Without ``wrt``: to every leaf that needs a gradient and every node that retains its own.  Only
    nodes that a wanted one flows into are visited, each once, youngest first.
    """
    if view and not tracing.get():
        return _traced(pullback, seeds, wrt, view)
    wanted = None if wrt is None else set(wrt)
    reached = None if wanted is None else _reached(seeds, wanted)
    cotangents: dict[Node, Array] = {}
    queue: list[tuple[int, Node]] = []
    for end in seeds:
        if end.needs_grad if reached is None else end in reached:
            cotangents[end] = seeds[end]
            if end.fn:
                queue.append((-end.born, end))
    heapify(queue)
    aside: list[tuple[Node, Array]] = []  # what a detour leads round: reported, not passed on
    hooked, watch = graph.hooked, walk_watch() if graph.watched else None
    careful = view or watch
    while queue:
        node = heappop(queue)[1]
        kept = node.retains_grad if wanted is None else node in wanted
        g = cotangents[node] if kept else cotangents.pop(node)
        if hooked and hooks_of(node):
            g = heard(node, g, view is not None)
            if kept:
                cotangents[node] = g
        out = view(node) if view else node.value
        call = node
        if node.detour and not (hooked and hooks_of(node.args[0])):
            call, skipped = node.detour, node.args[0]
            if skipped.retains_grad if wanted is None else skipped in wanted:
                aside.append((skipped, _by_own_rule(node, g, out, view, watch)))
        if watch and (when := watch.altered(call, -1, node.value)) is not None:
            out = _Changed(node, node.value, call, "changed in place", when)
        rule = RULES[call.fn]
        vjps, kwargs = rule.vjps, call.kwargs
        stale = careful or call.born < graph.last_change
        seen = _seen(call, view, watch) if stale else call.seen
        i = -1  # counted by hand: enumerate would take 1 % of a small step
        for parent in call.args:
            i += 1
            if type(parent) is not Node or not (
                parent.needs_grad if reached is None else parent in reached
            ):
                continue
            try:
                vjp = vjps[i]
            except IndexError:
                raise rule.unknown(i) from None
            if vjp is None:
                continue
            like = parent.value
            try:
                if vjp is same:
                    c = g
                else:
                    c = vjp(g, out, *seen, **kwargs) if kwargs else vjp(g, out, *seen)
                if c.shape != like.shape or c.dtype is not like.dtype:
                    c = _fit(c, like, rule, i)
            except Exception as error:
                error.add_note(f"in the vjp of {rule.call.__name__} for argument {i}")
                raise
            if watch:
                watch.carried(c, call, i, "vjp")
            if parent in cotangents:
                cotangents[parent] = cotangents[parent] + c
            else:
                cotangents[parent] = c
                if parent.fn:
                    heappush(queue, (-parent.born, parent))
    if hooked:
        for leaf in [node for node in cotangents if not node.fn and hooks_of(node)]:
            cotangents[leaf] = heard(leaf, cotangents[leaf], view is not None)
    for node, c in aside:
        cotangents[node] = cotangents[node] + c if node in cotangents else c
    return cotangents


def pushforward(
    ends: Sequence[Node], tangents: Mapping[Node, Array], view: View | None = None
) -> list[Array | None]:
    """Carry the ``tangents`` of some nodes forward to every one of ``ends``; None means zero."""
    if view and not tracing.get():
        return _traced(pushforward, ends, tangents, view)
    carried = dict(tangents)
    watch = walk_watch()
    for node in ancestors(*ends):
        if node in carried or not node.fn:
            continue
        call = node.detour if node.detour and node.args[0] not in tangents else node
        rule = RULES[call.fn]
        moving = [i for i, a in enumerate(call.args) if type(a) is Node and a in carried]
        if rule.constant or not moving:
            continue
        out, seen = view(node) if view else node.value, _seen(call, view, watch)
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
                if watch:
                    watch.carried(shares[-1], call, i, "jvp")
        if shares:
            like = node.value
            total: Array = sum(shares[1:], shares[0])
            total = total if total.shape == like.shape else _stretch(total, like.shape, rule)
            carried[node] = _cast(total, like.dtype)
    return [carried.get(end) for end in ends]


def _traced(walk: Callable[..., Found], *args: Any) -> Found:
    """Call ``walk`` as a function that is being differentiated: its rules are."""
    token = tracing.set(True)
    try:
        return walk(*args)
    finally:
        tracing.reset(token)


def owned(found: dict[Node, Array], *seeds: Array) -> dict[Node, Array]:
    """Make the cotangents ``found`` share memory with nothing else, nor with the ``seeds``."""
    taken = {id(g) for g in seeds}
    for node, c in found.items():
        if isinstance(c, ndarray):
            if c.base is not None or id(c) in taken:
                c = found[node] = c.copy()
            taken.add(id(c))
        elif isinstance(c, np.generic):
            found[node] = np.asarray(c)
        elif not is_recorded(type(c)):  # of another kind: who knows what shares it
            found[node] = c.copy()
    return found


def _reached(ends: Iterable[Node], wanted: set[Node]) -> set[Node]:
    """Return the ancestors of ``ends`` that some wanted node flows into, itself included."""
    reached: set[Node] = set()
    for node in ancestors(*ends):
        if node in wanted or (
            node.fn and not RULES[node.fn].constant and any(p in reached for p in node.parents)
        ):
            reached.add(node)
    return reached


def _by_own_rule(
    node: Node, g: Array, out: Any, view: View | None, watch: WalkWatch | None
) -> Array:
    """Return the cotangent of what a detour leads round, by the plain formula of ``node``."""
    rule = RULES[node.fn]
    vjp: Any = rule.vjps[0]
    c = vjp(g, out, *_seen(node, view, watch), **node.kwargs)
    if watch:
        watch.carried(c, node, 0, "vjp")
    return _fit(c, node.args[0].value, rule, 0)


def _seen(call: Node, view: View | None, watch: WalkWatch | None) -> list[Any]:
    """Return a call's arguments as a rule is to see them; changed data must not be read."""
    fresh = call.born > graph.last_change
    seen: list[Any] = []
    for i, (a, data) in enumerate(zip(call.args, call.seen, strict=True)):
        if type(a) is not Node:
            kept = data
        elif not fresh and (
            changed := (a if view and a.born > call.born else overwritten(a, data, call))
        ):
            seen.append(_Changed(changed, data, call, "replaced"))
            continue
        else:
            kept = view(a) if view else data
        if watch and (when := watch.altered(call, i, data)) is not None:
            kept = _Changed(a, data, call, "changed in place", when)
        seen.append(kept)
    return seen


def _fit(c: Array, like: Array, rule: Rule, i: int) -> Array:
    """Undo what NumPy did to argument ``i`` on the way in: broadcasting and dtype promotion."""
    shape = like.shape
    if c.shape != shape:
        if rule.broadcasts:
            new, stretched = _axes(c.shape, shape)
            if new:
                c = c.sum(axis=new)
            if stretched and type(c) is ndarray:  # what c.sum would come to
                c = _sum(c, axis=stretched, keepdims=True)
            elif stretched:
                c = c.sum(axis=stretched, keepdims=True)
        if c.shape != shape:
            raise DimensionError(
                f"the vjp of {rule.call.__name__} for argument {i} returned shape {c.shape}, but "
                f"the argument has shape {shape}; a rule returns its argument's shape"
                + ("" if rule.broadcasts else ", or is declared with broadcasts=True")
            )
    return c if c.dtype is like.dtype else _cast(c, like.dtype)


_sum = np.add.reduce


def _stretch(t: Array, shape: tuple[int, ...], rule: Rule) -> Array:
    """Give the tangent of a stretched argument the ``shape`` of the result."""
    if not rule.broadcasts:
        raise DimensionError(
            f"the jvps of {rule.call.__name__} returned shape {t.shape}, but its result has shape "
            f"{shape}; a rule returns its result's shape, or is declared with broadcasts=True"
        )
    return np.broadcast_to(t, shape)


def _cast(v: Array, dtype: Any) -> Array:
    """Return ``v`` in ``dtype``; to a real number only the real part can matter."""
    if v.dtype == dtype:
        return v
    if v.dtype.kind == "c" and dtype.kind != "c":
        v = np.real(v)
    return v.astype(dtype)


@lru_cache
def _axes(wide: tuple[int, ...], shape: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the axes of ``wide`` that ``shape`` lacks, and those of the rest that it stretched."""
    new = len(wide) - len(shape)
    if new < 0:  # too few, so no stretching made them
        return (), ()
    rest = zip(shape, wide[new:], strict=True)
    return tuple(range(new)), tuple(i for i, (n, w) in enumerate(rest) if n == 1 != w)


class _Changed(NDArrayOperatorsMixin):
    """Stands for data that is no longer what ``user`` saw: to read it is an error."""

    def __init__(self, given: Any, data: Any, user: Node, how: str, when: str = "") -> None:
        self.shape, self.ndim, self.size, self.dtype = data.shape, data.ndim, data.size, data.dtype
        name = f"an array {data.shape}"
        if type(given) is Node:
            name = given.name or (f"the result of {given.fn.__name__}" if given.fn else "a Tensor")
            if how == "replaced" and (change := getattr(given, "origin", None)):
                when = f"at {change.line}"
        fn, lines = user.fn.__name__, " (inside tg.detect_anomaly() this says in which lines)"
        if origin := getattr(user, "origin", None):
            since = f"; {name} was changed {when}" if when else ""
            lines = f" ({fn} was called at {origin.line}{since})"
        self._message = (
            f"the backward pass through {fn} needs the data of {name}, but it was {how} after {fn} "
            f"had used it{lines}; run the forward pass again before walking back"
        )

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise ChangedDataError(self._message)

    __array_ufunc__ = __array_function__ = __array__ = __getitem__ = __record__ = _refuse
    T = mT = astype = sum = property(_refuse)
