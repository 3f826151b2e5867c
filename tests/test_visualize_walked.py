"""The backward pass drawn as operations of its own: what the rules call, and what it comes to."""

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.test_page import has_engine, view
from tests.test_visualize_ops import arrows, assert_acyclic, boxes, cost, words
from tinygrad_dnn import nn
from tinygrad_dnn.graph import ancestors
from tinygrad_dnn.visualize import draw
from tinygrad_dnn.visualize.reading import is_transpose
from tinygrad_dnn.visualize.walked import walk_back


def scalar():
    a, b, c = (tg.Tensor(x, name=n) for x, n in ((2.0, "a"), (-3.0, "b"), (10.0, "c")))
    return nn.relu(a * b + c) * a


def shared():
    W = tg.Tensor(np.full((3, 3), 0.5), name="W")
    return np.sum(np.tanh(W @ np.tanh(W @ np.ones((3, 2)))) ** 2)


def penalised():
    W = tg.Tensor(np.full((2, 3), 0.5), name="W")
    return np.mean((W @ np.ones((3, 4)) - 1.0) ** 2) + 0.1 * np.sum(W * W)


MAKE = [scalar, shared, penalised, lambda: cost([3, 5, 5, 1]), lambda: cost([3, 4, 2, 2, 3, 1])]


# ---- truth -----------------------------------------------------------------------------------
@pytest.mark.parametrize("make", MAKE)
def test_every_derivative_in_it_is_the_engine_s(make):
    J = make()
    walked = walk_back(J.node)
    leaves = [node for node in ancestors(J.node) if node.fn is None and node.needs_grad]
    assert set(leaves) <= set(walked.gradients)
    nodes = list(walked.gradients)
    expected = tg.grad(J, [tg.tensor.handle(node) for node in nodes])
    for node, value in zip(nodes, expected, strict=True):
        np.testing.assert_allclose(walked.gradients[node].value, value, rtol=1e-14, atol=0)


@pytest.mark.parametrize("make", MAKE)
def test_every_call_of_the_rules_goes_back_through_one_of_the_forward_pass(make):
    J = make()
    walked = walk_back(J.node)
    forward = set(ancestors(J.node))
    ends = walked.gradients.values()
    backward = [node for node in ancestors(*ends) if node.fn and node not in forward]
    assert set(backward) <= set(walked.through)
    assert {walked.through[node] for node in backward} <= forward
    order = [walked.through[node].born for node in backward]  # as the engine walks: youngest first
    assert order == sorted(order, reverse=True)


def test_boxes_say_what_their_numbers_are():
    J = cost([3, 5, 5, 1])
    picture = draw(J, backward="ops")
    reading = picture.subject.ops(None)[1]
    nodes = {thing.name: thing.node for thing in reading.things}
    by_name = {f"d{name}": nodes[name] for name in ("W[1]", "b[2]", "W[3]", "Z[2]", "A[1]", "Z[3]")}
    for name, node in by_name.items():
        np.testing.assert_allclose(
            nodes[name].value, tg.grad(J, tg.tensor.handle(node)), rtol=1e-14, atol=0
        )
    for thing in reading.things:  # a printed product is the product of what it names
        if thing.back and thing.fn is np.matmul:
            factors = thing.formula.split(" ")
            one, other = (_value(name, reading) for name in factors)
            np.testing.assert_allclose(thing.value, one @ other, rtol=1e-14, atol=0)
    assert "dZ[2] A[1]ᵀ" in {thing.formula for thing in reading.things}


def _value(name, reading):
    plain = name.removesuffix("ᵀ")
    thing = next(t for t in reading.things if plain in t.name.split(" = "))
    return thing.value.T if plain != name else thing.value


def test_numbers_are_shown_where_all_are_numbers():
    drawn = boxes(draw(scalar(), backward="ops"))
    texts = {text for box in drawn.values() for text in words(box)}
    assert {"J = 8", "da = −2", "db = 4", "dc = 2"} <= texts


