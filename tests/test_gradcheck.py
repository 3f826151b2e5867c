"""gradcheck: no false alarm, no missed error, and a reason for whatever cannot be told."""

import copy
import random
from itertools import count, pairwise

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn import Tensor
from tinygrad_dnn.checking import check_parameters, gradcheck, gradgradcheck
from tinygrad_dnn.checking.estimate import estimate
from tinygrad_dnn.checking.grid import measure
from tinygrad_dnn.checking.noise import measured_noise
from tinygrad_dnn.checking.numeric import Line
from tinygrad_dnn.checking.problem import Fixed, Problem
from tinygrad_dnn.checking.run import check
from tinygrad_dnn.errors import ChangedDataError, GradientMismatchError, HistoryError
from tinygrad_dnn.primitives import RULES
from tinygrad_dnn.report import CANNOT_TELL, KINK, RIGHT, WRONG
from tinygrad_dnn.rules.losses import binary_cross_entropy
from tinygrad_dnn.rules.network import relu, sigmoid, softmax


def network(X, Y, hidden=relu):
    def cost(*P):
        A = X
        for W, b in zip(P[::2], P[1::2], strict=True):
            Z = W @ A + b
            A = sigmoid(Z) if W is P[-2] else hidden(Z)
        return binary_cross_entropy(A, Y)

    return cost


def network_case(rng, dims=(10, 8, 6, 1), m=1000):
    P = []
    for n_in, n_out in pairwise(dims):
        P += [rng.standard_normal((n_out, n_in)) * np.sqrt(2 / n_in), np.zeros((n_out, 1))]
    X = rng.standard_normal((dims[0], m))
    return X, (rng.random((1, m)) < 0.5).astype(float), P


def right_cases(rng):
    normal = lambda *shape: rng.standard_normal(shape)
    for e in (-8, -3, 0, 4, 8):
        c = 10.0**e
        yield f"tanh of 1e{e}", lambda x, c=c: np.tanh(x / c), [normal(5) * c]
        yield f"1e{e} exp", lambda x, c=c: c * np.exp(x), [normal(3)]
        yield f"matmul 1e{e}", lambda a, b: np.sum((a @ b) ** 2), [normal(3, 4) * c, normal(4, 2)]
        yield f"softmax 1e{e}", lambda x, c=c: softmax(x / c), [normal(4, 3) * c]
        yield f"quotient 1e{e}", np.divide, [normal(3) * c, (1 + rng.random(3)) / c]
        yield f"log 1e{e}", np.log, [(0.1 + rng.random(4)) * c]
        yield f"norm 1e{e}", lambda x: np.sqrt(np.sum(x * x)), [normal(5) * c]
        W, X = normal(3, 4) * c, normal(4, 7)
        yield f"relu 1e{e}", lambda W, b, X=X: relu(W @ X + b), [W, normal(3, 1) * c]
    yield "scales", lambda x: np.sum(np.sin(x) * x), [np.array([1e-8, 1, 3e3]) * normal(3)]
    yield "1e8 beside", lambda x: np.sum(np.tanh(x)) + 1e8, [normal(5)]
    yield "1e4 inside", lambda x: (np.tanh(x) + 1e4) - 1e4, [normal(5)]
    f4, f8 = np.float32, np.float64
    yield "float32 inside", lambda x: np.astype(np.tanh(np.astype(x, f4)), f8), [normal(5)]
    yield "float32 sum", lambda x: np.sum(np.astype(np.tanh(np.astype(x, f4)), f8)), [normal(40)]
    X4 = normal(4, 30).astype(f4)
    yield "float32 cost", lambda W: np.mean(np.tanh(np.astype(W, f4) @ X4) ** 2), [normal(3, 4)]
    yield "float32 input", lambda W: np.mean(np.tanh(W @ X4) ** 2), [normal(3, 4).astype(f4)]
    yield "zeros", lambda x: np.sum(np.cos(x) + x), [np.zeros(4)]
    yield "zeros squared", lambda x: x * x, [np.zeros(4)]
    yield "0-d", lambda x, y: x * y + np.sin(x), [np.array(0.3), np.array(2.0)]
    yield "empty", lambda x: x * 2, [np.zeros((0, 2))]
    Z = normal(4, 6)
    yield "no effect", lambda b: np.sum(softmax(Z + b)[0] ** 2), [np.array(0.3)]
    yield "root of 0", np.sqrt, [np.array([0.0, 1.0])]
    yield "fast", lambda x: np.sum(np.sin(1e6 * x)), [normal(4)]
    yield "saturated", lambda x: np.sum(np.tanh(50 * x)), [normal(6)]
    for beside in (1e-3, 1e-5, 1e-7, 1e-9):
        x = np.array([beside, -beside, 0.7, -2])
        yield f"beside {beside}", lambda x: np.sum(relu(x) * np.arange(1.0, 5)), [x]
    for hidden in (relu, np.tanh):
        X, Y, P = network_case(rng, dims=(6, 5, 4, 1), m=300)
        yield f"{hidden.__name__} network", network(X, Y, hidden), P
    yield "many", lambda x: np.sum(np.tanh(x) ** 2), [normal(5000)]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("seed", range(5))
