"""docs/names.md: every line of it runs, has NumPy's value, and is differentiated right."""

import re
from pathlib import Path

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn import nn, special

PAGE = (Path(__file__).parent.parent / "docs" / "names.md").read_text()
SMOOTH, STEPS, RARER = (
    dict(re.findall(r"^\| `(\w+)` \| `(.+)` \|$", part, re.MULTILINE))
    for part in re.split(r"Without a derivative|The rarer ones", PAGE)
)
LINES = SMOOTH | RARER

rng = np.random.default_rng(0)
INPUTS = {
    "x": rng.normal(size=(3, 4)),
    "y": rng.normal(size=(3, 4)),
    "p": rng.uniform(0.2, 0.8, size=(3, 4)),
    "u": rng.normal(size=3),
    "v": rng.normal(size=3),
    "c": rng.uniform(0.2, 0.8, size=(3, 1)),
    "S": np.full((3, 3), 0.3) + np.diag([3.5, 3.1, 3.7]),
    "images": rng.normal(size=(2, 4, 5, 5)),
    "kernels": rng.normal(size=(4, 4, 2, 2)),
}
CONSTANTS = {
    "Y": rng.integers(0, 2, size=(3, 4)),
    "labels": np.array([0, 2, 1, 1]),
    "np": np, "nn": nn, "tg": tg, "special": special,
}  # fmt: skip


def used(line):
    return [name for name in INPUTS if re.search(rf"\b{name}\b", line)]


def call(line, names):
    """The line as a function of what it uses."""
    code = compile(line, line, "eval")
    return lambda *xs: eval(code, CONSTANTS | dict(zip(names, xs, strict=True)))


def test_the_page_holds_them_all():
    assert (len(SMOOTH), len(STEPS), len(RARER)) == (97, 9, 121)
    assert not set(SMOOTH) & set(RARER)


@pytest.mark.parametrize("name", LINES)
def test_a_line_is_differentiated(name):
    line = LINES[name]
    names = used(line)
    arrays = [INPUTS[n] for n in names]
    f = call(line, names)
    out = f(*map(tg.Tensor, arrays))
    assert isinstance(out, tg.Tensor)
    assert out.requires_grad
    if "like=" not in line:  # NumPy takes that of an array's kind only
        np.testing.assert_allclose(out.data, f(*arrays), rtol=1e-12, atol=1e-14)
    report = tg.gradcheck(f, *arrays)
    assert report, f"{line}\n{report}"


@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_recorded_with_derivative_zero(name):
    names = used(STEPS[name])
    f, arrays = call(STEPS[name], names), [INPUTS[n] for n in names]
    out = f(*map(tg.Tensor, arrays))
    np.testing.assert_array_equal(out.data, f(*arrays))
    assert not out.requires_grad
