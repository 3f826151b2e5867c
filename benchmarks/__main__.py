"""The command ``python -m benchmarks``."""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.cases import CASES
from benchmarks.child import Entry
from benchmarks.contestants import HAND, NAMES, OURS
from benchmarks.machine import machine
from benchmarks.race import Result, race

PROJECT = Path(__file__).parents[1]


def table(results: dict[str, Result]) -> str:
    """Return the results of one race as text: ratios to the hand-written step, then the times."""
    lines = []
    for result in results.values():
        name = f"  {result.title:26}"
        if result.out:
            lines.append(f"{name} out: {result.out}")
            continue
        ratio = result.over(results[HAND])
        lines.append(
            f"{name} {ratio!s:24} {result.median * 1e6:12,.1f} us   {result.stray:8.1e} off"
            f"   first {result.first:.2f} s"
        )
    return "\n".join(lines)


def raced(options: argparse.Namespace) -> bool:
    """Race the chosen contestants in the chosen cases; return whether all that ran ran right."""
    for what, value in machine().items():
        print(f"{what}: {value}")
    entries = [Entry(name) for name in NAMES if name in {HAND, *options.only}]
    right = True
    with earlier(options.against) as tree:
        if tree:
            entries += [
                Entry(e.contestant, tree=tree, suffix=f" at {options.against}")
                for e in entries
                if e.contestant in OURS
            ]
        for name in options.cases:
            case = CASES[name]
            for dtype in options.dtypes:
                print(f"{case.name}: {case.units}, m = {case.m}, {dtype}", flush=True)
                results = race(case, dtype, entries, options.rounds)
                print(table(results), flush=True)
                right = right and not any(result.broken for result in results.values())
                for entry in entries:
                    then = results[entry.name]
                    now = results[entry.contestant]
                    if entry.tree and not (then.out or now.out):
                        print(f"  {now.title}, now over {options.against}: {now.over(then)}")
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


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("race", help="race the same training step between libraries")
    command.set_defaults(run=raced)
    command.add_argument("--cases", type=names(CASES), default=list(CASES))
    command.add_argument("--only", type=names(NAMES), default=list(NAMES))
    command.add_argument("--dtypes", type=names(["float32", "float64"]), default=["float32"])
    command.add_argument("--rounds", type=int, default=40)
    command.add_argument(
        "--against", metavar="REV", help="race this package also as it was at a git revision"
    )
    options = parser.parse_args()
    return 0 if options.run(options) else 1


if __name__ == "__main__":
    sys.exit(main())
