"""The parent's side of a worker: a process for one entry of a race, asked by pickled requests."""

import os
import pickle
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS")
SLOWED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")  # would choose another kernel than NumPy's own
ONE_THREAD = "--xla_cpu_multi_thread_eigen=false"


class AbsentError(Exception):
    """A contestant cannot take part here, as what it needs is not installed."""


class FailedError(Exception):
    """A contestant broke down."""


@dataclass(frozen=True)
class Entry:
    """A contestant in a race: with so many BLAS threads, and from which tree of the package."""

    contestant: str
    threads: int = 1
    tree: Path | None = None
    suffix: str = ""  # what tells it from another entry of the same contestant
    cache: Path | None = None  # where it keeps machine code, if not where it always does

    @property
    def name(self) -> str:
        """What tells it from all other entries."""
        return self.contestant + self.suffix


class Child:
    """A process that runs one contestant; a context, which ends it."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        command = [sys.executable, "-m", "benchmarks.worker", entry.contestant]
        command += [",".join(map(str, cores(entry.threads)))]
        self._process = subprocess.Popen(
            command + [str(entry.tree)] * bool(entry.tree),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(entry.threads, entry.cache),
            cwd=Path(__file__).parents[1],
        )
        try:
            self._answer()
        except Exception:
            self._process.kill()
            self._process.communicate()
            raise

    def ask(self, request: str, *arguments: Any) -> Any:
        """Return the answer to ``request``, one of the methods of ``worker.Worker``."""
        pickle.dump((request, *arguments), self._process.stdin)
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        try:
            state, result = pickle.load(self._process.stdout)
        except EOFError:
            raise FailedError(f"its process ended with {self._process.wait()}") from None
        if state == "absent":
            raise AbsentError(result)
        if state == "failed":
            raise FailedError(result)
        return result

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()  # closes its input, which ends it


def cores(n: int) -> list[int]:
    """Return the ``n`` cores that children are pinned to: the last ones there are."""
    if not hasattr(os, "sched_getaffinity"):
        return list(range(n))
    return sorted(os.sched_getaffinity(0))[-n:]


def environment(threads: int, cache: Path | None = None) -> dict[str, str]:
    """Return the environment of a child: so many threads, and the BLAS kernel of the machine."""
    kept = {k: v for k, v in os.environ.items() if k not in SLOWED}
    kept |= dict.fromkeys(THREADS, str(threads))
    if cache:
        kept["XDG_CACHE_HOME"] = str(cache)
    if threads == 1:
        kept["XLA_FLAGS"] = f"{kept.get('XLA_FLAGS', '')} {ONE_THREAD}".strip()
    return kept
