"""The recorded graph: order, size, what keeps it alive, and when nothing is recorded."""

import asyncio
import gc
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn.graph import FailedCall, ancestors, blame, inside_layer
from tinygrad_dnn.rules.losses import binary_cross_entropy
from tinygrad_dnn.rules.network import relu, sigmoid

DEEP = """
import sys
import numpy as np
import tinygrad_dnn as tg
from tinygrad_dnn.engine import pushforward

x = tg.Tensor(3.0)
sys.setrecursionlimit(200)
y = x
for _ in range({length}):
    y = y * 1.0
{walk}
del y
"""
WALKS = {
    "first order": """
y.backward()
assert x.grad == 1
assert tg.grad(y, x) == 1
assert pushforward([y.node], {x.node: np.array(1.0)}) == [1]
""",
    "second order": """
dx = tg.grad(y, x, gradient=y, create_graph=True)
assert dx.item() == 3
assert tg.grad(dx, x) == 1
del dx
""",
}


@pytest.mark.parametrize("walk", WALKS.values(), ids=WALKS)
def test_a_million_operations_in_a_chain(walk):
    length = "1_000_000" if "backward" in walk else "300_000"
    program = DEEP.replace("{walk}", walk).replace("{length}", length)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_ancestors_come_before_what_was_made_from_them():
    W, x = tg.Tensor([[1.0, 2.0]]), tg.Tensor([[3.0], [4.0]])
    W.data = W.data + 1  # a leaf with new data is younger than old calls, and still comes first
    J = np.sum(W @ x + np.tanh(W @ x))
    W.data = W.data + 1
    nodes = ancestors(J.node)
    place = {node: i for i, node in enumerate(nodes)}
    assert len(place) == len(nodes)
    assert all(place[parent] < place[node] for node in nodes for parent in node.parents)
    assert nodes[-1] is J.node


def test_parents_are_listed_once_per_use():
    x = tg.Tensor(2.0)
    assert list((x * x).node.parents) == [x.node, x.node]


def test_a_node_knows_the_layer_it_was_made_in():
    x = tg.Tensor(1.0)
    with inside_layer(3):
        y = x * 2
    assert (x.node.layer, y.node.layer, (y * 2).node.layer) == (None, 3, None)


# ---- lifetimes -------------------------------------------------------------------------------
@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def network(W, X, Y):
    return binary_cross_entropy(sigmoid(W @ relu(W.T @ X)), Y)


def arrays_of(*tensors):
    nodes = [node for node in ancestors(*(t.node for t in tensors)) if node.fn]
    nodes += [node.detour for node in nodes if node.detour]
    return [weakref.ref(node.value) for node in nodes if isinstance(node.value, np.ndarray)]


def alive(refs):
    return sum(ref() is not None for ref in refs)


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("walk", ["none", "backward", "grad", "retain", "create_graph", "twice"])
def test_a_graph_dies_with_its_end(walk):
    W, X, Y = tg.Tensor(np.ones((2, 3))), np.ones((2, 4)), np.ones((2, 4))
    J = network(W, X, Y)
    refs = arrays_of(J)
    if walk == "backward":
        J.backward()
    elif walk == "grad":
        tg.grad(J, [W])
    elif walk == "retain":
        list(ancestors(J.node))[-2].retains_grad = True
        J.backward()
    elif walk == "create_graph":
        (dW,) = tg.grad(J, [W], create_graph=True)
        refs += arrays_of(dW)
        del dW
    elif walk == "twice":
        (dW,) = tg.grad(J, [W], create_graph=True)
        penalty = np.sum(dW**2)
        penalty.backward()
        refs += arrays_of(penalty)
        del dW, penalty
    assert alive(refs) > 0
    del J
    assert alive(refs) == 0


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("order", [1, 2])
def test_a_derivative_of_a_function_leaves_nothing_behind(order):
    made = []

    def f(x):
        out = np.sum(np.tanh(x) ** 3)
        made.extend(arrays_of(out))
        return out

    derivative = tg.func.grad(f)
    if order == 2:
        derivative = tg.func.grad(lambda x: np.sum(tg.func.grad(f)(x) ** 2))
    derivative(np.ones(3))
    assert made
    assert alive(made) == 0


