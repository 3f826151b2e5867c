"""tg.jit: a replay does what the function does, to the bit with NumPy alone."""

import gc
import weakref
from types import SimpleNamespace

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn import nn, optim
from tinygrad_dnn.errors import HistoryError, ReplayError

DIMS = {"tiny": ([3, 5, 5, 3, 1], 32), "moons": ([2, 16, 16, 1], 64), "deep": ([8] * 20 + [1], 16)}


def training(dims, m, dtype=np.float64, jit=None, **options):
    """A network, and its training step as it is or under ``jit``."""
    rng = np.random.default_rng(0)
    net = nn.Sequential.from_layer_dims(dims, rng=rng, dtype=dtype, **options)
    descent = optim.SGD(net.parameters(), lr=0.05)

    def step(X, Y):
        J = nn.binary_cross_entropy(net(X), Y)
        descent.zero_grad()
        J.backward()
        descent.step()
        return J

    X = rng.standard_normal((dims[0], m)).astype(dtype)
    Y = (rng.random((1, m)) < 0.5).astype(dtype)
    return net, descent, jit(step) if jit else step, X, Y


def plain(f):
    return tg.jit(f, native=False)


def same(a, b):
    return np.asarray(a).tobytes() == np.asarray(b).tobytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", DIMS)
@pytest.mark.parametrize("hidden", ["relu", "tanh"])
def test_a_hundred_steps_are_those_of_eager_to_the_bit(case, dtype, hidden):
    net, _, step, X, Y = training(*DIMS[case], dtype, hidden=hidden)
    other, _, replayed, _, _ = training(*DIMS[case], dtype, plain, hidden=hidden)
    for _ in range(100):
        assert same(step(X, Y).data, replayed(X, Y).data)
    for W, V in zip(net.parameters().values(), other.parameters().values(), strict=True):
        assert same(W.data, V.data)


def test_a_forward_pass_of_new_inputs_and_new_parameters():
    rng = np.random.default_rng(0)
    net = nn.Sequential.from_layer_dims([3, 5, 1], rng=rng)
    replayed = plain(net)
    for _ in range(3):
        X = rng.standard_normal((3, 7))
        assert same(replayed(X).data, net(X).data)
    net.parameters()["W1"].data = rng.standard_normal((5, 3))
    assert same(replayed(X).data, net(X).data)
    net.parameters()["b2"].data += 1
    assert same(replayed(X).data, net(X).data)


def test_value_and_grad():
    rng = np.random.default_rng(0)
    f = tg.func.value_and_grad(lambda p, x: np.sum(np.tanh(p["W"] @ x + p["b"]) ** 2))
    replayed = plain(f)
    for _ in range(3):
        p = {"W": rng.standard_normal((2, 3)), "b": rng.standard_normal((2, 1))}
        x = rng.standard_normal((3, 4))
        (value, gradient), (expected, slopes) = replayed(p, x), f(p, x)
        assert same(value, expected)
        assert gradient.keys() == slopes.keys()
        assert all(same(gradient[k], slopes[k]) for k in slopes)


def test_dropout_batch_norm_modes_and_the_learning_rate_are_live():
    def made():
        rng = np.random.default_rng(1)
        net = nn.Sequential(
            nn.Linear(3, 8, rng=rng), nn.ReLU(), nn.Dropout(0.5, rng=rng), nn.BatchNorm1d(8),
            nn.Linear(8, 1, rng=rng), nn.Sigmoid(),
        )  # fmt: skip
        descent = optim.SGD(net.parameters(), lr=0.1)

        def step(X, Y):
            J = nn.binary_cross_entropy(net(X), Y)
            descent.zero_grad()
            J.backward()
            descent.step()
            return J

        return net, descent, step

    (net, descent, step), (other, descent_too, replayed) = made(), made()
    replayed = plain(replayed)
    rng = np.random.default_rng(0)
    for i in range(30):
        X, Y = rng.standard_normal((3, 16)), rng.integers(0, 2, (1, 16))
        if i == 10:
            descent.lr = descent_too.lr = 0.01
        if i == 20:
            net.eval()
            other.eval()
        assert same(step(X, Y).data, replayed(X, Y).data)
    held = {**other.parameters(), **other.buffers()}
    for name, tensor in {**net.parameters(), **net.buffers()}.items():
        assert same(tensor.data, held[name].data)


def test_gradients_are_left_where_backward_leaves_them():
    rng = np.random.default_rng(0)
    W = tg.Tensor(rng.standard_normal((2, 3)), name="W")

    def accumulate(X):
        np.mean((W @ X) ** 2).backward()

    data = [rng.standard_normal((3, 4)) for _ in range(4)]
    for X in data:
        accumulate(X)
    expected, W.grad = W.grad, None
    replayed = plain(accumulate)
    for X in data:
        replayed(X)
    assert same(W.grad, expected)