def test_right_gradients_are_right(seed):
    rng = np.random.default_rng(seed)
    for name, f, inputs in right_cases(rng):
        report = gradcheck(f, *inputs, rng=rng)
        assert report.verdict in (RIGHT, KINK), f"{name}: {report}"


def kink_cases(rng):
    integers = lambda *shape: rng.integers(0, 3, shape).astype(float)
    yield "abs", np.absolute, [np.array([0.0, 1e-7, -2.0])]
    yield "relu", relu, [np.array([0.0, 1.0])]
    yield "max", np.max, [np.array([1.0, 1.0, 0.5])]
    yield "max of rows", lambda x: np.max(x, axis=0), [np.array([[1.0, 2], [1, 0]])]
    yield "maximum", np.maximum, [np.array([1.0, 2]), np.array([1.0, 3])]
    yield "clip", lambda x: np.clip(x, -1, 1), [np.array([1.0, 0.5, 2.0])]
    yield "kinks cancel", lambda x: relu(x) - relu(-x), [np.array([0.0, 1.0])]
    X, Y, P = network_case(rng)
    yield "no weights", network(X, Y), [p * 0 if i < 2 else p for i, p in enumerate(P)]
    yield "empty examples", network(X * (np.arange(1000) % 3 > 0), Y), P
    X3 = integers(4, 30)
    yield "integers", lambda W: np.sum(relu(W @ X3 - 1)), [integers(3, 4)]


@pytest.mark.parametrize("seed", range(3))
def test_kinks_are_kinks(seed):
    rng = np.random.default_rng(seed)
    for name, f, inputs in kink_cases(rng):
        report = gradcheck(f, *inputs, rng=rng)
        assert report.verdict == KINK, f"{name}: {report}"
        assert "kink" in report.diagnosis


def planted(mutation):
    """Return the identity with a wrong vjp, to stand in front of any function."""

    @tg.primitive
    def wrong(x):
        return x + 0.0

    tg.rule(wrong, vjps=(lambda g, out, x: mutation(g),), jvps=(lambda t, out, x: t,))
    return wrong


def one_entry(factor):
    def mutation(g):
        h = np.array(g)
        h.flat[np.argmax(np.absolute(h))] *= factor
        return h

    return mutation


MUTATIONS = {
    "factor 2": lambda g: 2 * g,
    "factor 1.001": lambda g: 1.001 * g,
    "sign": lambda g: -g,
    "one entry 1 %": one_entry(1.01),
    "one entry 0": one_entry(0),
    "shifted": lambda g: np.roll(g, 1),
    "reversed": lambda g: np.ravel(g)[::-1].reshape(np.shape(g)),
    "forgotten": lambda g: 0 * g,
    "1e-6": lambda g: g * (1 + 1e-6),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("seed", "mutation"), list(enumerate(MUTATIONS)))
def test_wrong_gradients_are_wrong(seed, mutation):
    rng, change = np.random.default_rng(seed), MUTATIONS[mutation]
    wrong, tried = planted(change), 0
    for name, f, inputs in right_cases(rng):
        j = int(rng.integers(len(inputs)))
        out, back = tg.func.vjp(f, *(x.astype(float) for x in inputs))
        truth = back(rng.uniform(0.5, 1.5, out.shape))[j]
        visible = np.max(np.absolute(truth * inputs[j]), initial=0) > 1e-12
        if not visible or not np.all(np.isfinite(truth)):
            continue
        if np.allclose(change(truth), truth, rtol=1e-9, atol=0):
            continue

        def g(*xs, f=f, j=j):
            return f(*(wrong(x) if i == j else x for i, x in enumerate(xs)))

        report = gradcheck(g, *inputs, rng=rng)
        small = {"1e-6": 1e-6, "factor 1.001": 1e-3}.get(mutation, np.inf)
        if float(report.rows[j].details["judged by"]) > small / 2:
            continue  # less than rounding lets anybody see, and the report says so
        assert report.rows[j].verdict == WRONG, f"{name}: {report}"
        tried += 1
    assert tried > 25


