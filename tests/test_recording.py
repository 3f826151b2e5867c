"""What arrives at ``record``: arguments by keyword, odd edges of reductions, names."""

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn.recording import name_of
from tinygrad_dnn.rules.quantiles import METHODS


def gradient(f, *xs):
    return [c.tolist() for c in tg.func.grad(lambda *xs: np.sum(f(*xs)), tuple(range(len(xs))))(
        *map(np.asarray, xs))]  # fmt: skip


# ---- names -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fn", "name"),
    [
        (np.tanh, "np.tanh"),
        (np.sum, "np.sum"),
        (np.linalg.inv, "np.linalg.inv"),
        (np.fft.fft, "np.fft.fft"),
        (np.add.reduce, "np.add.reduce"),
        (np.lib.stride_tricks.sliding_window_view, "np.lib.stride_tricks.sliding_window_view"),
        (tg.nn.relu, "relu"),
    ],
)
def test_a_function_is_called_as_its_user_writes_it(fn, name):
    assert name_of(fn) == name


# ---- zeros in products -----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ([2.0, 3.0, 4.0], [12, 8, 6]),
        ([0.0, 3.0, 4.0], [12, 0, 0]),
        ([0.0, 3.0, 0.0], [0, 0, 0]),
        ([0.0, 0.0, 0.0], [0, 0, 0]),
        ([5.0], [1]),
        ([0.0], [1]),
    ],
)
def test_the_product_of_the_others(x, expected):
    assert gradient(np.prod, x) == [expected]


def test_the_hessian_of_a_product_with_two_zeros():
    hessian = tg.func.hessian(np.prod)(np.array([0.0, 3.0, 0.0]))
    assert hessian.tolist() == [[0, 0, 3], [0, 0, 0], [3, 0, 0]]


def test_a_running_product_through_a_zero():
    jacobian = tg.func.jacobian(np.cumprod)(np.array([2.0, 0.0, 3.0, 4.0]))
    assert jacobian.tolist() == [[1, 0, 0, 0], [0, 2, 0, 0], [0, 6, 0, 0], [0, 24, 0, 0]]


# ---- ties and corners ------------------------------------------------------------------------
@pytest.mark.parametrize("fn", [np.maximum, np.minimum, np.fmax, np.fmin])
def test_two_that_tie_share_equally(fn):
    assert gradient(fn, [1.0], [1.0]) == [[0.5], [0.5]]


@pytest.mark.parametrize("fn", [np.max, np.min, np.amax, np.amin, np.nanmax, np.nanmin])
def test_all_that_tie_share_equally(fn):
    assert gradient(fn, [2.0, 2.0, 2.0, 2.0]) == [[0.25] * 4]


def test_a_sort_gives_ties_in_their_order():
    jacobian = tg.func.jacobian(np.sort)(np.array([2.0, 1.0, 2.0]))
    assert jacobian.tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 1]]


def test_the_sum_of_a_median_s_shares_is_one():
    for x in ([1.0, 1.0, 1.0], [1.0, 2.0, 2.0, 3.0], [2.0, 2.0]):
        assert sum(gradient(np.median, x)[0]) == 1


def test_an_initial_value_that_wins_takes_the_derivative():
    assert gradient(lambda x: np.max(x, initial=5.0), [1.0, 2.0]) == [[0, 0]]


@pytest.mark.parametrize(
    ("fn", "x", "slope"),
    [
        (np.hypot, (0.0, 0.0), [0, 0]),
        (np.fabs, (0.0,), [0]),
        (np.sinc, (0.0,), [0]),
        (np.copysign, (0.0, 1.0), [0, 0]),
        (np.logaddexp, (-np.inf, -np.inf), [0, 0]),
        (np.logaddexp, (-np.inf, 1.0), [0, 1]),
        (np.logaddexp, (1e4, -1e4), [1, 0]),
        (np.fmax, (np.nan, 1.0), [0, 1]),
        (np.nan_to_num, (np.nan,), [0]),
        (np.remainder, (-1.0, 3.0), [1, 1]),
        (np.fmod, (-7.0, 3.0), [1, 2]),
    ],
)
def test_slopes_at_points_of_note(fn, x, slope):
    assert gradient(fn, *x) == slope


def test_curvature_of_sinc_at_0():
    found = tg.func.grad(tg.func.grad(np.sinc))(np.array(0.0))
    np.testing.assert_allclose(found, -(np.pi**2) / 3, rtol=1e-14)


def test_edges_of_domains_are_honest():
    with np.errstate(all="ignore"):
        assert gradient(np.sqrt, 0.0) == [np.inf]
        assert gradient(np.cbrt, 0.0) == [np.inf]
        assert gradient(np.arcsin, 1.0) == [np.inf]


@pytest.mark.filterwarnings("ignore:Degrees of freedom|invalid value|divide by zero")
def test_the_spread_of_one_entry_with_ddof_1_is_not_a_number():
    assert np.isnan(gradient(lambda x: np.std(x, ddof=1), [3.0])[0][0])


@pytest.mark.parametrize("options", [{}, {"axis": 0}, {"ddof": 1}, {"where": np.arange(3) < 2}])
@pytest.mark.parametrize("fn", [np.std, np.nanstd, np.linalg.norm])
def test_a_standard_deviation_and_a_norm_are_flat_at_0(fn, options):
    if fn is np.linalg.norm:
        x, options = np.zeros(3), {"ord": options.get("axis")}
    else:
        x = np.full(3, 2.0)
    f = lambda x: fn(x, **options)
    assert f(x) == 0
    assert tg.func.grad(f)(x).tolist() == [0, 0, 0]
    assert tg.func.jvp(f, [x], [np.arange(3.0)])[1] == 0
    assert not tg.func.hessian(f)(x).any()
    assert not tg.func.hvp(f, x, np.arange(3.0)).any()
    t = tg.Tensor(x)
    (first,) = tg.grad(f(t), [t], create_graph=True)
    assert not tg.grad(np.sum(first * [1.0, 2.0, 3.0]), t).any()


