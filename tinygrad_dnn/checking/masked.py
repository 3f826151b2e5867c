"""dA under dropout as the course writes it: the derivative by A before its mask.

The course's code overwrites A1 = A1 * D1 / keep_prob in the forward pass, and in the backward pass
dA1 = dA1 * D1 / keep_prob.  What is left there under the name dA1 is the derivative by what A1 was
before; the derivative by what it is afterwards has no name.  Such a dA is known by its zeros.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from tinygrad_dnn.checking.diagnosis.forward import (
    Call,
    Elementwise,
    Forward,
    Mixture,
    Softmax,
    Step,
)
from tinygrad_dnn.primitives import Array

Arrays = Mapping[str, Array]


@dataclass(frozen=True)
class Masked:
    """A = g(Z) * ``D`` * rescale, whose dA is shown as the derivative by g(Z)."""

    step: Elementwise
    D: Array

    @property
    def factor(self) -> Array:
        """What a derivative by A is multiplied with to be one by g(Z)."""
        return self.D * self.step.rescale

    @property
    def words(self) -> str:
        """What such a dA is."""
        A = self.step.out
        return f"d{A} is taken as the course has it: by {A} before its mask {self.step.mask}"

    def split(self, forward: Forward) -> tuple[Forward, str]:
        """Return the forward pass with g(Z) under A's name, and the name that g(Z) * D has then."""
        A, mask = self.step.out, str(self.step.mask)
        keep = f" / {1 / self.step.rescale:.4g}" if self.step.rescale != 1 else ""
        dropped = f"({A} * {mask}{keep})"
        bare = replace(self.step, mask=None, rescale=1.0)
        drop = replace(self.step, out=dropped, z=A, g="identity", slope=None)
        steps: list[Step] = []
        for step in forward.steps:
            steps += [bare, drop] if step.out == A else [_reading(step, A, dropped)]
        now = {dropped: forward.values[A], A: bare.function(forward.values[bare.z]), mask: self.D}
        return replace(forward, steps=steps, values={**forward.values, **now}), dropped


def split_off(
    forward: Forward, shown: Arrays, of_J: Arrays, given: Collection[str]
) -> tuple[Forward, dict[str, Array], list[Masked]]:
    """Return the forward pass with every mask split off, and derivatives of J for its new names.

    The arguments are those of ``found_masked``, what it finds comes third.
    """
    found = list(found_masked(forward, shown, of_J, given))
    return *split(forward, of_J, found), found


def split(
    forward: Forward, of_J: Arrays, found: Iterable[Masked]
) -> tuple[Forward, dict[str, Array]]:
    """Return the forward pass with these masks split off, and derivatives for its new names."""
    known: dict[str, Array] = {}
    for masked in found:
        name = masked.step.out
        forward, dropped = masked.split(forward)
        known |= {dropped: of_J[name], name: masked.factor * of_J[name]}
    return forward, known


def maybe_masked(forward: Forward, shown: Collection[str]) -> list[Masked]:
    """Return the values whose dA, as ``shown``, may be by A before its mask."""
    masked = (step for step in forward.steps if isinstance(step, Elementwise) and step.mask)
    return [Masked(s, forward.values[str(s.mask)]) for s in masked if s.out in shown]


def found_masked(
    forward: Forward, shown: Arrays, of_J: Arrays, given: Collection[str]
) -> Iterator[Masked]:
    """Yield the values whose dA, as ``shown``, is zero where D is, and dJ/dA is not.

    ``given`` are the masks that are not merely read from the zeros of A: those say nothing where
    g(Z) is zero too, and there dA itself tells.
    """
    for step in forward.steps:
        if not isinstance(step, Elementwise) or not step.mask:
            continue
        dA, right, D = shown.get(step.out), of_J.get(step.out), forward.values[step.mask]
        if dA is None or right is None or dA.shape != D.shape or not dA.any():
            continue
        if not dA[D == 0].any() and np.any(right[D == 0]) and _rescaled(dA, right, step, forward):
            dead = (step.function(forward.values[step.z]) == 0) & (dA == 0)
            yield Masked(step, D if step.mask in given else np.where(dead, 0.0, D))


def _rescaled(dA: Array, right: Array, step: Elementwise, forward: Forward) -> bool:
    """Whether dA is rather ``right``, or m times that, through the mask than as it is.

    Where all units after a dropped one are at their kinks, a dA by what A is afterwards is 0 too.
    """
    ratios = np.absolute(dA[(dA != 0) & (right != 0)] / right[(dA != 0) & (right != 0)])
    factor = step.rescale * float(np.max(forward.values[str(step.mask)]))
    if not ratios.size or factor == 1:
        return True
    away = {
        f: min(abs(np.log(float(np.median(ratios)) / (f * m))) for m in (1, forward.m))
        for f in (1.0, factor)
    }
    return bool(away[factor] <= away[1.0])


def _reading(step: Step, old: str, new: str) -> Step:
    """Return a step that reads ``new`` in place of ``old``."""

    def renamed(operand: str) -> str:
        return {old: new, f"{old}.T": f"{new}.T"}.get(operand, operand)

    if isinstance(step, Mixture):
        parts = ((c, tuple(replace(f, name=renamed(f.name)) for f in fs)) for c, fs in step.parts)
        return replace(step, parts=tuple(parts))
    if isinstance(step, Call):
        back = lambda g, name: step.back(g, old if name == new else name)
        return replace(step, inputs=tuple(map(renamed, step.inputs)), back=back)
    if isinstance(step, Elementwise):
        return replace(step, z=renamed(step.z), skip=step.skip and renamed(step.skip))
    if isinstance(step, Softmax):
        return replace(step, z=renamed(step.z))
    products = tuple((renamed(left), renamed(right)) for left, right in step.products)
    return replace(step, products=products, addends=tuple(map(renamed, step.addends)))
