"""Judging one claimed slope: right, wrong, kink, or cannot tell.

The claim is compared with the measured slope, and the difference with the measured error: there is
no tolerance.  Most claims are settled by one small step to either side, since agreement of two
independent numbers to within rounding is evidence; the rest get a ladder of steps.
"""

from dataclasses import dataclass, replace

import numpy as np

from tinygrad_dnn.checking.estimate import LADDER, Estimate, estimate
from tinygrad_dnn.checking.numeric import EPS, SURE, Line, differing
from tinygrad_dnn.report import CANNOT_TELL, KINK, RIGHT, WRONG

FIRST, SECOND = -17, -11  # exponents of the step that settles most, and of the one beside it
CLOSE = 1e-7  # relative: a difference so small is no mistake in a formula, but is mentioned
NEARLY = "differs by more than rounding, but little: an epsilon, an approximation, float32?"
STAIRS = 2.0**-14  # smaller steps, relative to f, are rounding
COARSE = 2.0**-7  # larger ones are meant; those between, as of float16, only if f is decimal
DECIMALS = 6
TRUST = 5.0  # an error estimate is an estimate too: right slopes were seen to miss it 2.8-fold
TINY = 1e-3  # relative: of gradients smaller than f's rounding, so much may be the claim's own
BELOW = "it differs, but is smaller than the rounding of f"
SATURATED = "rounding has made f's value another: is it log(1 - A) of an A that is next to 1?"
FLAT = "f changes in steps, and is flat between them"
PIECEWISE = (
    "f is piecewise constant at this scale: it is flat here and jumps by {:.3g} close by (a round, "
    "a count, a comparison?); check it without that"
)
SEVERITY = (RIGHT, KINK, CANNOT_TELL, WRONG)


@dataclass(frozen=True)
class Judgement:
    """A verdict on a claimed slope, what was measured, by what error it was judged, and why."""

    verdict: str
    claimed: float
    slope: float
    error: float
    reason: str = ""
    sides: tuple[float, float] | None = None  # at a kink, the slopes to the left and to the right
    stepwise: bool = False  # f is constant here, and jumps close by

    @property
    def difference(self) -> float:
        """|claimed - measured|, infinite if either is no number."""
        off = abs(self.claimed - self.slope)
        return 0.0 if self.claimed == self.slope else off if off == off else np.inf


@dataclass(frozen=True)
class Claim:
    """A slope somebody computed, for one cotangent.

    ``rounding`` is the measured rounding error of the claim itself, ``gauge`` the largest claim
    made about the same argument, ``size`` that of the function's values: they say what is small.
    ``single`` is the rounding of float32, if the claims are float32 numbers; ``floor`` the part of
    ``rounding`` that is of f's own: what cancels to 0 is left with that.
    """

    slope: float
    rounding: float
    gauge: float
    size: float
    single: float = 0.0
    floor: float = 0.0

    @property
    def close(self) -> float:
        """A difference that is no mistake in a formula."""
        return max(CLOSE * max(abs(self.slope), self.gauge / 100), self.single)


def judge(line: Line, k: int, claim: Claim) -> Judgement:
    """Return the verdict on a claim about the slope of ``line`` for cotangent ``k``."""
    found = glance(line, k, claim) or examine(line, k, claim)
    saturated = found.verdict == WRONG and claim.floor > 8 * EPS * claim.size
    return replace(found, verdict=CANNOT_TELL, reason=SATURATED) if saturated else found


