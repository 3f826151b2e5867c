"""What gradients by hand are free to choose: dZ per example or of J, and relu'(0).

Where a gradient in between is known by equations only, it is right if it is so with one of the
choices.  Those are taken with which the fewest gradients are wrong; of several, the course's.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from tinygrad_dnn.checking.diagnosis.equation import equations_of
from tinygrad_dnn.checking.diagnosis.forward import Elementwise, Forward
from tinygrad_dnn.checking.diagnosis.terms import AnyTerm, Scene, total
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.report import relative_error

Arrays = Mapping[str, Array]
AT_KINKS = (0.0, 1.0, 0.5)
FOLLOWS = 1e-5  # relative: so much float32 leaves; the conventions are a factor m apart


class Choice(NamedTuple):
    """A forward pass with its rule for g'(0) at every kink, and the convention for m."""

    forward: Forward
    per_example: bool
    wrong: int
    of_J: Arrays


def chosen_by(
    forward: Forward,
    known: Arrays,
    measured: Collection[str],
    shown: Arrays,
    conventions: Sequence[bool],
    close: float,
) -> Choice:
    """Return the choice with which the fewest of the gradients ``shown`` are wrong.

    ``known`` are derivatives of J; those that are not ``measured`` have been computed with 0 at
    every kink after them.
    """

    def tried(forward: Forward, per_example: bool) -> Choice:
        of_J = _before_kinks(forward, known, measured)
        right: Arrays = {}
        with suppress(ValueError, IndexError):  # shapes do not fit: it is another network
            _, right = equations_of(forward, of_J, shown, per_example=per_example)
        wrong = sum(
            name not in right or not relative_error(x, right[name]) <= close
            for name, x in shown.items()
        )
        return Choice(forward, per_example, wrong, of_J)

    best = min((tried(forward, per_example) for per_example in conventions), key=_wrong)
    kinked = [
        i
        for i, step in enumerate(forward.steps)
        if isinstance(step, Elementwise) and step.kinks(forward.values[step.z])
    ]
    for side in AT_KINKS[1:] if best.wrong and kinked else ():
        everywhere = _ruled(forward, kinked, side)
        best = min((best, *(tried(everywhere, c) for c in conventions)), key=_wrong)
    for i in reversed(kinked):
        sides = (_ruled(best.forward, [i], side) for side in AT_KINKS)
        if best.wrong:
            best = min((best, *(tried(other, best.per_example) for other in sides)), key=_wrong)
    return best


def told_by_equations(forward: Forward, of_J: Arrays, shown: Arrays) -> bool | None:
    """Return whether dZ and dA are per example by the equations of dW and db; None if by neither.

    Fed with the dZ that are shown, right or wrong, they give the dW shown, or m times them.
    """
    counts = [_followed(forward, of_J, shown, per_example) for per_example in (True, False)]
    return counts[0] > counts[1] if counts[0] != counts[1] else None


def _followed(forward: Forward, of_J: Arrays, shown: Arrays, per_example: bool) -> int:
    """Count the parameters' gradients that are what their equations make of the others shown."""
    terms: Mapping[str, Sequence[AnyTerm]] = {}
    with suppress(ValueError, IndexError):  # shapes do not fit: it is another network
        terms, _ = equations_of(forward, of_J, shown, per_example=per_example)
    scene = Scene(forward, per_example, {**shown})
    return sum(
        relative_error(shown[name], total(terms[name], scene)) <= FOLLOWS
        for name in forward.parameters
        if name in shown and name in terms and all(not t.out or t.out in shown for t in terms[name])
    )


def _before_kinks(forward: Forward, known: Arrays, measured: Collection[str]) -> Arrays:
    """Return what is known whatever is taken at kinks."""
    ruled = [i for i, s in enumerate(forward.steps) if isinstance(s, Elementwise) and s.at_kink]
    changed = {step.out for step in forward.steps[: max(ruled, default=0)]} - {*measured}
    return {name: x for name, x in known.items() if name not in changed}


def _wrong(choice: Choice) -> int:
    return choice.wrong


def _ruled(forward: Forward, which: Sequence[int], side: float) -> Forward:
    """Return the forward pass with a rule for the kinks of some of its steps."""
    steps = [
        replace(step, at_kink=side) if i in which and isinstance(step, Elementwise) else step
        for i, step in enumerate(forward.steps)
    ]
    return replace(forward, steps=steps)


def kink_words(forward: Forward) -> Iterator[str]:
    """Say what is taken where a value is exactly at a kink, if it is not 0 as usual."""
    for step in forward.steps:
        if isinstance(step, Elementwise) and step.at_kink and step.kinks(forward.values[step.z]):
            yield f"{step.g}'(0) = {step.prime(np.zeros(1))[0]:g} is taken, as these gradients do"
