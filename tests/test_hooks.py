"""Hooks: they hear the whole gradient of a value, and may replace it."""

import gc
import weakref

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn.errors import DimensionError, HistoryError
from tinygrad_dnn.rules.losses import binary_cross_entropy
from tinygrad_dnn.rules.network import sigmoid


def backward(J, xs):
    for x in xs:
        x.grad = None
    J.backward()
    return [x.grad for x in xs]


WALKS = {
    "backward": backward,
    "grad": tg.grad,
    "create_graph": lambda J, xs: [dx.data for dx in tg.grad(J, xs, create_graph=True)],
}
every_walk = pytest.mark.parametrize("walk", WALKS.values(), ids=WALKS)


@every_walk
def test_a_hook_hears_the_whole_gradient_once(walk):
    x, heard = tg.Tensor([1.0, 2.0]), []
    y = x * x
    y.register_hook(lambda g: heard.append(np.array(g if type(g) is np.ndarray else g.data)))
    x.register_hook(lambda g: heard.append(np.array(g if type(g) is np.ndarray else g.data)))
    (dx,) = walk(np.sum(y * y + 3 * y), [x])  # y is reached on three paths
    dy = 2 * np.array([1.0, 4.0]) + 3
    assert [h.tolist() for h in heard] == [dy.tolist(), (dy * [2, 4]).tolist()]
    assert dx.tolist() == heard[1].tolist()


@every_walk
def test_a_hook_replaces_what_goes_further_back(walk):
    x = tg.Tensor([1.0, 2.0])
    y = (x * x).retain_grad()
    y.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: np.clip(g, 0, 30))
    dx, dy = walk(np.sum(y), [x, y])
    assert (dx.tolist(), dy.tolist()) == ([20, 30], [10, 10])


def test_hooks_run_in_the_order_they_were_registered_and_can_be_removed():
    x = tg.Tensor(1.0)
    first = x.register_hook(lambda g: g + 1)
    x.register_hook(lambda g: g * 10)
    assert tg.grad(x * 1, x) == 20
    first.remove()
    first.remove()
    assert tg.grad(x * 1, x) == 10
    with x.register_hook(lambda g: -g):
        assert tg.grad(x * 1, x) == -10
    assert tg.grad(x * 1, x) == 10


def test_a_hook_that_removes_itself_while_it_is_called():
    x, heard = tg.Tensor(1.0), []
    hook = x.register_hook(lambda g: (heard.append(g), hook.remove())[0])
    J = x * 2
    J.backward()
    J.backward()
    assert (len(heard), x.grad) == (1, 4)


def test_a_hook_in_a_second_derivative():
    x = tg.Tensor(2.0)
    x.register_hook(lambda g: g * g)
    (dx,) = tg.grad(x**3, [x], create_graph=True)  # (3 x^2)^2 = 9 x^4
    assert dx.item() == 144
    assert tg.grad(dx, x) == (36 * 2**3) ** 2


def test_a_hook_on_the_end_itself():
    x = tg.Tensor(3.0)
    J = x * x
    J.register_hook(lambda g: g * 2)
    assert tg.grad(J, x) == 12
    x.register_hook(lambda g: g * 2)
    assert tg.grad(x, x) == 2


@every_walk
def test_a_hook_on_an_activation_before_its_loss_is_heard(walk):
    Z, Y = tg.Tensor([[0.5, -1.0]]), np.array([[1.0, 0.0]])
    A = sigmoid(Z)
    A.register_hook(lambda g: g * 2)
    (dZ,) = walk(binary_cross_entropy(A, Y), [Z])
    np.testing.assert_allclose(dZ, 2 * (A.data - Y) / 2, rtol=1e-13)


def test_the_gradient_that_a_hook_hears_cannot_be_overwritten():
    x, y = tg.Tensor([1.0]), tg.Tensor([1.0])
    x.register_hook(lambda g: np.multiply(g, 2, out=g))
    with pytest.raises(ValueError, match="read-only") as failure:
        np.sum(x + y).backward()
    assert "in a hook on a Tensor" in failure.value.__notes__


def test_a_hook_may_return_what_it_was_given_and_keep_it():
    x, y, kept = tg.Tensor([1.0]), tg.Tensor([1.0]), []
    x.register_hook(lambda g: kept.append(g) or g)
    x.register_hook(lambda g: kept.append(g) or g[:])
    np.sum(x + y).backward()
    x.grad += 1
    assert (kept[0], y.grad, x.grad) == (1, 1, 2)


@pytest.mark.parametrize("answer", [2, 2.0, np.float64(2), np.array(2)])
def test_an_answer_of_another_kind_comes_in_the_dtype_of_the_tensor(answer):
    x = tg.Tensor(np.float32(1))
    x.register_hook(lambda g: answer)
    (x * 3).backward()
    assert (type(x.grad), x.grad.dtype, x.grad) == (np.ndarray, np.float32, 2)


def test_what_a_hook_must_return():
    W = tg.Tensor(np.ones(3), name="W1")
    with W.register_hook(np.sum):
        message = r"the hook on W1 returned shape \(\), but a gradient of W1 has shape \(3,\)"
        with pytest.raises(DimensionError, match=message):
            np.sum(W).backward()
    with W.register_hook(lambda g: g * W):
        with pytest.raises(HistoryError, match="the hook on W1 returned a Tensor, but this walk"):
            np.sum(W).backward()
        assert isinstance(tg.grad(np.sum(W), W, create_graph=True), tg.Tensor)


def test_a_constant_has_no_gradient_to_hear():
    X = tg.Tensor(np.ones(3), requires_grad=False, name="X")
    with pytest.raises(HistoryError, match="X needs no gradient, so no hook hears one"):
        X.register_hook(print)


def test_a_hook_keeps_no_graph_alive():
    gc.collect()
    gc.disable()
    try:
        y = tg.Tensor(np.ones(3)) * 2
        hook = y.register_hook(lambda g: g)
        ref = weakref.ref(y.node.value)
        del y
        assert ref() is None
        hook.remove()
    finally:
        gc.enable()
