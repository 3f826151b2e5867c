"""The command line: targets in files, and the command that draws them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinygrad_dnn.cli.program import main
from tinygrad_dnn.cli.target import call, load
from tinygrad_dnn.cli.unusable import Unusable

FILE = """
import numpy as np
import tinygrad_dnn as tg
from beside import DIMS
from tinygrad_dnn import nn

rng = np.random.default_rng(0)
net = nn.Sequential.from_layer_dims(DIMS, rng=rng)
X, Y = np.ones((3, 8)), np.ones((1, 8))
number = 7
module_name = __name__

def network(): return net
def with_data(): return net, X, Y
def with_input(): return net, X
def wrong_data(): return net, X.T, Y
def tensor(): return np.sum(tg.Tensor([1.0, 2.0], name="x") ** 2)
def several():
    x = tg.Tensor([1.0, 2.0], name="x")
    return {"sine": np.sin(x), "sum": np.sum(x)}
def failing(): return tg.Tensor(np.ones((2, 3)), name="W") @ np.ones((4, 5))
def breaking(): return 1 / 0
def useless(): return "text"
def wanting(a, b=2): return a
class Broken:
    def __call__(self, x): return x
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    (tmp_path / "beside.py").write_text("DIMS = [3, 5, 1]\n")
    (tmp_path / "mine.py").write_text(FILE)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path / "mine.py"
    sys.modules.pop("beside", None)


# ---- targets ---------------------------------------------------------------------------------
def test_a_target_is_loaded_anew_each_time_and_is_nobodys_module(file):
    name = load(f"{file}:module_name")
    assert name != load(f"{file}:module_name")
    assert name not in ("__main__", "mine")
    assert load(f"{file}:number") == 7


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("mine.py", "'mine.py': give a file and what is in it, FILE.py:NAME"),
        ("{file}:", "give a file and what is in it, FILE.py:NAME"),
        ("nowhere.py:f", "there is no file nowhere.py"),
        ("{file}:tensr", "has no tensr; did you mean tensor?"),
        ("{file}:zzz", "has no zzz; it has"),
        ("{file.parent}/text.txt:f", "text.txt is no Python file: its name must end in .py"),
        ("{file.parent}/bad.py:f", "bad.py cannot be run: line 2: SyntaxError: "),
        ("{file.parent}/raises.py:f", "raises.py cannot be run: line 3: KeyError: 'k'"),
        ("{file.parent}/stops.py:f", "stops.py cannot be run: line 1: SystemExit: 3"),
    ],
)
def test_what_is_wrong_with_a_target_is_said(file, target, said):
    (file.parent / "text.txt").write_text("")
    (file.parent / "bad.py").write_text("x = 1\ndef f(:\n")
    (file.parent / "raises.py").write_text("x = {}\n\nx['k']\n")
    (file.parent / "stops.py").write_text("raise SystemExit(3)\n")
    with pytest.raises(Unusable) as error:
        load(target.format(file=file))
    assert said in str(error.value)


def test_a_function_that_takes_arguments_is_not_called(file):
    with pytest.raises(Unusable, match=r"takes arguments, \(a, b=2\); name a function that takes"):
        call(load(f"{file}:wanting"), "mine.py:wanting")


# ---- draw ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("net", "2 layers, [3, 5, 1]"),
        ("network", "2 layers, [3, 5, 1]"),
        ("with_data", "dW[1]"),
        ("with_input", "2 layers, [3, 5, 1]"),
        ("tensor", "graph of 2 operations"),
        ("several", "sine"),
    ],
)
def test_whatever_can_be_drawn_is_drawn_in_the_terminal(file, capsys, name, shown):
    assert main(["draw", f"{file}:{name}"]) == 0
    assert shown in capsys.readouterr().out


@pytest.mark.parametrize("name", ["failing", "wrong_data"])
def test_a_failed_pass_is_drawn_and_said(file, capsys, name):
    assert main(["draw", f"{file}:{name}"]) == 0
    said = capsys.readouterr()
    assert "failed" in said.out
    assert "it failed, and is drawn as far as it came" in said.err


@pytest.mark.parametrize(
    ("kind", "begins"),
    [
        ("svg", "<svg"),
        ("html", "<!doctype html>"),
        ("mmd", "flowchart"),
        ("txt", "block diagram"),
        ("gv", "digraph"),
        ("dot", "digraph"),
        ("GV", "digraph"),
    ],
)
def test_the_ending_of_the_file_is_its_format(file, tmp_path, capsys, kind, begins):
    out = tmp_path / "new" / f"net.{kind}"
    assert main(["draw", f"{file}:with_data", "-o", str(out)]) == 0
    assert out.read_text(encoding="utf-8").startswith(begins)
    assert capsys.readouterr().out == f"wrote {out}\n"


def test_the_options_are_those_of_draw(file, tmp_path, capsys):
    wanted = ["--view", "ops", "--direction", "TB", "--fold", "none", "--no-backward"]
    out = tmp_path / "net.gv"
    assert main(["draw", f"{file}:with_data", *wanted, "--title", "mine", "-o", str(out)]) == 0
    source = out.read_text(encoding="utf-8")
    assert 'rankdir="TB"' in source
    assert "mine" in source
    assert "dW[1]" not in source
    assert main(["draw", f"{file}:with_data", "--view", "ops", "--backward", "--no-shapes"]) == 0
    shown = capsys.readouterr().out
    assert "dW[1]" in shown
    assert "(5, 8)" not in shown
    assert main(["draw", f"{file}:with_data", "--backward-ops"]) == 0
    assert "Layer 2  5 → 1, backward" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        (
            "breaking",
            [],
            "mine.py:breaking cannot be drawn: line 22: ZeroDivisionError: ",
        ),
        ("useless", [], "draw() takes a network, a Tensor"),
        ("Broken", [], "draw(net) without X needs"),
        ("network", ["-o", "net"], "names no format; end it in .svg, .png or .pdf"),
        ("network", ["-o", "net.xyz"], "format='xyz': choose svg, png, pdf"),
        ("network", ["--fold", "2"], "fold=2: choose 3 or more layers"),
        ("network", ["--direction", "TB", "--view", "block"], "the block diagram runs LR"),
    ],
)
def test_unusable_input_exits_with_2_and_one_sentence(file, capsys, name, options, said):
    assert main(["draw", f"{file}:{name}", *options]) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.err.startswith("tinygrad-dnn: ")
    assert shown.out == ""


def test_what_cannot_be_written_is_said(file, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    out = str(tmp_path / "file" / "net.txt")
    assert main(["draw", f"{file}:network", "-o", out]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_options_are_checked(file, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["draw", f"{file}:network", "--fold", "x"])
    assert stop.value.code == 2
    assert "'x' is neither a whole number nor none" in capsys.readouterr().err


def test_the_command_runs_as_a_program_from_another_folder(file, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tinygrad_dnn", "draw", "../mine.py:with_data", "-o", "net.svg"],
        capture_output=True,
        text=True,
        cwd=elsewhere,
        env={"PYTHONPATH": str(Path(__file__).parents[1]), "PATH": ""},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (elsewhere / "net.svg").read_text(encoding="utf-8").startswith("<svg")


def test_a_reader_who_has_seen_enough_is_no_error(file):
    command = [sys.executable, "-m", "tinygrad_dnn", "draw", f"{file}:with_data"]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert done.stderr == ""
