"""The same step under ``tg.jit``, replayed by native code: the extra ``accel``."""

from benchmarks.cases import Problem
from benchmarks.contestants import Contestant, jit

TITLE = "tinygrad_dnn jit, accel"
PACKAGES = ("numpy", "llvmlite")


def build(problem: Problem) -> Contestant:
    return jit.build(problem, native=True)