@pytest.mark.parametrize("n", [5000, 100_000])
def test_one_wrong_entry_among_many_is_named(n):
    bad, rng = n // 3, np.random.default_rng(5)

    def change(g):
        h = np.array(g)
        h[bad] *= 1.5
        return h

    wrong = planted(change)
    report = gradcheck(lambda x: np.sum(np.tanh(wrong(x)) * x), rng.standard_normal(n))
    assert report.rows[0].verdict == WRONG
    assert f"wrong at [{bad}]" in report.rows[0].note
    assert any(f"3 random directions stand for {n:,} entries" in note for note in report.notes)


def test_a_transposed_gradient_and_a_missing_factor():
    @tg.primitive
    def product(A, B):
        return A @ B

    tg.rule(
        product,
        vjps=(lambda g, out, A, B: g @ B, lambda g, out, A, B: A.T @ g),
        jvps=(lambda t, out, A, B: t @ B, lambda t, out, A, B: A @ t),
    )
    rng = np.random.default_rng(0)
    report = gradcheck(product, rng.standard_normal((3, 3)), rng.standard_normal((3, 3)))
    assert [row.verdict for row in report.rows] == [WRONG, RIGHT, RIGHT]
    assert report.rows[0].name == "A"
    with pytest.raises(GradientMismatchError, match="wrong at"):
        report.raise_if_failed()


@pytest.mark.parametrize("fn", [np.tanh, np.exp, np.sin])
def test_a_scaled_rule_is_found_in_both_modes(fn, monkeypatch):
    rule = RULES[fn]
    monkeypatch.setattr(rule, "vjps", (lambda g, out, x, v=rule.vjps[0]: 1.001 * v(g, out, x),))
    report = gradcheck(fn, np.array([0.3, -0.7]))
    assert [row.verdict for row in report.rows] == [WRONG, RIGHT]
    monkeypatch.undo()
    monkeypatch.setattr(rule, "jvps", (lambda t, out, x, v=rule.jvps[0]: 1.001 * v(t, out, x),))
    report = gradcheck(fn, np.array([0.3, -0.7]))
    assert [row.verdict for row in report.rows] == [RIGHT, WRONG]
    assert report.rows[1].name == "forward mode"


def test_the_gradient_of_the_gradient():
    x, A = np.array([0.3, -2.0, 1.0]), np.arange(9.0).reshape(3, 3)
    report = gradgradcheck(lambda x: np.tanh(A @ x) * x, x)
    assert report
    assert report.rows[2].name == "x, order 2"

    @tg.primitive
    def cube(x):
        return x**3

    # the first derivative is right, and hides from the second that it depends on x
    hidden = lambda x: x.data if isinstance(x, Tensor) else x
    tg.elementwise(cube, lambda out, x: 3 * hidden(x) ** 2)
    report = gradgradcheck(cube, x)
    assert [row.verdict for row in report.rows] == [RIGHT, RIGHT, WRONG]
    assert gradgradcheck(lambda x: 3 * x, x)


def test_the_wrong_side_of_a_kink_and_a_wrong_rule_beside_it():
    @tg.primitive
    def bend(x):
        return np.absolute(x)

    tg.elementwise(bend, lambda out, x: np.where(x == 0, 5.0, np.sign(x)))
    row = gradcheck(lambda x: np.sum(bend(x)), np.array([0.0, 1.0])).rows[0]
    assert row.verdict == WRONG
    assert row.note == "wrong at [0]: slopes -1 from the left, 1 from the right; the value is 5"

    @tg.primitive
    def bend_more(x):
        return np.absolute(x)

    tg.elementwise(bend_more, lambda out, x: np.sign(x) * 1.5)
    row = gradcheck(lambda x: np.sum(bend_more(x)), np.zeros(3)).rows[0]
    assert row.verdict == WRONG
    assert "beside the kink the gradient is wrong" in row.note


