"""The page of results, docs/benchmarks.md, written from docs/benchmarks.json."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from benchmarks import recording, studies
from benchmarks.cases import CASES
from benchmarks.contestants import HAND
from benchmarks.interval import median_of
from benchmarks.race import Result
from benchmarks.results import FILE, load, unpacked

PAGE = FILE.with_suffix(".md")
FIGURES = FILE.with_suffix("")

HEAD = """# How fast

Written by `python -m benchmarks page` from `docs/benchmarks.json`; `python -m benchmarks all`
measures it anew (`pip install -e ".[bench]"` brings the other libraries).

One training step is forward, binary cross-entropy, backward, gradient descent on one full batch.
Every library is a process of its own on the same core, and its time is what it had of that core; in
every round each takes the same number of steps, at least five in a row, in changing order.  A round
gives each one ratio, its time over that of the same step written by hand in NumPy
(`benchmarks/contestants/hand.py`) in that round.  Shown are the median of the ratios and, in
brackets, its 95 % bootstrap interval.  Before the race all take 20 steps from the same numbers;
who is then more than ten times as far from where the hand-written step comes to in float64 as that
step itself is, and farther than rounding takes one (1e-5, in float64 1e-11), does not race.
"""
NOT_RACED = """Not raced: Chainer 7.8.1 cannot be installed with today's setuptools (it imports
`pkg_resources`), DeZero cannot be imported with NumPy 1.24 or newer (it uses `np.int`).
"""
FIRST = (
    "Seconds until the first step is done: building, recording, compiling (caches as they were)."
)
FITTED = "{}; a line is fitted with the least relative errors, the worst of which is given.\n"
BEGUN = """Building, recording and taking the first step with the extra `accel`: cold, where the
kernels have to be compiled (once on a machine, for all networks), and then with what was kept.
"""
COUNTED = """The first call of a function under `tg.jit` takes the step for real, writes its calls
down, and plans how they are replayed.  Counted is all of that call: to look for what is live, the
step itself, which is one of those counted, and what it leaves behind; in the lower rows the
planning too.  An eager step takes longer when a network takes it for the first time, since little
of it is in the processor's caches: the first row is the first call under `tg.jit` over the first
call without, both of new networks, in the same round and process.  The other rows are over the
steps that follow, 5 ms of them.  The process, whose clock it is, has recorded before: what is done
once, as imports and the loading of machine code, is in the section above.  Float32.
"""
THREADS = """Time over that of the same contestant with one thread on one core, float32.  Two
threads are timed by a clock on the wall: what others had of the two cores meanwhile counts too."""
PEAK = "Peaks, float32, beyond data and parameters, in KiB (and over that by hand).\n"


def write() -> None:
    """Write the page and its figures."""
    results = load()
    sections: dict[str, Callable[[Any], Iterator[str]]] = {
        "race": _race,
        "growth": _growth,
        "first": _begun,
        "recording": _recording,
        "memory": _memory,
        "threads": _threads,
    }
    lines = [HEAD]
    for name, section in sections.items():
        if name in results:
            lines += section(results[name]["found"])
            measured = results[name]["machine"]
            lines.append(
                "Measured on: " + "; ".join(f"{k} {v}" for k, v in measured.items()) + ".\n"
            )
    PAGE.write_text("\n".join(lines))


def _race(found: dict[str, Any]) -> Iterator[str]:
    from benchmarks import figures  # matplotlib is needed only here

    dtypes = list(next(iter(found.values())))
    yield "## The race\n"
    cases = [CASES[name] for name in found]
    yield from table(["case", "layers", "m"], [[c.name, f"`{c.units}`", f"{c.m}"] for c in cases])
    for dtype in dtypes:
        races = {case: unpacked(of[dtype]) for case, of in found.items()}
        figures.ratios(FIGURES / f"ratios-{dtype}.svg", races)
        yield f"### {dtype}\n"
        yield f"![ratios to NumPy by hand](benchmarks/ratios-{dtype}.svg)\n"
        names = list(next(iter(races.values())))
        rows = [
            [_title(n, races.values()), *(_ratio(r[n], r[HAND]) for r in races.values())]
            for n in names
        ]
        yield from table(["times as long as by hand", *races], rows)
        firsts = [
            [_title(n, races.values()), *(_first(r[n]) for r in races.values())] for n in names
        ]
        yield f"{FIRST}\n"
        yield from table(["first step", *races], firsts)
        yield from _outs(dtype, races)
    yield NOT_RACED


def _outs(dtype: str, races: dict[str, dict[str, Result]]) -> Iterator[str]:
    outs: dict[str, list[str]] = {}
    for case, results in races.items():
        for name, result in results.items():
            if result.out:
                outs.setdefault(f"{result.title or name}: {result.out}", []).append(case)
    for why, cases in outs.items():
        yield f"- {why} ({', '.join(cases)})"
    if outs:
        yield ""


def _growth(found: dict[str, Any]) -> Iterator[str]:
    from benchmarks import figures

    yield "## Growth\n"
    yield FITTED.format(studies.DTYPE)
    for what, by_value in found.items():
        races = {int(value): unpacked(results) for value, results in by_value.items()}
        figures.growth(FIGURES / f"growth-{what}.svg", what, races)
        yield f"![growth in {what}](benchmarks/growth-{what}.svg)\n"
        rows = []
        for name in studies.COMPARED:
            there = {x: r for x, r in races.items() if not r[name].out}
            if not there:
                continue
            row = [_title(name, races.values())]
            if what != "n":
                a, b, worst = studies.line(list(there), [r[name].median for r in there.values()])
                row += [f"{a * 1e6:,.1f} us + {b * 1e6:,.3g} us {what}", f"{worst:.0%}"]
            ends = [there[x] for x in (min(there), max(there))]
            row += [f"{r[name].over(r[HAND]).median:.2f}" for r in ends]
            rows.append([*row, f"{ends[1][name].first:.2f} s"])
        fit = [] if what == "n" else ["a step", "worst"]
        ends = [f"by hand = 1, {what} = {x}" for x in (min(races), max(races))]
        first = f"first step, {what} = {max(races)}"
        yield from table([studies.ABOUT[what], *fit, *ends, first], rows)


def _begun(found: dict[str, dict[str, float]]) -> Iterator[str]:
    yield "## The first step in machine code\n"
    yield BEGUN
    head = list(next(iter(found.values())))
    rows = [[case, *(f"{of[state]:.2f} s" for state in head)] for case, of in found.items()]
    yield from table([studies.ABOUT["L"], *head], rows)


def _recording(found: dict[str, dict[str, list[float]]]) -> Iterator[str]:
    yield "## Recording, in eager steps\n"
    yield COUNTED
    rows = [
        [what, *(str(median_of(of[what])) if what in of else "-" for of in found.values())]
        for what in recording.COUNTED
    ]
    yield from table(["eager steps", *found], rows)


def _memory(found: dict[str, dict[str, list[int]]]) -> Iterator[str]:
    yield "## Memory\n"
    yield PEAK
    names = [name for name in studies.MEASURED if any(name in peaks for peaks in found.values())]
    for i, head in enumerate(("first step, with Python's objects", "later steps, arrays")):
        yield from table(
            [head, *found],
            [[name, *(_peak(name, i, peaks) for peaks in found.values())] for name in names],
        )


def _peak(name: str, i: int, peaks: dict[str, list[int]]) -> str:
    if name not in peaks:
        return "-"
    peak, by_hand = peaks[name][i], peaks[HAND][i]
    return f"{peak / 1024:,.0f} ({peak / by_hand:.2f})"


def _threads(found: dict[str, Any]) -> Iterator[str]:
    yield "## Two BLAS threads on two cores\n"
    yield f"{THREADS}\n"
    races = {case: unpacked(results) for case, results in found.items()}
    rows = [
        [
            _title(name, races.values()),
            *(_ratio(r[name + studies.TWO], r[name]) for r in races.values()),
        ]
        for name in studies.COMPARED
        if any(not r[name].out for r in races.values())
    ]
    yield from table(["two over one", *races], rows)


def table(head: list[str], rows: list[list[str]]) -> Iterator[str]:
    """Yield the lines of a table, and an empty one."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join(['---'] + ['--:'] * (len(head) - 1))}|"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def _title(name: str, races: Iterable[dict[str, Result]]) -> str:
    return next((r[name].title for r in races if r[name].title), name)


def _ratio(result: Result, reference: Result) -> str:
    return "-" if result.out or reference.out else str(result.over(reference))


def _first(result: Result) -> str:
    return "-" if result.out else f"{result.first:.2f}"
