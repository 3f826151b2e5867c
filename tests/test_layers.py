"""Layers, networks and losses: their numbers, their names, and what they say to wrong shapes."""

import re

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn import nn


@pytest.fixture
def rng():
    return np.random.default_rng(0)


# ---- layers and networks ---------------------------------------------------------------------
@pytest.mark.parametrize("dims", [[4, 1], [4, 3, 1], [3, 5, 5, 3, 1], [2] * 30 + [1]])
def test_from_layer_dims_makes_every_depth(rng, dims):
    net = nn.Sequential.from_layer_dims(dims, rng=rng)
    assert len(dims) - 1 == net.L
    shapes = {name: p.shape for name, p in net.parameters().items()}
    for l in range(1, net.L + 1):
        assert shapes[f"W{l}"] == (dims[l], dims[l - 1])
        assert shapes[f"b{l}"] == (dims[l], 1)
    assert net(rng.random((dims[0], 6))).shape == (dims[-1], 6)


def test_parameters_carry_the_course_s_names_in_order(rng):
    net = nn.Sequential.from_layer_dims([3, 5, 5, 1], rng=rng)
    assert list(net.parameters()) == ["W1", "b1", "W2", "b2", "W3", "b3"]
    assert all(p.name == name for name, p in net.parameters().items())


def test_results_carry_the_course_s_names(rng):
    net = nn.Sequential.from_layer_dims([3, 5, 1], rng=rng)
    names = [A.name for A in net.outputs(np.ones((3, 2)))[1:]]
    assert names == ["Z1", "A1", "Z2", "A2"]


def test_nested_networks_are_flattened_and_numbered_through(rng):
    inner = nn.Sequential(nn.Linear(3, 4, rng=rng), nn.ReLU())
    net = nn.Sequential(inner, nn.Sequential(nn.Linear(4, 2, rng=rng), nn.Softmax()))
    assert list(net.parameters()) == ["W1", "b1", "W2", "b2"]
    assert len(net.layers) == 4


def test_a_layer_used_twice_is_one_layer(rng):
    shared = nn.Linear(3, 3, rng=rng)
    net = nn.Sequential(shared, nn.ReLU(), shared, nn.ReLU())
    assert list(net.parameters()) == ["W1", "b1"]
    X = rng.random((3, 4))
    np.sum(net(X)).backward()
    W, b = shared.W.data, shared.b.data
    Z1 = W @ X + b
    A1 = np.maximum(Z1, 0)
    d2 = (W @ A1 + b > 0) * 1.0
    d1 = (W.T @ d2) * (Z1 > 0)
    np.testing.assert_allclose(shared.W.grad, d2 @ A1.T + d1 @ X.T, rtol=1e-12)


def test_any_callable_with_tensors_is_a_layer(rng):
    class Scale:
        def __init__(self):
            self.factor = tg.Tensor(np.full((3, 1), 2.0))

        def __call__(self, A):
            return self.factor * A

    net = nn.Sequential(Scale(), nn.ReLU(), nn.Linear(3, 1, rng=rng))
    assert list(net.parameters()) == ["factor1", "W2", "b2"]


def test_no_name_hides_another(rng):
    class Two:
        def __init__(self):
            self.W1 = tg.Tensor(np.eye(3))
            self.inner = [tg.Tensor(np.eye(3))]

        def __call__(self, A):
            return self.inner[0] @ (self.W1 @ A)

    rest = [nn.Linear(3, 3, rng=rng) for _ in range(11)]
    net = nn.Sequential(nn.Linear(3, 3, rng=rng), Two(), *rest)
    named = net.parameters()
    assert len(named) == len({id(p) for p in named.values()}) == 26
    assert list(named)[2:4] == ["layer2.W1", "layer2.inner.0"]


def test_a_part_may_list_its_parameters_itself(rng):
    class Listed:
        def parameters(self):
            return [tg.Tensor([1.0]), tg.Tensor([2.0])]

    assert list(nn.parameters({"m": Listed()})) == ["m.0", "m.1"]


def test_parameters_are_found_in_any_model(rng):
    class Model:
        __slots__ = ("table",)

        def __init__(self):
            self.table = {"head": nn.Linear(2, 1, rng=rng), "rest": [tg.Tensor([1.0])]}

    class Twice:
        def __init__(self):
            self.one = Model()
            self.same = self.one
            self.net = nn.Sequential.from_layer_dims([2, 1], rng=rng)
            self.constant = tg.Tensor([1.0], requires_grad=False)

    assert list(nn.parameters(Twice())) == [
        "one.table.head.W",
        "one.table.head.b",
        "one.table.rest.0",
        "net.W1",
        "net.b1",
    ]


