"""Steps of an optimiser that are replayed: the same numbers as eager ones, whatever is changed."""

import copy
import logging
import pickle
import threading

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn import nn, optim
from tinygrad_dnn.optim.update import EAGERLY

KINDS = [optim.SGD, optim.Momentum, optim.RMSProp, optim.Adam, optim.AdamW]
REPLAYED = KINDS[1:]
EAGER = {kind: type(kind.__name__, (kind,), {}) for kind in KINDS}  # a kind of the user's own


def parameters(dtype="float64"):
    rng = np.random.default_rng(1)
    shapes = {"W": (3, 2), "b": (3, 1), "scale": ()}
    return {n: tg.Tensor(rng.standard_normal(s).astype(dtype), name=n) for n, s in shapes.items()}


def recorded(descent):
    update = descent._Optimizer__update
    return update and update._recorded


class Pair:
    """Two optimisers that are to do the same, of which one replays its steps."""

    def __init__(self, kind, make=parameters, **options):
        self.given = [make(), make()]
        kinds = kind, EAGER[kind]
        options.setdefault("lr", 0.01)
        self.descents = [k(p, **options) for k, p in zip(kinds, self.given, strict=True)]
        self.rng = np.random.default_rng(2)

    @property
    def replayed(self):
        return bool(recorded(self.descents[0]))

    def step(self, without=()):
        drawn = {n: self.rng.standard_normal(p.shape) for n, p in self.given[0].items()}
        for given, descent in zip(self.given, self.descents, strict=True):
            for n, p in given.items():
                p.grad = None if n in without else drawn[n].astype(p.dtype)
            descent.step()
        self.assert_same()

    def steps(self, n, **options):
        for _ in range(n):
            self.step(**options)

    def until_recorded(self):
        self.steps(EAGERLY + 1)
        assert self.replayed

    def do(self, change):
        for given, descent in zip(self.given, self.descents, strict=True):
            change(descent, given)

    def assert_same(self):
        def state(descent):
            own = vars(descent).items()
            return {k: v for k, v in own if k != "parameters" and not callable(v)}

        one, other = (state(descent) for descent in self.descents)
        np.testing.assert_equal(one, other)
        for n, p in self.given[0].items():
            assert p.dtype == self.given[1][n].dtype
            assert np.array_equal(p.data, self.given[1][n].data)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("decay", [None, 0.1])
@pytest.mark.parametrize("kind", REPLAYED)
def test_a_replayed_step_is_the_same_to_the_bit(kind, decay, dtype):
    pair = Pair(kind, lambda: parameters(dtype), weight_decay=decay)
    arrays = {n: p.data for n, p in pair.given[0].items()}
    pair.steps(EAGERLY)
    assert not pair.replayed
    pair.steps(100)
    assert pair.replayed
    for n, p in pair.given[0].items():
        assert p.data is arrays[n]


def mixed():
    given = parameters()
    return {n: tg.Tensor(p.data.astype("float32" if n == "b" else float)) for n, p in given.items()}


def complex_ones():
    return {n: tg.Tensor(p.data * (1 + 2j), name=n) for n, p in parameters().items()}


@pytest.mark.parametrize(
    ("kind", "make"), [(optim.Adam, mixed), (optim.Momentum, mixed), (optim.Momentum, complex_ones)]
)
def test_of_dtypes_that_differ_and_of_complex_numbers(kind, make):
    pair = Pair(kind, make, weight_decay=0.1)
    pair.until_recorded()
    pair.steps(20)
    assert pair.replayed


def set_rate(rate):
    return lambda descent, given: setattr(descent, "lr", rate)


@pytest.mark.parametrize("rate", [0.05, 1, 0.0])
def test_numbers_are_live(rate):
    pair = Pair(optim.Adam)
    pair.until_recorded()
    pair.do(set_rate(rate))
    pair.do(lambda descent, given: setattr(descent, "beta1", 0.5))
    pair.steps(10)
    assert pair.replayed == (type(rate) is float)


def test_a_schedule():
    pair = Pair(optim.Momentum)
    schedules = [optim.Schedule(d, optim.cosine(0.1, 200)) for d in pair.descents]
    for _ in range(EAGERLY + 50):
        pair.step()
        for schedule in schedules:
            schedule.step()
    assert pair.replayed


def exchange_state(descent, given):
    for x in vars(descent).values():
        if isinstance(x, list) and isinstance(x[0], np.ndarray):
            x[0] = x[0] * 2


