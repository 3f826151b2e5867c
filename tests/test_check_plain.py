"""check_gradient, check_vjp, check_jvp: plain NumPy functions with derivatives written by hand."""

from typing import ClassVar

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn import check_gradient, check_jvp, check_vjp
from tinygrad_dnn.checking.problem import Fixed, Problem
from tinygrad_dnn.checking.run import check
from tinygrad_dnn.errors import ChangedDataError, DimensionError, HistoryError, StructureError
from tinygrad_dnn.report import CANNOT_TELL, KINK, RIGHT, WRONG

rng = np.random.default_rng(3)
X, Y = rng.standard_normal((4, 20)), (rng.random((1, 20)) < 0.5).astype(float)


def parameters(seed=0, n=5):
    r = np.random.default_rng(seed)
    return {
        "W1": r.standard_normal((n, 4)), "b1": np.zeros((n, 1)),
        "W2": r.standard_normal((1, n)), "b2": np.zeros((1, 1)),
    }  # fmt: skip


def forward(P):
    Z1 = P["W1"] @ X + P["b1"]
    A1 = np.maximum(Z1, 0)
    return Z1, A1, 1 / (1 + np.exp(-(P["W2"] @ A1 + P["b2"])))


def cost(P):
    A2 = forward(P)[-1]
    return -np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))


def gradients(P):
    (Z1, A1, A2), m = forward(P), X.shape[1]
    dZ2 = A2 - Y
    dZ1 = P["W2"].T @ dZ2 * (Z1 > 0)
    return {
        "W1": dZ1 @ X.T / m, "b1": dZ1.sum(axis=1, keepdims=True) / m,
        "W2": dZ2 @ A1.T / m, "b2": dZ2.sum(axis=1, keepdims=True) / m,
    }  # fmt: skip


def evaluations(report):
    note = next(note for note in report.notes if "evaluations" in note)
    return int(note.split()[0].replace(",", ""))


class TestGradients:
    def test_a_dict_of_parameters(self):
        report = check_gradient(cost, gradients, parameters())
        assert report
        assert [row.name for row in report.rows] == ["P['W1']", "P['b1']", "P['W2']", "P['b2']"]
        assert report.difference < 1e-12
        assert evaluations(report) < 31 + 49 + 3 * 30

    def test_a_mistake_is_shown_with_both_values(self):
        def forgot(P):
            G = gradients(P)
            return G | {"W2": G["W2"] * X.shape[1]}

        report = check_gradient(cost, forgot, parameters())
        assert [row.name for row in report.failures] == ["P['W2']"]
        row = report.failures[0]
        evidence = row.evidence
        assert evidence.wrong.all()
        assert np.allclose(evidence.numeric, gradients(parameters())["W2"], rtol=1e-12)
        assert float(row.details["value"]) == pytest.approx(20 * float(row.details["numeric"]))
        with pytest.raises(AssertionError, match="W2"):
            report.raise_if_failed()

    def test_several_inputs_names_and_wrt(self):
        f = lambda W, x, k: np.sum(np.tanh(W @ x)) * k

        def grad_f(W, x, k):
            s = 1 - np.tanh(W @ x) ** 2
            return np.outer(s, x) * k, W.T @ s * k, np.sum(np.tanh(W @ x))

        W, x = rng.standard_normal((3, 2)), rng.standard_normal(2)
        report = check_gradient(f, grad_f, W, x, 2.0)
        assert report
        assert [row.name for row in report.rows] == ["W", "x", "k"]
        only = check_gradient(f, grad_f, W, x, 2, wrt=["W", 1])
        assert only
        assert [row.name for row in only.rows] == ["W", "x"]
        assert check_gradient(f, lambda *a: grad_f(*a)[1], W, x, 2, wrt="x")

    @pytest.mark.parametrize("scale", [1e-8, 1e-3, 1.0, 1e4, 1e8])
    def test_scales(self, scale):
        f = lambda x: scale * np.sum(np.sin(x / scale) ** 2)
        x = scale * rng.standard_normal(6)
        assert check_gradient(f, lambda x: np.sin(2 * x / scale), x)
        assert not check_gradient(f, lambda x: 1.001 * np.sin(2 * x / scale), x)
        assert not check_gradient(f, lambda x: 0 * x, x)

    def test_a_million_parameters(self):
        w = np.random.default_rng(0).standard_normal((500, 2000))
        f = lambda W: np.mean(np.tanh(W) * W)
        g = lambda W: (np.tanh(W) + W * (1 - np.tanh(W) ** 2)) / W.size
        report = check_gradient(f, g, w)
        assert report
        assert evaluations(report) < 80
        assert "could cancel" in report.notes[0]

        def one_wrong(W):
            G = g(W)
            G[123, 456] *= 1.5
            return G

        report = check_gradient(f, one_wrong, w)
        assert report.rows[0].note.startswith("wrong at [123, 456]: the value is")
        assert report.rows[0].evidence.wrong.sum() == 1


