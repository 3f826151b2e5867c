"""Forward mode against reverse mode: <u, J v> = <J'u, v>, exact to rounding, without any step."""

import numpy as np

from tinygrad_dnn.checking.numeric import EPS
from tinygrad_dnn.checking.probe import Probe, random_signs
from tinygrad_dnn.checking.rows import details
from tinygrad_dnn.checking.verdict import SEVERITY, Claim, judge
from tinygrad_dnn.errors import MissingRuleError
from tinygrad_dnn.report import CANNOT_TELL, KINK, RIGHT, WRONG, Row

NAME = "forward mode"


def forward_row(probe: Probe, reverse: str, rng: np.random.Generator) -> Row | str:
    """Return the row for forward mode, or why there is none.

    ``reverse`` is the verdict on reverse mode: where that is right the two must agree; where it is
    not, forward mode is compared with numeric slopes instead.
    """
    if probe.problem.push is None or probe.problem.pull is None:
        return ""
    along = [u * random_signs(u.shape, rng) for u in probe.units]
    try:
        tangent = probe.problem.push(probe.point, along)
    except MissingRuleError as missing:
        return f"forward mode was not checked: {missing}"
    if not all(np.all(np.isfinite(g)) for found in probe.claims.gradients for g in found):
        return "forward mode was not checked: the gradient is not finite"
    rows = []
    line = probe.line_along(along)
    for k, u in enumerate(probe.cotangents):
        terms = [np.ravel(g * d) for g, d in zip(probe.claims.gradients[k], along, strict=True)]
        ahead, back = float(u @ tangent), float(sum(np.sum(t) for t in terms))
        total = float(np.sum(np.absolute(u * tangent)) + sum(np.sum(np.absolute(t)) for t in terms))
        blurs = [np.sum(probe.claims.entries(k, j)[1]) for j in range(len(along))]
        size = float(np.linalg.norm(u * probe.base))
        relative = np.linalg.norm(u * probe.sigma) / size if size else EPS
        error = 32 * float(np.clip(relative, EPS, 1e-3)) * total + 4 * float(sum(blurs))
        error += 32 * EPS * probe.sizes[k]
        error += max(probe.claims.claim(k, j, 0.0, 0.0).single for j in range(len(along)))
        off = abs(ahead - back)
        verdict = RIGHT if off <= error else WRONG
        if reverse not in (RIGHT, KINK) or (reverse == KINK and verdict == WRONG):
            found = judge(line, k, Claim(ahead, error, abs(ahead), probe.sizes[k]))
            verdict, back, error, off = found.verdict, found.slope, found.error, found.difference
            verdict = KINK if found.sides else verdict
        size = max(abs(back), error, 1e-300)
        rows.append((verdict, off / size, ahead, back, error / size))
    verdict, off, ahead, back, by = max(rows, key=lambda row: (SEVERITY.index(row[0]), row[1]))
    note = {
        WRONG: "forward mode disagrees; look at the jvps of the rules",
        CANNOT_TELL: "rounding in f hides it",
    }.get(verdict, "")
    return Row(NAME, (), off, verdict, details("1 direction", "", ahead, back, by), note)
