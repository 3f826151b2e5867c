"""The operation graph: each operation, leaf and array once, arrows both ways, deep ones folded."""

import re
import subprocess
import sys

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn import nn
from tinygrad_dnn.visualize import draw


def cost(dims, m=8):
    rng = np.random.default_rng(0)
    net = nn.Sequential.from_layer_dims(dims, rng=rng)
    return nn.binary_cross_entropy(net(rng.standard_normal((dims[0], m))), np.ones((1, m)))


def boxes(picture):
    return {box.id: box for box in picture.scene.boxes}


def words(box):
    return [line.text for column in box.columns for line in column]


def arrows(picture, role=None):
    return [(a.tail, a.head) for a in picture.scene.arrows if role in (None, a.role)]


# ---- what is drawn ---------------------------------------------------------------------------
def test_a_network_s_operations_in_layers():
    picture = draw(cost([3, 5, 1]))
    drawn = boxes(picture)
    assert words(drawn["matmul_1"]) == ["matmul", "W[1] A[0]", "(5, 8)", "gradient (5, 8)"]
    assert words(drawn["add_1"]) == ["add", "Z[1]", "(5, 8)", "dZ[1] (5, 8)"]
    assert words(drawn["relu_1"]) == ["relu", "A[1]", "(5, 8)", "dA[1] (5, 8)"]
    assert words(drawn["leaf_1"]) == ["W[1]", "(5, 3)", "dW[1] (5, 3)"]
    assert words(drawn["constant_1"]) == ["X = A[0]", "(3, 8)"]
    assert words(drawn["constant_2"]) == ["Y", "(1, 8)"]
    assert drawn["binarycrossentropy_1"].role == "cost"
    first, second = picture.scene.groups
    assert (first.title, first.subtitle) == ("Layer 1", "3 → 5")
    assert first.members == ["leaf_1", "leaf_2", "matmul_1", "add_1", "relu_1"]
    assert "sigmoid_1" in second.members


def test_parameters_stand_at_the_step_of_their_operation():
    level = draw(cost([3, 5, 1])).scene.level
    assert ["leaf_1", "matmul_1"] in level
    assert ["leaf_2", "add_1"] in level
    assert ["constant_2", "binarycrossentropy_1"] in level
    assert not any("constant_1" in ids for ids in level)


def test_red_arrows_go_where_the_backward_walk_goes():
    x, c = tg.Tensor([1.0, 2.0], name="x"), tg.Tensor([3.0], requires_grad=False, name="c")
    picture = draw(np.sum(x * c + np.sign(3 * x)))
    drawn = boxes(picture)
    red = set(arrows(picture, "backward"))
    assert red == {("sum_1", "add_1"), ("add_1", "multiply_1"), ("multiply_1", "leaf_1")}
    assert "gradient (2,)" not in words(drawn["multiply_2"])  # behind sign, whose derivative is 0
    assert drawn["constant_1"].shape == "square"


def test_backward_can_be_left_out():
    picture = draw(cost([3, 5, 1]), backward=False)
    assert not arrows(picture, "backward")
    assert not any("dW" in text for box in picture.scene.boxes for text in words(box))


def test_a_constant_is_drawn_once_and_numbers_stay_inside():
    c = np.ones(3)
    x = tg.Tensor(c, name="x")
    drawn = boxes(draw(np.sum(2 * (x + c) * c ** np.float64(2))))
    assert [b.role for b in drawn.values()].count("data") == 2  # c, and c**2 which NumPy made
    assert "2 × ·" in words(drawn["multiply_1"])


def test_a_value_used_twice_has_two_arrows_and_one_gradient():
    x = tg.Tensor(3.0, name="x")
    picture = draw(x * x)
    assert arrows(picture, "parameter") == [("leaf_1", "multiply_1")] * 2
    assert arrows(picture, "backward") == [("multiply_1", "leaf_1")]
    assert words(boxes(picture)["multiply_1"]) == ["multiply", "J = 9", "∂J/∂J = 1"]


