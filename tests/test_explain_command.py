"""``tinygrad-dnn explain``: as text, as a file, and what it says to what it cannot use."""

import pytest

from tinygrad_dnn.cli.program import main

FILE = """
import numpy as np
import tinygrad_dnn as tg
from tinygrad_dnn import nn

rng = np.random.default_rng(0)
net = nn.Sequential.from_layer_dims([3, 5, 1], rng=rng)
X, Y = rng.standard_normal((3, 8)), np.ones((1, 8))

def cost():
    return nn.binary_cross_entropy(net(X), Y)

def triple():
    return net, X, Y

def vector():
    return net(X)

def broken():
    return net(X.T)
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "model.py"
    path.write_text(FILE)
    return path


@pytest.mark.parametrize("name", ["cost", "triple"])
def test_it_prints_the_equations(file, name, capsys):
    assert main(["explain", f"{file}:{name}", "--convention", "course"]) == 0
    assert "dW2 = (1/m) dZ2 A1ᵀ" in capsys.readouterr().out


def test_it_gives_closed_forms_numbers_and_other_styles(file, tmp_path, capsys):
    assert main(["explain", f"{file}:cost", "--wrt", "W1", "--numbers"]) == 0
    out = capsys.readouterr().out
    assert "dJ/dW1 = (1/m) ((W2ᵀ (A2 − Y)) ∘ [Z1 > 0]) A0ᵀ" in out
    assert "[[" in out
    page = tmp_path / "page.html"
    assert main(["explain", f"{file}:cost", "--style", "html", "-o", str(page)]) == 0
    assert "<math>" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["vector"],
            "vector cannot be explained: DimensionError: explain() got A2 of shape (1, 8)",
        ),
        (["rng"], "rng cannot be explained: TypeError: explain() takes the Tensor"),
        (["broken"], "broken cannot be explained: line"),
        (["cost", "--wrt", "W9"], "explain() got wrt='W9'; J was computed from W1, b1"),
        (["cost", "-o", "/no/such/folder/x.txt"], "cannot write /no/such/folder/x.txt"),
    ],
)
def test_what_it_cannot_use_is_said(file, arguments, said, capsys):
    name, *options = arguments
    assert main(["explain", f"{file}:{name}", *options]) == 2
    assert said in capsys.readouterr().err