def glance(line: Line, k: int, claim: Claim) -> Judgement | None:
    """Return *right* if one step (two, where f bends or stands still) settles it, else None."""
    if not np.isfinite(claim.slope):
        return None
    if line.analytic and (slopes := line.complex_slopes) is not None:
        slope = float(slopes[k])
        agrees = abs(slope - claim.slope) <= exactness(line, claim)
        return _by_complex_step(line, k, slope, exactness(line, claim), claim) if agrees else None
    step = line.step(FIRST)
    right, left, noise = float(step.right[k]), float(step.left[k]), float(step.noise[k])
    error = SURE * noise + claim.rounding
    slope = (right + left) / 2
    if not abs(slope - claim.slope) <= error:
        return None
    if error > max(1e-7 * abs(claim.slope), 1e-8 * claim.gauge) and error:
        return _glance_wider(line, k, claim)
    gap = abs(right - left)
    bent = gap > 2 * SURE * noise and gap > 2.0**-11 * abs(slope)
    if bent or not (right or left):
        wide = line.step(SECOND)
        if bent and not abs(wide.right[k] - wide.left[k]) > 8 * gap:
            return None
        if not bent and (wide.right[k] or wide.left[k]):
            return None
    return Judgement(RIGHT, claim.slope, slope, error)


def exactness(line: Line, claim: Claim) -> float:
    """Return the error of a complex step, which is rounding only, with that of the claim."""
    return claim.rounding + 16 * line.relative * abs(claim.slope)


def _glance_wider(line: Line, k: int, claim: Claim) -> Judgement | None:
    """Return *right* if two larger steps, where rounding weighs less, agree with the claim."""
    near, far, first = line.step(SECOND), line.step(SECOND + 2), line.step(FIRST)
    slope = (16 * float(near.slope[k]) - float(far.slope[k])) / 15
    error = 1.5 * SURE * float(near.noise[k]) + claim.rounding
    kinked = abs(near.right[k] - near.left[k]) < 8 * abs(first.right[k] - first.left[k])
    visible = abs(near.right[k] - near.left[k]) > 2 * SURE * near.noise[k]
    if not abs(slope - claim.slope) <= error or (kinked and visible):
        return None
    if error > max(1e-7 * abs(claim.slope), 1e-8 * claim.gauge):
        return None
    return Judgement(RIGHT, claim.slope, slope, error)


def examine(line: Line, k: int, claim: Claim) -> Judgement:
    """Return the verdict from a ladder of steps, made longer as long as it does not settle it."""
    if exact := _exactly(line, k, claim):
        return exact
    exponents = list(LADDER)
    judgement = _verdict(estimate(line.ladder(exponents), k), claim)
    finer = range(-31, min(line.finest, -37) - 1, -2)
    for more in (finer, range(-3, 4, 2), range(5, 28, 2)):
        sharp = judgement.error <= 1e-6 * max(abs(claim.slope), claim.gauge / 100)
        settled = judgement.verdict == RIGHT and sharp
        if settled or (judgement.verdict == KINK and more is not finer):
            break
        exponents += more
        judgement = _verdict(estimate(line.ladder(exponents), k), claim)
    if line.analytic and (slopes := line.complex_slopes) is not None:
        return _sharpened(judgement, line, k, float(slopes[k]), claim)
    return _of_stairs(judgement, line, k, claim)


def _exactly(line: Line, k: int, claim: Claim) -> Judgement | None:
    """Return the verdict by complex steps: of a kink, or where kinks blur real differences."""
    if not (line.analytic and np.isfinite(claim.slope)) or line.complex_sides is None:
        return None
    left, right = (float(side[k]) for side in line.complex_sides)
    if differing(left, right):
        size = 16 * line.relative * max(abs(left), abs(right))
        return _verdict(Estimate((left + right) / 2, size, right, left, kink=True), claim)
    exact = TRUST * exactness(line, claim)
    return _by_complex_step(line, k, right, exact, claim) if line.kinked else None


def _sharpened(judgement: Judgement, line: Line, k: int, slope: float, claim: Claim) -> Judgement:
    """Let the complex step decide where real differences are too blurred to."""
    if not np.isfinite(claim.slope):
        return judgement
    error = TRUST * exactness(line, claim)
    blurred = judgement.error > 1e-7 * max(abs(claim.slope), claim.gauge / 100)
    if judgement.verdict in (RIGHT, CANNOT_TELL) and blurred:
        return _by_complex_step(line, k, slope, error, claim)
    if judgement.verdict == WRONG and abs(slope - judgement.slope) <= judgement.error:
        return replace(judgement, slope=slope, error=error)
    return judgement


