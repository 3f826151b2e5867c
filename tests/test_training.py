"""Optimisers, mini-batches and the training loop."""

import re

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn import nn, optim
from tinygrad_dnn.errors import DimensionError, GradientMismatchError
from tinygrad_dnn.primitives import RULES
from tinygrad_dnn.training import Training, accuracy, batches


def blobs(m=120, seed=0):
    rng = np.random.default_rng(seed)
    Y = rng.integers(0, 2, (1, m))
    return rng.standard_normal((2, m)) + 3 * Y, Y


def network(seed=0):
    return nn.Sequential.from_layer_dims([2, 6, 1], rng=np.random.default_rng(seed))


def test_a_step_of_descent_is_W_minus_lr_dW():
    W = tg.Tensor([[1.0, -2.0]])
    descent = optim.SGD({"W": W}, lr=0.1)
    np.sum(W**2).backward()
    descent.step()
    np.testing.assert_allclose(W.data, [[0.8, -1.6]], rtol=1e-15)
    descent.zero_grad()
    assert W.grad is None
    descent.step()
    np.testing.assert_allclose(W.data, [[0.8, -1.6]], rtol=1e-15)


def test_descent_reads_its_learning_rate_at_every_step():
    W = tg.Tensor([1.0])
    descent = optim.SGD([W], lr=0.5)
    np.sum(W).backward()
    descent.step()
    descent.lr = 0.25
    descent.step()
    assert W.data[0] == 0.25


def test_walking_back_through_a_graph_older_than_the_step_is_refused():
    net, (X, Y) = network(), blobs()
    descent = optim.SGD(net.parameters(), lr=0.1)
    J = nn.binary_cross_entropy(net(X), Y)
    J.backward()
    descent.step()
    with pytest.raises(RuntimeError, match="needs the data of W2"):
        J.backward()


@pytest.mark.parametrize(
    ("parameters", "lr", "error", "said"),
    [
        ([], 0.1, ValueError, "no parameters"),
        ([np.ones(2)], 0.1, TypeError, "learns Tensors that require a gradient"),
        ([tg.Tensor([1.0], requires_grad=False)], 0.1, TypeError, "require a gradient"),
        ([tg.Tensor([1.0])], -1, ValueError, "lr must be a positive number, got -1"),
        ([tg.Tensor([1.0])], float("nan"), ValueError, "lr must be a positive number"),
    ],
)
def test_unusable_optimisers_are_refused(parameters, lr, error, said):
    with pytest.raises(error, match=said):
        optim.SGD(parameters, lr=lr)


def test_batches_hold_every_example_once():
    X = np.arange(20.0).reshape(2, 10)
    seen = list(batches(X, X[0], 4, rng=np.random.default_rng(0)))
    assert [x.shape[1] for x, _ in seen] == [4, 3, 3]
    assert sorted(np.concatenate([y for _, y in seen])) == sorted(X[0])
    for x, y in seen:
        np.testing.assert_array_equal(x[0], y)


def test_batches_refuse_data_that_does_not_belong_together():
    with pytest.raises(ValueError, match=re.escape("X is (2, 10) but Y is (1, 9)")):
        next(batches(np.ones((2, 10)), np.ones((1, 9)), 4))
    with pytest.raises(ValueError, match="got batch_size=0"):
        next(batches(np.ones((2, 10)), np.ones((1, 10)), 0))


def test_a_weight_listed_twice_takes_one_step():
    W = tg.Tensor([1.0])
    descent = optim.SGD([W, W], lr=0.1)
    (W * 1.0).sum().backward()
    descent.step()
    np.testing.assert_allclose(W.data, [0.9], rtol=1e-15)


