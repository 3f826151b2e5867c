"""Arrays that are changed, returned or of unusual kinds, under tg.jit."""

import numpy as np
import pytest

from tests.test_replay import plain
from tests.test_replay_repeat import KINDS
from tinygrad_dnn import Tensor, grad
from tinygrad_dnn.errors import ReplayError

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
@pytest.mark.parametrize(
    "fill",
    [
        lambda x, W: np.clip(W, -0.3, 0.3, out=W),
        lambda x, W: np.clip(W, -0.3, 0.3, W),
        lambda x, W: W.clip(-0.3, 0.3, out=W),
        lambda x, W: x.round(1, out=W),
        lambda x, W: np.dot(x, x, W),
        lambda x, W: np.dot(x, x, out=W),
        lambda x, W: np.cumsum(x, 0, None, W),
        lambda x, W: np.sum(x, 0, None, W[0]),
        lambda x, W: np.sum(x, 0, None, W[:1], True),
        lambda x, W: np.mean(x, axis=0, out=W[1]),
        lambda x, W: np.concatenate([x[:1], x[1:]], 0, W),
        lambda x, W: np.take(x, [0, 2, 1], 0, W),
        lambda x, W: np.stack([x[0], x[2], x[1]], out=W),
    ],
)
def test_results_that_go_into_an_array_that_is_there(jit, fill):
    def run(jit):
        W = Tensor(X[:, :3] * 1)

        @jit
        def f(x):
            fill(x, W.data)
            return W.data.sum()

        found = []
        for shift in (0.0, 0.5, -0.5, 0.25):
            found += [f(X[:, :3] + shift), W.data.copy()]
        return found

    for a, b in zip(run(jit), run(lambda f: f), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)


@pytest.mark.parametrize("jit", KINDS)
def test_a_leaf_that_gets_data_of_another_dtype(jit):
    def run(jit):
        W = Tensor(np.ones(3, np.float32))

        @jit
        def f(x):
            W.data = W.data - x * W.data
            return W * 2

        found = []
        for i in range(6):
            found += [f(np.full(3, 0.1, np.float32 if i % 3 else np.float64)).data, W.data.copy()]
            if i == 2:
                W.data = np.ones(3, np.float32)
        return found

    for a, b in zip(run(jit), run(lambda f: f), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_data_of_one_tensor_given_to_another_are_refused_later_too():
    W, V = Tensor(np.ones(3), name="W"), Tensor(np.zeros(3), name="V")

    @plain
    def f(x):
        W.data -= 0.1 * x
        return W + V

    for _ in range(3):
        f(np.ones(3))
    V.data = W.data
    with pytest.raises(ReplayError, match=r"uses (W and V|V and W), whose data lie in the same"):
        f(np.ones(3))
    V.data = W.data.copy()
    assert f(np.ones(3)).data.tolist() == pytest.approx([1.3] * 3)


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


@pytest.mark.parametrize(("name", "value"), [("shape", (12,)), ("shape", (4, 3)), ("dtype", int)])
@pytest.mark.parametrize("kept", [True, False])
def test_a_shape_that_is_assigned_is_refused(name, value, kept):
    held = {"y": X}

    @plain
    def f(x):
        y = x * 2
        setattr(y, name, value)
        if kept:
            held["y"] = y
        return x if kept else y

    with pytest.raises(ReplayError, match=rf"f assigns the {name} of an array .* y = y\."):
        f(Y)
    assert held["y"] is X
