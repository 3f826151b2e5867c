"""dZ = dA * g'(Z): what goes wrong with the slope."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from tinygrad_dnn.checking.diagnosis.hypotheses.forms import FORMS, MEANT, at
from tinygrad_dnn.checking.diagnosis.hypotheses.words import (
    Family,
    Wrong,
    relation,
    slope_words,
    telling,
)
from tinygrad_dnn.checking.diagnosis.sources import multiplies
from tinygrad_dnn.checking.diagnosis.terms import Scene, Slope
from tinygrad_dnn.primitives import Array

OTHERS = {form: FORMS[form] for form in ("1 - {u}**2", "{u} * (1 - {u})", "({u} > 0)")}
CUTS = 100  # entries of Z; of larger ones, only common thresholds are tried
THRESHOLDS = (1.0, 0.5, 0.1, 0.01, -0.01, -0.1, -0.5, -1.0)


def slope_missing(term: Slope, scene: Scene) -> Wrong:
    """``dZ = dA``."""
    if term.step.g != "identity":
        said = f"the factor {slope_words(term, scene)} is missing"
        yield said, term.masked(scene, scene.d[term.out])


def slope_elsewhere(term: Slope, scene: Scene) -> Wrong:
    """The right g', taken at another value than Z."""
    if term.step.g == "identity":
        return
    dA = term.masked(scene, scene.d[term.out])
    own = f"{term.step.g}'"
    for name, value in _others(term, scene):
        if name != term.of:
            said = f"{own} is evaluated at {name} instead of {term.of}"
            yield f"{said}{relation(name, term.of, scene)}", dA * term.step.prime(value)
    said = f"{own} is evaluated at d{term.out} instead of {term.of}"
    if term.step.g == "relu":
        said = f"the mask is of d{term.out}, not of {term.of}: {slope_words(term, scene)} belongs"
    yield said, dA * term.step.prime(dA)


def slope_slips(term: Slope, scene: Scene) -> Wrong:
    """The right g', put to the wrong use."""
    dA = term.masked(scene, scene.d[term.out])
    g, right, slope = term.step.g, slope_words(term, scene), term.step.prime(scene.values[term.of])
    if telling(dA):
        yield f"the incoming gradient d{term.out} is ignored (as if it were 1)", slope
    if g == "identity":
        return
    twice = f", or its slope for {term.of} < 0 is {slope.min() ** 2:.4g}" if "leaky" in g else ""
    yield f"{g}' is there twice{twice}: {right} belongs once", dA * slope**2
    inverted = "the mask is inverted: " if g in ("relu", "leaky_relu") else ""
    yield f"{inverted}1 - {g}' instead of {right}", dA * (1 - slope)
    yield f"the sum instead of the product with {right}", dA + slope
    yield f"the difference instead of the product with {right}", dA - slope
    if np.all(slope):
        yield f"divided by {right} instead of multiplied", dA / slope


def other_form(term: Slope, scene: Scene) -> Wrong:
    """Another expression in place of g': of the wrong activation, or the right one miswritten."""
    dA = term.masked(scene, scene.d[term.out])
    right = slope_words(term, scene)
    for u, value, is_A in _places(term, scene):
        dropped = f" ({u} is after dropout)" if term.step.mask and u == term.out else ""
        for form, written, slope in at(u, value, FORMS):
            yield _said(form, written, is_A, term, right) + dropped, dA * slope
    for name, value in _others(term, scene):
        if name not in (term.of, term.out):
            for _, written, slope in at(name, value, OTHERS):
                yield f"{written} instead of {right}{relation(name, term.of, scene)}", dA * slope


def other_threshold(term: Slope, scene: Scene) -> Wrong:
    """``Z > 1`` in relu'."""
    if term.step.g not in ("relu", "leaky_relu"):
        return
    dA, Z = term.masked(scene, scene.d[term.out]), scene.values[term.of]
    leak = term.step.slope or 0.0
    for c, words in _thresholds(Z):
        said = f"the threshold is not 0: [{term.of} > {words}] instead of [{term.of} > 0]"
        yield f"{said} in {term.step.g}'", dA * np.where(c < Z, 1.0, leak)


