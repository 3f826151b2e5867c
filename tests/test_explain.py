"""tg.explain: what is printed is true (it is read back and computed), and reads as it should."""

import json
import shutil
import subprocess
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_dnn as tg
from tests.cases import CASES
from tests.equation_reader import run
from tinygrad_dnn import equations, nn
from tinygrad_dnn.errors import ChangedDataError, DimensionError, HistoryError
from tinygrad_dnn.primitives import RULES

M = 8


def data(rows=3, m=M, seed=0):
    return np.random.default_rng(seed).standard_normal((rows, m))


def network(dims, **options):
    return nn.Sequential.from_layer_dims(dims, rng=np.random.default_rng(1), **options)


def close(a, b, bound=1e-12):
    assert np.shape(a) == np.shape(b)
    size = max(1.0, np.nanmax(np.abs(b), initial=0))
    np.testing.assert_allclose(a, b, rtol=0, atol=bound * size)  # nan where the other is nan


def names_of(explanation, leaves):
    """The names of ``leaves``, found by the arrays they hold."""
    held = {id(g.value): g.name for g in explanation.given}
    return [held.get(id(leaf.node.value)) for leaf in leaves]


def assert_true(J, leaves, *, convention="autograd"):
    """The text alone, read and computed, gives the forward values and the engine's gradients."""
    leaves = list(leaves)
    explanation = tg.explain(J, convention=convention)
    computed = run(explanation)
    for name, gradient in zip(names_of(explanation, leaves), tg.grad(J, leaves), strict=True):
        if f"d{name}" not in computed:  # not mentioned: J does not depend on it
            assert not np.any(gradient)
            continue
        close(computed[f"d{name}"], gradient)
    for equation in explanation:
        close(computed[equation.name], np.asarray(equation.value))
    return explanation


# ---- how it reads --------------------------------------------------------------------------------
def test_a_network_reads_as_on_the_board():
    net = network([3, 5, 1])
    J = nn.binary_cross_entropy(net(data()), np.ones((1, M)))
    assert "\n".join(" ".join(line.split()) for line in str(tg.explain(J)).splitlines()) == BOARD


BOARD = """\
J and its derivatives, m = 8 columns (examples)

Given
W1 (5, 3)
A0 (3, 8)
b1 (5, 1)
W2 (1, 5)
b2 (1, 1)
Y (1, 8)

Forward
Z1 = W1 A0 + b1 (5, 8)
A1 = relu(Z1) (5, 8)
Z2 = W2 A1 + b2 (1, 8)
A2 = σ(Z2) (1, 8)
J = −(1/m) Σ(Y ∘ log(A2) + (1 − Y) ∘ log(1 − A2)) ()

Backward, dX being ∂J/∂X
dZ2 = (A2 − Y) / m (1, 8)
dW2 = dZ2 A1ᵀ (1, 5)
db2 = Σ_columns dZ2 (1, 1)
dA1 = W2ᵀ dZ2 (5, 8)
dZ1 = dA1 ∘ [Z1 > 0] (5, 8)
dW1 = dZ1 A0ᵀ (5, 3)
db1 = Σ_columns dZ1 (5, 1)"""


def backward(explanation):
    return [str(equation) for equation in explanation.part("backward")]


def test_the_course_s_convention_has_the_course_s_equations_and_numbers():
    net, X = network([3, 5, 1]), data()
    Y = (np.arange(M) % 2)[None, :]
    explanation = tg.explain(nn.binary_cross_entropy(net(X), Y), convention="course")
    assert backward(explanation) == [
        "dZ2 = A2 − Y",
        "dW2 = (1/m) dZ2 A1ᵀ",
        "db2 = (1/m) Σ_columns dZ2",
        "dA1 = W2ᵀ dZ2",
        "dZ1 = dA1 ∘ [Z1 > 0]",
        "dW1 = (1/m) dZ1 A0ᵀ",
        "db1 = (1/m) Σ_columns dZ1",
    ]
    parameters = {name: tensor.data for name, tensor in net.parameters().items()}
    cache = equations.network_forward(X, parameters, ["relu", "sigmoid"])
    expected = equations.network_backward(
        cache, Y, parameters, ["relu", "sigmoid"], "binary cross-entropy"
    )
    for equation in explanation.part("backward"):
        close(equation.value, expected[equation.name])


