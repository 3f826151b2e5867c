"""The end of a network of which Z[L] was tapped, and not A[L]: the activation between Z[L] and J.

It is told by the derivative dZ[L], which is that of a known loss through a known activation.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from tinygrad_dnn.checking.diagnosis.forward import Elementwise, Forward, Linear, Softmax, Step
from tinygrad_dnn.checking.diagnosis.losses import LOSSES, multiple, targets, written
from tinygrad_dnn.checking.diagnosis.sources import numbered
from tinygrad_dnn.checking.diagnosis.terms import Scene, terms_of, total
from tinygrad_dnn.primitives import Array

CLOSE = 1e-6
ACTIVATIONS = ("sigmoid", "tanh", "relu")
Arrays = Mapping[str, Array]


def ended(forward: Forward, measured: Arrays) -> tuple[Forward, Arrays]:
    """Return the forward pass with its last activations, and the measured derivatives with dA[L].

    ``measured`` are derivatives of the cost J.
    """
    made = {step.out: step for step in forward.steps}
    for Z in forward.ends():
        if isinstance(made[Z], Linear) and measured.get(Z) is not None:
            forward, measured = _ended(forward, measured, Z)
    return forward, measured


def _ended(forward: Forward, measured: Arrays, Z: str) -> tuple[Forward, Arrays]:
    known = measured[Z]
    if not np.all(np.isfinite(known)):
        return forward, measured
    if written(forward, known, CLOSE):
        A = numbered("A", Z, forward.values)
        step, values = Elementwise(A, Z, "identity"), {**forward.values, A: forward.values[Z]}
        longer = replace(forward, values=values, steps=[*forward.steps, step])
        return longer, {**measured, A: known}
    for longer, A in _longer(forward, Z):
        for Y in targets(forward, known).values():
            for loss in LOSSES.values():
                with np.errstate(all="ignore"):
                    dA = loss(longer.values[A], Y)
                    scene = Scene(longer, per_example=False).believing(A, dA)
                    c = multiple(known, total(list(terms_of(longer, Z)), scene), CLOSE)
                if c is not None and np.all(np.isfinite(dA)):
                    return longer, {**measured, A: c * dA}
    return forward, measured


def _longer(forward: Forward, Z: str) -> Iterator[tuple[Forward, str]]:
    """Yield the network with one more activation, and what its result is called."""
    A = numbered("A", Z, forward.values)
    steps: list[Step] = [Elementwise(A, Z, g) for g in ACTIVATIONS]
    for step in (*steps, Softmax(A, Z, 1 - forward.over)):
        longer = replace(forward, values=dict(forward.values), steps=[*forward.steps, step])
        longer.complete()
        yield longer, A
