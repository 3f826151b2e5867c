"""(lambda/m) W, the derivative of the regularisation: what goes wrong."""

from collections.abc import Iterator

import numpy as np

from tinygrad_dnn.checking.diagnosis.hypotheses.words import Family, Wrong
from tinygrad_dnn.checking.diagnosis.losses import PENALTIES
from tinygrad_dnn.checking.diagnosis.terms import Direct, Scene
from tinygrad_dnn.primitives import Array


def penalty(term: Direct, scene: Scene) -> Wrong:
    """(lambda/m) W left out, counted twice, with another factor, of something else."""
    if term.kind not in PENALTIES:
        return
    W, c = scene.values[term.of], term.coefficient
    m, right = scene.m, PENALTIES[term.kind][1](W)
    said, what = f"of the regularisation ({term.kind}) term", f"regularisation ({term.kind}) term"
    yield f"the {what} {term.words} is missing", np.zeros_like(W)
    yield f"the {what} {term.words} is counted twice", 2 * c * right
    yield f"the factor 1/2 {said}: half of {term.words}", c / 2 * right
    yield f"the sign {said} is wrong: it is subtracted", -c * right
    if m > 1:
        yield f"1/m is missing in the factor {said}: m times too large", c * m * right
        yield f"1/m is there twice in the factor {said}", c / m * right
        yield f"1/m is missing and it is counted twice, {said}", 2 * c * m * right
        yield f"1/m is missing and the factor 1/2 is there, {said}", c * m / 2 * right
    for words, other in _instead(term, W):
        yield f"{words} instead of {_form(term)}, {said}", c * other
        if m > 1:
            missing = f"{words} instead of {_form(term)}, and 1/m is missing, {said}"
            yield missing, c * m * other
    for name in scene.forward.parameters:
        other = scene.values[name]
        if name != term.of and other.shape == W.shape:
            said = f"the {what} has {name} instead of {term.of}"
            yield said, c * PENALTIES[term.kind][1](other)


def other_constant(term: Direct, scene: Scene) -> Iterator[Family]:
    """(lambda/m) W with another lambda."""
    if term.kind in PENALTIES:
        W, c = scene.values[term.of], term.coefficient
        what = f"the regularisation ({term.kind}) term"
        said = f"the factor of {what} is {{:.6g}} instead of {c:.6g}"
        right = PENALTIES[term.kind][1](W)
        yield Family(lambda k: f"{said.format(k)}; it is {term.words}", 0 * W, right)
        for words, other in _instead(term, W):
            if np.all(other == other.flat[0]):
                continue  # any shift of dW would be one
            said_of = f"{what} has {words} instead of {_form(term)}"
            yield Family(lambda k, s=said_of: f"{s}, and the factor {k:.6g}", 0 * W, other)  # type: ignore[misc]


def no_penalty(name: str, scene: Scene) -> Iterator[Family]:
    """Regularisation of a parameter that the cost does not regularise; added to the rest."""
    x = scene.values[name]
    yield Family(lambda c: _added(name, c), 0 * x, x)
    if np.any(x > 0) and np.any(x < 0):
        said = "regularisation (L1) is added, though the cost has none of"
        yield Family(lambda c: f"{said} {name}: {c:.6g} * np.sign({name})", 0 * x, np.sign(x))


def penalty_too(name: str, scene: Scene, c: float) -> Wrong:
    """The same regularisation as of other parameters, though the cost has none of this one."""
    yield _added(name, c), c * scene.values[name]


def _added(name: str, c: float) -> str:
    return f"regularisation (L2) is added, though the cost has none of {name}: {c:.6g} * {name}"


def _form(term: Direct) -> str:
    return PENALTIES[term.kind][0].format(W=term.of)


def _instead(term: Direct, value: Array) -> Iterator[tuple[str, Array]]:
    """Yield what stands where W, or its sign, belongs."""
    W, full = term.of, np.zeros_like(value)
    if term.kind != "L1":
        yield f"the sign of {W} (L1)", np.sign(value)
    if term.kind != "L2":
        yield f"{W} itself (L2)", value
    yield f"the square {W}**2", value**2
    yield f"the absolute value abs({W})", np.absolute(value)
    yield f"the sum np.sum({W})", full + np.sum(value)
    yield f"the sum of squares np.sum({W}**2)", full + np.sum(value**2)
    yield f"the mean of {W}", full + np.mean(value)
    yield f"the norm of {W}", full + np.sqrt(np.sum(value**2))
    yield f"{W} over its norm", value / (np.sqrt(np.sum(value**2)) or 1.0)
    yield "the number 1", full + 1
    if value.ndim == 2:
        if value.shape[0] == value.shape[1]:
            yield f"{W}.T", value.T
        for axis in (0, 1):
            said = f"the sum np.sum({W}, axis={axis}, keepdims=True)"
            yield said, full + np.sum(value, axis=axis, keepdims=True)
