"""Layers beyond Linear: their modes and state, their dtypes, and what they learn."""

import re

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn import nn


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


# ---- by hand ---------------------------------------------------------------------------------
def test_a_convolution_slides_the_kernel_without_flipping_it():
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    W = np.array([[[[1.0, 0.0], [0.0, -2.0]]]])
    out = nn.conv2d(x, W)[0, 0]
    for i in range(3):
        for j in range(3):
            assert out[i, j] == x[0, 0, i, j] - 2 * x[0, 0, i + 1, j + 1]


def test_grouped_channels_do_not_see_each_other():
    x, W = normal(1, 4, 5, 5), normal(6, 2, 3, 3)
    whole = nn.conv2d(x, W, groups=2)
    halves = [nn.conv2d(x[:, :2], W[:3]), nn.conv2d(x[:, 2:], W[3:])]
    np.testing.assert_allclose(whole, np.concatenate(halves, axis=1), rtol=1e-13)


@pytest.mark.parametrize(
    ("kernel", "shares"),
    [(2, [[0.25, 0.25, 0, 0], [0.25, 0.25, 0, 1], [0, 0, 0.5, 0.5], [1, 0, 0, 0]]),
     (4, [[0, 0, 0, 0], [0, 0, 0, 0.5], [0, 0, 0, 0], [0.5, 0, 0, 0]])],
)  # fmt: skip
def test_entries_that_tie_in_a_window_share_its_derivative(kernel, shares):
    x = np.array([[1.0, 1, 0, 0], [1, 1, 0, 9], [0, 3, 2, 2], [9, 0, 1, 1]])
    shape = (1, 1, 4, 4)
    d = tg.func.grad(lambda x: np.sum(nn.max_pool2d(x, kernel)))(x.reshape(shape))
    np.testing.assert_array_equal(d.reshape(4, 4), shares)


@pytest.mark.filterwarnings("error")
def test_a_window_with_nan_in_it():
    x = np.array([[[1.0, np.nan, 3.0, 2.0]]])
    value, places = nn.max_pool1d(x, 2, return_indices=True)
    np.testing.assert_array_equal(value, [[[np.nan, 3.0]]])
    assert places.tolist() == [[[1, 2]]]
    d = tg.func.grad(lambda x: np.sum(nn.max_pool1d(x, 2)))(x)
    np.testing.assert_array_equal(d, [[[0, 0, 1, 0]]])


def test_layers_of_whole_numbers():
    x = np.arange(16).reshape(1, 1, 4, 4)
    assert nn.max_pool2d(x, 2, padding=1)[0, 0].tolist() == [[0, 2, 3], [8, 10, 11], [12, 14, 15]]
    dropped = nn.dropout(np.ones(100, int), 0.2, rng=np.random.default_rng(0))
    assert set(dropped) == {0.0, 1.25}


def test_padding_never_wins():
    np.testing.assert_array_equal(
        nn.max_pool2d(-np.ones((1, 1, 2, 2)), 2, padding=1), -np.ones((1, 1, 2, 2))
    )
    d = tg.func.grad(lambda x: np.sum(nn.max_pool2d(x, 2, padding=1)))(-np.ones((1, 1, 2, 2)))
    np.testing.assert_array_equal(d, np.ones((1, 1, 2, 2)))


def test_an_autoencoder_that_remembers_where_its_largest_entries_were(rng):
    pool, unpool = nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)
    encoder, decoder = nn.Conv2d(1, 3, 3, padding=1, rng=rng), nn.Conv2d(3, 1, 1, rng=rng)
    x = normal(2, 1, 5, 6)

    def cost():
        z = encoder(x)
        small, places = pool(z)
        return np.mean((decoder(unpool(small, places, output_size=(5, 6))) - x) ** 2)

    report = tg.check_parameters(cost, nn.parameters([encoder, decoder]))
    assert report, str(report)


def test_flatten_makes_columns_and_unflatten_undoes_it():
    x = normal(5, 3, 2, 4)
    columns = nn.Flatten()(x)
    assert columns.shape == (24, 5)
    np.testing.assert_array_equal(columns[:, 2], x[2].ravel())
    np.testing.assert_array_equal(nn.Unflatten((3, 2, 4))(columns), x)


def test_zeros_have_no_direction_but_no_nan_either():
    value, d = tg.func.value_and_grad(lambda x: np.sum(nn.l2_normalize(x)))(np.zeros((3, 1)))
    assert value == 0
    assert np.all(np.isfinite(d))


