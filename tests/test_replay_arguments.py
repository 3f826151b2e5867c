"""Arguments of functions under tg.jit that the function reaches too; hooks on arguments."""

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.test_replay import plain, same
from tests.test_replay_repeat import KINDS
from tinygrad_dnn import nn, optim
from tinygrad_dnn.errors import ReplayError

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


@pytest.mark.parametrize("how", [lambda a: a, lambda a: a.T, lambda a: a[1:], lambda a: a[:, ::2]])
def test_the_data_of_a_tensor_that_is_changed_are_refused(how):
    W = tg.Tensor(np.ones((3, 3)), name="W")

    def step(X):
        J = np.sum(X) * np.sum(W)
        W.data = W.data * 0.5
        return J

    V = tg.Tensor(np.ones(3))
    V.node.value = how(W.data)
    for given in (how(W.data), V):
        with pytest.raises(ReplayError, match="step is given the data of W, which it changes"):
            tg.jit(step)(given)
    assert same(tg.jit(step)(how(W.data).copy()).data, np.array(9.0 * how(W.data).size))


def test_the_data_of_a_tensor_that_is_not_changed_are_an_argument_as_any_other():
    W = tg.Tensor(np.ones((3, 3)), name="W")
    f = plain(lambda X: np.sum(W * X))
    for i in range(3):
        W.data = np.full((3, 3), i + 1.0)
        assert same(f(W.data).data, np.sum(W.data**2))


def test_a_hook_on_an_argument_is_refused_whenever_it_comes():
    f = tg.jit(lambda X: np.sum(X * 2).backward())
    for hooked in (False, True, False, True):
        X = tg.Tensor(np.ones(3), name="X")
        if hooked:
            X.register_hook(lambda dX: dX * 5)
            with pytest.raises(ReplayError, match="X has a hook, which would hear nothing"):
                f(X)
        else:
            f(X)
            assert same(X.grad, np.full(3, 2.0))


@pytest.mark.parametrize(
    ("change", "given"),
    [
        (lambda held, J: held.append(J), []),
        (lambda held, J: held.pop(), [1.0, 2.0]),
        (lambda held, J: held.reverse(), [1.0, 2.0]),
        (lambda held, J: held.update(J=J), {}),
        (lambda held, J: held.update(J=J), {"J": None}),
        (lambda held, J: held.update(J=J), {"J": 0.0}),
        (lambda held, J: held["in"].update(J=2.0), {"in": {}}),
        (lambda held, J: held.update(b=held.pop("a")), {"a": 1.0}),
    ],
)
def test_changes_of_lists_and_dicts_that_are_given_are_refused(change, given):
    def step(x, held):
        change(held, np.sum(x))
        return x * 2

    before = repr(given)
    with pytest.raises(ReplayError, match="step changes a list or a dict that is its argument"):
        tg.jit(step)(np.ones(2), given)
    with pytest.raises(ReplayError, match="step changes a list or a dict that is its argument"):
        tg.jit(step)(np.ones(2), held=given)
    assert repr(given) == before


@pytest.mark.parametrize("part", [lambda W: W.data, lambda W: W.data[:2], lambda W: W.detach()])
@pytest.mark.parametrize("jit", KINDS)
def test_data_that_are_given_later_are_not_read_after_they_were_overwritten(part, jit):
    W = tg.Tensor(np.arange(3.0), name="W")

    @jit
    def step(x):
        W.data = W.data * 0.5
        return W.data.sum() + x * 1.0

    x = part(W)
    for i in range(3):
        copied = tg.Tensor(x.data.copy()) if isinstance(x, tg.Tensor) else x.copy()
        step(copied)
        assert same(W.data, np.arange(3.0) / 2 ** (i + 1))
    try:
        found = step(part(W))
    except ReplayError as error:
        assert "is given the data of W, which it changes" in str(error)  # noqa: PT017
    else:
        rest = np.arange(3.0)[: part(W).shape[0]]
        found = found.data if isinstance(found, tg.Tensor) else found
        np.testing.assert_allclose(found, 3 / 16 + rest / 8)


@pytest.mark.parametrize("jit", KINDS)
@pytest.mark.parametrize("fn", [np.sum, np.max, np.min, np.prod, np.mean, np.std, np.square])
def test_a_number_is_reduced_as_an_array_of_no_dimensions_is(jit, fn):
    rng, same_rng = np.random.default_rng(0), np.random.default_rng(0)
    f = jit(lambda x, s: x * fn(s) + fn(rng.random()))
    x = np.arange(3.0)
    for s in (0.2, 0.5, 0.7):
        np.testing.assert_allclose(f(x, s), x * fn(s) + fn(same_rng.random()), rtol=1e-15)
