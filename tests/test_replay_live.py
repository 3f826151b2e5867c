"""tg.jit: what is live stays live, and what was exchanged is noticed; eager is the witness."""

import random
import sys
import warnings
from copy import deepcopy
from functools import partial
from types import ModuleType

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.test_replay import plain, same
from tinygrad_dnn import nn, optim
from tinygrad_dnn.errors import ReplayError
from tinygrad_dnn.replay.jit import has_native

OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1),
    "SGD with decay": lambda p: optim.SGD(p, lr=0.1, weight_decay=0.01),
    "Momentum": lambda p: optim.Momentum(p, lr=0.1),
    "RMSProp": lambda p: optim.RMSProp(p, lr=0.01),
    "Adam": lambda p: optim.Adam(p, lr=0.01),
    "Adam with decay": lambda p: optim.Adam(p, lr=0.01, weight_decay=0.01),
    "AdamW": lambda p: optim.AdamW(p, lr=0.01),
}


def data(i, n=3, m=8):
    return np.random.default_rng(i).standard_normal((n, m))


def stepping(optimizer, layers=None):
    """A network's parameters, its optimiser and its training step."""
    rng = np.random.default_rng(1)
    net = nn.Sequential(*(layers(rng) if layers else [nn.Linear(3, 5, rng=rng), nn.Tanh()]))
    descent = optimizer(net.parameters())

    def step(X):
        J = np.mean(net(X) ** 2)
        descent.zero_grad()
        J.backward()
        descent.step()
        return J

    return net.parameters(), descent, step


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimiser_takes_eager_steps_while_its_rate_changes(name):
    W, descent, step = stepping(OPTIMIZERS[name])
    V, other, replayed = stepping(OPTIMIZERS[name])
    replayed = plain(replayed)
    for i in range(30):
        descent.lr = other.lr = 0.1 / (1 + i)
        assert same(step(data(i)).data, replayed(data(i)).data)
    assert all(same(W[k].data, V[k].data) for k in W)


@pytest.mark.parametrize("cell", [nn.RNN, nn.LSTM, nn.GRU])
def test_recurrent_layers(cell):
    def made():
        layer = cell(3, 4, rng=np.random.default_rng(1))
        descent = optim.SGD(nn.parameters(layer), lr=0.1)

        def step(X):
            J = np.mean(layer(X) ** 2)
            descent.zero_grad()
            J.backward()
            descent.step()
            return J

        return step

    step, replayed = made(), plain(made())
    for i in range(4):
        X = np.random.default_rng(i).standard_normal((5, 3, 6))
        assert same(step(X).data, replayed(X).data)


def test_class_numbers_are_an_argument_and_still_checked():
    rng = np.random.default_rng(1)
    net = nn.Sequential(nn.Linear(3, 4, rng=rng), nn.Softmax())
    cost = lambda X, y: nn.cross_entropy(net(X), y)
    replayed = plain(cost)
    for i in range(3):
        y = np.random.default_rng(i).integers(0, 4, 8)
        assert same(cost(data(i), y).data, replayed(data(i), y).data)
    with pytest.raises(ValueError, match="4 classes are numbered 0 to 3"):
        replayed(data(0), np.full(8, 4))


def test_gradients_that_are_added_up_before_an_update():
    def made():
        W = tg.Tensor(np.ones((2, 3)), name="W")
        descent = optim.SGD([W], lr=0.1)

        def step(X):
            np.mean((W @ X) ** 2).backward()
            descent.step()

        return W, step

    (W, step), (V, replayed) = made(), made()
    replayed = plain(replayed)
    for i in range(4):
        step(data(i))
        replayed(data(i))
        assert same(W.data, V.data)