def test_kinks_do_not_excuse_what_they_do_not_touch():
    wrong = planted(lambda g: g * 1.01)
    dead = np.array([0.0, 0.0, -1.0])
    report = gradcheck(lambda x: np.sum(wrong(x)) + np.sum(relu(relu(dead * x))), np.ones(3))
    assert report.rows[0].verdict == WRONG


def test_nan_and_infinity():
    with np.errstate(all="ignore"):
        assert gradcheck(np.sqrt, np.array([0.0, 4.0]))
        row = gradcheck(np.log, np.array([-1.0, 1.0])).rows[0]
        assert row.verdict == CANNOT_TELL
        assert row.note.startswith("the function is nan at these inputs")
        row = gradcheck(lambda x: np.sin(x), np.array([np.inf])).rows[0]
        assert row.note == "x itself holds inf at [0]"
        row = gradcheck(planted(lambda g: g * np.nan), np.ones(2)).rows[0]
        assert row.verdict == WRONG
        assert row.note == "wrong at [0] and at 1 more: the gradient is nan; the value is nan"


def test_a_wrong_shape_is_wrong_and_names_the_rule():
    @tg.primitive
    def total(x):
        return np.sum(x)

    tg.rule(total, vjps=(lambda g, out, x: g,), jvps=(lambda t, out, x: np.sum(t),))
    row = gradcheck(total, np.ones(3)).rows[0]
    assert row.verdict == WRONG
    assert "the vjp of total for argument 0 returned shape ()" in row.note


def same_state(a, b):
    return a.bit_generator.state == b.bit_generator.state


class Noisy:
    def __init__(self, rng):
        self.rngs = [rng]

    def __call__(self, x):
        return np.sum(x * self.rngs[0].random(3))


SHARED = np.random.default_rng(4)


def randomly(rng):
    """Return functions that draw from a generator in every place that one can be in."""
    net = tg.nn.Sequential(tg.nn.Linear(3, 4, rng=rng), tg.nn.Dropout(0.5, rng=rng))
    legacy = np.random.RandomState(1)
    return {
        "closure": lambda x: np.sum(x * rng.random(3)),
        "default": lambda x, r=rng: np.sum(x * r.random(3)),
        "attribute": Noisy(rng),
        "layer": lambda x: np.sum(net(x[:, None]) ** 2),
        "global": lambda x: np.sum(x * SHARED.random(3)),
        "np.random": lambda x: np.sum(x * np.random.rand(3)),  # noqa: NPY002
        "random": lambda x: np.sum(x * random.random()),
        "RandomState": lambda x: np.sum(x**2 * legacy.rand(3)),
    }


@pytest.mark.parametrize("place", randomly(np.random.default_rng(0)))
def test_random_numbers_are_frozen(place):
    rng = np.random.default_rng(0)
    f = randomly(rng)[place]
    before, shared = copy.deepcopy(rng), copy.deepcopy(SHARED)
    report = gradcheck(f, np.array([0.5, 1.0, -2.0]))
    assert report.verdict in (RIGHT, KINK), report
    assert any("random numbers are frozen" in note for note in report.notes)
    assert same_state(rng, before)
    assert same_state(SHARED, shared)
    wrong = planted(lambda g: g * 1.001)
    assert not gradcheck(lambda x: f(wrong(x)), np.array([0.5, 1.0, -2.0]))


def test_a_generator_that_is_an_argument_is_frozen():
    rng = np.random.default_rng(0)
    report = tg.check_gradient(
        lambda x, r: np.sum(x * r.random(3)), lambda x, r: r.random(3), np.ones(3), rng, wrt="x"
    )
    assert report.verdict == RIGHT, report


def test_a_training_network_is_checked_with_the_same_masks():
    rng = np.random.default_rng(0)
    nn = tg.nn
    layers = nn.Linear(3, 8, rng=rng), nn.ReLU(), nn.Dropout(0.4, rng=rng), nn.Linear(8, 1, rng=rng)
    net = nn.Sequential(*layers, nn.Sigmoid())
    X, Y = rng.standard_normal((3, 9)), np.ones((1, 9))
    report = check_parameters(lambda: binary_cross_entropy(net(X), Y), net.parameters())
    assert report.verdict in (RIGHT, KINK), report
    assert any("Dropout.rng" in note for note in report.notes)