# ---- what is drawn ---------------------------------------------------------------------------
def test_the_course_s_backward_pass_stands_below_its_forward_pass():
    picture = draw(cost([3, 5, 1]), backward="ops")
    assert picture.scene.view == "ops"
    drawn = boxes(picture)
    by_words = {tuple(words(box)): box for box in drawn.values()}
    dW2 = by_words["matmul", "dZ[2] A[1]ᵀ", "dW[2]", "(1, 5)"]
    assert dW2.role == "gradient"
    dA1 = by_words["matmul", "W[2]ᵀ dZ[2]", "dA[1]", "(5, 8)"]
    assert dA1.role == "backward"
    turned = by_words["transpose", "A[1]ᵀ", "(8, 5)"]
    assert (turned.id, dW2.id) in arrows(picture, "backward")
    assert ("relu_1", turned.id) in arrows(picture, "cache")
    assert [g.title for g in picture.scene.groups] == ["Layer 1", "Layer 2", "Cost"]
    assert {dW2.id, dA1.id, turned.id} <= set(picture.scene.groups[1].members)
    column = next(ids for ids in picture.scene.columns if ids[0] == "matmul_2")
    assert column[:2] == ["matmul_2", "leaf_3"]
    assert set(column[2:]) >= {turned.id, dW2.id, dA1.id}


def test_the_input_seen_transposed_bears_its_name():
    drawn = boxes(draw(cost([3, 5, 1]), backward="ops"))
    assert ["A[0]ᵀ", "(8, 3)"] in [words(box) for box in drawn.values()]
    x = np.ones((2, 3))
    assert is_transpose(x.T, x)
    assert not is_transpose(x.T.copy(), x)
    assert not is_transpose(np.ones((3, 2)), x)
    assert not is_transpose(3.0, x)


@pytest.mark.parametrize("make", MAKE)
@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_it_has_no_circle_and_no_red_arrow_aside(make, direction):
    picture = draw(make(), backward="ops", direction=direction)
    assert not [arrow for arrow in picture.scene.arrows if arrow.aside]
    left = {box.id: set() for box in picture.scene.boxes}
    for arrow in picture.scene.arrows:
        left[arrow.head].add(arrow.tail)
    while ready := [name for name, before in left.items() if not before & set(left)]:
        for name in ready:
            del left[name]
    assert not left


def test_deep_networks_fold_on_both_ways():
    picture = draw(cost([3] + [5] * 49 + [1]), backward="ops")
    folded = [words(box) for box in picture.scene.boxes if box.role == "fold"]
    assert folded == [
        ["Layers 3 … 48", "46 × [matmul → add → relu]", "1,380 parameters"],
        ["Back through layers 48 … 3", "46 × [7 operations]"],
    ]
    assert len(picture.scene.boxes) < 60
    assert_acyclic(picture)


def test_a_chain_of_5000_calls_is_folded():
    y = tg.Tensor(1.0, name="x")
    for _ in range(5000):
        y = np.sin(y)
    picture = draw(y, backward="ops")
    assert len(picture.scene.boxes) <= 400


def test_nothing_is_changed():
    J = cost([3, 5, 1])
    before = [(node, node.name, node.grad, node.layer) for node in ancestors(J.node)]
    source = draw(J).source
    draw(J, backward="ops")
    assert before == [(node, node.name, node.grad, node.layer) for node in ancestors(J.node)]
    assert draw(J).source == source
    assert tg.graph.watched == 0


def test_it_is_recorded_inside_no_grad_too():
    J = cost([3, 5, 1])
    with tg.no_grad():
        inside = draw(J, backward="ops").source
    assert inside == draw(J, backward="ops").source


@pytest.mark.parametrize(
    "target",
    [
        {"a": tg.Tensor(1.0) * 2, "b": tg.Tensor(1.0) * 3},
        tg.Tensor([1.0, 2.0]) * 2,
        tg.Tensor(1.0, requires_grad=False) * 2,
    ],
)
def test_what_has_no_single_derivative_is_refused(target):
    with pytest.raises(ValueError, match='backward="ops" needs a single number to derive'):
        draw(target, backward="ops")


def test_other_writers_know_it_too():
    picture = draw(scalar(), backward="ops")
    assert "subgraph" not in picture.to_mermaid()
    text = draw(cost([3, 5, 1]), backward="ops").to_text()
    assert "── Layer 2  5 → 1, backward ──" in text


@has_engine
@pytest.mark.parametrize("make", MAKE)
def test_its_page_steps_through_both_passes(make):
    (level,) = view(draw(make(), backward="ops").to_html(), "ops")["levels"]
    phases = [step["phase"] for step in level["steps"]]
    assert phases == sorted(phases, reverse=True)
    assert set(phases) == {"forward", "backward"}
