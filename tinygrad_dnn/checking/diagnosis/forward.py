"""The forward pass as the diagnosis knows it: named values and the steps that made them.

    Linear       Z2 = W2 @ A1 + b2; more generally a sum of products and of addends
    Elementwise  A2 = relu(Z2), times a mask of dropout and plus a skip connection if there are any
    Softmax      A3 = softmax(Z3), along an axis
    Mixture      S2 = T2 * A2 + (1 - T2) * A1, a sum of elementwise products
    Call         anything else, with the derivatives that the engine has for it

Nothing here knows what a layer is: residual connections, tied weights and examples in rows are
other steps of the same kinds.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import permutations

import numpy as np

from tinygrad_dnn.checking.diagnosis.activations import ACTIVATIONS
from tinygrad_dnn.primitives import Array

KINKED = ("relu", "leaky_relu")


@dataclass(frozen=True)
class Linear:
    """``out`` is the sum of the products of two operands and of the addends (a bias, broadcast).

    An operand is a name, or a name with ".T".
    """

    out: str
    products: tuple[tuple[str, str], ...]
    addends: tuple[str, ...] = ()


@dataclass(frozen=True)
class Elementwise:
    """``out`` = g(z) * mask * rescale + skip.

    ``at_kink`` is the convention for g'(0) where g has a kink: 0 takes the slope to the left, 1
    that to the right, 0.5 half of each.
    """

    out: str
    z: str
    g: str
    slope: float | None = None  # leaky_relu's
    mask: str | None = None
    rescale: float = 1.0
    skip: str | None = None
    own: Array | None = field(default=None, compare=False)  # g'(Z) of an activation not known
    at_kink: float = 0.0

    @property
    def shape(self) -> dict[str, float]:
        """What the activation is told besides Z."""
        return {} if self.slope is None else {"slope": self.slope}

    def scale(self, values: Mapping[str, Array]) -> float:
        """By how much dropout multiplies what it keeps: 1 / keep_prob."""
        return float(np.max(np.absolute(values[str(self.mask)]))) * self.rescale

    def function(self, Z: Array) -> Array:
        """g(Z); nan of an activation that is not known."""
        known = ACTIVATIONS.get(self.g)
        return known[0](Z, **self.shape) if known else np.full_like(Z, np.nan)

    def prime(self, Z: Array) -> Array:
        """g'(Z)."""
        if self.own is not None:
            return self.own
        slope = ACTIVATIONS[self.g][1](Z, **self.shape)
        if self.g not in KINKED or not self.at_kink:
            return slope
        left, right = (ACTIVATIONS[self.g][1](np.array(z), **self.shape) for z in (-1.0, 1.0))
        return np.where(Z == 0, (1 - self.at_kink) * left + self.at_kink * right, slope)

    def kinks(self, Z: Array) -> int:
        """Return how many entries are at a kink."""
        return int(np.count_nonzero(Z == 0)) if self.g in KINKED else 0


@dataclass(frozen=True)
class Softmax:
    """``out`` = softmax(z) along an axis."""

    out: str
    z: str
    axis: int


@dataclass(frozen=True)
class Factor:
    """shift + scale * (the value of) ``name``: T, or 1 - T."""

    name: str
    shift: float = 0.0
    scale: float = 1.0

    def value(self, values: Mapping[str, Array]) -> Array:
        """Return the factor."""
        return self.shift + self.scale * values[self.name]

    def __str__(self) -> str:
        """The factor as one writes it."""
        times = {1.0: "", -1.0: "-"}.get(self.scale, f"{self.scale:.6g} * ")
        if not self.shift:
            return f"{times}{self.name}"
        sign = "-" if self.scale < 0 else "+"
        return f"({self.shift:.6g} {sign} {times.removeprefix('-')}{self.name})"


@dataclass(frozen=True)
class Mixture:
    """``out`` is the sum of the ``parts``: a number, times the product of factors."""

    out: str
    parts: tuple[tuple[float, tuple[Factor, ...]], ...]


@dataclass(frozen=True)
class Call:
    """``out`` is made of ``inputs`` in a way that has no equation here.

    ``back(g, name)`` is what the derivative ``g`` by ``out`` gives of the derivative by an input.
    """

    out: str
    inputs: tuple[str, ...]
    function: str
    parts: tuple[str, ...]  # its arguments that are arrays
    back: Callable[[Array, str], Array] = field(compare=False)

    def reordered(self, values: Mapping[str, Array]) -> Iterator[Array]:
        """Yield what joins the same inputs in another order, if it is joined of them."""
        whole = values[self.out]
        for order in permutations(self.parts) if 1 < len(self.parts) < 4 else ():
            for axis in (0, 1):
                with suppress(ValueError):
                    found = np.concatenate([values[name] for name in order], axis)
                    if found.shape == whole.shape and self.function == "concatenate":
                        yield found


