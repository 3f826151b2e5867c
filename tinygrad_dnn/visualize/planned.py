"""Planned: a plan of ``tg.jit`` as a computation to be drawn: its calls, and where results live.

A plan's arrays hold whatever the last replay left there, so its numbers are never shown.
"""

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
    remarks = {node: f"buffer {number}" for node, number in plan.buffers.items()}
    remarks |= {state.before: "live" for state in plan.program.state}
    return remarks | dict.fromkeys(plan.memory.views, "a view")


def note_of(plan: Plan) -> str:
    """Return what a picture does not show by itself."""
    sharing = "Results with the same buffer stand in the same memory, one after the other."
    return f"{plan.summary}. {sharing}"