def test_a_closed_form_is_given_for_what_is_asked():
    net = network([3, 5, 1])
    J = nn.binary_cross_entropy(net(data()), np.ones((1, M)))
    explanation = tg.explain(J, net.parameters()["W1"])
    (closed,) = explanation.part("closed form")
    assert str(closed) == "dJ/dW1 = (1/m) ((W2ᵀ (A2 − Y)) ∘ [Z1 > 0]) A0ᵀ"
    close(run(explanation)["dJ/dW1"], tg.grad(J, net.parameters()["W1"]))
    assert "dW2" not in [equation.name for equation in explanation]


@pytest.mark.parametrize(
    ("hidden", "slope"),
    [
        ("relu", "[Z1 > 0]"),
        ("tanh", "(1 − A1²)"),
        ("sigmoid", "A1 ∘ (1 − A1)"),
        ("leaky_relu", "where([Z1 > 0], 1, 0.01)"),
    ],
)
def test_the_slope_of_an_activation_is_written_as_people_write_it(hidden, slope):
    net = network([3, 5, 1], hidden=hidden)
    J = nn.binary_cross_entropy(net(data()), np.ones((1, M)))
    assert tg.explain(J)["dZ1"].expression == f"dA1 ∘ {slope}"


def test_softmax_with_its_loss_is_a_minus_y_where_the_columns_of_y_sum_to_one():
    net = network([3, 4], output="softmax")
    hot = nn.one_hot(np.arange(M) % 4, 4)
    assert tg.explain(nn.cross_entropy(net(data()), hot))["dZ1"].expression == "(A1 − Y) / m"
    soft = tg.explain(nn.cross_entropy(net(data()), 2 * hot))
    assert soft["dZ1"].expression == "(A1 ∘ Σ_rows Y − Y) / m"


def first(J, name="dx"):
    return tg.explain(J)[name].expression


def test_small_functions_read_as_people_write_them():
    x = tg.Tensor([1.0, 2.0, 3.0], name="x")
    W = tg.Tensor(np.ones((2, 3)) / 7, name="W")
    assert first(np.sum(x**3)) == "3 x²"
    assert first(np.sum(x * x)) == "2 x"
    assert first(np.mean(x**2)) == "2 x / 3"
    assert first(np.sum(np.negative(-x))) == "1"
    assert first(0.1 * np.sum(x**3)) == "0.3 x²"
    assert first(np.sum(1 / x)) == "−1 / x²"
    assert first(np.sum(np.log(x))) == "1 / x"
    assert first(np.sum(np.sqrt(x))) == "1 / (2 √(x))"
    assert first(np.sum(W.T.T @ x)) == "Wᵀ ones(2)"
    assert first(x @ x) == "2 x"
    assert first(np.sum((W @ x) ** 2), "dW") == "2 outer(W x, x)"
    assert first(x[0] * x[1]).count("scatter") == 2


# ---- it is true: read back, it gives the same numbers --------------------------------------------
LOSSES = {
    "sigmoid": [nn.binary_cross_entropy, nn.mean_squared_error],
    "softmax": [nn.cross_entropy, nn.mean_squared_error],
    "identity": [nn.mean_squared_error, nn.cross_entropy_with_logits, nn.huber],
    "tanh": [nn.mean_squared_error],
}


@pytest.mark.parametrize("convention", ["autograd", "course"])
@pytest.mark.parametrize("hidden", sorted(set(nn.activations.ACTIVATIONS) - {"softmax"}))
@pytest.mark.parametrize(
    ("output", "loss"), [(output, loss) for output, losses in LOSSES.items() for loss in losses]
)
def test_the_equations_of_a_network_are_true(hidden, output, loss, convention):
    rows = 1 if output == "sigmoid" else 4
    net = network([3, 5, rows], hidden=hidden, output=output)
    Y = nn.one_hot(np.arange(M) % rows, rows) if rows > 1 else (np.arange(M) % 2)[None, :]
    assert_true(loss(net(data()), Y), net.parameters().values(), convention=convention)


