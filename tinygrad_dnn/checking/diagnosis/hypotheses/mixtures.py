"""What goes wrong at gates, scales and weights, and at what was joined.

dT = dS * H, through S = T * H + (1 - T) * X;  dA = dC[:n], through C = np.concatenate([A, B]).
"""

from dataclasses import replace

import numpy as np

from tinygrad_dnn.checking.diagnosis.hypotheses.words import Wrong
from tinygrad_dnn.checking.diagnosis.terms import Scene, Share, Through


def other_factor(term: Share, scene: Scene) -> Wrong:
    """A factor is forgotten, or another value stands in its place: T, where 1 - T belongs."""
    factors = [factor.value(scene.values) for factor in term.others]
    for i, factor in enumerate(term.others):
        rest = factors[:i] + factors[i + 1 :]
        yield f"the factor {factor} is missing", term.times(scene, rest)
        for other in (
            replace(factor, shift=0.0, scale=1.0),
            replace(factor, shift=1.0, scale=-1.0),
        ):
            if other != factor:
                said = f"the factor {other} stands where {factor} belongs"
                yield said, term.times(scene, [*rest, other.value(scene.values)])
        for name, value in scene.values.items():
            if name != factor.name and value.shape == factors[i].shape:
                said = f"the factor {name} stands where {factor} belongs"
                yield said, term.times(scene, [*rest, value])
    of = scene.values[term.of]
    if of.shape == scene.d[term.out].shape and np.any(of):
        said = f"the factor {term.of} is there and does not belong"
        yield said, term.times(scene, [*factors, of])


def other_part(term: Through, scene: Scene) -> Wrong:
    """Another part of the incoming gradient than the one that this value became."""
    g, shape = scene.d[term.out], scene.values[term.of].shape
    joined = term.step.function == "concatenate" and len(shape) == g.ndim == 2
    for axis in (0, 1) if joined else ():
        n, index = shape[axis], ":, " * axis
        if shape[1 - axis] != g.shape[1 - axis] or n >= g.shape[axis]:
            continue
        for i in range(g.shape[axis] - n + 1):
            part = g[:, i : i + n] if axis else g[i : i + n]
            yield f"another part, d{term.out}[{index}{i}:{i + n}], is taken of d{term.out}", part