class TestComplexSteps:
    """What drops or twists imaginary parts is found out; real differences are used then."""

    x = rng.standard_normal(5)
    A = rng.standard_normal((5, 5))

    def buffered(self, x):
        out = np.empty(5)
        np.multiply(x, x, out=out)
        return np.sum(out)

    def assigned(self, x):
        out = np.zeros(5)
        out[:] = x**2
        return np.sum(out)

    CASES: ClassVar = {
        "analytic": (lambda s, x: np.sum(x**2), lambda s, x: 2 * x),
        "float": (lambda s, x: float(np.sum(x**2)), lambda s, x: 2 * x),
        "abs": (lambda s, x: np.sum(np.abs(x) ** 3), lambda s, x: 3 * x * np.abs(x)),
        "partly abs": (
            lambda s, x: np.sum(x**2) + 1e-3 * np.abs(x[1]),
            lambda s, x: 2 * x + 1e-3 * np.sign(x) * (np.arange(5) == 1),
        ),
        "vdot": (lambda s, x: np.vdot(x, x), lambda s, x: 2 * x),
        "norm": (lambda s, x: np.linalg.norm(x), lambda s, x: x / np.linalg.norm(x)),
        "conj": (lambda s, x: np.sum(x * np.conj(x)), lambda s, x: 2 * x),
        "sign": (lambda s, x: np.sum(x * np.sign(x)), lambda s, x: np.sign(x)),
        "real": (lambda s, x: np.sum(np.real(x) ** 2), lambda s, x: 2 * x),
        "buffer": (lambda s, x: s.buffered(x), lambda s, x: 2 * x),
        "assignment": (lambda s, x: s.assigned(x), lambda s, x: 2 * x),
        "maximum": (lambda s, x: np.sum(np.maximum(x, 0) ** 2), lambda s, x: 2 * np.maximum(x, 0)),
        "cholesky": (
            lambda s, x: np.linalg.cholesky(s.A @ s.A.T + np.diag(x**2) + 9 * np.eye(5))[4, 4],
            lambda s, x: s.of_cholesky(x),
        ),
    }

    def of_cholesky(self, x):  # last entry: sqrt(1 / inv(M)[4, 4])
        inverse = np.linalg.inv(self.A @ self.A.T + np.diag(x**2) + 9 * np.eye(5))
        return inverse[4, 4] ** -1.5 * inverse[4] ** 2 * x

    @pytest.mark.parametrize("name", CASES)
    def test_right_is_right_and_wrong_is_wrong(self, name):
        f, g = (lambda x, h=h: h(self, x) for h in self.CASES[name])
        worst = int(np.argmax(np.absolute(g(self.x))))
        assert check_gradient(f, g, self.x), name
        report = check_gradient(f, lambda x: g(x) * (1 + 1e-6 * (np.arange(5) == worst)), self.x)
        assert report.verdict == WRONG, name
        assert report.rows[0].note.startswith(f"wrong at [{worst}]")

    def test_what_it_costs(self):
        analytic = evaluations(check_gradient(lambda x: np.sum(x**2), lambda x: 2 * x, self.x))
        real = evaluations(check_gradient(lambda x: float(np.sum(x**2)), lambda x: 2 * x, self.x))
        assert analytic <= 5 + 49
        assert real <= 2 * 5 + 26


