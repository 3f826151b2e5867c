"""tg.jit: what a function leaves in attributes and entries; eager is the witness."""

from collections import Counter, OrderedDict, defaultdict, deque
from functools import lru_cache

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.test_replay import plain, same
from tinygrad_dnn import optim
from tinygrad_dnn.containers import leaves
from tinygrad_dnn.errors import ReplayError
from tinygrad_dnn.replay.jit import has_native

JITS = [plain, *([lambda f: tg.jit(f, native=True)] if has_native() else [])]


class Trainer:
    """Keeps what each of its steps has computed, under ``loss``."""

    def __init__(self, loss):
        self.W = tg.Tensor(np.ones((2, 3)), name="W")
        self.descent = optim.Momentum([self.W], lr=0.1)
        self.loss, self.cache, self.entries = loss, None, {"Z": 0.0}

    def step(self, X):
        Z = self.W @ X
        J = np.mean(Z**2)
        self.descent.zero_grad()
        J.backward()
        self.descent.step()
        self.keep(J, Z)
        return J


class Tensors(Trainer):
    def keep(self, J, Z):
        self.loss = J


class Data(Trainer):
    def keep(self, J, Z):
        self.loss, self.entries["Z"] = J.data, Z.data


class Several(Trainer):
    def keep(self, J, Z):
        self.cache, self.last = (Z, {"J": J, "name": "J"}), Z * 2
        self.entries["Z"] = Z


class New(Trainer):
    def keep(self, J, Z):
        self.mean = J / 2


class Lazy(Trainer):
    """Makes a Tensor at its first step, and remembers Tensors that are live."""

    def keep(self, J, Z):
        if not hasattr(self, "b"):
            self.b = tg.Tensor(np.zeros(()), name="b")
        self.b.data = self.b.data * 0.5 + J.data
        self.learned = (self.W, self.b, J)


def numbers(x):
    return [np.array(a.data if isinstance(a, tg.Tensor) else a) for a in leaves(x)]


def run(kind, loss, jit):
    trainer = kind(loss)
    step, found, seen = jit(trainer.step), [], []
    for i in range(7):
        J = step(np.random.default_rng(i).standard_normal((3, 4 + i // 5)))
        kept = {k: v for k, v in vars(trainer).items() if k not in ("W", "descent")}
        seen.append(kept.copy())
        found.append(numbers([J, trainer.W, kept]))
    found.append(numbers(seen))  # what was there at earlier steps is still what it was
    return found


@pytest.mark.parametrize("loss", [None, 0.0, np.float64(0), "none", np.zeros(2), tg.Tensor(0.0)])
@pytest.mark.parametrize("kind", [Tensors, Data, Several, New, Lazy])
@pytest.mark.parametrize("jit", JITS)
def test_what_a_step_keeps_is_there_after_every_call(kind, loss, jit):
    for a, b in zip(run(kind, loss, jit), run(kind, loss, lambda f: f), strict=True):
        for x, y in zip(a, b, strict=True):
            if x.dtype.kind == "f":
                np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-15)
            else:
                assert x == y


@pytest.mark.parametrize("kind", [Tensors, Several, New])
def test_steps_that_keep_something_are_replayed(kind):
    trainer = kind(0.0)
    step, plans = plain(trainer.step), []
    for _ in range(9):
        step(np.ones((3, 4)))
        plans.append(step._latest)
    assert plans[-1] is not None
    assert plans[-1] is plans[-4]


@pytest.mark.parametrize("jit", JITS)
def test_a_tensor_that_is_kept_is_itself(jit):
    trainer = Lazy(0.0)
    step = jit(trainer.step)
    for _ in range(4):
        step(np.ones((3, 4)))
        assert trainer.learned[0] is trainer.W
        assert trainer.learned[1] is trainer.b
        assert trainer.b.requires_grad


def test_a_list_of_results_grows_as_it_does_without():
    def made(jit):
        losses = []

        @jit
        def step(X):
            losses.append(np.sum(X * 2.0))

        for i in range(4):
            step(np.full(2, i + 0.5))
        return np.array([float(J) for J in losses])

    assert same(made(plain), made(lambda f: f))


class Averaged:
    def __init__(self, mean):
        self.mean = mean

    def __call__(self, X):
        last = 0.0 if self.mean is None else self.mean
        self.mean = 0.9 * last + X * 0.1
        return X * 2.0


@pytest.mark.parametrize("mean", [0.0, None, np.zeros(2), np.zeros((3, 1)), np.float64(0)])
@pytest.mark.parametrize("jit", JITS)
def test_an_array_that_the_next_call_reads(mean, jit):
    def run(jit):
        averaged = Averaged(mean)
        step, found, seen = jit(averaged), [], []
        for i in range(7):
            if i == 5:
                averaged.mean = np.ones(2)
            step(np.full(2, i + 1.0))
            found.append(np.array(averaged.mean))
            seen.append(averaged.mean)
        return [*found, *seen]

    for a, b in zip(run(jit), run(lambda f: f), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)


def test_arrays_of_another_shape_that_the_next_call_reads():
    def run(jit):
        averaged = Averaged(None)
        step, found = jit(averaged), []
        for i in range(9):
            step(np.full((2, 1 + i % 2) if i < 6 else (2, 2), i + 1.0))
            found.append(averaged.mean)
        return found

    for a, b in zip(run(plain), run(lambda f: f), strict=True):
        assert same(a, b)


def test_a_tensor_that_the_next_call_reads_is_refused():
    averaged = Averaged(0.0)
    step, X = plain(averaged), np.ones(2)
    step(tg.Tensor(X))
    assert same(averaged.mean.data, 0.1 * X)
    with pytest.raises(ReplayError, match="leaves a Tensor in 'mean' and reads it at the next"):
        step(tg.Tensor(X))
    assert same(averaged.mean.data, 0.1 * X)


def test_numbers_that_are_added_up_stay_numbers():
    def made(jit):
        class Averaged:
            mean = 0.0

            def __call__(self, X):
                self.mean = 0.9 * self.mean + 0.1 * np.sum(X)
                return X * 1.0

        averaged = Averaged()
        step, found = jit(averaged), []
        for i in range(6):
            step(np.full(2, i + 1.0))
            found.append(float(averaged.mean))
        return np.array(found)

    for jit in JITS:
        np.testing.assert_allclose(made(jit), made(lambda f: f), rtol=1e-14)


# ---- containers of other kinds -------------------------------------------------------------------
def counted(held, x):
    held["n"] += 1
    return x * held["n"]


def listed(held, x):
    held["J"].append(np.sum(x))
    return x * len(held["J"])


def averaged(held, x):
    held["mean"] = 0.5 * held["mean"] + x
    return x * 2.0


def latest(held, x):
    held.append(np.sum(x))
    return x * len(held)


def met(held, x):
    held.add(len(held))
    return x * len(held)


def dropped(held, x):
    held.pop("a", None)
    return x * sum(held.values())


def taken(held, x):
    held.append(held[0] + held.pop())
    held.pop()
    return x * (1 + len(held))


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (Counter, counted),
        (lambda: defaultdict(list), listed),
        (lambda: defaultdict(float), averaged),
        (lambda: deque(maxlen=3), latest),
        (deque, latest),
        (set, met),
        (lambda: {"a": 1.0, "b": 2.0}, dropped),
        (lambda: OrderedDict(a=1.0, b=2.0), dropped),
        (lambda: [1.0, 2.0, 3.0], taken),
    ],
)
@pytest.mark.parametrize("jit", JITS)
def test_containers_of_all_kinds_change_as_they_do_without(kind, change, jit):
    def run(jit):
        held = kind()
        step, found = jit(lambda x: change(held, x)), []
        for i in range(6):
            try:
                found.append(step(np.full(2, i + 1.0)))
            except IndexError:
                assert not held
            inside = held.values() if isinstance(held, dict) else held
            found += map(np.array, leaves([*inside]))
        return found, type(held)

    (a, kind_of_a), (b, kind_of_b) = run(jit), run(lambda f: f)
    assert kind_of_a is kind_of_b
    for x, y in zip(a, b, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-14)