def test_a_few_numbers_are_shown_with_their_gradients():
    a, b = tg.Tensor(2.0, name="a"), tg.Tensor(-3.0, name="b")
    J = np.maximum(a * b + 10, 0) * a
    drawn = boxes(draw(J))
    assert words(drawn["leaf_1"]) == ["a", "2", "∂J/∂a = −2"]  # 4 + 2 * -3
    assert words(drawn["leaf_2"]) == ["b", "−3", "∂J/∂b = 4"]
    assert words(drawn["add_1"]) == ["add", "· + 10", "= 4", "gradient 2"]
    assert a.grad is None
    assert b.grad is None
    assert words(boxes(draw(J, view="ops"))["leaf_1"]) == ["a", "2"]
    assert words(boxes(draw(J, backward=False))["leaf_1"]) == ["a", "2"]
    with_array = np.sum(a * np.ones(3))
    assert words(boxes(draw(with_array))["leaf_1"]) == ["a", "2"]
    assert words(boxes(draw(with_array, view="values"))["leaf_1"]) == ["a", "2", "∂J/∂a = 3"]
    assert draw(tg.Tensor(1.0, requires_grad=False) * 2).scene.boxes


def test_of_a_tiny_network_every_number_and_its_gradient_is_shown():
    rng = np.random.default_rng(0)
    net = nn.Sequential.from_layer_dims([2, 3, 1], rng=rng)
    X, Y = rng.standard_normal((2, 2)), np.array([[0.0, 1.0]])
    drawn = boxes(draw(net, X, Y, view="values"))
    J = nn.binary_cross_entropy(net(X), Y)
    for box, (name, tensor) in zip(("leaf_1", "leaf_2"), net.parameters().items(), strict=False):
        assert _numbers(words(drawn[box])) == [
            *(_rounded(row) for row in tensor.data),
            *(_rounded(row) for row in tg.grad(J, tensor)),
        ], name
    assert words(drawn["constant_1"])[-1] == "∂J/∂A[0] –"
    assert words(drawn["constant_2"]) == ["Y", "[0, 1]", "(1, 2)", "∂J/∂Y –"]
    assert "∂J/∂J = 1" in words(drawn["binarycrossentropy_1"])
    plain = boxes(draw(net, X, Y, view="values", backward=False))
    assert not any("∂" in text for box in plain.values() for text in words(box))


def _numbers(lines):
    found = [line.strip("[]").replace("−", "-").split(", ") for line in lines if line[0] == "["]
    return [[float(number) for number in row] for row in found]


def _rounded(row):
    return [float(f"{number:.4g}") for number in row]


def test_where_there_is_no_gradient_stands_a_dash_and_no_zero():
    a, c = tg.Tensor(2.0, name="a"), tg.Tensor(3.0, name="c", requires_grad=False)
    drawn = boxes(draw(a * c, view="values"))
    assert words(drawn["constant_1"]) == ["c", "3", "∂J/∂c –"]
    assert words(drawn["leaf_1"]) == ["a", "2", "∂J/∂a = 3"]
    several = boxes(draw({"p": a * c, "q": a + c}, view="values"))
    assert words(several["leaf_1"]) == ["a", "2", "∂J/∂a –"]


def test_of_large_arrays_the_values_view_shows_shapes():
    x = tg.Tensor(np.ones((30, 40)), name="x")
    assert words(boxes(draw(np.sum(x), view="values"))["leaf_1"]) == [
        "x",
        "(30, 40)",
        "dx (30, 40)",
    ]


def test_shapes_can_be_left_out():
    J = cost([3, 5, 1])
    drawn = boxes(draw(J, view="ops", shapes=False))
    assert words(drawn["matmul_1"]) == ["matmul", "W[1] A[0]", "gradient"]
    assert words(drawn["leaf_1"]) == ["W[1]", "dW[1]"]
    assert words(drawn["constant_1"]) == ["X = A[0]"]
    assert words(boxes(draw(J, view="block", shapes=False))["P1"]) == ["W[1]", "b[1]"]
    for view in ("ops", "block"):
        picture = draw(J, view=view, shapes=False)
        assert not [t for box in picture.scene.boxes for t in words(box) if t.startswith("(5, ")]
    nameless = boxes(draw(np.sum(tg.Tensor(np.ones((2, 3))) * np.ones(3)), shapes=False))
    assert words(nameless["constant_1"]) == ["constant"]