class TestBackwardPasses:
    W, A, b = rng.standard_normal((3, 4)), rng.standard_normal((4, 6)), np.zeros((3, 1))

    def linear(self, W, A, b):
        return W @ A + b

    def test_right(self):
        vjp = lambda dZ, W, A, b: (dZ @ A.T, W.T @ dZ, dZ.sum(axis=1, keepdims=True))
        report = check_vjp(self.linear, vjp, self.W, self.A, self.b)
        assert report
        assert " by [" in report.rows[0].details["worst at"]

    def test_values_shown_are_entries_of_the_jacobian(self):
        vjp = lambda g, x: np.array([g[0] * 2 * x[0] + g[1] * x[1], g[1] * x[0] * 3])
        x = np.array([2.0, 5.0])
        row = check_vjp(lambda x: np.array([x[0] ** 2, x[0] * x[1]]), vjp, x).rows[0]
        assert row.verdict == WRONG
        assert row.details["worst at"] == "[1] by [1]"
        assert row.details["value"] == "6"
        assert row.details["numeric"] == "2"
        assert row.note == "wrong at [1]: the value is 6, numeric 2"

    @pytest.mark.parametrize(
        ("mistake", "said"),
        [
            (lambda G: 2 * G, "the factor 2 too much"),
            (lambda G: -G, "the sign is flipped"),
            (lambda G: G * (np.arange(4) != 2), "only column 2 is forgotten"),
            (lambda G: 0 * G, "it is zero everywhere"),
            (lambda G: np.flip(G, 1), "it is reversed along axis 1"),
        ],
    )
    def test_what_is_wrong_is_described(self, mistake, said):
        vjp = lambda dZ, W, A, b: (mistake(dZ @ A.T), W.T @ dZ, dZ.sum(axis=1, keepdims=True))
        report = check_vjp(self.linear, vjp, self.W, self.A, self.b)
        assert [row.name for row in report.failures] == ["W"]
        assert said in report.diagnosis
        jvp = lambda t, W, A, b: mistake(t[0]) @ A + W @ t[1] + t[2]
        report = check_jvp(self.linear, jvp, self.W, self.A, self.b)
        assert [row.name for row in report.failures] == ["W"]
        assert said in report.diagnosis

    def test_the_incoming_gradient_ignored_or_used_twice(self):
        for vjp in (lambda g, x: 2 * x, lambda g, x: 2 * x * g**2, lambda g, x: 2 * x * g + 1):
            report = check_vjp(lambda x: x**2, vjp, np.array([1.0, 2.0]))
            assert report.verdict == WRONG
            assert "is not linear" in report.diagnosis

    def test_wrong_shapes_are_rows(self):
        vjp = lambda dZ, W, A, b: (A @ dZ.T, W.T @ dZ, dZ)
        report = check_vjp(self.linear, vjp, self.W, self.A, self.b)
        assert [row.verdict for row in report.rows] == [WRONG, RIGHT, WRONG]
        shape = "the gradient has shape (4, 3), not (3, 4)"
        assert report.rows[0].note == f"{shape}; it is transposed; right is dW = dout @ A.T"
        assert np.isfinite(report.rows[0].evidence.numeric).all()
        with pytest.raises(StructureError, match=r"<lambda> returns must have 3 parts.*W, A, b"):
            check_vjp(self.linear, lambda *a: (1, 2), self.W, self.A, self.b)

    def test_outputs_of_very_different_size(self):
        e = 10.0 ** -np.arange(0, 16, 3)
        f = lambda x: e * np.sin(x)
        x = rng.standard_normal(6)
        assert check_vjp(f, lambda g, x: g * e * np.cos(x), x)
        for k in range(6):
            off = 1 + 1e-4 * (np.arange(6) == k)
            report = check_vjp(f, lambda g, x, off=off: g * e * np.cos(x) * off, x)
            assert report.verdict == WRONG, k
            assert report.rows[0].details["worst at"] == f"[{k}] by [{k}]"

    def test_jvps(self):
        jvp = lambda t, W, A, b: t[0] @ A + W @ t[1] + t[2]
        assert check_jvp(self.linear, jvp, self.W, self.A, self.b)
        wrong = lambda t, W, A, b: t[0] @ A + W @ t[1] * 1.001 + t[2]
        report = check_jvp(self.linear, wrong, self.W, self.A, self.b)
        assert [row.name for row in report.failures] == ["A"]
        x = rng.standard_normal(5000)
        assert check_jvp(np.tanh, lambda t, x: t * (1 - np.tanh(x) ** 2), x)
        bad = lambda t, x: t * (1 - np.tanh(x) ** 2) * (1 + (np.arange(5000) == 77))
        assert "wrong at [77]" in check_jvp(np.tanh, bad, x).diagnosis
        report = check_jvp(np.tanh, lambda t, x: 1.0, x)
        assert "returned shape (), but tanh returns (5000,)" in report.diagnosis
        report = check_jvp(np.sin, lambda t, x: np.cos(x), np.array([1.0, 2.0]))
        assert "is not linear" in report.diagnosis


