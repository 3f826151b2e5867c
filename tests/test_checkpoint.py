"""checkpoint: the same derivatives of every order, for less memory."""

import gc
import tracemalloc

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn import nn
from tinygrad_dnn.errors import ChangedDataError, HistoryError
from tinygrad_dnn.func import checkpoint, grad, hessian, hvp, jvp
from tinygrad_dnn.rules.losses import binary_cross_entropy
from tinygrad_dnn.rules.network import relu, sigmoid

rng = np.random.default_rng(0)


def plain(x):
    return np.sum(np.tanh(x) ** 3 * np.exp(x), axis=0)


def test_value_and_gradient_are_those_of_the_function():
    x = rng.normal(size=(3, 4))
    kept, again = tg.Tensor(x), tg.Tensor(x)
    a, b = np.sum(plain(kept) ** 2), np.sum(checkpoint(plain)(again) ** 2)
    assert a.data == b.data
    a.backward()
    b.backward()
    np.testing.assert_array_equal(kept.grad, again.grad)


def test_every_mode_and_order():
    x, v = rng.normal(size=(2, 4))
    f, g = (lambda x, p=p: np.sum(p(np.stack([x, x * 2])) ** 2) for p in (plain, checkpoint(plain)))
    np.testing.assert_allclose(grad(g)(x), grad(f)(x), rtol=1e-13)
    np.testing.assert_allclose(hessian(g)(x), hessian(f)(x), rtol=1e-12)
    np.testing.assert_allclose(hvp(g, x, v), hvp(f, x, v), rtol=1e-12)
    for a, b in zip(jvp(g, [x], [v]), jvp(f, [x], [v]), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)
    third = [
        grad(lambda x, f=f: np.sum(grad(lambda x: np.sum(grad(f)(x) ** 2))(x)))(x) for f in (f, g)
    ]
    np.testing.assert_allclose(*third, rtol=1e-11)
    T = tg.Tensor(x)
    (dx,) = tg.grad(g(T), [T], create_graph=True)
    np.testing.assert_allclose(tg.grad(np.sum(dx * v), T), hvp(f, x, v), rtol=1e-12)


def network(wrap):
    """A network whose blocks use W by themselves, H from outside, and each other."""
    W = tg.Tensor(rng.normal(size=(3, 3)) / 2, name="W1")
    X, Y = rng.normal(size=(3, 5)), np.ones((3, 5))
    H = np.tanh(W @ X)  # W flows into the blocks by itself and through H
    A = H
    for _ in range(3):
        A = wrap(lambda A: relu(W @ A + H))(A)
    return W, binary_cross_entropy(wrap(lambda A: sigmoid(W.T @ A))(A), Y)


def test_tensors_that_a_function_uses_by_itself_get_their_gradient():
    global rng
    found = []
    for wrap in (lambda f: f, checkpoint):
        rng = np.random.default_rng(1)
        W, J = network(wrap)
        J.backward()
        (dW,) = tg.grad(J, [W], create_graph=True)
        found.append([W.grad, dW.data, tg.grad(np.sum(dW**2), W)])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-10)


