"""tinygrad-dnn check, @tg.checked, and the pytest plugin."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn.cli.program import main

MARKED = """
import numpy as np
import tinygrad_dnn as tg

@tg.checked(np.array([0.5, -1.0]))
def smooth(x): return np.sum(np.tanh(x) ** 2)

@tg.checked
def lesson():
    X = np.array([[1.0, 2.0, -1.0], [0.5, 0.0, 1.5]])
    params = {"W1": np.array([[0.3, -0.2]]), "b1": np.zeros((1, 1))}
    cost = lambda p: np.mean((p["W1"] @ X + p["b1"]) ** 2) / 2
    Z = params["W1"] @ X
    return cost, params, {"dW1": Z @ X.T / FACTOR, "db1": np.mean(Z, axis=1, keepdims=True)}

def unmarked(x): return x
"""
COURSE = [
    "%matplotlib inline\nimport numpy as np\nnp.random.seed(1)",
    "def forward_propagation(X, parameters):\n"
    "    Z1 = parameters['W1'] @ X + parameters['b1']\n"
    "    A1 = np.tanh(Z1)\n"
    "    Z2 = parameters['W2'] @ A1 + parameters['b2']\n"
    "    A2 = 1 / (1 + np.exp(-Z2))\n"
    "    return A2, {'Z1': Z1, 'A1': A1, 'Z2': Z2, 'A2': A2}\n",
    "def compute_cost(A2, Y):\n"
    "    losses = Y * np.log(A2) + (1 - Y) * np.log(1 - A2)\n"
    "    return float(np.squeeze(-np.sum(losses) / Y.shape[1]))\n",
    "def backward_propagation(parameters, cache, X, Y):\n"
    "    m = X.shape[1]\n"
    "    dZ2 = cache['A2'] - Y\n"
    "    dZ1 = (parameters['W2'].T @ dZ2) SLOPE\n"
    "    return {'dW1': dZ1 @ X.T / m, 'db1': np.sum(dZ1, axis=1, keepdims=True) / m,\n"
    "            'dW2': dZ2 @ cache['A1'].T / m, 'db2': np.sum(dZ2, axis=1, keepdims=True) / m}\n",
    "!ls\nX = np.random.randn(2, 9)\nY = (np.random.rand(1, 9) > 0.5) * 1\n"
    "parameters = {'W1': np.random.randn(4, 2), 'b1': np.zeros((4, 1)),\n"
    "              'W2': np.random.randn(1, 4), 'b2': np.zeros((1, 1))}\n",
]


@pytest.fixture(autouse=True)
def path_kept(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))


def written(tmp_path, text, name="mine.py"):
    (tmp_path / name).write_text(text)
    return str(tmp_path / name)


def notebook(tmp_path, slope):
    cells = [
        {"cell_type": "code", "source": cell.replace("SLOPE", slope).splitlines(True)}
        for cell in COURSE
    ]
    cells.insert(0, {"cell_type": "markdown", "source": ["# Week 3"]})
    return written(tmp_path, json.dumps({"cells": cells}), "week3.ipynb")


def test_marked_functions_are_checked(tmp_path, capsys):
    assert main(["check", written(tmp_path, MARKED.replace("FACTOR", "3"))]) == 0
    said = capsys.readouterr().out
    assert "smooth: gradcheck of smooth: right" in said
    assert "lesson: gradients by hand against the cost: right (2 rows)" in said
    assert "unmarked" not in said


def test_a_wrong_gradient_is_exit_code_1_and_is_named(tmp_path, capsys):
    assert main(["check", written(tmp_path, MARKED.replace("FACTOR", "1"))]) == 1
    assert "dW1: the factor 1/m is missing: it is m = 3 times too large" in capsys.readouterr().out


def test_one_function_by_its_name(tmp_path, capsys):
    file = written(tmp_path, MARKED.replace("FACTOR", "1"))
    assert main(["check", f"{file}:smooth"]) == 0
    assert "lesson" not in capsys.readouterr().out


def test_a_notebook_of_the_course(tmp_path, capsys):
    assert main(["check", notebook(tmp_path, "* (1 - cache['A1'] ** 2)")]) == 0
    assert "forward_propagation, compute_cost, backward_propagation" in capsys.readouterr().out
    assert main(["check", notebook(tmp_path, "")]) == 1
    assert "the factor tanh' = 1 - A1**2 is missing" in capsys.readouterr().out


def test_a_cost_with_params_and_grads(tmp_path, capsys):
    text = "cost = lambda p: (p['w'] ** 2).sum()\nimport numpy as np\n"
    text += "params = {'w': np.arange(3.0)}\ngrads = {'dw': params['w']}\n"
    assert main(["check", written(tmp_path, text)]) == 1
    assert "half the right value" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("x = 1", "", "there is nothing to check: mark functions with @tg.checked"),
        ("def f(x): return x", ":f", "f takes arguments, (x)"),
        ("def f(): return 7", ":f", "f gives the number 7; to be checked it must give a Report"),
        ("import tinygrad_dnn as tg\n@tg.checked\ndef f(): return 1 / 0", "", "line 3: ZeroDiv"),
        ("def f(:", "", "line 1: SyntaxError"),
    ],
)
def test_unusable_files(tmp_path, capsys, text, name, said):
    assert main(["check", written(tmp_path, text) + name]) == 2
    assert said in capsys.readouterr().err


def test_unusable_notebooks(tmp_path, capsys):
    assert main(["check", written(tmp_path, "{}", "a.ipynb")]) == 2
    assert "a.ipynb is no notebook that can be read" in capsys.readouterr().err
    cells = {"cells": [{"cell_type": "code", "source": ["x = 1\n", "y = undefined\n"]}]}
    assert main(["check", written(tmp_path, json.dumps(cells), "b.ipynb")]) == 2
    assert "[cell 1] line 2: NameError" in capsys.readouterr().err


def test_assert_gradients():
    assert tg.assert_gradients(lambda x: x**2, np.array([1.0, 2.0]))
    wrong = tg.check_backprop(lambda p: (p["w"] ** 2).sum(), {"w": [1.0, 2.0]}, {"dw": [1.0, 2.0]})
    with pytest.raises(AssertionError, match="half the right value"):
        tg.assert_gradients(wrong)


def test_the_plugin(tmp_path):
    written(
        tmp_path,
        "import numpy as np\n"
        "def test_right(assert_gradients): assert_gradients(np.tanh, np.array([0.5]))\n"
        "def test_wrong(assert_gradients):\n"
        "    import tinygrad_dnn as tg\n"
        "    assert_gradients(tg.check_backprop(lambda p: (p['w'] ** 2).sum(), {'w': [1.0, 2.0]},"
        " {'dw': [1.0, 2.0]}))\n",
        "test_mine.py",
    )
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "tinygrad_dnn.pytest_plugin"),
            *("-p", "no:cacheprovider", str(tmp_path)),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},  # installed, it would come twice
    )
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "half the right value" in done.stdout
    assert "checking/asserting.py" not in done.stdout


def test_marked_with_a_list(tmp_path, capsys):
    marked = "import tinygrad_dnn as tg\n@tg.checked([0.5, 2.0])\ndef f(x): return (x**2).sum()\n"
    assert main(["check", written(tmp_path, marked)]) == 0
    assert "gradcheck of f: right" in capsys.readouterr().out