def test_the_equations_of_a_deep_network_with_everything_are_true():
    rng = np.random.default_rng(3)
    net = nn.Sequential(
        nn.Linear(3, 6, rng=rng), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.4, rng=rng),
        nn.Linear(6, 5, rng=rng), nn.LayerNorm(5), nn.Tanh(), nn.Linear(5, 2, rng=rng),
        nn.Softmax(),
    )  # fmt: skip
    parameters = net.parameters()
    for convention in ("autograd", "course"):
        penalty = 0.05 * sum(np.sum(p**2) for name, p in parameters.items() if name[0] == "W")
        J = nn.cross_entropy(net(data()), np.arange(M) % 2) + penalty
        assert_true(J, parameters.values(), convention=convention)


def test_shared_weights_and_branches_are_true_and_add_up():
    W = tg.Tensor(np.random.default_rng(0).standard_normal((3, 3)), name="W")
    X = data()
    A = np.tanh(W @ X)
    J = np.sum(np.tanh(W @ A + A) * A) / M
    explanation = assert_true(J, [W])
    assert " + " in explanation["dW"].expression


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_rule_is_printed_truly(case):
    if any(word in str(case) for word in ("checkpointed", "patches", "fold", "pad((2, 3), {")):
        pytest.skip("takes what only an object or a dict can say")
    leaves = [tg.Tensor(a) for a in case.args]
    out = case.call(*leaves)
    if not isinstance(out, tg.Tensor) or out.dtype.kind not in "fc" or not out.requires_grad:
        pytest.skip("no derivative")
    g = np.cos(np.arange(out.size)).reshape(out.shape)
    with np.errstate(all="ignore"):
        assert_true(np.sum(np.sin(np.real(out)) * g), leaves)


STEPS = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: 3 - x - y / 2,
    "multiply": lambda x, y: x * np.tanh(y),
    "divide": lambda x, y: x / (2 + np.sin(y)),
    "power": lambda x, y: (1 + x * x) ** 0.5 * y,
    "maximum": np.maximum,
    "where": lambda x, y: np.where(x > y, x, -y),
    "matmul": lambda x, y: np.tanh(x @ y.T) @ y / 3,
    "exp": lambda x, y: np.exp(-x * x),
    "log": lambda x, y: np.log(1 + x * x),
    "abs": lambda x, y: np.abs(x),
    "relu": lambda x, y: nn.relu(x) - 0.1 * y,
    "sigmoid": lambda x, y: nn.sigmoid(x) * y,
    "softmax": lambda x, y: y * nn.softmax(x),
    "centre": lambda x, y: x - np.mean(x, axis=1, keepdims=True),
    "spread": lambda x, y: y / np.sqrt(1 + np.var(x, axis=0)),
    "row sums": lambda x, y: y + np.sum(x, axis=1, keepdims=True) / 4,
    "column sums": lambda x, y: y * np.sum(x, axis=0),
    "largest": lambda x, y: y - np.max(x, axis=0),
    "cumsum": lambda x, y: np.cumsum(x, axis=1) / 2,
    "reshape": lambda x, y: np.reshape(x.T, (3, 4)) + y,
    "concatenate": lambda x, y: np.concatenate([x[1:], y[:1]]),
    "pick": lambda x, y: x[[2, 0, 2]] + y[:, :1],
    "vector": lambda x, y: (
        x + x @ y[0] @ np.ones((3, 4)) / 9 if x.ndim == 1 else x * (x @ y[0])[:, None]
    ),
}
programs = st.lists(
    st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 9), st.integers(0, 9)),
    min_size=2,
    max_size=12,
)


@settings(max_examples=200, deadline=None)
@given(programs, st.integers(0, 99))
def test_random_graphs_are_printed_truly(program, seed):
    rng = np.random.default_rng(seed)
    leaves = [tg.Tensor(rng.standard_normal((3, 4))) for _ in range(2)]
    results = [*leaves, rng.standard_normal((3, 4))]
    for step, i, j in program:
        results.append(STEPS[step](results[i % len(results)], results[j % len(results)]))
    J = np.sum(np.sin(results[-1])) + 0.1 * np.sum(leaves[0])
    assert_true(J, leaves)


