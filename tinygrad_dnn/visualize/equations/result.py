"""Result: an explanation that can show itself."""

from dataclasses import dataclass

from tinygrad_dnn.visualize.equations.explanation import Explanation
from tinygrad_dnn.visualize.equations.lines import text
from tinygrad_dnn.visualize.equations.styles import html, latex, markdown

WRITERS = {"text": text, "latex": latex, "markdown": markdown, "html": html}


@dataclass(frozen=True, repr=False)
class Explained(Explanation):
    """What ``tg.explain`` returns: ``given`` and ``equations`` as data.

    ``str()`` is the text in the style asked for, and notebooks show the equations set as
    mathematics.  ``explanation["dW1"]`` is one equation.
    """

    style: str = "text"

    def __str__(self) -> str:
        return WRITERS[self.style](self)

    __repr__ = __str__  # what a prompt shows is for people; the data are attributes

    def to(self, style: str) -> str:
        """Return it in another style: "text", "latex", "markdown" or "html"."""
        if style not in WRITERS:
            raise ValueError(f"style={style!r}: choose from {', '.join(map(repr, WRITERS))}")
        return WRITERS[style](self)

    def _repr_html_(self) -> str:
        return html(self)

    def _repr_markdown_(self) -> str:
        return markdown(self)

    def _repr_latex_(self) -> str:
        return latex(self)
