"""The table that ``net.summary(X)`` returns: the layers, their parameters, their shapes."""

from collections.abc import Sequence
from typing import Any

from tinygrad_dnn.nn.parameters import parameters
from tinygrad_dnn.nn.steps import Step

HEAD = ("layer", "", "parameters", "result", "count")


def summary(steps: Sequence[Step], outputs: Sequence[Any] | None) -> str:
    """Return a line per step; ``outputs``, X and the result of every step, add the shapes."""
    lines = [HEAD]
    if outputs is not None:
        lines.append(("0", "input", "", f"A0 {outputs[0].shape}", ""))
    listed: set[int] = set()
    total = 0
    for i, (number, layer, result) in enumerate(steps, 1):
        own = {} if id(layer) in listed else parameters(layer)
        listed.add(id(layer))
        size = sum(tensor.size for tensor in own.values())
        total += size
        held = ", ".join(f"{t.name} {t.shape}" for t in own.values())
        shape = "" if outputs is None else str(outputs[i].shape)
        lines.append(
            (str(number), repr(layer), held, f"{result or ''} {shape}", f"{size:,}" if size else "")
        )
    lines.append(("", "", "", "all parameters", f"{total:,}"))
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if heading == "count" else cell.ljust(width)
            for heading, cell, width in zip(HEAD, line, widths, strict=True)
        ).rstrip()
        for line in lines
    )