def test_gru_and_lstm_forget_what_their_gates_shut_out():
    n, m = 2, 3
    x, h, c = normal(1, m), normal(n, m, seed=1), normal(n, m, seed=2)
    shut = -1e3 * np.ones((n, 1))
    W, U = np.zeros((4 * n, 1)), np.zeros((4 * n, n))
    b = np.concatenate([shut, -shut, np.ones((n, 1)), -shut])  # i = 0, f = 1, g, o = 1
    new_h, new_c = nn.lstm_step(x, h, c, W, U, b)
    np.testing.assert_allclose(new_c, c, rtol=1e-15)
    np.testing.assert_allclose(new_h, np.tanh(c), rtol=1e-15)
    W, U, zeros = np.zeros((3 * n, 1)), np.zeros((3 * n, n)), np.zeros((3 * n, 1))
    keep = np.concatenate([zeros[:n], -shut, zeros[:n]])  # z = 1
    np.testing.assert_allclose(nn.gru_step(x, h, W, U, keep, zeros), h, rtol=1e-15)


# ---- dropout ---------------------------------------------------------------------------------
def test_dropout_keeps_the_mean_and_switches_off_the_share_it_was_told():
    p, n = 0.3, 200_000
    out = nn.dropout(np.ones(n), p, rng=np.random.default_rng(0))
    assert set(np.unique(out)) == {0.0, 1 / (1 - p)}
    off = np.mean(out == 0)
    assert abs(off - p) <= 5 * np.sqrt(p * (1 - p) / n)


def test_the_derivative_of_dropout_is_its_mask(rng):
    x = tg.Tensor(normal(4, 5))
    out = nn.dropout(x, 0.5, rng=rng)
    out.backward(np.ones((4, 5)))
    np.testing.assert_array_equal(x.grad, np.where(out.data == 0, 0, 2.0))
    x.grad = None
    out.backward(np.ones((4, 5)))  # the same walk again draws nothing
    np.testing.assert_array_equal(x.grad, np.where(out.data == 0, 0, 2.0))


def test_dropout_draws_anew_each_time_and_the_same_from_the_same_generator():
    a, b = (nn.Dropout(0.5, rng=np.random.default_rng(7)) for _ in range(2))
    x = np.ones((10, 10))
    first, second = a(x), a(x)
    assert (first != second).any()
    np.testing.assert_array_equal(b(x), first)


@pytest.mark.parametrize("p", [-0.1, 1.0, 1.5])
def test_a_probability_out_of_range_is_refused(rng, p):
    with pytest.raises(ValueError, match=r"must be in \[0, 1\)"):
        nn.Dropout(p, rng=rng)
    with pytest.raises(ValueError, match=r"must be in \[0, 1\)"):
        nn.dropout(np.ones(3), p, rng=rng)


# ---- modes and state -------------------------------------------------------------------------
def test_train_and_eval_reach_every_layer_with_a_mode(rng):
    class Mine:
        def __init__(self):
            self.parts = {"drop": nn.Dropout(0.5, rng=rng), "norm": [nn.BatchNorm1d(3)]}

        def __call__(self, A):
            return self.parts["norm"][0](self.parts["drop"](A))

    net = nn.Sequential(nn.Linear(3, 3, rng=rng), nn.Sequential(nn.Dropout(0.1, rng=rng)), Mine())
    drop, mine = net.layers[1], net.layers[2]
    moded = [drop, mine.parts["drop"], mine.parts["norm"][0]]
    assert net.eval() is net
    assert [layer.training for layer in moded] == [False] * 3
    X = normal(3, 4)
    np.testing.assert_array_equal(net(X).data, net(X).data)
    assert net.train() is net
    assert [layer.training for layer in moded] == [True] * 3
    assert list(net.buffers()) == ["layer2.parts.norm.0.mean", "layer2.parts.norm.0.variance"]
    assert "layer2.parts.norm.0.gamma" in net.parameters()
    nn.set_training(mine, False)
    assert [layer.training for layer in moded] == [True, False, False]


def test_buffers_are_no_parameters(rng):
    net = nn.Sequential(nn.Linear(3, 4, rng=rng), nn.BatchNorm1d(4), nn.ReLU())
    assert list(net.parameters()) == ["W1", "b1", "gamma2", "beta2"]
    assert list(net.buffers()) == ["mean2", "variance2"]
    assert [b.name for b in net.buffers().values()] == ["mean2", "variance2"]
    assert list(nn.buffers({"a": net})) == ["a.mean2", "a.variance2"]
    assert list(nn.parameters({"a": net}))[-1] == "a.beta2"


def test_a_summary_leaves_state_and_generators_alone(rng):
    drops = np.random.default_rng(3)
    net = nn.Sequential(nn.Linear(3, 4, rng=rng), nn.BatchNorm1d(4), nn.Dropout(0.5, rng=drops))
    text = net.summary(normal(3, 1))  # one example is too few to train batch norm on
    assert re.search(r"2 +BatchNorm1d\(4\) +gamma2 \(4, 1\), beta2 \(4, 1\) +Z2 \(4, 1\) +8", text)
    assert re.search(r"2 +Dropout\(0.5\) +A2 \(4, 1\)", text)
    np.testing.assert_array_equal(net.buffers()["mean2"].data, np.zeros((4, 1)))
    assert drops.random() == np.random.default_rng(3).random()
    assert net.layers[1].training


