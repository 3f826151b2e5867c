"""Regrouping: large products take another form, and give the same numbers to rounding."""

import ctypes
from types import SimpleNamespace

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.test_replay import plain, same, training
from tinygrad_dnn.replay import blas, regrouped


@pytest.fixture(autouse=True)
def kernels(monkeypatch):
    """Of a BLAS with kernels for small products, and one thread."""
    monkeypatch.setattr(regrouped, "has_small_kernels", lambda: True)
    monkeypatch.setattr(regrouped, "blas_threads", lambda: 1)


def called(step):
    return [call.fn for call in step.plan().calls]


def far(a, b):
    return np.max(np.abs(a - b)) / np.max(np.abs(a))


@pytest.mark.parametrize("dims", [[4800, 20, 1], [2400, 32, 16, 1], [600, 100, 1]], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_gradient_of_few_rows_is_computed_in_pieces(dims, dtype):
    net, _, step, X, Y = training(dims, 40, dtype)
    other, _, replayed, _, _ = training(dims, 40, dtype, plain)
    off = 1e-12 if dtype is np.float64 else 2e-5
    for _ in range(10):
        assert float(replayed(X, Y)) == pytest.approx(float(step(X, Y)), rel=off)
    for W, V in zip(net.parameters().values(), other.parameters().values(), strict=True):
        assert far(W.data, V.data) < off
    (product,) = [c for c in replayed.plan().calls if c.value.ndim == 3 and c.fn is np.matmul]
    turned = dims[1] == 20  # is no number of whole vectors
    pieces, rows, some = np.moveaxis(product.value, -1, -2 if turned else -1).shape
    assert rows == dims[1]
    assert pieces * some == dims[0]
    assert some * rows * 40 <= 1_000_000


def test_a_product_in_pieces_is_whole_for_whoever_reads_it():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((48, 60)), rng.standard_normal((700, 60))
    g = lambda a, b: ((c := np.matmul(a, b.T)), c.T, np.sum(c, axis=0), c[3:5, ::2])
    f = plain(g)
    for _ in range(2):
        for found, right in zip(f(a, b), g(a, b), strict=True):
            np.testing.assert_allclose(found, right, rtol=1e-11, atol=1e-11)
        b += 1
    assert np.matmul in called(f)


@pytest.mark.parametrize(("kernels_are_there", "threads"), [(False, 1), (True, 4)])
def test_products_stay_whole_where_that_is_quicker(monkeypatch, kernels_are_there, threads):
    monkeypatch.setattr(regrouped, "has_small_kernels", lambda: kernels_are_there)
    monkeypatch.setattr(regrouped, "blas_threads", lambda: threads)
    _, _, replayed, X, Y = training([600, 100, 1], 40, jit=plain)
    replayed(X, Y)
    assert not [c for c in replayed.plan().calls if c.value.ndim == 3]


@pytest.mark.parametrize(("core", "has"), [("SkylakeX", True), ("Haswell", False), (None, False)])
def test_what_is_known_of_blas(monkeypatch, core, has):
    named = {"openblas_get_corename": lambda: core.encode()} if core else {}
    monkeypatch.setattr(ctypes, "CDLL", lambda path: SimpleNamespace(**named))
    assert blas.has_small_kernels.__wrapped__() is has
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    assert blas.blas_threads() == 3


def test_the_learning_rate_scales_the_smaller_factor():
    net, descent, step, X, Y = training([400, 60, 1], 60)
    other, same_descent, replayed, _, _ = training([400, 60, 1], 60, jit=plain)
    for lr in (0.1, 0.05, 0.2):
        descent.lr = same_descent.lr = lr
        assert float(replayed(X, Y)) == pytest.approx(float(step(X, Y)), rel=1e-12)
    assert far(net.parameters()["W1"].data, other.parameters()["W1"].data) < 1e-12
    scaled = [c.value.shape for c in replayed.plan().calls if c.fn is np.multiply]
    assert (60, 60) in scaled
    assert (60, 400) not in scaled


@pytest.mark.parametrize("large", [True, False])
def test_rows_are_summed_by_the_product_of_which_they_are_a_factor(large):
    dims = [400, 60, 1] if large else [40, 60, 1]
    net, _, step, X, Y = training(dims, 60)
    other, _, replayed, _, _ = training(dims, 60, jit=plain)
    for _ in range(3):
        assert float(replayed(X, Y)) == pytest.approx(float(step(X, Y)), rel=1e-12)
    assert far(net.parameters()["b1"].data, other.parameters()["b1"].data) < 1e-12
    made = [c.fn for c in replayed.plan().calls if c.value.shape == (60, 1)]
    assert (np.matmul if large else np.add.reduce) in made


def test_a_product_that_is_returned_is_not_scaled_before():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((40, 50)), rng.standard_normal((50, 900))
    f = plain(lambda a, b: (c := np.matmul(a, b), 3.0 * c))
    for _ in range(2):
        c, multiple = f(a, b)
        assert same(c, a @ b)
        assert same(multiple, 3.0 * (a @ b))


@pytest.mark.parametrize("columns", [4999, 5000, 4998])
def test_few_rows_times_a_transpose(columns):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((12, 30)), rng.standard_normal((columns, 30))
    f = plain(lambda a, b: np.matmul(a, b.T))
    for _ in range(2):
        np.testing.assert_allclose(f(a, b), a @ b.T, rtol=1e-12, atol=1e-12)
        b += 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_maximum_and_minimum_with_a_number_keep_every_bit(dtype):
    x = np.array([-0.0, 0.0, 1, -1, np.nan, -np.nan, np.inf] * 20, dtype).reshape(4, 35)
    for c in (0.0, -0.0, 1.0):
        for fn in (np.maximum, np.minimum):
            f = plain(lambda x, fn=fn, c=c: [fn(x, dtype(c)), fn(np.asarray(c, dtype), x)])
            for _ in range(2):
                right, left = f(x)
                assert same(right, fn(x, dtype(c)))
                assert same(left, fn(dtype(c), x))


def test_the_rows_of_numbers_are_no_constants_of_the_users():
    step = tg.jit(lambda x: np.maximum(x, 0.0), native=False)
    step(np.ones((3, 4)))
    assert step.plan().constants == []
