"""What comes from the cost, the loss and the penalty of regularisation: what goes wrong."""

import numpy as np

from tinygrad_dnn.checking.diagnosis.forward import Elementwise, Linear
from tinygrad_dnn.checking.diagnosis.hypotheses.words import Wrong
from tinygrad_dnn.checking.diagnosis.terms import Direct, Scene
from tinygrad_dnn.primitives import Array


def penalty(term: Direct, scene: Scene) -> Wrong:
    """(lambda/m) W left out, counted twice, with another factor."""
    if term.kind != "L2":
        return
    W, c = scene.values[term.of], term.coefficient
    m = scene.m
    said = "of the regularisation (L2) term"
    yield f"the regularisation (L2) term {term.words} is missing", np.zeros_like(W)
    yield f"the regularisation (L2) term {term.words} is counted twice", 2 * c * W
    yield f"the factor 1/2 {said}: half of {term.words}", c / 2 * W
    yield f"the sign {said} is wrong: it is subtracted", -c * W
    if m > 1:
        yield f"1/m is missing in the factor {said}: m times too large", c * m * W
        yield f"1/m is there twice in the factor {said}", c / m * W
        yield f"1/m is missing and it is counted twice, {said}", 2 * c * m * W
    yield f"the sign of W instead of W, {said}", c * np.sign(W)
    yield f"the square W**2 instead of W, {said}", c * W**2
    for name in scene.forward.parameters:
        other = scene.values[name]
        if name != term.of and other.shape == W.shape:
            yield f"the regularisation (L2) term has {name} instead of {term.of}", c * other


def loss(term: Direct, scene: Scene) -> Wrong:
    """dA[L] of a loss, and dZ[L] of a loss with the activation before it."""
    Y, A, Z, step = output(term, scene)
    if term.kind != "loss" or Y is None:
        return
    unit = 1.0 if scene.per_example else 1 / scene.m
    slope = step.prime(Z) if step else 1.0  # from dA[L] on to dZ[L]
    if Z is not None:
        yield "Y is missing: A instead of A - Y", unit * A
        yield "A is missing: -Y instead of A - Y", -unit * Y
        yield "the sign of Y: A + Y instead of A - Y", unit * (A + Y)
        yield "the square (A - Y)**2 instead of its derivative", unit * (A - Y) ** 2
        yield "the sign of A - Y instead of A - Y", unit * np.sign(A - Y)
        said = "A - Y belongs to cross-entropy after its own activation, not to this cost"
        yield said, unit * (A - Y)
        yield "(A - Y) / A / (1 - A) is dA, not dZ", unit * (A - Y) / (A * (1 - A))
        yield "Z instead of A: Z - Y where A - Y belongs", unit * (Z - Y)
        if step:
            said = f"{step.g} is applied twice: to {step.out} instead of {step.z}"
            yield said, unit * (step.function(A) - Y)
    both = "-Y/A + (1 - Y)/(1 - A)"
    yield f"of the loss's derivative {both} only -Y/A is there", -unit * Y / A * slope
    second = unit * (1 - Y) / (1 - A) * slope
    yield f"of the loss's derivative {both} only the second term is there", second
    for sign in (1, -1):
        wrong = sign * unit * (Y / A + (1 - Y) / (1 - A)) * slope
        yield f"a sign in the loss's derivative {both}", wrong
    if step:
        said = f"{step.g}'({step.z}) is there once too often (twice): it cancels in {step.out} - Y"
        yield said, term.array * slope
        yield f"the factor {step.g}'({step.z}) is missing", term.array / slope
    for axis in (0, 1):
        if Y.shape[axis] > 1:
            yield f"Y is reversed along axis {axis}", term.array + unit * (Y - np.flip(Y, axis))


def output(
    term: Direct, scene: Scene
) -> tuple[Array | None, Array, Array | None, Elementwise | None]:
    """Return Y, A[L] and, if the term is dZ[L], Z[L] and the step from it to A[L]."""
    values = scene.values
    A, Z, step = values[term.of], None, None
    for found in scene.forward.steps:
        if not isinstance(found, Linear) and found.z == term.of:
            A, Z = values[found.out], values[found.z]
            step = found if isinstance(found, Elementwise) else None
    Y = next((values[n] for n in ("Y", "y") if n in values), None)
    if Y is not None and Y.shape != A.shape:
        Y = Y.reshape(A.shape) if Y.size == A.size else None
    return Y, A, Z, step
