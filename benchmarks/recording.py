"""Recording: what the first call of a step under ``tg.jit`` costs, counted in eager steps.

The first call takes the step for real, writes down its calls, and plans how they are replayed.
*Recording* is all until planning begins: to look for what is live, the step itself, what it leaves
behind.  Both are those of a process that has recorded before, so that imports and the loading of
machine code, once per process, do not count; network, Tensors and function are new each time.

An eager step, too, takes longer the first time that a new network takes it, when nothing of it is
in the processor's caches: like is compared with like, *the first* with the first.  Beside it stands
how many *later* ones, as in a loop, the same recording takes.
"""

from collections.abc import Iterator
from importlib import import_module
from time import process_time
from types import ModuleType
from typing import NamedTuple

from benchmarks.cases import CASES, Case, problem
from benchmarks.child import AbsentError, Child, Entry
from benchmarks.contestants import Contestant

PAUSE = 0.005  # seconds that later eager steps are taken for, at least
HOW = {"jit": "and planning, NumPy alone", "accel": "and planning, accel"}
FIRST = "recording, in first steps"
LATER = "recording, in later steps"
COUNTED = (FIRST, LATER, *HOW.values())


class Turn(NamedTuple):
    """Seconds of an eager step of a new network, of later ones, of recording one, of planning."""

    first: float
    later: float
    recording: float
    planning: float


def turn(contestant: ModuleType, case: Case, dtype: str) -> Turn:
    """Return the seconds that eager steps, and the first call of ``contestant``, take."""
    from benchmarks.contestants import eager  # a worker first chooses where our package is

    steps = _eager_steps(eager.build(problem(case, dtype)))
    return Turn(*steps, *_first_call(contestant.build(problem(case, dtype))))


def _eager_steps(contestant: Contestant) -> tuple[float, float]:
    """Return the seconds of the first step, and of later ones: a first call comes as long after."""
    start = process_time()
    contestant.run(1)
    first = process_time() - start
    start, n = process_time(), 0
    while not n or process_time() - start < PAUSE:
        contestant.run(1)
        n += 1
    return first, (process_time() - start) / n


def _first_call(contestant: Contestant) -> tuple[float, float]:
    """Return the seconds of recording, which are over when planning begins, and of the rest."""
    module = import_module("tinygrad_dnn.replay.jit")
    plan, times = module.Plan, [0.0]

    def timed(*args):
        times.append(process_time())
        return plan(*args)

    module.Plan = timed
    try:
        times[0] = process_time()
        contestant.run(1)
        end = process_time()
    finally:
        module.Plan = plan
    start, recorded = times
    return recorded - start, end - recorded


def counted(rounds: int, dtype: str) -> Iterator[tuple[str, dict[str, list[float]]]]:
    """Yield, for every case, how many eager steps recording takes, round by round."""
    for case in CASES.values():
        found: dict[str, list[float]] = {FIRST: [], LATER: []}
        for name, how in HOW.items():
            try:
                with Child(Entry(name)) as child:
                    turns = [child.ask("recorded", case, dtype) for _ in range(rounds + 1)]
            except AbsentError as error:
                print(f"  {name} out: {error}")
                continue
            found[FIRST] += [t.recording / t.first for t in turns[1:]]
            found[LATER] += [t.recording / t.later for t in turns[1:]]
            found[how] = [(t.recording + t.planning) / t.later for t in turns[1:]]
        yield case.name, found
