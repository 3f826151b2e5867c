"""What another thread does while a function is recorded."""

from threading import Event, Thread

import numpy as np
import pytest

from tests.test_replay import training
from tests.test_replay_repeat import KINDS
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
