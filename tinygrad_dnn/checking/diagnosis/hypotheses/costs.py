"""What comes from the loss: what goes wrong in dA[L], and in dZ[L] = A[L] - Y."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from tinygrad_dnn import equations
from tinygrad_dnn.checking.diagnosis.forward import Elementwise, Softmax
from tinygrad_dnn.checking.diagnosis.hypotheses.forms import FORMS, MEANT, at, mangled
from tinygrad_dnn.checking.diagnosis.hypotheses.words import Wrong
from tinygrad_dnn.checking.diagnosis.losses import COMMON, DIFFERENCE, HINGE, LOSSES, multiple
from tinygrad_dnn.checking.diagnosis.terms import Direct, Scene
from tinygrad_dnn.primitives import Array

CLOSE = 1e-6


class Output(NamedTuple):
    """The end of the network: Y, A[L], and if the derivative is dZ[L], Z[L] and its step."""

    Y: Array
    A: Array
    Z: Array | None
    step: Elementwise | Softmax | None

    @property
    def slope(self) -> Array:
        """g'(Z) on the way from dA[L] to dZ[L], if g is elementwise."""
        if self.Z is None or not isinstance(self.step, Elementwise):
            return np.ones(())
        return self.step.prime(self.Z)

    @property
    def g(self) -> str:
        """The activation between this derivative and dA[L]."""
        return "softmax" if isinstance(self.step, Softmax) else getattr(self.step, "g", "identity")


def loss(term: Direct, scene: Scene) -> Wrong:
    """A - Y miswritten."""
    end = output(term, scene)
    if end is None or (end.Z is None and term.form != DIFFERENCE) or term.form == HINGE:
        return
    Y, A = end.Y, end.A
    for unit in _units(term, scene):
        yield "Y is missing: A instead of A - Y", unit * A
        yield "A is missing: -Y instead of A - Y", -unit * Y
        yield "the sign of Y: A + Y instead of A - Y", unit * (A + Y)
        yield "A - 1 instead of A - Y: Y is taken for 1 everywhere", unit * (A - 1)
        yield "the square (A - Y)**2 instead of its derivative", unit * (A - Y) ** 2
        yield "the sign of A - Y instead of A - Y", unit * np.sign(A - Y)
        yield "the absolute value abs(A - Y) instead of A - Y", unit * np.absolute(A - Y)
        if term.form != DIFFERENCE:
            said = "A - Y belongs to cross-entropy after its own activation, not to this cost"
            yield said, unit * (A - Y)


def loss_by_Z(term: Direct, scene: Scene) -> Wrong:
    """A - Y in dZ[L] with another value in place of A, or for some entries only."""
    end = output(term, scene)
    if end is None or end.Z is None or end.g == "identity" or term.form == HINGE:
        return
    Y, A, Z, step = end
    for unit in _units(term, scene) if end.g != "identity" else ():
        yield "Z instead of A: Z - Y where A - Y belongs", unit * (Z - Y)
        if isinstance(step, Elementwise):
            said = f"{step.g} is applied twice: to {step.out} instead of {step.z}"
            yield said, unit * (step.function(A) - Y)
            said = "A is rounded to 0 and 1 before Y is subtracted: (A > 0.5) - Y"
            yield said, unit * (np.float64(A > 0.5) - Y)
        else:
            said = "only the diagonal A (1 - A) of the Jacobian of softmax is used, or only the "
            said += "entries of the true class (Y = 1) are changed: A elsewhere is forgotten"
            yield said, unit * (A - 1) * Y
            yield "softmax is applied twice", unit * (equations.softmax(A) - Y)
    yield "only the entries of the true class (Y = 1) are there", term.array * Y
    yield "only the entries where Y = 0 are there", term.array * (1 - Y)


def margin(term: Direct, scene: Scene) -> Wrong:
    """-Y [Y A < 1] of hinge miswritten."""
    end = output(term, scene)
    if end is None or term.form != HINGE:
        return
    Y, A, c = end.Y, end.A, term.coefficient
    inside = Y * A < 1
    yield "the mask [Y * A < 1] of hinge is missing: -Y where -Y * (Y * A < 1) belongs", -c * Y
    yield "the mask [Y * A < 1] of hinge is inverted", -c * Y * ~inside
    yield "Y is missing before the mask of hinge: -1 instead of -Y", -c * inside
    yield "the mask of hinge alone: -Y is missing", c * inside
    yield "A instead of Y before the mask of hinge", -c * A * inside
    for words, mask in (
        ("[Y * A < 0]", Y * A < 0),
        ("[Y * A > 0]", Y * A > 0),
        ("[A < 1]", A < 1),
        ("[A > 0]", A > 0),
        ("[A < 0]", A < 0),
    ):
        yield f"the mask {words} instead of [Y * A < 1] of hinge", -c * Y * mask
    yield (
        "the square of hinge is differentiated: 2 * (1 - Y * A)",
        -2 * c * Y * inside * (1 - Y * A),
    )


