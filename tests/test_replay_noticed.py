"""tg.jit notices what was exchanged, or has appeared, since it recorded; eager is the witness."""

import random
import sys
from collections import deque
from copy import copy
from functools import partial
from itertools import count, cycle
from types import MappingProxyType

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.test_replay import plain, same
from tinygrad_dnn import nn, optim
from tinygrad_dnn.errors import ReplayError

ENTRY = lambda o: o.m.__setitem__(0, np.zeros(3))
LIST = lambda o: setattr(o, "m", [2 * m for m in o.m])


@pytest.mark.parametrize("changes", [(ENTRY, ENTRY), (LIST, ENTRY), (LIST, LIST)])
def test_state_of_an_optimiser_is_exchanged_at_two_steps(changes):
    def run(jit):
        W = tg.Tensor(np.ones(3)), tg.Tensor(np.ones(2))
        descent = optim.Adam(W, lr=0.1)

        @jit
        def step(X):
            descent.zero_grad()
            (np.sum(W[0] * X) + np.sum(W[1] * X[:2])).backward()
            descent.step()

        found = []
        for i in range(9):
            if i in (4, 6):
                changes[i // 6](descent)
            step(np.arange(1.0, 4.0) * (i + 1))
            found.append(W[0].data.copy())
        return np.stack(found)

    assert same(run(plain), run(lambda f: f))


# ---- generators ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("rng", "draw"),
    [
        (np.random.RandomState(3), lambda rng: rng.rand()),
        (np.random.RandomState(3), lambda rng: rng.randn()),
        (random.Random(3), lambda rng: rng.random()),
        (random.Random(3), lambda rng: rng.gauss(0, 1)),
        (np.random.PCG64(3), lambda rng: rng.random_raw() / 2**64),
        (np.random.PCG64(3), lambda rng: np.random.Generator(rng).random()),
        (np.random.SeedSequence(3), lambda rng: np.random.default_rng(rng.spawn(1)[0]).random()),
    ],
)
def test_draws_from_generators_of_other_kinds_are_refused(rng, draw):
    f = tg.jit(lambda x: x * draw(rng))
    for _ in range(2):
        with pytest.raises(ReplayError, match=rf"draws from a {type(rng).__name__}, at .*noticed"):
            f(np.ones(2))


def test_generators_of_other_kinds_may_be_there():
    bits, old = np.random.PCG64(3), np.random.RandomState(3)
    rng, other = np.random.Generator(bits), np.random.Generator(np.random.PCG64(3))
    f = plain(lambda x: x * rng.random() if bits and old else x)
    for _ in range(3):
        assert same(f(np.ones(2)), np.ones(2) * other.random())


class Drawing:
    """Gives its generator when it is asked for as an attribute."""

    def __init__(self):
        self.rng = np.random.default_rng(3)

    def __get__(self, owner, kind=None):
        return self.rng


class Described:
    def __init__(self):
        type(self).rng = Drawing()

    def __call__(self, x):
        return x * self.rng.random()


@pytest.mark.parametrize("made", [lambda: deque([np.random.default_rng(3)]), Described])
def test_generators_in_a_deque_and_a_descriptor_are_live(made):
    def run(jit):
        place = made()
        f = jit(lambda x: place(x) if isinstance(place, Described) else x * place[0].random())
        return np.stack([f(np.ones(2)) for _ in range(3)])

    assert same(run(plain), run(lambda f: f))


@pytest.mark.parametrize("kind", ["mappingproxy", "ndarray"])
def test_generators_in_what_cannot_be_written_to_are_refused(kind):
    rng = np.random.default_rng(3)
    held = MappingProxyType({0: rng}) if kind == "mappingproxy" else np.array([rng])
    with pytest.raises(ReplayError, match=rf"is held by a {kind}, where tg.jit cannot"):
        tg.jit(lambda x: x * held[0].random())(np.ones(2))


def test_what_a_read_only_view_shows_is_noticed():
    inside = {"k": 2}
    view = MappingProxyType(inside)
    f = plain(lambda x: x * view["k"])
    for k in (2, 2, 3, 3):
        inside["k"] = k
        assert same(f(np.ones(2)), np.ones(2) * k)


def test_a_draw_that_changes_a_tracer_back():
    heard = []
    before = sys.gettrace()
    sys.settrace(tracer := lambda *_: heard.append(0))
    try:
        with pytest.raises(ReplayError, match="draws from np"):
            tg.jit(lambda x: x * random.random())(np.ones(2))
        after = sys.gettrace()
    finally:
        sys.settrace(before)
    assert after is tracer


# ---- iterators and functions ---------------------------------------------------------------------
def every():
    yield from range(1, 9)


