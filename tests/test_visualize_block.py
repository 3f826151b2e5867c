"""The block diagram: what stands in it, and where; and every equation printed in it is true."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.equation_reader import evaluated
from tinygrad_dnn import nn
from tinygrad_dnn.tensor import handle
from tinygrad_dnn.visualize import draw, formulas
from tinygrad_dnn.visualize.chain import read_chain
from tinygrad_dnn.visualize.metrics import extent


def network(dims, *, hidden="relu", output="sigmoid", m=8):
    rng = np.random.default_rng(0)
    net = nn.Sequential.from_layer_dims(dims, hidden=hidden, output=output, rng=rng)
    X = rng.standard_normal((dims[0], m))
    Y = (
        np.arange(m)[None, :] % 2 * 1.0
        if dims[-1] == 1
        else nn.one_hot(np.arange(m) % dims[-1], dims[-1])
    )
    return net, X, Y


def boxes(picture):
    return {box.id: box for box in picture.scene.boxes}


def words(box):
    return [line.text for column in box.columns for line in column]


def arrows(picture):
    return {(arrow.tail, arrow.head) for arrow in picture.scene.arrows}


# ---- what stands in it -----------------------------------------------------------------------
@pytest.mark.parametrize("dims", [[3, 1], [3, 5, 5, 1], [3, 5, 5, 3, 1]])
def test_every_layer_has_its_blocks_and_the_course_s_arrows(dims):
    picture = draw(*network(dims))
    drawn, found = boxes(picture), arrows(picture)
    for n in range(1, len(dims)):
        assert {f"{row}{n}" for row in "PFCBG"} <= set(drawn)
        assert {(f"P{n}", f"F{n}"), (f"A{n - 1}", f"F{n}"), (f"F{n}", f"A{n}")} <= found
        assert {(f"F{n}", f"C{n}"), (f"C{n}", f"B{n}"), (f"B{n}", f"G{n}")} <= found
        assert {(f"dA{n}", f"B{n}"), (f"B{n}", f"dA{n - 1}")} <= found
    L = len(dims) - 1
    assert {("Y", "J"), (f"A{L}", "J"), ("J", "CJ"), ("CJ", "BJ"), ("BJ", f"dA{L}")} <= found
    assert {end for pair in found for end in pair} <= set(drawn)


def test_shapes_are_those_of_the_arrays():
    net, X, Y = network([3, 5, 4, 1])
    drawn = boxes(draw(net, X, Y))
    assert words(drawn["P2"]) == ["W[2]", "(4, 5)", "b[2]", "(4, 1)"]
    assert words(drawn["C2"]) == ["Z[2]", "(4, 8)", "A[1]", "(5, 8)", "W[2]", "(4, 5)"]
    assert words(drawn["A0"]) == ["X = A[0]", "(3, 8)"]
    assert words(drawn["A3"]) == ["Ŷ = A[3]", "(1, 8)"]
    assert words(drawn["dA2"]) == ["dA[2]", "(4, 8)"]
    for name, tensor in net.parameters().items():
        J = nn.binary_cross_entropy(net(X), Y)
        assert str(tg.grad(J, tensor).shape) in words(drawn[f"G{name[1:]}"])


def test_the_cost_is_the_engine_s():
    net, X, Y = network([3, 5, 1])
    J = float(nn.binary_cross_entropy(net(X), Y))
    assert f"cost J = {J:.4g}" in words(boxes(draw(net, X, Y))["J"])


def test_without_targets_only_the_forward_pass():
    net, X, _ = network([3, 5, 1])
    drawn = boxes(draw(net, X))
    assert {"P1", "F1", "A1", "P2", "F2", "A2"} <= set(drawn)
    assert not {"C1", "B1", "G1", "dA1", "J", "Y"} & set(drawn)


def test_backward_false_leaves_the_cost():
    drawn = boxes(draw(*network([3, 5, 1]), backward=False))
    assert "J" in drawn
    assert not {"C1", "B1", "G1", "dA1", "CJ", "BJ"} & set(drawn)


def test_without_data_shapes_say_m():
    net, _, _ = network([3, 5, 1])
    drawn = boxes(draw(net))
    assert words(drawn["A1"]) == ["A[1]", "(5, m)"]
    assert words(drawn["P1"]) == ["W[1]", "(5, 3)", "b[1]", "(5, 1)"]
    assert "example" not in " ".join(words(drawn["notes"]))


def test_the_input_s_derivative_is_drawn_where_it_is_computed():
    net, X, Y = network([3, 5, 1])
    picture = draw(net, X, Y)
    assert words(boxes(picture)["dA0"]) == ["dA[0]", "not needed"]
    assert not any("dA[0]" in text for text in words(boxes(picture)["B1"]))
    picture = draw(net, tg.Tensor(X), Y)
    assert words(boxes(picture)["dA0"]) == ["dA[0]", "(3, 8)"]
    assert "dA[0] = W[1]ᵀ dZ[1]" in words(boxes(picture)["B1"])


def test_a_cost_can_be_drawn_as_blocks_too():
    net, X, Y = network([3, 5, 1])
    assert draw(nn.binary_cross_entropy(net(X), Y), view="block").source == draw(net, X, Y).source


def test_frozen_parameters_have_no_gradient():
    net, X, Y = network([3, 5, 1])
    net.layers[0].W = tg.Tensor(net.layers[0].W.data, requires_grad=False, name="W1")
    net.layers[0].b = tg.Tensor(net.layers[0].b.data, requires_grad=False, name="b1")
    drawn = boxes(draw(net, X, Y))
    assert not {"B1", "G1", "C1", "dA1"} & set(drawn)
    assert "dA[1] = W[2]ᵀ dZ[2]" not in words(drawn["B2"])


# ---- deep networks ---------------------------------------------------------------------------
def test_the_middle_of_a_deep_network_is_one_block():
    picture = draw(*network([3] + [5] * 49 + [1]))
    group = next(group for group in picture.scene.groups if group.folded)
    assert (group.title, group.subtitle) == ("Layers 3 … 48", "46 × [5 → 5, ReLU]")
    drawn = boxes(picture)
    assert words(drawn["P3to48"]) == ["46 × (W, b)", "1,380 parameters"]
    assert words(drawn["B3to48"]) == ["backward 48 … 3"]
    assert {("A2", "F3to48"), ("F3to48", "A48"), ("dA48", "B3to48")} <= arrows(picture)
    assert {"F2", "F49"} <= set(drawn)
    assert not {"F3", "F48"} & set(drawn)


def test_fold_none_draws_all_layers_and_mixed_ones_are_said_to_be_mixed():
    dims = [3, 7, 6, 5, 4, 3, 2, 1]
    assert {f"F{n}" for n in range(1, 8)} <= set(boxes(draw(*network(dims), fold=None)))
    group = next(g for g in draw(*network(dims)).scene.groups if g.folded)
    assert group.subtitle == "3 layers of several kinds"


# ---- where it stands -------------------------------------------------------------------------
@pytest.mark.parametrize("dims", [[3, 1], [12288, 20, 7, 5, 1], [3] + [5] * 149 + [1]])
def test_boxes_have_room_for_their_words_and_do_not_overlap(dims):
    picture = draw(*network(dims), title="a title")
    rectangles = []
    for box in picture.scene.boxes:
        width, height = extent(box.columns)
        assert box.size[0] >= width
        assert box.size[1] >= height
        (x, y), (w, h) = box.at, box.size
        rectangles.append((box.id, x - w / 2, x + w / 2, y - h / 2, y + h / 2))
    for i, (one, left, right, top, bottom) in enumerate(rectangles):
        for other, l2, r2, t2, b2 in rectangles[i + 1 :]:
            assert left >= r2 or l2 >= right or top >= b2 or t2 >= bottom, (one, other)


def test_forward_runs_right_and_backward_runs_left_in_straight_rows():
    drawn = boxes(draw(*network([3, 5, 5, 1])))
    order = ["A0", "F1", "A1", "F2", "A2", "F3", "A3", "J"]
    assert sorted(order, key=lambda name: drawn[name].at[0]) == order
    assert len({drawn[name].at[1] for name in order}) == 1
    assert len({drawn[name].at[1] for name in ("dA0", "B1", "dA1", "B2", "dA3", "BJ")}) == 1
    for n in "123":
        assert len({drawn[row + n].at[0] for row in "PFCBG"}) == 1


# ---- what it says is true --------------------------------------------------------------------
def without_brackets(text):
    """W[1] is one name to the reader of equations."""
    return re.sub(r"\b(d?[WbZA])\[(\d+)\]", r"\1\2", text)


def equations(box):
    """Return (left side, right side), also of a chain a = b = c and of one that goes on below."""
    joined = []
    for text in map(without_brackets, words(box)):
        if text.startswith("= "):
            joined.append(joined[-1].split(" = ")[0] + " " + text)
        elif text.startswith(("+ ", "− ", "* ", "/ ")):
            joined[-1] += " " + text
        elif " = " in text and not text.startswith("cost"):
            joined.append(text)
    return [tuple(text.split(" = ", 1)) for text in joined]


CASES = [
    ("relu", "sigmoid", [3, 5, 1], None),
    ("tanh", "identity", [3, 5, 2], None),
    ("leaky_relu", "softmax", [3, 5, 4], None),
    ("sigmoid", "softmax", [3, 5, 4], nn.mean_squared_error),
    ("relu", "sigmoid", [3, 5, 2], nn.mean_squared_error),
    ("relu", "identity", [3, 5, 1], nn.binary_cross_entropy_with_logits),
    ("relu", "identity", [3, 5, 4], nn.cross_entropy_with_logits),
    ("relu", "tanh", [3, 4, 1], lambda A, Y: np.sum((A - Y) ** 4)),
    ("relu", "sigmoid", [3, 4, 1], lambda A, Y: 3 * nn.binary_cross_entropy(A, Y)),
    ("gelu", "softplus", [1, 4, 1, 2], None),
    ("swish", "softmax", [3, 4, 2], nn.cross_entropy),
]


@pytest.mark.parametrize(("hidden", "output", "dims", "loss"), CASES)
def test_every_printed_equation_holds_for_the_engine_s_numbers(hidden, output, dims, loss):
    net, X, Y = network(dims, hidden=hidden, output=output)
    picture = draw(net, tg.Tensor(X), Y, loss=loss)
    usual = {"sigmoid": nn.binary_cross_entropy, "softmax": nn.cross_entropy}
    x = tg.Tensor(X)
    A = net(x)
    J = (loss or usual.get(output, nn.mean_squared_error))(A, Y)
    env = {"Y": Y, "m": X.shape[1], "J": J.data}
    for layer in read_chain(A.node).layers:
        n = layer.number
        for name in "WbZA":
            node = getattr(layer, name)
            env[f"{name}{n}"] = node.value
            env[f"d{name}{n}"] = tg.grad(J, handle(node))
        env[f"slope{n}"] = slope(layer)
    env |= {"A0": X, "dA0": tg.grad(J, x)}
    assert holding(picture.scene, env) >= 6 * (len(dims) - 1) + 2
    tamper(picture.scene)
    with pytest.raises(AssertionError):
        holding(picture.scene, env)


def slope(layer):
    """Return g'(Z) by differences of g as it was computed, for entries alone."""
    if layer.activation is None or layer.activation is nn.softmax:
        return None
    t, Z = 1e-5, layer.Z.value
    ahead, behind = (layer.activation(Z + s * t, *layer.A.args[1:]) for s in (1, -1))
    return (ahead - behind) / (2 * t)