def test_options_of_a_call_are_written_in_its_box():
    x = tg.Tensor(np.ones((4, 3)), name="x")
    assert words(boxes(draw(x.astype(np.float32)))["astype_1"])[1] == "(·, float32)"
    drawn = boxes(draw(np.sum(np.maximum(np.mean(x[1:, ::2], axis=0, keepdims=True), 0) ** 3)))
    assert words(drawn["getitem_1"])[1] == "[1:, ::2]"
    assert words(drawn["mean_1"])[1] == "axis=0, keepdims"
    assert words(drawn["maximum_1"])[1] == "(·, 0)"
    assert words(drawn["power_1"])[1] == "· ** 3"


def test_several_results():
    x = tg.Tensor([1.0, 2.0], name="x")
    J, penalty = np.sum(x * 2), np.sum(x**2)
    drawn = boxes(draw({"cost": J, "penalty": penalty}))
    assert {"cost = 6", "penalty = 5"} <= {text for box in drawn.values() for text in words(box)}
    assert [box.role for box in drawn.values()].count("cost") == 2
    assert len(boxes(draw((J, J, penalty)))) == len(drawn)


def test_a_leaf_alone_and_a_result_without_history():
    assert len(boxes(draw(tg.Tensor([1.0], name="x")))) == 1
    with tg.no_grad():
        y = tg.Tensor([1.0]) * 2
    assert arrows(draw(y)) == []


def test_a_function_of_one_s_own():
    def f(x):
        return np.sum(np.tanh(x))

    picture = draw(f, tg.Tensor([1.0, 2.0], name="x"))
    assert picture.scene.notes == []
    assert ("sum_1", "tanh_1") in arrows(picture, "backward")
    assert draw(f, tg.Tensor([1.0])).scene.boxes


def test_a_network_is_recorded_inside_no_grad_too():
    net = nn.Sequential.from_layer_dims([3, 2, 1], rng=np.random.default_rng(0))
    X, Y = np.ones((3, 4)), np.ones((1, 4))
    with tg.no_grad():
        inside = draw(net, X, Y).source
    assert inside == draw(net, X, Y).source


def test_given_arrays_are_called_by_their_argument():
    X, Y = np.ones((2, 3)), np.ones((2, 3))
    W = tg.Tensor(np.ones((2, 2)), name="V")
    drawn = boxes(draw(np.sum((W @ X - Y) ** 2), X, Y))
    assert {words(drawn["constant_1"])[0], words(drawn["constant_2"])[0]} == {"X", "Y"}
    assert words(drawn["matmul_1"])[1] == "V X"


def test_the_picture_is_the_same_after_backward_and_the_graph_is_not_changed():
    J = cost([3, 5, 1])
    before = draw(J).source
    assert J.node.grad is None
    J.backward()
    assert draw(J).source == before


# ---- deep graphs -----------------------------------------------------------------------------
def test_the_middle_layers_become_one_box():
    picture = draw(cost([3] + [5] * 49 + [1]))
    (folded,) = (box for box in picture.scene.boxes if box.role == "fold")
    assert words(folded) == ["Layers 3 … 48", "46 × [matmul → add → relu]", "1,380 parameters"]
    assert ("relu_2", "fold_1") in arrows(picture, "forward")
    assert ("fold_1", "matmul_3") in arrows(picture, "forward")
    assert ("matmul_3", "fold_1") in arrows(picture, "backward")


