"""dZ = A * (dA - sum of dA * A), through softmax: what goes wrong."""

import numpy as np

from tinygrad_dnn.checking.diagnosis.hypotheses.words import Wrong
from tinygrad_dnn.checking.diagnosis.terms import Jacobian, Scene


def diagonal_only(term: Jacobian, scene: Scene) -> Wrong:
    """Softmax taken for an elementwise function."""
    dA, A = scene.d[term.out], scene.values[term.out]
    said = "only the diagonal A (1 - A) of the Jacobian of softmax is used"
    yield f"{said}, as if it were sigmoid", dA * A * (1 - A)
    yield "the derivative of softmax is missing", dA
    yield "the derivative of tanh instead of that of softmax", dA * (1 - A**2)


def wrong_jacobian(term: Jacobian, scene: Scene) -> Wrong:
    """The parts of it put together wrongly."""
    dA, A, axis = scene.d[term.out], scene.values[term.out], term.step.axis
    within = np.sum(dA * A, axis=axis, keepdims=True)
    said = "in the derivative of softmax"
    yield f"the sum {said} is missing", A * dA
    yield f"only the sum {said} is there", -A * within
    yield f"the sign of the sum {said}: added instead of subtracted", A * (dA + within)
    yield f"the factor A {said} is missing", dA - within
    yield f"the factor A {said} stands before the first part only", A * dA - within
    other = np.sum(dA * A, axis=1 - axis, keepdims=True)
    yield f"the sum {said} is over the wrong axis", A * (dA - other)
    yield f"the sum {said} is over all entries", A * (dA - np.sum(dA * A))
    total = np.sum(dA, axis=axis, keepdims=True)
    yield f"the factor A within the sum {said} is missing", A * (dA - total)
    mean = np.mean(dA * A, axis=axis, keepdims=True)
    yield f"the mean instead of the sum {said}", A * (dA - mean)
