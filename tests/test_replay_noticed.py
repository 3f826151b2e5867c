"""tg.jit notices what was exchanged, or has appeared, since it recorded; eager is the witness."""

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.test_replay import plain, same
from tinygrad_dnn import optim

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
