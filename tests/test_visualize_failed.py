"""Pictures of a forward pass that failed: the graph so far, and the call that raised."""

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.test_page import has_engine, view
from tinygrad_dnn import nn
from tinygrad_dnn.visualize import draw


def failure(deep=0):
    X = np.ones((3, 8))
    W1, W2 = tg.Tensor(np.ones((5, 3)), name="W1"), tg.Tensor(np.ones((2, 4)), name="W2")
    A = nn.relu(W1 @ X)
    for _ in range(deep):
        A = A + 1.0
    with pytest.raises(ValueError, match="matmul") as caught:
        W2 @ A
    return caught.value


def test_the_failing_call_is_marked_with_the_shapes_that_clash():
    drawn = draw(failure())
    (box,) = (box for box in drawn.scene.boxes if box.role == "failed")
    lines = [line.text for line in box.columns[0]]
    assert lines[0] == "matmul failed"
    assert lines[1:4] == ["W2 (2, 4)", "relu (5, 8)", "4 ≠ 5"]
    assert " ".join(lines[4:]).startswith("ValueError: shapes (2,4) and (5,8) not aligned")
    tails = {arrow.tail for arrow in drawn.scene.arrows if arrow.head == box.id}
    assert {b.columns[0][0].text for b in drawn.scene.boxes if b.id in tails} == {"W2", "relu"}
    assert not [arrow for arrow in drawn.scene.arrows if arrow.role == "backward"]
    assert drawn.scene.summary == "graph of 3 operations, the last of which failed"
    assert "matmul failed" in drawn.source
    assert "matmul failed" in drawn.to_text()
    assert "matmul failed" in drawn.to_mermaid()


def failed_box(run):
    with pytest.raises((ValueError, KeyError), match=r"needs|must|give|mine|operands") as caught:
        run()
    drawn = draw(caught.value)
    (box,) = (box for box in drawn.scene.boxes if box.role == "failed")
    return [line.text for line in box.columns[0]], drawn


class Broken:
    def __init__(self):
        self.V = tg.Tensor(np.ones((2, 2)), name="V")

    def __call__(self, A):
        raise KeyError("mine")


def network(*layers):
    rng = np.random.default_rng(0)
    return nn.Sequential(nn.Linear(3, 5, rng=rng), *layers)


X = np.ones((3, 8))
LINEAR = nn.Linear(4, 1, rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("run", "lines", "said"),
    [
        (
            lambda: network(nn.ReLU(), LINEAR)(X),
            ["Linear(4 -> 1) failed", "W[2] (1, 4)", "b[2] (1, 1)", "A[1] (5, 8)", "4 ≠ 5"],
            "DimensionError: layer 2, Linear(4 -> 1): W2 is (1, 4) but A1 is (5, 8)",
        ),
        (
            lambda: network()(X.T),
            ["Linear(3 -> 5) failed", "W[1] (5, 3)", "b[1] (5, 1)", "X = A[0] (8, 3)", "3 ≠ 8"],
            "examples are columns here, so transpose it: .T",
        ),
        (
            lambda: nn.mean_squared_error(network()(X), np.ones(8)),
            ["mean squared error failed", "Z[1] (5, 8)", "Y (8,)", "(5, 8) ≠ (8,)"],
            "the two must be equal",
        ),
        (
            lambda: nn.cross_entropy(network(nn.Softmax())(X), np.ones((1, 8))),
            ["cross entropy failed", "A[1] (5, 8)", "Y (1, 8)", "(5, 8) ≠ (1, 8)"],
            "give class numbers as (m,)",
        ),
        (
            lambda: network(Broken())(X),
            ["Broken failed", "V2 (2, 2)", "Z[1] (5, 8)"],
            "KeyError: 'mine'",
        ),
        (
            lambda: network(nn.MaxPool2d(2))(X),
            ["MaxPool2d(2x2) failed", "Z[1] (5, 8)"],
            "it needs (m, c, height, width)",
        ),
        (
            lambda: LINEAR(tg.Tensor(X, name="input")),
            ["Linear(4 -> 1) failed", "W2 (1, 4)", "b2 (1, 1)", "input (3, 8)", "4 ≠ 3"],
            "it needs (4, m)",
        ),
        (
            lambda: nn.linear(tg.Tensor(X, name="input"), np.ones((5, 4))),
            ["linear failed", "(5, 4)", "input (3, 8)", "4 ≠ 3"],
            "it needs (4, m)",
        ),
        (
            lambda: nn.conv2d(tg.Tensor(np.ones((2, 3, 8, 8)), name="x"), np.ones((4, 2, 3, 3))),
            ["conv2d failed", "x (2, 3, 8, 8)", "(4, 2, 3, 3)"],
            "it needs (m, 2, height, width)",
        ),
        (
            lambda: nn.RNN(3, 2, rng=np.random.default_rng(0))([tg.Tensor(X.T, name="step")]),
            ["RNN(3 -> 2) failed", "W (2, 3)", "U (2, 2)", "b (2, 1)", "step (8, 3)"],
            "it needs (T, 3, m)",
        ),
        (
            lambda: tg.Tensor(np.ones((2, 4)), name="a") + np.ones((3, 4)),
            ["add failed", "a (2, 4)", "(3, 4)", "2 ≠ 3"],
            "ValueError: operands could not be broadcast",
        ),
    ],
)
def test_what_nn_refuses_is_drawn_as_well_with_what_is_unequal(run, lines, said):
    shown, drawn = failed_box(run)
    assert shown[: len(lines)] == lines
    message = " ".join(shown[len(lines) :])
    assert said in message
    assert "≠" not in message
    assert said in " ".join(drawn.to_text().split())
    assert "object at 0x" not in drawn.source


def test_it_is_never_folded_away():
    drawn = draw(failure(deep=3000))
    assert len(drawn.scene.boxes) <= 400
    assert [box.role for box in drawn.scene.boxes].count("failed") == 1


@has_engine
def test_its_page_steps_up_to_the_failure():
    (level,) = view(draw(failure()).to_html(), "ops")["levels"]
    assert level["steps"][-1]["lines"][0][1] == "(2, 4), (5, 8) do not fit"
    (box,) = (box for box in level["boxes"].values() if box["role"] == "failed")
    assert box["remarks"][0] == "(2, 4), (5, 8) do not fit"
    assert {step["phase"] for step in level["steps"]} == {"forward"}


def test_an_exception_without_a_graph_says_so():
    with pytest.raises(TypeError, match="KeyError: 'x'; it does not come from a recorded"):
        draw(KeyError("x"))


@pytest.mark.parametrize("make", ["dropout", "norm"])
def test_drawing_leaves_the_state_of_layers_alone(make):
    rng = np.random.default_rng(0)
    special = nn.Dropout(0.5, rng=rng) if make == "dropout" else nn.BatchNorm1d(5)
    net = nn.Sequential(nn.Linear(3, 5, rng=rng), special, nn.Linear(5, 1, rng=rng), nn.Sigmoid())
    before = {name: b.data.copy() for name, b in nn.buffers(net).items()}
    state = rng.bit_generator.state
    for view_ in ("auto", "ops"):
        draw(net, rng.standard_normal((3, 8)) if make == "norm" else np.ones((3, 8)), view=view_)
    if make == "dropout":
        assert rng.bit_generator.state == state
    assert special.training
    for name, buffer in nn.buffers(net).items():
        np.testing.assert_array_equal(buffer.data, before[name])