Step = Linear | Elementwise | Softmax | Mixture | Call


@dataclass
class Forward:
    """Values by name, the names of parameters, and the steps in the order of computation.

    ``m`` is the number of examples, ``over`` the axis along which they lie; ``passes`` has how many
    there are in each pass of a loop, if there is one.
    """

    values: dict[str, Array]
    parameters: tuple[str, ...]
    steps: list[Step] = field(default_factory=list)
    m: int = 1
    over: int = 1
    passes: tuple[int, ...] = ()

    def complete(self) -> None:
        """Compute the results that nobody has noted: those that lie between noted ones."""
        for step in self.steps:
            if step.out not in self.values:
                self.values[step.out] = self.result(step)
            if isinstance(step, Elementwise) and step.mask and step.mask not in self.values:
                A, dropped = step.function(self.values[step.z]), self.values[step.out] == 0
                self.values[step.mask] = np.where(dropped & (A != 0), 0.0, 1.0)

    def result(self, step: Step) -> Array:
        """Return what a step gives."""
        values = self.values
        if isinstance(step, Linear):
            terms = [value_of(a, values) @ value_of(b, values) for a, b in step.products]
            terms += [values[name] for name in step.addends]
            return sum(terms[1:], terms[0])
        if isinstance(step, Elementwise):
            A = step.function(values[step.z])
            A = A * values[step.mask] * step.rescale if step.mask else A
            return A + values[step.skip] if step.skip else A
        if isinstance(step, Mixture):
            parts = [(c, [factor.value(values) for factor in f]) for c, f in step.parts]
            return sum(c * np.prod(np.broadcast_arrays(*x), axis=0) for c, x in parts)
        if isinstance(step, Call):
            raise KeyError(f"{step.out} is known from the record alone")
        e = np.exp(values[step.z] - values[step.z].max(axis=step.axis, keepdims=True))
        return e / e.sum(axis=step.axis, keepdims=True)

    def ends(self) -> list[str]:
        """Return the results that nothing else is made of: the predictions, the last one first.

        >>> heads = [Linear("Z1", (("W1", "X"),)), Linear("Z2", (("W2", "X"),))]
        >>> Forward({}, (), heads).ends()
        ['Z2', 'Z1']
        """
        read = {name for step in self.steps for name in inputs(step)}
        return [step.out for step in reversed(self.steps) if step.out not in read]

    def end(self) -> str:
        """Return the name of the prediction: the result of the last step.

        >>> Forward({}, (), [Linear("Z1", ()), Elementwise("A1", "Z1", "tanh")]).end()
        'A1'
        """
        return next((step.out for step in reversed(self.steps)), "")

    def backward_order(self) -> list[str]:
        """Return every name in an order in which its derivative can be computed.

        >>> one = Forward({}, ("W1", "b1"), [Linear("Z1", (("W1", "X"),), ("b1",))])
        >>> one.backward_order()
        ['Z1', 'W1', 'b1', 'X']
        """
        first_use = {step.out: len(self.steps) for step in self.steps}
        for i, step in reversed(list(enumerate(self.steps))):
            first_use |= dict.fromkeys(inputs(step), i)
        names = sorted(first_use, key=lambda name: name not in self.parameters)
        return sorted(names, key=lambda name: -first_use[name])


def inputs(step: Step) -> tuple[str, ...]:
    """Return the names that a step reads and that have a derivative.

    >>> inputs(Linear("Z2", (("W2", "A1"),), ("b2",)))
    ('W2', 'b2', 'A1')
    """
    if isinstance(step, Elementwise) and step.skip:
        return (step.z, step.skip)
    if isinstance(step, Mixture):
        return tuple(factor.name for _, factors in step.parts for factor in factors)
    if isinstance(step, Call):
        return step.inputs
    if not isinstance(step, Linear):
        return (step.z,)
    lefts = [plain(left) for left, _ in step.products]
    return (*lefts, *step.addends, *(plain(right) for _, right in step.products))


def plain(operand: str) -> str:
    """Return the name in an operand: "W" of "W.T"."""
    return operand.removesuffix(".T")


def value_of(operand: str, values: Mapping[str, Array]) -> Array:
    """Return the array that an operand stands for."""
    return values[operand[:-2]].T if operand.endswith(".T") else values[operand]
