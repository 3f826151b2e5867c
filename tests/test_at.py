"""Functional updates: values against NumPy's own assignment, gradients against differences."""

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn.at import at
from tinygrad_dnn.errors import DimensionError

rng = np.random.default_rng(0)
X = rng.normal(size=(3, 4))

INDICES = {
    "a number": 1,
    "a slice": slice(0, 2),
    "a backward slice": (slice(None), slice(None, None, -2)),
    "an entry": (1, -1),
    "everything": ...,
    "newaxis": (None, 0),
    "places": np.array([2, 0]),
    "a list": [0, 2],
    "an empty list": [],
    "pairs": (np.array([0, 1]), np.array([3, 3])),
    "a mask": X > 0,
    "a mask of rows": np.array([True, False, True]),
}
REPEATED = {
    "a place twice": np.array([1, 1, 0]),
    "pairs twice": (np.array([0, 2, 0]), np.array([1, 1, 1])),
    "columns twice": (slice(None), [3, 3, 3]),
}
everywhere = pytest.mark.parametrize("index", [*INDICES.values(), *REPEATED.values()], ids=str)


def values_for(index):
    return rng.normal(size=X[index].shape)


@everywhere
def test_set_is_what_assignment_does(index):
    v = values_for(index)
    expected = X.copy()
    expected[index] = v
    x = tg.Tensor(X)
    np.testing.assert_array_equal(at(x)[index].set(v).data, expected)
    np.testing.assert_array_equal(at(X)[index].set(v), expected)
    np.testing.assert_array_equal(x.data, X)


@everywhere
def test_add_is_what_add_at_does(index):
    v = values_for(index)
    expected = X.copy()
    np.add.at(expected, index, v)
    np.testing.assert_allclose(at(tg.Tensor(X))[index].add(v).data, expected, atol=1e-15)
    np.testing.assert_allclose(at(X)[index].add(tg.Tensor(v)).data, expected, atol=1e-15)


@everywhere
@pytest.mark.parametrize("method", ["set", "add"])
def test_gradients_and_second_derivatives_by_both(index, method):
    v, weights = values_for(index), rng.normal(size=X.shape)

    def J(x, v):
        return np.sum(weights * getattr(at(x)[index], method)(v) ** 2)

    report = tg.gradcheck(J, X, v)
    assert report, report.table()

    def slope(x, v):
        dx, dv = tg.func.grad(J, (0, 1))(x, v)
        return np.sum(dx * dx) + np.sum(dv * dv)

    report = tg.gradcheck(slope, X, v)
    assert report, report.table()


@pytest.mark.parametrize("method", ["set", "add"])
def test_a_number_or_a_row_is_broadcast_and_its_gradient_summed(method):
    x, row, number = tg.Tensor(X), tg.Tensor(np.ones(4)), tg.Tensor(2.0)
    out = getattr(at(getattr(at(x)[:2], method)(row))[2], method)(number)
    d_row, d_number = tg.grad(np.sum(out), [row, number])
    assert d_row.tolist() == [2, 2, 2, 2]
    assert d_number == 4


def test_an_overwritten_entry_receives_nothing():
    x, v = tg.Tensor([1.0, 2.0]), tg.Tensor([5.0, 6.0, 7.0])
    out = at(x)[[0, 0, 0]].set(v)
    assert out.data.tolist() == [7, 2]
    dx, dv = tg.grad(np.sum(out), [x, v])
    assert dx.tolist() == [0, 1]
    assert dv.tolist() == [0, 0, 1]


def test_dtypes_are_those_of_arithmetic():
    x = tg.Tensor(np.zeros(3, np.float32))
    for place in (at(x)[0].set(1.5), at(x)[0].add(1), at(x)[:2].set([1.5, 2.0]).astype(np.float32)):
        assert place.dtype == np.float32
    assert at(x)[0].set(np.float64(1.5)).dtype == np.float64
    assert at(np.zeros(3, int))[0].set(1.5).tolist() == [1.5, 0, 0]
    v = tg.Tensor([0.5, 0.25])
    assert at(np.zeros(3, int))[1:].set(v).data.tolist() == [0, 0.5, 0.25]


def test_an_index_may_be_a_tensor():
    x = tg.Tensor([-1.0, 2.0, -3.0])
    assert at(x)[x < 0].set(0.0).data.tolist() == [0, 2, 0]
    assert at(x)[np.argmax(x)].add(1.0).data.tolist() == [-1, 3, -3]


def test_values_that_do_not_fit_are_refused():
    with pytest.raises(
        DimensionError,
        match=r"at\(x\)\[\.\.\.\]\.set\(v\): v has shape \(3,\), but the chosen places of x "
        r"\(3, 4\) have shape \(2, 4\); v must broadcast",
    ):
        at(tg.Tensor(X))[:2].set(np.ones(3))
    with pytest.raises(DimensionError, match=r"\.add\(v\)"):
        at(X)[0].add(tg.Tensor(np.ones((4, 1))))
    with pytest.raises(IndexError, match="out of bounds"):
        at(X)[5].set(1.0)