class TestWhereThereIsNoDerivative:
    def test_kinks(self):
        f, x = lambda x: np.sum(np.maximum(x, 0)), np.array([0.0, 1.0, -1.0])
        for at in (0.0, 0.5, 1.0):
            g = lambda x, at=at: np.where(x == 0, at, x > 0)
            report = check_gradient(f, g, x)
            assert report.verdict == KINK
            assert report
            assert not check_gradient(f, g, x, strict=True)
        assert "slopes 0 from the left, 1 from the right" in report.diagnosis

    def test_the_kink_is_named(self):
        def J(x):
            Z1 = x * np.ones((2, 3))
            Z1.name = "Z1"
            return np.sum(tg.nn.relu(Z1))

        report = tg.gradcheck(J, np.array([[1.0, 0.0, 2.0]]))
        assert report.verdict == KINK
        assert "Z1[0, 1] = 0 in relu" in report.diagnosis

    def test_zero_weights(self):
        P = {k: v * 0 for k, v in parameters().items()}
        report = check_gradient(cost, gradients, P)
        assert report, str(report)

    def test_kinks_that_meet(self):
        P = parameters() | {"W1": np.zeros((5, 4))}
        report = check_gradient(cost, gradients, P)
        assert report.verdict == KINK, str(report)
        assert report
        twice = lambda P: {k: 2 * d for k, d in gradients(P).items()}
        report = check_gradient(cost, twice, P)
        assert not report
        assert "beside the kink the gradient is wrong" in report.diagnosis
        known_here = Problem(
            ["W1"], [P["W1"]], lambda p: cost(P | {"W1": p[0]}), Fixed([gradients(P)["W1"]])
        )
        report = check("by hand", [known_here])
        assert report.verdict == KINK
        assert "beside" not in report.diagnosis
        assert "the value is what a convention, as relu'(0) = 0, gives" in report.diagnosis

    def test_a_value_at_a_kink_that_is_none_of_the_slopes(self):
        x = np.array([0.0, 1.0, 0.0])
        f = lambda x: np.sum(np.absolute(x) * np.array([1.0, 2, 3]))
        for at, verdict in ((0.0, KINK), (1.0, KINK), (3.0, WRONG), (-1.5, WRONG)):
            here = Problem(["x"], [x], lambda p: f(p[0]), Fixed([np.array([at, 2.0, 0.0])]))
            report = check("by hand", [here])
            assert report.verdict == verdict, (at, str(report))
        assert "slopes -1 from the left, 1 from the right; the value is -1.5" in report.diagnosis

    @pytest.mark.parametrize("at", [0.0, 0.5, 1.0])
    def test_kinks_that_cancel(self, at):
        f = lambda x: np.sum(np.maximum(x, 0) - np.maximum(-x, 0))
        step = lambda x: np.where(x == 0, at, x > 0)
        report = check_gradient(f, lambda x: step(x) + step(-x), np.array([0.0, 1.0, -2.0]))
        assert report.verdict == (RIGHT if at == 0.5 else CANNOT_TELL), str(report)
        assert at == 0.5 or "if kinks cancel there" in report.diagnosis
        twice = lambda x: 2 * (step(x) + step(-x))
        assert check_gradient(f, twice, np.array([0.0, 1.0, -2.0])).verdict == WRONG

    def test_jumps(self):
        x = np.array([2.0, 0.3, -1.5])
        for f in (np.floor, np.sign, np.round):
            at_jump = x if f is np.floor else x * 0 if f is np.sign else x * 0 + 0.5
            report = check_vjp(f, lambda g, x: 0 * g, at_jump)
            assert report.verdict == KINK, f"{f}: {report}"
            assert "f jumps by" in report.diagnosis
            report = check_vjp(f, lambda g, x: 1 * g, at_jump)
            assert report.verdict == WRONG, f"{f}: {report}"
            assert check_vjp(f, lambda g, x: 0 * g, np.array([0.3, 1.7])).verdict == RIGHT
        report = check_gradient(
            lambda x: np.sum(x**2 + (x >= 2)), lambda x: 2 * x, np.array([2.0, 1.0])
        )
        assert report.verdict == KINK

    def test_steps_with_a_zero_gradient_declared(self):
        x = np.array([1.2345678, -0.5432])
        assert check_vjp(lambda x: np.round(x, 3), lambda g, x: 0 * g, x).verdict == RIGHT
        assert not check_vjp(lambda x: np.round(x, 3), lambda g, x: 3 * g, x)

    def test_the_edge_of_the_domain(self):
        x = np.array([0.0, 4.0])
        with np.errstate(all="ignore"):
            report = check_gradient(lambda x: np.sum(np.sqrt(x)), lambda x: 0.5 / np.sqrt(x), x)
            assert report.verdict == RIGHT
            report = check_gradient(lambda x: np.sum(x**1.5), lambda x: 1.5 * np.sqrt(x), x)
            assert report.verdict == RIGHT
            row = check_gradient(lambda x: np.sum(np.log(x)), lambda x: 1 / x, x - 1).rows[0]
            assert row.verdict == CANNOT_TELL
            assert row.note.startswith("the function is nan at these inputs")


