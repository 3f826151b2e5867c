"""The command ``python -m benchmarks``."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import page, recording, studies
from benchmarks.cases import CASES
from benchmarks.child import Entry
from benchmarks.contestants import HAND, NAMES, OURS
from benchmarks.interval import median_of
from benchmarks.machine import machine
from benchmarks.race import Result, race
from benchmarks.results import PROJECT, keep, packed

DTYPES = ("float32", "float64")
Measured = tuple[bool, dict]  # whether all is right, and what is to be kept


def line(result: Result, hand: Result) -> str:
    """Return a result in a line: its ratio to the hand-written step, then its times."""
    if result.out:
        return f"  {result.title:30} out: {result.out}"
    return (
        f"  {result.title:30} {result.over(hand)!s:24} {result.median * 1e6:12,.1f} us"
        f"   {result.stray:8.1e} off   first {result.first:.2f} s"
    )


def shown(results: dict[str, Result]) -> bool:
    """Print the results of one race; return whether all that took part came through."""
    for result in results.values():
        print(line(result, results[HAND]), flush=True)
    return not any(result.broken for result in results.values())


def raced(options: argparse.Namespace) -> Measured:
    """Race the chosen contestants in the chosen cases."""
    entries = [Entry(name) for name in NAMES if name in {HAND, *options.only}]
    right, found = True, {}
    with earlier(options.against) as tree:
        suffix = f" at {options.against}"
        then = [Entry(e.contestant, tree=tree, suffix=suffix) for e in entries if tree]
        then = [entry for entry in then if entry.contestant in OURS]
        for case in map(CASES.get, options.cases):
            for dtype in options.dtypes:
                print(f"{case.name}: {case.units}, m = {case.m}, {dtype}", flush=True)
                results = race(case, dtype, entries + then, options.rounds)
                right = shown(results) and right
                for entry in then:
                    old, new = results[entry.name], results[entry.contestant]
                    if not (old.out or new.out):
                        print(f"  {new.title}, now over {options.against}: {new.over(old)}")
                found.setdefault(case.name, {})[dtype] = packed(results)
    return right, found


def grown(options: argparse.Namespace) -> Measured:
    """Race ours against the hand-written step for growing L, m and n."""
    right, found = True, {}
    for what in studies.GROWTH:
        for value, results in studies.growth(what, options.rounds):
            print(f"{what} = {value}")
            right = shown(results) and right
            found.setdefault(what, {})[value] = packed(results)
    return right, found


def remembered(options: argparse.Namespace) -> Measured:
    """Measure the peak of memory of a step."""
    found = {}
    for case, peaks in studies.memory("float32"):
        print(case)
        for name, (first, later) in peaks.items():
            print(f"  {name:12} first step {first:12,} bytes, later {later:12,}", flush=True)
        found[case] = peaks
    return True, found


def begun(options: argparse.Namespace) -> Measured:
    """Measure how long the first step takes in machine code, compiled and kept from before."""
    found = {}
    for case, seconds in studies.first(studies.DTYPE):
        print(f"{case}: " + ", ".join(f"{state} {s:.2f} s" for state, s in seconds.items()))
        found[case] = seconds
    return True, found


def recorded(options: argparse.Namespace) -> Measured:
    """Count the eager steps that the first call under tg.jit takes: recording, and planning."""
    found = {}
    for case, counts in recording.counted(options.rounds, "float32"):
        print(case)
        for what, steps in counts.items():
            print(f"  {what:26} {median_of(steps)} eager steps", flush=True)
        found[case] = counts
    return True, found


def threaded(options: argparse.Namespace) -> Measured:
    """Race one BLAS thread against two."""
    right, found = True, {}
    for case, results in studies.threads(options.rounds, "float32"):
        print(case)
        right = shown(results) and right
        found[case] = packed(results)
    return right, found


def written(options: argparse.Namespace) -> Measured:
    """Write docs/benchmarks.md and its figures from what is kept in docs/benchmarks.json."""
    page.write()
    return True, {}


def everything(options: argparse.Namespace) -> Measured:
    """Measure everything, keep it, write the page."""
    options.save = True
    right = [done(name, options) for name, run in COMMANDS.items() if run is not everything]
    return all(right), {}


def done(name: str, options: argparse.Namespace) -> bool:
    """Run a command, keep what it has measured if that is asked for, and say how long it took."""
    start = time.perf_counter()
    right, found = COMMANDS[name](options)
    if found and options.save:
        keep(name, found)
    print(f"{name} in {time.perf_counter() - start:.0f} s", flush=True)
    return right


@contextmanager
def earlier(revision: str | None) -> Iterator[Path | None]:
    """Give a directory with the package as it was at ``revision``; None if there is none."""
    if revision is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as directory:
        command = ["git", "-C", PROJECT, "archive", revision, "tinygrad_dnn"]
        archive = subprocess.run(command, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", directory], input=archive, check=True)
        yield Path(directory)


def names(known):
    """Return what turns "a,b" into ["a", "b"], if all are ``known``."""

    def split(text: str) -> list[str]:
        given = text.split(",")
        if unknown := [name for name in given if name not in known]:
            raise argparse.ArgumentTypeError(
                f"there is no {', '.join(unknown)}; choose from {', '.join(known)}"
            )
        return given

    return split


COMMANDS = {
    "race": raced,
    "growth": grown,
    "first": begun,
    "recording": recorded,
    "memory": remembered,
    "threads": threaded,
    "page": written,
    "all": everything,
}


IN_ROUNDS = ("race", "growth", "recording", "threads", "all")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Race libraries on the same training step."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run in COMMANDS.items():
        command = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        command.set_defaults(command=name)
        if name not in ("page", "all"):
            command.add_argument(
                "--save",
                action="store_true",
                help="keep it for the page, in place of what is there",
            )
        if name in IN_ROUNDS:
            rounds = 40 if name in ("race", "all") else 10
            command.add_argument("--rounds", type=int, default=rounds, help="default: %(default)s")
        if name in ("race", "all"):
            every = list(DTYPES) if name == "all" else ["float32"]
            chosen = {"cases": (CASES, list(CASES)), "only": (NAMES, list(NAMES))}
            for what, (known, default) in (chosen | {"dtypes": (DTYPES, every)}).items():
                usual = "all" if default == [*known] else ", ".join(default)
                said = f"of {', '.join(known)}; default: {usual}"
                command.add_argument(
                    f"--{what}", type=names(known), default=default, metavar="A,B", help=said
                )
            command.add_argument(
                "--against", metavar="REV", help="race the package also as it was at a revision"
            )
    options = parser.parse_args()
    if options.command != "page":
        for what, value in machine().items():
            print(f"{what}: {value}")
    return 0 if done(options.command, options) else 1


if __name__ == "__main__":
    sys.exit(main())
