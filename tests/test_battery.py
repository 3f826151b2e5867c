"""check_vjp on the battery: no false alarm, no miss of what the report says it can see."""

import warnings
from collections import Counter

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.battery import Case, right, wrong
from tinygrad_dnn.report import CANNOT_TELL, KINK, RIGHT, WRONG


def verdict(case: Case) -> str:
    """Judge a case: right, wrong, cannot tell; or *below*, a mistake too small for its report."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = tg.check_vjp(case.f, case.vjp, *case.inputs)
    if case.mistake and report:
        j, size = case.mistake
        seen = float(report.rows[j].details["judged by"])
        return "below" if size < 4 * seen else RIGHT
    return RIGHT if report.verdict == KINK else report.verdict


@pytest.mark.parametrize("group", ["smooth", "scales", "noise", "float32", "kinks"])
def test_no_right_gradient_is_called_wrong(group):
    cases = list(right(7, [group]))[:: 8 if group == "scales" else 1]
    found = {case.name: verdict(case) for case in cases}
    bad = {name: v for name, v in found.items() if v != RIGHT}
    assert not bad


@pytest.mark.parametrize("group", ["smooth", "scales", "noise", "float32", "kinks"])
def test_no_wrong_gradient_is_missed(group):
    few = np.random.default_rng(8)
    cases = [m for case in right(8, [group]) for m in wrong(case, 8)]
    chosen = few.choice(len(cases), 24, replace=False)
    found = {cases[i].name: verdict(cases[i]) for i in chosen}
    counts = Counter(found.values())
    missed = [name for name, v in found.items() if v == RIGHT]
    assert not missed
    assert counts[WRONG] >= 20
    assert counts[CANNOT_TELL] <= 1
