"""Fold: which parts of a deep picture are drawn as one box.

Layers fold in the middle of the network; the operations of a long graph fold where they follow one
another.  A folded part is always convex (no path leaves it and comes back), so the folded graph
has no cycle.  Knows indices and neighbours only, nothing of nodes or boxes.
"""

from collections.abc import Iterable, Sequence

KEPT = 3  # operations shown at each end of a folded run


def middle(count: int, most: int | None) -> tuple[int, int] | None:
    """Return the range (start, stop) of ``count`` things to fold so that at most ``most`` are left.

    None if nothing needs folding.  Both ends keep equally many.

    >>> middle(50, 6)  # layers 3 ... 48 of 1 ... 50
    (2, 48)
    >>> middle(6, 6) is None
    True
    """
    if most is None or count <= most:
        return None
    kept = (most - 1) // 2
    return kept, count - kept


def between(parts: Iterable[int], parents: Sequence[Sequence[int]]) -> set[int]:
    """Return ``parts`` and everything on a path from one of them to another.

    ``parents[i]`` are the things that i was made from, all of them smaller than i.

    >>> sorted(between([0, 2], [[], [0], [1], [2]]))
    [0, 1, 2]
    """
    inside = set(parts)
    low, high = min(inside), max(inside)
    after: set[int] = set()
    for i in range(low, high + 1):
        if i in inside or any(p in after for p in parents[i]):
            after.add(i)
    before: set[int] = set()
    for i in range(high, low - 1, -1):
        if i in inside or i in before:
            before.add(i)
            before.update(p for p in parents[i] if p >= low)
    return after & before


def runs(
    operations: Sequence[int], inputs: Sequence[Sequence[int]], uses: Sequence[int]
) -> list[list[int]]:
    """Return the inner parts of all long chains: each operation made from the one before it alone.

    ``inputs[i]`` are the operations that i was made from, ``uses[i]`` how many were made from i.

    >>> runs(range(10), [[], *([i] for i in range(9))], [1] * 9 + [0])
    [[3, 4, 5, 6]]
    """
    chains: dict[int, list[int]] = {}  # by the operation the chain has reached
    for i in operations:
        before = inputs[i]
        if len(before) == 1 and uses[before[0]] == 1:
            chain = chains.pop(before[0])
            chain.append(i)
            chains[i] = chain
        else:
            chains[i] = [i]
    long = [c[KEPT : len(c) - KEPT] for c in chains.values() if len(c) > 2 * KEPT + 1]
    return sorted(long)


def plural(count: int, thing: str) -> str:
    """Return ``count`` things in words.

    >>> plural(1, "layer"), plural(1380, "parameter")
    ('1 layer', '1,380 parameters')
    """
    return f"{count:,} {thing}" + ("" if count == 1 else "s")
