"""dA through dropout, dA * D / keep_prob: what goes wrong."""

from collections.abc import Iterator

import numpy as np

from tinygrad_dnn.checking.diagnosis.forward import Elementwise
from tinygrad_dnn.checking.diagnosis.hypotheses.words import Wrong
from tinygrad_dnn.checking.diagnosis.sources import is_mask
from tinygrad_dnn.checking.diagnosis.terms import Scene, Slope
from tinygrad_dnn.primitives import Array


def dropout(term: Slope, scene: Scene) -> Wrong:
    """The mask D or the division by keep_prob is left out, or done twice."""
    step, dA = term.step, scene.d[term.out]
    if not step.mask:
        return
    D, slope = scene.values[step.mask], step.prime(scene.values[term.of])
    kept, scale = np.absolute(D) > 0, step.scale(scene.values)
    through = dA * slope * kept
    yield f"the dropout mask {step.mask} is not applied to d{term.out}", dA * slope
    said = f"the dropout mask {step.mask} is not applied to d{term.out}, only its rescaling"
    yield said, dA * slope * scale
    yield f"dropout is not rescaled: d{term.out} is to be divided by keep_prob", through
    if scale != 1:
        keep = 1 / scale
        by = f"keep_prob = {keep:.4g}"
        yield f"dropout: divided by 1 - keep_prob instead of {by}", through / (1 - keep)
        yield (
            f"dropout: multiplied by 1 - keep_prob instead of divided by {by}",
            through * (1 - keep),
        )
        said = f"dropout is rescaled twice: divided by {by} once too often"
        yield said, through * scale**2
        yield f"dropout: multiplied by {by} instead of divided", through / scale
        said = f"dropout: divided by the square root of {by} instead of by keep_prob"
        yield said, through * scale**0.5
    said = f"dropout: the mask {step.mask} is inverted"
    yield said, dA * slope * (1 - kept) * scale
    yield f"{said}, and not rescaled", dA * slope * (1 - kept)
    for name, other in _masks(scene):
        if name != step.mask and other.shape == D.shape:
            said = f"the dropout mask {name} of another layer is applied instead of {step.mask}"
            yield said, dA * slope * (np.absolute(other) > 0) * scale


def _masks(scene: Scene) -> Iterator[tuple[str, Array]]:
    """Yield masks by their names, also as they are read off the zeros of A after dropout."""
    yield from ((name, D) for name, D in scene.values.items() if is_mask(D))
    for step in scene.forward.steps:
        if isinstance(step, Elementwise) and step.mask:
            D = scene.values[step.mask]
            yield step.mask, (scene.values[step.out] != 0) * np.max(D)