def test_a_summary_of_a_network_of_convolutions(rng):
    net = nn.Sequential(
        nn.Unflatten((1, 6, 6)), nn.Conv2d(1, 4, 3, stride=2, rng=rng), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4, 2, rng=rng), nn.Softmax(),
    )  # fmt: skip
    text = net.summary(normal(36, 5))
    assert re.search(r"1 +Unflatten\(\(1, 6, 6\)\) +\(5, 1, 6, 6\)", text)
    assert re.search(
        r"1 +Conv2d\(1 -> 4, 3x3, stride=2\) +W1 .* b1 \(4, 1, 1\) +Z1 \(5, 4, 2, 2\) +40", text
    )
    assert re.search(r"1 +Flatten\(\) +A1 \(4, 5\)", text)
    assert re.search(r"all parameters +50", text)


def test_the_gradient_of_a_network_with_every_kind_of_layer(rng):
    net = nn.Sequential(
        nn.Unflatten((2, 4, 4)),
        nn.Conv2d(2, 4, 3, padding=1, groups=2, rng=rng), nn.BatchNorm2d(4), nn.Tanh(),
        nn.AvgPool2d(2), nn.ConvTranspose2d(4, 2, 2, rng=rng), nn.GroupNorm(1, 2), nn.Flatten(),
        nn.Linear(18, 5, rng=rng), nn.BatchNorm1d(5), nn.Sigmoid(), nn.LayerNorm(5),
        nn.Linear(5, 3, rng=rng),
    )  # fmt: skip
    X, Y = normal(32, 4), np.array([0, 2, 1, 1])
    report = tg.check_parameters(
        lambda: nn.cross_entropy_with_logits(net(X), Y), net.parameters(), every_entry=False
    )
    assert report, str(report)
    assert {f"d{name}" for name in net.parameters()} <= {row.name for row in report.rows}


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_the_gradient_of_a_network_of_sequences(rng, kind):
    layer = getattr(nn, kind)
    net = nn.Sequential(
        nn.Embedding(7, 3, rng=rng, init="lecun"), layer(3, 4, rng=rng, return_sequences=True),
        layer(4, 2, rng=rng), nn.Linear(2, 2, rng=rng),
    )  # fmt: skip
    X, Y = np.array([[0, 6], [2, 2], [5, 0]]), np.array([1, 0])
    report = tg.check_parameters(
        lambda: nn.cross_entropy_with_logits(net(X), Y), net.parameters(), every_entry=False
    )
    assert report, str(report)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_a_sequence_may_be_a_list(rng, kind):
    layer = getattr(nn, kind)(3, 4, rng=rng, return_sequences=True)
    X = normal(5, 3, 2)
    np.testing.assert_array_equal(layer(list(X)).data, layer(X).data)
    np.testing.assert_array_equal(layer([tg.Tensor(x) for x in X]).data, layer(X).data)
    layer.return_sequences = False
    assert layer(X).shape == (4, 2)


