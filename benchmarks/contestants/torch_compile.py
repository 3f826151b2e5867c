"""PyTorch with ``torch.compile`` on the cost and on the update; needs a C++ compiler."""

import torch

from benchmarks.cases import Problem
from benchmarks.contestants import Contestant, torch_eager

TITLE = "PyTorch compile"
PACKAGES = ("torch",)


def build(problem: Problem) -> Contestant:
    return torch_eager.build(problem, compiled=torch.compile)
