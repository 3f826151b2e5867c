"""Right and wrong gradients in plain NumPy, to judge gradient checkers by, ours and others'.

A case is a function of arrays and its vjp, both by hand.  ``right(seed)`` yields the cases in
groups: smooth ones; the same at scales from 1e-8 to 1e8; with noise; of float32 inputs; kinks and
edges; many numbers.  ``wrong(case, seed)`` yields the case with generic mistakes in its vjp.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

Array = Any


@dataclass(frozen=True)
class Case:
    """``vjp(g, *inputs)`` returns a gradient per input, in a tuple; ``f`` returns an array."""

    name: str
    group: str
    f: Callable[..., Array]
    vjp: Callable[..., Sequence[Array]]
    inputs: tuple[Array, ...]
    mistake: tuple[int, float] | None = None  # by which argument, and how large relatively


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z - np.max(z, axis=0, keepdims=True))
    return e / np.sum(e, axis=0, keepdims=True)


def network(X, Y, activation, derivative):
    """A cost of (W1, b1, W2, b2, ...): cross-entropy of a sigmoid after hidden layers."""

    def forward(P):
        A, kept = X, []
        for l in range(0, len(P), 2):
            Z = P[l] @ A + P[l + 1]
            kept.append((A, Z))
            A = activation(Z) if l < len(P) - 2 else sigmoid(Z)
        return A, kept

    def cost(*P):
        A = forward(P)[0]
        return -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))

    def vjp(g, *P):
        A, kept = forward(P)
        dZ, found = g * (A - Y) / X.shape[1], []
        for l in range(len(P) - 2, -1, -2):
            A_prev, _ = kept[l // 2]
            found = [dZ @ A_prev.T, dZ.sum(axis=1, keepdims=True), *found]
            if l:
                dZ = P[l].T @ dZ * derivative(kept[l // 2 - 1][1])
        return tuple(found)

    return cost, vjp


def relu(z):
    return np.maximum(z, 0)


RELU = relu, lambda z: (z > 0) * 1.0
TANH = np.tanh, lambda z: 1 - np.tanh(z) ** 2
LEAKY = lambda z: np.where(z > 0, z, 0.1 * z), lambda z: np.where(z > 0, 1, 0.1)


def network_case(name, group, dims, m, rng, activation, tweak=lambda P, X: None):
    X = rng.standard_normal((dims[0], m))
    Y = (rng.random((1, m)) < 0.5) * 1.0
    P = []
    for n_in, n_out in pairwise(dims):
        P += [
            rng.standard_normal((n_out, n_in)) * np.sqrt(2 / n_in),
            0.1 * rng.standard_normal((n_out, 1)),
        ]
    tweak(P, X)
    return Case(name, group, *network(X, Y, *activation), tuple(P))


def smooth(rng) -> Iterator[Case]:
    """Ordinary functions of ordinary numbers."""
    n = rng.standard_normal
    p = lambda *shape: 0.3 + rng.random(shape)

    def case(name, f, vjp, *inputs):
        return Case(name, "smooth", f, vjp, inputs)

    yield case(
        "linear",
        lambda W, A, b: W @ A + b,
        lambda g, W, A, b: (g @ A.T, W.T @ g, g.sum(axis=1, keepdims=True)),
        n((3, 4)),
        n((4, 5)),
        n((3, 1)),
    )
    yield case("tanh", np.tanh, lambda g, x: (g * (1 - np.tanh(x) ** 2),), n((3, 4)))
    yield case("sigmoid", sigmoid, lambda g, x: (g * sigmoid(x) * (1 - sigmoid(x)),), n(6))
    yield case(
        "softmax",
        softmax,
        lambda g, z: (softmax(z) * (g - np.sum(g * softmax(z), axis=0)),),
        n((4, 3)),
    )
    Y = np.eye(4)[:, rng.integers(0, 4, 6)]
    yield case(
        "cross-entropy",
        lambda z: -np.mean(np.sum(Y * np.log(softmax(z)), axis=0)),
        lambda g, z: (g * (softmax(z) - Y) / 6,),
        n((4, 6)),
    )
    yield case(
        "squared error",
        lambda a, y: np.mean((a - y) ** 2),
        lambda g, a, y: (g * 2 * (a - y) / a.size, g * 2 * (y - a) / a.size),
        n((2, 5)),
        n((2, 5)),
    )
    yield case(
        "quadratic form",
        lambda x, A: x @ A @ x,
        lambda g, x, A: (g * (A @ x + A.T @ x), g * np.outer(x, x)),
        n(4),
        n((4, 4)),
    )
    yield case(
        "logsumexp",
        lambda x: np.log(np.sum(np.exp(x))),
        lambda g, x: (g * np.exp(x) / np.sum(np.exp(x)),),
        n(7),
    )
    yield case(
        "log det",
        lambda A: np.linalg.slogdet(A)[1],
        lambda g, A: (g * np.linalg.inv(A).T,),
        n((4, 4)) + 3 * np.eye(4),
    )
    yield case(
        "inverse",
        np.linalg.inv,
        lambda g, A: (-np.linalg.inv(A).T @ g @ np.linalg.inv(A).T,),
        n((3, 3)) + 3 * np.eye(3),
    )
    yield case(
        "solve",
        np.linalg.solve,
        lambda g, A, b: (
            -np.outer(np.linalg.solve(A.T, g), np.linalg.solve(A, b)),
            np.linalg.solve(A.T, g),
        ),
        n((3, 3)) + 3 * np.eye(3),
        n(3),
    )
    yield case(
        "norm",
        lambda x: np.sqrt(np.sum(x * x)),
        lambda g, x: (g * x / np.sqrt(np.sum(x * x)),),
        n(5),
    )
    yield case("library norm", np.linalg.norm, lambda g, x: (g * x / np.linalg.norm(x),), n(5))
    yield case(
        "cumsum", lambda x: np.cumsum(x**2), lambda g, x: (2 * x * np.cumsum(g[::-1])[::-1],), n(6)
    )
    yield case("product", np.prod, lambda g, x: (g * np.prod(x) / x,), p(5))
    yield case(
        "power", np.power, lambda g, x, y: (g * y * x ** (y - 1), g * x**y * np.log(x)), p(5), n(5)
    )
    yield case("quotient", np.divide, lambda g, x, y: (g / y, -g * x / y**2), n((2, 3)), p(2, 3))
    yield case("log", lambda x: np.mean(np.log(x)), lambda g, x: (g / x / x.size,), p(8))
    yield case("variance", np.var, lambda g, x: (g * 2 * (x - x.mean()) / x.size,), n(9))

    def normalised(x):
        return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5)

    def normalised_vjp(g, x):
        s, y = np.sqrt(x.var(axis=0) + 1e-5), normalised(x)
        return ((g - g.mean(axis=0) - y * (g * y).mean(axis=0)) / s,)

    yield case("layer norm", normalised, normalised_vjp, n((6, 3)))
    k = n(3)
    yield case(
        "convolution",
        lambda x: np.convolve(x, k, "valid"),
        lambda g, x: (np.convolve(g, k[::-1]),),
        n(8),
    )
    i = rng.integers(0, 5, 9)

    def scatter(g, x):
        d = np.zeros(5)
        np.add.at(d, i, g * np.cos(x[i]))
        return (d,)

    yield case("gather", lambda x: np.sin(x[i]), scatter, n(5))
    yield case(
        "broadcast",
        lambda x, y: x * y,
        lambda g, x, y: ((g * y).sum(axis=1, keepdims=True), (g * x).sum(axis=0)),
        n((4, 1)),
        n(3),
    )
    yield case(
        "trace",
        lambda A, B: np.trace(A @ B),
        lambda g, A, B: (g * B.T, g * A.T),
        n((3, 5)),
        n((5, 3)),
    )

    def cosine_vjp(g, x, y):
        a, b = np.sqrt(x @ x), np.sqrt(y @ y)
        c = x @ y / (a * b)
        return g * (y / (a * b) - c * x / a**2), g * (x / (a * b) - c * y / b**2)

    cosine = lambda x, y: x @ y / np.sqrt(x @ x * (y @ y))
    yield case("cosine", cosine, cosine_vjp, n(4), n(4))
    yield case(
        "oscillating",
        lambda x: np.sum(np.sin(40 * x)),
        lambda g, x: (g * 40 * np.cos(40 * x),),
        n(5),
    )
    yield case(
        "saturated",
        lambda x: np.sum(np.tanh(30 * x)),
        lambda g, x: (g * 30 * (1 - np.tanh(30 * x) ** 2),),
        0.1 * n(5),
    )
    yield case(
        "scalars",
        lambda x, y: x * y + np.sin(x),
        lambda g, x, y: (g * (y + np.cos(x)), g * x),
        n(()),
        n(()),
    )
    yield case(
        "double well",
        lambda x: np.sum((x**2 - 1) ** 2),
        lambda g, x: (g * 4 * x * (x**2 - 1),),
        n(6),
    )
    yield case("softplus", lambda x: np.logaddexp(0, x), lambda g, x: (g * sigmoid(x),), 3 * n(6))
    yield network_case("tanh network", "smooth", (4, 5, 3, 1), 20, rng, TANH)
    yield network_case("relu network", "smooth", (4, 6, 4, 1), 30, rng, RELU)
    yield network_case("leaky network", "smooth", (5, 8, 1), 50, rng, LEAKY)
    yield network_case("deep relu network", "smooth", (3, 5, 5, 5, 4, 1), 40, rng, RELU)
    yield network_case("logistic regression", "smooth", (6, 1), 40, rng, TANH)


def scaled(case: Case, inner: float, outer: float) -> Case:
    """Return ``outer * f(x / inner)`` at ``inner * x``."""
    f = lambda *xs: outer * case.f(*(x / inner for x in xs))
    vjp = lambda g, *xs: tuple(outer / inner * d for d in case.vjp(g, *(x / inner for x in xs)))
    name = f"{case.name}, inputs {inner:.0e}, outputs {outer:.0e}"
    return Case(name, "scales", f, vjp, tuple(inner * x for x in case.inputs))


def noisy(case: Case, rng) -> Iterator[Case]:
    """Add what hides digits: large numbers beside, float32 inside, an iteration stopped early."""
    for offset in (1e4, 1e8):
        f = lambda *xs, offset=offset: case.f(*xs) + offset
        yield replace(case, name=f"{case.name} + {offset:.0e}", group="noise", f=f)
    single = lambda *xs: np.asarray(case.f(*(x.astype(np.float32) for x in xs))).astype(float)
    yield replace(case, name=f"{case.name}, float32 inside", group="noise", f=single)


def iterated() -> Case:
    """A fixed point z = tanh(W z + x), iterated to 1e-9."""
    W = 0.3 * np.eye(4) + 0.1

    def f(x):
        z = np.zeros(4)
        for _ in range(200):
            z, before = np.tanh(W @ z + x), z
            if np.max(np.abs(z - before)) < 1e-9:
                break
        return z

    def vjp(g, x):
        z = f(x)
        D = np.diag(1 - z**2)
        return (np.linalg.solve((np.eye(4) - D @ W).T, g) @ D,)

    return Case("iteration stopped at 1e-9", "noise", f, vjp, (np.array([0.3, -0.4, 0.1, 0.7]),))


def kinked(rng) -> Iterator[Case]:
    """Points on a kink, close to one, at the edge of the domain."""
    n = rng.standard_normal
    c = np.arange(1.0, 7)
    step = lambda x: (x > 0) * 1.0

    def case(name, f, vjp, *inputs):
        return Case(name, "kinks", f, vjp, inputs)

    for beside in (0.0, 1e-3, 1e-5, 1e-7, 1e-9, -1e-6):
        x = np.array([beside, 0.7, -2, 1.5, -beside, 1.1])
        yield case(
            f"relu at {beside:g}", lambda x: np.sum(c * relu(x)), lambda g, x: (g * c * step(x),), x
        )
        yield case(
            f"abs at {beside:g}",
            lambda x: np.sum(c * np.abs(x)),
            lambda g, x: (g * c * np.sign(x),),
            x,
        )
    tied = np.array([1.0, 3.0, 3.0, 2.0])
    share = lambda x: (x == x.max()) / np.sum(x == x.max())
    yield case("tied maximum", np.max, lambda g, x: (g * share(x),), tied)
    yield case(
        "near maximum", np.max, lambda g, x: (g * share(x),), tied + np.array([0, 0, 1e-8, 0])
    )
    yield case(
        "root at 0",
        lambda x: np.sum(np.sqrt(x)),
        lambda g, x: (g * 0.5 / np.sqrt(x),),
        np.array([0.0, 1, 4]),
    )
    yield case(
        "power 1.5 at 0",
        lambda x: np.sum(x**1.5),
        lambda g, x: (g * 1.5 * np.sqrt(x),),
        np.array([0.0, 1, 4]),
    )
    yield case(
        "x log x near 0",
        lambda x: np.sum(x * np.log(x)),
        lambda g, x: (g * (np.log(x) + 1),),
        np.array([1e-12, 0.5]),
    )
    yield case(
        "clip at its limit",
        lambda x: np.clip(x, -1, 1),
        lambda g, x: (g * (abs(x) <= 1),),
        np.array([1.0, 0.3, -1.0, 2.0]),
    )
    huber = lambda x: np.sum(np.where(abs(x) < 1, x * x / 2, abs(x) - 0.5))
    yield case(
        "huber at 1", huber, lambda g, x: (g * np.clip(x, -1, 1),), np.array([1.0, -1.0, 0.2, 3.0])
    )
    for at in (0.0, 1e-7):

        def dead(P, X, at=at):
            P[0][2], P[1][2] = 0, at

        yield network_case(f"a unit at {at:g}", "kinks", (4, 6, 1), 25, rng, RELU, dead)
    zeros = lambda P, X: P.__setitem__(slice(None), [0 * p for p in P])
    yield network_case("zero weights", "kinks", (4, 6, 1), 25, rng, RELU, zeros)
    blank = lambda P, X: (X.__setitem__((slice(None), slice(0, 5)), 0), P.__setitem__(1, 0 * P[1]))
    yield network_case("blank examples", "kinks", (4, 6, 3, 1), 25, rng, RELU, blank)
    yield case("floor", np.floor, lambda g, x: (0 * g,), n(4))


def large(rng) -> Iterator[Case]:
    """More numbers than anybody wants to perturb one by one."""
    yield network_case("tanh network, n = 105,000", "large", (400, 250, 20, 1), 30, rng, TANH)
    yield network_case("relu network, n = 105,000", "large", (400, 250, 20, 1), 30, rng, RELU)
    f = lambda x: np.mean(np.tanh(x) * x)
    vjp = lambda g, x: (g * (np.tanh(x) + x * (1 - np.tanh(x) ** 2)) / x.size,)
    yield Case("elementwise, n = 40,000", "large", f, vjp, (rng.standard_normal((200, 200)),))


SCALES = [(1e-8, 1), (1e-4, 1e4), (1, 1e-8), (1, 1e8), (1e4, 1), (1e8, 1e-8)]


def right(seed: int, groups: Sequence[str] = ()) -> Iterator[Case]:
    """Yield all cases with right gradients, or those of some groups."""
    cases = [*smooth(np.random.default_rng(seed))]
    few = [cases[i] for i in (0, 1, 4, 30)]
    rng = np.random.default_rng([seed, 1])
    members: dict[str, Callable[[], Iterator[Case]]] = {
        "smooth": lambda: iter(cases),
        "scales": lambda: (scaled(c, *s) for c in cases for s in SCALES),
        "noise": lambda: iter([*(x for c in few for x in noisy(c, rng)), iterated()]),
        "float32": lambda: (
            replace(c, group="float32", inputs=tuple(x.astype(np.float32) for x in c.inputs))
            for c in cases[::3]
        ),
        "kinks": lambda: kinked(rng),
        "large": lambda: large(rng),
    }
    for group in groups or members:
        yield from members[group]()


def entry(change: Callable[[Array, int, int], None]) -> Callable[[Array, int, int], Array]:
    """Return a mutation of single entries."""

    def mutation(d, i, k):
        d = np.array(d)
        change(d.reshape(-1), i, k)
        return d

    return mutation


def _swap(d, i, k):
    d[i], d[k] = d[k], d[i]


# d is a gradient, i one of its entries that is not 0, k another entry
MUTATIONS: dict[str, Callable[[Array, int, int], Array]] = {
    "sign": lambda d, i, k: -d,
    "twice": lambda d, i, k: 2 * d,
    "times 1.01": lambda d, i, k: 1.01 * d,
    "times 1.0001": lambda d, i, k: 1.0001 * d,
    "times 1 + 1e-6": lambda d, i, k: (1 + 1e-6) * d,
    "zero": lambda d, i, k: 0 * d,
    "transposed": lambda d, i, k: d.T.reshape(d.shape),
    "reversed": lambda d, i, k: d.reshape(-1)[::-1].reshape(d.shape),
    "shifted": lambda d, i, k: np.roll(d, 1),
    "one entry 1.5 times": entry(lambda d, i, k: d.__setitem__(i, 1.5 * d[i])),
    "one entry 0": entry(lambda d, i, k: d.__setitem__(i, 0)),
    "one entry's sign": entry(lambda d, i, k: d.__setitem__(i, -d[i])),
    "two entries swapped": entry(_swap),
    "first slice forgotten": lambda d, i, k: (
        np.concatenate([0 * d[:1], d[1:]]) if d.ndim else 0 * d
    ),
    "mean for sum": lambda d, i, k: d / max(d.shape, default=3),
    "a constant added": lambda d, i, k: d + np.max(np.abs(d), initial=0.0) / 10,
}


def wrong(case: Case, seed: int, mutations: Sequence[str] = tuple(MUTATIONS)) -> Iterator[Case]:
    """Yield the case with mistakes in the gradient of a random argument, where they show."""
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        out = np.asarray(case.f(*case.inputs))
        truth = [np.asarray(d, float) for d in case.vjp(np.ones(out.shape), *case.inputs)]
        for name in mutations:
            j = int(rng.integers(len(truth)))
            there = np.flatnonzero(truth[j])
            if not there.size or not np.all(np.isfinite(truth[j])):
                continue
            i, k = int(rng.choice(there)), int(rng.integers(truth[j].size))
            mutation = lambda d, name=name, i=i, k=k: MUTATIONS[name](d, i, k)
            size = effect(truth[j], mutation(truth[j]))
            if not size > 1e-7:
                continue

            def vjp(g, *xs, j=j, mutation=mutation):
                found = list(case.vjp(g, *xs))
                found[j] = mutation(np.asarray(found[j]))
                return tuple(found)

            yield replace(case, name=f"{case.name}: {name} in {j}", vjp=vjp, mistake=(j, size))


def effect(true: Array, mutated: Array) -> float:
    """Return the largest change of an entry, relative to the largest entry."""
    size, off = np.max(np.abs(true), initial=0.0), np.max(np.abs(mutated - true), initial=0.0)
    return float(off / size) if size else 0.0