class TestFewDigits:
    def test_float32_inputs(self):
        W = rng.standard_normal((3, 4)).astype(np.float32)
        f = lambda W: np.mean(np.tanh(W @ X) ** 2)

        def g(W):
            T = np.tanh(W @ X.astype(W.dtype))
            return (2 / T.size * T * (1 - T**2)) @ X.T.astype(W.dtype)

        report = check_gradient(f, g, W)
        assert report
        assert any(
            note.startswith("in float32 the gradient of W deviates by") for note in report.notes
        )
        cancelling = lambda W: (g(W) + W * 0 + 1e6) - 1e6
        report = check_gradient(f, cancelling, W)
        assert any("DEVIATES" in note for note in report.notes)

    def test_float32_inside(self):
        f = lambda x: np.sum(np.tanh(x.astype(np.float32))).astype(float)
        x = rng.standard_normal(5)
        report = check_gradient(f, lambda x: 1 - np.tanh(x) ** 2, x)
        assert report, str(report)
        assert any("float32 inside?" in note for note in report.notes)
        assert not check_gradient(f, lambda x: (1 - np.tanh(x) ** 2) * 1.1, x)

    def test_float16_inside(self):
        f = lambda x: float(np.sum(np.tanh(x.astype(np.float16))))
        x = rng.standard_normal(5)
        report = check_gradient(f, lambda x: 1 - np.tanh(x) ** 2, x)
        assert report.verdict in (RIGHT, CANNOT_TELL), str(report)
        assert any("evaluated in float64 all the same" in note for note in report.notes)
        assert not check_gradient(f, lambda x: 0 * x, x)
        mean = lambda x: np.mean(np.tanh(x.astype(np.float16)).astype(float))
        assert not check_gradient(mean, lambda x: 0 * x, x)


class TestSymmetricInputs:
    def test_more_points(self):
        f, x = lambda x: np.sum(x**3), np.zeros(5)
        report = check_gradient(f, lambda x: x * 0, x)
        assert report
        assert any("points=3 checks random points" in note for note in report.notes)
        report = check_gradient(f, lambda x: x * 0, x, points=3)
        assert report.verdict == WRONG
        assert report.rows[0].note.startswith("at point 1 around the inputs: wrong at")
        assert check_gradient(f, lambda x: 3 * x**2, x, points=3)


