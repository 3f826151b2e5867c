"""Every operation on samples of an installed PyTorch; ``python -m tests.opinfo`` runs more."""

import subprocess
import sys

import pytest

pytest.importorskip("torch")
pytest.importorskip("expecttest")  # which PyTorch's own tests need


def test_every_operation_agrees_with_pytorch():
    # a process of its own: PyTorch notes the stack for every sample, and pytest's is deep
    command = [sys.executable, "-W", "ignore", "-m", "tests.opinfo", "--limit", "12"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
