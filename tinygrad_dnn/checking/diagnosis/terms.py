"""The backward equations of a forward pass: dQ is a sum of terms, one for every use of Q.

A term's ``value`` takes the derivatives that somebody computed for what comes after, so an equation
can be judged by itself: fed with the student's own dZ2, does it give the student's own dW2?
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tinygrad_dnn.checking.diagnosis.forward import (
    Call,
    Elementwise,
    Factor,
    Forward,
    Linear,
    Mixture,
    Softmax,
    plain,
    value_of,
)
from tinygrad_dnn.primitives import Array


@dataclass(frozen=True)
class Scene:
    """What is at hand: the forward pass, the derivatives by their names, and the convention.

    ``per_example``: dZ and dA are derivatives of the sum of the losses, as in the course, and 1/m
    stands in dW and db.  Else all are derivatives of the cost J.
    """

    forward: Forward
    per_example: bool
    d: dict[str, Array] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, Array]:
        """The forward values by name."""
        return self.forward.values

    @property
    def m(self) -> int:
        """The number of examples."""
        return self.forward.m

    def believing(self, name: str, derivative: Array) -> "Scene":
        """Return the scene with one derivative more."""
        return replace(self, d={**self.d, name: derivative})

    def scale(self, name: str) -> float:
        """Return what stands in front of every term of this derivative: 1 or 1/m."""
        return 1 / self.m if self.per_example and name in self.forward.parameters else 1.0


@dataclass(frozen=True)
class Term:
    """A part of the derivative by ``of`` that comes through ``out``."""

    of: str
    out: str


@dataclass(frozen=True)
class Product(Term):
    """Through out = of @ other (``left``) or out = other @ of; ``turned`` if it is of.T there."""

    other: str
    left: bool
    turned: bool = False

    def value(self, scene: Scene) -> Array:
        """Return the term."""
        return scene.scale(self.of) * self.product(scene.d[self.out], self.operand(scene))

    def operand(self, scene: Scene) -> Array:
        """Return the array that the product is with."""
        return value_of(self.other, scene.values)

    def product(self, g: Array, other: Array) -> Array:
        """Return the product that belongs here, of any two arrays."""
        if other.ndim == 1:  # each of its entries goes with another of them
            found = np.multiply.outer(*((g, other) if self.left else (other, g)))
        else:
            found = g @ other.T if self.left else other.T @ g
        return found.T if self.turned else found

    def formula(self, scene: Scene) -> str:
        """Return the term as one writes it."""
        g, other = f"d{self.out}", self.other
        if value_of(other, scene.values).ndim == 1:
            both = f"{g}, {other}" if self.left != self.turned else f"{other}, {g}"
            outer = scene.d[self.out].ndim and f"np.outer({both})"
            return _scaled(scene, self.of, outer or both.replace(", ", " * "))
        if self.turned:
            both = f"{other} @ {g}.T" if self.left else f"{g}.T @ {other}"
        else:
            turned = other[:-2] if other.endswith(".T") else f"{other}.T"
            both = f"{g} @ {turned}" if self.left else f"{turned} @ {g}"
        return _scaled(scene, self.of, both)


@dataclass(frozen=True)
class Addend(Term):
    """Through out = ... + of, ``of`` broadcast."""

    def value(self, scene: Scene) -> Array:
        """Return the term."""
        shape = scene.values[self.of].shape
        return scene.scale(self.of) * unbroadcast(scene.d[self.out], shape)

    def formula(self, scene: Scene) -> str:
        """Return the term as one writes it."""
        of, out = scene.values[self.of].shape, scene.values[self.out].shape
        summed = f"d{self.out}" if of == out else _summed(f"d{self.out}", of, scene.forward.over)
        return _scaled(scene, self.of, summed) if of != out else summed


@dataclass(frozen=True)
class Slope(Term):
    """Through out = g(of), elementwise."""

    step: Elementwise

    def value(self, scene: Scene) -> Array:
        """Return the term."""
        return self.masked(scene, scene.d[self.out]) * self.step.prime(scene.values[self.of])

    def masked(self, scene: Scene, dA: Array) -> Array:
        """Return dA through dropout, if there is one."""
        mask = self.step.mask
        return dA * scene.values[mask] * self.step.rescale if mask else dA

    def formula(self, scene: Scene) -> str:
        """Return the term as one writes it."""
        masked = f" * {self.step.mask}" if self.step.mask else ""
        if self.step.mask and self.step.rescale != 1:
            masked += f" / {1 / self.step.rescale:.4g}"
        slope = "" if self.step.g == "identity" else f" * {self.step.g}'({self.of})"
        return f"d{self.out}{masked}{slope}"


@dataclass(frozen=True)
class Jacobian(Term):
    """Through out = softmax(of)."""

    step: Softmax

    def value(self, scene: Scene) -> Array:
        """Return the term."""
        dA, A = scene.d[self.out], scene.values[self.out]
        return A * (dA - np.sum(dA * A, axis=self.step.axis, keepdims=True))

    def formula(self, scene: Scene) -> str:
        """Return the term as one writes it."""
        dA, A = f"d{self.out}", self.out
        return f"{A} * ({dA} - np.sum({dA} * {A}, axis={self.step.axis}, keepdims=True))"


@dataclass(frozen=True)
class Share(Term):
    """Through out = ... + c * of * others, elementwise."""

    c: float
    others: tuple[Factor, ...]

    def value(self, scene: Scene) -> Array:
        """Return the term."""
        return self.times(scene, [factor.value(scene.values) for factor in self.others])

    def times(self, scene: Scene, others: Sequence[Array]) -> Array:
        """Return the term with these factors."""
        found = self.c * scene.d[self.out]
        for other in others:
            found = found * other
        return scene.scale(self.of) * unbroadcast(found, scene.values[self.of].shape)

    def formula(self, scene: Scene) -> str:
        """Return the term as one writes it."""
        times = {1.0: "", -1.0: "-"}.get(self.c, f"{self.c:.6g} * ")
        both = f"{times}{' * '.join((f'd{self.out}', *map(str, self.others)))}"
        of, out = scene.values[self.of].shape, scene.values[self.out].shape
        return _scaled(scene, self.of, both if of == out else _summed(both, of, scene.forward.over))


@dataclass(frozen=True)
class Through(Term):
    """Through a call that has no equation here."""

    step: Call

    def value(self, scene: Scene) -> Array:
        """Return the term."""
        return scene.scale(self.of) * self.step.back(scene.d[self.out], self.of)

    def formula(self, scene: Scene) -> str:
        """Return the term as one writes it."""
        back = f"(d{self.out} back through {self.step.function} to {self.of})"
        return _scaled(scene, self.of, back)


@dataclass(frozen=True)
class Direct(Term):
    """What reaches ``of`` from the cost itself: the loss, or the penalty of regularisation.

    ``words`` is how it is written, ``kind`` one of "loss", "L2", "L1", "other"; ``coefficient``
    stands before W in the derivative of a penalty, before one of the ``LOSSES``, ``form``, of Y.
    """

    array: Array
    words: str
    kind: str
    coefficient: float = 0.0
    form: str = ""
    Y: str = ""
    by_way: Term | None = None  # dZ[L] by way of dA[L], where it is written without

    def value(self, scene: Scene) -> Array:
        """Return the term."""
        return self.array

    def formula(self, scene: Scene) -> str:
        """Return the term as one writes it."""
        return self.words


AnyTerm = Product | Addend | Slope | Jacobian | Share | Through | Direct


def terms_of(forward: Forward, name: str) -> Iterator[AnyTerm]:
    """Yield the terms of the derivative by ``name``, one for every use in the forward pass."""
    for step in reversed(forward.steps):
        if isinstance(step, Elementwise) and name in (step.z, step.skip):
            yield Slope(name, step.out, step) if step.z == name else Addend(name, step.out)
        elif isinstance(step, Softmax) and step.z == name:
            yield Jacobian(name, step.out, step)
        elif isinstance(step, Linear):
            for left, right in step.products:
                if plain(left) == name:
                    yield Product(name, step.out, right, True, left != name)
                if plain(right) == name:
                    yield Product(name, step.out, left, False, right != name)
            if name in step.addends:
                yield Addend(name, step.out)
        elif isinstance(step, Mixture):
            yield from _shares(step, name)
        elif isinstance(step, Call) and name in step.inputs:
            yield Through(name, step.out, step)


def _shares(step: Mixture, name: str) -> Iterator[Share]:
    """Yield a term for every factor that is, or has in it, this value."""
    for c, factors in step.parts:
        for i, factor in enumerate(factors):
            if factor.name == name:
                yield Share(name, step.out, c * factor.scale, factors[:i] + factors[i + 1 :])


def total(terms: Sequence[AnyTerm], scene: Scene) -> Array:
    """Return the sum of the terms."""
    return sum((term.value(scene) for term in terms[1:]), terms[0].value(scene))


def formula(terms: Sequence[AnyTerm], scene: Scene) -> str:
    """Return the equation's right side as one writes it."""
    return " + ".join(term.formula(scene) for term in terms)


def unbroadcast(g: Array, shape: tuple[int, ...]) -> Array:
    """Return ``g`` summed over the axes along which ``shape`` was broadcast.

    >>> unbroadcast(np.ones((2, 3)), (2, 1)).tolist()
    [[3.0], [3.0]]
    """
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    wide = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    return g.sum(axis=wide, keepdims=True)


def _summed(text: str, shape: tuple[int, ...], over: int) -> str:
    """Return the sum down to this shape as one writes it."""
    if not shape:
        return f"np.sum({text})"
    axis = over
    if len(shape) == 2 and shape[over] != 1:
        axis = 1 - over
    return f"np.sum({text}, axis={axis}{', keepdims=True' if len(shape) == 2 else ''})"


def _scaled(scene: Scene, name: str, text: str) -> str:
    return f"(1/m) * {text}" if scene.scale(name) != 1 else text
