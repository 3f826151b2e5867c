"""Order: what is left in live places is computed as soon as it can be.

Then what it is made of is still near, and gives its memory back early.
"""

from collections.abc import Sequence

from tinygrad_dnn.graph import Node
from tinygrad_dnn.replay.passes import is_elementwise
from tinygrad_dnn.replay.program import Call, Program

LARGE = 1 << 20  # bytes: smaller ones are quickest all together at the end, call by equal call


def updates_early(program: Program) -> None:
    """Bring forward the elementwise calls on large arrays that only live places need."""
    uses, left = program.uses(), {s.after for s in program.written}
    returned = set(program.ends) - left
    moved: set[Node] = set()
    for call in reversed(program.calls):
        readers = uses.get(call, ())
        needed_at_once = call in returned or not moved.issuperset(readers)
        if is_elementwise(call) and call.value.nbytes >= LARGE and not needed_at_once:
            moved.add(call)
    brought_forward(program, [call for call in program.calls if call in moved])


def brought_forward(program: Program, moved: Sequence[Call]) -> None:
    """Put each of ``moved`` right after what it needs, and all that reads what it overwrites."""
    apart = set(moved)
    rest = [c for c in program.calls if c not in apart]
    overwritten = {s.before: s.before for s in program.written if s.after in apart}  # and views
    last: dict[Node, int] = {}  # where each is made, or read for the last time
    for i, call in enumerate(rest):
        last[call] = i
        for a in call.parents:
            if a in overwritten:
                last[overwritten[a]] = i
        if call.base in overwritten:
            overwritten[call] = overwritten[call.base]
    due: dict[int, list[Call]] = {}
    for call in moved:
        last[call] = max(last.get(a, -1) for a in call.parents)
        due.setdefault(last[call], []).append(call)
    program.calls[:] = due.get(-1, [])
    for i, call in enumerate(rest):
        program.calls += [call, *due.get(i, ())]
