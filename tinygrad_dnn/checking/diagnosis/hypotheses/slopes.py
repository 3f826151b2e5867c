"""dZ = dA * g'(Z), with dropout and with softmax: what goes wrong."""

import numpy as np

from tinygrad_dnn import equations
from tinygrad_dnn.checking.diagnosis.hypotheses.words import Wrong, relation, slope_words
from tinygrad_dnn.checking.diagnosis.terms import Jacobian, Scene, Slope

NAMES = ("relu", "leaky_relu", "tanh", "sigmoid")


def slope_missing(term: Slope, scene: Scene) -> Wrong:
    """``dZ = dA``."""
    dA, said = scene.d[term.out], f"the factor {slope_words(term, scene)} is missing"
    yield said, term.masked(scene, dA)


def other_slope(term: Slope, scene: Scene) -> Wrong:
    """G' of another activation, or taken at another place."""
    dA, Z = term.masked(scene, scene.d[term.out]), scene.values[term.of]
    right = slope_words(term, scene)
    own = f"{term.step.g}'"
    for g in NAMES:
        if g != term.step.g:
            yield (
                f"{g}' (the derivative of another activation) instead of {right}",
                dA * (equations.G[g][1](Z)),
            )
    if term.step.g == "leaky_relu":
        for slope in (0.2, 0.1, 0.05, 0.01, 0.001):
            if slope != term.step.slope:
                yield (
                    f"the slope {slope} instead of {term.step.slope} in leaky_relu'",
                    dA * equations.leaky_relu_prime(Z, slope),
                )
    for name, value in scene.values.items():
        if name != term.of and value.shape == Z.shape and name not in scene.forward.parameters:
            yield (
                f"{own} is evaluated at {name} instead of {term.of}"
                f"{relation(name, term.of, scene)}",
                dA * term.step.prime(value),
            )
    if term.step.g not in ("relu", "leaky_relu"):  # see slope_slips
        yield f"{own} is evaluated at d{term.out} instead of {term.of}", dA * term.step.prime(dA)


def slope_slips(term: Slope, scene: Scene) -> Wrong:
    """The derivative written down wrongly."""
    dA, Z = term.masked(scene, scene.d[term.out]), scene.values[term.of]
    A, g, right = term.step.function(Z), term.step.g, slope_words(term, scene)
    slope = term.step.prime(Z)
    yield f"the incoming gradient d{term.out} is ignored (as if it were 1)", slope
    yield f"{g}' is there twice: {right} belongs once", dA * slope**2
    yield f"{g} itself instead of its derivative {right}", dA * A
    yield f"the sum instead of the product with {right}", dA + slope
    if g == "tanh":
        yield (
            f"1 - {term.of}**2 instead of 1 - {term.out}**2: the formula needs A, not Z",
            dA * (1 - Z**2),
        )
        yield f"the square is missing: 1 - A instead of {right}", dA * (1 - A)
        yield f"the sign in {right}: 1 + A**2 instead of 1 - A**2", dA * (1 + A**2)
        yield f"1 - tanh'(Z) = A**2 instead of {right}", dA * A**2
    if g == "sigmoid":
        said = "the formula needs A, is evaluated at Z"
        yield f"Z (1 - Z) instead of A (1 - A): {said}", dA * Z * (1 - Z)
        yield f"the factor A is missing in {right}", dA * (1 - A)
        yield f"the sign in {right}: A (1 + A) instead of A (1 - A)", dA * A * (1 + A)
    if g in ("relu", "leaky_relu"):
        leak = 0 if term.step.slope is None else term.step.slope
        yield (
            f"the mask is inverted: [{term.of} < 0] instead of {right}",
            dA * np.where(Z > 0, leak, 1.0),
        )
        yield (
            f"the mask is of d{term.out}, not of {term.of}: {right} belongs there",
            dA * np.where(dA > 0, 1.0, leak),
        )
        yield f"the derivative is the step function [Z > 0], not the sign: {right}", dA * np.sign(Z)


def matrix_product(term: Slope, scene: Scene) -> Wrong:
    """``dZ = dA @ g'(Z)``."""
    dA, slope = scene.d[term.out], term.step.prime(scene.values[term.of])
    for turned in (slope, slope.T):
        if dA.shape[1] == turned.shape[0]:
            yield (
                "a matrix product (@) stands where the elementwise product (*) belongs",
                dA @ turned,
            )
        if turned.shape[1] == dA.shape[0]:
            yield (
                "a matrix product (@) stands where the elementwise product (*) belongs",
                turned @ dA,
            )


def dropout(term: Slope, scene: Scene) -> Wrong:
    """The mask D or the division by keep_prob is left out, or done twice."""
    step, dA = term.step, scene.d[term.out]
    if not step.mask:
        return
    D, slope = scene.values[step.mask], step.prime(scene.values[term.of])
    keep = f"{1 / step.rescale:.4g}"
    yield f"the dropout mask {step.mask} is not applied to d{term.out}", dA * slope
    said = f"the dropout mask {step.mask} is not applied to d{term.out}, only its rescaling"
    yield said, dA * slope * step.rescale
    kept = np.absolute(D) > 0
    yield f"dropout is not rescaled: d{term.out} is to be divided by keep_prob", dA * slope * kept
    if step.rescale != 1:
        yield (
            f"dropout is rescaled twice: divided by keep_prob = {keep} once too often",
            dA * slope * D * step.rescale**2,
        )
        yield (
            f"dropout: multiplied by keep_prob = {keep} instead of divided",
            (dA * slope * D / step.rescale),
        )
    yield f"dropout: the mask {step.mask} is inverted", dA * slope * (1 - kept) * step.rescale
    for name, other in scene.values.items():
        if name != step.mask and other.shape == D.shape and set(np.unique(other)) <= {0, 1}:
            yield (
                f"the dropout mask {name} of another layer is applied instead of {step.mask}",
                dA * slope * other * step.rescale,
            )


def diagonal_only(term: Jacobian, scene: Scene) -> Wrong:
    """Softmax taken for an elementwise function."""
    dA, A = scene.d[term.out], scene.values[term.out]
    said = "only the diagonal A (1 - A) of the Jacobian of softmax is used"
    yield said, dA * A * (1 - A)
    yield "the derivative of softmax is missing", dA
    yield "the sum in the derivative of softmax is missing", A * dA
    total = np.sum(dA * A, axis=1 - term.step.axis, keepdims=True)
    yield "the sum in the derivative of softmax is over the wrong axis", A * (dA - total)