# ---- dtype -----------------------------------------------------------------------------------
F32 = np.float32
FLOAT32 = {
    "Conv1d": (lambda rng: nn.Conv1d(2, 3, 2, rng=rng, dtype=F32), (4, 2, 5)),
    "Conv2d": (lambda rng: nn.Conv2d(2, 3, 2, rng=rng, dtype=F32), (4, 2, 5, 5)),
    "ConvTranspose2d": (lambda rng: nn.ConvTranspose2d(2, 3, 2, rng=rng, dtype=F32), (4, 2, 5, 5)),
    "Conv3d": (lambda rng: nn.Conv3d(2, 3, 2, rng=rng, dtype=F32), (2, 2, 3, 3, 3)),
    "ConvTranspose1d": (lambda rng: nn.ConvTranspose1d(2, 3, 2, rng=rng, dtype=F32), (4, 2, 5)),
    "ConvTranspose3d": (
        lambda rng: nn.ConvTranspose3d(2, 3, 2, rng=rng, dtype=F32), (2, 2, 2, 2, 2),
    ),
    "MaxPool1d": (lambda rng: nn.MaxPool1d(2), (4, 2, 5)),
    "MaxPool3d": (lambda rng: nn.MaxPool3d(2), (2, 2, 4, 4, 4)),
    "AvgPool1d": (lambda rng: nn.AvgPool1d(2), (4, 2, 5)),
    "AvgPool3d": (lambda rng: nn.AvgPool3d(2), (2, 2, 4, 4, 4)),
    "unpooling": (
        lambda rng: lambda x: nn.MaxUnpool2d(2)(*nn.MaxPool2d(2, return_indices=True)(x)),
        (2, 2, 4, 4),
    ),
    "PReLU": (lambda rng: nn.PReLU(4, dtype=F32), (4, 5)),
    "a single slope": (lambda rng: nn.PReLU(dtype=F32), (4, 5, 2)),
    "GLU": (lambda rng: nn.GLU(), (4, 5)),
    "Maxout": (lambda rng: nn.Maxout(2), (4, 5)),
    "LocalResponseNorm": (lambda rng: nn.LocalResponseNorm(3), (4, 5, 2, 2)),
    "BatchNorm of sequences": (lambda rng: nn.BatchNorm1d(2, dtype=F32), (4, 2, 5)),
    "BatchNorm3d": (lambda rng: nn.BatchNorm3d(2, dtype=F32), (4, 2, 2, 2, 2)),
    "MaxPool2d": (lambda rng: nn.MaxPool2d(2, padding=1), (4, 2, 5, 5)),
    "AvgPool2d": (lambda rng: nn.AvgPool2d(2), (4, 2, 5, 5)),
    "GlobalAvgPool2d": (lambda rng: nn.GlobalAvgPool2d(), (4, 2, 5, 5)),
    "BatchNorm1d": (lambda rng: nn.BatchNorm1d(4, dtype=F32), (4, 5)),
    "resting": (lambda rng: nn.Sequential(nn.BatchNorm1d(4, dtype=F32)).eval(), (4, 5)),
    "BatchNorm2d": (lambda rng: nn.BatchNorm2d(2, dtype=F32), (4, 2, 5, 5)),
    "LayerNorm": (lambda rng: nn.LayerNorm(4, dtype=F32), (4, 5)),
    "GroupNorm": (lambda rng: nn.GroupNorm(2, 4, dtype=F32), (3, 4, 2, 2)),
    "Dropout": (lambda rng: nn.Dropout(0.5, rng=rng), (4, 5)),
    "RNN": (lambda rng: nn.RNN(2, 3, rng=rng, dtype=F32), (4, 2, 5)),
    "LSTM": (lambda rng: nn.LSTM(2, 3, rng=rng, dtype=F32), (4, 2, 5)),
    "GRU": (lambda rng: nn.GRU(2, 3, rng=rng, dtype=F32), (4, 2, 5)),
}  # fmt: skip


@pytest.mark.parametrize("name", FLOAT32)
def test_float32_is_kept_forwards_and_backwards(rng, name):
    make, shape = FLOAT32[name]
    layer, x = make(rng), tg.Tensor(normal(*shape).astype(F32))
    out = layer(x)
    assert out.dtype == F32
    parameters = list(nn.parameters(layer).values())
    gradients = tg.grad(out, [x, *parameters], gradient=np.ones(out.shape, F32))
    assert {d.dtype for d in gradients} == {np.dtype(F32)}
    assert {t.dtype for t in nn.buffers(layer).values()} <= {np.dtype(F32)}


# ---- learning --------------------------------------------------------------------------------
def test_a_small_network_of_convolutions_reads_digits(rng):
    digits = pytest.importorskip("sklearn.datasets").load_digits()
    X, Y = (digits.data.T / 16).astype(F32), digits.target
    order = rng.permutation(len(Y))
    seen, held_out = order[:1437], order[1437:]
    net = nn.Sequential(
        nn.Unflatten((1, 8, 8)),
        nn.Conv2d(1, 16, 3, padding=1, rng=rng, dtype=F32), nn.BatchNorm2d(16, dtype=F32),
        nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1, rng=rng, dtype=F32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(128, 10, rng=rng, dtype=F32), nn.Softmax(),
    )  # fmt: skip
    descent = tg.optim.SGD(net.parameters(), lr=0.2)
    tg.fit(net, X[:, seen], Y[seen], loss=nn.cross_entropy, optimizer=descent, epochs=8,
           batch_size=32, rng=rng)  # fmt: skip
    A = net.eval()(X[:, held_out]).data
    assert np.mean(A.argmax(axis=0) == Y[held_out]) >= 0.97


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_a_recurrent_network_learns_to_compare_the_ends_of_a_sequence(rng, kind):
    X = rng.choice([-1.0, 1.0], (6, 1, 300))
    Y = (X[0] * X[-1] > 0).astype(int)
    net = nn.Sequential(getattr(nn, kind)(1, 8, rng=rng), nn.Linear(8, 1, rng=rng), nn.Sigmoid())
    descent = tg.optim.SGD(net.parameters(), lr=1.0)
    for _ in range(400):
        J = nn.binary_cross_entropy(net(X), Y)
        descent.zero_grad()
        J.backward()
        descent.step()
    assert np.mean((net(X).data > 0.5) == Y) >= 0.95
