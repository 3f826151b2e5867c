"""Random programs of three to ten operations: values and gradients agree with PyTorch's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_dnn as tg

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

# Each line is one step, in NumPy's words and in PyTorch's; all keep entries of order one, away
# from poles and, almost surely, from kinks.  A step takes earlier results: (3, 4) to (3, 4).
STEPS = {
    "add": (lambda x, y: x + y, lambda x, y: x + y),
    "subtract": (lambda x, y: x - y, lambda x, y: x - y),
    "multiply": (lambda x, y: x * np.tanh(y), lambda x, y: x * torch.tanh(y)),
    "divide": (lambda x, y: x / (2 + np.sin(y)), lambda x, y: x / (2 + torch.sin(y))),
    "power": (lambda x, y: (1 + x * x) ** 0.5 * y, lambda x, y: (1 + x * x) ** 0.5 * y),
    "maximum": (np.maximum, torch.maximum),
    "where": (lambda x, y: np.where(x > y, x, -y), lambda x, y: torch.where(x > y, x, -y)),
    "hypot": (lambda x, y: np.hypot(x, 1 + y * y), lambda x, y: torch.hypot(x, 1 + y * y)),
    "logaddexp": (np.logaddexp, torch.logaddexp),
    "matmul": (lambda x, y: np.tanh(x @ y.T) @ y / 3, lambda x, y: torch.tanh(x @ y.T) @ y / 3),
    "einsum": (
        lambda x, y: np.einsum("ij,ij,kj->kj", x, y, x) / 9,
        lambda x, y: torch.einsum("ij,ij,kj->kj", x, y, x) / 9,
    ),
    "sin": (lambda x, y: np.sin(x), lambda x, y: torch.sin(x)),
    "exp": (lambda x, y: np.exp(-x * x), lambda x, y: torch.exp(-x * x)),
    "log1p": (lambda x, y: np.log1p(x * x), lambda x, y: torch.log1p(x * x)),
    "abs": (lambda x, y: np.abs(x), lambda x, y: torch.abs(x)),
    "centre": (
        lambda x, y: x - np.mean(x, axis=1, keepdims=True),
        lambda x, y: x - x.mean(1, keepdim=True),
    ),
    "spread": (
        lambda x, y: y / np.sqrt(1 + np.var(x, axis=0)),
        lambda x, y: y / torch.sqrt(1 + x.var(0, correction=0)),
    ),
    "row sums": (
        lambda x, y: y + np.sum(x, axis=1, keepdims=True) / 4,
        lambda x, y: y + x.sum(1, keepdim=True) / 4,
    ),
    "largest": (lambda x, y: y - np.max(x, axis=0), lambda x, y: y - x.amax(0)),
    "softmax": (
        lambda x, y: y * tg.nn.softmax(x),
        lambda x, y: y * torch.softmax(x, 0),
    ),
    "cumsum": (lambda x, y: np.cumsum(x, axis=1) / 2, lambda x, y: torch.cumsum(x, 1) / 2),
    "transpose": (
        lambda x, y: np.reshape(x.T, (3, 4)),
        lambda x, y: x.T.reshape(3, 4),
    ),
    "concatenate": (
        lambda x, y: np.concatenate([x[1:], y[:1]]),
        lambda x, y: torch.cat([x[1:], y[:1]]),
    ),
    "pick": (lambda x, y: x[[2, 0, 2]], lambda x, y: x[[2, 0, 2]]),
    "roll": (lambda x, y: np.roll(x, 1, axis=1), lambda x, y: torch.roll(x, 1, 1)),
    "sort": (lambda x, y: np.sort(x, axis=1), lambda x, y: torch.sort(x, 1).values),
}

# A program: its steps, each with the two earlier results it takes, counted from the latest.
programs = st.lists(
    st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 11), st.integers(0, 11)),
    min_size=3,
    max_size=10,
)


def run(program, which, inputs):
    results = list(inputs)
    for name, i, j in program:
        x, y = (results[-1 - k % len(results)] for k in (i, j))
        results.append(STEPS[name][which](x, y))
    return results[-1]


def inputs_of(seed):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(3, 4)) for _ in range(2)], rng.normal(size=(3, 4))


def by_torch(program, arrays, g):
    xs = [torch.tensor(a, requires_grad=True) for a in arrays]
    y = run(program, 1, xs)
    found = torch.autograd.grad(y, xs, torch.tensor(g), allow_unused=True)
    return y.detach().numpy(), [np.zeros((3, 4)) if d is None else d.numpy() for d in found]


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11 * max(1.0, np.max(np.abs(b))))


@settings(max_examples=100, deadline=None)
@given(programs, st.integers(0, 99))
def test_a_program_has_the_values_and_gradients_of_pytorch(program, seed):
    arrays, g = inputs_of(seed)
    expected, gradients = by_torch(program, arrays, g)
    value, back = tg.func.vjp(lambda *xs: run(program, 0, xs), *arrays)
    close(value, expected)
    for ours, theirs in zip(back(g), gradients, strict=True):
        close(ours, theirs)


@settings(max_examples=40, deadline=None)
@given(programs, st.integers(0, 99))
def test_forwards_and_backwards_agree_on_a_program(program, seed):
    arrays, g = inputs_of(seed)
    f = lambda *xs: run(program, 0, xs)
    ts = [np.cos(a) for a in arrays]
    ahead = np.sum(g * tg.func.jvp(f, arrays, ts)[1])
    back = [np.sum(t * d) for t, d in zip(ts, tg.func.vjp(f, *arrays)[1](g), strict=True)]
    scale = sum(abs(b) for b in back) + np.max(np.abs(g))
    assert abs(ahead - sum(back)) <= 1e-11 * max(1.0, scale)


@settings(max_examples=20, deadline=None)
@given(programs, st.integers(0, 99))
def test_a_program_has_the_second_derivatives_of_pytorch(program, seed):
    arrays, g = inputs_of(seed)
    xs = [torch.tensor(a, requires_grad=True) for a in arrays]
    J = torch.sum(torch.tensor(g) * torch.sin(run(program, 1, xs)))
    first = torch.autograd.grad(J, xs, create_graph=True, allow_unused=True)
    total = sum(torch.sum(d**2) for d in first if d is not None)
    if not isinstance(total, torch.Tensor) or not total.requires_grad:
        return
    expected = torch.autograd.grad(total, xs, allow_unused=True)
    ours = [tg.Tensor(a) for a in arrays]
    cost = np.sum(g * np.sin(run(program, 0, ours)))
    again = sum(np.sum(d**2) for d in tg.grad(cost, ours, create_graph=True))
    for d, reference in zip(tg.grad(again, ours), expected, strict=True):
        close(d, np.zeros((3, 4)) if reference is None else reference.numpy())