def test_a_penalty_beside_a_negative_gradient():
    W = tg.Tensor(np.random.default_rng(0).standard_normal((4, 3)), name="W")
    for sign in (1, -1):
        J = sign * np.sum(np.square(W @ data())) + 0.1 * np.sum(W**2)
        assert_true(J, [W])
    assert_true(np.sum(W**2) - np.sum(W @ data()) - np.sum(W @ data() @ np.ones((M, 2))), [W])


def test_what_is_computed_twice_is_written_once():
    rng = np.random.default_rng(0)
    W, gamma = (
        tg.Tensor(rng.standard_normal(s), name=n) for s, n in (((4, 3), "W"), ((4, 1), "g"))
    )
    Z = W @ data()
    mean = np.mean(Z, axis=1, keepdims=True)
    variance = np.mean((Z - mean) ** 2, axis=1, keepdims=True)
    J = nn.mean_squared_error(np.tanh(gamma * (Z - mean) / np.sqrt(variance + 1e-5)), data(4))
    explanation = assert_true(J, [W, gamma])
    assert str(explanation["u1"]) == "u1 = W X − (1/m) Σ_columns(W X)"
    assert str(explanation).count("Σ_columns(W X)") == 1
    assert explanation["dW"].expression == "(du1 − (1/m) Σ_columns du1) Xᵀ"


def test_what_is_computed_twice_stays_apart_where_only_one_is_asked_for_or_they_differ():
    x = tg.Tensor([1.0, 2.0], name="x")
    first, second = x * 2, x * 2
    J = np.sum(np.sin(first) * second)
    explanation = tg.explain(J, wrt=[second])
    assert [str(e) for e in explanation.part("backward")] == ["du1 = sin(2 x)"]
    close(explanation["du1"].value, tg.grad(J, second))
    a, b = np.array([0, 1, 1]), np.array([1, 0, 0])
    assert_true(np.sum(x[a,] * x[b,] * x[:2][1] * x[:2:1][0]), [x])
    zero, mask = tg.Tensor([0.0, 0.0], name="x"), np.array([1.0, 0.0])
    explanation = assert_true(np.sum(zero * mask) + 3 * np.sum(zero * (1 - mask)), [zero])
    close(explanation["dx"].value, [1.0, 3.0])
    noise = np.random.default_rng(0)
    J = np.sum(nn.dropout(x, 0.5, rng=noise) * nn.dropout(x, 0.5, rng=noise))
    assert J.requires_grad
    tg.explain(J)


def test_a_mask_is_no_target():
    rng = np.random.default_rng(0)
    W1, W2 = tg.Tensor(rng.random((4, 3)), name="W1"), tg.Tensor(rng.random((1, 4)), name="W2")
    D, Y = rng.random((4, M)) < 0.8, rng.integers(0, 2, (1, M))
    A2 = nn.sigmoid(W2 @ (np.tanh(W1 @ data()) * D / 0.8))
    for J in (
        nn.binary_cross_entropy(A2, Y),
        -np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)),
        np.mean((A2 - Y) ** 2),
    ):
        explanation = assert_true(J, [W1, W2])
        assert {"D", "Y"} < {g.name for g in explanation.given}


def test_the_heading_says_what_is_per_example():
    W = tg.Tensor(np.ones((3, 3)) / 3, name="W")
    for u in (
        np.tanh(W @ data()),
        np.tanh(W @ data()) - np.mean(W @ data(), axis=1, keepdims=True),
    ):
        J = nn.mean_squared_error(W @ np.tanh(u) ** 2, data())
        explanation, plain = tg.explain(J, convention="course"), tg.explain(J)
        heading = explanation.headings["backward"]
        per_example = heading.partition("; for ")[2].partition(", per example")[0]
        said = per_example.replace(" and ", ", ").split(", ")
        for equation in explanation.part("backward"):
            name = equation.name.removeprefix("d")
            scaled = name in said or name.rstrip("0123456789") in said
            close(equation.value, plain[equation.name].value * (M if scaled else 1))
    J = nn.binary_cross_entropy(network([3, 5, 1])(data()), np.ones((1, M)))
    heading = tg.explain(J, convention="course").headings["backward"]
    assert heading == "Backward, dX being ∂J/∂X; for Z and A, per example, m ∂J/∂X"


