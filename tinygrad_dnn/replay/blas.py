"""BLAS: what NumPy's is known to do, on which depends the form that is fastest for a product."""

import ctypes
import os
from collections.abc import Sequence
from functools import cache
from importlib import import_module

_CORES = ("SkylakeX", "Cooperlake", "SapphireRapids")  # OpenBLAS's names of those with AVX-512
_ASK_CORE = (
    "scipy_openblas_get_corename64_",
    "scipy_openblas_get_corename",
    "openblas_get_corename64_",
    "openblas_get_corename",
)


def are_rows(shape: Sequence[int], strides: Sequence[int], one: int = 1) -> bool:
    """Say if a matrix, or the transpose of one, lies row by row in such a way that BLAS reads it.

    That is each row in one piece, with entries of size ``one``, and whole entries from row to row.
    """
    down, right = strides
    return right == one and down >= shape[1] * one and not down % one


@cache
def has_small_kernels() -> bool:
    """Say if small products are computed without rearranging the matrices first.

    OpenBLAS does so where it has kernels for it, up to a million multiplications; its others, and
    other libraries, are not known to.
    """
    try:
        library = ctypes.CDLL(import_module("numpy._core._multiarray_umath").__file__)
    except OSError:  # NumPy is no library of its own
        return False
    for name in _ASK_CORE:
        if core := getattr(library, name, None):
            core.restype = ctypes.c_char_p
            return core().decode() in _CORES
    return False


def blas_threads() -> int:
    """Return how many threads BLAS uses, as far as that can be said beforehand."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        if os.environ.get(name, "").isdecimal():
            return int(os.environ[name])
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
