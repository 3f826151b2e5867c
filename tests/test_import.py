"""Importing the package is light: NumPy, graphviz, and nothing that an extra brings."""

import subprocess
import sys


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
