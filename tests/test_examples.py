"""The examples run, and say what their text promises."""

import importlib.util
import re
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_example_is_tested():
    tested = re.findall(r'load\("(\w+)"\)', Path(__file__).read_text(encoding="utf-8"))
    assert set(tested) == {path.stem for path in EXAMPLES.glob("*.py")}


def test_depth_separates_what_a_line_cannot(capsys):
    load("same_code_for_every_depth").main(iterations=400)
    percent = [float(p) for p in re.findall(r"accuracy ([\d.]+)%", capsys.readouterr().out)]
    assert len(percent) == 4
    assert percent[0] < 75 < 95 < percent[2]


def test_backprop_by_hand_agrees(capsys):
    load("backprop_by_hand").main()
    off = [float(x) for x in re.findall(r"difference (\S+)", capsys.readouterr().out)]
    assert len(off) == 4
    assert max(off) < 1e-12


def test_the_equations_are_the_course_s(capsys):
    load("equations_of_a_network").main()
    text = capsys.readouterr().out
    for equation in (
        "dZ3 = A3 − Y",
        "dW3 = (1/m) dZ3 A2ᵀ",
        "dA2 = W3ᵀ dZ3",
        "dZ2 = dA2 ∘ [Z2 > 0]",
    ):
        assert equation in text


def test_all_three_parity_networks_are_exact(capsys):
    load("parity_and_depth").main(sizes=(2, 4, 8))
    text = capsys.readouterr().out
    assert "WRONG" not in text
    assert re.search(r"n = 8: tree +6 layers, +\d+ hidden", text)
    assert re.search(r"n = 8: patterns +2 layers, +128 hidden", text)
    assert re.search(r"n = 8: sawtooth +2 layers, +8 hidden", text)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the largest rate diverges, as it should
def test_learning_rates_differ(capsys, tmp_path):
    load("choose_a_learning_rate").main(tmp_path, iterations=150)
    assert "best on the hold-out set:" in capsys.readouterr().out


def test_what_is_wrong_with_my_backprop_is_said(capsys):
    load("what_is_wrong_with_my_backprop").main()
    text = capsys.readouterr().out
    assert "dW2: the factor 1/m is missing: it is m = 20 times too large" in text
    assert "dZ1, not among the gradients, is the root: the factor tanh' = 1 - A1**2" in text


def test_an_operation_of_your_own_is_right(capsys):
    load("an_operation_of_your_own").main()
    assert "right" in capsys.readouterr().out
