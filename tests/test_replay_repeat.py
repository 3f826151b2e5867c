"""Many calls with the same arguments as one: the numbers are those of calls one by one."""

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.test_replay import plain, same, training
from tinygrad_dnn import nn, optim

KINDS = [pytest.param(plain, id="plain"), pytest.param(tg.jit, id="as installed")]


@pytest.mark.parametrize("jit", KINDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_steps_together_are_those_one_by_one(jit, dtype):
    net, descent, one_by_one, X, Y = training([3, 5, 1], 32, dtype, jit=jit)
    other, faster, together, _, _ = training([3, 5, 1], 32, dtype, jit=jit)
    costs = []
    for lr, n in ((0.1, 1), (0.1, 20), (0.03, 7)):  # the first call records
        descent.lr = faster.lr = lr
        costs += [[one_by_one(X, Y).data for _ in range(n)]]
        assert same(together.repeat(n, X, Y), np.array(costs[-1]))
    for W, V in zip(net.parameters().values(), other.parameters().values(), strict=True):
        assert same(W.data, V.data)
    assert same(one_by_one(X, Y).data, together(X, Y).data)


@pytest.mark.parametrize("jit", KINDS)
def test_counters_and_draws_go_on(jit):
    def made():
        net = nn.Sequential(
            nn.Linear(3, 8, rng=np.random.default_rng(0)),
            nn.Dropout(0.5, rng=np.random.default_rng(1)),
            nn.Linear(8, 1, rng=np.random.default_rng(2)),
        )
        adam = optim.Adam(net.parameters(), lr=0.01)

        @jit
        def step(X, Y):
            A = net(X)
            J = nn.mean_squared_error(A, Y)
            adam.zero_grad()
            J.backward()
            adam.step()
            return {"J": J, "A": A}

        return net, adam, step

    rng = np.random.default_rng(3)
    X, Y = rng.standard_normal((3, 16)), rng.standard_normal((1, 16))
    (net, adam, one_by_one), (other, same_adam, together) = made(), made()
    found = [one_by_one(X, Y) for _ in range(12)]
    stacked = together.repeat(12, X, Y)
    for name in ("J", "A"):
        assert same(stacked[name], np.array([f[name].data for f in found]))
    assert adam.t == same_adam.t == 12
    for W, V in zip(net.parameters().values(), other.parameters().values(), strict=True):
        assert same(W.data, V.data)


def test_gradients_that_are_added_up_are_left():
    W = tg.Tensor(np.array([1.0, 2.0]))

    @tg.jit
    def step(x):
        J = np.sum(W * x)
        J.backward()
        return J

    assert same(step.repeat(5, np.array([3.0, 1.0])), np.full(5, 5.0))
    assert same(W.grad, np.array([15.0, 5.0]))


def test_numbers_and_several_results():
    f = tg.jit(lambda x: (x * 2, 7))
    doubled, seven = f.repeat(3, np.arange(2.0))
    assert same(doubled, np.array([[0.0, 2.0]] * 3))
    assert same(seven, np.array([7, 7, 7]))


def test_a_change_of_a_parameter_between_is_seen():
    W = tg.Tensor(np.ones(2))
    f = tg.jit(lambda x: W * x)
    f.repeat(2, np.ones(2))
    W.data = np.array([2.0, 3.0])
    assert same(f.repeat(2, np.ones(2)), np.array([[2.0, 3.0]] * 2))


@pytest.mark.parametrize("n", [0, -1])
def test_no_call_has_no_results(n):
    with pytest.raises(ValueError, match=f"at least one call, got n = {n}"):
        plain(lambda x: x).repeat(n, np.ones(2))