class TestMessages:
    def test_a_cost_that_is_not_one_number(self):
        with pytest.raises(DimensionError, match=r"square must return one number.*shape \(3,\)"):
            check_gradient(np.square, lambda x: 2 * x, np.ones(3))

    def test_an_exception_shows_the_users_line(self):
        def broken(W, b):
            return np.sum(W @ b)

        with pytest.raises(ValueError) as caught:  # noqa: PT011  (NumPy's own text)
            check_gradient(broken, lambda W, b: (W, b), np.ones((2, 3)), np.ones(4))
        note = caught.value.__notes__[0]
        assert note.startswith("check_gradient called broken with W (2, 3), b (4,); it failed at")
        assert note.endswith("in broken: return np.sum(W @ b)")
        with pytest.raises(ZeroDivisionError) as caught:
            check_gradient(lambda x: np.sum(x), lambda x: 1 / 0, np.ones(2))
        assert "1 / 0" in caught.value.__notes__[0]

    def test_unknown_names_and_keys(self):
        f = lambda x, y: np.sum(x * y)
        with pytest.raises(ValueError, match=r"got the text 'z'.*has the arguments x, y"):
            check_gradient(f, lambda x, y: y, np.ones(2), np.ones(2), wrt="z")
        with pytest.raises(StructureError, match="must be a dict of 'W1', 'b1', 'W2', 'b2', got"):
            check_gradient(cost, lambda P: {"dW1": 1}, parameters())
        with pytest.raises(HistoryError, match=r"argument k of <lambda> holds int64.*wrt="):
            check_gradient(lambda x, k: np.sum(x) * k, lambda x, k: x, np.ones(2), np.array(3))

    def test_changes_in_place(self):
        def f(x):
            x -= np.mean(x)
            return np.sum(x**2)

        x = np.array([1.0, 2.0])
        with pytest.raises(ChangedDataError, match="f changes its argument x in place; compute"):
            check_gradient(f, lambda x: 2 * x, x)

        def g(x):
            x *= 2
            return x

        with pytest.raises(ChangedDataError, match="the derivative of <lambda> changes its"):
            check_gradient(lambda x: np.sum(x**2), g, x)
        assert np.array_equal(x, [1.0, 2.0])

    def test_randomness(self):
        noise = np.random.default_rng
        f = lambda x: np.sum(x) * noise().random()
        row = check_gradient(f, lambda x: x, np.ones(3)).rows[0]
        assert row.verdict == CANNOT_TELL
        assert "not deterministic" in row.note

    def test_randomness_that_is_reset(self):
        noise = np.random.default_rng(0)
        state = noise.bit_generator.state

        def reset():
            noise.bit_generator.state = state

        mask = np.random.default_rng(0).random(4) < 0.5
        f = lambda x: np.sum(x**2 * (noise.random(4) < 0.5))
        x = np.arange(1.0, 5)
        assert check_gradient(f, lambda x: 2 * x * mask, x, reset=reset)
        report = check_gradient(f, lambda x: 2 * x, x, reset=reset)
        assert report.rows[0].evidence.wrong.tolist() == (~mask).tolist()


class TestReports:
    def report(self):
        def shifted(P):
            G = gradients(P)
            return G | {"W1": G["W1"] * (1 + (np.arange(20) == 7).reshape(5, 4))}

        return check_gradient(cost, shifted, parameters(1))

    def test_a_picture_of_the_error(self):
        matplotlib = pytest.importorskip("matplotlib")
        matplotlib.use("agg")
        report = self.report()
        assert np.argwhere(report.rows[0].evidence.wrong).tolist() == [[1, 3]]
        made = report.plot()
        image = made.axes[0].images[0].get_array()
        assert image.shape == (5, 4, 3)
        red = (image[..., 0] > 1.5 * image[..., 1]).tolist()
        assert [(i, k) for i in range(5) for k in range(4) if red[i][k]] == [(1, 3)]

    def test_pictures_of_much_and_of_little(self):
        pytest.importorskip("matplotlib").use("agg")

        def wrong(W, b, c):
            W, b = 2 * W, 2 * b
            W[3] *= 1.5
            return W, b, 3 * c

        rng = np.random.default_rng(0)
        W, b, c = rng.standard_normal((20, 12288)), rng.standard_normal((1, 6)), np.array(2.0)
        report = check_gradient(lambda W, b, c: np.sum(W**2) + np.sum(b**2) + c**2, wrong, W, b, c)
        images = [axes.images[0].get_array() for axes in report.plot().axes]
        assert [image.shape[:2] for image in images][1:] == [(1, 6), (1, 1)]
        rows, columns = images[0].shape[:2]
        assert rows == 20
        assert columns <= 64
        red = images[0][..., 0] > 1.5 * images[0][..., 1]
        assert red[3].mean() > 0.5  # the squares of row 3 where something was measured
        assert not np.delete(red, 3, axis=0).any()
        assert not (images[1][..., 0] > 1.5 * images[1][..., 1]).any()
        assert (images[2][..., 0] > 1.5 * images[2][..., 1]).all()

    def test_the_courses_number(self):
        a, n = np.array([3.0, 4.0]), np.array([3.0, 4.001])
        report = check_gradient(lambda x: x @ n, lambda x: a, np.ones(2))
        expected = np.linalg.norm(a - n) / (np.linalg.norm(a) + np.linalg.norm(n))
        assert report.difference == pytest.approx(expected, rel=1e-6)

    def test_html(self):
        html = self.report()._repr_html_()
        assert "<td>WRONG</td>" in html
        assert "P[&#x27;W1&#x27;]: wrong at [1, 3]" in html


