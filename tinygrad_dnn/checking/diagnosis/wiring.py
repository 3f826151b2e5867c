"""How a recorded computation is wired: the steps of its forward pass, and names for their results.

The results that are named are those the student has tapped, the predictions, and what these are
made of: sums of products with a parameter, activations, gates, joined and cut arrays.  Whatever is
nothing of this kind is a ``Call``, through which the engine's derivative goes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tinygrad_dnn.checking.diagnosis.cone import (
    bases,
    elementwise,
    known,
    masks,
    output,
    softmax,
    unknown,
)
from tinygrad_dnn.checking.diagnosis.forward import (
    Call,
    Elementwise,
    Factor,
    Forward,
    Linear,
    Mixture,
    Softmax,
    Step,
)
from tinygrad_dnn.checking.diagnosis.names import Names
from tinygrad_dnn.checking.diagnosis.polynomial import (
    ARITHMETIC,
    PRODUCTS,
    Monomial,
    is_product,
    polynomial,
)
from tinygrad_dnn.checking.diagnosis.reach import Reach
from tinygrad_dnn.checking.diagnosis.recorded import Recorded
from tinygrad_dnn.engine import pullback
from tinygrad_dnn.graph import Node, data_of
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.tensor import Tensor

SAME = (np.copy, np.astype)


class Wiring:
    """The steps of one recorded run; ``here`` has the nodes of the run at the parameters."""

    def __init__(
        self,
        away: Recorded,
        here: Mapping[Node, Node],
        context: Mapping[str, Array],
        shown: Mapping[str, Array],
    ) -> None:
        self.here, self.reach = here, Reach(away)
        self.names = Names(away, context, shown)
        self.steps: list[Step] = []
        for v in self._wanted(away):
            self.name(v)

    def _wanted(self, away: Recorded) -> Iterator[Node]:
        """Yield what is tapped, and the predictions with their activations."""
        tapped = [v for v in self.names.tapped if v in self.reach.nodes]
        yield from sorted({*tapped, *self.reach.ends}, key=lambda v: v.born)
        for end in self.reach.ends:
            for v in self.reach.after(end):
                if output(v, end) and self.reach.passes(end, v):
                    yield v
                    break

    def forward(self, parameters: Mapping[str, Array]) -> Forward:
        """Return the forward pass, with the values of the run at the parameters."""
        values = dict(self.names.values)
        for v, name in self.names.of.items():
            values[name] = np.asarray(self.here.get(v, v).value, float)
        return Forward({**values, **parameters}, tuple(parameters), self.steps)

    def outputs(self) -> dict[str, Node]:
        """Return the nodes of the run at the parameters from which on there is only the loss."""
        made = {step.out for step in self.steps}
        names = {v: name for v, name in self.names.of.items() if name in made}
        return {name: self.here[v] for v, name in names.items() if self.reach.tail[v]}

    # ---- names
    def name(self, v: Any) -> str:
        """Return the name of a value, with the steps that make it."""
        v = _itself(v)
        if not isinstance(v, Node) or not v.needs_grad:
            return self.names.constant(v)
        if not v.fn or v in self.names.done:
            return self.names.of[v]
        step = self._step(v)
        out = self.names.result(v, step)
        self.steps.append(replace(step, out=out))
        return out

    def operand(self, v: Any) -> str:
        """Return the name of a matrix, or that of another one with ".T"."""
        v = _itself(v)
        turned = isinstance(v, Node) and v.fn is np.transpose and v.value.ndim == 2
        if turned and v.needs_grad and v not in self.names.tapped:
            other = self.operand(v.args[0])
            return other.removesuffix(".T") if other.endswith(".T") else f"{other}.T"
        return self.name(v)

    # ---- steps, of which the name is still to come
    def _step(self, v: Node) -> Step:
        parts = polynomial(v, self._atomic) if v.fn in (*ARITHMETIC, *PRODUCTS) else []
        return (
            self._linear(parts)
            or self._activation(v, parts)
            or self._mixture(v, parts)
            or self._unknown(v)
            or self._call(v)
        )

    def _atomic(self, v: Node) -> bool:
        return v in self.names.of or self.reach.uses(v) > 1

    def _inlined(self, v: Any) -> bool:
        return is_product(v) and not self._atomic(v)

    def _linear(self, parts: list[Monomial], *, alone: bool = False) -> Step | None:
        """Return a sum of products of matrices and of addends; ``alone``: or of addends alone."""
        if any(c != 1 or len(f) != 1 or f[0].shift or f[0].scale != 1 for c, f in parts):
            return None
        values = [factors[0].of for _, factors in parts]
        products = [v for v in values if self._inlined(v) or (len(parts) == 1 and is_product(v))]
        addends = [v for v in values if v not in products]
        if not products and not (alone and len(addends) > 1):
            return None
        pairs = tuple((self.operand(v.args[-2]), self.operand(v.args[-1])) for v in products)
        return Linear("", pairs, tuple(self.name(v) for v in addends))

    def _activation(self, v: Node, parts: list[Monomial]) -> Step | None:
        """Return g(Z), with a mask or a skip connection if there are any, or softmax(Z)."""
        found: tuple[Elementwise | Softmax, Node] | None = None
        for z in bases(v, self.names.tapped):  # of relu(relu(Z)) the last is meant
            for mask in masks(v, z):
                self.names.constant(mask)
            found_g = known(v.value, z.value, self.names.values) if elementwise(v, z) else iter(())
            g = next(found_g, None)  # with a mask, or none
            if step := g or softmax(v.value, z.value):
                found = step, z
        if found:
            return replace(found[0], z=self.name(found[1]))
        return self._skipping(parts)

    def _skipping(self, parts: list[Monomial]) -> Step | None:
        """Return g(Z) + A."""
        if len(parts) != 2 or any(c != 1 or len(f) != 1 or f[0].shift for c, f in parts):
            return None
        for one, other in ((0, 1), (1, 0)):
            g, skip = parts[one][1][0].of, parts[other][1][0].of
            if not isinstance(g, Node) or not g.fn or self._atomic(g) or is_product(g):
                continue
            step = self._activation(g, []) if np.shape(g.value) == np.shape(data_of(skip)) else None
            if isinstance(step, Elementwise) and not step.mask:
                return replace(step, skip=self.name(skip))
        return None

    def _mixture(self, v: Node, parts: list[Monomial]) -> Step | None:
        if linear := self._linear(parts, alone=True):
            return linear
        if not parts or any(part.of is v for _, factors in parts for part in factors):
            return None
        named = [
            (c, tuple(Factor(self.name(p.of), p.shift, p.scale) for p in factors))
            for c, factors in parts
            if factors
        ]
        if len(named) == 1 and named[0] == (1.0, (Factor(named[0][1][0].name),)):
            return Elementwise("", named[0][1][0].name, "identity")
        return Mixture("", tuple(named)) if named else None

    def _unknown(self, v: Node) -> Step | None:
        """Return an activation that is not known, with the derivative that the engine has."""
        for z in reversed(list(bases(v, self.names.tapped))):
            if elementwise(v, z):
                here, there = self.here[v], self.here[z]
                own = pullback({here: np.ones_like(here.value)}, [there])[there]
                return unknown(v, self.name(z), own)
        return None

    def _call(self, v: Node) -> Step:
        """Return the call as it was recorded."""
        names = [self.name(a) if _moves(a) else "" for a in v.args]
        call, function = self.here[v], getattr(v.fn, "__name__", "g")

        def back(g: Array, name: str) -> Array:
            """What the derivative by one input is, of this call alone."""
            again = [Tensor(x) if n else x for n, x in zip(names, call.seen, strict=True)]
            out = call.fn(*again, **call.kwargs)
            wanted = [x.node for x, n in zip(again, names, strict=True) if n == name]
            found = pullback({out.node: g}, wanted)
            return sum((found[x] for x in wanted if x in found), np.zeros_like(wanted[0].value))

        parts = tuple(self.name(a) for a in v.args if isinstance(a, Node | np.ndarray))
        return Call("", tuple(dict.fromkeys(filter(None, names))), function, parts, back)


def _moves(a: Any) -> bool:
    """Whether an argument depends on parameters."""
    return isinstance(a, Node) and a.needs_grad


def _itself(v: Any) -> Any:
    """Return what a copy, or a reshaping that changes nothing, is of."""
    while isinstance(v, Node) and v.needs_grad and v.fn:
        first = v.args[0] if v.args else None
        unchanged = isinstance(first, Node) and first.value.shape == v.value.shape
        if not unchanged or v.fn not in (*SAME, np.reshape, np.squeeze, np.broadcast_to):
            return v
        v = first
    return v