def test_a_gradient_that_was_used_up_is_not_kept():
    net, _, step, X, Y = training([2, 1], 4, jit=plain)
    for _ in range(3):
        step(X, Y)
        assert all(p.grad is None for p in net.parameters().values())


def test_a_tensor_as_argument_gets_its_gradient():
    replayed = plain(lambda t: np.sum(t**2).backward())
    for values in [1.0, 2.0], [3.0, 4.0]:
        t = tg.Tensor(values)
        replayed(t)
        np.testing.assert_array_equal(t.grad, 2 * t.data)


def test_what_is_returned_has_no_history():
    _, _, step, X, Y = training([2, 1], 4, jit=plain)
    for _ in range(2):
        with pytest.raises(HistoryError, match="nothing that requires a gradient"):
            step(X, Y).backward()


def test_another_shape_is_another_recording():
    net, _, step, X, Y = training([2, 3, 1], 8, jit=plain)
    twin, _, eager, _, _ = training([2, 3, 1], 8)
    for m in (8, 5, 8, 5, 3):
        assert same(step(X[:, :m], Y[:, :m]).data, eager(X[:, :m], Y[:, :m]).data)
    for W, V in zip(net.parameters().values(), twin.parameters().values(), strict=True):
        assert same(W.data, V.data)


# ---- what a replay could not repeat ------------------------------------------------------------
def branching(x):
    return x if x.sum() > 0 else -x


@pytest.mark.parametrize(
    "f",
    [
        branching,
        lambda x: float(np.sum(x)),
        lambda x: [1][int(x[0, 0])],
        lambda x: x.item(),
    ],
    ids=["if", "float", "int", "item"],
)
def test_a_choice_by_data_is_refused_with_its_line(f):
    with pytest.raises(ReplayError, match=r"asks for a number .*test_replay\.py:\d+"):
        tg.jit(f)(np.ones((2, 2)))


@pytest.mark.parametrize("name", ["flags", "strides", "nbytes", "base", "ctypes"])
def test_what_a_recorded_array_does_not_have(name):
    wanted = f"an array that tg.jit records has no {name}; look at it outside"
    with pytest.raises(AttributeError, match=wanted):
        plain(lambda x: x * getattr(x, name))(np.ones(2))


def test_a_write_into_an_array_of_its_own_is_refused():
    def f(x):
        z = np.zeros(2)
        np.add(x, x, out=z)
        return z

    with pytest.raises(ReplayError, match=r"writes a recorded value .*test_replay\.py:\d+"):
        tg.jit(f)(np.ones(2))


def test_a_value_that_leaks_names_the_line_that_made_it():
    kept = []

    @tg.jit
    def f(x):
        kept.append(SimpleNamespace(y=np.sin(x)))
        return x * 2

    f(np.ones(2))
    with pytest.raises(ReplayError, match=r"made at .*test_replay\.py:\d+, is used at .*:\d+"):
        kept[0].y + 1


def test_a_value_that_leaks_from_a_helper_names_the_line_of_the_recorded_function():
    kept = []
    helper = lambda x: kept.append(SimpleNamespace(y=np.sum(np.sin(x))))

    def f(x):
        y = x * 2
        helper(y)
        return y

    tg.jit(f)(np.ones(2))
    line = f.__code__.co_firstlineno + 2
    with pytest.raises(ReplayError, match=rf"made at .*test_replay\.py:{line}, is used at"):
        kept[0].y + 1


def test_a_gradient_that_leaks_names_the_backward_pass():
    W, kept = tg.Tensor([1.0, 2.0]), []

    def f():
        np.sum(W * W).backward()
        kept.append(SimpleNamespace(dW=W.grad))

    tg.jit(f)()
    line = f.__code__.co_firstlineno + 1
    with pytest.raises(ReplayError, match=rf"made at .*test_replay\.py:{line}, is used at"):
        kept[0].dW * 2


def test_after_an_error_everything_is_where_it_was():
    W = tg.Tensor(np.ones((2, 2)))
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state

    @tg.jit
    def f(x):
        W.data -= W.data * nn.dropout(x, 0.5, rng=rng)
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        f(np.ones((2, 2)))
    np.testing.assert_array_equal(W.data, np.ones((2, 2)))
    assert type(W.data) is np.ndarray
    assert rng.bit_generator.state == before


