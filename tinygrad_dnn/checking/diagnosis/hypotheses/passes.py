"""What goes wrong between the passes of a loop: one is left out, or reads what another left."""

from collections.abc import Iterator

import numpy as np

from tinygrad_dnn.checking.diagnosis.forward import plain
from tinygrad_dnn.checking.diagnosis.hypotheses.words import Wrong
from tinygrad_dnn.checking.diagnosis.terms import Addend, Product, Scene
from tinygrad_dnn.primitives import Array


def other_pass(term: Product, scene: Scene) -> Wrong:
    """The factor is that of the pass before or after, or always that of the first or the last."""
    other, name = term.operand(scene), plain(term.other)
    if name in scene.forward.parameters or other.ndim != 2:
        return
    over = scene.forward.over
    for which, order in _orders(scene.forward.passes):
        over = over if len(order) == other.shape[over] else 1 - over  # of X.T, it is the other axis
        if len(order) == other.shape[over]:
            said = f"{name} of the {which} stands where {term.other} belongs"
            g = scene.scale(term.of) * scene.d[term.out]
            yield said, term.product(g, np.take(other, order, over))


def pass_overwritten(term: Product | Addend, scene: Scene) -> Wrong:
    """``dW = ...`` in the loop, where ``dW += ...`` belongs."""
    if term.of in scene.forward.parameters:
        for said, dZ in pass_left_out(scene.d[term.out], scene):
            yield said, term.value(scene.believing(term.out, dZ))


def pass_left_out(dZ: Array, scene: Scene) -> Wrong:
    """One of the passes is left out, or all but one."""
    passes, over = scene.forward.passes, scene.forward.over
    if not passes or over >= dZ.ndim or dZ.shape[over] != sum(passes):
        return
    turned = np.moveaxis(dZ, over, 0)
    number = np.repeat(np.arange(len(passes)), passes)
    here = [number == i for i in range(len(passes))]
    for which, mask in (("first", here[0]), ("last", here[-1])):
        for said, keep in (
            (f"the {which} pass of the loop is left out", ~mask),
            (f"only the {which} pass of the loop is there, it is not a sum (+= is missing)", mask),
        ):
            kept = turned * keep.reshape(-1, *[1] * (dZ.ndim - 1))
            yield said, np.moveaxis(kept, 0, over)


def _orders(passes: tuple[int, ...]) -> Iterator[tuple[str, Array]]:
    """Yield in which order examples are read, where all passes have the same number of them."""
    if len(set(passes)) != 1:
        return
    places = np.arange(sum(passes)).reshape(len(passes), -1)
    yield "pass before (of the last, in the first)", np.roll(places, 1, 0).ravel()
    yield "pass after (of the first, in the last)", np.roll(places, -1, 0).ravel()
    for which, place in (("first pass", places[:1]), ("last pass", places[-1:])):
        yield f"{which}, in every pass,", np.repeat(place, len(passes), 0).ravel()