def _by_complex_step(line: Line, k: int, slope: float, error: float, claim: Claim) -> Judgement:
    """Return the verdict by a slope that is exact; it is seen below f's own rounding, too."""
    off = abs(slope - claim.slope)
    if off <= error:
        small = off > TINY * max(abs(slope), claim.gauge) and claim.floor > off
        if small and (shaky := line.shaky(k)) is not None and off > shaky:
            return Judgement(CANNOT_TELL, claim.slope, slope, error, BELOW)
        if error > max(1e-2 * max(abs(slope), claim.gauge), 1e-6 * claim.size):
            return Judgement(CANNOT_TELL, claim.slope, slope, error, "rounding in f hides it")
        return Judgement(RIGHT, claim.slope, slope, error)
    close = off <= claim.close
    return Judgement(RIGHT if close else WRONG, claim.slope, slope, error, NEARLY * close)


def _of_stairs(judgement: Judgement, line: Line, k: int, claim: Claim) -> Judgement:
    """Accept a zero gradient of a function that changes in coarse steps only, as rounding does.

    Of any other gradient of a cost nothing can be told: it may be that of what was rounded.
    """
    if judgement.verdict in (RIGHT, KINK) or line.first_change() <= FIRST:
        return judgement
    if claim.gauge:
        jump = abs(float(line.cotangents[k] @ line.jump_ahead()))
        rounded = line.base.size == 1 or jump < COARSE * claim.size
        if not np.isfinite(claim.slope) or not rounded or jump < STAIRS * claim.size:
            return judgement
        why = PIECEWISE.format(jump)
        return replace(judgement, verdict=CANNOT_TELL, reason=why, stepwise=True)
    height = float(line.step(FIRST).noise[k]) * 2.0**FIRST
    if height < STAIRS * claim.size:
        return judgement
    if height < COARSE * claim.size and not _decimal(line):
        why = "f changes in small steps, flat between them: rounding (float16 inside?), or meant"
        return replace(judgement, verdict=CANNOT_TELL, reason=why)
    return Judgement(RIGHT, claim.slope, 0.0, 0.0, FLAT, stepwise=True)


def _decimal(line: Line) -> bool:
    """Say if f's values have few decimals, and so have been rounded on purpose."""
    values = np.concatenate([line.base, *(line.f(t).real for t in (-0.25, -0.125, 0.125, 0.25))])
    values = values[np.isfinite(values)]
    off = np.absolute(values - np.round(values, DECIMALS))
    return bool(np.all(off <= 4 * EPS * np.absolute(values)))


def _verdict(found: Estimate, claim: Claim) -> Judgement:
    def verdict(which: str, reason: str = "", slope: float = found.slope) -> Judgement:
        return Judgement(which, claim.slope, slope, error, reason, sides)

    sides = (found.left, found.right) if found.kink else None
    error = TRUST * found.error + claim.rounding
    if np.isnan(claim.slope):
        return verdict(WRONG, "the gradient is nan")
    if found.kink:
        low, high = sorted((found.left, found.right))
        inside = low - error <= claim.slope <= high + error
        nearest = min(max(claim.slope, low), high)
        why = f"f jumps by {found.jump:.3g} there" if found.jump else ""
        return verdict(KINK if inside else WRONG, why, claim.slope if inside else nearest)
    if found.infinite or np.isinf(claim.slope):
        same = found.infinite and found.slope == claim.slope
        return verdict(
            RIGHT if same else WRONG, "" if same else f"the slope is {found.slope:.6g} there"
        )
    if not np.isfinite(error):
        return verdict(CANNOT_TELL, "f is not finite close to this input")
    off = abs(claim.slope - found.slope)
    if off > error:
        return verdict(RIGHT, NEARLY) if off <= claim.close else verdict(WRONG)
    entry = max(abs(claim.slope), abs(found.slope))
    nothing = claim.gauge <= 1e-12 * claim.size and error <= 1e-6 * claim.size
    if nothing or error <= 1e-2 * max(entry, claim.gauge):
        return verdict(RIGHT)
    return verdict(CANNOT_TELL, "rounding in f hides it")
