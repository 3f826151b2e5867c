"""Every identity that explanations are simplified by is one: both sides give the same numbers."""

from fractions import Fraction

import numpy as np
import pytest

from tinygrad_dnn.visualize.equations.factor import Factor, factor_of
from tinygrad_dnn.visualize.equations.identities import IDENTITIES, Factors, Variable
from tinygrad_dnn.visualize.equations.term import ONE, SCALE


def parts(form):
    yield form
    for part in form.args:
        if not isinstance(part, Factors):
            yield from parts(part)


def computed(form, values, factors):
    """What a pattern comes to, its variables and factors being numbers."""
    if isinstance(form, Variable):
        return values[form]
    if form.fn == ONE:
        return 1.0
    if form.fn == SCALE:
        return float(form.args[0].value(factors).value) * computed(form.args[1], values, factors)
    args = [computed(part, values, factors) for part in form.args]
    if form.fn is np.sum:
        return np.sum(args[0], axis=1, keepdims=True)
    return form.fn(*args)


class AnyFactor(dict):
    """Factors, drawn when they are first asked for."""

    def __missing__(self, key):
        self[key] = Factor(Fraction(3 + len(self), 7))
        return self[key]


@pytest.mark.parametrize("place", range(len(IDENTITIES)))
def test_an_identity_is_one(place):
    left, right = IDENTITIES[place]
    rng = np.random.default_rng(place)
    vectors = any(form.fn is np.outer for form in parts(left))
    variables = [form for form in parts(left) if isinstance(form, Variable)]
    values = {v: rng.uniform(0.5, 2, 3 if vectors else (3, 3)) for v in variables}
    factors = AnyFactor()
    a, b = computed(left, values, factors), computed(right, values, factors)
    np.testing.assert_allclose(np.asarray(a, float), np.asarray(b, float), rtol=1e-13)


def test_numbers_are_read_exactly():
    assert factor_of(0.1).value == Fraction(1, 10)
    assert factor_of(np.float32(0.1)).value == Fraction(1, 10)
    assert factor_of(1 / 24).value == Fraction(1, 24)
    assert factor_of(True).value == 1
    for number in (np.inf, np.nan, -0.0, "1", None, 1j):
        assert factor_of(number) is None
    for number in (np.pi, 1e-300, 1e300, 2 / 3 + 1e-15):
        assert float(factor_of(number).value) == number