def test_a_hook_is_refused():
    W = tg.Tensor([1.0], name="W")
    W.register_hook(lambda g: None)
    with pytest.raises(ReplayError, match="W has a hook"):
        tg.jit(lambda: np.sum(W * 2))()


def test_a_hook_that_comes_later_is_refused_until_it_is_gone():
    W, heard = tg.Tensor([1.0, 2.0], name="W"), []
    f = tg.jit(lambda x: np.sum(W * x))
    for _ in range(2):
        assert float(f(np.ones(2))) == 3.0
    with W.register_hook(heard.append), pytest.raises(ReplayError, match="W has a hook"):
        f(np.ones(2))
    assert float(f(np.ones(2))) == 3.0


# ---- memory that is shared ---------------------------------------------------------------------
def test_a_view_of_what_is_computed_once_instead_of_twice():
    def f(x):
        once, twice = x @ x.T / 4, x @ x.T / 4
        return np.sin(once) * 2, twice @ twice.T, once * 1 + twice.T

    replayed = plain(f)
    for i in range(3):
        x = np.random.default_rng(i).standard_normal((3, 2))
        assert all(same(a, b) for a, b in zip(replayed(x), f(x), strict=True))


def test_products_of_strided_matrices_and_of_one_entry():
    f = lambda x, y: (x[:, ::2] @ y[::2], x[:1, :1].copy() @ y[:1, :1].copy(), x[:, :1] @ y[:1])
    replayed = plain(f)
    for i in range(3):
        x = np.random.default_rng(i).standard_normal((4, 6))
        x[0, :2] = -0.0, 0.0
        y = np.abs(x.T) + 1
        assert all(same(a, b) for a, b in zip(replayed(x, y), f(x, y), strict=True))
        V, W = tg.Tensor(x), tg.Tensor(y)
        assert all(same(a.data, b.data) for a, b in zip(replayed(V, W), f(V, W), strict=True))


def test_parts_of_an_array_are_kept_while_they_are_read():
    def f(x):
        first, second = np.split(np.sin(x), 2)
        z = np.exp(np.cos(x) + x) * x
        return first + 1, second * z[:2]

    replayed = plain(f)
    for i in range(3):
        x = np.random.default_rng(i).standard_normal((4, 4))
        assert all(same(a, b) for a, b in zip(replayed(x), f(x), strict=True))


def test_a_copy_of_a_parameter_from_before_its_update():
    def made():
        W = tg.Tensor([1.0, 2.0])

        def step():
            before = np.astype(W.data, float)
            W.data -= 0.1
            return before

        return step

    step, replayed = made(), plain(made())
    for _ in range(3):
        assert same(step(), replayed())


def test_an_outdated_view_is_not_returned():
    W = tg.Tensor([[1.0, 2.0]])

    @tg.jit
    def step():
        before = W.data.T
        W.data -= 0.1
        return before

    with pytest.raises(ReplayError, match=r"returns a view .* changed in place since, at .*\.py"):
        step()


def test_gradients_that_are_equal_are_changed_apart():
    def made():
        W, V = tg.Tensor([1.0, 2.0]), tg.Tensor([3.0, 4.0])
        descent = optim.SGD([W, V], lr=0.1)

        def step():
            descent.zero_grad()
            np.sum(np.sin(W + V)).backward()
            W.grad += 1
            descent.step()

        return W, V, step

    (W, V, step), (other, another, replayed) = made(), made()
    replayed = plain(replayed)
    for _ in range(3):
        step()
        replayed()
    assert same(W.data, other.data)
    assert same(V.data, another.data)


# ---- what it keeps ------------------------------------------------------------------------------
def test_what_was_given_long_ago_is_let_go():
    f, noise = plain(lambda x, n: x * 2), lambda: 0
    f(np.ones(2), noise)
    gone = weakref.ref(noise)
    del noise
    assert all(f(np.ones(2), i)[0] == 2.0 for i in range(300))
    gc.collect()
    assert gone() is None


def test_an_error_of_the_function_undoes_what_it_has_done():
    net, _, step, X, Y = training([2, 3, 1], 8)
    rng, counted, calls = np.random.default_rng(0), {"n": 0}, []
    before = [W.data.copy() for W in net.parameters().values()]
    state = rng.bit_generator.state

    @plain
    def failing(X, Y):
        counted["n"] += 1
        calls.append(rng.random())
        step(X, Y)
        raise KeyError("here")

    with pytest.raises(KeyError, match="here"):
        failing(X, Y)
    assert all(map(same, before, [W.data for W in net.parameters().values()]))
    assert counted == {"n": 0}
    assert calls == []
    assert rng.bit_generator.state == state