def test_a_long_derivative_is_called_g_prime_and_written_out_on_the_page():
    net, X, Y = network([3, 5, 1], hidden="gelu")
    picture = draw(net, X, Y)
    assert words(boxes(picture)["B1"])[0] == "dZ[1] = dA[1] * gelu'(Z[1])"
    chain = picture.subject.chain()
    layer = chain.layers[0]
    env = {"Z1": layer.Z.value, "A1": layer.A.value, "dA1": np.ones(layer.A.value.shape)}
    for name, text, _ in formulas.Formulas(chain).backward(layer)[:-2]:
        right = without_brackets(text.split(" = ")[1])
        env[without_brackets(name)] = evaluated(right.replace("*", "∘"), env)
    np.testing.assert_allclose(env["dZ1"], slope(layer), rtol=1e-8)


def tamper(scene):
    """Double the right-hand side of the first layer's dW."""
    box = next(box for box in scene.boxes if box.id == "B1")
    box.columns = tuple(
        tuple(replace(x, text=x.text.replace("= dZ[1] A", "= 2 dZ[1] A")) for x in column)
        for column in box.columns
    )


def holding(scene, env):
    """Evaluate every equation in the scene, compare it with its left-hand side, return how many."""
    checked = 0
    for box in scene.boxes:
        if box.id[0] not in "FBJ":
            continue
        for left, right in equations(box):
            named = re.sub(r"\w+'\(Z(\d+)\)", r"slope\1", right)
            value = evaluated(named.replace("*", "∘"), env)
            rtol = 1e-10 if named == right else 1e-8
            if re.fullmatch(r"[uv]\d+", left):
                env[left] = value
                continue
            np.testing.assert_allclose(value, env[left], rtol=rtol, atol=1e-13)
            checked += 1
    return checked


