"""explain: sentences about wrong gradients, from the network, the measured and the shown arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tinygrad_dnn.checking.diagnosis.blame import Backward
from tinygrad_dnn.checking.diagnosis.ending import ended
from tinygrad_dnn.checking.diagnosis.equation import equations_of
from tinygrad_dnn.checking.diagnosis.factor import Change, Sizes
from tinygrad_dnn.checking.diagnosis.faults import Equations
from tinygrad_dnn.checking.diagnosis.forward import Forward
from tinygrad_dnn.checking.diagnosis.terms import Scene
from tinygrad_dnn.checking.diagnosis.whole import compared
from tinygrad_dnn.checking.diagnosis.words import Sentences
from tinygrad_dnn.primitives import Array

Arrays = Mapping[str, Array]
ONE = 1.5  # an explanation of less weight is one mistake, and good enough


@dataclass(frozen=True)
class Explanation:
    """What is said of derivatives by their names, and the convention that it is said in."""

    notes: Mapping[str, str]
    per_example: bool
    right: Arrays  # all derivatives, in that convention
    weight: float  # how much has to be assumed


def explain(
    forward: Forward,
    measured: Arrays,
    shown: Arrays,
    conventions: Sequence[bool],
    *,
    network: bool = True,
) -> Explanation | None:
    """Return the explanation with the fewest mistakes; ``conventions`` says which are possible.

    ``measured`` are derivatives of the cost J, ``shown`` the student's.  What is no ``network`` has
    no parameters that somebody may regularise.
    """
    forward, measured = ended(forward, measured)
    best: Explanation | None = None
    for per_example in conventions:
        if best and best.weight < ONE:
            break
        terms, right = equations_of(forward, measured, shown, per_example=per_example)
        visible = {name: x for name, x in shown.items() if name in terms}
        if not visible:
            continue
        with np.errstate(all="ignore"):
            scene = Scene(forward, per_example)
            story = Backward(scene, Equations(terms, right, network), right, visible).explained()
            notes = Sentences(story, terms, right, visible).notes
        if best is None or story.weight < best.weight - 0.01:
            best = Explanation(notes, per_example, right, story.weight)
    return best


def describe(shown: Array, right: Array, sizes: Sizes) -> Change | None:
    """Return what makes a wrong array of the right one where no equation is known.

    >>> describe(2 * np.eye(2), np.eye(2), Sizes()).words
    'the factor 2 too much: it is twice the right value'
    """
    if not np.all(np.isfinite(shown)) or not np.all(np.isfinite(right)):
        return None
    return min(compared(shown, right, sizes), key=lambda change: change.weight, default=None)