@pytest.mark.parametrize("name", ["zeros", "normal", "lecun", "he", "glorot"])
def test_initialisers_have_the_variance_they_promise(name):
    n_out, n_in = 300, 200
    W = nn.init.INITIALISERS[name](np.random.default_rng(0), n_out, n_in)
    assert W.shape == (n_out, n_in)
    promised = {
        "zeros": 0,
        "normal": 1e-4,
        "lecun": 1 / n_in,
        "he": 2 / n_in,
        "glorot": 2 / (n_in + n_out),
    }[name]
    assert abs(W.var() - promised) <= 0.03 * promised  # 60,000 draws: five standard errors
    assert abs(W.mean()) <= 5 * np.sqrt(promised / W.size)


def test_a_random_state_reproduces_the_course_s_draws():
    net = nn.Sequential.from_layer_dims([4, 3, 1], rng=np.random.RandomState(1), init="lecun")
    state = np.random.RandomState(1)
    np.testing.assert_array_equal(net.parameters()["W1"].data, state.randn(3, 4) / np.sqrt(4))
    np.testing.assert_array_equal(net.parameters()["W2"].data, state.randn(1, 3) / np.sqrt(3))


def test_float32_networks_stay_float32(rng):
    net = nn.Sequential.from_layer_dims([3, 5, 1], rng=rng, dtype=np.float32)
    X, Y = rng.random((3, 8), dtype=np.float32), rng.integers(0, 2, (1, 8))
    J = nn.binary_cross_entropy(net(X), Y)
    J.backward()
    assert J.dtype == np.float32
    assert {p.grad.dtype for p in net.parameters().values()} == {np.dtype(np.float32)}


def test_summary_lists_layers_shapes_and_counts(rng):
    net = nn.Sequential.from_layer_dims([3, 5, 1], rng=rng)
    text = net.summary(rng.random((3, 7)))
    assert re.search(r"1 +Linear\(3 -> 5\) +W1 \(5, 3\), b1 \(5, 1\) +Z1 \(5, 7\) +20", text)
    assert re.search(r"all parameters +26", text)
    assert "(5, 7)" not in net.summary()


def test_saved_networks_come_back_the_same(rng, tmp_path):
    net = nn.Sequential(
        nn.Linear(3, 5, rng=rng, dtype=np.float32),
        nn.LeakyReLU(0.2),
        nn.Linear(5, 4, rng=rng),
        nn.Tanh(),
        nn.Linear(4, 2, rng=rng),
        nn.Softmax(),
    )
    net.save(tmp_path / "net.npz")
    again = nn.Sequential.load(tmp_path / "net.npz")
    X = rng.random((3, 6))
    assert repr(again) == repr(net)
    np.testing.assert_array_equal(again(X).data, net(X).data)
    assert {n: p.dtype for n, p in again.parameters().items()} == {
        n: p.dtype for n, p in net.parameters().items()
    }


def test_saving_and_loading_say_what_is_wrong(rng, tmp_path):
    class Mine:
        def __call__(self, A):
            return A

    with pytest.raises(TypeError, match="only this package's layers can be rebuilt"):
        nn.Sequential(Mine()).save(tmp_path / "net.npz")
    (tmp_path / "bad.npz").write_bytes(b"not a network")
    with pytest.raises(ValueError, match=r"is not a network saved by net\.save"):
        nn.Sequential.load(tmp_path / "bad.npz")
    np.savez(tmp_path / "objects.npz", layers=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match=r"is not a network saved by net\.save"):
        nn.Sequential.load(tmp_path / "objects.npz")


# ---- wrong shapes ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((7, 3), "layer 1, Linear(3 -> 5): W1 is (5, 3) but A0 = X is (7, 3); it needs (3, m); "
                 "examples are columns here, so transpose it: .T"),
        ((4, 7), "layer 1, Linear(3 -> 5): W1 is (5, 3) but A0 = X is (4, 7); it needs (3, m)"),
        ((3,), "A0 = X is (3,); it needs (3, m); one example is a column: reshape(-1, 1)"),
        ((3, 2, 2), "it needs (3, m); flatten each example into a column"),
    ],
)  # fmt: skip
def test_a_layer_names_itself_both_shapes_and_the_one_it_needs(rng, shape, said):
    net = nn.Sequential.from_layer_dims([3, 5, 1], rng=rng)
    with pytest.raises(ValueError, match=re.escape(said)):
        net(np.ones(shape))


def test_a_layer_in_the_middle_names_the_activation_it_was_given(rng):
    net = nn.Sequential(nn.Linear(3, 4, rng=rng), nn.ReLU(), nn.Linear(5, 3, rng=rng))
    said = "layer 2, Linear(5 -> 3): W2 is (3, 5) but A1 is (4, 7); it needs (5, m)"
    with pytest.raises(ValueError, match=re.escape(said)):
        net(np.ones((3, 7)))


def test_a_bias_that_is_no_column_is_refused(rng):
    net = nn.Sequential.from_layer_dims([3, 5, 1], rng=rng)
    net.layers[0].b = tg.Tensor(np.zeros(5), name="b1")
    with pytest.raises(ValueError, match=re.escape("b1 is (5,), it needs (5, 1)")):
        net(np.ones((3, 5)))