def test_labels_as_class_numbers():
    net, X, Y = network([3, 5, 4], output="softmax")
    drawn = boxes(draw(net, X, Y.argmax(axis=0)))
    assert "= (A[2] − Y) / m" in words(drawn["B2"])
    assert "Each column of Y sums to one" in " ".join(words(drawn["notes"]))


def test_columns_that_do_not_sum_to_one_have_no_short_form():
    net, X, Y = network([3, 5, 4], output="softmax")
    drawn = boxes(draw(net, X, 2 * Y))
    assert "(A[2] − Y)" not in " ".join(words(drawn["B2"]))
    assert "sums to one" not in " ".join(words(drawn["notes"]))


def test_an_activation_of_one_s_own_is_called_by_its_name():
    @tg.primitive
    def swish(z):
        return z / (1 + np.exp(-z))

    tg.elementwise(swish, lambda out, z: (1 + out * np.exp(-z)) / (1 + np.exp(-z)))
    rng = np.random.default_rng(0)
    net = nn.Sequential(nn.Linear(3, 4, rng=rng), swish, nn.Linear(4, 1, rng=rng))
    drawn = boxes(draw(net, np.ones((3, 2)), np.ones((1, 2))))
    assert words(drawn["F1"])[1] == "A[1] = swish(Z[1])"
    assert words(drawn["B1"])[:3] == [
        "dZ[1] = dA[1]",
        "* (1 + A[1] * exp(−Z[1]))",
        "/ (1 + exp(−Z[1]))",
    ]


