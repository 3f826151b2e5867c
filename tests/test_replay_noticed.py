"""tg.jit notices what was exchanged, or has appeared, since it recorded; eager is the witness."""

import random
from collections import deque
from types import MappingProxyType

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.test_replay import plain, same
from tinygrad_dnn import optim
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
        with pytest.raises(ReplayError, match=rf"draws from a {type(rng).__name__}, and a replay"):
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
