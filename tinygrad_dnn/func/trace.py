"""Trace: one recorded run of a function, ready to be walked in either direction, many times.

A trace runs ``f`` on inputs of its own, and as soon as ``f`` has returned these stop requiring a
gradient.  What still requires one then belongs to somebody further out, and only then is the
derivative itself recorded.
"""

from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np

from tinygrad_dnn.containers import items, leaves, matched, rebuilt
from tinygrad_dnn.engine import View, owned, pullback, pushforward
from tinygrad_dnn.errors import DimensionError, HistoryError
from tinygrad_dnn.graph import NO_KWARGS, Node, ancestors, recording, tracing
from tinygrad_dnn.primitives import Array, as_data, multilinear, primitive
from tinygrad_dnn.seed import require_float, seed
from tinygrad_dnn.tensor import Tensor, as_tensor, handle

Argnums = int | tuple[int, ...]


@primitive
def alias(x: Array) -> Array:
    """The same value as a new node: where a derivative by somebody else's Tensor starts."""
    return x


multilinear(alias, lambda g, out, x: g)


class Trace:
    """A run of ``f(*args, **options)``, to be differentiated by the arguments ``argnums``.

    ``given`` are these arguments, ``out`` is what ``f`` returned, in their containers; ``inputs``
    and ``outputs`` are the nodes of all their leaves.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        args: Sequence[Any],
        argnums: Argnums | None = None,
        has_aux: bool = False,
        options: Mapping[str, Any] = NO_KWARGS,
    ) -> None:
        self.single = isinstance(argnums, Integral)
        places = positions(argnums, len(args))
        self.given = tuple(args[i] for i in places)
        found = [leaf for i in places for leaf in items(args[i], f"argument {i}")]
        full = list(args)
        outermost_records = recording.get()
        token, traced = recording.set(True), tracing.set(True)
        try:
            self.inputs = [own_node(x, path) for path, x in found]
            inside = rebuilt(self.given, map(handle, self.inputs))
            for i, x in zip(places, inside, strict=True):
                full[i] = x
            out = f(*full, **options)
        finally:
            recording.reset(token)
            tracing.reset(traced)
        self.aux: Any = None
        if has_aux:
            out, self.aux = _with_aux(out, f)
        if out is None:
            raise HistoryError(f"{_name(f)} must return one Tensor or several, got None")
        self.out = rebuilt(out, map(as_tensor, leaves(out)))
        self.outputs = [x.node for x in leaves(self.out)]
        for node, (_, x) in zip(self.inputs, found, strict=True):
            node.needs_grad = isinstance(x, Tensor) and x.requires_grad
        nested = outermost_records and any(
            node.needs_grad and not node.fn for node in ancestors(*self.outputs)
        )
        self.view: View | None = handle if nested else None
        self.f = f

    def value(self) -> Any:
        """Return ``f``'s result: Tensors if a derivative of it may still be wanted."""
        return self.public(self.out)

    def public(self, tree: Any) -> Any:
        """Return ``tree`` with its Tensors as this trace hands them out."""
        if self.view:
            return tree
        plain = (x.node.value if isinstance(x, Tensor) else x for x in leaves(tree))
        return rebuilt(tree, plain)

    def back(self, seeds: Mapping[Node, Array]) -> list[Array]:
        """Return the cotangents of all input leaves, for those of some outputs."""
        found = owned(pullback(seeds, self.inputs, self.view), *seeds.values())
        return [found[n] if n in found else np.zeros_like(n.value) for n in self.inputs]

    def ahead(self, tangents: Mapping[Node, Array]) -> list[Array]:
        """Return the tangents of all output leaves, for those of some inputs."""
        carried = pushforward(self.outputs, tangents, self.view)
        found = [
            np.zeros_like(n.value) if t is None else t
            for n, t in zip(self.outputs, carried, strict=True)
        ]
        return [t if isinstance(t, Tensor) else as_data(t).copy() for t in found]

    def gradient(self) -> Any:
        """Return the gradient of the one number that ``f`` returned."""
        if isinstance(self.out, tuple | list | dict):
            raise HistoryError(
                f"{_name(self.f)} must return one Tensor, got {type(self.out).__name__}"
            )
        (end,) = self.outputs
        if end.value.size != 1:
            raise DimensionError(
                f"{_name(self.f)} returned shape {end.value.shape}, but only a scalar has one "
                f"gradient; reduce it (np.sum, np.mean), or use jacobian or vjp"
            )
        return self.by_argument(self.back({end: seed(end)}))

    def pull(self, g: Any) -> Any:
        """Return the cotangents of the arguments for that of the result."""
        seeds: dict[Node, Array] = {}
        given = matched(g, self.out, "the cotangent")
        for node, part in zip(self.outputs, given, strict=True):
            c = seed(node, part)
            seeds[node] = seeds[node] + c if node in seeds else c
        return self.by_argument(self.back(seeds))

    def push(self, tangents: Any) -> Any:
        """Return the tangent of the result for those of the arguments."""
        tangents = (tangents,) if self.single else tangents
        if len(tangents) != len(self.given):
            raise DimensionError(f"{len(tangents)} tangents for {len(self.given)} inputs")
        seeds = {}
        for node, t in zip(self.inputs, matched(tangents, self.given, "tangents"), strict=True):
            if np.shape(t) != node.value.shape:
                raise DimensionError(
                    f"a tangent of shape {np.shape(t)} for an input of {node.value.shape}"
                )
            seeds[node] = t if isinstance(t, Tensor) else as_data(t, node.value.dtype)
        return rebuilt(self.out, self.ahead(seeds))

    def by_argument(self, values: Sequence[Any]) -> Any:
        """Return one value per input leaf in the containers of the arguments."""
        trees = rebuilt(self.given, values)
        return trees[0] if self.single else trees


def own_node(x: Any, who: str) -> Node:
    """Return a node of our own for the input ``x``, which requires a gradient while ``f`` runs."""
    value = x.node.value if isinstance(x, Tensor) else as_data(x)
    require_float(value.dtype, who)
    if isinstance(x, Tensor):
        return Node(value, alias, (x.node,), (value,), needs_grad=True, name=x.name)
    return Node(value, needs_grad=True)


def positions(argnums: Argnums | None, n: int) -> list[int]:
    """Return which of ``n`` arguments ``argnums`` are, all of them for None, counted from 0."""
    if argnums is None:
        return list(range(n))
    numbers = tuple(argnums) if isinstance(argnums, list | tuple) else (argnums,)
    for i in numbers:
        if not isinstance(i, Integral) or isinstance(i, bool):
            raise TypeError(
                f"argnums={argnums!r}; it needs the number of an argument, counted from 0, or a "
                f"tuple of such numbers"
            )
        if not -n <= i < n:
            raise ValueError(f"argnums={argnums}, but the function was given {n} arguments")
    found = [i % n for i in numbers]
    if len(set(found)) < len(found):
        raise ValueError(f"argnums={argnums} names an argument twice; name each once")
    return found


def _with_aux(out: Any, f: Callable[..., Any]) -> tuple[Any, Any]:
    if not isinstance(out, tuple) or len(out) != 2:
        raise HistoryError(
            f"{_name(f)} with has_aux=True must return a pair (result, aux), got "
            f"{type(out).__name__}"
        )
    return out


def _name(f: Callable[..., Any]) -> str:
    return getattr(f, "__name__", "f")