@pytest.mark.parametrize(
    ("made", "kind", "take"),
    [
        (lambda: count(1), "count", next),
        (lambda: cycle([1.0, 2.0]), "cycle", next),
        (lambda: iter([1.0, 2.0]), "list_iterator", list),
        (lambda: zip([1.0], [2.0], strict=True), "zip", list),
        (every, "generator", next),
        (every, "generator", sum),
    ],
)
@pytest.mark.parametrize("given", [True, False])
def test_parts_of_an_iterator_are_refused(made, kind, take, given):
    def step(x, parts=None):
        take(parts or held["parts"])
        return x

    parts, line = made(), step.__code__.co_firstlineno + 1
    held = {"parts": parts}
    where = rf"step takes the next part of a {kind} at .*noticed\.py:{line}, where every replay"
    with pytest.raises(ReplayError, match=where):
        tg.jit(step)(np.ones(2), *([parts] if given else ()))
    assert held["parts"] is parts
    assert next(parts) == next(made())


def test_what_is_sent_to_a_generator_is_refused():
    parts = every()
    with pytest.raises(ReplayError, match="takes the next part of a generator"):
        tg.jit(lambda x: x * parts.send(None))(np.ones(2))


def test_an_iterator_in_a_tuple_is_refused_too():
    held = (every(), 1)
    with pytest.raises(ReplayError, match="takes the next part of a generator"):
        tg.jit(lambda x: x * next(held[0]))(np.ones(2))
    assert next(held[0]) == 1
    f = plain(lambda x: x * held[1])
    assert same(f(np.ones(2)), f(np.ones(2)))


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (lambda: partial(next, every()), "partial"),
        (lambda: every().__next__, "method-wrapper"),
        (lambda: partial(every().send, None), "builtin_function_or_method"),
    ],
)
def test_what_only_takes_the_next_part_is_refused(made, kind):
    draw = made()
    with pytest.raises(ReplayError, match=rf"is held by a {kind}, where .* be arguments"):
        tg.jit(lambda x: x * draw())(np.ones(2))
    assert draw() == 1


def test_numbers_that_are_taken_away_are_refused():
    held = deque([1.0, 2.0, 3.0])
    f = tg.jit(lambda x: x * held.popleft())
    assert same(f(np.ones(2)), np.ones(2))  # the numbers that are left have moved: they are live
    with pytest.raises(ReplayError, match="takes the entry 1 out of a deque, where every replay"):
        f(np.ones(2))
    assert held == deque([2.0, 3.0])


def test_iterators_may_be_there():
    rows, seen = map(float, [1, 2]), (count(),)
    f = plain(lambda x: x * 2 if rows and seen else x)
    for _ in range(3):
        assert same(f(np.ones(2)), np.full(2, 2.0))
    assert next(rows) == 1


class Doubling:
    """An iterator of the user's own."""

    factor = 1.0

    def __iter__(self):
        return self

    def __next__(self):
        self.factor *= 2
        return self.factor


def test_an_iterator_of_the_user_s_own_goes_on():
    def run(jit):
        factors = Doubling()
        f = jit(lambda x: x * next(factors))
        return np.stack([f(np.ones(2)) for _ in range(5)])

    assert same(run(plain), run(lambda f: f))


def other(x, k=7.0):
    return x - k


@pytest.mark.parametrize(
    ("name", "value"),
    [("__defaults__", (5.0,)), ("__kwdefaults__", {"p": 5.0}), ("__code__", other.__code__)],
)
@pytest.mark.parametrize("inside", [True, False])
def test_what_a_function_is_made_of_is_noticed(name, value, inside):
    def run(jit):
        def scaled(x, k=2.0, *, p=1.0):
            return x * k + p

        f = jit((lambda x: scaled(x)) if inside else scaled)
        found = []
        for i in range(8):
            if i == 4:
                setattr(scaled, name, copy(value))
            if i == 6 and name == "__kwdefaults__":
                scaled.__kwdefaults__["p"] = 8.0
            found.append(f(np.full(2, i + 1.0)))
        return np.stack(found)

    assert same(run(plain), run(lambda f: f))


# ---- attributes ----------------------------------------------------------------------------------
def lines():
    return nn.Linear(3, 3, rng=np.random.default_rng(1))


def dropout():
    return nn.Dropout(0.5, rng=np.random.default_rng(3))


