"""Whether a function can be checked at a point at all, and what else is worth saying about it."""

import numpy as np

from tinygrad_dnn.checking.probe import Probe
from tinygrad_dnn.report import relative_error

COARSE = 1e-12  # relative rounding of f's values that deserves a word
DEVIATION = 1e-3  # of a float32 gradient, that does


def unfit(probe: Probe) -> str:
    """Say why nothing can be told about this function at this point, or return ''."""
    first, second = probe.base, probe.again()
    if not np.all(np.isfinite(first)):
        bad = first[~np.isfinite(first)][0]
        return f"the function is {bad} at these inputs; choose others, where it is finite"
    off = float(np.max(np.absolute(first - second), initial=0.0))
    if off > 1e-6 * float(np.max(np.absolute(first), initial=0.0)):
        return (
            f"the function is not deterministic: two calls at the same inputs differ by {off:.2g}, "
            f"with every generator that can be found put back; is one made anew without a seed, or "
            f"does it read the time, the order of a set? reset=, a function, is called before each"
        )
    return ""


def remarks(probe: Probe) -> list[str]:
    """Return what is worth saying about the function, its inputs and its gradient."""
    said = []
    names = zip(probe.problem.names, probe.point, strict=True)
    empty = [f"{name} {x.shape}" for name, x in names if not x.size]
    if empty:
        said.append(f"nothing to check in what is empty: {', '.join(empty)}")
    if probe.undefined:
        error = probe.undefined[0]
        said.append(
            f"at {len(probe.undefined):,} of the points close by {probe.problem.function} raises "
            f"{type(error).__name__}: {error}; they were left out"
        )
    if probe.base.size > 1:
        said.append(
            f"judged by random weightings of the {probe.base.size:,} outputs; value and numeric "
            f"are of one output (first index) by one entry"
        )
    size = float(np.max(np.absolute(probe.base), initial=0.0))
    noise = float(np.max(probe.sigma, initial=0.0)) / size if size else 0.0
    if noise > COARSE:
        inside = " (float32 inside?)" if 1e-9 < noise < 1e-6 else ""
        inside = " (float16 inside?)" if 1e-5 < noise < 1e-2 else inside
        said.append(f"the function's values are rounded, to {noise:.0e} of the largest{inside}")
    return said + _alike(probe) + _in_own_precision(probe)


def _alike(probe: Probe) -> list[str]:
    """Warn of inputs so symmetric that mistakes may not show."""
    numbers = np.concatenate([x.ravel() for x in probe.point] or [np.zeros(0)])
    if numbers.size < 4:
        return []
    values, counts = np.unique(numbers, return_counts=True)
    most = int(np.argmax(counts))
    if counts[most] <= numbers.size / 2:
        return []
    return [
        f"{counts[most]:,} of the {numbers.size:,} inputs are {values[most]:g}: what is right "
        f"there may be wrong elsewhere; points=3 checks random points around"
    ]


def _in_own_precision(probe: Probe) -> list[str]:
    """Compare the gradient computed in the inputs' own precision with that in float64."""
    given, pull = probe.problem.given, probe.problem.pull
    if given is None or pull is None or all(x.dtype == np.float64 for x in given):
        return []
    said = []
    u = probe.cotangents[0]
    names = zip(probe.problem.names, given, pull(given, u), probe.claims.gradients[0], strict=True)
    for name, x, g, exact in names:
        if x.dtype == np.float64:
            continue
        off = relative_error(np.asarray(g, np.float64), np.asarray(exact))
        usual = off <= max(DEVIATION, 64 * float(np.finfo(x.dtype).eps))
        word = "deviates" if usual else "DEVIATES"
        said.append(f"in {x.dtype} the gradient of {name} {word} by {off:.0e} of its largest entry")
    return said
