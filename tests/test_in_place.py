"""Arrays changed in place between the walks: what is found out always, and what on request."""

import re

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn.errors import ChangedDataError
from tinygrad_dnn.rules.losses import binary_cross_entropy
from tinygrad_dnn.rules.network import relu, sigmoid


def fresh():
    return tg.Tensor(np.array([[1.0, 2.0], [3.0, 4.0]]), name="W1")


def entry(array):
    array[0, 0] = 5.0


def everywhere(array):
    array += 1


def through_a_view(array):
    array.T.fill(7.0)


def into(array):
    np.add(array, 1, out=array)


every_change = pytest.mark.parametrize("change", [entry, everywhere, through_a_view, into])


# ---- always --------------------------------------------------------------------------------
@every_change
@pytest.mark.parametrize(
    "f", [lambda W: W * 2, lambda W: W.T, lambda W: np.exp(W), lambda W: (W * 2).detach()]
)
def test_the_data_of_a_result_can_only_be_read(f, change):
    y = f(fresh())
    before = y.data.copy()
    with pytest.raises(ValueError, match=r"read-only|not writeable"):
        change(y.data)
    np.testing.assert_array_equal(y.data, before)
    change(y.data.copy())


def test_the_data_of_a_leaf_is_its_owners():
    W = fresh()
    entry(W.data)
    assert W.data[0, 0] == 5
    with tg.no_grad():
        A = W * 2
    everywhere(A.data)
    assert A.data[1, 1] == 9


def test_augmented_assignment_to_data_is_seen():
    W = fresh()
    J = np.sum(W * W)
    W.data += 1
    with pytest.raises(
        ChangedDataError,
        match=r"needs the data of W1, but it was replaced .*tg\.detect_anomaly\(\)",
    ):
        J.backward()


# ---- inside detect_anomaly -------------------------------------------------------------------
NEEDS_X = {
    "multiply": lambda W, X: W * X,
    "matmul": lambda W, X: W @ X,
    "a later call": lambda W, X: np.tanh(W @ X) * X,
    "where": lambda W, X: np.where(X > 0, W, X) * X,
}


@every_change
@pytest.mark.parametrize("f", NEEDS_X.values(), ids=NEEDS_X)
@pytest.mark.parametrize("create_graph", [False, True])
def test_a_plain_array_that_was_changed_after_its_use(f, change, create_graph):
    W, X = fresh(), np.array([[1.0, 2.0], [3.0, 4.0]])
    with tg.detect_anomaly():
        J = np.sum(f(W, X))
        tg.grad(J, W, create_graph=create_graph)
        change(X)
        with pytest.raises(ChangedDataError, match=r"data of an array .* changed in place after"):
            tg.grad(J, W, create_graph=create_graph)


@every_change
@pytest.mark.parametrize(
    "f", [lambda W: W * W, lambda W: W.T @ W, relu], ids=["square", "product", "relu"]
)
def test_a_leaf_whose_entries_were_assigned(f, change):
    W = fresh()
    with tg.detect_anomaly():
        J = np.sum(f(W))
        change(W.data)
        with pytest.raises(ChangedDataError, match=r"data of W1, but it was changed in place"):
            J.backward()


def test_a_result_whose_memory_was_written_to():
    W = fresh()
    with tg.detect_anomaly():
        y = np.exp(W)
        y.name = "A1"
        J = np.sum(y)
        everywhere(y.node.value)
        with pytest.raises(ChangedDataError, match=r"through exp needs the data of A1, but it was"):
            J.backward()


def test_the_pair_of_a_loss_and_its_activation_is_looked_at_too():
    W, Y = fresh(), np.array([[1.0, 0.0], [0.0, 1.0]])
    with tg.detect_anomaly():
        J = binary_cross_entropy(sigmoid(W), Y)
        J.backward()
        everywhere(Y)
        with pytest.raises(ChangedDataError, match=r"data of an array \(2, 2\), but it was"):
            J.backward()


def test_a_forward_walk_finds_it_too():
    W, X = fresh(), np.ones((2, 2))

    def f(W):
        y = W * X
        everywhere(X)
        return y

    with tg.detect_anomaly(), pytest.raises(ChangedDataError, match=r"changed in place"):
        tg.func.jvp(f, [W.data], [W.data])


