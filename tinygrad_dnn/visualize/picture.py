"""Picture: a ``graphviz.Digraph`` that draws itself with whatever engine there is.

Used as any Digraph: ``.source .save .render .pipe .view``, and shown by notebooks as it is.
It carries the scene it was written from, for other writers.  In a notebook it never raises: where
no engine is installed, a sentence says so.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import graphviz

from tinygrad_dnn.visualize import vector
from tinygrad_dnn.visualize.dot import dot_lines, raised
from tinygrad_dnn.visualize.engines import DPI, GraphvizNotFound, draw, suffix
from tinygrad_dnn.visualize.mermaid import mermaid
from tinygrad_dnn.visualize.page.build import Page, page_of
from tinygrad_dnn.visualize.scene import Scene
from tinygrad_dnn.visualize.subject import Subject
from tinygrad_dnn.visualize.svg import finish
from tinygrad_dnn.visualize.text import text

SVG, PNG, TEXT = "image/svg+xml", "image/png", "text/plain"
NOTEBOOK_DPI = 96
OTHERS = {"html": "to_html", "mmd": "to_mermaid", "mermaid": "to_mermaid", "txt": "to_text"}
_shown = count(1).__next__


class Picture(graphviz.Digraph):  # type: ignore[misc]
    """A drawing of a network or a computation.

    ``scene`` is what is drawn, as data, ``subject`` the computation behind it; ``used`` the engine
    that drew it last.
    """

    scene: Scene | None = None
    subject: Subject | None = None
    used: str | None = None
    _written: Sequence[str] = ()  # the body, as long as nobody has added to it

    @classmethod
    def of(
        cls,
        scene: Scene,
        subject: Subject | None = None,
        *,
        filename: str | None = None,
        format: str | None = None,
    ) -> "Picture":
        """Return the picture of a scene, and what that is of."""
        layout = "neato" if scene.pinned else "dot"
        name = filename or f"{scene.view}.gv"
        picture = cls(filename=name, format=format or "svg", engine=layout, body=dot_lines(scene))
        picture.scene, picture.subject = scene, subject
        picture._written = list(picture.body)
        return picture

    def pipe(
        self,
        format: str | None = None,
        *,
        engine: str | None = None,
        encoding: str | None = None,
        dpi: int = DPI,
        quiet: bool = True,
    ) -> bytes | str:
        """Return the drawing in ``format`` (svg by default), as text if ``encoding`` is given.

        ``engine`` is the layout, as in graphviz; ``dpi`` the resolution of a bitmap, reduced where
        its long side would exceed 8192 pixels.  What an engine remarks is never shown (``quiet``).

        Raises ValueError for an unknown format; GraphvizNotFound, a RuntimeError, if no program
        here can write it.
        """
        return self._drawn(format or self.format, self._prefix(), engine, encoding, dpi)

    def render(
        self,
        filename: str | Path | None = None,
        directory: str | Path | None = None,
        view: bool = False,
        cleanup: bool = False,
        format: str | None = None,
        *,
        outfile: str | Path | None = None,
        engine: str | None = None,
        dpi: int = DPI,
        quiet: bool = True,
        quiet_view: bool = False,
    ) -> str:
        """Write the drawing, and unless ``cleanup`` the DOT text beside it; return its path.

        ``outfile="net.png"`` names the drawing itself and its format, and writes nothing else.
        """
        if outfile is not None:
            path = Path(directory or "", outfile)
            kind = format or suffix(path)
        else:
            kind = format or self.format
            path = Path(self.save(filename, directory=directory))
            path = path.with_name(f"{path.name}.{kind}")
        data = self.pipe(kind, engine=engine, dpi=dpi)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        if cleanup and outfile is None:
            path.with_suffix("").unlink()
        if view:
            graphviz.view(str(path), quiet=quiet_view)
        return str(path)

    def to_html(self, path: str | Path | None = None, *, title: str = "") -> Page:
        """Return an interactive page, one HTML file that needs nothing else; write it to ``path``.

        It shows the block diagram and the operations, steps through forward and backward pass, and
        tells of every box its equation, its numbers and its gradients.  Notebooks show it as it is.

        Raises ChangedDataError if the data was changed in place since the forward pass, and
        GraphvizNotFound for operations alone where no engine can lay them out.
        """
        if self.subject is None:
            raise TypeError("to_html() needs a picture made by draw(); this one is plain DOT")
        if self.subject.found.plan:
            raise TypeError("to_html() shows numbers, and a plan has none; draw what it computes")
        page = page_of(self.subject, title)
        if path is not None:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(page, encoding="utf-8")
        return page

    def to_mermaid(self) -> str:
        """Return the picture as a Mermaid flowchart, which Markdown pages draw; needs no engine."""
        return mermaid(self._scene("to_mermaid"))

    def to_text(self) -> str:
        """Return the picture as text for a terminal, 100 characters wide; needs no engine."""
        return text(self._scene("to_text"))

    def _scene(self, asked: str) -> Scene:
        if self.scene is None:
            raise TypeError(f"{asked}() needs a picture made by draw(); this one is plain DOT")
        return self.scene

    def _drawn(
        self, format: str, prefix: str, engine: str | None, encoding: str | None, dpi: int
    ) -> bytes | str:
        if format not in graphviz.FORMATS:
            other = OTHERS.get(format)
            advice = f"use .{other}()" if other else "choose svg, png, pdf, or of graphviz.FORMATS"
            raise ValueError(f"format={format!r}: {advice}")
        layout = engine or self.engine
        try:
            placed = layout == "neato" and self._all_placed() is not None
            data, self.used = draw(
                self.source, format, layout, dpi=dpi, placed=placed, raised=raised(self.source)
            )
        except GraphvizNotFound:
            scene = self._all_placed()
            if scene is None or format != "svg" or layout != "neato":
                raise
            data, self.used = vector.write(scene, prefix).encode(), "tinygrad_dnn"
        else:
            if format == "svg":
                data = self._finished(data.decode(), prefix).encode()
        return data.decode(encoding) if encoding else data

    def _all_placed(self) -> Scene | None:
        """Return the scene if it is pinned, and all there is: a Digraph may have been added to."""
        scene = self.scene
        return scene if scene and scene.pinned and self.body == self._written else None

    def _finished(self, svg: str, prefix: str) -> str:
        boxes = self.scene.boxes if self.scene else []
        groups = self.scene.groups if self.scene else []
        tips = {box.id: box.tip for box in boxes}
        tips |= {group.id: f"{group.title} {group.subtitle}".strip() for group in groups}
        columns = {b.id: 0 if b.aligned else len(b.columns) for b in boxes if b.shape != "note"}
        return finish(svg, prefix, tips, columns)

    def _prefix(self) -> str:
        return "g" + sha256(self.source.encode()).hexdigest()[:8]

    # ---- in a notebook -----------------------------------------------------------------------
    def __repr__(self) -> str:
        what = self.scene.summary if self.scene else "drawing"
        return (
            f"<{type(self).__name__}: {what}; .source is DOT, .render(outfile='net.svg') draws it>"
        )

    def _repr_mimebundle_(
        self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None, **_: Any
    ) -> dict[str, Any]:
        """Return the drawing as SVG, as PNG for notebooks that may not show SVG, and a sentence."""
        wanted = {SVG, PNG, TEXT} if include is None else set(include)
        wanted -= set(exclude or ())
        bundle: dict[str, Any] = {TEXT: repr(self)}
        try:
            if SVG in wanted:
                bundle[SVG] = self._inline()
            if PNG in wanted:
                bundle[PNG] = self.pipe("png", dpi=NOTEBOOK_DPI)
        except GraphvizNotFound as error:
            if SVG not in bundle:
                bundle[TEXT] = str(error)
        return {kind: data for kind, data in bundle.items() if kind in wanted}

    def _inline(self) -> str:
        """Return the drawing for a page that may hold others, this one again among them."""
        return str(self._drawn("svg", f"{self._prefix()}-{_shown()}", None, "utf-8", DPI))

    def _repr_svg_(self) -> str | None:
        try:
            return self._inline()
        except GraphvizNotFound:
            return None