def test_a_fold_makes_no_circle():
    """An operation between two folded layers, in no layer itself, goes with them."""
    rng = np.random.default_rng(0)
    layers = [nn.Linear(3, 3, rng=rng) for _ in range(9)]

    class Net(nn.Sequential):
        def outputs(self, X):
            A, results = X, [X]
            for number, layer, _ in self.steps:
                with tg.graph.inside_layer(number):
                    A = layer(A)
                A = A * 1.5
                results.append(A)
            return results

    picture = draw(np.sum(Net(*layers)(np.ones((3, 2)))))
    assert_acyclic(picture)
    assert any(box.role == "fold" for box in picture.scene.boxes)


def assert_acyclic(picture):
    left = {a.head: set() for a in picture.scene.arrows}
    for a in picture.scene.arrows:
        if a.role != "backward":
            left[a.head].add(a.tail)
    while ready := [box for box, before in left.items() if not before & set(left)]:
        for box in ready:
            del left[box]
    assert not left


def chain(n):
    y = tg.Tensor(1.0, name="x")
    for _ in range(n):
        y = y * 1.0001
    return y


def tree(n):
    xs = [tg.Tensor(float(i)) for i in range(n)]
    while len(xs) > 1:
        xs = [a + b for a, b in zip(xs[::2], xs[1::2], strict=False)] + xs[len(xs) & ~1 :]
    return xs[0]


def ladder(n):
    a, b = tg.Tensor(1.0), tg.Tensor(2.0)
    for _ in range(n):
        a, b = np.tanh(a + b), np.sin(a * b)
    return a * b


def fan(n):
    return np.sum(np.stack([tg.Tensor(float(i)) * 2 for i in range(n)]))


@pytest.mark.parametrize("make", [chain, tree, ladder, fan])
@pytest.mark.parametrize("n", [30, 500, 5000])
def test_never_more_boxes_than_asked_for(make, n):
    picture = draw(make(n), max_nodes=60)
    assert len(picture.scene.boxes) <= 60
    assert_acyclic(picture)


def test_a_chain_keeps_its_ends():
    texts = [words(box)[0] for box in draw(chain(5000)).scene.boxes]
    assert texts == ["x", *["multiply"] * 3, "… 4,994 operations …", *["multiply"] * 3]


def test_a_hundred_thousand_operations_with_hardly_any_stack():
    code = """
import sys, time
import tinygrad_dnn as tg
y = tg.Tensor(1.0)
for _ in range(100_000):
    y = y * 1.0001
sys.setrecursionlimit(200)
start = time.perf_counter()
picture = tg.visualize.draw(y)
assert len(picture.scene.boxes) == 8, picture
assert "99,994 operations" in picture.source
assert time.perf_counter() - start < 20
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_text_is_the_same_in_every_process():
    code = """
import numpy as np, tinygrad_dnn as tg
from tinygrad_dnn import nn
rng = np.random.default_rng(0)
net = nn.Sequential.from_layer_dims([3] + [5] * 20 + [1], rng=rng)
X, Y = rng.standard_normal((3, 8)), np.ones((1, 8))
small = {"view": "ops", "fold": None, "max_nodes": 30}
for options in ({}, {"view": "ops"}, {"fold": None}, small):
    print(tg.visualize.draw(net, X, Y, **options).source)
