"""checkpoint: recompute what a function computed on its way instead of keeping it.

The call becomes one node of the graph, whose rule runs the function again.  Its inputs are the
Tensors among the arguments, and those *captured*: Tensors from outside that ``f`` uses by itself,
as a layer does its parameters.  In a second run these are exchanged for nodes of that run's own,
so that the inner walk ends where the outer one goes on.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from tinygrad_dnn.containers import NESTED, leaves, rebuilt
from tinygrad_dnn.engine import View, pullback, pushforward
from tinygrad_dnn.errors import ChangedDataError, HistoryError
from tinygrad_dnn.func.trace import alias
from tinygrad_dnn.graph import Node, moment, recording
from tinygrad_dnn.primitives import Array, Each, primitive, rule
from tinygrad_dnn.recording import record
from tinygrad_dnn.rerun import FirstRun, Rerun, generator, running
from tinygrad_dnn.tensor import Tensor, as_tensor, handle


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``f`` such that a graph keeps only its result; a backward walk runs it again.

    Same value and derivatives of every order, for the memory of one run of f at a time and the time
    of a second forward pass.  f must compute the same again.  What it gives
    to a Tensor's ``data`` is given once, and dropout draws the same mask again; random numbers of
    your own are arguments, or drawn from a generator that is one.  A loss that follows does not
    see the activation inside.

    >>> block = checkpoint(lambda x: np.tanh(np.tanh(x)))
    >>> x = Tensor([0.0, 1.0])
    >>> np.sum(block(x)).backward()
    >>> x.grad.round(3)
    array([1.   , 0.247])
    """

    @wraps(f)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not recording.get():
            return f(*args, **kwargs)
        segment = _Segment(f, args, kwargs)
        given = [x for x in segment.parts if isinstance(x, Tensor)]
        result, out, captured = segment.first_run(given)
        wanted = [x.requires_grad for x in given] + [True] * len(captured)
        if not any(wanted):
            return result
        segment.value, segment.captured, segment.wanted = out.node.value, captured, wanted
        inputs = (*given, *map(handle, captured))
        kept = record(Tensor, checkpointed, inputs, {"segment": segment})
        del segment.value
        return _apart(kept, result)

    return call


@primitive
def checkpointed(*inputs: Array, segment: "_Segment") -> Array:
    """The value of ``segment``'s first run."""
    return segment.value


