"""Threads, tasks, forks, and walks inside walks: nothing is shared but the Tensors themselves."""

import asyncio
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn import graph, nn, optim


def training(seed):
    """Train a small network, pausing in the middle of every step; then yield its parameters."""
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(size=(3, 8)), (rng.random((1, 8)) > 0.5) * 1.0
    net = nn.Sequential.from_layer_dims([3, 4, 1], rng=rng)
    descent = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(15):
        J = nn.binary_cross_entropy(net(X), Y)
        yield None
        descent.zero_grad()
        J.backward()
        yield None
        descent.step()
    yield [p.data for p in net.parameters().values()]


def trained(seed):
    return list(training(seed))[-1]


def assert_as_alone(found):
    for seed, parameters in found.items():
        for a, b in zip(parameters, trained(seed), strict=True):
            np.testing.assert_array_equal(a, b)


def test_eight_threads_train_as_they_would_alone():
    found, before = {}, sys.getswitchinterval()
    workers = [threading.Thread(target=lambda i=i: found.update({i: trained(i)})) for i in range(8)]
    sys.setswitchinterval(1e-6)  # as many switches as can be
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    finally:
        sys.setswitchinterval(before)
    assert sorted(found) == list(range(8))
    assert_as_alone(found)


def test_threads_that_share_parameters_and_ask_with_grad():
    W = tg.Tensor(np.random.default_rng(0).normal(size=(4, 3)))
    X = np.random.default_rng(1).normal(size=(8, 3, 5))
    f = lambda i: np.sum(np.tanh(W @ X[i]) ** 2)
    found = {}
    workers = [
        threading.Thread(target=lambda i=i: found.update({i: tg.grad(f(i), W)})) for i in range(8)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for i in range(8):
        np.testing.assert_array_equal(found[i], tg.grad(f(i), W))


def test_threads_may_walk_the_same_graph():
    x = tg.Tensor(np.random.default_rng(0).normal(size=(3, 4)))
    J = np.sum(tg.func.checkpoint(lambda x: np.tanh(x @ x.T))(x) ** 2)
    expected, found = tg.grad(J, x), []
    workers = [threading.Thread(target=lambda: found.append(tg.grad(J, x))) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(found) == 8
    for dx in found:
        np.testing.assert_array_equal(dx, expected)


def test_the_latest_change_is_the_latest_whoever_was_interrupted(monkeypatch):
    slow, quick = tg.Tensor(1.0).node, tg.Tensor(1.0).node
    tick = graph.moment

    def interrupted():
        monkeypatch.setattr(graph, "moment", tick)
        mine = tick()
        quick.changed()  # another thread, between the tick and what is done with it
        return mine

    monkeypatch.setattr(graph, "moment", interrupted)
    slow.changed()
    assert graph.last_change == quick.born > slow.born


def test_tasks_train_as_they_would_alone():
    found = {}

    async def task(seed):
        for parameters in training(seed):
            found[seed] = parameters
            await asyncio.sleep(0)  # the others go on in the middle of this step

    async def all_of_them():
        await asyncio.gather(*map(task, range(4)))

    asyncio.run(all_of_them())
    assert_as_alone(found)


def test_generators_that_are_advanced_in_turn_train_as_they_would_alone():
    *_, last = zip(*map(training, range(4)), strict=True)
    assert_as_alone(dict(enumerate(last)))


FORK = """
import os
import numpy as np
import tinygrad_dnn as tg

W = tg.Tensor(np.ones((50, 50)))
J = np.sum((W @ W) ** 2)
J.backward()
first = W.grad
child = os.fork()
if not child:
    W.grad = None
    J.backward()
    np.sum((W @ W) ** 2).backward()
    os._exit(0 if np.array_equal(W.grad, 2 * first) else 1)
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_fork_after_a_backward_can_walk_on():
    env = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr


def test_a_walk_inside_a_walk():
    inner = tg.Tensor(3.0)
    x = tg.Tensor(2.0)

    def hook(g):
        (inner * inner * g).backward()  # inner.grad = 2 inner g
        return g + inner.grad

    y = x * x
    y.register_hook(hook)
    (y * 5).backward()
    assert inner.grad == 30
    assert x.grad == (5 + 30) * 4


def test_a_derivative_inside_a_function_that_is_being_differentiated():
    w = tg.Tensor(3.0)

    def f(x):
        J = w * w * x.item()  # a graph of its own
        J.backward()
        return x * w.grad

    assert tg.func.grad(lambda x: f(x))(np.array(2.0)) == 12
    assert w.grad == 12
