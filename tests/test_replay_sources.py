"""Draws from sources that a recording does not follow are refused, and undone."""

import random
from functools import partial

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.test_replay_repeat import KINDS
from tinygrad_dnn import nn, optim
from tinygrad_dnn.errors import ReplayError


def numpys(seed):
    np.random.seed(seed)  # noqa: NPY002
    return lambda: np.random.rand(1, 8)  # noqa: NPY002


def numpys_normals(seed):
    np.random.seed(seed)  # noqa: NPY002
    return lambda: np.random.randn(1, 7).sum()  # noqa: NPY002  (the last of four pairs is kept)


def pythons(seed):
    random.seed(seed)
    return lambda: random.random()


def pythons_normals(seed):
    random.seed(seed)
    return lambda: random.gauss(0, 1)


def of_another_bit_generator(seed):
    np.random.set_bit_generator(np.random.PCG64(seed))
    return lambda: np.random.random()  # noqa: NPY002


def spawned(seed):
    sequence = np.random.SeedSequence(seed)
    return lambda: np.random.default_rng(sequence.spawn(1)[0]).random()


SOURCES = {
    "np.random": numpys,
    "np.random, normals": numpys_normals,
    "random": pythons,
    "random, normals": pythons_normals,
    "np.random, PCG64": of_another_bit_generator,
    "RandomState": lambda seed: partial(np.random.RandomState(seed).rand, 1, 8),
    "Random": lambda seed: random.Random(seed).random,
    "Random, held": lambda seed: partial(random.Random(seed).random),
    "SeedSequence": spawned,
    "PCG64": lambda seed: partial(np.random.PCG64(seed).random_raw),
}


@pytest.fixture(autouse=True)
def _shared_generators_as_before():
    source, numpys, pythons = (
        np.random.get_bit_generator(),
        np.random.get_state(),  # noqa: NPY002
        random.getstate(),
    )
    yield
    np.random.set_bit_generator(source)
    np.random.set_state(numpys)  # noqa: NPY002
    random.setstate(pythons)


@pytest.mark.parametrize("source", SOURCES)
def test_fit_draws_what_it_draws_without_recording(source):
    X, Y = np.random.default_rng(0).standard_normal((3, 8)), np.ones((1, 8))
    costs = []
    for replay in (True, False):
        draw = SOURCES[source](7)
        W = tg.Tensor(np.full((1, 3), 0.1), name="W")
        history = tg.fit(
            lambda X, W=W, draw=draw: nn.sigmoid(W @ X + draw() % 1),
            X,
            Y,
            loss=nn.binary_cross_entropy,
            optimizer=optim.SGD([W], lr=0.1),
            epochs=4,
            replay=replay,
        )
        costs.append(history.cost)
    assert costs[0] == costs[1]
    assert len({*costs[0]}) == 4


@pytest.mark.parametrize("jit", KINDS)
@pytest.mark.parametrize("source", SOURCES)
def test_a_refused_draw_is_undone(jit, source):
    draw = SOURCES[source](3)
    draw()
    with pytest.raises(ReplayError, match=r"draws from .* a replay would repeat the same numbers"):
        jit(lambda x: x * draw())(np.ones((1, 8)))
    found = draw()
    again = SOURCES[source](3)
    again()
    np.testing.assert_array_equal(found, again())


def test_a_source_without_a_state_is_refused():
    system = random.SystemRandom()
    with pytest.raises(ReplayError, match="reaches a source of random numbers that has no state"):
        tg.jit(lambda x: x * system.random())(np.ones(2))