def test_checkpoints_nest():
    x = rng.normal(size=(2, 3))
    W = tg.Tensor(rng.normal(size=(2, 2)))
    inner = checkpoint(lambda x: np.sin(W @ x))
    outer = checkpoint(lambda x: np.sum(inner(inner(x)) * x))
    expected = lambda x: np.sum(np.sin(W @ np.sin(W @ x)) * x)
    a, b = tg.Tensor(x), tg.Tensor(x)
    for found, wanted in zip(tg.grad(outer(a), [a, W]), tg.grad(expected(b), [b, W]), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_options_containers_constants_and_several_inputs():
    def f(parts, labels, *, scale):
        return np.sum(parts["a"] * parts["b"][0] * labels * scale)

    a, b = tg.Tensor([1.0, 2.0]), tg.Tensor([3.0, 4.0])
    labels = tg.Tensor([1, 0], requires_grad=False)
    J = checkpoint(f)({"a": a, "b": [b]}, labels, scale=10.0)
    da, db = tg.grad(J, [a, b])
    assert (J.item(), da.tolist(), db.tolist()) == (30, [30, 0], [10, 0])
    assert tg.grad(J, b).tolist() == [10, 0]


def test_one_run_serves_all_inputs_of_a_walk():
    runs = []

    def f(x, y):
        runs.append(1)
        return x * y * W

    W, x, y = tg.Tensor(2.0), tg.Tensor(3.0), tg.Tensor(5.0)
    J = checkpoint(f)(x, y)
    J.backward()
    assert (x.grad, y.grad, W.grad, len(runs)) == (10, 6, 15, 2)
    J.backward()
    assert (x.grad, len(runs)) == (20, 3)


def test_a_function_that_returns_its_input_or_a_constant():
    x = tg.Tensor([1.0, 2.0])
    assert tg.grad(np.sum(checkpoint(lambda x: x)(x)), x).tolist() == [1, 1]
    assert type(checkpoint(np.sin)(np.ones(2))) is np.ndarray
    assert tg.grad(np.sum(checkpoint(lambda y: x)(3.0) * 2), x).tolist() == [2, 2]
    assert tg.grad(np.sum(checkpoint(lambda x: np.ones(2))(x) * x), x).tolist() == [1, 1]


def test_without_recording_it_is_the_function():
    x = tg.Tensor([1.0, 2.0])
    with tg.no_grad():
        y = checkpoint(plain)(x)
    assert y.node.fn is None
    assert not checkpoint(np.sin)(tg.Tensor(1.0, requires_grad=False)).requires_grad


def peak_of_a_chain(wrap, blocks=8, calls=8, size=20_000):
    """The most memory, in arrays of ``size`` numbers, that a chain and its gradient needed."""

    def block(x):
        for _ in range(calls):
            x = np.tanh(x)
        return x

    x = tg.Tensor(np.full(size, 0.5))
    gc.collect()
    tracemalloc.start()
    y = x
    for _ in range(blocks):
        y = wrap(block)(y)
    tg.grad(np.sum(y), x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / (8 * size)


def test_the_memory_is_that_of_the_results_and_one_run():
    assert peak_of_a_chain(lambda f: f) > 64  # every result of every call
    assert peak_of_a_chain(checkpoint) < 8 + 8 + 7  # one per block, one block, some working space


def test_random_numbers_drawn_inside_are_found_out():
    rng = np.random.default_rng(0)

    def dropout(x):
        return x * (rng.random(8) > 0.5)

    x = tg.Tensor(np.ones(8))
    J = np.sum(checkpoint(dropout)(x))
    message = "checkpoint ran dropout again and it computed something else; give it random"
    with pytest.raises(HistoryError, match=message):
        J.backward()


def test_other_tensors_in_the_second_run_are_found_out():
    parts = [tg.Tensor(1.0), tg.Tensor(1.0)]
    x = tg.Tensor(2.0)
    J = checkpoint(lambda x: x * parts[0])(x)
    parts.reverse()
    with pytest.raises(HistoryError, match="again and it computed something else"):
        J.backward()


@pytest.mark.parametrize("create_graph", [False, True])
def test_data_that_changed_in_between_is_found_out(create_graph):
    W, x = tg.Tensor(2.0, name="W1"), tg.Tensor(3.0, name="x")
    J = checkpoint(lambda x: x * W)(x)
    W.data = W.data + 1
    with pytest.raises(ChangedDataError, match=r"W1.*(has new data since|was replaced)"):
        tg.grad(J, x, create_graph=create_graph)
    J = checkpoint(lambda x: x * W)(x)
    x.data += 1
    with pytest.raises(ChangedDataError, match="needs the data of x, but it was replaced"):
        tg.grad(J, x, create_graph=create_graph)


def test_what_a_function_must_return():
    def nothing(x):
        return ()

    wanted = r"checkpoint: nothing must return one Tensor or several, got \(\)"
    with pytest.raises(HistoryError, match=wanted):
        checkpoint(nothing)(tg.Tensor(1.0))


def test_a_function_of_containers_may_return_one():
    """As a recurrent cell does, from step to step: its state has shapes and dtypes of its own."""

    def cell(p, state):
        h, c = state["h"], state["c"]
        c = c + np.tanh(p @ h)[:, None]
        return {"h": np.tanh(c[:, 0]).astype(np.float32), "c": c, "z": [np.sum(c) * 1j, None]}

    def cost(step, p, h):
        state = {"h": h, "c": np.ones((3, 2))}
        for _ in range(3):
            state = step(p, {"h": state["h"], "c": state["c"]})
        return np.sum(state["c"] ** 2) + np.sum(state["h"]) + np.imag(state["z"][0])

    p, h = rng.normal(size=(3, 3)), rng.normal(size=3).astype(np.float32)
    kept = cell(p, {"h": h, "c": np.ones((3, 2))})
    again = checkpoint(cell)(tg.Tensor(p), {"h": h, "c": np.ones((3, 2))})
    assert again["h"].dtype == np.float32
    assert again["c"].dtype == np.float64
    assert again["z"][1] is None
    assert again["z"][0].shape == ()
    np.testing.assert_array_equal(again["h"].data, kept["h"])
    np.testing.assert_array_equal(again["c"].data, kept["c"])
    for derivative in (
        lambda f: grad(f, argnums=(0, 1))(p, h),
        lambda f: [hvp(f, (p, h), np.ones_like(p))],
        lambda f: [jvp(f, (p, h), (p, h))[1]],
    ):
        plain, twice = (derivative(lambda *a, s=s: cost(s, *a)) for s in (cell, checkpoint(cell)))
        for x, y in zip(plain, twice, strict=True):
            assert x.dtype == y.dtype
            np.testing.assert_allclose(y, x, rtol=1e-6)


def test_a_graph_with_checkpoints_dies_with_its_end():
    gc.collect()
    gc.disable()
    try:
        x = tg.Tensor(np.ones(3))
        y = checkpoint(np.tanh)(x)
        J = np.sum(y)
        J.backward()
        before = len(gc.get_objects())
        del y, J
        assert gc.collect() == 0
        assert len(gc.get_objects()) < before
    finally:
        gc.enable()


# ---- what a function does besides computing --------------------------------------------------
def block(rng):
    return nn.Sequential(
        nn.Linear(3, 4, rng=np.random.default_rng(0)), nn.BatchNorm1d(4), nn.ReLU(),
        nn.Dropout(0.5, rng=rng), nn.Linear(4, 4, rng=np.random.default_rng(1)), nn.Tanh(),
        nn.Dropout(0.2, rng=rng),
    )  # fmt: skip


def trained(wrap):
    """A net of two blocks after two steps: its numbers, and where its generator is then."""
    rng = np.random.default_rng(5)
    first, second = block(rng), nn.Sequential(nn.Linear(4, 3, rng=rng), block(rng))
    X = np.random.default_rng(2).normal(size=(3, 8))
    parameters = list(nn.parameters([first, second]).values())
    descent = tg.optim.SGD(parameters, lr=0.1)
    for _ in range(2):
        J = np.mean(wrap(lambda x: second(first(x)), wrap(lambda x: x, X)) ** 2)
        J.backward()
        gradients = [p.grad for p in parameters]
        descent.step()
        descent.zero_grad()
    state = [t.data for t in nn.buffers([first, second]).values()]
    return [*gradients, *state, rng.random(3)]


@pytest.mark.parametrize("nested", [False, True])
def test_layers_with_state_and_masks_are_what_they_are_without_it(nested):
    plainly = trained(lambda f, x: f(x))
    calls = checkpoint if not nested else lambda f: checkpoint(lambda x: checkpoint(f)(x) * 1.0)
    for a, b in zip(plainly, trained(lambda f, x: calls(f)(x)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


def test_what_a_second_run_assigns_is_taken_back_even_if_it_fails():
    count = tg.Tensor([0.0], requires_grad=False)
    W = tg.Tensor([2.0, 3.0])

    def counting(x):
        count.data = count.data + 1
        if count.data > 1:
            raise RuntimeError("twice")
        return W * x

    y = checkpoint(counting)(np.ones(2))
    with pytest.raises(RuntimeError, match="twice"):
        np.sum(y).backward()
    assert count.data.tolist() == [1]


def test_a_generator_may_be_an_argument():
    x = tg.Tensor(np.ones(8))

    def noisy(x, rng):
        return nn.dropout(x * rng.random(8), 0.5, rng=rng) * rng.random(8)

    results = []
    for f in (noisy, checkpoint(noisy)):
        rng = np.random.default_rng(3)
        y = f(x, rng)
        results.append(
            [
                y.data,
                tg.grad(np.sum(y), x),
                tg.func.hvp(
                    lambda x, f=f: np.sum(f(x, np.random.default_rng(3)) ** 3),
                    np.ones(8),
                    np.ones(8),
                ),
                rng.random(2),
            ]
        )
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_is_done_to_data_in_place_is_done_once():
    seen, count = tg.Tensor([1.0, 1.0]), tg.Tensor([0.0], requires_grad=False)

    def f(x):
        seen.data *= 0.5
        count.data[0] += 1
        return np.sum(np.tanh(x) ** 2)

    x = np.array([0.3, -0.2])
    assert hessian(lambda x: checkpoint(f)(x))(x).shape == (2, 2)
    assert (seen.data.tolist(), count.data.tolist()) == ([0.5, 0.5], [1.0])
    y = tg.Tensor(x)
    checkpoint(lambda y: checkpoint(f)(y * 2))(y).backward()
    assert (seen.data.tolist(), count.data.tolist()) == ([0.25, 0.25], [2.0])
    np.testing.assert_allclose(y.grad, 2 * grad(lambda x: np.sum(np.tanh(x) ** 2))(2 * x))