@pytest.mark.parametrize("known", [False, True])
def test_an_optimiser_of_ones_own_keeps_numbers_in_containers(known):
    class Descent:
        def __init__(self, W):
            self.parameters, self.factors = [W], [0.5]
            self.state = {"t": 0, "grad": np.zeros(W.shape), "more": [[0.0]]}

        def step(self):
            self.state["t"] += 1
            self.state["more"][0][0] += 0.25
            for W in self.parameters:
                self.state["grad"] += W.grad
                W.data = W.data - self.state["grad"] * (0.1 * self.factors[0] / self.state["t"])
                W.grad = None

    def made():
        W = tg.Tensor(np.ones((2, 3)), name="W")
        descent = Descent(W)
        factors = descent.factors if known else None

        def step(X):
            J = np.mean((W @ X) ** 2)
            J.backward()
            descent.step()
            return J if factors is None else J * factors[0]

        return W, descent, step

    (W, descent, step), (V, other, replayed) = made(), made()
    replayed = plain(replayed)
    for i in range(4):
        descent.factors[0] = other.factors[0] = 1 / (1 + i)
        assert same(step(data(i)).data, replayed(data(i)).data)
        assert same(W.data, V.data)
        assert same(descent.state["grad"], other.state["grad"])
        assert [descent.state[k] for k in ("t", "more")] == [i + 1, [[0.25 * (i + 1)]]]
        assert [other.state[k] for k in ("t", "more")] == [i + 1, [[0.25 * (i + 1)]]]
    assert replayed.failure is None


def test_a_number_that_was_one_when_recorded():
    f = plain(lambda x: x * x)
    for x in (1.0, 3.0):
        assert f(np.array(x)) == x * x


def test_two_signatures_share_parameters_that_are_given_new_data():
    W, _, step = stepping(OPTIMIZERS["SGD"])
    V, _, replayed = stepping(OPTIMIZERS["SGD"])
    replayed = plain(replayed)
    for i in range(8):
        X = data(i, m=8 - i % 2)
        if i == 5:
            for p in (*W.values(), *V.values()):
                p.data = np.full(p.shape, 0.5)
        assert same(step(X).data, replayed(X).data)
    assert all(same(W[k].data, V[k].data) for k in W)


@pytest.mark.parametrize("holder", ["closure", "argument", "attribute"])
def test_generators_are_live_wherever_they_are(holder):
    def run(jit):
        rng = np.random.default_rng(3)
        layer = nn.Dropout(0.5, rng=rng)
        f = {
            "closure": lambda x: nn.dropout(x, 0.5, rng=rng),
            "argument": lambda x, rng: nn.dropout(x, 0.5, rng=rng),
            "attribute": layer,
        }[holder]
        f = jit(f)
        more = (rng,) if holder == "argument" else ()
        return [f(np.ones((3, 4)), *more) for _ in range(4)]

    for a, b in zip(run(lambda f: f), run(plain), strict=True):
        assert same(a, b)


def test_a_checkpoint_draws_the_mask_of_its_first_run_at_every_replay():
    def made():
        W, layer = tg.Tensor(np.ones((3, 4))), nn.Dropout(0.5, rng=np.random.default_rng(3))
        block = tg.func.checkpoint(lambda x: layer(layer(W * x)))

        def step(x):
            W.grad = None
            J = np.sum(block(x))
            J.backward()
            return W.grad

        return step

    step, replayed = made(), plain(made())
    for i in range(4):
        assert same(replayed(data(i, m=4)), step(data(i, m=4)))


def test_a_copy_of_a_generator_draws_what_the_generator_draws():
    def run(jit):
        rng = np.random.default_rng(3)

        @jit
        def f(x):
            copied = deepcopy(rng)
            return x + copied.random(4), x + rng.random(4), deepcopy(copied).random(), rng.random()

        return [np.stack([np.sum(r) for r in f(np.ones(4))]) for _ in range(3)]

    assert same(np.array(run(plain)), np.array(run(lambda f: f)))


def test_a_copy_of_a_generator_that_draws_something_else_is_refused():
    rng = np.random.default_rng(3)
    with pytest.raises(ReplayError, match=r"rng.normal at .*: a copy of the generator draws"):
        tg.jit(lambda x: x + deepcopy(rng).random() + rng.normal())(np.ones(2))


@pytest.mark.parametrize(
    ("f", "kind"),
    [
        (lambda rng: partial(lambda r, x: x * r.random(), rng), "partial"),
        (lambda rng: lambda x, draw=rng.random: x * draw(), "method"),
        (lambda rng: lambda x, rngs={rng}: x * next(iter(rngs)).random(), "set"),
    ],
    ids=["partial", "method", "set"],
)
def test_a_generator_where_it_cannot_be_exchanged_is_refused(f, kind):
    with pytest.raises(ReplayError, match=rf"is held by a {kind}, where tg.jit cannot"):
        tg.jit(f(np.random.default_rng(3)))(np.ones(2))