def other_leak(term: Slope, scene: Scene) -> Iterator[Family]:
    """The slope for Z < 0 is another number."""
    step = term.step
    if step.g == "identity":
        return
    dA, Z = term.masked(scene, scene.d[term.out]), scene.values[term.of]
    leak, above = step.slope or 0.0, np.float64(Z > 0)
    right = slope_words(term, scene)

    def below(c: float) -> str:
        if abs(c + leak) < 1e-6:
            return f"the sign of the slope for {term.of} < 0 is wrong: {c:.6g} instead of {right}"
        if step.g not in ("relu", "leaky_relu"):
            said = f"leaky_relu' (the derivative of another activation), {c:.6g} for {term.of} < 0,"
            return f"{said} instead of {right}"
        if step.g == "relu":
            return f"leaky_relu', with the slope {c:.6g} for {term.of} < 0, instead of {right}"
        return f"the slope {c:.6g} instead of {leak:g} for {term.of} < 0 in {right}"

    yield Family(below, dA * above, dA * (1 - above))
    if leak:
        said = f"for {term.of} > 0 the slope is 1, not {{:.6g}}: {right}"
        yield Family(said.format, leak * dA * (1 - above), dA * above)


def matrix_product(term: Slope, scene: Scene) -> Wrong:
    """``dZ = dA @ g'(Z)``."""
    dA, slope = term.masked(scene, scene.d[term.out]), term.step.prime(scene.values[term.of])
    said = "a matrix product (@) stands where the elementwise product (*) belongs"
    for turned in (slope, slope.T):
        if multiplies(dA, turned):
            yield said, dA @ turned
        if multiplies(turned, dA):
            yield said, turned @ dA


def _places(term: Slope, scene: Scene) -> Iterator[tuple[str, Array, bool]]:
    """Yield what a slope is written with, and whether it is A = g(Z), of whatever activation."""
    Z, A = scene.values[term.of], scene.values[term.out]
    if term.step.g != "identity":
        yield term.out, A, True
    yield term.of, Z, False
    if term.step.mask or term.step.skip:
        yield f"{term.step.g}({term.of})", term.step.function(Z), True
    yield f"d{term.out}", scene.d[term.out], False


def _others(term: Slope, scene: Scene) -> Iterator[tuple[str, Array]]:
    """Yield the values that may be mistaken for Z or A: no masks, nothing constant."""
    shape, no = scene.values[term.of].shape, {*scene.forward.parameters, term.step.mask}
    for name, value in scene.values.items():
        if value.shape == shape and name not in no and telling(value):
            yield name, value


def _said(form: str, written: str, is_A: bool, term: Slope, right: str) -> str:
    """Say what a form is: ``A1 * (1 - A1)`` is sigmoid', in a network of tanh."""
    own = term.step.g
    if form == "{u}" and is_A:
        return f"{own} itself, {written}, instead of its derivative {right}"
    if form == "({u} < 0)":
        return f"the mask is inverted: {written} instead of {right}"
    if form not in MEANT:
        return f"{written} instead of {right}"
    g, of = MEANT[form]
    fed = "A" if is_A else "Z"
    fits = fed == of or g == "relu"  # A > 0 where Z > 0
    if fits and g != own:
        return f"{g}' (the derivative of another activation), {written}, instead of {right}"
    if fits:
        return f"{written} instead of {right}"
    if g == own:
        return f"{written} instead of {right}: the formula needs {of}, not {fed}"
    return f"{written}, the formula of {g}' fed with {fed}, instead of {right}"


def _thresholds(Z: Array) -> Iterator[tuple[float, str]]:
    """Yield the thresholds that make a difference, and how they are written."""
    if Z.size > CUTS:
        yield from ((c, f"{c:g}") for c in THRESHOLDS)
        return
    edges = np.unique(Z)
    for low, high in pairwise(edges):
        c = _roundest(low, high)
        if low <= 0 < high:
            continue
        if c in THRESHOLDS or np.sum((c < Z) != (Z > 0)) > 1:
            yield c, f"{c:g}" if c in THRESHOLDS else f"c, c between {low:.3g} and {high:.3g}"


def _roundest(low: float, high: float) -> float:
    """Return the number with the fewest digits between two, the low one included.

    >>> _roundest(0.43, 0.612), _roundest(-1.2, -0.7), _roundest(0.87, 3.0)
    (0.5, -1.0, 1.0)
    """
    for digits in range(12):
        c = float(np.ceil(low * 10**digits) / 10**digits)
        if low <= c < high:
            return round(c, digits)
    return low