CHANGES = {
    "decay": lambda descent, given: setattr(descent, "weight_decay", 0.3),
    "no decay": lambda descent, given: setattr(descent, "weight_decay", None),
    "another number": set_rate(np.float64(0.05)),
    "an array": set_rate(np.array(0.05)),
    "state": exchange_state,
    "list of state": lambda descent, given: setattr(
        descent, "v", [x * 2 for x in getattr(descent, "v", [])]
    ),
    "data": lambda descent, given: setattr(given["W"], "data", np.ones((3, 2))),
    "dtype": lambda descent, given: setattr(given["W"], "data", np.ones((3, 2), "float32")),
    "layout": lambda descent, given: setattr(given["W"], "data", np.ones((2, 3)).T),
    "parameters": lambda descent, given: descent.parameters.pop(),
    "a parameter": lambda descent, given: descent.parameters.__setitem__(
        0, tg.Tensor(np.ones((3, 2)))
    ),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", [optim.Momentum, optim.RMSProp, optim.Adam, optim.AdamW])
@pytest.mark.parametrize("decay", [None, 0.1])
def test_what_has_been_exchanged_is_noticed(kind, change, decay):
    pair = Pair(kind, weight_decay=decay)
    pair.until_recorded()
    pair.do(CHANGES[change])
    arrays = [p.data for p in pair.given[0].values()]
    pair.step()
    pair.step()
    for p, array in zip(pair.given[0].values(), arrays, strict=True):
        assert p.data is array
    pair.steps(2 * EAGERLY)
    assert pair.replayed


def test_what_is_changed_in_place_is_read():
    pair = Pair(optim.Adam)
    pair.until_recorded()
    for _ in range(3):
        pair.do(lambda descent, given: given["W"].data.fill(0.5))
        pair.do(lambda descent, given: descent.m[0].fill(0.25))
        pair.steps(3)
    assert pair.replayed


def test_another_set_of_gradients_is_counted_anew():
    pair = Pair(optim.Adam)
    pair.until_recorded()
    pair.step(without=["b"])
    assert not pair.replayed
    pair.steps(2 * EAGERLY + 1, without=["b"])
    assert pair.replayed
    pair.step(without=["W"])
    assert not pair.replayed
    for _ in range(EAGERLY):  # as one that is changed all the time
        pair.step(without=["b"])
        pair.step(without=["W"])
    assert not pair.replayed


def test_a_parameter_that_requires_no_gradient_for_a_while():
    def step(descent, given):
        descent.zero_grad()
        np.sum((given["W"] * given["scale"] + given["b"]) ** 2).backward()
        descent.step()

    def set_learning(learning):
        def change(descent, given):
            given["b"].node.needs_grad = learning

        return change

    pair = Pair(optim.Adam)
    for learning in (True, False, True):
        pair.do(set_learning(learning))
        for _ in range(4 * EAGERLY + 2):
            pair.do(step)
            pair.assert_same()
        assert pair.replayed


def test_two_optimisers_of_the_same_parameters():
    pair = Pair(optim.Adam)
    others = [EAGER[optim.RMSProp](pair.given[1]), optim.RMSProp(pair.given[0])]
    for _ in range(EAGERLY + 20):
        pair.step()
        for other in others:
            other.step()
        pair.assert_same()
    assert pair.replayed
    assert recorded(others[1])


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
@pytest.mark.parametrize("before", [3, EAGERLY + 3])
def test_a_copy_goes_on_by_itself(copied, before):
    pair = Pair(optim.AdamW)
    pair.steps(before)
    given, descent = copied((pair.given[0], pair.descents[0]))
    frozen = {n: p.data.copy() for n, p in given.items()}
    assert not recorded(descent)
    pair.steps(EAGERLY)
    for n, p in given.items():
        assert np.array_equal(p.data, frozen[n])
    again = Pair(optim.AdamW)
    again.steps(before)
    again.given[0], again.descents[0] = given, descent
    again.steps(EAGERLY + 3)
    assert again.replayed


def test_nothing_of_the_recording_is_part_of_the_optimiser():
    pair = Pair(optim.Adam)
    before = list(vars(pair.descents[0]))
    pair.until_recorded()
    assert list(vars(pair.descents[0])) == before
    assert list(nn.parameters({"descent": pair.descents[0]})) == [
        f"descent.parameters.{i}" for i in range(3)
    ]


def test_a_net_that_is_loaded(tmp_path):
    nets = [nn.Sequential.from_layer_dims([3, 4, 1], rng=np.random.default_rng(0)) for _ in "ab"]
    made = iter(nets)
    pair = Pair(optim.Adam, lambda: next(made).parameters())
    nets[0].save(tmp_path / "net.npz")
    pair.until_recorded()
    for net in nets:
        saved = nn.Sequential.load(tmp_path / "net.npz").parameters()
        for n, p in net.parameters().items():
            p.data = saved[n].data
    pair.steps(2 * EAGERLY + 3)
    assert pair.replayed


def own_gradient(descent, given):
    """Let gradients be the very data that are being changed, and views of them."""
    given["W"].grad = given["W"].data
    given["b"].grad = given["b"].data[::-1]
    given["scale"].grad = descent.m[2]
    descent.step()


def parts_of_one_array(descent, given):
    """Let gradients be parts of one array, which the user has made."""
    shapes = [p.shape for p in given.values()]
    ends = np.cumsum([np.prod(shape, dtype=int) for shape in shapes])
    parts = np.split(np.linspace(-1, 1, ends[-1]), ends[:-1])
    for p, part, shape in zip(given.values(), parts, shapes, strict=True):
        p.grad = part.reshape(shape)
    descent.step()


@pytest.mark.parametrize(
    ("kind", "step"), [(optim.AdamW, own_gradient), (optim.Adam, parts_of_one_array)]
)
def test_gradients_that_are_no_arrays_of_their_own(kind, step):
    pair = Pair(kind)
    pair.until_recorded()
    for _ in range(5 * EAGERLY):
        pair.do(step)
        pair.assert_same()
    assert not pair.replayed


def halved(method):
    """A method of an optimiser that makes every step half as long."""

    def change(descent, given):
        own = getattr(descent, method)
        found = lambda gradients: own([(i, W, dW / 2) for i, W, dW in gradients])
        setattr(descent, method, found)

    return change


@pytest.mark.parametrize("method", ["take", "descend"])
@pytest.mark.parametrize("before", [1, EAGERLY + 3])
def test_methods_that_were_put_in_place_of_those_of_the_kind(method, before):
    pair = Pair(optim.Adam)
    pair.steps(before)
    pair.do(halved(method))
    pair.steps(3 * EAGERLY)
    assert not pair.replayed


def test_a_method_of_the_kind_that_is_exchanged(monkeypatch):
    pair = Pair(optim.Adam)
    pair.until_recorded()
    own = optim.Adam.descend
    twice = lambda self, gradients: own(self, [(i, W, 2 * dW) for i, W, dW in gradients])
    monkeypatch.setattr(optim.Adam, "descend", twice)
    pair.steps(2 * EAGERLY + 3)
    assert pair.replayed


def test_a_kind_that_looks_at_tensors_of_its_own_stays_eager(caplog):
    class Averaging(optim.Adam, replayed=True):
        def __init__(self, given, **options):
            super().__init__(given, **options)
            self.average = [tg.Tensor(p.data) for p in self.parameters]

        def descend(self, gradients):
            super().descend(gradients)
            for i, W, _ in gradients:
                self.average[i].data = 0.9 * self.average[i].data + 0.1 * W.value

    averages = []
    for kind in (Averaging, type("Eager", (Averaging,), {})):
        given = parameters()
        descent = kind(given)
        with caplog.at_level(logging.INFO, "tinygrad_dnn.optim"):
            for _ in range(EAGERLY + 10):
                for p in given.values():
                    p.grad = np.ones_like(p.data)
                descent.step()
        averages.append([a.data for a in descent.average])
    np.testing.assert_equal(*averages)
    assert "the update of Averaging looks at a Tensor itself" in caplog.text


def test_a_kind_that_draws_from_numpy_itself_stays_eager(caplog):
    class Noisy(optim.SGD, replayed=True):
        def descend(self, gradients):
            for _, W, dW in gradients:
                W.value -= self.lr * dW * (1 + np.random.random())  # noqa: NPY002

    W = tg.Tensor(np.ones(3))
    descent, before = Noisy([W], lr=0.1), W.data.copy()
    caplog.set_level(logging.INFO, "tinygrad_dnn.optim")
    for _ in range(EAGERLY + 10):
        W.grad = np.ones(3)
        descent.step()
        assert (W.data < before).all()
        before = W.data.copy()
    assert "the update of Noisy draws from np.random or random themselves" in caplog.text


def test_parameters_that_share_memory_are_refused_once_and_why_is_logged(caplog):
    def shared():
        W, b = tg.Tensor(np.ones(4), name="W"), tg.Tensor(np.ones(2), name="b")
        b.data = W.data[:2]
        return {"W": W, "b": b}

    pair = Pair(optim.Adam, shared)
    with caplog.at_level(logging.INFO, "tinygrad_dnn.optim"):
        pair.steps(3 * EAGERLY)
    (said,) = (r.getMessage() for r in caplog.records)
    assert said == (
        "Adam takes every step eagerly: the update of Adam uses b and W, whose data lie in the "
        "same memory; give one of them a copy, or use one Tensor in both places"
    )
    assert not pair.replayed


def test_what_is_no_plain_array_or_large_stays_eager():
    class Kind(np.ndarray):
        pass

    def others():
        given = parameters()
        given["W"].data = given["W"].data.view(Kind)
        return given

    for make in (others, lambda: {"W": tg.Tensor(np.ones((100, 100)))}):
        pair = Pair(optim.Momentum, make)
        pair.steps(EAGERLY + 3)
        assert not pair.replayed


def test_a_kind_of_the_user_s_own_stays_eager_if_it_does_not_say_that_it_can_be_replayed():
    def descend(self, gradients):
        self.heard.append(len(gradients))
        super(type(self), self).descend(gradients)

    for replayed in (False, True):
        Mine = type("Mine", (optim.Adam,), {"descend": descend, "heard": []}, replayed=replayed)
        given = parameters()
        descent = Mine(given)
        for _ in range(EAGERLY + 10):
            for p in given.values():
                p.grad = np.ones_like(p.data)
            descent.step()
        assert bool(recorded(descent)) is replayed
        assert len(descent.heard) == EAGERLY + (1 if replayed else 10)
        descent.step()


def test_within_a_recording_and_where_somebody_looks_steps_are_eager():
    pair = Pair(optim.Adam)
    X = np.ones((2, 4))

    def step(descent, given, jit=False):
        def f(X):
            J = np.mean((given["W"] @ X + given["b"]) ** 2) * given["scale"]
            descent.zero_grad()
            J.backward()
            descent.step()
            return J

        return tg.jit(f, native=False) if jit else f

    eager = [step(*one) for one in zip(pair.descents, pair.given, strict=True)]
    jitted = [step(*one, jit=True) for one in zip(pair.descents, pair.given, strict=True)]
    for f in eager:
        for _ in range(EAGERLY + 1):
            f(X)
    assert pair.replayed
    for _ in range(3):
        for f in jitted:
            f(X)
        pair.assert_same()
        for f in eager:
            f(X)
        pair.assert_same()
        with tg.detect_anomaly():
            for f in eager:
                f(X)
        pair.assert_same()


def test_a_replayed_step_makes_graphs_of_the_old_data_stale():
    pair = Pair(optim.Momentum)
    pair.until_recorded()
    W = pair.given[0]["W"]
    J = np.sum(W**2)
    pair.step()
    assert pair.replayed
    with pytest.raises(tg.errors.ChangedDataError, match="W"):
        J.backward()


def test_a_warning_that_is_an_error_leaves_graphs_stale_too():
    pair = Pair(optim.Momentum)
    pair.until_recorded()
    W = pair.given[0]["W"]
    J = np.sum(W**2)
    for p in pair.given[0].values():
        p.grad = np.full_like(p.data, 1e308)
    pair.descents[0].lr = 1e10
    with pytest.raises(RuntimeWarning):
        pair.descents[0].step()
    with pytest.raises(tg.errors.ChangedDataError, match="W"):
        J.backward()


def test_other_threads_see_nothing_but_numbers():
    given = parameters()
    descent, done, seen = optim.Adam(given), threading.Event(), set()

    def look():
        while not done.is_set():
            seen.add(type(given["W"].data))
            seen.add(type(descent.m[0]))
            seen.add(type(descent.t))

    looking = threading.Thread(target=look)
    looking.start()
    for k in range(4):
        given["W"].data = np.ones((3, 2)) * k
        while not recorded(descent):
            for p in given.values():
                p.grad = np.ones_like(p.data)
            descent.step()
        descent.m[0] = descent.m[0].copy()
        descent.step()
    done.set()
    looking.join()
    assert seen == {np.ndarray, int}


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_option_is_noticed_by_jit_too(kind):
    found = []
    for jit in (tg.jit, lambda f, **_: f):
        given = parameters()
        descent = kind(given, lr=0.01)

        def step(X, given=given, descent=descent):
            J = np.mean((given["W"] @ X + given["b"]) ** 2) * given["scale"]
            descent.zero_grad()
            J.backward()
            descent.step()
            return J

        step = jit(step, native=False)
        for value in (None, 0.3, 0.2, None, 1, 0.1, np.float32(0.5), None):
            descent.weight_decay = value or (0.1 if kind is optim.AdamW else None)
            descent.lr = 0.01 if value is None else value / 10
            for _ in range(3):
                step(np.ones((2, 4)))
        found.append([p.data for p in given.values()])
    for one, other in zip(*found, strict=True):
        assert np.array_equal(one, other)
