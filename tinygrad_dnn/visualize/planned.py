"""Planned: a plan of ``tg.jit`` as a computation to be drawn: its calls, and where results live.

A plan's arrays hold whatever the last replay left there, so its numbers are never shown.
"""

from collections.abc import Iterator

from tinygrad_dnn.graph import Node
from tinygrad_dnn.replay.plan import Plan


def ends_of(plan: Plan) -> dict[str, Node]:
    """Return what a replay leaves behind, by name: new parameters, gradients, results."""
    program, names = plan.program, plan.program.names
    ends = {f"new {names[s.before]}": s.after for s in program.written}
    for target, gradient in program.grads:
        of = target if isinstance(target, Node) else program.inputs[target]
        ends[f"d{names.get(of, of.name or 'input')}"] = gradient
    results = [node for node in program.results if isinstance(node, Node)]
    for i, node in enumerate(results, 1):
        ends["result" if len(results) == 1 else f"result {i}"] = node
    return {name: node for name, node in ends.items() if node.fn} or ends


def remarks_of(plan: Plan) -> dict[Node, str]:
    """Return where each value lives: in which buffer, in another one's, or outside of the plan."""
    memory, base = plan.memory, plan.memory.arena.ctypes.data
    starts = {
        node: array.ctypes.data - base
        for node, array in memory.arrays.items()
        if node.fn and 0 <= array.ctypes.data - base < max(1, memory.arena.nbytes)
    }
    number = {start: i for i, start in enumerate(sorted(set(starts.values())), 1)}
    remarks = {node: f"buffer {number[start]}" for node, start in starts.items()}
    remarks |= {state.before: "live" for state in plan.program.state}
    return remarks | dict.fromkeys(memory.views, "a view")


def notes_of(plan: Plan) -> Iterator[str]:
    """Yield what a picture does not show by itself."""
    steps, native = len(plan.steps), sum(not isinstance(step, Node) for step in plan.steps)
    code = f", {native} of them machine code" if native else ""
    yield (
        f"{len(plan.calls)} calls in {steps} steps{code}; {plan.bytes:,} bytes of buffers. "
        f"Results with the same buffer stand in the same memory, one after the other."
    )
