"""Styles: an explanation as a LaTeX document's body, as Markdown and as HTML."""

from html import escape

from tinygrad_dnn.visualize.equations.explanation import Equation, Explanation, Given
from tinygrad_dnn.visualize.equations.lines import shape_text, value_lines

CSS = (
    ".tg-equations td, .tg-equations th {text-align: left; padding: 0.15em 1em 0.15em 0; "
    "border: 0; background: none} .tg-equations .shape {opacity: 0.7; white-space: nowrap} "
    ".tg-equations pre {margin: 0 0 0 1.5em; font-size: 85%}"
)


def latex(explanation: Explanation) -> str:
    """Return headings and one ``align*`` per part."""
    blocks = [r"\textbf{" + _plain(explanation.title) + "}"]
    if explanation.given:
        blocks.append("Given: " + ", ".join(f"${_with_shape(g)}$" for g in explanation.given) + ".")
    for part, heading in explanation.headings.items():
        rows = [_row(e) for e in explanation.part(part)]
        body = " \\\\\n".join(f"  {row}" for row in rows)
        blocks.append(f"{_plain(heading)}\n\\begin{{align*}}\n{body}\n\\end{{align*}}")
    blocks += [_plain(note) for note in explanation.notes]
    return "\n\n".join(blocks)


def markdown(explanation: Explanation) -> str:
    """Return Markdown with the equations between ``$$``."""
    blocks = [f"**{explanation.title}**"]
    if explanation.given:
        blocks.append("Given: " + ", ".join(f"${_with_shape(g)}$" for g in explanation.given) + ".")
    for part, heading in explanation.headings.items():
        rows = " \\\\\n".join(_row(e) for e in explanation.part(part))
        blocks.append(f"*{heading}*")
        blocks.append(f"$$\n\\begin{{aligned}}\n{rows}\n\\end{{aligned}}\n$$")
    return "\n\n".join([*blocks, *explanation.notes])


def _row(e: Equation) -> str:
    number = rf" \quad \text{{{e.number}}}" if e.number else ""
    return f"{e.form.left} &= {e.form.right} && {_shape(e.shape)}{number}"


def _with_shape(g: Given) -> str:
    return rf"{g.form.left} \in \mathbb{{R}}^{{{_dims(g.shape)}}}" if g.shape else g.form.left


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