"""
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            env={"PYTHONHASHSEED": seed, "PATH": ""},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1


@pytest.mark.parametrize("dims", [[3, 1], [3, 5, 5, 1], [3] + [5] * 49 + [1]])
@pytest.mark.parametrize("view", ["block", "ops"])
def test_in_the_text_every_box_is_stated_once_with_a_label_and_no_arrow_dangles(dims, view):
    rng = np.random.default_rng(0)
    net = nn.Sequential.from_layer_dims(dims, rng=rng)
    source = draw(net, np.ones((3, 4)), np.ones((1, 4)), view=view, title="T").source
    stated = re.findall(r"^\s*(?!graph)(\w+) \[label=", source, flags=re.MULTILINE)
    assert len(stated) == len(set(stated))
    ends = re.findall(r"^\s*(\w+) -> (\w+)", source, flags=re.MULTILINE)
    assert {end for pair in ends for end in pair} <= set(stated)
    same = re.findall(r"rank=same; (.*?)}", source)
    assert {name for group in same for name in group.split("; ")} <= set(stated)


# ---- names and options -----------------------------------------------------------------------
NASTY = '<b>&"|{}\\ \\N 😀 中文\n]]> </script>'


def test_any_name_is_drawn_as_it_is():
    picture = draw(np.sum(tg.Tensor([1.0], name=NASTY) * 2))
    assert words(boxes(picture)["leaf_1"])[0] == NASTY
    assert "&lt;b&gt;&amp;&quot;|{}\\\\ \\\\N 😀 中文 ]]&gt;" in picture.source
    assert picture.source.count("\n") == picture.source.replace("\r", "\n").count("\n")


def test_a_very_long_name_is_cut():
    picture = draw(np.sum(tg.Tensor([1.0], name="x" * 1000) * 2))
    assert words(boxes(picture)["leaf_1"])[0] == "x" * 39 + "…"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"view": "pretty"}, "view='pretty': choose from 'auto', 'block', 'ops', 'values'"),
        ({"direction": "RL"}, "direction='RL': choose from None, 'LR', 'TB'"),
        ({"backward": 1}, "backward=1: choose from 'auto', True, False"),
        ({"fold": "all"}, "fold='all': choose 3 or more layers, or None to draw all of them"),
        ({"fold": 2}, "fold=2: choose 3 or more layers, or None to draw all of them"),
        ({"max_nodes": 3}, "max_nodes=3: choose 20 or more"),
        ({"view": "block", "direction": "TB"}, "the block diagram runs LR"),
    ],
)
def test_an_unknown_option_lists_the_choices(options, message):
    with pytest.raises(ValueError, match=r"choose|runs") as error:
        draw(cost([3, 1]), **options)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("target", "arguments", "message"),
    [
        (
            3,
            (),
            "draw() takes a network, a Tensor, a tuple, list or dict of Tensors, "
            "or the exception of a forward pass; got int",
        ),
        ([], (), "draw() got no Tensors"),
        ({"a": 3}, (), "draw(): 'a' is int, not a Tensor"),
        (np.sum, (np.ones(3),), "draw(): sum returned float64, not a Tensor: nothing was recorded"),
        (np.sum, (), "draw(net) without X needs a Sequential that begins with Linear; give X"),
        (np.sum, (None, 1.0), "draw(net, Y=...) needs X too: the cost is computed from both"),
    ],
)
def test_what_cannot_be_drawn_is_said(target, arguments, message):
    with pytest.raises(TypeError) as error:
        draw(target, *arguments)
    assert str(error.value) == message


# ---- what is used many times -----------------------------------------------------------------
def recurrent(steps=5):
    rng = np.random.default_rng(0)
    net = nn.Sequential(nn.RNN(3, 4, rng=rng), nn.Linear(4, 1, rng=rng), nn.Sigmoid())
    return draw(net, rng.standard_normal((steps, 3, 6)), np.ones((1, 6)))


def test_what_is_used_many_times_has_arrows_once_and_is_called_by_its_name():
    picture = recurrent()
    drawn = boxes(picture)
    (U,) = (box for box in drawn.values() if words(box)[0] == "U[1]")
    assert "used 5 times" in words(U)
    assert sum(U.id in (arrow.tail, arrow.head) for arrow in picture.scene.arrows) == 2
    texts = [words(box)[1] for box in drawn.values() if words(box)[0] in ("matmul", "add")]
    assert texts.count("U[1] ·") == 5
    assert texts.count("· + b[1]") == 5
    assert any("called by its name" in note for note in picture.scene.notes)
    assert "called by its name" not in " ".join(recurrent(2).scene.notes)


def test_steps_of_a_sequence_are_told_apart_and_the_first_state_is_no_input():
    names = [words(box)[0] for box in boxes(recurrent()).values() if box.role == "data"]
    assert names == ["X[0]", "(4, 6)", "X[1]", "X[2]", "X[3]", "X[4]", "Y"]