@pytest.mark.parametrize(
    ("layer", "name", "values"),
    [
        (dropout, "p", [0.25, 0.125, 0.0]),
        (dropout, "rng", [np.random.default_rng, np.random.default_rng]),
        (lambda: nn.BatchNorm1d(3), "momentum", [0.5, 0.25]),
        (lines, "W", [lambda i: tg.Tensor(np.eye(3) * i), lambda i: tg.Tensor(np.eye(3) / i)]),
        (lambda: nn.ELU(1.0), "alpha", [2.0, 0.5]),
    ],
)
@pytest.mark.parametrize("alone", [True, False])
def test_options_and_tensors_of_layers_are_noticed(layer, name, values, alone):
    def run(jit):
        part, bn = layer(), nn.BatchNorm1d(3)
        net = part if alone else nn.Sequential(lines(), part, bn)
        f, found = jit(lambda X: net(X) * 1.0), []
        for i, value in enumerate([None, *values], 1):
            if value is not None:
                setattr(part, name, value(i) if callable(value) else value)
            found += [np.array(f(data(i + j)).data) for j in range(3)]
            if not alone:
                net.eval()
                found.append(np.array(f(data(i)).data))
                net.train()
        state = part if name == "momentum" else bn
        return [*found, state.mean.data, state.variance.data]

    data = lambda i: tg.Tensor(np.random.default_rng(i).standard_normal((3, 4)))
    for a, b in zip(run(plain), run(lambda f: f), strict=True):
        assert same(a, b)


def test_a_layer_that_trains_and_rests_in_turn_is_recorded_twice():
    net = nn.Sequential(lines(), dropout())
    f, X, plans = plain(lambda X: net(X)), np.ones((3, 2)), []
    for _ in range(3):
        for mode in (net.train, net.eval):
            mode()
            f(X)
            plans.append(f.plan())
    assert plans == plans[:2] * 3


class Scaled:
    scale, count, rate = 2, 0, 1.0

    def __call__(self, X):
        return X * self.scale

    def counted(self, X):
        self.count += 1
        self.rate *= 0.5
        return X * self.count + self.rate

    def new(self, X):
        self.calls = getattr(self, "calls", 0) + 1
        return X * self.calls


@pytest.mark.parametrize("name", ["__call__", "counted", "new"])
def test_attributes_that_appear_are_noticed(name):
    def run(jit):
        scaled = Scaled()
        f, found = jit(getattr(scaled, name)), []
        for i in range(6):
            if i == 3:
                scaled.scale = 3
            found.append(plain_data(f(np.full(2, i + 1.0))))
        return np.stack(found), vars(scaled).keys()

    plain_data = lambda x: np.array(x.data if isinstance(x, tg.Tensor) else x)
    (a, names), (b, others) = run(plain), run(lambda f: f)
    assert same(a, b)
    assert names == others


def test_lists_and_dicts_that_have_grown_are_noticed():
    factors, shifts = [2.0], {"a": 1.0}
    f = lambda X: X * sum(factors) + sum(shifts.values())
    g = plain(f)
    for i in range(8):
        if i == 2:
            factors.append(3.0)
        if i == 4:
            shifts["b"] = 5.0
        if i == 6:
            factors.pop()
        assert same(g(np.ones(2)), f(np.ones(2)))


def test_a_refused_run_has_grown_nothing():
    notes, seen, scaled = [1], {}, Scaled()

    def f(X):
        notes.append(2)
        seen["X"] = 3
        scaled.count += 1
        scaled.name = "a"
        return X[X > 0]

    with pytest.raises(ReplayError):
        tg.jit(f)(np.ones(2))
    assert (notes, seen, vars(scaled)) == ([1], {}, {})


@pytest.mark.parametrize("exchanged", [True, False])
def test_parameters_of_an_optimiser_are_noticed(exchanged):
    def run(jit):
        W, V = tg.Tensor(np.ones(3)), tg.Tensor(np.ones(3))
        descent = optim.SGD([W], lr=0.1)

        @jit
        def step(X):
            descent.zero_grad()
            W.grad = V.grad = None
            np.sum((W * X + V) ** 2).backward()
            descent.step()

        for i in range(6):
            if i == 3:
                if exchanged:
                    descent.parameters = [W, V]
                else:
                    descent.parameters.append(V)
            step(np.arange(3.0) + i)
        return np.stack([W.data, V.data])

    assert same(run(plain), run(lambda f: f))


# ---- gradients that depend on nothing ------------------------------------------------------------
@pytest.mark.parametrize("afresh", [True, False])
def test_a_gradient_that_is_the_same_at_every_call_is_left_too(afresh):
    def run(jit):
        W = tg.Tensor(np.ones(3))

        @jit
        def step(X):
            if afresh:
                W.grad = None
            np.sum(W * 2.0 + X * 3.0).backward()

        found = []
        for _ in range(3):
            X = tg.Tensor(np.ones(3))
            step(X)
            found += [W.grad.copy(), X.grad]
        return np.stack(found)

    assert same(run(plain), run(lambda f: f))