@pytest.mark.parametrize(
    ("X", "Y", "said"),
    [
        (np.ones((2, 0)), np.ones((1, 0)), "m >= 1 columns"),
        (np.ones(3), np.ones((1, 3)), re.escape("X is (3,)")),
        (np.ones((2, 3)), np.ones((1, 4)), "both need the same m"),
    ],
)
def test_fit_says_what_is_wrong_with_the_data(X, Y, said):
    net = network()
    descent = optim.SGD(net.parameters(), lr=0.1)
    with pytest.raises(ValueError, match=said):
        tg.fit(net, X, Y, loss=nn.binary_cross_entropy, optimizer=descent, epochs=1)
    with pytest.raises(ValueError, match="epochs must be at least 1, got 0"):
        tg.fit(net, X, Y, loss=nn.binary_cross_entropy, optimizer=descent, epochs=0)


def test_fit_takes_lists():
    net = network()
    descent = optim.SGD(net.parameters(), lr=0.1)
    history = tg.fit(
        net,
        [[0.5, 1.0], [0.2, -1.0]],
        [[1, 0]],
        loss=nn.binary_cross_entropy,
        optimizer=descent,
        epochs=2,
    )
    assert len(history) == 2


def test_fit_learns_and_remembers():
    (X, Y), (Xv, Yv) = blobs(), blobs(seed=1)
    net = network()
    told = []
    history = tg.fit(
        net,
        X,
        Y,
        loss=nn.binary_cross_entropy,
        optimizer=optim.SGD(net.parameters(), lr=0.3),
        epochs=30,
        batch_size=32,
        validation_data=(Xv, Yv),
        callbacks=[lambda epoch, history: told.append((epoch, len(history)))],
    )
    assert told == [(i, i) for i in range(1, 31)]
    assert len(history) == len(history.validation_cost) == 30
    assert history.cost[-1] < history.cost[0] / 2
    assert history.validation_accuracy[-1] > 0.9
    assert history.last()["accuracy"] == history.accuracy[-1]


def test_full_batch_fit_is_the_loop_one_writes_by_hand():
    X, Y = blobs()
    net, by_hand = network(), network()
    history = tg.fit(
        net,
        X,
        Y,
        loss=nn.binary_cross_entropy,
        optimizer=optim.SGD(net.parameters(), lr=0.1),
        epochs=7,
    )
    costs = []
    for _ in range(7):
        J = nn.binary_cross_entropy(by_hand(X), Y)
        costs.append(float(J))
        for p, d in zip(
            by_hand.parameters().values(), tg.grad(J, by_hand.parameters().values()), strict=True
        ):
            p.data -= 0.1 * d
    np.testing.assert_allclose(history.cost, costs, rtol=1e-14)  # the native executor rounds
    for ours, theirs in zip(net.parameters().values(), by_hand.parameters().values(), strict=True):
        np.testing.assert_allclose(ours.data, theirs.data, rtol=1e-13)


def test_a_step_that_cannot_be_replayed_is_computed_anew_and_the_reason_logged(caplog):
    X, Y = blobs()
    costs = []

    def loss(A, Y):
        J = nn.binary_cross_entropy(A, Y)
        costs.append(float(J))
        return J

    net = network()
    descent = optim.SGD(net.parameters(), lr=0.1)
    with caplog.at_level("INFO", logger="tinygrad_dnn"):
        history = tg.fit(net, X, Y, loss=loss, optimizer=descent, epochs=3)
    assert history.cost == costs
    (record,) = caplog.records
    assert "computes every step anew" in record.message
    assert "asks for a number" in record.message


def test_layers_with_a_mode_rest_on_the_hold_out_set():
    rng = np.random.default_rng(0)
    net = nn.Sequential(
        nn.Linear(2, 8, rng=rng), nn.ReLU(), nn.Dropout(0.5, rng=rng), nn.Linear(8, 1, rng=rng)
    )
    net.eval()
    modes = []
    seen = lambda A, Y: modes.append(net.layers[2].training) or nn.mean_squared_error(A, Y)
    X, Y = blobs()
    descent = optim.SGD(net.parameters(), lr=0.01)
    tg.fit(net, X, Y, loss=seen, optimizer=descent, epochs=2, validation_data=(X, Y), replay=False)
    assert modes == [True, False, True, False]