CALLS = count(1)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(x * np.random.default_rng().random(3)),
        lambda x: np.sum(x) * next(CALLS),
    ],
)
def test_a_function_that_is_not_deterministic(f):
    row = gradcheck(f, np.ones(3)).rows[0]
    assert row.verdict == CANNOT_TELL
    assert row.note.startswith("the function is not deterministic: two calls")
    assert "made anew without a seed" in row.note


def test_inputs_that_cannot_be_checked():
    def spoil(x):
        x.data[0] = 0
        return np.sum(x)

    with pytest.raises(ChangedDataError, match="spoil changed its argument x in place"):
        gradcheck(spoil, np.ones(3))
    with pytest.raises(HistoryError, match=r"must return one Tensor, got float; write it with"):
        gradcheck(lambda x: float(np.sum(x)), np.ones(3))
    with pytest.raises(HistoryError, match="argument labels of <lambda> holds int64"):
        gradcheck(lambda labels: labels * 2, np.arange(3))
    with pytest.raises(HistoryError, match=r"argument z of <lambda> is complex.*as two"):
        gradcheck(lambda z: z * 2, np.ones(3) + 1j)
    with pytest.raises(HistoryError, match="the result of <lambda> holds int64"):
        gradcheck(lambda x: np.argmax(x), np.arange(3.0))


def test_names_constants_and_inputs_left_alone():
    x, y = np.array([1.0, 2.0]), Tensor([3.0, 4.0], name="weights")
    labels = Tensor([0, 1], requires_grad=False)
    kept = x.copy()
    report = gradcheck(lambda a, b, t: np.sum(a * b * t), x, y, labels)
    assert [row.name for row in report.rows] == ["a", "weights", "forward mode"]
    assert np.array_equal(x, kept)
    assert y.grad is None
    assert [row.name for row in gradcheck(lambda *xs: xs[0] * xs[1], x, x).rows[:2]] == [
        "xs[0]",
        "xs[1]",
    ]
    assert str(gradcheck(np.sin, x)) == str(gradcheck(np.sin, x))  # randomness is an argument


def test_a_function_that_uses_tensors_of_its_own():
    net = tg.nn.Sequential.from_layer_dims([3, 4, 1], rng=np.random.default_rng(0))
    X = np.random.default_rng(1).standard_normal((3, 6))
    X[:, 2] = 0
    report = gradcheck(lambda X: np.mean(net(X)), X)
    assert report
    assert "Z1[0, 2] = 0 in relu" in report.diagnosis
    assert tg.gradgradcheck(lambda X: np.mean(np.tanh(net.parameters()["W1"] @ X)), X)


def test_a_primitive_without_forward_mode():
    @tg.primitive
    def half(x):
        return x / 2

    tg.rule(half, vjps=(lambda g, out, x: g / 2,), jvps=())
    report = gradcheck(half, np.ones(2))
    assert report
    assert any(note.startswith("forward mode was not checked: half") for note in report.notes)


def test_the_number_of_evaluations_is_modest():
    rng = np.random.default_rng(0)
    for n, most in ((10, 120), (1000, 4000), (100_000, 200)):
        x = rng.standard_normal(n)
        notes = gradcheck(lambda x: np.mean(np.tanh(x) * x), x).notes
        calls = next(note for note in notes if "evaluations" in note).split()[0]
        assert int(calls.replace(",", "")) < most


