"""Joined: equal calls on many small arrays are one call, and give the same numbers to the bit."""

import numpy as np
import pytest

from tests.test_replay import plain, same, training
from tinygrad_dnn.replay import joined

NEAR_2 = [np.array(2 + 1e-9), np.array(2 + 2e-9)]


def calls_of(f, fn):
    return [call for call in f.plan().calls if call.fn is fn]


def scaled(f):
    """The calls that multiply by the learning rate."""
    return [c for c in calls_of(f, np.multiply) if "lr" in (getattr(a, "name", "") for a in c.args)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_learning_rate_meets_all_gradients_at_once(dtype):
    net, descent, step, X, Y = training([3, 5, 5, 3, 1], 32, dtype)
    other, same_descent, replayed, _, _ = training([3, 5, 5, 3, 1], 32, dtype, plain)
    for lr in (0.1, 0.3, 0.2):
        descent.lr = same_descent.lr = lr
        assert same(step(X, Y).data, replayed(X, Y).data)
    for W, V in zip(net.parameters().values(), other.parameters().values(), strict=True):
        assert same(W.data, V.data)
    (call,) = scaled(replayed)
    assert call.value.shape == (sum(p.data.size for p in net.parameters().values()),)


def test_no_more_lies_end_to_end_than_stays_near(monkeypatch):
    monkeypatch.setattr(joined, "MOST", 200)
    _, _, replayed, X, Y = training([3, 5, 5, 3, 1], 32, np.float32, plain)
    replayed(X, Y)
    assert len(scaled(replayed)) > 1
    assert all(call.value.nbytes <= 200 for call in scaled(replayed))


def scales(x, y):
    """Three arrays of their own times 2, the last one not the array that is read last."""
    a, b, c = np.exp(x), np.sin(y), np.matmul(x, y)
    return np.sum(2.0 * a), np.sum(2.0 * b), np.sum(2.0 * c)


def test_whatever_is_multiplied_by_one_number_is_joined():
    rng = np.random.default_rng(0)
    f = plain(scales)
    for _ in range(3):
        x, y = rng.standard_normal((3, 4)), rng.standard_normal((4, 5))
        assert all(map(same, f(x, y), scales(x, y)))
    assert [c.value.size for c in calls_of(f, np.multiply)] == [12 + 20 + 15]


@pytest.mark.parametrize(
    "f",
    [
        lambda a, b: (a, 2.0 * a, np.sum(2.0 * b)),  # returned, before and after
        lambda a, b: (np.sum(2.0 * a), np.sum(2.0 * b), np.sum(a)),  # read once more
        lambda a, b: (np.sum(2.0 * a), np.sum(b * 2.0)),  # another call
        lambda a, b: (np.sum(2.0 * a), np.sum(3.0 * b)),  # another number
        lambda a, b: (np.sum(NEAR_2[0] * a), np.sum(NEAR_2[1] * b)),  # looks the same when printed
        lambda a, b: (np.sum(2.0 * a.T), np.sum(2.0 * b)),  # not in the order of its memory
        lambda a, b: (np.sum(2.0 * (2.0 * a)), np.sum(2.0 * b)),  # of one that is joined
        lambda a, b: (2.0 * np.sum(a) + 1, 2.0 * np.sum(b) + 1),  # of no dimensions
    ],
)
def test_what_cannot_be_joined_is_right_as_well(f):
    rng = np.random.default_rng(0)
    g = lambda x, y: f(np.exp(x), np.sin(y))
    replayed = plain(g)
    for _ in range(3):
        x, y = rng.standard_normal((3, 4)), rng.standard_normal((4, 5))
        assert all(map(same, replayed(x, y), g(x, y)))
