"""Special functions: SciPy's names and values, SciPy only when one is called."""

import subprocess
import sys

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn import special
from tinygrad_dnn.rules.special import of_scipy

scipy = pytest.importorskip("scipy")
scipy.special = pytest.importorskip("scipy.special")

NAMES = sorted(n for n in vars(special) if n[0] != "_" and hasattr(scipy.special, n))


def test_there_are_many():
    assert len(NAMES) > 35


def test_scipy_is_imported_only_when_it_is_needed():
    code = (
        "import sys, numpy as np; from tinygrad_dnn import special;"
        "assert 'scipy' not in sys.modules;"
        "special.erf(np.array(1.0)); assert 'scipy' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_without_scipy_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    with pytest.raises(ImportError, match=r"special\.zeta is computed by SciPy.* pip install"):
        of_scipy("zeta")(2.0)


@pytest.mark.parametrize("name", NAMES)
def test_values_are_those_of_scipy(name):
    ours, theirs = getattr(special, name), getattr(scipy.special, name)
    x = np.array([0.2, 0.6, 0.9])
    orders = {"jv": (2,), "yv": (2,), "iv": (2,), "ive": (2,), "polygamma": (1,)}.get(name, ())
    both = name in ("beta", "betaln", "xlogy", "xlog1py", "rel_entr", "kl_div")
    args = (*orders, x, x[::-1]) if both else (*orders, x)
    np.testing.assert_allclose(ours(*args), theirs(*args), rtol=1e-14)
    recorded = ours(*orders, *map(tg.Tensor, args[len(orders) :]))
    np.testing.assert_allclose(recorded.data, theirs(*args), rtol=1e-14)


# ---- where formulas would lose their digits --------------------------------------------------
@pytest.mark.parametrize("x", [-1e4, -40.0, -5.0, 0.0, 5.0, 40.0])
def test_the_slope_of_log_ndtr_far_out(x):
    found = tg.func.grad(special.log_ndtr)(np.array(x))
    # phi(x) / Phi(x), by the scaled complementary error function
    expected = np.sqrt(2 / np.pi) / scipy.special.erfcx(-x / np.sqrt(2)) if x < 20 else 0.0
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-300)


def test_0_log_0_counts_as_0():
    for x, y, slopes in ((0.0, 0.0, (0, 0)), (0.0, 2.0, (np.log(2), 0)), (3.0, 1.0, (0, 3))):
        assert tg.func.grad(special.xlogy, (0, 1))(np.array(x), np.array(y)) == slopes


def test_bessel_functions_are_smooth_at_0():
    zero = np.array(0.0)
    assert tg.func.grad(special.i1)(zero) == 0.5
    assert tg.func.grad(tg.func.grad(special.i0))(zero) == 0.5
    assert tg.func.grad(tg.func.grad(special.j0))(zero) == -0.5


def test_third_derivatives():
    x = np.array(0.7)
    third = tg.func.grad(tg.func.grad(tg.func.grad(special.erf)))(x)
    np.testing.assert_allclose(third, 2 / np.sqrt(np.pi) * np.exp(-0.49) * (4 * 0.49 - 2))
    fourth = tg.func.grad(tg.func.grad(tg.func.grad(tg.func.grad(special.gammaln))))(x)
    np.testing.assert_allclose(fourth, scipy.special.polygamma(3, 0.7), rtol=1e-12)


# ---- SciPy's own names -----------------------------------------------------------------------
@pytest.mark.parametrize(
    "name", ["erf", "expit", "gammaln", "psi", "ndtri", "j0", "entr", "xlogy", "kl_div", "betaln"]
)
def test_a_ufunc_of_scipy_is_recorded_as_ours(name):
    x, y = np.array([0.3, 0.6]), np.array([1.5, 2.5])
    theirs, ours = getattr(scipy.special, name), getattr(special, name)
    args = (x, y)[: theirs.nin]
    found = tg.func.jacobian(theirs)(*args)
    np.testing.assert_array_equal(found, tg.func.jacobian(ours)(*args))


def test_a_ufunc_of_scipy_that_is_not_known():
    with pytest.raises(NotImplementedError, match="no derivative rule for ellipk; register one"):
        scipy.special.ellipk(tg.Tensor([0.5]))
