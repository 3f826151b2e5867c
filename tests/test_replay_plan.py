"""The plan of a recorded function: what its text says, and how little memory it takes."""

import re

import pytest

import tinygrad_dnn as tg
from tests.test_replay import plain, same, training
from tests.test_replay_repeat import KINDS
from tinygrad_dnn import optim
from tinygrad_dnn.errors import ReplayError


def test_the_plan_says_what_will_run():
    _, _, step, X, Y = training([2, 3, 1], 8, jit=plain)
    with pytest.raises(ReplayError, match="no plan before its first call"):
        step.plan()
    step(X, Y)
    text = str(step.plan())
    assert "np.matmul(W1, x0)" in text
    assert "-> W1" in text
    assert "in place of" in text


def listed(plan):
    """The lines of calls in the text of a plan, split into words of Python's."""
    lines = str(plan).splitlines()[1:]
    return [re.findall(r"\w+(?:\[\d+\])?", re.sub(r"^  \[\d+\]", "", line)) for line in lines]


@pytest.mark.parametrize("jit", KINDS)
def test_the_plan_lists_all_that_it_names(jit):
    _, _, step, X, Y = training([2, 3, 4, 1], 8, jit=jit)
    step(X, Y)
    known = {"W1", "b1", "W2", "b2", "W3", "b3", "lr", "x0", "x1"}
    for name, *words in listed(step.plan()):
        assert {word for word in words if re.fullmatch(r"v\d+", word)} <= known
        known.add(name)
    assert ", a view" in str(step.plan())


def test_the_plan_says_which_calls_are_fused_and_where_results_are():
    pytest.importorskip("llvmlite")
    _, _, step, X, Y = training([2, 3, 1], 8, jit=tg.jit)
    step(X, Y)
    plan = step.plan()
    text = str(plan)
    fused = [s for s in plan.steps if hasattr(s, "table")]
    assert f"fused into {len(fused)} of machine code" in text
    for i, one in enumerate(fused, 1):
        assert text.count(f"\n  [{i}] ") == len(one.calls)
    first = plan.memory.arrays[plan.calls[0]]
    assert "np.matmul(W1, x0) in buffer 1\n" in text
    assert plan.buffers[plan.calls[0]] == 1
    assert first.ctypes.data == plan.memory.arena.ctypes.data


def test_the_plan_calls_what_is_live_by_its_name():
    A, B = tg.Tensor([1.0, 2.0]), tg.Tensor([3.0, 4.0])
    descent = optim.Momentum([A, B], lr=0.1)

    @plain
    def step():
        descent.zero_grad()
        (A * B).sum().backward()
        descent.step()

    step()
    text = str(step.plan())
    assert "np.multiply(v[1], beta)" in text
    assert "-> v[1]" in text
    assert "-> t0" in text
    assert "-> t1" in text


def test_buffers_are_used_again():
    _, _, step, X, Y = training([4, *[64] * 3, 1], 64, jit=plain)
    step(X, Y)
    one = 64 * 64 * 8
    assert step.plan().bytes < 8 * one


def test_large_gradients_are_used_up_one_after_the_other():
    net, _, step, X, Y = training([400] * 6 + [1], 6)
    other, _, replayed, _, _ = training([400] * 6 + [1], 6, jit=plain)
    for _ in range(3):
        assert same(replayed(X, Y).data, step(X, Y).data)
    for W, V in zip(net.parameters().values(), other.parameters().values(), strict=True):
        assert same(W.data, V.data)
    one = 400 * 400 * 8
    assert one < replayed.plan().bytes < 2 * one