def test_a_prompt_shows_the_equations():
    x = tg.Tensor([1.0, 2.0], name="x")
    assert repr(tg.explain(np.sum(x**2))) == str(tg.explain(np.sum(x**2)))


def test_second_derivatives_are_equations_too():
    x = tg.Tensor([0.3, -0.5], name="x")
    dx = tg.grad(np.sum(np.tanh(x) ** 3), x, create_graph=True)
    assert_true(np.sum(dx**2), [x])


# ---- what it says no to --------------------------------------------------------------------------
def test_what_cannot_be_explained_is_said_in_a_sentence():
    x = tg.Tensor([1.0, 2.0], name="x")
    with pytest.raises(DimensionError, match=r"explain\(\) got a Tensor of shape \(2,\): only one"):
        tg.explain(x * 2)
    with pytest.raises(HistoryError, match=r"explain\(\) got a Tensor without a history"):
        tg.explain(tg.Tensor(2.0))
    with pytest.raises(TypeError, match="takes the Tensor that a computation ended in; got float"):
        tg.explain(2.0)
    J = np.sum(x**2)
    with pytest.raises(ValueError, match="style='tex'; choose from 'text', 'latex'"):
        tg.explain(J, style="tex")
    with pytest.raises(ValueError, match="convention='own'; choose from 'autograd', 'course'"):
        tg.explain(J, convention="own")
    with pytest.raises(HistoryError, match="got wrt=y, but J was not computed from it"):
        tg.explain(J, tg.Tensor([1.0], name="y"))
    with pytest.raises(TypeError, match="differentiates by Tensors, wrt= has float"):
        tg.explain(J, [2.0])
    with pytest.raises(TypeError, match="differentiates by Tensors or their names; got wrt=3"):
        tg.explain(J, wrt=3)
    with pytest.raises(DimensionError, match=r"output is \(1, 8\), and no targets .*net, X, Y\)"):
        tg.explain(network([3, 1]), data())
    with pytest.raises(HistoryError, match="got wrt='W1'; J was computed from x"):
        tg.explain(J, wrt="W1")
    with pytest.raises(TypeError, match="several Tensors to differentiate by as a list"):
        tg.explain(J, x, x)
    with pytest.raises(TypeError, match=r"its input and targets: explain\(net, X, Y\); got Linear"):
        tg.explain(nn.Linear(3, 2, rng=np.random.default_rng(0)))
    with pytest.raises(KeyError, match="no equation for 'dy'; there are J, dx"):
        tg.explain(J)["dy"]


def test_a_network_is_explained_with_its_data_and_parameters_are_asked_for_by_name():
    rng = np.random.default_rng(0)
    net = nn.Sequential.from_layer_dims([3, 5, 1], rng=rng)
    X, Y = rng.standard_normal((3, 8)), rng.integers(0, 2, (1, 8))
    J = nn.binary_cross_entropy(net(X), Y)
    W1, b1 = (net.parameters()[name] for name in ("W1", "b1"))
    assert str(tg.explain(net, X, Y)) == str(tg.explain(J))
    assert str(tg.explain(net, X, Y, wrt="W1")) == str(tg.explain(J, W1))
    assert str(tg.explain(J, ["W1", b1])) == str(tg.explain(J, wrt=[W1, b1]))
    other = tg.explain(net, X, Y, loss=nn.mean_squared_error, convention="course")
    assert other["J"].expression == tg.explain(nn.mean_squared_error(net(X), Y))["J"].expression
    assert all(tensor.grad is None for tensor in (W1, b1))
    assert tg.explain(lambda x: np.sum(x**2), W1)["J"].expression == "Σ W1²"


