"""The demo's page: one self-contained HTML file, with nothing to fetch.

The only script is that of the interactive page of the network, in a frame of its own.

Knows how to lay out titles, figures and reports; what they say comes from outside.
"""

import re
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import Any


def page(
    title: str,
    lead: str,
    figures: Sequence[tuple[str, str]],
    sections: Sequence[str],
    scripts: str = "'none'",
) -> str:
    """Return the page; ``figures`` are numbers with what they count, ``sections`` are HTML.

    ``scripts`` are the hashes of the scripts that frames in the sections may run.
    """
    style = files("tinygrad_dnn.demo").joinpath("page.css").read_text(encoding="utf-8")
    tiles = "".join(f"<li><b>{escape(n)}</b>{escape(what)}</li>" for n, what in figures)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src {scripts}">
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


def frame(inner: str) -> tuple[str, str]:
    """Return an interactive page as a frame in this one, and the hashes of its scripts."""
    found = re.search(r"script-src ([^;]*);", inner)
    html = (
        f'<iframe srcdoc="{escape(inner)}" sandbox="allow-scripts" title="step by step"></iframe>'
    )
    return html, found[1] if found else "'none'"


def folded(summary: str, body: str, *, unfold: bool = False) -> str:
    """Return HTML behind a line that opens it, or open from the start."""
    return (
        f"<details{' open' if unfold else ''}><summary>{escape(summary)}</summary>{body}</details>"
    )


def preformatted(text: str) -> str:
    """Return text in columns."""
    return f'<pre tabindex="0">{escape(text)}</pre>'
