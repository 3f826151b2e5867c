"""Engines: the programs that turn DOT text into pictures, in order of preference, run by full path.

TINYGRAD_DNN_DOT (a path), a system ``dot``, the executable of the package graphviz-pure, the
package pygraphviz: the first that can write the format does.  None of them is needed to make DOT
text.  Knows nothing of what is drawn.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

VARIABLE = "TINYGRAD_DNN_DOT"
POSITION = re.compile(r'pos="(-?[\d.]+),(-?[\d.]+)!"')  # as ``dot`` writes it
SECONDS = 120  # a layout that takes longer is given up
LONGEST_SIDE = 8192  # pixels of a bitmap
DPI = 144
BITMAPS = ("png", "jpg", "jpeg", "gif", "bmp", "webp")
FINAL = (*BITMAPS, "pdf", "ps", "eps")  # formats that nobody changes any more
INSTALL = (
    "pip install 'tinygrad-dnn[viz]' brings one for svg and png; for every format pip install "
    "pygraphviz, or install Graphviz: apt install graphviz, brew install graphviz, winget install "
    "Graphviz.Graphviz, or conda install graphviz. The DOT text is in .source and needs no engine."
)

# pygraphviz has no program; this is one, run apart since it writes to stderr and may crash.
PYGRAPHVIZ = """
import sys, pygraphviz
given = {text[:2]: text[2:] for text in sys.argv[1:]}
graph = pygraphviz.AGraph(sys.stdin.buffer.read().decode())
if "-G" in given:
    graph.graph_attr["dpi"] = given["-G"].removeprefix("dpi=")
sys.stdout.buffer.write(graph.draw(format=given["-T"], prog=given["-K"]))
"""


class GraphvizNotFound(RuntimeError):  # noqa: N818  (the name says it)
    """No installed program can draw this format; the message says what to install."""


class Engine(NamedTuple):
    """A program that takes DOT text and the options of ``dot``."""

    name: str
    path: str
    lacks: tuple[str, ...] = ()  # formats it cannot write
    raises: bool = False  # does it set superscripts?
    arguments: tuple[str, ...] = ()  # before the options


def engines() -> Iterator[Engine]:
    """Yield the engines of this machine, the preferred one first."""
    if chosen := os.environ.get(VARIABLE):
        yield Engine(f"{VARIABLE}={chosen}", chosen, raises=Path(chosen).stem == "dot")
    if system := shutil.which("dot"):
        yield Engine("dot", system, raises=True)
    scripts = sysconfig.get_path("scripts")
    if pure := shutil.which("graphviz-pure", path=scripts) or shutil.which("graphviz-pure"):
        yield Engine("graphviz-pure", pure, lacks=("pdf", "ps", "eps"))
    if find_spec("pygraphviz"):
        yield Engine("pygraphviz", sys.executable, raises=True, arguments=("-c", PYGRAPHVIZ))


def draw(
    source: str,
    format: str,
    layout: str,
    *,
    dpi: int = DPI,
    placed: bool = False,
    raised: str = "",
) -> tuple[bytes, str]:
    """Return the picture of DOT text, and the name of the engine that drew it.

    ``layout`` is ``dot`` or ``neato``; ``placed`` says that every node has its place, so that none
    need be looked for; ``raised`` is the same text with superscripts, which engines that set them
    take for formats that are final.  The long side of a bitmap is at most 8192 pixels.

    Raises GraphvizNotFound if no engine here can write ``format``.
    """
    tried = []
    for engine in engines():
        if format in engine.lacks:
            tried.append(f"{engine.name} (cannot write {format})")
            continue
        options = [f"-K{layout}", f"-T{format}"]
        text = raised if raised and engine.raises and format in FINAL else source
        try:
            if format in BITMAPS:
                options.append(f"-Gdpi={_dpi(engine, source, layout, dpi)}")
            if placed and not engine.arguments:  # a program of Graphviz's own
                return _run(engine, ["-n", *options], _in_points(text)), engine.name
            return _run(engine, options, text), engine.name
        except (OSError, subprocess.SubprocessError) as error:
            tried.append(f"{engine.name} ({_reason(error)})")
    found = ", ".join(tried) or "none is installed"
    raise GraphvizNotFound(
        f"Cannot draw {format!r}: no Graphviz engine can do it here (tried: {found}). {INSTALL}"
    )


def layout(source: str, kind: str) -> str:
    """Return the ``plain`` layout by the first engine that can; ``kind`` is ``dot`` or ``neato``.

    Raises GraphvizNotFound if there is none.
    """
    for engine in engines():
        with suppress(OSError, subprocess.SubprocessError):
            return plain(source, kind, engine)
    raise GraphvizNotFound(f"Cannot lay out a graph: no Graphviz engine is installed. {INSTALL}")


def plain(source: str, layout: str, engine: Engine) -> str:
    """Return the layout as Graphviz's ``plain`` text: one line per node, in inches."""
    return _run(engine, [f"-K{layout}", "-Tplain"], source).decode()


def _run(engine: Engine, options: Sequence[str], source: str) -> bytes:
    command = [engine.path, *engine.arguments, *options]
    done = subprocess.run(
        command, input=source.encode(), capture_output=True, timeout=SECONDS, check=True
    )
    return done.stdout


def _in_points(source: str) -> str:
    """Return DOT text with places in points: what ``-n``, which looks for none, takes them for.

    >>> _in_points('a [pos="1,-0.5!"]')
    'a [pos="72.000,-36.000!"]'
    """
    return POSITION.sub(lambda at: f'pos="{_points(at[1])},{_points(at[2])}!"', source)


def _points(inches: str) -> str:
    return f"{72 * float(inches):.3f}"


def _dpi(engine: Engine, source: str, layout: str, dpi: int) -> int:
    """Return a resolution at which the long side stays within bounds."""
    first = plain(source, layout, engine).split("\n", 1)[0].split()
    inches = max(float(first[2]), float(first[3])) + 0.5  # some margin for the border
    return max(1, min(dpi, int(LONGEST_SIDE / inches)))


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        said = error.stderr.decode(errors="replace").strip().splitlines()
        return said[-1][:120] if said else f"exit code {error.returncode}"
    if isinstance(error, subprocess.TimeoutExpired):
        return f"took more than {SECONDS} s"
    return "no such program" if isinstance(error, FileNotFoundError) else str(error)


def suffix(path: str | Path) -> str:
    """Return the format that a file's name asks for.

    >>> suffix("net.svg")
    'svg'
    """
    ending = Path(path).suffix[1:].lower()
    if not ending:
        raise ValueError(f"outfile={str(path)!r} names no format; end it in .svg, .png or .pdf")
    return ending