def test_data_that_is_no_longer_there_is_not_explained():
    x = tg.Tensor([1.0, 2.0], name="x")
    J = np.sum(x**2)
    x.data -= 1
    with pytest.raises(ChangedDataError, match="the data of x was changed after power had used it"):
        tg.explain(J)
    J = np.sum(x**2)
    x.data = np.array([5.0, 6.0])  # the graph has kept what it used
    assert_array = tg.explain(J).given[0].value
    np.testing.assert_array_equal(assert_array, [0, 1])


def test_nothing_is_changed():
    net = network([3, 5, 1])
    J = nn.binary_cross_entropy(net(data()), np.ones((1, M)))
    J.backward()
    before = {name: p.grad.copy() for name, p in net.parameters().items()}
    with tg.no_grad():
        str(tg.explain(J, numbers=True))
    for name, p in net.parameters().items():
        assert p.name == name
        np.testing.assert_array_equal(p.grad, before[name])
    assert J.name is None


# ---- styles --------------------------------------------------------------------------------------
def explained(style, **options):
    net = nn.Sequential(
        nn.Linear(3, 5, rng=np.random.default_rng(0)), nn.BatchNorm1d(5), nn.LeakyReLU(),
        nn.Linear(5, 4, rng=np.random.default_rng(1)), nn.Softmax(),
    )  # fmt: skip
    J = nn.cross_entropy(net(data()), np.arange(M) % 4) + 0.05 * np.sum(net.parameters()["W1"] ** 2)
    return tg.explain(J, style=style, **options)


def test_latex_is_latex():
    text = str(explained("latex"))
    assert r"dZ^{[3]} &= \frac{A^{[3]} - Y}{m}" in text
    assert text.count(r"\begin{align*}") == text.count(r"\end{align*}") == 2
    assert text.count("{") == text.count("}")
    assert not set("∘ᵀΣσ√∂−²") & set(text)
    assert explained("text")._repr_latex_() == text


def test_markdown_has_its_equations_in_fences():
    text = explained("markdown")._repr_markdown_()
    assert text.count("$$") == 4
    assert text.count(r"\begin{aligned}") == 2


@pytest.mark.parametrize("style", ["text", "latex", "markdown", "html"])
def test_every_style_shows_the_numbers_asked_for(style):
    W = tg.Tensor([[0.5, -2.0], [1e-7, 3.0]], name="W")
    J = np.sum((W @ np.array([[1.0], [2.0]])) ** 2)
    text = tg.explain(J, style=style, numbers=True)
    plain = tg.explain(J, style=style)
    assert f"{float(J):.6g}" in str(text)
    assert f"{float(J):.6g}" not in str(plain)
    if style in ("latex", "markdown"):
        matrix = r"= \left[\begin{array}{rr} %s & %s \\ %s & %s \end{array}\right]"
        assert matrix % (0.5, -2, r"1 \cdot 10^{-7}", 3) in str(text).split("Forward")[0]
        dW = text["dW"].value
        assert matrix % tuple(f"{x:.6g}" for x in dW.ravel()) in str(text).split("Backward")[1]
    large = tg.explain(np.sum(W @ np.ones((2, 40))), style=style, numbers=True)
    assert "from 1 to 1, mean 1" in str(large)


def test_html_is_well_formed_mathml():
    text = explained("html", numbers=True)._repr_html_()
    page = ET.fromstring(f"<body>{text}</body>")
    assert len(page.findall(".//math")) == len(page.findall(".//td[@class='shape']"))
    assert "dead" not in text


def test_every_style_is_to_be_had_from_every_answer():
    answer = explained("text")
    assert answer.to("latex") == str(explained("latex"))
    with pytest.raises(ValueError, match="style='rtf': choose from 'text'"):
        answer.to("rtf")


def test_what_columns_sum_to_is_said():
    (note,) = explained("text").notes
    assert note == "Each column of Y sums to one; these sums are left out."


