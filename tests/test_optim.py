"""Optimisers: against PyTorch's, and what they do with their numbers and parameters."""

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn import optim

KINDS = {
    "SGD": (optim.SGD, {}, {}),
    "Momentum": (optim.Momentum, {"beta": 0.8}, {"momentum": 0.8}),
    "RMSProp": (optim.RMSProp, {"beta": 0.9, "eps": 1e-3}, {"alpha": 0.9, "eps": 1e-3}),
    "Adam": (
        optim.Adam,
        {"beta1": 0.8, "beta2": 0.95, "eps": 1e-3},
        {"betas": (0.8, 0.95), "eps": 1e-3},
    ),
    "AdamW": (
        optim.AdamW,
        {"beta1": 0.8, "beta2": 0.95, "eps": 1e-3},
        {"betas": (0.8, 0.95), "eps": 1e-3},
    ),
}


def parameters(dtype="float64"):
    rng = np.random.default_rng(1)
    shapes = {"W": (3, 2), "b": (3, 1), "scale": ()}
    return {n: tg.Tensor(rng.standard_normal(s).astype(dtype), name=n) for n, s in shapes.items()}


def gradients(step, given):
    rng = np.random.default_rng(100 + step)
    return {n: rng.standard_normal(p.shape).astype(p.dtype) for n, p in given.items()}


@pytest.mark.parametrize("decay", [None, 0.3])
@pytest.mark.parametrize("name", KINDS)
def test_as_pytorch(name, decay):
    torch = pytest.importorskip("torch")
    kind, ours, theirs = KINDS[name]
    given = parameters()
    tensors = {n: torch.tensor(p.data.copy(), requires_grad=True) for n, p in given.items()}
    peer = {"Momentum": "SGD", "RMSProp": "RMSprop"}.get(name, name)
    descent = kind(given, lr=0.05, weight_decay=decay, **ours)
    other = getattr(torch.optim, peer)(tensors.values(), lr=0.05, weight_decay=decay or 0, **theirs)
    for step in range(20):
        if step == 10:  # numbers may be changed between steps
            descent.lr = other.param_groups[0]["lr"] = 0.01
        for n, g in gradients(step, given).items():
            given[n].grad, tensors[n].grad = g, torch.tensor(g)
        descent.step()
        other.step()
    for n, p in given.items():
        assert p.data == pytest.approx(tensors[n].detach().numpy(), rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("name", KINDS)
def test_in_place_and_float32_stays(name):
    kind, ours, _ = KINDS[name]
    given = parameters("float32")
    arrays = {n: p.data for n, p in given.items()}
    descent = kind(given, lr=0.05, weight_decay=0.1, **ours)
    for step in range(3):
        for n, g in gradients(step, given).items():
            given[n].grad = g
        before = {n: g.copy() for n, g in gradients(step, given).items()}
        descent.step()
        for n, p in given.items():
            assert p.data is arrays[n]
            assert p.dtype == np.float32
            assert np.array_equal(p.grad, before[n])  # the gradient is left as it was


@pytest.mark.parametrize("name", KINDS)
def test_a_parameter_without_gradient_stays(name):
    kind, ours, _ = KINDS[name]
    given = parameters()
    before = given["W"].data.copy()
    descent = kind(given, lr=0.05, weight_decay=0.1, **ours)
    given["b"].grad = np.ones((3, 1))
    descent.step()
    assert np.array_equal(given["W"].data, before)
    assert not np.array_equal(given["b"].data, parameters()["b"].data)


@pytest.mark.parametrize("name", KINDS)
def test_a_step_makes_graphs_of_the_old_data_stale(name):
    kind, ours, _ = KINDS[name]
    W = tg.Tensor([1.0, 2.0], name="W")
    J = np.sum(W**2)
    J.backward()
    kind([W], lr=0.1, **ours).step()
    with pytest.raises(tg.errors.ChangedDataError, match="W"):
        J.backward()


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_descends(name):
    kind, ours, _ = KINDS[name]
    W = tg.Tensor([3.0, -2.0])
    descent = kind([W], lr=0.05, **ours)
    for _ in range(300):
        descent.zero_grad()
        np.sum((W - [1.0, 1.0]) ** 2).backward()
        descent.step()
    assert W.data == pytest.approx(np.ones(2), abs=0.1)


def test_the_course_s_momentum_is_the_same_with_another_learning_rate():
    W, averaged, v = tg.Tensor([1.0]), 1.0, 0.0
    descent = optim.Momentum([W], lr=0.1 * (1 - 0.9), beta=0.9)
    for _ in range(5):
        W.grad = 2 * W.data
        v = 0.9 * v + 0.1 * (2 * averaged)
        averaged -= 0.1 * v
        descent.step()
    assert float(W.data[0]) == pytest.approx(averaged, rel=1e-12)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda W: optim.SGD([W], lr=0), ValueError, "SGD: lr must be a positive number, got 0"),
        (lambda W: optim.Adam([]), ValueError, "Adam was given no parameters"),
        (lambda W: optim.Adam([W.data]), TypeError, "Adam learns Tensors that require a gradient"),
        (
            lambda W: optim.Momentum([W], lr=1, beta=1.0),
            ValueError,
            "Momentum: beta must be at least 0 and less than 1, got 1.0",
        ),
        (
            lambda W: optim.AdamW([W], weight_decay=-1.0),
            ValueError,
            "AdamW: weight_decay must not be negative, got -1.0",
        ),
        (
            lambda W: optim.RMSProp([tg.Tensor([1j], name="c")]),
            TypeError,
            r"RMSProp squares gradients and so learns real numbers, but c is complex128",
        ),
    ],
)
def test_messages(build, error, message):
    with pytest.raises(error, match=message):
        build(tg.Tensor([1.0]))


def test_a_schedule_drives_fit():
    rng = np.random.default_rng(0)
    net = tg.nn.Sequential.from_layer_dims([2, 1], rng=rng)
    descent = optim.SGD(net.parameters(), lr=1.0)
    rates = []
    schedule = optim.Schedule(descent, optim.warmup(optim.cosine(0.4, 2, lowest=0.2), 2))
    tg.fit(
        net,
        rng.random((2, 8)),
        np.ones((1, 8)),
        loss=tg.nn.binary_cross_entropy,
        optimizer=descent,
        epochs=5,
        callbacks=[lambda epoch, history: rates.append(descent.lr), schedule],
    )
    assert rates == pytest.approx([0.2, 0.4, 0.4, 0.3, 0.2])


@pytest.mark.parametrize("decay", [None, 0.1])
@pytest.mark.parametrize("name", KINDS)
def test_replayed_steps_are_the_same_numbers_also_after_changes_of_the_rate(name, decay):
    kind, ours, _ = KINDS[name]
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((3, 16)), (rng.random((1, 16)) < 0.5).astype(float)
    arrived = []
    for replayed in (False, True):
        net = tg.nn.Sequential.from_layer_dims([3, 4, 1], rng=np.random.default_rng(1))
        descent = kind(net.parameters(), lr=0.1, weight_decay=decay, **ours)
        schedule = optim.Schedule(descent, optim.exponential(0.1, 0.5))

        def step(X, Y, net=net, descent=descent):
            descent.zero_grad()
            J = tg.nn.binary_cross_entropy(net(X), Y)
            J.backward()
            descent.step()
            return J

        step = tg.jit(step, native=False) if replayed else step
        for _ in range(6):
            step(X, Y)
            schedule.step()
        arrived.append([p.data for p in net.parameters().values()])
    for eager, replay in zip(*arrived, strict=True):
        assert np.array_equal(eager, replay)