def test_exchanged_attributes_of_a_layer_are_noticed():
    class Layer:
        factors, mode, n = np.array([2.0, 3.0]), "double", 1

        def __init__(self):
            self.factors, self.mode, self.n = self.factors, self.mode, self.n

        def __call__(self, x):
            return x * self.factors * self.n * (2 if self.mode == "double" else 1)

    layer = Layer()
    replayed, x = plain(lambda x: layer(x)), np.ones(2)
    for key, value in [
        ("n", 1),
        ("n", 2),
        ("factors", np.zeros(2) + 5),
        ("mode", "once"),
        ("n", 7),
    ]:
        setattr(layer, key, value)
        for _ in range(2):
            assert same(replayed(x), layer(x))


def test_a_replay_warns_where_eager_does():
    def f(x, y):
        with np.errstate(divide="ignore"):
            quiet = 1 / x
        return quiet, np.log(y)

    replayed, zero, one = plain(f), np.zeros(2), np.ones(2)
    with np.errstate(all="ignore"):
        replayed(zero, zero)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        replayed(zero, one)
        with pytest.raises(RuntimeWarning, match="divide by zero encountered in log"):
            replayed(one, zero)


def test_an_array_given_to_a_leaf_is_copied():
    W, mine = tg.Tensor([1.0, 2.0]), np.array([5.0, 6.0])

    @plain
    def step():
        W.data -= 1.0

    step()
    W.data = mine
    step()
    assert same(W.data, np.array([4.0, 5.0]))
    assert same(mine, np.array([5.0, 6.0]))


@pytest.mark.parametrize("how", [lambda a: a, lambda a: a[:, :1], lambda a: a.T])
def test_tensors_that_share_their_memory_are_refused(how):
    W, V = tg.Tensor(np.ones((2, 3)), name="W"), tg.Tensor(np.ones((2, 3)), name="V")
    V.node.value = how(W.data)
    with pytest.raises(ReplayError, match=r"uses (W and V|V and W), whose data lie"):
        tg.jit(lambda: np.sum(W) * np.sum(V))()


@pytest.mark.parametrize("draw", [np.random.random, np.random.randn, random.random, random.gauss])
def test_random_numbers_of_the_module_are_refused(draw):
    def noise(x):
        y = x * 2
        return y * draw()

    line = noise.__code__.co_firstlineno + 2
    where = rf"draws from np\.random or random themselves, at .*test_replay_live\.py:{line}, and"
    for f in (noise, lambda x: noise(x) + 1):
        with pytest.raises(ReplayError, match=where):
            tg.jit(f)(np.ones(2))


@pytest.mark.parametrize("draw", [np.random.randn, lambda: random.gauss()])
def test_normals_in_store_are_refused_too(draw):
    """Normals come in pairs: the second of two is drawn from no numbers."""
    f = tg.jit(lambda x: x * draw())
    for _ in range(2):
        with pytest.raises(ReplayError, match=r"draws from np\.random or random"):
            f(np.ones(2))


@pytest.mark.parametrize(
    ("seed", "draw"), [(np.random.seed, np.random.random), (random.seed, random.random)]
)
def test_seeding_in_a_step_is_refused(seed, draw):
    draw()
    with pytest.raises(ReplayError, match=r"draws from np\.random or random"):
        tg.jit(lambda x: (seed(3), x)[1])(np.ones(2))


def test_random_numbers_of_the_module_are_refused_whatever_its_generator():
    before = np.random.get_bit_generator()
    np.random.set_bit_generator(np.random.PCG64(0))
    try:
        with pytest.raises(ReplayError, match=r"draws from np\.random or random"):
            tg.jit(lambda x: x * np.random.random())(np.ones(2))  # noqa: NPY002
        np.testing.assert_array_equal(tg.jit(lambda x: x + 1)(np.ones(2)), [2.0, 2.0])
    finally:
        np.random.set_bit_generator(before)


