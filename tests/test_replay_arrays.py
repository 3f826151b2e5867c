"""Arrays that are changed, returned or of unusual kinds, under tg.jit."""

import numpy as np
import pytest

from tests.test_replay_repeat import KINDS
from tinygrad_dnn import Tensor, grad

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((2, 3, 4))


@pytest.mark.parametrize("jit", KINDS)
@pytest.mark.parametrize(
    "f",
    [
        lambda x, y: np.add(x, y, where=x > 0, out=y * 1),
        lambda x, y: np.exp(x, where=np.array([True, False, True, False]), out=y * 1),
        lambda x, y: np.sqrt(x, where=x > 0, out=x * 1),
        lambda x, y: np.add.reduce(x, axis=0, where=x > 0, out=y[0] * 1),
        lambda x, y: np.divmod(x, 0.5, where=y > 0, out=(x * 1, y * 1)),
        lambda x, y: np.divmod(x, 0.5, out=(None, y * 1)),
    ],
    ids=["live mask", "constant mask", "itself", "reduction", "two results", "one of two"],
)
def test_what_is_not_computed_stays_what_it_was(jit, f):
    replayed = jit(f)
    for shift in (0.0, 0.5, -0.5):
        np.testing.assert_allclose(replayed(X + shift, Y), f(X + shift, Y), rtol=1e-15)


@pytest.mark.parametrize("jit", KINDS)
@pytest.mark.parametrize("one", [1, 1.0, np.array(1.0), np.array(1 + 0j)], ids=repr)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_one_times_a_complex_number(jit, one):
    replayed = jit(lambda x: x * one)
    for x in (np.array([1j]), np.array([complex(np.inf, 1), complex(0, -0.0)])):
        for _ in range(2):
            assert replayed(x).tobytes() == (x * one).tobytes()


@pytest.mark.parametrize("jit", KINDS)
def test_a_constant_that_is_returned_may_be_changed(jit):
    zeros = np.zeros(3)
    f = jit(lambda x: (x * 2, zeros, np.arange(3), Tensor(np.zeros(3))))
    for _ in range(3):
        _, first, second, third = f(np.ones(2))
        assert first.tolist() == third.tolist() == [0, 0, 0]
        assert second.tolist() == [0, 1, 2]
        first[...] = second[...] = third.data[...] = 7


@pytest.mark.parametrize("jit", KINDS)
def test_arrays_of_objects(jit):
    f = jit(lambda x: (x * 2 + 1, x.sum()))
    for last in (3, 10**30, 5):
        entries, total = f(np.array([1, 2, last], object))
        assert entries.tolist() == [3, 5, 2 * last + 1]
        assert total == 3 + last


@pytest.mark.parametrize("jit", KINDS)
def test_the_gradient_of_a_determinant(jit):
    def slope(a):
        W = Tensor(a)
        return grad(np.sum(np.linalg.det(W) ** 2), W)

    replayed = jit(slope)
    singular = np.ones((3, 3)) + np.diag([1.0, 0.0, 0.0])
    for a in (np.eye(3) + X[:, :3], singular, np.stack([np.eye(3), singular])):
        for _ in range(2):
            np.testing.assert_allclose(replayed(a), slope(a), rtol=1e-12, atol=1e-12)
