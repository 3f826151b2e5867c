"""tg.jit: what a function returns besides its cost, and values that change places."""

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.test_replay import plain, same
from tests.test_replay_kept import JITS
from tinygrad_dnn import optim


@pytest.mark.parametrize("jit", JITS)
@pytest.mark.parametrize(
    "returned",
    [
        lambda W, descent: W.grad,
        lambda W, descent: W.grad * descent.lr,
        lambda W, descent: descent.lr,
        lambda W, descent: W,
        lambda W, descent: (W.data, W.data.T),
    ],
)
def test_what_an_update_has_used_or_made_is_returned(jit, returned):
    def run(jit):
        W = tg.Tensor(np.ones((1, 3)), name="W")
        descent = optim.SGD([W], lr=0.1)

        @jit
        def step(X):
            J = np.mean((W @ X) ** 2)
            descent.zero_grad()
            J.backward()
            descent.step()
            return returned(W, descent)

        found = []
        for i in range(4):
            x = step(np.random.default_rng(i).standard_normal((3, 8)))
            found += [np.array(a.data if isinstance(a, tg.Tensor) else a) for a in tuple_of(x)]
            descent.lr *= 0.9
        return found

    for a, b in zip(run(jit), run(lambda f: f), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def tuple_of(x):
    return x if isinstance(x, tuple) else (x,)


def turned(held, x):
    held[0], held[1], held[2] = held[1], held[2], held[0] + x


def delayed(held, x):
    held.append(held.pop(0) + x)


@pytest.mark.parametrize("change", [turned, delayed])
@pytest.mark.parametrize("kind", [np.zeros, lambda n: 0.0])
def test_values_that_change_places(change, kind):
    def run(jit):
        held = [kind(2), kind(2) + 1, kind(2) + 2]

        @jit
        def step(x):
            change(held, np.sum(x))
            return x * 2

        found = []
        for i in range(7):
            step(np.full(2, i + 0.5))
            found += [np.array(a) for a in held]
        return found

    for a, b in zip(run(plain), run(lambda f: f), strict=True):
        assert same(a, b)