# ---- not recording ---------------------------------------------------------------------------
def test_no_grad_makes_results_without_history():
    x = tg.Tensor([1.0, 2.0])
    with tg.no_grad():
        y = relu(x) * 2
    assert not y.requires_grad
    assert y.node.fn is None
    assert (x * 2).requires_grad


def test_no_grad_ends_with_an_exception():
    with pytest.raises(KeyError), tg.no_grad():
        raise KeyError
    assert (tg.Tensor(1.0) * 2).requires_grad


def test_no_grad_decorates_a_function():
    @tg.no_grad()
    def double(x):
        return x * 2

    assert not double(tg.Tensor(1.0)).requires_grad


def test_no_grad_of_one_thread_is_not_that_of_another():
    x, seen = tg.Tensor(1.0), []
    with tg.no_grad():
        worker = threading.Thread(target=lambda: seen.append((x * 2).requires_grad))
        worker.start()
        worker.join()
        seen.append((x * 2).requires_grad)
    assert seen == [True, False]


def test_no_grad_of_one_task_is_not_that_of_another():
    x = tg.Tensor(1.0)
    entered = asyncio.Event()

    async def quiet():
        with tg.no_grad():
            entered.set()
            await asyncio.sleep(0.01)
            return (x * 2).requires_grad

    async def recorded():
        await entered.wait()
        return (x * 2).requires_grad

    async def both():
        return await asyncio.gather(quiet(), recorded())

    assert asyncio.run(both()) == [False, True]


def test_no_grad_inside_a_generator_lasts_until_it_leaves_the_block():
    x = tg.Tensor(1.0)

    def values():
        with tg.no_grad():
            y = x * 2
        yield y
        with tg.no_grad():
            yield x * 2  # the block is open, for its consumer too

    steps = values()
    assert not next(steps).requires_grad
    assert (x * 2).requires_grad
    assert not next(steps).requires_grad
    steps.close()
    assert (x * 2).requires_grad


def test_no_grad_decorates_a_generator_step_by_step():
    x = tg.Tensor(1.0)

    @tg.no_grad()
    def values():
        yield x * 2
        yield x * 3

    seen = [(y.requires_grad, (y + x).requires_grad) for y in values()]
    assert seen == [(False, True), (False, True)]


# ---- a call that fails -----------------------------------------------------------------------
def test_an_exception_carries_the_call_and_the_graph_so_far():
    W, X = tg.Tensor(np.ones((3, 2)), name="W1"), np.ones((2, 4))
    with inside_layer(1):
        A = np.tanh(W @ X)
    with inside_layer(2), pytest.raises(ValueError, match="matmul") as failure:
        A @ np.ones((3, 3))
    call = failure.value.failed_call
    assert isinstance(call, FailedCall)
    assert (call.fn, call.layer, call.kwargs) == (np.matmul, 2, {})
    assert call.args[0] is A.node
    assert call.args[1].shape == (3, 3)
    assert [node.fn for node in ancestors(call.args[0])] == [None, np.matmul, np.tanh]


def test_the_innermost_failure_is_kept():
    error = ValueError()
    blame(error, np.tanh, [1], {})
    blame(error, np.exp, [2], {})
    assert error.failed_call.fn is np.tanh


def test_an_exception_that_takes_no_attributes_is_left_alone():
    class BareError(Exception):
        __slots__ = ()

        def __setattr__(self, name, value):
            raise AttributeError(name)

    blame(error := BareError(), np.tanh, [1], {})
    assert not hasattr(error, "failed_call")


def test_an_exception_of_a_primitive_carries_its_call_too():
    @tg.primitive
    def picky(x, *, limit):
        raise RuntimeError(f"above {limit}")

    tg.elementwise(picky, lambda out, x, limit: 1.0)
    x = tg.Tensor(1.0)
    with pytest.raises(RuntimeError, match="above 3") as failure:
        picky(x, limit=3)
    assert failure.value.failed_call[:3] == (picky, [x.node], {"limit": 3})
