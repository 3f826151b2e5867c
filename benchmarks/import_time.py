"""Measure what ``import tinygrad_dnn`` costs beyond ``import numpy``.

    python benchmarks/import_time.py [--rounds 15]

Each round starts fresh interpreters, one for each import, in turn; printed are medians.
"""

import argparse
import statistics
import subprocess
import sys

PROGRAM = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"


def seconds(module):
    """Return the time of importing ``module`` in an interpreter of its own."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(module)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    times = {"numpy": [], "tinygrad_dnn": []}
    for _ in range(rounds):
        for module, found in times.items():
            found.append(seconds(module))
    numpy, ours = (statistics.median(found) for found in times.values())
    print(f"numpy {numpy:.3f} s, tinygrad_dnn {ours:.3f} s: {ours - numpy:.3f} s beyond numpy")


if __name__ == "__main__":
    main()
