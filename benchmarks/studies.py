"""Studies: how time and memory grow, how long the first step takes, what a second core is worth."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.cases import CASES, Case
from benchmarks.child import AbsentError, Child, Entry, FailedError
from benchmarks.contestants import HAND
from benchmarks.race import Result, race

COMPARED = (HAND, "eager", "jit", "accel")
MEASURED = (*COMPARED, "mygrad", "autograd")  # whose memory Python's tracemalloc can see
DTYPE = "float64"  # a thousand layers overflow float32

GROWTH = {
    "L": [Case(f"L = {L}", [16] * L + [1], 32) for L in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)],
    "m": [Case(f"m = {m}", [32, 32, 32, 1], m) for m in (16, 64, 256, 1024, 4096, 16384)],
    "n": [Case(f"n = {n}", [n] * 4 + [1], 64) for n in (4, 8, 16, 32, 64, 128, 256, 512, 1024)],
}
ABOUT = {
    "L": "layers, 16 units in each but the last, m = 32",
    "m": "examples, layers [32, 32, 32, 1]",
    "n": "units in each of four layers but the last, m = 64",
}


def growth(what: str, rounds: int) -> Iterator[tuple[int, dict[str, Result]]]:
    """Race ours against the hand-written step for growing L, m or n; yield its value with each."""
    entries = [Entry(name) for name in COMPARED]
    for case in GROWTH[what]:
        value = int(case.name.split(" = ")[1])
        yield value, race(case, DTYPE, entries, rounds)


def line(x: list[float], y: list[float]) -> tuple[float, float, float]:
    """Fit y = a + b x with the least relative errors; return a, b and the worst of these.

    >>> line([1, 2, 3], [3, 5, 7])
    (1.0, 2.0, 0.0)
    """
    x_, y_ = np.asarray(x, float), np.asarray(y, float)
    columns = np.stack([np.ones_like(x_), x_], axis=1)
    (a, b), *_ = np.linalg.lstsq(columns / y_[:, None], np.ones_like(y_), rcond=None)
    worst = np.max(np.abs(columns @ [a, b] / y_ - 1))
    return tuple(round(float(v), 12) + 0.0 for v in (a, b, worst))


def memory(dtype: str) -> Iterator[tuple[str, dict[str, list[int]]]]:
    """Yield, for every case, the peaks of each contestant: of the first step, of later ones."""
    for case in CASES.values():
        found = {}
        for name in MEASURED:
            try:
                with Child(Entry(name)) as child:
                    found[name] = list(child.ask("peaks", case, dtype))
            except (AbsentError, FailedError) as error:
                print(f"  {name} out: {error}")
        yield case.name, found


DEPTHS = (4, 1000)


def first(dtype: str) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the seconds to the end of the first step with ``accel``: cold, then with its cache."""
    for L in DEPTHS:
        case = Case(f"L = {L}", [16] * L + [1], 32)
        with TemporaryDirectory() as empty:
            found = {}
            for state in ("cold", "cached"):
                with Child(Entry("accel", cache=Path(empty))) as child:
                    child.ask("title")
                    found[state] = child.ask("build", case, dtype)
        yield case.name, found


TWO = " on two cores"


def threads(rounds: int, dtype: str) -> Iterator[tuple[str, dict[str, Result]]]:
    """Race, in every case, each with one BLAS thread and with two on as many cores."""
    entries = [Entry(name) for name in COMPARED]
    entries += [Entry(name, threads=2, suffix=TWO) for name in COMPARED]
    for case in CASES.values():
        yield case.name, race(case, dtype, entries, rounds)