def test_a_layer_outside_a_network_is_clear_too(rng):
    said = "Linear(3 -> 2): W is (2, 3) but Q is (4, 1); it needs (3, m)"
    with pytest.raises(ValueError, match=re.escape(said)):
        nn.Linear(3, 2, rng=rng)(tg.Tensor(np.ones((4, 1)), name="Q"))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda rng: nn.Linear(0, 2, rng=rng), "must be >= 1"),
        (lambda rng: nn.Linear(1, 2, rng=rng, init="x"), "choose from zeros, normal, lecun"),
        (lambda rng: nn.Sequential.from_layer_dims([3], rng=rng), "at least one layer"),
        (lambda rng: nn.Sequential.from_layer_dims([3, 1], rng=rng, output="x"), "choose from"),
    ],
)
def test_unusable_networks_are_refused(rng, call, said):
    with pytest.raises(ValueError, match=said):
        call(rng)


def test_a_kind_of_layer_is_no_layer():
    with pytest.raises(TypeError, match=r"ReLU is a kind of layer; make one, ReLU\(\.\.\.\)"):
        nn.Sequential(nn.ReLU)


def test_what_cannot_be_called_is_no_layer():
    with pytest.raises(TypeError, match="no layer"):
        nn.Sequential(3)


# ---- losses ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "loss",
    [nn.binary_cross_entropy, nn.binary_cross_entropy_with_logits, nn.mean_squared_error],
)
@pytest.mark.parametrize(
    ("target", "said"),
    [
        ((5,), "A is (1, 5) but Y is (5,); the two must be equal; pass Y.reshape(1, 5)"),
        ((5, 1), "examples are columns, so pass Y.T"),
        ((1, 4), "A is (1, 5) but Y is (1, 4); the two must be equal"),
    ],
)
def test_targets_that_would_broadcast_by_accident_are_refused(loss, target, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        loss(np.full((1, 5), 0.5), np.zeros(target))


@pytest.mark.parametrize("loss", [nn.cross_entropy, nn.cross_entropy_with_logits])
@pytest.mark.parametrize(
    ("target", "said"),
    [
        (np.zeros((1, 5), int), "give class numbers as (m,): Y.ravel()"),
        (np.array([0, 1, 2, 3, 1]), "labels run from 0 to 3, but 3 classes are numbered 0 to 2"),
        (np.array([0, -1, 2, 0, 1]), "labels run from -1 to 2"),
        (np.zeros(4, int), "Y is (4,)"),
        (np.zeros(5), "class numbers are whole numbers, got float64; Y.astype(int)"),
        (np.zeros((5, 3)), "so pass Y.T"),
    ],
)
def test_class_targets_of_the_wrong_form_are_refused(loss, target, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        loss(np.full((3, 5), 1 / 3), target)


def test_a_vector_of_predictions_is_refused():
    with pytest.raises(ValueError, match="examples are columns, so both are"):
        nn.mean_squared_error(np.zeros(5), np.zeros(5))


def test_class_numbers_and_one_hot_columns_are_the_same_target(rng):
    Z, labels = rng.standard_normal((4, 6)), rng.integers(0, 4, 6)
    Y = nn.one_hot(labels, 4)
    for loss, given in (
        (nn.cross_entropy, nn.softmax(Z)),
        (nn.cross_entropy_with_logits, Z),
    ):
        assert loss(given, labels) == loss(given, Y)
    by_hand = -np.log(nn.softmax(Z)[labels, np.arange(6)]).mean()
    np.testing.assert_allclose(nn.cross_entropy_with_logits(Z, labels), by_hand, rtol=1e-14)


def test_certain_and_right_predictions_cost_nothing():
    assert nn.binary_cross_entropy(np.array([[0.0, 1.0]]), np.array([[0, 1]])) == 0
    assert nn.cross_entropy(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([1, 0])) == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_saturated_outputs_have_finite_costs_and_exact_gradients(dtype):
    Z = tg.Tensor(np.array([[1000.0, -1000.0, 1000.0, -1000.0]], dtype), name="Z")
    Y = np.array([[0, 1, 1, 0]])
    J = nn.binary_cross_entropy(nn.sigmoid(Z), Y)
    J.backward()
    assert float(J) == 500
    right = np.array([[1, -1, 0, 0]], dtype) / 4
    np.testing.assert_allclose(Z.grad, right, rtol=0, atol=1e-38)  # sigmoid ends at 1e-38
    Z = tg.Tensor(np.array([[1000.0, 0.0], [0.0, 1000.0], [0.0, -1000.0]], dtype))
    J = nn.cross_entropy(nn.softmax(Z), np.array([1, 1]))
    J.backward()
    assert float(J) == 500
    np.testing.assert_array_equal(Z.grad, np.array([[0.5, 0], [-0.5, 0], [0, 0]], dtype))
