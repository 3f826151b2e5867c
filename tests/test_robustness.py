"""The edges that no other file has, and that every row of docs/robustness.md has its test."""

import re
from pathlib import Path

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn import nn

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


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
@pytest.mark.parametrize("axis", [None, 0, -1])
@pytest.mark.parametrize("fn", [np.sum, np.mean, np.prod, np.max, np.std], ids=lambda f: f.__name__)
@pytest.mark.filterwarnings(
    "ignore:.*(empty slice|Degrees of freedom|invalid value|divide by zero)"
)
def test_reductions_of_nothing(fn, shape, axis):
    data = np.ones(shape)
    x = tg.Tensor(data)
    try:
        expected = fn(data, axis=axis)
    except ValueError as error:
        with pytest.raises(ValueError, match=re.escape(str(error).split()[0])):
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