def test_a_callback_can_stop_the_training():
    net, (X, Y) = network(), blobs()
    history = tg.fit(
        net,
        X,
        Y,
        loss=nn.binary_cross_entropy,
        optimizer=optim.SGD(net.parameters(), lr=0.1),
        epochs=50,
        callbacks=[lambda epoch, history: epoch == 3],
    )
    assert len(history) == 3


def test_accuracy_counts_classes():
    assert accuracy(np.array([[0.2, 0.9]]), np.array([[0, 0]])) == 0.5
    A = np.array([[0.2, 0.9], [0.8, 0.1]])
    assert accuracy(A, np.array([1, 0])) == 1
    assert accuracy(tg.Tensor(A), nn.one_hot([1, 1], 2)) == 0.5
    with pytest.raises(ValueError, match=re.escape("A is (1, 2) but Y is (2,)")):
        accuracy(np.array([[0.2, 0.9]]), np.array([0, 0]))


def test_the_history_draws_itself():
    pytest.importorskip("matplotlib")
    net, (X, Y) = network(), blobs()
    history = tg.fit(
        net,
        X,
        Y,
        loss=nn.binary_cross_entropy,
        optimizer=optim.SGD(net.parameters(), lr=0.1),
        epochs=5,
        validation_data=(X, Y),
    )
    training, hold_out = history.plot().get_lines()
    np.testing.assert_array_equal(training.get_ydata(), history.cost)
    np.testing.assert_array_equal(hold_out.get_ydata(), history.validation_cost)


# ---- examples that are no columns ------------------------------------------------------------
@pytest.mark.parametrize(
    "shape", [(3, 12), (5, 3, 12), (12, 2, 5), (12, 2, 4, 4), (12, 1, 4, 4, 4)]
)
def test_batches_of_every_kind_of_data_keep_examples_and_targets_together(shape):
    axis = shape.index(12)
    numbers = np.arange(12).reshape([-1 if i == axis else 1 for i in range(len(shape))])
    X, Y = np.broadcast_to(numbers, shape), np.arange(12)
    seen = []
    for x, y in batches(X, Y, 5, rng=np.random.default_rng(0)):
        assert x.shape == tuple(y.size if i == axis else n for i, n in enumerate(shape))
        assert (np.moveaxis(x, axis, -1) == y).all()
        seen += y.tolist()
    assert sorted(seen) == list(range(12))


def test_data_that_may_be_two_things_is_refused():
    with pytest.raises(DimensionError, match=r"may be sequences \(T, n, m\) or signals"):
        next(batches(np.ones((4, 3, 4)), np.ones(4), 2))
    with pytest.raises(DimensionError, match="the same m >= 1 columns"):
        next(batches(np.ones((4, 4, 5)), np.ones(3), 2))


def test_sequences_and_volumes_are_fitted():
    rng = np.random.default_rng(0)
    for layers, X in (
        ([nn.LSTM(3, 4, rng=rng), nn.Linear(4, 1, rng=rng)], rng.normal(size=(5, 3, 16))),
        ([nn.Conv3d(1, 2, 3, rng=rng), nn.ReLU(), nn.Flatten(), nn.Linear(16, 1, rng=rng)],
         rng.normal(size=(16, 1, 4, 4, 4))),
    ):  # fmt: skip
        net = nn.Sequential(*layers, nn.Sigmoid())
        descent = tg.optim.SGD(net.parameters(), lr=0.5)
        Y = rng.integers(0, 2, (1, 16))
        history = tg.fit(net, X, Y, loss=nn.binary_cross_entropy, optimizer=descent, epochs=30,
                         batch_size=4, validation_data=(X, Y))  # fmt: skip
        assert history.cost[-1] < 0.9 * history.cost[0]


