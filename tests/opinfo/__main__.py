"""``python -m tests.opinfo``: every sample of an installed PyTorch; what differs, and counts.

The exit code is 1 if anything differs that is not reviewed.

``--freeze`` writes frozen.npz anew: small samples, a few of each operation that the package has.
"""

import argparse
import sys
from collections import Counter

from tests.opinfo import frozen
from tests.opinfo.adapter import ADAPTER
from tests.opinfo.battery import Tally
from tests.opinfo.live import operations, samples
from tests.opinfo.reviewed import INTENDED, reviewed

SMALL = 150  # entries of a sample worth its place in the file
LARGE = 8000  # too many, even for the only one of its operation
EACH = 12  # samples of one operation in the file


def run(names, dtype, limit):
    """Print what differs unreviewed, what is left out, and counts; return whether any differs."""
    tally, needed, seen = Tally(), Counter(), 0
    for name, op in operations(names):
        for sample in samples(name, op, dtype, limit):
            seen += 1
            for mismatch in tally.run(sample) or ():
                if difference := reviewed(sample, mismatch):
                    needed[difference] += 1
                else:
                    print(f"{mismatch.kind:16s} {sample}  ->  {mismatch.text}")
    for title, left_out in (("not translated", tally.unsupported), ("no rule", tally.missing)):
        print(f"\n{title}: {sum(left_out.values())} samples")
        for (name, why), n in left_out.most_common():
            print(f"  {n:4d}  {name}: {why.split(';')[0]}")
    for difference in INTENDED:
        print(f"\nintended, seen {needed[difference]} times: {difference.reason}")
    print(
        f"\n{dtype}: {seen} samples; compared {sum(tally.operations.values())} of "
        f"{len(tally.operations)} operations ({len(tally.differentiated)} with gradients), "
        f"{tally.gradients} gradients; {len(tally.mismatches)} mismatches, "
        f"{sum(needed.values())} of them reviewed; "
        f"{dict(Counter(m.kind for _, m in tally.mismatches))}"
    )
    return len(tally.mismatches) > sum(needed.values())


def freeze():
    """Write the file: of each operation a few samples that are small, and translated."""
    kept = []
    for name, op in operations(set(ADAPTER)):
        tally = Tally()
        usable = [s for s in samples(name, op, rounded=True) if tally.run(s) is not None]
        usable.sort(key=lambda s: s.size)
        usable = [s for s in usable if s.size <= SMALL] or [s for s in usable[:1] if s.size < LARGE]
        usable.sort(key=lambda s: (not s.differentiated, -s.size))
        chosen = usable[:: max(1, -(-len(usable) // EACH))]
        kept += sorted(chosen, key=lambda s: s.number)
    size = frozen.save(kept)
    names = {s.op for s in kept}
    print(f"{len(kept)} samples of {len(names)} operations in {size / 1000:.0f} kB: {frozen.FILE}")


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.opinfo", description=__doc__)
    parser.add_argument("--only", nargs="*", help="names of operations")
    parser.add_argument("--dtypes", nargs="*", default=["float64", "float32"])
    parser.add_argument("--limit", type=int, default=60, help="samples of each operation")
    parser.add_argument("--freeze", action="store_true", help="write frozen.npz")
    options = parser.parse_args()
    if options.freeze:
        freeze()
        return 0
    names = set(options.only or ADAPTER)
    differ = [run(names, dtype, options.limit) for dtype in options.dtypes]
    return int(any(differ))


if __name__ == "__main__":
    sys.exit(main())
