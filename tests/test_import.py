"""Importing the package is light: NumPy, graphviz, and nothing that an extra brings."""

import subprocess
import sys

import pytest

import tinygrad_dnn as tg


def test_the_package_imports_nothing_heavy():
    program = (
        "import sys, tinygrad_dnn; "
        "print(*{name.split('.')[0] for name in sys.modules} & "
        "{'sklearn', 'scipy', 'matplotlib', 'tqdm', 'torch', 'jax', 'numba', 'pandas', 'pytest'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_what_is_imported_later_is_there_all_the_same():
    for name in ("gradcheck", "check_parameters", "draw", "explain", "fit", "special"):
        assert name in dir(tg)
        assert getattr(tg, name) is getattr(tg, name)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        tg.nothing  # noqa: B018


def test_drawing_is_not_imported_before_it_is_used():
    program = "import sys, tinygrad_dnn; print('graphviz' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