def test_the_course_s_equations_bear_their_numbers():
    net = network([3, 5, 1])
    J = nn.binary_cross_entropy(net(data()), np.ones((1, M)))
    numbers = {e.name: e.number for e in tg.explain(J, convention="course").part("backward")}
    assert numbers == {
        "dZ2": "", "dW2": "(7)", "db2": "(8)", "dA1": "(9)",
        "dZ1": "(6)", "dW1": "(7)", "db1": "(8)",
    }  # fmt: skip
    assert not any(e.number for e in tg.explain(J))
    net = network([3, 5, 2], hidden="softplus", output="softmax")
    J = nn.mean_squared_error(net(data()), np.ones((2, M)))
    course = tg.explain(J, convention="course")
    assert course["dZ2"].number == ""  # softmax does not act entry by entry
    assert course["dZ1"].number == "(6)"


def test_a_chain_of_thousands_of_operations_is_explained():
    x = tg.Tensor([0.1], name="x")
    y = x
    for _ in range(1500):
        y = np.sin(y) + 1
    explanation = tg.explain(np.sum(y))
    close(run(explanation)["dx"], tg.grad(np.sum(y), x))
    assert max(len(str(e)) for e in explanation) < 200


def test_names_are_clean_and_never_shared():
    x = tg.Tensor([1.0, 2.0], name="learning rate ᵀ²")
    y = tg.Tensor([3.0, 4.0], name="x")
    z = tg.Tensor([5.0, 6.0], name="x")
    u = tg.Tensor([7.0, 8.0], name="m")
    explanation = assert_true(np.sum(x * y * z * np.exp(u)), [x, y, z, u])
    assert [g.name for g in explanation.given] == ["learning_rate", "x", "x_2", "m_2"]


def test_a_users_own_function_is_called_by_its_name():
    @tg.primitive
    def cube(x):
        return x * x * x

    tg.elementwise(cube, lambda out, x: 3 * x**2)
    x = tg.Tensor([1.0, 2.0], name="x")
    explanation = tg.explain(np.sum(cube(x)))
    assert [str(e) for e in explanation] == ["J = Σ cube(x)", "dx = 3 x²"]


def test_numbers_are_of_the_convention_asked_for():
    net = network([3, 5, 1])
    J = nn.binary_cross_entropy(net(data()), np.ones((1, M)))
    plain, course = tg.explain(J, numbers=True), tg.explain(J, convention="course", numbers=True)
    for name in ("dZ1", "dA1", "dZ2"):
        close(course[name].value, M * plain[name].value)
    for name in ("dW1", "db1", "dW2"):
        close(course[name].value, plain[name].value)
    assert f"{plain['db2'].value.item():.6g}" in str(plain)


def test_a_number_that_somebody_wrote_is_not_taken_for_the_number_of_examples():
    W = tg.Tensor(np.ones((2, 3)) / 3, name="W")
    halves = np.sum((W @ data(3, 2)) ** 2) / 2  # m = 2
    assert tg.explain(halves)["J"].expression == "(1/2) Σ (W X)²"
    quarter = 0.25 * np.sum((W @ data(3, 2)) ** 2)
    assert "m" not in tg.explain(quarter)["J"].expression
    mean = np.sum((W @ data(3, 8)) ** 2) / 8
    assert tg.explain(mean)["J"].expression == "(1/m) Σ (W X)²"
    decay = np.sum(W**2) * 0.125  # a sum over no examples
    assert tg.explain(mean + decay)["J"].expression == "(1/m) Σ (W X)² + (1/8) Σ W²"


KATEX = """
const katex = require("katex"), fs = require("fs");
for (const tex of JSON.parse(fs.readFileSync(0)))
  katex.renderToString(tex, {displayMode: true, throwOnError: true, strict: "error"});
"""


