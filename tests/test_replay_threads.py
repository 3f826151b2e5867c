"""What another thread does while a function is recorded."""

from threading import Event, Thread

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.test_replay import training
from tests.test_replay_repeat import KINDS
from tinygrad_dnn import optim
from tinygrad_dnn.errors import ReplayError


def the_gradient(net, X):
    return net.parameters()["W1"].grad * 2


@pytest.mark.parametrize("jit", KINDS)
@pytest.mark.parametrize(
    "use",
    [
        lambda net, X: net(X),
        lambda net, X: net.parameters()["W1"].data.T,
        lambda net, X: float(net.parameters()["b1"].data[0, 0]),
        lambda net, X: bool(net.parameters()["b1"].data),
        the_gradient,
    ],
    ids=["forward", "transpose", "number", "truth", "gradient"],
)
def test_another_thread_is_told_to_wait_and_spoils_nothing(jit, use):
    net, _, step, X, Y = training([3, 5, 1], 4)
    same_net, _, eager, _, _ = training([3, 5, 1], 4)
    recording, used = Event(), Event()
    told = []

    def other():
        recording.wait(60)
        with pytest.raises(ReplayError) as error:
            use(net, X)
        told.append(str(error.value))
        used.set()

    @jit
    def interrupted(X, Y):
        if not used.is_set():
            recording.set()
            assert used.wait(60)
        return step(X, Y)

    thread = Thread(target=other)
    thread.start()
    costs = [interrupted(X, Y).data for _ in range(3)]
    thread.join()
    assert "test_replay_threads.py" in told[0]
    assert "that another thread is recording" in told[0]
    np.testing.assert_allclose(costs, [eager(X, Y).data for _ in range(3)], rtol=1e-12)
    for W, V in zip(net.parameters().values(), same_net.parameters().values(), strict=True):
        np.testing.assert_allclose(W.data, V.data, rtol=1e-12)


@pytest.mark.parametrize("jit", KINDS)
def test_data_that_another_thread_gives_during_a_replay_are_those_of_the_next(jit):
    W = tg.Tensor(np.zeros((2, 3)), name="W")
    descent = optim.SGD([W], lr=0.1)
    given, replays = np.full((2, 3), 5.0), []

    class Interrupted(np.random.Generator):
        """Draws zeros; at its third replay another thread exchanges the data of W."""

        def normal(self, *args, **kwargs):
            replays.append(1)
            if len(replays) == 4:
                thread = Thread(target=setattr, args=(W, "data", given))
                thread.start()
                thread.join()
            return np.zeros((2, 3))

    rng = Interrupted(np.random.PCG64(0))

    @jit
    def step(x):
        J = np.sum((W + rng.normal(0, 1, (2, 3))) @ x)
        descent.zero_grad()
        J.backward()
        descent.step()
        return J

    x = np.ones((3, 1))
    costs = [float(step(x)) for _ in range(5)]
    assert len(replays) == 5
    assert costs[4] == given.sum()
    np.testing.assert_array_equal(W.data, np.full((2, 3), 4.9))
