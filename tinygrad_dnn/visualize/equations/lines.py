"""Lines: an explanation as plain text."""

from typing import Any

import numpy as np

from tinygrad_dnn.visualize.equations.explanation import Equation, Explanation

FULL = 24  # the most entries of an array that is shown as it is
WIDE = 50  # an equation longer than this has its shape further right than the others


def text(explanation: Explanation) -> str:
    """Return the whole explanation as plain text."""
    blocks = [[explanation.title], _given(explanation)]
    width = max((len(e.name) for e in explanation.equations), default=0)
    right = _margin(explanation, width)
    for part, heading in explanation.headings.items():
        found = explanation.part(part)
        lines = [line for e in found for line in _line(explanation, e, width, right)]
        blocks.append([heading, *lines])
    blocks.append(list(explanation.notes))
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _given(explanation: Explanation) -> list[str]:
    width = max((len(g.name) for g in explanation.given), default=0)
    lines = []
    for g in explanation.given:
        lines.append(f"  {g.name:<{width}}  {shape_text(g.shape):<9} {g.remark}".rstrip())
        if explanation.numbers:
            lines += _indented(value_lines(g.value))
    return ["Given", *lines] if lines else []


def _margin(explanation: Explanation, width: int) -> int:
    """Return where shapes stand: after the longest equation that is not very long."""
    lengths = [width + 3 + len(e.expression) for e in explanation.equations]
    return max((n for n in lengths if n <= WIDE), default=WIDE)


def _line(explanation: Explanation, e: Equation, width: int, right: int) -> list[str]:
    equation = f"{e.name:<{width}} = {e.expression}"
    number = f"  {e.number}" if e.number else ""
    lines = [f"  {equation:<{right}}   {shape_text(e.shape)}{number}"]
    return lines + (_indented(value_lines(e.value)) if explanation.numbers else [])


def shape_text(shape: tuple[int, ...]) -> str:
    """Return a shape as NumPy writes it."""
    return str(tuple(int(n) for n in shape))


def value_lines(value: Any) -> list[str]:
    """Return an array in full if it is small, else what it is like."""
    data = np.asarray(value)
    if data.size <= FULL:
        return np.array2string(data, precision=6, suppress_small=False).splitlines()
    if data.dtype.kind not in "fiu":
        return [f"{data.size} entries of {data.dtype}"]
    low, high, mean = data.min(), data.max(), data.mean()
    return [f"from {low:.6g} to {high:.6g}, mean {mean:.6g}"]


def _indented(lines: list[str]) -> list[str]:
    return [f"      {line}" for line in lines]
