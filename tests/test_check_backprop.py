"""check_backprop: verdicts, roots, causes, the convention, and messages."""

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.students import Student
from tinygrad_dnn.errors import ChangedDataError, DimensionError

NETWORKS = {
    "relu": {},
    "one layer": {"widths": (3, 1)},
    "tanh, softmax, regularised": {
        "hidden": "tanh",
        "widths": (3, 4, 4, 2),
        "output": "softmax",
        "lam": 0.3,
    },
    "leaky, dropout": {"hidden": "leaky", "widths": (3, 4, 4, 2), "keep": 0.7},
    "squared error, plain derivatives": {
        "output": "linear",
        "widths": (3, 4, 4, 2),
        "course": False,
    },
    "square": {"widths": (5, 5, 5), "m": 5, "hidden": "sigmoid"},
}
WAYS = {
    "all tapped": {"taps": True, "shows": "everything"},
    "parameters only": {"taps": False, "shows": "parameters"},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("network", NETWORKS)
def test_right_gradients_are_right(network, way):
    for seed in range(3):
        student = Student(**NETWORKS[network], **WAYS[way], seed=seed)
        report = tg.check_backprop(*student.lesson({}))
        assert report, report
        assert not report.diagnosis


def test_blame_goes_to_the_root():
    student = Student(seed=3)
    slip = lambda d: d.dA[d.l]  # relu' left out
    report = tg.check_backprop(*student.lesson({("dZ", 3): slip}))
    notes = {row.name: row.note for row in report.rows}
    assert notes["dZ4"] == notes["dW4"] == notes["dA3"] == ""
    assert notes["dZ3"].startswith(
        "the factor relu' = [Z3 > 0] is missing; right is dZ3 = dA3 * relu'(Z3); "
    )
    followers = [name for name, note in notes.items() if note.startswith("follows from dZ3: ")]
    assert set(followers) == {"dW3", "db3", "dA2", "dZ2", "dW2", "db2", "dA1", "dZ1", "dW1", "db1"}
    assert "their own equations are right" in notes["dZ3"]


def test_a_root_that_is_not_shown_is_named_all_the_same():
    student = Student(seed=3, taps=False, shows="parameters")
    report = tg.check_backprop(*student.lesson({("dZ", 2): lambda d: d.dA[d.l]}))
    assert "dZ2, not among the gradients, is the root: the factor relu' = [Z2 > 0] is missing" in (
        report.diagnosis
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("network", NETWORKS)
def test_noise_has_no_cause(network, way):
    rng = np.random.default_rng(0)
    student = Student(**NETWORKS[network], **WAYS[way])
    cost, params, grads = student.lesson({})
    name = next(name for name in grads if name.startswith("dW") and grads[name].size > 2)
    x = grads[name]
    off = {**grads, name: x + 0.3 * np.std(x) * rng.standard_normal(x.shape)}
    report = tg.check_backprop(cost, params, off)
    assert [row.name for row in report.failures] == [name]
    assert report.diagnosis.startswith(f"{name}: cause unknown: ")


@pytest.mark.parametrize("course", [True, False])
def test_the_convention_is_found_out_and_said(course):
    report = tg.check_backprop(*Student(course=course).lesson({}))
    said = "dZ and dA per example" if course else "all are derivatives of the cost J"
    assert any(note.startswith(f"convention: {said}") for note in report.notes)


def lesson():
    return Student(widths=(3, 4, 1), taps=False, shows="parameters").lesson({})


def test_names_of_the_parameters_will_do():
    cost, params, grads = lesson()
    assert tg.check_backprop(cost, params, {name[1:]: x for name, x in grads.items()})
    assert tg.check_backprop(cost, params, lambda params: grads)


@pytest.mark.parametrize("course", [True, False])
def test_a_convention_that_nothing_tells_is_said_where_it_matters(course):
    student = Student(course=course, taps=False, shows="parameters", seed=3)
    report = tg.check_backprop(*student.lesson({("dW", 2): lambda d: -d.dZ[d.l] @ d.A[d.l - 1].T}))
    assert "(1/m) * dZ2 @ A1.T" in report.diagnosis
    assert "convention: not told by these gradients; dZ and dA are taken as per example" in str(
        report
    )
    assert "convention" not in str(tg.check_backprop(*student.lesson({})))


@pytest.mark.parametrize("taps", [True, False])
@pytest.mark.parametrize("course", [True, False])
def test_where_no_dZ_is_right_the_convention_is_that_in_which_dW_follows_from_dZ(course, taps):
    student = Student(course=course, taps=taps, seed=3)
    noise = np.random.default_rng(0).standard_normal((2, 500))
    slip = lambda d: noise[:1, : d.A[0].shape[1]]
    report = tg.check_backprop(*student.lesson({("dZ", student.L): slip}))
    notes = {row.name: row.note for row in report.rows}
    followers = [
        name for name, note in notes.items() if note.startswith(f"follows from dZ{student.L}")
    ]
    assert {*notes} - {*followers} <= {f"dZ{student.L}", f"dA{student.L}"}


def test_missing_and_unknown_names():
    cost, params, grads = lesson()
    short = {name: x for name, x in grads.items() if name != "dW2"}
    with pytest.raises(
        ValueError, match=r"grads has no 'dW2'; it has 'dW1', 'db1', 'db2'|no 'dW2'"
    ):
        tg.check_backprop(cost, params, short)
    with pytest.raises(ValueError, match=r"grads has no 'dW2'; is 'dw2' meant\?"):
        tg.check_backprop(cost, params, {**short, "dw2": grads["dW2"]})
    with pytest.raises(
        ValueError, match=r"grads has 'dW22', which is no parameter; is 'dW2' meant"
    ):
        tg.check_backprop(cost, params, {**grads, "dW22": grads["dW2"]})


def test_a_cost_that_is_no_number():
    _, params, grads = lesson()
    with pytest.raises(DimensionError, match=r"one number, the cost J, got shape \(4, 3\)"):
        tg.check_backprop(lambda p: p["W1"], params, grads)


def test_a_cost_that_changes_its_parameters():
    cost, params, grads = lesson()

    def careless(p):
        p["W1"] *= 0.5
        return cost(p)

    with pytest.raises(ChangedDataError, match=r"changes params\['W1'\] in place"):
        tg.check_backprop(careless, params, grads)


def test_a_cost_that_reads_no_parameter():
    cost, params, grads = lesson()
    with pytest.raises(
        ValueError, match=r"for other values of its parameters too; it must compute"
    ):
        tg.check_backprop(lambda p: cost(params), params, grads)


def test_a_parameter_that_the_cost_does_not_read_is_named():
    cost, params, grads = lesson()
    report = tg.check_backprop(cost, {**params, "W9": np.ones(2)}, {**grads, "dW9": np.zeros(2)})
    assert report
    assert "the cost does not change with W9" in report.notes


def test_an_exception_shows_the_line_of_the_cost():
    _, params, grads = lesson()

    def cost(p):
        return np.sum(p["W1"] @ p["W1"])

    with pytest.raises(ValueError, match="matmul") as caught:
        tg.check_backprop(cost, params, grads)
    (note,) = caught.value.__notes__
    assert note.startswith("check_backprop called cost with W1 (4, 3), b1 (4, 1)")
    assert 'np.sum(p["W1"] @ p["W1"])' in note


def test_values_tapped_twice():
    _, params, grads = lesson()

    def cost(p):
        return np.mean(tg.tap("Z", p["W1"]) * tg.tap("Z", p["W1"]))

    with pytest.raises(ValueError, match=r"tap\('Z', \.\.\.\) is called twice"):
        tg.check_backprop(cost, params, grads)


def test_a_tap_is_its_value():
    x = np.arange(3.0)
    assert tg.tap("x", x) is x


def test_masks_in_the_closure_may_be_of_any_shape_and_several():
    r = np.random.default_rng(5)
    X, Y = r.standard_normal((4, 11)), (r.random((1, 11)) > 0.5) * 1.0
    D1, D2 = ((r.random((n, 11)) < 0.7) * 1.0 for n in (5, 3))
    p = {
        "W1": r.standard_normal((5, 4)), "b1": r.standard_normal((5, 1)),
        "W2": r.standard_normal((3, 5)), "b2": r.standard_normal((3, 1)),
        "W3": r.standard_normal((1, 3)), "b3": r.standard_normal((1, 1)),
    }  # fmt: skip

    def forward(p):
        A1 = np.maximum(p["W1"] @ X + p["b1"], 0) * D1 / 0.7
        A2 = np.maximum(p["W2"] @ A1 + p["b2"], 0) * D2 / 0.7
        return A1, A2, 1 / (1 + np.exp(-(p["W3"] @ A2 + p["b3"])))

    def cost(p):
        A3 = forward(p)[-1]
        return -np.mean(Y * np.log(A3) + (1 - Y) * np.log(1 - A3))

    A1, A2, A3 = forward(p)
    dZ3 = A3 - Y
    dA2 = p["W3"].T @ dZ3 * D2 / 0.7  # by A2 before its mask, as the course has it
    dZ2 = dA2 * (A2 > 0)
    dA1 = p["W2"].T @ dZ2 * D1 / 0.7
    dZ1 = dA1 * (A1 > 0)
    grads = {"dA1": dA1, "dZ1": dZ1, "dA2": dA2, "dZ2": dZ2}
    for l, (dZ, A) in enumerate([(dZ1, X), (dZ2, A1), (dZ3, A2)], 1):
        grads |= {f"dW{l}": dZ @ A.T / 11, f"db{l}": dZ.mean(axis=1, keepdims=True)}
    assert tg.check_backprop(cost, p, grads)
    wrong = tg.check_backprop(cost, p, {**grads, "dW1": 1.7 * grads["dW1"]})
    assert [row.name for row in wrong.failures] == ["dW1"]
    assert "1.7 times the right value" in wrong.diagnosis
