"""The edges that no other file has, and that every row of docs/robustness.md has its test."""

import copy
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn import nn
from tinygrad_dnn.errors import HistoryError
from tinygrad_dnn.recording import name_of

TESTS = Path(__file__).parent
TABLE = (TESTS.parent / "docs" / "robustness.md").read_text()
NAMED = re.findall(r"`(test_\w+\.py)::(test_\w+)`", TABLE)


@pytest.mark.parametrize(("file", "test"), NAMED, ids=[test for _, test in NAMED])
def test_every_row_names_a_test_that_is_there(file, test):
    assert f"\ndef {test}(" in (TESTS / file).read_text()


def test_every_row_has_a_test():
    rows = [line for line in TABLE.splitlines() if re.match(r"\| \d+ ", line)]
    assert [int(row.split("|")[1]) for row in rows] == list(range(1, len(rows) + 1))
    assert all("::test_" in row for row in rows)


REDUCTIONS = [
    np.sum, np.mean, np.prod, np.max, np.min, np.var, np.std, np.ptp, np.median, np.quantile,
    np.nanmedian, np.nansum, np.nanmean, np.nanprod, np.nanmax, np.nanstd, np.cumsum, np.cumprod,
    np.sort, np.linalg.norm, np.add.reduce, np.maximum.reduce, np.logaddexp.reduce,
]  # fmt: skip


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
@pytest.mark.parametrize("axis", [None, 0, -1])
@pytest.mark.parametrize("fn", REDUCTIONS, ids=name_of)
@pytest.mark.filterwarnings(
    "ignore:.*(empty slice|Degrees of freedom|invalid value|divide by zero|All-NaN)"
)
def test_reductions_of_nothing(fn, shape, axis):
    data = np.ones(shape)
    x = tg.Tensor(data)
    if fn is np.quantile:
        fn = lambda x, axis: np.quantile(x, 0.5, axis=axis)
    try:
        expected = fn(data, axis=axis)
    except (ValueError, IndexError) as error:
        with pytest.raises(type(error)):
            fn(x, axis=axis)
        return
    out = fn(x, axis=axis)
    np.testing.assert_array_equal(out.data, expected)
    dx = tg.grad(out, x, gradient=np.ones(out.shape))
    assert dx.shape == shape


@pytest.mark.parametrize(
    ("entries", "slopes"),
    [
        ([2.0, 3.0, 4.0], [12, 8, 6]),
        ([0.0, 3.0, 4.0], [12, 0, 0]),
        ([0.0, 0.0, 4.0], [0, 0, 0]),
        ([0.0, 0.0, 0.0], [0, 0, 0]),
    ],
)
def test_products_with_zeros(entries, slopes):
    x = tg.Tensor(entries)
    assert tg.grad(np.prod(x), x).tolist() == slopes
    assert tg.grad(np.prod(x[:, None] * np.ones(2), axis=0)[0], x).tolist() == slopes


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_softmax_of_nothing(shape, axis):
    x = tg.Tensor(np.ones(shape))
    if axis is not None:
        for fn in (nn.softmax, nn.log_softmax):
            out = fn(x, axis=axis)
            assert out.shape == tg.grad(out, x, gradient=np.ones(shape)).shape == shape
    out = nn.logsumexp(x, axis)
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(out.data, np.log(np.sum(np.exp(x.data), axis)))
    assert tg.grad(out, x, gradient=np.ones(out.shape)).shape == shape


@pytest.mark.parametrize(
    "fn",
    [np.max, np.min, np.nanmax, np.median, np.maximum.reduce, lambda x: np.linalg.norm(x, np.inf),
     lambda x: np.maximum(x, x), lambda x: np.fmin(x, x[::-1]), lambda x: np.quantile(x, 0.3),
     lambda x: np.partition(x, 2), lambda x: np.minimum.accumulate(x), lambda x: np.clip(x, x, x)],
)  # fmt: skip
def test_the_shares_of_tied_entries_add_up_to_one(fn):
    rng = np.random.default_rng(0)
    for _ in range(20):
        x = rng.integers(1, 4, size=5).astype(float)
        jacobian = np.atleast_2d(tg.func.jacobian(fn)(x))
        np.testing.assert_allclose(jacobian.sum(axis=1), 1, rtol=1e-15)


def test_the_end_of_a_long_chain_refuses_to_be_copied_and_its_number_can_be():
    y = tg.Tensor(1.0)
    for _ in range(100_000):
        y = y * 1.0
    for again in (copy.deepcopy, pickle.dumps):
        with pytest.raises(HistoryError, match=r"use x\.detach"):
            again(y)
    assert pickle.loads(pickle.dumps(copy.deepcopy(y.detach()))).item() == 1


def test_lists_are_arrays_too():
    assert nn.softmax([[0.0], [0.0]]).tolist() == [[0.5], [0.5]]
    assert nn.logsumexp([0.0]) == 0
    found = tg.linalg.solve_triangular([[2.0, 9.0], [1.0, 1.0]], [2.0, 3.0], lower=True)
    assert found.tolist() == [1, 2]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy warns of it too
@pytest.mark.parametrize("fn", [np.nanvar, np.nanstd])
@pytest.mark.parametrize("options", [{"ddof": 1}, {"ddof": 2}, {"ddof": 3}, {"correction": 2}])
def test_a_spread_of_too_few_numbers(fn, options):
    a = np.array([[1, np.nan, 2], [np.nan, np.nan, 3], [4, 5, 7]], np.float32)
    out = fn(tg.Tensor(a), axis=1, **options)
    np.testing.assert_allclose(out.data, fn(a, axis=1, **options), rtol=1e-6)
    assert out.dtype == np.float32