def loss_formula(term: Direct, scene: Scene) -> Wrong:
    """The derivative of the loss, of dA[L] or of dZ[L], written wrongly or of another loss."""
    end = output(term, scene)
    if end is None:
        return
    Y, A, _, step = end
    slope, g = end.slope, end.g
    for unit in _units(term, scene):
        first, second = -unit * Y / A * slope, unit * (1 - Y) / (1 - A) * slope
        both = "-Y/A + (1 - Y)/(1 - A)"
        if not isinstance(step, Softmax):
            yield (
                f"of the loss's derivative {both} only -Y/A is there, the second term is missing",
                first,
            )
            yield (
                f"of the loss's derivative {both} only the second term is there, -Y/A is missing",
                second,
            )
            yield f"a sign in the loss's derivative {both}", first - second
            yield f"a sign in the loss's derivative {both}", second - first
        for form in (DIFFERENCE, *COMMON):
            wrong, words = unit * LOSSES[form](A, Y), form.format(A="A", Y="Y")
            if g != "identity" and form != DIFFERENCE:
                of = f"the derivative of the loss by A, {words},"
                yield f"{of} is taken for dZ: the derivative of {g} is missing", wrong
            elif g == "identity" and form != term.form:
                yield f"{words} is the derivative of another loss, or of the loss by Z", wrong


def other_labels(term: Direct, scene: Scene) -> Wrong:
    """Labels that are shifted, reversed, inverted."""
    end = output(term, scene)
    if end is None:
        return
    for formula in _formulas(end):
        c = multiple(term.array, formula(end.Y), CLOSE)
        if c is not None:
            for words, Y in _labels(end.Y, scene.forward.over):
                yield words, c * formula(Y)
            return


def output_slope(term: Direct, scene: Scene) -> Wrong:
    """A slope g'(Z) too many or too few, in dZ[L]."""
    end = output(term, scene)
    if end is None or end.Z is None:
        return
    A, Z, step, g = end.A, end.Z, end.step, end.g
    if isinstance(step, Elementwise) and g != "identity" and np.all(end.slope):
        said = f"{g}'({step.z}) is there once too often (twice): it cancels in {step.out} - Y"
        yield said, term.array * end.slope
        said = "the derivative of the squared error, 2 * (A - Y), instead of that of this loss"
        yield said, 2 * term.array * end.slope
        yield f"the factor {g}'({step.z}) is missing", term.array / end.slope
    for u, value in ((step.out if step else "A", A), (term.of, Z)):
        for form, written, slope in at(u, value, FORMS):
            name = f", which is {MEANT[form][0]}'," if form in MEANT else ""
            said = f"the factor {written}{name} is there and does not belong"
            yield f"{said}: the output is {g}, and d{term.of} = {term.words}", term.array * slope
            if isinstance(step, Elementwise) and g != "identity" and np.all(end.slope):
                dA = term.array / end.slope
                yield f"{written}{name} instead of {g}'({step.z}) after dA", dA * slope


def mangled_loss(term: Direct, scene: Scene) -> Wrong:
    """``abs(A - Y)``."""
    if term.kind == "loss":
        yield from mangled(f"({term.words})", term.array)


def output(term: Direct, scene: Scene) -> Output | None:
    """Return the end of the network, if the term is the derivative of the loss there."""
    values = scene.values
    A, Z, step = values[term.of], None, None
    for found in scene.forward.steps:
        if isinstance(found, Elementwise | Softmax) and found.z == term.of:
            A, Z, step = values[found.out], values[found.z], found
    Y = next((values[n] for n in (term.Y, "Y", "y") if n in values), None)
    if Y is not None and Y.shape != A.shape:
        Y = Y.reshape(A.shape) if Y.size == A.size else None
    return None if Y is None or term.kind != "loss" else Output(Y, A, Z, step)


def _units(term: Direct, scene: Scene) -> set[float]:
    """Return what may stand before A - Y."""
    return {1.0 if scene.per_example else 1 / scene.m, term.coefficient} - {0.0}


def _formulas(end: Output) -> Iterator[Callable[[Array], Array]]:
    """Yield what the derivative may be of Y, up to a factor."""
    if end.Z is not None:
        yield lambda Y: end.A - Y
    if not isinstance(end.step, Softmax):
        for dA in LOSSES.values():
            yield lambda Y, dA=dA: dA(end.A, Y) * end.slope  # type: ignore[misc]


def _labels(Y: Array, over: int) -> Iterator[tuple[str, Array]]:
    """Yield labels that are not the right ones."""
    for axis, n in enumerate(Y.shape):
        what = "the examples" if axis == over else "the classes"
        if n > 1:
            said = "reversed" if n > 2 else "reversed (or shifted by one)"
            yield f"Y is {said} along axis {axis}, {what}", np.flip(Y, axis)
        for k in (1, -1) if n > 2 else ():
            said = f"Y is shifted by {k} (off by one) along axis {axis}, {what}"
            yield said, np.roll(Y, k, axis)
    yield "1 - Y stands where Y belongs: the labels are inverted", 1 - Y
    yield "the labels 2 Y - 1, -1 and 1, stand where Y, 0 and 1, belongs", 2 * Y - 1
    yield "the labels (1 + Y) / 2, 0 and 1, stand where Y, -1 and 1, belongs", (1 + Y) / 2