class TestParameters:
    def make(self, dtype=float):
        rng = np.random.default_rng(2)
        X, Y, P = network_case(rng, m=200)
        names = [f"{kind}{layer}" for layer in (1, 2, 3) for kind in "Wb"]
        tensors = {n: Tensor(p.astype(dtype), name=n) for n, p in zip(names, P, strict=True)}
        cost = network(X, Y)
        return tensors, lambda: cost(*tensors.values())

    @pytest.mark.parametrize("dtype", [np.float64, np.float32])
    def test_a_network(self, dtype):
        tensors, cost = self.make(dtype)
        J = cost()
        data = {name: p.data for name, p in tensors.items()}
        report = check_parameters(cost, tensors)
        assert report, str(report)
        assert [row.name for row in report.rows] == [
            "dW1",
            "db1",
            "dW2",
            "db2",
            "dW3",
            "db3",
            "forward mode",
        ]
        for name, p in tensors.items():
            assert p.data is data[name]
            assert p.grad is None
        J.backward()  # recorded before, still good

    def test_a_wrong_one(self):
        tensors, _ = self.make()
        wrong, (X, Y, _) = planted(lambda g: g * 1.001), network_case(np.random.default_rng(2))

        def cost():
            W1, *rest = tensors.values()
            return network(X, Y)(wrong(W1), *rest)

        report = check_parameters(cost, list(tensors.values()))
        assert [row.name for row in report.failures] == ["dW1"]

    def test_data_comes_back_after_an_error(self):
        tensors, cost = self.make()
        data, calls = tensors["W1"].data, []

        def failing():
            calls.append(1)
            if len(calls) > 20:
                raise KeyError("boom")
            return cost()

        with pytest.raises(KeyError, match="boom"):
            check_parameters(failing, tensors)
        assert tensors["W1"].data is data

    def test_messages(self):
        W = Tensor(np.ones(3))
        with pytest.raises(HistoryError, match="must return a Tensor, the cost J, got the num"):
            check_parameters(lambda: float(np.sum(W)), [W])
        with pytest.raises(ValueError, match=r"must return one number, got shape \(3,\)"):
            check_parameters(lambda: W * 2, [W])
        with pytest.raises(HistoryError, match="Z is a result, not a parameter"):
            check_parameters(lambda: np.sum(W), {"Z": W * 2})

    def test_relu_kinks_of_a_large_network(self):
        rng = np.random.default_rng(7)
        X, Y, P = network_case(rng, dims=(40, 50, 40, 1), m=2000)
        X[:, ::7] = 0  # with b = 0 every unit is on its kink there
        tensors = {f"P{i}": Tensor(p) for i, p in enumerate(P)}
        cost = network(X, Y)
        report = check_parameters(lambda: cost(*tensors.values()), tensors)
        assert report, str(report)
        assert report.verdict == KINK


def test_slopes_and_noise_of_known_functions():
    one = np.ones((1, 1))
    for f, slope in ((np.exp, 1.0), (np.sin, 1.0), (lambda t: np.log1p(t) * 3, 3.0)):
        line = Line(lambda t, f=f: np.array([f(t)]), np.array([f(0.0)]), np.array([1e-16]), one)
        found = estimate(line.ladder(range(-5, -31, -2)), 0)
        assert abs(found.slope - slope) <= found.error < 1e-9
    rng = np.random.default_rng(0)
    for size in (1e-12, 1e-7, 1e-3):
        noisy = lambda t, size=size: np.sin(np.arange(9) + t) + size * rng.standard_normal(9)
        sigma = measured_noise(noisy, noisy(0.0))
        assert np.all((sigma > size / 5) & (sigma < size * 40))


class TestProblemsWithoutTensors:
    def problem(self, factor=1.0):
        rng = np.random.default_rng(0)
        W, b, X = rng.standard_normal((3, 4)), np.zeros((3, 1)), rng.standard_normal((4, 7))
        Z = W @ X + b
        dZ = 2 * np.maximum(Z, 0) / Z.size
        claims = Fixed([factor * dZ @ X.T, dZ.sum(axis=1, keepdims=True)])
        cost = lambda point: np.mean(np.maximum(point[0] @ X + point[1], 0) ** 2)
        return Problem(["dW", "db"], [W, b], cost, claims), dZ @ X.T

    def test_claims_known_at_one_point_only(self):
        problem, dW = self.problem()
        report = check("by hand", [problem])
        assert report
        assert np.allclose(report.rows[0].evidence.numeric, dW, rtol=1e-9)
        assert not report.rows[0].evidence.wrong.any()
        problem, dW = self.problem(1.001)
        report = check("by hand", [problem])
        assert [row.name for row in report.failures] == ["dW"]
        evidence = report.rows[0].evidence
        assert evidence.wrong.sum() == np.count_nonzero(dW)
        assert np.allclose(evidence.numeric, dW, rtol=1e-9)

    def test_measuring_without_a_claim(self):
        problem, dW = self.problem()
        found = measure(problem, 0)
        assert np.all(np.absolute(found.numeric - dW) <= found.error)
        found = measure(problem, 0, at_most=6)
        assert np.isfinite(found.numeric).sum() <= 6