def test_a_rule_that_runs_on_arrays_alone_has_its_derivative_named():
    @tg.primitive
    def step(z):
        return 2 * z

    tg.elementwise(step, lambda out, z: np.array([[float(a) for a in row] for row in z]))
    rng = np.random.default_rng(0)
    net = nn.Sequential(nn.Linear(3, 4, rng=rng), step, nn.Linear(4, 1, rng=rng))
    drawn = boxes(draw(net, np.ones((3, 2)), np.ones((1, 2))))
    assert words(drawn["F1"])[1] == "A[1] = step(Z[1])"
    assert words(drawn["B1"])[0] == "dZ[1] = (∂A[1]/∂Z[1])ᵀ dA[1]"


def test_layers_of_a_kind_are_derived_once(monkeypatch):
    made = []
    build = formulas.Piece
    monkeypatch.setattr(formulas, "Piece", lambda *a: made.append(a) or build(*a))
    picture = draw(*network([3] + [5] * 199 + [1], hidden="tanh"), fold=None)
    assert len(made) <= 7
    assert "dZ[137] = dA[137] * (1 − A[137]²)" in words(boxes(picture)["B137"])
    assert "dA[136] = W[137]ᵀ dZ[137]" in words(boxes(picture)["B137"])


# ---- nothing is changed ----------------------------------------------------------------------
def test_drawing_leaves_the_network_as_it_was():
    net, X, Y = network([3, 5, 1])
    before = {name: t.data.copy() for name, t in net.parameters().items()}
    draw(net, X, Y)
    assert all(t.grad is None for t in net.parameters().values())
    nn.binary_cross_entropy(net(X), Y).backward()
    grads = {name: t.grad for name, t in net.parameters().items()}
    draw(net, X, Y)
    for name, tensor in net.parameters().items():
        assert tensor.grad is grads[name]
        assert tensor.name == name
        np.testing.assert_array_equal(tensor.data, before[name])