class _Segment:
    """One call of a function that is to be run again by every walk."""

    value: Array
    captured: list[Node]
    generators: list[Any]
    wanted: list[bool]

    def __init__(self, f: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> None:
        self.f, self.tree = f, (args, kwargs)
        self.parts = leaves(self.tree)
        self._latest: tuple[Any, dict[int, Any]] = None, {}

    def first_run(self, given: Sequence[Tensor]) -> tuple[Any, Tensor, list[Node]]:
        """Return the result, also as a Tensor, and the nodes it uses without being given them."""
        inputs = [Node(x.node.value, needs_grad=x.requires_grad, name=x.name) for x in given]
        first = FirstRun()
        result, out, _, outside = self._run(inputs, first)
        self.generators = first.noted
        captured = [n for n in outside if n.needs_grad and n not in inputs]
        return result, out, sorted(captured, key=lambda n: n.born)

    def vjp(self, i: int, g: Any, out: Any, *seen: Any) -> Any:
        """Return the cotangent of input ``i``; those of the others are kept until asked for."""
        latest_g, found = self._latest
        if latest_g is not g or i not in found:
            view = handle if _any_tensor(g, *seen) else None
            inner, nodes = self._again(out, seen)
            wrt = {k: n for k, n in enumerate(nodes) if self.wanted[k]}
            cotangents = pullback({inner: g}, wrt.values(), view)
            found = {
                k: cotangents[n] if n in cotangents else np.zeros_like(n.value)
                for k, n in wrt.items()
            }
        c = found.pop(i)
        self._latest = (g, found) if found else (None, {})
        return c

    def jvp(self, i: int, t: Any, out: Any, *seen: Any) -> Any:
        """Return the tangent of the result for that of input ``i`` alone."""
        view: View | None = handle if _any_tensor(t, *seen) else None
        inner, nodes = self._again(out, seen)
        (tangent,) = pushforward([inner], {nodes[i]: t}, view)
        return np.zeros_like(inner.value) if tangent is None else tangent

    def _again(self, out: Any, seen: Sequence[Any]) -> tuple[Node, list[Node]]:
        """Return the end of another run, and the nodes of its own it started from."""
        nodes = [_start(x) for x in seen]
        n = len(seen) - len(self.captured)
        for node, own in zip(self.captured, nodes[n:], strict=True):
            if node.value is not own.value:
                raise ChangedDataError(
                    f"checkpoint runs {self._name} again, but {node.name or 'a Tensor'} that it "
                    f"uses has new data since; walk back before the data is replaced"
                )
        _, again, made, outside = self._run(nodes[:n], Rerun(self.generators))
        unknown = [x for x in outside if x.needs_grad and x not in nodes + self.captured]
        if unknown or not _same(again.data, out.node.value if isinstance(out, Tensor) else out):
            raise HistoryError(
                f"checkpoint ran {self._name} again and it computed something else; give it random "
                f"numbers or their generator, and whatever changes, as arguments"
            )
        own_nodes = dict(zip(self.captured, nodes[n:], strict=True))
        for made_node in made:
            made_node.args = [own_nodes.get(a, a) if type(a) is Node else a for a in made_node.args]
        return again.node, nodes

    def _run(
        self, inputs: Sequence[Node], run: FirstRun | Rerun
    ) -> tuple[Any, Tensor, list[Node], list[Node]]:
        """Run f; return its result, also as a Tensor, the calls made, and where they started."""
        rest = iter(inputs)
        since = moment()

        def own(x: Any) -> Any:
            if isinstance(x, np.random.Generator | np.random.RandomState):
                return generator(x)
            return handle(next(rest)) if isinstance(x, Tensor) else x

        token = recording.set(True)
        try:
            with running(run):
                args, kwargs = rebuilt(self.tree, map(own, self.parts))
                result = self.f(*args, **kwargs)
            if not leaves(result):
                raise HistoryError(
                    f"checkpoint: {self._name} must return one Tensor or several, got {result!r}"
                )
            out: Tensor = record(Tensor, alias, (_joined(result),))
        finally:
            recording.reset(token)
        made: list[Node] = [out.node]
        known = set(made)
        outside: list[Node] = []
        for node in made:  # grows as it goes
            if node.detour:
                made.append(node.detour)
            for a in node.args:
                if type(a) is Node and a not in known:
                    known.add(a)
                    (made if a.born > since else outside).append(a)
        return result, out, made, outside

    @property
    def _name(self) -> str:
        return getattr(self.f, "__name__", "f")


rule(
    checkpointed,
    vjps=Each(lambda i, g, out, *seen, segment: segment.vjp(i, g, out, *seen)),
    jvps=Each(lambda i, t, out, *seen, segment: segment.jvp(i, t, out, *seen)),
)


def _joined(result: Any) -> Tensor:
    """Return the Tensors of a result, which may be in containers, as one."""
    if not isinstance(result, NESTED):
        return as_tensor(result)
    joined: Any = np.concatenate([np.ravel(as_tensor(x)) for x in leaves(result)])
    return joined  # type: ignore[no-any-return]


def _apart(whole: Tensor, result: Any) -> Any:
    """Return what ``_joined`` made of ``result`` in its containers, shapes and dtypes."""
    if not isinstance(result, NESTED):
        return whole
    like = [as_tensor(x) for x in leaves(result)]
    parts = np.split(whole, np.cumsum([x.size for x in like])[:-1])
    return rebuilt(result, map(_as, parts, like))


def _as(part: Any, x: Tensor) -> Any:
    """Return ``part`` in the shape and dtype of ``x``, which it was before it was joined."""
    part = np.reshape(part, x.shape)
    if part.dtype == x.dtype:
        return part
    return np.astype(part if x.dtype.kind == "c" else np.real(part), x.dtype)


def _start(x: Any) -> Node:
    """Return a node of our own on an input, behind the Tensor that it may be."""
    if isinstance(x, Tensor):
        return Node(x.node.value, alias, (x.node,), (x.node.value,), needs_grad=True)
    np.shape(x)  # stands something here for data that was changed since, it refuses
    return Node(x, needs_grad=True)


def _same(again: Array, before: Array) -> bool:
    """Say if a second run has computed the same; of arrays of other libraries it is not asked."""
    if not isinstance(before, np.ndarray):
        return bool(again.shape == before.shape)
    tolerance = float(np.sqrt(np.finfo(before.dtype).eps))
    return bool(np.allclose(again, before, rtol=tolerance, atol=tolerance, equal_nan=True))


def _any_tensor(*xs: Any) -> bool:
    return any(isinstance(x, Tensor) for x in xs)