@every_change
@pytest.mark.parametrize(
    "f", [lambda W, X: W + X, lambda W, X: np.exp(W) + np.sum(X)], ids=["sum", "sum of exp"]
)
def test_what_no_derivative_needs_may_change(f, change):
    W, X = fresh(), np.array([[1.0, 2.0], [3.0, 4.0]])
    with tg.detect_anomaly():
        J = np.sum(f(W, X))
        expected = tg.grad(J, W)
        change(X)
        change(W.data)
        np.testing.assert_array_equal(tg.grad(J, W), expected)


def error_of(program):
    """What ``program`` is told inside of detect_anomaly."""
    with tg.detect_anomaly(), pytest.raises(ChangedDataError) as failure:
        program()
    return re.sub(r"/\S*/", "", str(failure.value))


def test_both_lines_are_named_of_data_that_was_assigned():
    W = fresh()

    def program():
        J = np.sum(W * W)  # the use
        W.data -= 1  # the change
        J.backward()

    said = error_of(program)
    assert re.search(r"test_in_place.py:\d+: J = np.sum\(W \* W\)  # the use; W1 was changed", said)
    assert re.search(r"W1 was changed at test_in_place.py:\d+: W.data -= 1  # the change\)", said)


def test_the_lines_around_a_change_are_named_of_a_plain_array():
    W, X = fresh(), np.ones((2, 2))

    def program():
        Z = W * X  # the use
        A = np.tanh(Z)  # before
        X[:] += 1
        J = np.sum(A)  # after
        X[:] -= 7
        J.backward()

    said = error_of(program)
    assert re.search(r"multiply was called at test_in_place.py:\d+: Z = W \* X  # the use;", said)
    assert re.search(
        r"an array \(2, 2\) was changed between test_in_place.py:\d+: A = np.tanh\(Z\)  # before "
        r"and test_in_place.py:\d+: J = np.sum\(A\)  # after\)", said,
    )  # fmt: skip


def test_a_change_before_the_use_is_not_blamed():
    W, X = fresh(), np.ones((2, 2))

    def program():
        np.sum(W * X)
        X[:] += 1  # harmless
        J = np.sum(W * X)  # the use
        X[:] += 1
        J.backward()

    assert re.search(
        r"was called at test_in_place.py:\d+: J = np.sum\(W \* X\)  # the use; an array \(2, 2\) "
        r"was changed between test_in_place.py:\d+: J = np.sum\(W \* X\)  # the use and",
        error_of(program),
    )


def test_the_line_that_takes_the_data_of_a_leaf_is_named():
    W = fresh()

    def program():
        W.data = W.data * 2  # that is no fault: nothing has been computed yet
        J = np.sum(W * W)
        W.data[0, 0] = 5.0  # the change
        J.backward()  # after

    assert re.search(
        r"W1 was changed between test_in_place.py:\d+: W.data\[0, 0\] = 5.0  # the change and "
        r"test_in_place.py:\d+: J.backward\(\)  # after\)", error_of(program),
    )  # fmt: skip


def test_many_large_arrays_are_looked_at_in_turn(monkeypatch):
    monkeypatch.setattr("tinygrad_dnn.ledger.BUDGET", 100)
    layers = [tg.Tensor(np.eye(8) * 0.9, name=f"W{l}") for l in range(1, 9)]

    def program():
        A = np.ones((8, 2))
        for W in layers:
            A = np.tanh(W @ A)
        layers[2].data[0, 0] = 5.0  # the change
        J = np.sum(A * A)  # after
        J.backward()

    said = error_of(program)
    assert "needs the data of W3" in said
    assert "W.data[0, 0]" not in said
    assert "layers[2].data[0, 0] = 5.0  # the change and " in said


def test_a_graph_made_before_the_block_is_taken_as_it_is():
    W, X = fresh(), np.ones((2, 2))
    J = np.sum(W * X)
    X += 1
    with tg.detect_anomaly():
        assert tg.grad(J, W).tolist() == [[2, 2], [2, 2]]