def test_a_shape_that_depends_on_data_is_refused():
    with pytest.raises(ReplayError):
        tg.jit(lambda x: x[x > 0])(np.array([1.0, -1.0]))


def test_detect_anomaly_looks_at_every_call_of_a_jitted_function():
    x = tg.Tensor([1.0, 0.0], name="x")
    f = plain(lambda: np.sum(np.log(x)))
    with np.errstate(divide="ignore"):
        f()
        f()
        with tg.detect_anomaly(), pytest.raises(FloatingPointError, match="first inf"):
            f()


# ---- what methods and modules reach --------------------------------------------------------------
SHARED, FACTOR = np.random.default_rng(3), 2.0


class Noisy:
    """Every kind of method draws from a generator of this module, and reads a number of it."""

    shift = 1.0

    def __call__(self, x):
        return x * SHARED.random() * FACTOR + self.shift

    def method(self, x):
        return self(x)

    @staticmethod
    def static(x):
        return x * SHARED.random() * FACTOR

    @classmethod
    def of_class(cls, x):
        return x * SHARED.random() * FACTOR + cls.shift

    @property
    def noise(self):
        return SHARED.random() * FACTOR


@pytest.mark.parametrize(
    "f",
    [
        Noisy(),
        lambda x: Noisy()(x),
        Noisy().method,
        lambda x: Noisy.static(x),
        lambda x: Noisy.of_class(x),
        lambda x: x * Noisy().noise,
        lambda x: [Noisy()][0].method(x),
    ],
    ids=["instance", "class", "bound", "static", "of class", "property", "by name"],
)
def test_what_a_method_reaches_is_live(f, monkeypatch):
    def run(f):
        monkeypatch.setitem(globals(), "SHARED", np.random.default_rng(3))
        found = []
        for factor, shift in ((2.0, 1.0), (3.0, 1.0), (3.0, 2.0), (4.0, 3.0)):
            monkeypatch.setitem(globals(), "FACTOR", factor)
            monkeypatch.setattr(Noisy, "shift", shift)
            found += [f(np.ones(2)) for _ in range(2)]
        return np.stack(found)

    assert same(run(plain(f)), run(f))


def test_what_a_module_of_the_users_has_is_live(monkeypatch):
    module, inner = ModuleType("users_model"), ModuleType("users_model.inner")
    lines = "n, k = 2, 3.0\ndef forward(x):\n    return (x + shift) * n * k * rng.random()"
    for made in (module, inner):
        monkeypatch.setitem(sys.modules, made.__name__, made)
        exec(lines, vars(made))
    module.inner = inner

    def run(f):
        for made in (module, inner):
            made.rng, made.shift = np.random.default_rng(3), np.ones(2)
        found = [f(np.ones(2))]
        for name, value in (("shift", np.zeros(2)), ("n", 5), ("k", 7.0), ("k", 8.0)):
            for made in (module, inner):
                setattr(made, name, value)
            found += [f(np.ones(2)) for _ in range(2)]
        for made in (module, inner):
            made.n, made.k = 2, 3.0
        return np.stack(found)

    for f in (lambda x: module.forward(x), lambda x: module.inner.forward(x)):
        assert same(run(plain(f)), run(f))


def test_a_number_of_numpy_s_that_an_optimiser_adds_up_is_one_at_every_step():
    class Counting(optim.SGD):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.total = np.float64(0)

        def step(self):
            super().step()
            self.total += np.sum(self.parameters[0].node.value)

    found = []
    for native in (None, False, *([True] if has_native() else [])):
        W = tg.Tensor([1.0, 2.0])
        descent, totals = Counting([W], lr=0.1), []

        def step(X, W=W, descent=descent):
            descent.zero_grad()
            np.sum((W * X) ** 2).backward()
            descent.step()

        f = step if native is None else tg.jit(step, native=native)
        for _ in range(5):
            f(np.array([0.5, 0.25]))
            totals.append(descent.total)
            assert type(descent.total) is np.float64
        found.append(totals)
    assert found[1] == found[0]
    for totals in found[2:]:
        assert totals == pytest.approx(found[0], rel=1e-14)