# ---- what is no chain ------------------------------------------------------------------------
class Residual:
    def __init__(self):
        self.inner = nn.Linear(5, 5, rng=np.random.default_rng(0))

    def __call__(self, A):
        return A + self.inner(A)


def test_what_is_no_chain_is_drawn_as_operations_and_says_so():
    rng = np.random.default_rng(0)
    shared = nn.Linear(5, 5, rng=rng)
    first, last = nn.Linear(3, 5, rng=rng), nn.Linear(5, 1, rng=rng)
    X, Y = np.ones((3, 8)), np.ones((1, 8))
    for net, reason in [
        (nn.Sequential(first, Residual(), last), "layer 2: "),
        (nn.Sequential(first, shared, shared, last), "parameters are shared between layers"),
        (nn.Sequential(first, nn.ReLU(), nn.Tanh(), last), "layer 1: relu(…) is not Z = W A + b"),
    ]:
        for view in ("auto", "block"):
            picture = draw(net, X, Y, view=view)
            assert picture.scene.view == "ops"
            assert "no chain of Linear + activation" in picture.scene.notes[0]
            assert reason in picture.scene.notes[0]
            assert reason in picture.source.replace("&#x27;", "'")


def test_a_penalty_added_to_the_loss_is_a_cost_of_its_own():
    net, X, Y = network([3, 5, 1])
    W = net.parameters()["W1"]
    picture = draw(net, X, Y, loss=lambda A, Y: nn.mean_squared_error(A, Y) + np.sum(W * W))
    assert picture.scene.view == "ops"
    assert "the cost also depends on W1 directly" in picture.scene.notes[0]


# ---- golden ----------------------------------------------------------------------------------
GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize(
    ("name", "dims", "options"),
    [
        ("block_3_layers", [3, 5, 5, 1], {}),
        ("block_50_layers", [3] + [5] * 49 + [1], {}),
        ("ops_3_layers", [3, 5, 5, 1], {"view": "ops"}),
        ("ops_50_layers", [3] + [5] * 49 + [1], {"view": "ops"}),
        ("values", [2, 3, 1], {"view": "values", "m": 2}),
        ("backward_3_layers", [3, 5, 5, 1], {"backward": "ops"}),
    ],
)
def test_the_dot_text_is_the_recorded_one(name, dims, options):
    m = options.pop("m", 8)
    source = draw(*network(dims, m=m), **options).source
    path = GOLDEN / f"{name}.gv"
    if not path.exists():
        path.write_text(source, encoding="utf-8")
        pytest.fail(f"{path.name} was missing; it is written now, look at it and run again")
    assert source == path.read_text(encoding="utf-8")
