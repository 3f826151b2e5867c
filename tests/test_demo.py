"""The demo and the command line, used as a newcomer uses them."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from tinygrad_dnn import nn
from tinygrad_dnn.cli.program import main

ROOT = Path(__file__).parents[1]
WRITTEN = {"index.html", "cost.png", "network.svg", "operations.svg", "backward.svg", "weights.npz"}


@pytest.fixture
def needs_demo_extra():
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    pytest.importorskip("tqdm")


class Links(HTMLParser):
    """Collects whatever a page would have to fetch, and what could run."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        if tag in ("script", "link", "object"):
            self.found.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href") and not value.startswith(("data:", "#")):
                self.found.append(value)


def test_the_demo_learns_digits_verifies_and_draws(needs_demo_extra, tmp_path, capsys):
    assert main(["demo", "--out", str(tmp_path / "new" / "out")]) == 0
    out = tmp_path / "new" / "out"
    assert {path.name for path in out.iterdir()} == WRITTEN
    text = capsys.readouterr().out
    hold_out = float(re.search(r"([\d.]+)% held out", text).group(1))
    assert hold_out >= 96
    assert "engine against equations, L = 3, m = 50: right" in text
    assert re.search(r"gradients of the cost: right", text)
    assert "gradients, by equations, differences and forward mode: right" in text
    net = nn.Sequential.load(out / "weights.npz")
    assert net(np.zeros((64, 2))).shape == (10, 2)
    assert (out / "cost.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("data", ["moons", "breast-cancer"])
@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_right_gradients_are_called_right_on_all_data(needs_demo_extra, tmp_path, data, seed):
    assert main(["demo", "--data", data, "--seed", seed, "--out", str(tmp_path)]) == 0


@pytest.mark.parametrize("options", [["--data", "moons"], ["--data", "breast-cancer"]])
@pytest.mark.parametrize("layers", ["", "5,4,3"])
def test_the_demo_takes_other_data_and_layers(needs_demo_extra, tmp_path, options, layers):
    options = [*options, "--layers", layers, "--epochs", "3", "--out", str(tmp_path)]
    assert main(["demo", *options]) == 0
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    links = Links()
    links.feed(page)
    assert links.found == []
    assert "<svg" in page


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--epochs", "0"], "'0' is not a positive whole number"),
        (["--epochs", "many"], "'many' is not a positive whole number"),
        (["--layers", "64,x"], "'x' is not a positive whole number"),
        (["--data", "cats"], "invalid choice: 'cats'"),
        (["--seed", "-1"], "'-1' is not a whole number from 0"),
        (["--layers", "64,100000000"], "'100000000' units in a layer are too many"),
    ],
)
def test_unusable_options_exit_with_2_and_a_reason(options, said, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["demo", *options])
    assert stop.value.code == 2
    assert said in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_found_before_training(
    needs_demo_extra, tmp_path, capsys
):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    assert main(["demo", "--out", str(in_the_way / "out")]) == 2
    said = capsys.readouterr()
    assert "cannot write to --out" in said.err
    assert said.out == ""


def test_without_a_command_the_help_is_shown(capsys):
    assert main([]) == 2
    assert "demo" in capsys.readouterr().out


def test_the_module_runs_as_a_program():
    done = subprocess.run(
        [sys.executable, "-m", "tinygrad_dnn", "demo", "--epochs", "x"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
