"""The plan of a replayed function as a picture: its calls, and the buffers results live in."""

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.test_visualize_ops import assert_acyclic, boxes, words
from tinygrad_dnn import nn, optim
from tinygrad_dnn.visualize import draw


def plan(native=False):
    rng = np.random.default_rng(0)
    net = nn.Sequential.from_layer_dims([3, 5, 1], rng=rng)
    descent = optim.SGD(net.parameters(), lr=0.1)

    def step(X, Y):
        J = nn.binary_cross_entropy(net(X), Y)
        descent.zero_grad()
        J.backward()
        descent.step()
        return J

    step = tg.jit(step, native=native)
    X, Y = rng.standard_normal((3, 8)), np.ones((1, 8))
    step(X, Y)
    step(X, Y)
    return step.plan()


def test_every_call_is_drawn_with_the_buffer_it_writes():
    found = plan()
    picture = draw(found)
    drawn = boxes(picture)
    assert picture.scene.view == "ops"
    shown = [box for box in drawn.values() if box.role in ("forward", "cost")]
    views = [box for box in shown if "a view" in words(box)]
    assert len(shown) == len(found.calls) + len(views)
    assert words(drawn["matmul_1"])[-1] == words(drawn["add_1"])[-1] == "buffer 1"  # in place
    assert f"{len(found.calls)} calls" in picture.scene.notes[-1]
    assert f"{found.bytes:,} bytes of buffers" in picture.scene.notes[-1]
    assert_acyclic(picture)


def test_a_plan_with_large_products_is_drawn_in_the_order_of_its_calls():
    W = tg.Tensor(np.ones((60, 400)), name="W")
    descent = optim.SGD([W], lr=0.1)

    def step(X):
        descent.zero_grad()
        np.sum((W @ X) ** 2).backward()
        descent.step()

    step = tg.jit(step, native=False)
    step(np.ones((400, 60)))
    assert_acyclic(draw(step.plan()))


def test_results_in_one_buffer_are_those_in_one_memory():
    found = plan()
    picture = draw(found)
    reading = picture.subject.ops(None)[1]
    at = {}
    for thing in reading.things:
        if thing.remark.startswith("buffer"):
            address = found.memory.arrays[thing.node].ctypes.data
            assert at.setdefault(thing.remark, address) == address
    assert len(set(at.values())) == len(at) > 2


def test_what_is_live_and_what_a_replay_leaves_is_named():
    texts = {text for box in boxes(draw(plan())).values() for text in words(box)}
    assert {"W[1]", "b[1]", "W[2]", "b[2]", "lr", "live"} <= texts
    assert {"new W1", "new b1", "new W2", "new b2", "result"} <= texts


def test_no_number_of_a_plan_is_shown_as_they_are_left_overs():
    found = plan()
    before = draw(found).source
    found.memory.arena[:] = 0
    assert draw(found).source == before
    with pytest.raises(TypeError, match="a plan has none; draw what it computes"):
        draw(found).to_html()


def test_machine_code_is_told_from_calls():
    pytest.importorskip("llvmlite")
    note = draw(plan(native=True)).scene.notes[-1]
    assert "fused into 1 of machine code" in note


def test_a_replayed_network_is_drawn_as_what_it_replays():
    net, X, Y = (
        nn.Sequential.from_layer_dims([3, 4, 1], rng=np.random.default_rng(0)),
        np.ones((3, 8)),
        np.ones((1, 8)),
    )
    replayed = tg.jit(lambda X: net(X))
    replayed(X)
    assert draw(replayed, X, Y).source == draw(net, X, Y).source


def test_a_plan_without_calls_is_drawn():
    for f, names in ((lambda x: x, ["x0"]), (lambda x: None, [])):
        step = tg.jit(f, native=False)
        step(np.ones(2))
        assert [words(box)[0] for box in boxes(draw(step.plan())).values()] == names


def test_a_call_with_several_results_is_drawn_and_told_by_their_number():
    step = tg.jit(lambda x: (np.linalg.svd(x)[1], np.split(x, 2, axis=1)[0] * 2), native=False)
    step(np.ones((3, 4)))
    texts = {text for box in boxes(draw(step.plan())).values() for text in words(box)}
    assert {"svd", "(3,)", "split", "(2,)"} <= texts
    assert "v1 (3 arrays) = np.linalg.svd(x0)" in str(step.plan())
    assert "v3 (2 arrays) = np.split(x0, 2, axis=1)" in str(step.plan())
