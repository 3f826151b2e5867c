"""Tensors that are arguments under tg.jit and are reached by the function, too."""

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.test_replay_repeat import KINDS
from tinygrad_dnn import nn, optim

X = np.random.default_rng(0).standard_normal((3, 5))


def made():
    rng = np.random.default_rng(1)
    net = nn.Sequential(nn.Linear(3, 4, rng=rng), nn.Tanh(), nn.Linear(4, 1, rng=rng))
    others = {name: tg.Tensor(p.data * 2) for name, p in net.parameters().items()}
    return net, others, optim.Momentum(net.parameters(), lr=0.1)


def penalised(net, parameters, X):
    return np.mean(net(X) ** 2) + sum(np.sum(p**2) for p in parameters.values())


def functional(net, _):
    return lambda parameters, X: nn.functional_call(net, parameters, X)


def gradients(net, _):
    return lambda parameters, X: tg.grad(penalised(net, parameters, X), list(parameters.values()))


def updated(net, descent):
    def step(parameters, X):
        J = penalised(net, parameters, X)
        descent.zero_grad()
        J.backward()
        descent.step()
        return J, [p.copy() for p in parameters.values()]

    return step


@pytest.mark.parametrize("jit", KINDS)
@pytest.mark.parametrize("function", [functional, gradients, updated])
def test_a_parameter_that_is_an_argument_is_itself(jit, function):
    def run(jit):
        net, others, descent = made()
        f = jit(function(net, descent))
        own = net.parameters()
        swapped = {**own, "W1": others["W1"]}
        for parameters in (own, own, others, swapped, dict(reversed(own.items())), own):
            for x in (X, X + 1):
                out = f(parameters, x)
                yield from (np.array(getattr(a, "data", a)) for a in tg.containers.leaves(out))
            descent.zero_grad()
        yield from (p.data for p in own.values())

    for replayed, eager in zip(run(jit), run(lambda f: f), strict=True):
        np.testing.assert_allclose(replayed, eager, rtol=1e-12)


@pytest.mark.parametrize("jit", KINDS)
def test_its_gradient_is_left_in_it_once(jit):
    W = tg.Tensor([1.0, 2.0])

    @jit
    def f(V):
        np.sum(V * W * 2).backward()

    for expected in (4 * W.data, 8 * W.data):
        f(W)
        assert W.grad.tolist() == expected.tolist()
