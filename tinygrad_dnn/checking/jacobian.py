"""One entry of the Jacobian: what a user can recompute, where many outputs were judged at once."""

from typing import NamedTuple

import numpy as np

from tinygrad_dnn.checking.arrays import place
from tinygrad_dnn.checking.claims import one_hot
from tinygrad_dnn.checking.probe import Probe
from tinygrad_dnn.primitives import Array


class Slope(NamedTuple):
    """A claimed and a measured slope, and where; at a kink, those to the left and to the right."""

    at: str
    claimed: float
    numeric: float
    sides: tuple[float, float] | None = None


def worst_output(probe: Probe, j: int, i: int, *, wrong: bool) -> Slope | None:
    """Return the derivative of one output by entry ``i`` of argument ``j``.

    Of the output whose claim is most wrong, found by halving; else of that with the largest slope.
    """
    column = probe.entry(j, i).column() / probe.units[j].flat[i]
    if not np.all(np.isfinite(column)):
        return None
    k = _most_wrong(probe, j, i, column) if wrong else int(np.argmax(np.absolute(column)))
    claimed = _claimed(probe, j, i, one_hot(column.size, k))
    at = f"{place(k, probe.shape)} by {place(i, probe.point[j].shape)}"
    return Slope(at, claimed, float(column[k]))


def kinked_output(probe: Probe, j: int, i: int) -> Slope:
    """Return the derivative, by entry ``i``, of the output whose two slopes differ most."""
    unit = float(probe.units[j].flat[i])
    left, right = (side / unit for side in probe.entry(j, i).sides())
    k = int(np.argmax(np.absolute(right - left)))
    claimed = _claimed(probe, j, i, one_hot(left.size, k))
    at = f"{place(k, probe.shape)} by {place(i, probe.point[j].shape)}"
    return Slope(at, claimed, claimed, (float(left[k]), float(right[k])))


def _claimed(probe: Probe, j: int, i: int, u: Array) -> float:
    """Return what is claimed of the outputs weighted by ``u``."""
    pull, push = probe.problem.pull, probe.problem.push
    if pull:
        return float(np.asarray(pull(probe.point, u)[j]).flat[i])
    assert push is not None
    tangents = [np.zeros(x.shape) for x in probe.point]
    tangents[j].flat[i] = 1.0
    return float(u @ np.ravel(push(probe.point, tangents)))


def _most_wrong(probe: Probe, j: int, i: int, column: Array) -> int:
    weights = np.max(np.absolute(probe.cotangents), axis=0)
    signs = np.sign(np.sum(probe.cotangents, axis=0)) + 0.5
    among = np.arange(column.size)
    while among.size > 1:
        halves = []
        for half in np.array_split(among, 2):
            u = np.zeros(column.size)
            u[half] = (weights * signs)[half]
            halves.append((abs(_claimed(probe, j, i, u) - float(u @ column)), half))
        among = max(halves, key=lambda found: found[0])[1]
    return int(among[0])
