"""tg.jit on random programs of up to twenty steps: the numbers are those of eager.

To the bit with NumPy alone.  In machine code to 1e-12 of the largest entry in float64, and in
float32 no farther from the run in float64 than twice what eager is.
"""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_dnn as tg
from tests.programs import SMOOTH, STEPS, fitting, programs, run
from tests.test_replay import plain
from tinygrad_dnn import optim
from tinygrad_dnn.containers import leaves
from tinygrad_dnn.replay import order
from tinygrad_dnn.replay.jit import has_native

OPTIMIZERS = [optim.SGD, optim.Momentum, optim.RMSProp, optim.Adam]
SIZES = [(3, 4), (4, 4), (1, 3), (2, 1), (8, 17), (5, 64)]
ROUNDED = 1e-6  # eight roundings of float32; eager can be as near as none, by luck
CALLS = 3  # one is recorded, two are replayed, all of other arrays

# A program, how many of its results count, sizes, dtype, and a number for what else is free.
drawn = given(
    programs(STEPS), st.integers(1, 6), st.sampled_from(SIZES),
    st.sampled_from([np.float32, np.float64]), st.integers(0, 15),
)  # fmt: skip
smooth = given(programs(SMOOTH), st.integers(1, 6), st.sampled_from(SIZES), st.integers(0, 15))
some = settings(max_examples=100, deadline=None, derandomize=True)
needs_accel = pytest.mark.skipif(not has_native(), reason="the extra accel is not installed")


@pytest.fixture(autouse=True)
def quiet():
    with np.errstate(all="ignore"):
        yield


def inputs(seed, size, dtype):
    """Four arrays: two (n, m), one (m, n), one (n, 1)."""
    (n, m), rng = size, np.random.default_rng(seed)
    shapes = (n, m), (n, m), (m, n), (n, 1)
    return [rng.standard_normal(shape).astype("float32").astype(dtype) for shape in shapes]


def cost(results):
    return sum(np.sum(np.sin(r)) / (1 + np.size(r)) for r in results)


def forward(program, last):
    """The last results of a program."""
    return lambda *xs: run(program, xs)[-last:]


def slopes(program, last):
    """The cost and its gradients by three of the inputs."""
    return tg.func.value_and_grad(lambda *xs: cost(run(program, xs)[-last:]), (0, 1, 3))


def training(program, last, free, size, dtype, jit=lambda f: f):
    """A step that learns three of the four inputs; it returns the cost and a result."""
    W = [tg.Tensor(a, name=f"W{i}") for i, a in enumerate(inputs(99, size, dtype)[1:])]
    descent = OPTIMIZERS[free % 4](W, lr=0.1)

    def step(x):
        results = run(program, [x, *W])
        shown = results[-1] + 0.25
        J = cost([*results[-last:], *W])
        descent.zero_grad()
        J.backward()
        if free & 4:
            W[0].grad += 0.1 * W[1].data.T.sum()
        if free & 8:
            W[1].data *= 0.99
        descent.step()
        return J, shown

    step = jit(step)

    def taken(x):
        shown = [r.data if isinstance(r, tg.Tensor) else r for r in step(x)]
        return [*shown, *(p.data.copy() for p in W)]

    return taken


def same(found, expected):
    for a, b in zip(leaves(found), leaves(expected), strict=True):
        assert (np.shape(a), a.dtype) == (np.shape(b), b.dtype)
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes()


@pytest.mark.parametrize("kind", [forward, slopes])
@some
@drawn
def test_a_function_is_replayed_to_the_bit(kind, program, last, size, dtype, free):
    program = fitting(program, inputs(0, size, dtype))
    f = kind(program, last)
    replayed = plain(f)
    for seed in range(CALLS):
        xs = inputs(seed, size, dtype)
        same(replayed(*xs), f(*xs))


@pytest.mark.parametrize("large", [order.LARGE, 0], ids=["updates last", "updates early"])
@some
@drawn
def test_training_is_replayed_to_the_bit(large, program, last, size, dtype, free):
    program = fitting(program, inputs(0, size, dtype))
    step, replayed = (training(program, last, free, size, dtype, f) for f in (lambda f: f, plain))
    with patch.object(order, "LARGE", large):
        for seed in range(CALLS):
            x = inputs(seed, size, dtype)[0]
            same(replayed(x), step(x))


# ---- in machine code -----------------------------------------------------------------------------
def off(found, exact):
    """How far arrays are from exact ones, as a share of the largest entry of each, or of 1."""
    pairs = zip(leaves(found), leaves(exact), strict=True)
    size = lambda x: np.max(np.abs(x), initial=0)
    return max(size(a - b) / max(1, size(b)) for a, b in pairs)


@needs_accel
@pytest.mark.parametrize("kind", [forward, slopes])
@some
@smooth
def test_a_function_in_machine_code(kind, program, last, size, free):
    program = fitting(program, inputs(0, size, np.float64))
    f = kind(program, last)
    native = tg.jit(f, native=True)
    for seed in range(CALLS):
        xs, short = (inputs(seed, size, dtype) for dtype in (np.float64, np.float32))
        exact = f(*xs)
        assert off(native(*xs), exact) <= 1e-12
        assert off(native(*short), exact) <= 2 * max(off(f(*short), exact), ROUNDED)


@needs_accel
@some
@smooth
def test_training_in_machine_code(program, last, size, free):
    program = fitting(program, inputs(0, size, np.float64))
    exact, replayed, single, short = (
        training(program, last, free, size, dtype, jit)
        for dtype in (np.float64, np.float32)
        for jit in (lambda f: f, lambda f: tg.jit(f, native=True))
    )
    for seed in range(CALLS):
        x, y = (inputs(seed, size, dtype)[0] for dtype in (np.float64, np.float32))
        right = exact(x)
        assert off(replayed(x), right) <= 1e-12
        assert off(short(y), right) <= 2 * max(off(single(y), right), ROUNDED)