class TestClaimsOfNoSize:
    """A claim that is infinite, or so large that its square is, allows itself no error."""

    @pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan, 1e300])
    def test_one_entry(self, bad):
        report = check_gradient(lambda x: np.sum(x**2), lambda x: np.array([2, bad, 2]), np.ones(3))
        assert report.verdict == WRONG
        assert "wrong at [1]: " in report.diagnosis
        assert f"the value is {bad:.7g}" in report.diagnosis

    def test_one_of_many(self):
        def grad(x):
            return np.where(np.arange(x.size) == 77, np.inf, 2 * x)

        x = np.random.default_rng(0).standard_normal(5000)
        report = check_gradient(lambda x: np.sum(x**2), grad, x)
        assert "wrong at [77]: " in report.diagnosis

    def test_a_vjp(self):
        vjp = lambda g, x: g * np.array([2, np.inf, 2])
        assert check_vjp(lambda x: x**2, vjp, np.ones(3)).verdict == WRONG

    def test_by_hand(self):
        cost = lambda p: np.sum((p["W1"] @ X) ** 2)
        p = {"W1": np.ones((1, 4))}
        grads = {"dW1": 2 * p["W1"] @ X @ X.T + np.inf}
        assert tg.check_backprop(cost, p, grads).verdict == WRONG

    @pytest.mark.parametrize("x", [np.zeros(3), np.arange(3.0), np.ones(5000)])
    def test_everywhere(self, x):
        grad = lambda x: 2 * x + 1e300
        assert check_gradient(lambda x: np.sum(x**2), grad, x).verdict == WRONG

    def test_a_slope_that_is_infinite(self):
        x, root = np.array([0.0, 1.0, 2.0]), lambda x: np.sum(np.sqrt(x))
        with np.errstate(divide="ignore"):
            assert check_gradient(root, lambda x: 0.5 / np.sqrt(x), x)
            assert check_gradient(root, lambda x: -0.5 / np.sqrt(x), x).verdict == WRONG


def test_claims_of_float32_are_judged_as_such():
    x = np.random.default_rng(0).standard_normal(50)
    f = lambda x: np.sum(3 * np.tanh(x))
    slope = lambda x: (3 * (1 - np.tanh(x.astype(np.float32)) ** 2)).astype(np.float32)
    assert check_gradient(f, slope, x)
    assert check_gradient(f, lambda x: slope(x) * np.float32(1 + 1e-5), x).verdict == WRONG
    assert check_gradient(f, lambda x: 3 * (1 - np.tanh(x) ** 2) * (1 + 5e-7), x).verdict == WRONG


def test_backprop_in_float32():
    for seed in range(6):
        r = np.random.default_rng(seed)
        X, Y = (r.standard_normal((n, 30)).astype(np.float32) for n in (4, 1))
        W, b = r.standard_normal((1, 4)).astype(np.float32), np.zeros((1, 1), np.float32)
        cost = lambda p, X=X, Y=Y: np.mean((np.tanh(p["W1"] @ X + p["b1"]) - Y) ** 2)
        A = np.tanh(W @ X + b)
        dZ = 2 * (A - Y) * (1 - A**2)
        grads = {"dW1": dZ @ X.T / 30, "db1": dZ.mean(axis=1, keepdims=True)}
        report = tg.check_backprop(cost, {"W1": W, "b1": b}, grads)
        assert grads["dW1"].dtype == np.float32
        assert report, report


def test_zeros_are_no_claims_of_float32():
    f = lambda x: np.sum(1e3 + 1e-5 * x)
    assert check_gradient(f, np.zeros_like, np.ones(3)).verdict == WRONG


def test_the_resolution_stated_is_the_one_applied():
    x = np.random.default_rng(0).standard_normal(10_000)
    report = check_gradient(lambda x: np.sum(np.sin(x)), np.cos, x)
    least = float(report.notes[0].split("below ")[1].split()[0])
    one = np.arange(x.size) == np.argmax(np.abs(np.cos(x)))
    off = lambda factor: lambda x: np.cos(x) + factor * least * one
    assert check_gradient(lambda x: np.sum(np.sin(x)), off(3), x).verdict == WRONG
