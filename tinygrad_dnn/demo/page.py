"""The demo's page: one self-contained HTML file, with nothing to fetch and no script.

Knows how to lay out titles, figures and reports; what they say comes from outside.
"""

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import Any


def page(title: str, lead: str, figures: Sequence[tuple[str, str]], sections: Sequence[str]) -> str:
    """Return the page; ``figures`` are numbers with what they count, ``sections`` are HTML."""
    style = files("tinygrad_dnn.demo").joinpath("page.css").read_text(encoding="utf-8")
    tiles = "".join(f"<li><b>{escape(n)}</b>{escape(what)}</li>" for n, what in figures)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>{escape(title)}</title>
<style>{style}</style>
</head>
<body>
<header><h1>{escape(title)}</h1><p>{escape(lead)}</p><ul class="tiles">{tiles}</ul></header>
<main>{"".join(sections)}</main>
</body>
</html>
"""


def section(heading: str, text: str, body: str) -> str:
    """Return a part of the page: heading, a sentence, and HTML below."""
    return f"<section><h2>{escape(heading)}</h2><p>{escape(text)}</p>{body}</section>"


def picture(png: bytes, alt: str) -> str:
    """Return a PNG as part of the page itself."""
    data = b64encode(png).decode()
    return f'<img src="data:image/png;base64,{data}" alt="{escape(alt)}">'


def drawing(svg: Any) -> str:
    """Return an SVG drawing that scrolls sideways where the screen is narrow."""
    return f'<div class="drawing">{svg[svg.index("<svg") :]}</div>'


def folded(summary: str, body: str) -> str:
    """Return HTML behind a line that opens it."""
    return f"<details><summary>{escape(summary)}</summary>{body}</details>"


def preformatted(text: str) -> str:
    """Return text in columns."""
    return f'<pre tabindex="0">{escape(text)}</pre>'