@pytest.mark.parametrize("kind", [list, deque, dict, OrderedDict, set])
def test_a_refused_run_leaves_a_container_as_it_was(kind):
    made = {"a": 1.5, "b": 2.5, "c": 3.5}
    held = kind(made.values()) if kind in (list, deque, set) else kind(made)
    before = [*held]

    @tg.jit
    def step(x):
        if isinstance(held, dict):
            held["d"] = held.pop("a")
            del held["b"]
        else:
            held.pop()
            held.pop()
            (held.add if isinstance(held, set) else held.append)(7.5)
        return bool(x[0] > 0)

    with pytest.raises(ReplayError, match="asks for a number"):
        step(np.ones(2))
    assert [*held] == before


# ---- Tensors that nobody finds -------------------------------------------------------------------
class Hidden:
    """What it has is in a closure of a function of Python's, where nobody looks."""

    def __init__(self, made):
        self.get = lru_cache(made)


def trained(hidden, x):
    W = hidden.get()
    J = np.sum(W * W * x)
    J.backward()
    W.data = W.data - 0.1 * W.grad
    W.grad = None
    return J


def set_only(hidden, x):
    hidden.get().data = x * 2
    return x * 3


def read_only(hidden, x):
    return hidden.get() * x


@pytest.mark.parametrize("step", [trained, set_only, read_only])
@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("jit", JITS)
def test_a_tensor_that_is_hidden(step, before, jit):
    def run(jit):
        hidden = Hidden(lambda: tg.Tensor(np.ones(2)))
        if before:
            hidden.get()
        f, found = jit(lambda x: step(hidden, x)), []
        for i in range(6):
            found += numbers([f(np.full(2, i + 0.5)), hidden.get()])
            if i == 3:
                hidden.get().data = np.full(2, 7.0)
        return found

    for a, b in zip(run(jit), run(lambda f: f), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)


@pytest.mark.parametrize("how", ["as it is", "in a circle"])
def test_tensors_that_are_made_and_dropped_inside_do_not_stand_in_the_way(how):
    @plain
    def f(x):
        eye, fast = tg.Tensor(np.eye(2)), tg.Tensor(x)
        fast.data = fast.data * 2

        def again(n):
            return again(n - 1) if n else (eye, fast)[1]

        if how == "in a circle":
            fast = again(1)
        return (eye @ fast) * 2

    for _ in range(3):
        assert same(f(np.ones(2)).data, np.full(2, 4.0))
        assert f.plan()
