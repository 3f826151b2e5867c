"""Mermaid and plain text: all that the scene says, in lines for a terminal or a README."""

import re

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.test_visualize_engines import NASTY, nothing, picture
from tinygrad_dnn.visualize import Picture, draw

__all__ = ["nothing"]
ALL = [
    {"dims": (3, 1)},
    {"dims": (3, 5, 5, 1)},
    {"dims": (12288, 1024, 1024, 1)},
    {"dims": (3, *[5] * 49, 1)},
    {"dims": (3, *[5] * 49, 1), "view": "ops"},
    {"dims": (3, 5, 5, 1), "view": "ops", "backward": False},
    {"dims": (3, 5, 5, 1), "title": "A title that goes on and on " * 6},
]


def test_a_layer_as_text():
    lines = picture().to_text().splitlines()
    start = next(i for i, line in enumerate(lines) if "Layer 2" in line)
    shown = [re.sub(r"─+", "─", line) for line in lines[start - 1 : start + 8]]
    assert [re.sub(r" {2,}", "  ", line) for line in shown] == [
        "  A[1] (5, 8)  dA[1] (5, 8)",
        "┌─ Layer 2: 5 → 5, ReLU ─┐",
        "│ W[2] (5, 5)  b[2] (5, 1)  │ dZ[2] = dA[2] * [Z[2] > 0]  │",
        "│ Z[2] = W[2] A[1] + b[2]  │ dW[2] = dZ[2] A[1]ᵀ  │",
        "│ A[2] = relu(Z[2])  │ db[2] = Σ_columns dZ[2]  │",
        "│ keeps Z[2] (5, 8)  A[1] (5, 8)  W[2] (5, 5)  │ dA[1] = W[2]ᵀ dZ[2]  │",
        "│  │ dW[2] (5, 5)  db[2] (5, 1)  │",
        "└─┘",
        "  A[2] (5, 8)  dA[2] (5, 8)",
    ]
    assert {len(line) for line in lines[start : start + 7]} == {99}


def test_operations_as_text():
    x = tg.Tensor(2.0, name="x")
    assert draw(np.sin(x) * x + 1, backward=False).to_text().splitlines() == [
        "graph of 3 operations",
        "",
        "1  x  2",
        "2  sin  = 0.9093  ← 1",
        "3  multiply  = 1.819  ← 2, 1",
        "4  add  · + 1  J = 2.819  ← 3",
    ]


@pytest.mark.parametrize("options", ALL)
def test_text_fits_a_terminal_and_leaves_nothing_out(nothing, options):
    drawn = picture(**options)
    text = drawn.to_text()
    assert max(map(len, text.splitlines())) <= 100
    joined = re.sub(r"[\s│]+", "", text)
    for box in drawn.scene.boxes:
        if box.shape != "plain" and not (drawn.scene.pinned and box.shape == "note"):
            for line in (line for column in box.columns for line in column):
                words = line.text.split()
                assert all(re.sub(r"\s", "", word) in joined for word in words), line


def test_a_layer_is_listed_in_one_piece():
    text = picture((3, 5, 5, 1), view="ops").to_text()
    assert re.findall(r"── (Layer \d)", text) == ["Layer 1", "Layer 2", "Layer 3"]


def test_operations_are_listed_after_what_they_are_made_from():
    for line in picture((3, *[5] * 49, 1), view="ops", fold=None).to_text().splitlines():
        if "←" in line:
            number, inputs = line.split()[0], line.split("←")[1].split(",")
            assert all(int(i) < int(number) for i in inputs)


@pytest.mark.parametrize("options", ALL)
def test_mermaid_has_every_box_and_arrow_once(nothing, options):
    drawn = picture(**options)
    text = drawn.to_mermaid()
    assert text.startswith("flowchart LR\n")
    boxes = [box for box in drawn.scene.boxes if box.shape not in ("plain", "note")]
    for box in boxes:
        assert len(re.findall(rf"^ *{box.id}[\[(]", text, re.MULTILINE)) == 1
    arrows = re.findall(r"^ *(\w+) (?:-->|-\.->) (\w+)$", text, re.MULTILINE)
    assert arrows == [(arrow.tail, arrow.head) for arrow in drawn.scene.arrows]
    assert text.count("    subgraph ") == text.count("    end\n") == len(drawn.scene.groups)
    coloured = [n for line in re.findall(r"linkStyle ([\d,]+)", text) for n in line.split(",")]
    assert sorted(map(int, coloured)) == list(range(len(arrows)))


def test_a_band_holds_its_layer():
    inside = picture().to_mermaid().split("subgraph L2")[1].split("end")[0]
    assert re.findall(r"^ +(\w+)[\[(]", inside, re.MULTILINE) == ["P2", "F2", "C2", "B2", "G2"]


def test_any_name_is_only_text():
    drawn = draw(np.sum(tg.Tensor([1.0], name=NASTY) * tg.Tensor([1.0], name="\x00\x1b\ud800")))
    assert '<b>&"|{}\\ \\N 😀 中文 ]]> </script>' in drawn.to_text()
    assert "\x1b" not in drawn.to_text()
    for line in drawn.to_mermaid().splitlines():
        assert line.count('"') in (0, 2)
        label = line.split('"')[1] if '"' in line else ""
        assert not set('<>&`"\\{}|*_') & set(label.replace("<br/>", ""))
    assert drawn.to_text().encode()
    assert drawn.to_mermaid().encode()


def test_a_plain_digraph_has_neither():
    with pytest.raises(TypeError, match=r"to_text\(\) needs a picture made by draw\(\)"):
        Picture().to_text()
    with pytest.raises(TypeError, match=r"to_mermaid\(\) needs a picture made by draw\(\)"):
        Picture().to_mermaid()
