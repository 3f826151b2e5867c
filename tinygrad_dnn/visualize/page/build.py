"""Build: the interactive page of a picture, one HTML file that fetches nothing.

Style and script stand in the page, admitted by their hashes; all else is forbidden to it.  The
drawings are SVG, readable without the script; what the script shows beside them is JSON.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html import escape
from importlib.resources import files

from tinygrad_dnn.graph import data_of
from tinygrad_dnn.visualize import vector
from tinygrad_dnn.visualize.chain import Chain, NotAChain
from tinygrad_dnn.visualize.dot import dot_source
from tinygrad_dnn.visualize.engines import GraphvizNotFound
from tinygrad_dnn.visualize.laid import lay_out
from tinygrad_dnn.visualize.page.layers import layers_level
from tinygrad_dnn.visualize.page.level import Level
from tinygrad_dnn.visualize.page.numbers import Numbers
from tinygrad_dnn.visualize.page.operations import operations_level
from tinygrad_dnn.visualize.palette import DARK, LIGHT, Theme
from tinygrad_dnn.visualize.reading import Reading
from tinygrad_dnn.visualize.scene import Scene
from tinygrad_dnn.visualize.subject import Subject
from tinygrad_dnn.visualize.words import clean

MOST_LAYERS = 200  # that a click unfolds
HEIGHT = 720  # of the frame in a notebook, in pixels
Views = list[tuple[str, str, list[Level]]]  # id, title, and the same at degrees of folding
Operations = tuple[Scene, Reading, list[list[int]]]


class Page(str):
    """The text of a page; notebooks show the page itself, in a frame that may run its script."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<Page of {len(self.encode()) / 1000:.0f} kB; str(page) is HTML>"

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{escape(self)}" sandbox="allow-scripts" width="100%" '
            f'height="{HEIGHT}" style="border:0" title="forward and backward pass"></iframe>'
        )


def page_of(subject: Subject, title: str = "") -> Page:
    """Return the page; raises ChangedDataError if data has changed since the forward pass."""
    try:
        chain = subject.chain()
    except NotAChain:
        chain = None
    drawn = list(_operations(subject))
    nodes = [thing.node for thing in drawn[0][1].things if thing.node]
    gradients = subject.gradients(nodes)
    numbers = Numbers()
    views: Views = []
    if chain is not None:
        blocks = [
            layers_level(f"block{i or ''}", scene, chain, gradients, numbers)
            for i, scene in enumerate(_blocks(subject, chain))
        ]
        views.append(("block", "Block diagram", blocks))
    note = ""
    try:
        levels = [
            operations_level(f"ops{i or ''}", each, gradients, numbers, backward=subject.walks_back)
            for i, each in enumerate(drawn)
            if _placed(each[0])
        ]
        views.append(("ops", "Operations", levels))
    except GraphvizNotFound as error:
        note = f"The operations are not drawn. {error}"
        if not views:
            raise
    return _filled(
        title or subject.title or _title(subject, chain), _facts(views, chain), views, numbers, note
    )


def _operations(subject: Subject) -> Iterator[Operations]:
    """Yield the operations as folded as asked, and if that hides any, unfolded."""
    folded = subject.ops(subject.fold)
    yield folded
    if any(len(part) > 1 for part in folded[2]):
        unfolded = subject.ops(None)
        if len(unfolded[2]) > len(folded[2]):
            yield unfolded


def _blocks(subject: Subject, chain: Chain) -> Iterator[Scene]:
    yield (folded := subject.block(chain, subject.fold))
    if any(group.folded for group in folded.groups) and len(chain.layers) <= MOST_LAYERS:
        yield subject.block(chain, None)


def _placed(scene: Scene) -> bool:
    lay_out(scene, dot_source(scene))
    return True


# ---- the template ----------------------------------------------------------------------------
def _filled(title: str, facts: str, views: Views, numbers: Numbers, note: str) -> Page:
    folder = files("tinygrad_dnn.visualize.page")
    template, style, script = (
        folder.joinpath(f"page.{ending}").read_text(encoding="utf-8")
        for ending in ("html", "css", "js")
    )
    style = _variables() + vector.rules(".tg") + style
    data = {
        "views": [
            {"id": view, "title": name, "levels": [level.data() for level in levels]}
            for view, name, levels in views
        ],
        "arrays": numbers.data(),
    }
    said = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    parts = {
        "TITLE": escape(clean(title)),
        "FACTS": escape(clean(facts)),
        "NOTE": f'<p class="note">{escape(clean(note))}</p>' if note else "",
        "TABS": "".join(_tab(*view[:2], i == 0) for i, view in enumerate(views)),
        "PANELS": "".join(_panel(*view, i == 0) for i, view in enumerate(views)),
        "STYLE_HASH": _hash(style),
        "SCRIPT_HASH": _hash(script),
        "STYLE": style,
        "SCRIPT": script,
        "DATA": said.replace("<", "\\u003c"),  # </script> in a name must not end the data
    }
    pieces = template.split("@@")  # text, name, text, name, ..., text
    pieces[1::2] = [parts[name] for name in pieces[1::2]]
    return Page("".join(pieces))


def _tab(id: str, name: str, chosen: bool) -> str:
    return (
        f'<button role="tab" id="tab-{id}" aria-controls="view-{id}" '
        f'aria-selected="{str(chosen).lower()}" tabindex="{0 if chosen else -1}">{name}</button>'
    )


def _panel(id: str, name: str, levels: list[Level], chosen: bool) -> str:
    drawings = "".join(
        f'<div class="level" data-level="{level.id}"{" hidden" if i else ""}>{_svg(level)}</div>'
        for i, level in enumerate(levels)
    )
    unfold = (
        f'<button class="unfold" data-view="{id}">Unfold all</button>' if len(levels) > 1 else ""
    )
    return (
        f'<div role="tabpanel" id="view-{id}" aria-labelledby="tab-{id}" class="canvas" '
        f'tabindex="-1"{"" if chosen else " hidden"}>{unfold}{drawings}</div>'
    )


def _svg(level: Level) -> str:
    labels = {name: f"{detail.title}: {detail.kind}" for name, detail in level.details.items()}
    return vector.write(level.scene, level.id, labels=labels)


def _variables() -> str:
    light, dark = (_declared(theme) for theme in (LIGHT, DARK))
    return (
        f":root{{color-scheme:light;{light}}}:root[data-theme=dark]{{color-scheme:dark;{dark}}}"
        f"@media(prefers-color-scheme:dark){{:root:not([data-theme=light])"
        f"{{color-scheme:dark;{dark}}}}}"
    )


def _declared(theme: Theme) -> str:
    out = [f"--tg-paper:{theme.paper}", *(f"--tg-{n}:{c}" for n, c in theme.inks.items())]
    for name, role in theme.roles.items():
        out += [f"--tg-{name}-{part}:{colour}" for part, colour in role._asdict().items()]
    return ";".join(out)


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _title(subject: Subject, chain: Chain | None) -> str:
    if subject.found.failure:
        return "Failed forward pass"
    if chain is None:
        return "Forward and backward pass"
    sizes = [data_of(chain.X).shape[0], *(layer.A.value.shape[0] for layer in chain.layers)]
    shown = [str(n) for n in (sizes if len(sizes) <= 9 else [*sizes[:3], "…", *sizes[-3:]])]
    depth = len(chain.layers)
    return f"{depth}-layer network [{', '.join(shown)}]"


def _facts(views: Views, chain: Chain | None) -> str:
    scene = views[0][2][0].scene
    return scene.notes[0] if chain is not None and scene.notes else scene.summary
