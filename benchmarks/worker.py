"""The child's side: one process, pinned to its cores, that builds one contestant and runs it.

    python -m benchmarks.worker CONTESTANT CORES [TREE]

Requests come pickled on standard input as (name, *arguments), each is a function below; answers
go pickled to standard output as ("ok", result), ("absent", why) or ("failed", why).
"""

import gc
import importlib
import importlib.metadata
import os
import pickle
import sys
import time
import traceback
import tracemalloc
from typing import Any, BinaryIO

import numpy as np

from benchmarks import recording
from benchmarks.cases import Case, problem

PINNED = hasattr(os, "sched_setaffinity")


class Worker:
    """Holds the contestant; its methods are the requests it answers.

    On one core its clock is that of the process, which stops while somebody else has the core.
    """

    def __init__(self, name: str, cores: int) -> None:
        self._module = importlib.import_module(f"benchmarks.contestants.{name}")
        self._contestant: Any = None
        self._clock = time.process_time if cores == 1 and PINNED else time.perf_counter

    def title(self) -> tuple[str, dict[str, str]]:
        """Return what the contestant is called, and the versions of its packages."""
        packages = self._module.PACKAGES
        return self._module.TITLE, {p: importlib.metadata.version(p) for p in packages}

    def build(self, case: Case, dtype: str) -> float:
        """Build the contestant for ``case``; return the seconds until its first step was taken.

        The step is taken by a contestant that is then thrown away: the next run begins anew.
        """
        start = time.perf_counter()
        self._module.build(problem(case, dtype)).run(1)
        seconds = time.perf_counter() - start
        self._contestant = self._module.build(problem(case, dtype))
        gc.collect()
        return seconds

    def run(self, n: int) -> tuple[float, list | None]:
        """Take ``n`` steps; return the last cost and the parameters after it."""
        cost = self._contestant.run(n)
        parameters = self._contestant.parameters
        return cost, parameters and [p.copy() for p in parameters()]

    def time(self, n: int) -> float:
        """Return the seconds per step of ``n`` steps, after a few to warm up again."""
        self._contestant.run(1 + n // 4)
        start = self._clock()
        self._contestant.run(n)
        seconds = (self._clock() - start) / n
        if self._clock is not time.process_time:
            fall_asleep()
        return seconds

    def recorded(self, case: Case, dtype: str) -> recording.Turn:
        """Return the seconds of eager steps, of recording one, and of planning."""
        return recording.turn(self._module, case, dtype)

    def peaks(self, case: Case, dtype: str) -> tuple[int, int]:
        """Return the most bytes held in the first step, and the arrays' most in later ones.

        Both beyond what was held before the first step; what is kept from one step for the next
        counts.  What NumPy allocates is told from the rest by its domain.
        """
        self._module.build(problem(case, dtype)).run(1)  # what imports hold is not its memory
        tracemalloc.start()
        contestant = self._module.build(problem(case, dtype))
        objects, arrays = _held()
        tracemalloc.reset_peak()
        contestant.run(1)
        first = tracemalloc.get_traced_memory()[1] - objects - arrays
        contestant.run(2)
        objects, _ = _held()
        tracemalloc.reset_peak()
        contestant.run(2)
        later = tracemalloc.get_traced_memory()[1] - objects - arrays
        tracemalloc.stop()
        return first, later

    def blas(self) -> str:
        """Return which BLAS runs, and which of its kernels, as far as can be found out."""
        try:
            from threadpoolctl import threadpool_info
        except ImportError:
            return "unknown (threadpoolctl is not installed)"
        keys = ("internal_api", "version", "architecture", "num_threads")
        found = [
            " ".join(str(library.get(k)) for k in keys)
            for library in threadpool_info()
            if library["user_api"] == "blas"
        ]
        return "; ".join(f"{f} thread(s)" for f in found) or "none found"


def fall_asleep() -> None:
    """Wait until this process does nothing: OpenBLAS's threads look for work for some 0.1 s more.

    They would do so on a core that the next contestant counts on.
    """
    used, now = -1.0, time.process_time()
    while now - used > 0.001:
        time.sleep(0.05)
        used, now = now, time.process_time()


def serve(worker: Worker, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more."""
    while True:
        try:
            request, *arguments = pickle.load(requests)
        except EOFError:
            return
        answer = _attempt(lambda r=request, a=arguments: getattr(worker, r)(*a))
        pickle.dump(answer, answers)
        answers.flush()


def _held() -> tuple[int, int]:
    """Return the bytes held by Python's objects, and those held by NumPy's arrays."""
    gc.collect()
    held = tracemalloc.get_traced_memory()[0]
    domain = tracemalloc.DomainFilter(inclusive=True, domain=np.lib.tracemalloc_domain)
    arrays = sum(t.size for t in tracemalloc.take_snapshot().filter_traces([domain]).traces)
    return held - arrays, arrays


def _attempt(f) -> tuple[str, Any]:
    try:
        return "ok", f()
    except ImportError as error:
        return "absent", str(error)
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        return "failed", f"{type(error).__name__}: {error}".splitlines()[0]


def main() -> None:
    name, cores, *tree = sys.argv[1:]
    if PINNED:
        os.sched_setaffinity(0, map(int, cores.split(",")))
    if tree:  # another state of the package, to be raced against this one
        sys.path.insert(0, tree[0])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    made = _attempt(lambda: Worker(name, len(cores.split(","))))
    pickle.dump((made[0], None if made[0] == "ok" else made[1]), answers)
    answers.flush()
    if made[0] == "ok":
        serve(made[1], sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
