"""detect_anomaly: the first NaN or infinity, named with its operation, inputs, layer and line."""

import threading

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn import graph, nn
from tinygrad_dnn.errors import AnomalyError
from tinygrad_dnn.rules.losses import binary_cross_entropy
from tinygrad_dnn.rules.network import sigmoid

quiet = np.errstate(all="ignore")


@quiet
def test_the_first_nan_forward():
    x = tg.Tensor([4.0, -1.0], name="x")
    with tg.detect_anomaly(), pytest.raises(AnomalyError) as failure:
        np.sum(np.sqrt(x * 1.0) * 2)  # the line
    message = str(failure.value)
    assert message.startswith(
        "np.sqrt(a Tensor (2,)) made the first nan: entry (1,) is nan, where argument 0 is -1.0; "
        "called at "
    )
    assert message.endswith("np.sum(np.sqrt(x * 1.0) * 2)  # the line")
    assert "test_anomaly.py:" in message


@quiet
def test_the_first_infinity_forward():
    x, y = tg.Tensor([[1.0, 2.0]], name="x"), np.array([[1.0, 0.0]])
    with tg.detect_anomaly():
        with pytest.raises(
            AnomalyError, match=r"np.divide\(x \(1, 2\), an array \(1, 2\)\) .* inf"
        ):
            x / y
        with pytest.raises(AnomalyError, match=r"entry \(0, 1\) is inf, where x is 2.0 and argume"):
            x / y
    with tg.detect_anomaly(inf=False):
        z = x / y
        with pytest.raises(AnomalyError, match=r"np.multiply.* made the first nan"):
            z * 0.0


@quiet
def test_the_first_one_backward():
    x = tg.Tensor([4.0, 0.0], name="x")
    with tg.detect_anomaly():
        J = np.sum(np.sqrt(x))  # the call
        with pytest.raises(AnomalyError) as failure:
            J.backward()
    message = str(failure.value)
    assert "the vjp of np.sqrt(x (2,)) for argument 0 made the first inf: entry (1,)" in message
    assert "where x is 0.0; called at " in message
    assert message.endswith("J = np.sum(np.sqrt(x))  # the call")


@quiet
def test_a_masked_choice_names_the_branch_that_was_not_taken():
    x = tg.Tensor([0.0, 4.0], name="x")
    with tg.detect_anomaly():
        J = np.sum(np.where(x > 0, np.sqrt(x), 0.0))
        with pytest.raises(AnomalyError, match=r"the vjp of np.sqrt\(x \(2,\)\) .* first nan"):
            J.backward()
        safe = np.where(x > 0, x, 1.0)
        np.sum(np.where(x > 0, np.sqrt(safe), 0.0)).backward()
    assert x.grad.tolist() == [0, 0.25]


@quiet
def test_every_walk_is_looked_at():
    x = np.array([0.0])
    with tg.detect_anomaly():
        with pytest.raises(AnomalyError, match=r"the jvp of np.sqrt"):
            tg.func.jvp(np.sqrt, [x], [np.ones(1)])
        with pytest.raises(AnomalyError, match=r"the vjp of np.sqrt"):
            tg.func.grad(lambda x: np.sum(np.sqrt(x)))(x)
        y = tg.Tensor(x)
        with pytest.raises(AnomalyError, match=r"np.divide|vjp of np.sqrt"):
            tg.grad(np.sum(np.sqrt(y)), y, create_graph=True)
        with tg.no_grad(), pytest.raises(AnomalyError, match=r"np.log"):
            np.log(y)


@quiet
def test_a_graph_made_before_the_block():
    x = tg.Tensor([0.0])
    J = np.sum(np.sqrt(x))
    with tg.detect_anomaly(), pytest.raises(AnomalyError, match=r"called before detect_anomaly"):
        J.backward()


@quiet
def test_the_activation_that_a_loss_goes_round_is_looked_at():
    Z = tg.Tensor([[1e3]])
    with tg.detect_anomaly():
        A = sigmoid(Z).retain_grad()
        J = binary_cross_entropy(A, np.array([[0.0]]))
        with pytest.raises(AnomalyError, match=r"vjp of binary_cross_entropy.* the first inf"):
            J.backward()


def test_an_input_that_was_bad_to_begin_with_is_named():
    W, X = tg.Tensor(np.ones((2, 2)), name="W1"), np.array([[np.nan], [1.0]])
    with tg.detect_anomaly():
        with pytest.raises(AnomalyError, match=r"; its argument 1 held nan before the call"):
            W @ X
        W.data[0, 0] = np.inf
        with pytest.raises(AnomalyError, match=r"; W1 held inf before the call"):
            W * 2


def test_the_layer_and_the_users_own_line_are_named():
    net = nn.Sequential.from_layer_dims([2, 3, 1], rng=np.random.default_rng(0))
    net.parameters()["W2"].data[0, 0] = np.nan
    with tg.detect_anomaly(), pytest.raises(AnomalyError) as failure:
        net(np.ones((2, 4)))  # mine
    message = str(failure.value)
    assert message.startswith("layer 2: np.matmul(W2 (1, 3), A1 (3, 4)) made the first nan")
    assert message.endswith("net(np.ones((2, 4)))  # mine")


def test_the_error_carries_the_call():
    with tg.detect_anomaly(), quiet, pytest.raises(AnomalyError) as failure:
        np.log(tg.Tensor([0.0], name="x") * 1.0)
    call = failure.value.failed_call
    assert call.fn is np.log
    assert [node.fn for node in call.args] == [np.multiply]


def test_integers_and_masks_pass():
    x = tg.Tensor([1.0, 2.0])
    with tg.detect_anomaly():
        np.sum(np.where(x > 1, x, 0.0)[np.array([0, 1])]).backward()
    assert x.grad.tolist() == [0, 1]


def test_a_program_without_anomalies_gives_what_it_gives_without_the_block():
    X, Y = np.random.default_rng(1).normal(size=(2, 5)), np.array([[1.0, 0, 1, 0, 1]])

    def gradient():
        net = nn.Sequential.from_layer_dims([2, 4, 3, 1], rng=np.random.default_rng(0))
        nn.binary_cross_entropy(net(X), Y).backward()
        return [p.grad for p in net.parameters().values()]

    plain = gradient()
    with tg.detect_anomaly():
        watched = gradient()
    for a, b in zip(plain, watched, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_block_ends_nests_and_belongs_to_its_thread():
    x = tg.Tensor([np.inf])
    found = []
    block = tg.detect_anomaly()
    with block, block:
        assert graph.watched == 2
        worker = threading.Thread(target=lambda: found.append((x * 1).data))
        worker.start()
        worker.join()
    with pytest.raises(KeyError), tg.detect_anomaly():
        raise KeyError
    assert graph.watched == 0
    assert (x * 1).data == found[0] == np.inf