def test_latex_compiles():
    """Where there is node with KaTeX (NODE_PATH=.../node_modules)."""
    node = shutil.which("node")
    if not node or subprocess.run([node, "-e", "require('katex')"], capture_output=True).returncode:
        pytest.skip("needs node with KaTeX")
    x = tg.Tensor([1.0, 2.0], name="learning rate_#$%&{}^~\\ <b>")
    answers = [explained("markdown"), explained("markdown", convention="course", numbers=True)]
    answers += [tg.explain(np.sum(np.where(x > 1, x**0.5, 1e-7 * x[::-1]) * (x > 0)))]
    fenced = [part for answer in answers for part in answer.to("markdown").split("$$")[1::2]]
    done = subprocess.run(
        [node, "-e", KATEX], input=json.dumps(fenced), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


DOCUMENT = r"""\documentclass{{article}}
\usepackage[utf8]{{inputenc}}\usepackage{{amsmath,amssymb}}
\begin{{document}}
{}
\end{{document}}
"""


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="needs pdflatex")
def test_latex_compiles_in_tex_itself(tmp_path):
    x = tg.Tensor([1.0, 2.0], name="learning rate_#$%&{}^~\\ <b>")
    y = tg.Tensor([3.0, 4.0], name="θ")
    odd = np.sum(np.where(x > 1, x**0.5, 1e-7 * y[::-1]) * (x > 0))
    answers = [explained("latex", convention="course"), tg.explain(odd), tg.explain(odd, y)]
    body = "\n\n".join(answer.to("latex") for answer in answers)
    (tmp_path / "equations.tex").write_text(DOCUMENT.format(body), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "equations.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]


def test_it_prints_the_rules_and_knows_no_derivative_of_its_own(monkeypatch):
    wrong = lambda g, out, x: g * 7
    monkeypatch.setattr(RULES[np.tanh], "vjps", (wrong,))
    x = tg.Tensor([1.0, 2.0], name="x")
    assert tg.explain(np.sum(np.tanh(x)))["dx"].expression == "7"


def test_with_two_examples_a_half_stays_a_half():
    W = tg.Tensor(np.ones((2, 3)) / 3, name="W")
    J = nn.mean_squared_error(np.sqrt(W @ np.abs(data(3, 2))), np.ones((2, 2)))
    explanation = assert_true(J, [W])
    assert explanation["J"].expression == "(1/(2 m)) Σ (u1 − Y)²"
    recurrent = np.sum(np.tanh(W @ data(3, 2)) ** 2)
    assert "m" not in str(tg.explain(recurrent, convention="autograd")["dW"])


def test_hooks_are_heard_as_in_any_walk():
    x = tg.Tensor([1.0, 2.0], name="x")
    h = 2 * x
    h.name = "h"
    with h.register_hook(lambda g: g / 10):
        assert tg.explain(np.sum(h**2))["dh"].expression == "0.2 h"
    assert tg.explain(np.sum(h**2))["dh"].expression == "2 h"


@pytest.mark.parametrize("convention", ["autograd", "course"])
def test_closed_forms_are_derivatives_of_the_cost_in_either_convention(convention):
    net, X = network([3, 5, 1]), data()
    _, Z1, A1, _, A2 = net.outputs(X)
    J = nn.binary_cross_entropy(A2, np.ones((1, M)))
    wrt = [Z1, A1, net.parameters()["W1"]]
    explanation = tg.explain(J, wrt, convention=convention)
    computed = run(explanation)
    for name, gradient in zip(("Z1", "A1", "W1"), tg.grad(J, wrt), strict=True):
        close(computed[f"dJ/d{name}"], gradient)
        close(explanation[f"dJ/d{name}"].value, gradient)


def test_a_layer_used_twice_keeps_its_number_in_latex():
    layer = nn.Linear(3, 3, rng=np.random.default_rng(0))
    net = nn.Sequential(layer, nn.ReLU(), layer, nn.Tanh())
    explanation = tg.explain(nn.mean_squared_error(net(data()), data()), style="latex")
    assert "Z^{[1]}_{2} &= W^{[1]} \\, A^{[1]} + b^{[1]}" in str(explanation)
    assert "u^{[" not in str(explained("latex"))  # a fresh name is no layer's


def test_the_steps_of_a_sequence_are_inputs_with_numbers_of_their_own():
    rng = np.random.default_rng(0)
    net = nn.Sequential(nn.RNN(3, 4, rng=rng), nn.Linear(4, 1, rng=rng), nn.Sigmoid())
    J = nn.binary_cross_entropy(net(rng.standard_normal((3, 3, 6))), np.ones((1, 6)))
    explanation = assert_true(J, net.parameters().values())
    assert [g.name for g in explanation.given if g.name[0] == "X"] == ["X1", "X2", "X3"]
