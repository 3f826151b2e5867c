"""Styles: an explanation as a LaTeX document's body, as Markdown and as HTML."""

import re
from collections.abc import Iterator
from html import escape
from typing import Any

import numpy as np

from tinygrad_dnn.visualize.equations.explanation import Equation, Explanation, Given
from tinygrad_dnn.visualize.equations.lines import FULL, shape_text, value_lines

CSS = (
    ".tg-equations td, .tg-equations th {text-align: left; padding: 0.15em 1em 0.15em 0; "
    "border: 0; background: none} .tg-equations .shape {opacity: 0.7; white-space: nowrap} "
    ".tg-equations pre {margin: 0 0 0 1.5em; font-size: 85%}"
)


def latex(explanation: Explanation) -> str:
    """Return headings and one ``align*`` per part."""
    blocks = [r"\textbf{" + _plain(explanation.title) + "}"]
    if explanation.given:
        blocks.append(_given(explanation))
    for part, heading in explanation.headings.items():
        body = " \\\\\n".join(f"  {row}" for row in _rows(explanation, part))
        blocks.append(f"{_plain(heading)}\n\\begin{{align*}}\n{body}\n\\end{{align*}}")
    blocks += [_plain(note) for note in explanation.notes]
    return "\n\n".join(blocks)


def markdown(explanation: Explanation) -> str:
    """Return Markdown with the equations between ``$$``."""
    blocks = [f"**{explanation.title}**"]
    if explanation.given:
        blocks.append(_given(explanation))
    for part, heading in explanation.headings.items():
        rows = " \\\\\n".join(_rows(explanation, part))
        blocks.append(f"*{heading}*")
        blocks.append(f"$$\n\\begin{{aligned}}\n{rows}\n\\end{{aligned}}\n$$")
    return "\n\n".join([*blocks, *explanation.notes])


def _given(explanation: Explanation) -> str:
    given = [f"${_with_shape(g, explanation.numbers)}$" for g in explanation.given]
    return f"Given: {', '.join(given)}."


def _rows(explanation: Explanation, part: str) -> Iterator[str]:
    for e in explanation.part(part):
        yield _row(e)
        if explanation.numbers:
            yield f"& {_value(e.value)}"


def _value(value: Any) -> str:
    """Return an array in LaTeX in full if it is small, else what it is like."""
    data = np.asarray(value)
    if data.size > FULL or data.ndim > 2 or data.dtype.kind not in "fiu":
        return rf"\quad \text{{({' '.join(value_lines(data))})}}"
    if data.ndim == 0:
        return f"= {_number(data)}"
    rows = [" & ".join(map(_number, row)) for row in np.atleast_2d(data)]
    columns = "r" * np.atleast_2d(data).shape[1]
    body = r" \\ ".join(rows)
    return rf"= \left[\begin{{array}}{{{columns}}} {body} \end{{array}}\right]"


def _number(x: Any) -> str:
    r"""Return a number in LaTeX.

    >>> _number(0.25), _number(-1e-7), _number(np.inf)
    ('0.25', '-1 \\cdot 10^{-7}', '\\text{inf}')
    """
    if not np.isfinite(x):
        return rf"\text{{{x}}}"
    return re.sub(r"e\+?(-?)0*(\d+)", r" \\cdot 10^{\1\2}", f"{float(x):.6g}")


def _row(e: Equation) -> str:
    number = rf" \quad \text{{{e.number}}}" if e.number else ""
    return f"{e.form.left} &= {e.form.right} && {_shape(e.shape)}{number}"


def _with_shape(g: Given, numbers: bool) -> str:
    space = rf" \in \mathbb{{R}}^{{{_dims(g.shape)}}}" if g.shape else ""
    value = f" {_value(g.value)}" if numbers else ""
    in_full = value.startswith(" =")
    return g.form.left + (value + space if in_full else space + value)


def _dims(shape: tuple[int, ...]) -> str:
    return r" \times ".join(map(str, shape))


def _shape(shape: tuple[int, ...]) -> str:
    return rf"\scriptstyle {shape_text(shape)}"


def _plain(line: str) -> str:
    return line.replace("_", r"\_").replace("∂", r"$\partial$")


def html(explanation: Explanation) -> str:
    """Return a table of MathML, with a style of its own."""
    rows = []
    if explanation.given:
        rows.append(_heading("Given"))
        for g in explanation.given:
            rows.append(_html_row(g.form.mathml, g.shape, g.remark))
            rows += _values(explanation, g.value)
    for part, heading in explanation.headings.items():
        rows.append(_heading(heading))
        for e in explanation.part(part):
            rows.append(_html_row(e.form.mathml, e.shape, e.number))
            rows += _values(explanation, e.value)
    notes = "".join(f"<p>{escape(note)}</p>" for note in explanation.notes)
    return (
        f'<style>{CSS}</style><div class="tg-equations"><p><b>{escape(explanation.title)}</b></p>'
        f"<table>{''.join(rows)}</table>{notes}</div>"
    )


def _heading(words: str) -> str:
    return f'<tr><th colspan="3" scope="rowgroup">{escape(words)}</th></tr>'


def _html_row(math: str, shape: tuple[int, ...], remark: str) -> str:
    size = f'<td class="shape">{shape_text(shape)}</td>'
    return f"<tr><td>{math}</td>{size}<td>{escape(remark)}</td></tr>"


def _values(explanation: Explanation, value: object) -> list[str]:
    if not explanation.numbers:
        return []
    return [f'<tr><td colspan="3"><pre>{escape(chr(10).join(value_lines(value)))}</pre></td></tr>']