def test_of_several_deviations_only_those_of_equal_entries_are_flat():
    x = np.array([[2.0, 2.0], [1.0, 3.0]])
    found = tg.func.grad(lambda x: np.sum(np.std(x, axis=1)))(x)
    assert found.tolist() == [[0, 0], [-0.5, 0.5]]


# ---- nothing to reduce -----------------------------------------------------------------------
@pytest.mark.parametrize("fn", [np.sum, np.prod, np.cumsum, np.cumprod, np.sort, np.nansum])
def test_an_empty_array_has_an_empty_gradient(fn):
    x = np.zeros((0, 3))
    assert tg.func.grad(lambda x: np.sum(fn(x)))(x).shape == (0, 3)


@pytest.mark.parametrize(
    "f",
    [
        np.cov,
        np.corrcoef,
        lambda x: np.quantile(x, [0.2, 0.4]),
        lambda x: np.percentile(x, [20, 40], axis=1),
        lambda x: np.geomspace(x[0], x[1], 4),
    ],
)
def test_what_numpy_widens_stays_float32(f):
    data = np.array([[1.0, 3.0, 2.0], [2.0, 0.5, 4.0]], np.float32)
    value = f(tg.Tensor(data))
    assert f(data).dtype == np.float64
    assert value.dtype == np.float32
    np.testing.assert_allclose(value.data, f(data), rtol=1e-5)
    assert f(tg.Tensor(data.astype(np.float64))).dtype == np.float64


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("fn", [np.quantile, np.nanquantile])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 8])
def test_quantiles_are_those_of_numpy_where_they_jump_too(fn, method, n):
    x, q = np.sort(np.random.default_rng(n).normal(size=n)), np.linspace(0, 1, 17)
    np.testing.assert_allclose(
        fn(tg.Tensor(x), q, method=method).data, fn(x, q, method=method), rtol=1e-13, atol=1e-15
    )


def test_an_array_is_clipped_between_tensors_by_its_method_too():
    low, a = tg.Tensor([0.0, 2.0]), np.array([1.0, 1.0])
    assert a.clip(low, 3).data.tolist() == [1, 2]
    assert tg.grad(np.sum(a.clip(low, 3) ** 2), low).tolist() == [0, 4]


def test_what_is_infinite_does_no_harm_to_a_median_of_the_rest():
    x = tg.Tensor([np.inf, 1.0, 2.0, -np.inf, np.inf])
    assert np.median(x).item() == 2
    assert tg.grad(np.median(x), x).tolist() == [0, 0, 1, 0, 0]
    assert np.median(tg.Tensor([1.0, np.inf])).item() == np.inf


def test_a_nan_in_the_way_of_a_median_is_its_value():
    assert np.isnan(np.median(tg.Tensor([1.0, np.nan, 2.0])).item())
    assert np.isnan(np.nanmax(tg.Tensor([np.nan])).item())


# ---- methods ---------------------------------------------------------------------------------
X = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]])


@pytest.mark.parametrize(
    ("name", "args", "options"),
    [
        ("sum", (1,), {"keepdims": True}),
        ("prod", (0,), {}),
        ("var", (), {"axis": 1, "ddof": 1}),
        ("std", (0,), {"keepdims": True}),
        ("cumsum", (1,), {}),
        ("cumprod", (0,), {}),
        ("argmax", (1,), {}),
        ("argmin", (), {}),
        ("argsort", (0,), {}),
        ("round", (1,), {}),
        ("conj", (), {}),
        ("conjugate", (), {}),
        ("repeat", (2, 1), {}),
        ("take", ([2, 0],), {"axis": 1}),
        ("trace", (), {}),
        ("diagonal", (1,), {}),
        ("all", (), {"axis": 0}),
        ("any", (), {"axis": 0}),
        ("sum", (), {"dtype": np.float32, "where": X > 0}),
        ("max", (), {"initial": 9.0}),
        ("mean", (0,), {"where": X > 0}),
        ("argmax", (), {"axis": 0, "keepdims": True}),
        ("copy", (), {}),
        ("flatten", ("F",), {}),
        ("compress", ([True, False],), {"axis": 0}),
        ("item", (2,), {}),
        ("tolist", (), {}),
    ],
)
def test_a_method_is_the_function_of_that_name(name, args, options):
    found = getattr(tg.Tensor(X), name)(*args, **options)
    found = found.data if isinstance(found, tg.Tensor) else found
    np.testing.assert_array_equal(found, getattr(X, name)(*args, **options))


def test_methods_of_places():
    x = tg.Tensor([0.5, -1.0, 2.0])
    assert x.nonzero()[0].data.tolist() == [0, 1, 2]
    assert np.sort(x).searchsorted(0.7).item() == 2
    whole, rest = divmod(x, 0.75)
    assert (whole.data.tolist(), rest.data.tolist()) == ([0, -2, 2], [0.5, 0.5, 0.5])
    assert divmod(2.0, x)[0].data.tolist() == [4, -2, 1]


def test_the_parts_of_a_complex_tensor():
    z = tg.Tensor(X + 2j)
    assert z.real.data.tolist() == X.tolist()
    assert z.imag.data.tolist() == [[2, 2, 2], [2, 2, 2]]
