"""dA through dropout, dA * D / keep_prob: what goes wrong."""

import numpy as np

from tinygrad_dnn.checking.diagnosis.hypotheses.words import Wrong
from tinygrad_dnn.checking.diagnosis.terms import Scene, Slope


def dropout(term: Slope, scene: Scene) -> Wrong:
    """The mask D or the division by keep_prob is left out, or done twice."""
    step, dA = term.step, scene.d[term.out]
    if not step.mask:
        return
    D, slope = scene.values[step.mask], step.prime(scene.values[term.of])
    kept, keep = np.absolute(D) > 0, 1 / step.rescale
    yield f"the dropout mask {step.mask} is not applied to d{term.out}", dA * slope
    said = f"the dropout mask {step.mask} is not applied to d{term.out}, only its rescaling"
    yield said, dA * slope * step.rescale
    yield f"dropout is not rescaled: d{term.out} is to be divided by keep_prob", dA * slope * kept
    if step.rescale != 1:
        by = f"keep_prob = {keep:.4g}"
        through = dA * slope * D
        yield f"dropout: divided by 1 - keep_prob instead of {by}", through / (1 - keep)
        yield (
            f"dropout: multiplied by 1 - keep_prob instead of divided by {by}",
            through * (1 - keep),
        )
        said = f"dropout is rescaled twice: divided by {by} once too often"
        yield said, through * step.rescale**2
        yield f"dropout: multiplied by {by} instead of divided", through / step.rescale
        said = f"dropout: divided by the square root of {by} instead of by keep_prob"
        yield said, through * step.rescale**0.5
    said = f"dropout: the mask {step.mask} is inverted"
    yield said, dA * slope * (1 - kept) * step.rescale
    yield f"{said}, and not rescaled", dA * slope * (1 - kept)
    for name, other in scene.values.items():
        if name != step.mask and other.shape == D.shape and set(np.unique(other)) <= {0, 1}:
            said = f"the dropout mask {name} of another layer is applied instead of {step.mask}"
            yield said, dA * slope * other * step.rescale