def test_gradients_are_checked_while_training(monkeypatch):
    net, (X, Y) = network(), blobs()
    train = lambda **how: tg.fit(
        net, X, Y, loss=nn.binary_cross_entropy, optimizer=optim.SGD(net.parameters(), lr=0.1),
        epochs=4, **how,
    )  # fmt: skip
    before = {name: p.grad for name, p in net.parameters().items()}
    assert all(g is None for g in before.values())
    assert len(train(check_grads_every=2)) == 4
    rule = RULES[np.add]
    monkeypatch.setattr(rule, "vjps", (lambda g, *_: 1.01 * g, *rule.vjps[1:]))
    epochs = []
    with pytest.raises(GradientMismatchError, match=r"dW1 .* WRONG"):
        train(check_grads_every=3, callbacks=[lambda epoch, history: epochs.append(epoch)])
    assert epochs == [1, 2, 3]
    with pytest.raises(ValueError, match="check_grads_every must be at least 1, got 0"):
        train(check_grads_every=0)


def trained(epochs, loss=nn.binary_cross_entropy, replay=True, **options):
    net, (X, Y) = network(), blobs()
    descent = optim.Momentum(net.parameters(), lr=0.1)
    history = tg.fit(
        net, X, Y, loss=loss, optimizer=descent, epochs=epochs, replay=replay, **options
    )
    return net, history


@pytest.mark.parametrize("loss", [nn.binary_cross_entropy, nn.mean_squared_error])
@pytest.mark.parametrize("replay", [True, False])
def test_epochs_that_nobody_looks_at_are_those_that_a_callback_sees(loss, replay, monkeypatch):
    monkeypatch.setattr("tinygrad_dnn.training.training.TOGETHER", 7 * 120 * 8)  # 7 at once
    net, history = trained(30, loss, replay)
    other, seen = trained(30, loss, replay, callbacks=[lambda epoch, history: None])
    assert history == seen
    assert len(history) == 30
    for W, V in zip(net.parameters().values(), other.parameters().values(), strict=True):
        np.testing.assert_array_equal(W.data, V.data)


def test_a_step_that_cannot_be_recorded_is_taken_anew_for_every_epoch():
    net, (X, Y) = network(), blobs()
    descent = optim.SGD(net.parameters(), lr=0.1)

    def loss(A, Y):
        J = nn.binary_cross_entropy(A, Y)
        return J if float(J) > 0 else -J  # an if on data

    history = tg.fit(net, X, Y, loss=loss, optimizer=descent, epochs=9)
    _, expected = trained(1)
    assert len(history) == 9
    assert history.cost[0] == expected.cost[0]
    assert history.cost[-1] < history.cost[0]


@pytest.mark.parametrize("options", [{}, {"batch_size": 50}], ids=str)
def test_a_training_goes_on_where_it_stopped(options):
    def made():
        net, (X, Y) = network(), blobs()
        descent = optim.Adam(net.parameters())
        loss = nn.binary_cross_entropy
        return Training(net, X, Y, loss=loss, optimizer=descent, **options)

    once, twice = made(), made()
    once.run(20)
    twice.run(5)
    assert twice.run(15) is twice.history
    assert once.history == twice.history
    assert len(twice.history) == 20


def test_classes_by_number_are_counted_in_every_epoch():
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((2, 60)), rng.integers(0, 3, 60)
    found = []
    for Y_ in (Y, nn.one_hot(Y, 3)):
        dims = [2, 5, 3]
        net = nn.Sequential.from_layer_dims(dims, output="softmax", rng=np.random.default_rng(0))
        descent = optim.SGD(net.parameters(), lr=0.1)
        found.append(tg.fit(net, X, Y_, loss=nn.cross_entropy, optimizer=descent, epochs=12))
    assert found[0].accuracy == found[1].accuracy
    assert len(found[0].accuracy) == 12
    assert found[0].accuracy[-1] == accuracy_before_the_last_step(X, Y)


def accuracy_before_the_last_step(X, Y):
    net = nn.Sequential.from_layer_dims([2, 5, 3], output="softmax", rng=np.random.default_rng(0))
    descent = optim.SGD(net.parameters(), lr=0.1)
    tg.fit(net, X, Y, loss=nn.cross_entropy, optimizer=descent, epochs=11)
    return accuracy(net(X), Y)
