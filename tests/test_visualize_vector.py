"""Our own SVG: what it shows is the scene, as XML, in any theme, without any engine."""

import time
from xml.etree import ElementTree

import numpy as np
import pytest

from tests.test_visualize_engines import NASTY, SVG, contrast, nothing, picture
from tinygrad_dnn.visualize import GraphvizNotFound, engines, palette, vector
from tinygrad_dnn.visualize.metrics import sides, width
from tinygrad_dnn.visualize.scene import Arrow, Box, Line, Scene

__all__ = ["nothing"]


def drawn(dims=(3, 5, 5, 1), **options):
    return ElementTree.fromstring(vector.write(picture(dims).scene, "p", **options))


def by_class(root, name):
    return [g for g in root.iter(f"{SVG}g") if name in (g.get("class") or "").split()]


@pytest.mark.parametrize("dims", [(3, 1), (3, 5, 5, 1), (3, *[5] * 49, 1)])
def test_every_box_arrow_and_line_of_the_scene_is_in_it(dims):
    scene = picture(dims).scene
    root = drawn(dims)
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    assert all(name == "p" or name.startswith("p-") for name in ids)
    assert {f"p-{item.id}" for item in (*scene.boxes, *scene.groups)} <= set(ids)
    assert len(by_class(root, "arrow")) == len(scene.arrows)
    written = ["".join(t.itertext()).replace("\u200b", "") for t in root.iter(f"{SVG}text")]
    lines = [text for box in scene.boxes for line in _lines(box) for text in line]
    assert sorted(written) == sorted(" ".join(x.replace("ᵀ", "T").split()) for x in lines if x)


def _lines(box):
    """What each line is written as: equations in two pieces, so that they can be aligned."""
    for line in (line for column in box.columns for line in column):
        pair = sides(line.text) if box.aligned and line.style == "equation" else None
        yield pair or (line.text,)


def test_equations_stand_below_one_another_at_their_equals_signs():
    root = drawn()
    (box,) = (g for g in root.iter(f"{SVG}g") if g.get("id") == "p-B3")
    texts = {kind: [] for kind in ("start", "end")}
    for text in box.iter(f"{SVG}text"):
        texts[text.get("class").split()[-1]].append(text)
    assert [t.text[0] for t in texts["start"]] == ["=", "*", "=", "=", "=", "="]
    assert len({t.get("x") for t in texts["start"]}) == 1
    assert len(texts["end"]) == 4  # dZ goes on in a second line
    assert len({t.get("x") for t in texts["end"]}) == 1
    ends, starts = (float(texts[kind][0].get("x")) for kind in ("end", "start"))
    assert 4 <= starts - ends <= 8


def test_superscripts_are_raised_and_come_down_again():
    for text in drawn().iter(f"{SVG}text"):
        rises = [float(span.get("dy")) for span in text.iter(f"{SVG}tspan")]
        assert abs(sum(rises)) < 1e-9
        assert all(rise < 0 for rise in rises[::2])


def numbers(element, *names):
    return [float(element.get(name)) for name in names]


def test_arrows_begin_and_end_at_the_outline_of_their_boxes():
    scene = picture().scene
    root = drawn()
    places = {box.id: (*box.at, *box.size) for box in scene.boxes}
    for i, arrow in enumerate(scene.arrows):
        (g,) = (g for g in root.iter(f"{SVG}g") if g.get("id") == f"p-e{i}")
        tip = g.find(f"{SVG}polygon").get("points").split()[0].split(",")
        start = g.find(f"{SVG}path").get("d")[1:].split("L")[0].split()
        for (px, py), name in ((map(float, start), arrow.tail), (map(float, tip), arrow.head)):
            x, y, w, h = places[name]
            assert max(abs(px - x) / w, abs(py - y) / h) == pytest.approx(0.5, abs=0.005)


def test_all_of_it_is_inside_the_frame():
    root = drawn((3, *[5] * 49, 1))
    x0, y0, w, h = map(float, root.get("viewBox").split())
    for rect in root.iter(f"{SVG}rect"):
        x, y, rw, rh = numbers(rect, "x", "y", "width", "height")
        assert x0 <= x
        assert y0 <= y
        assert x + rw <= x0 + w + 0.2
        assert y + rh <= y0 + h + 0.2


def test_every_outline_is_drawn_in_its_own_way():
    boxes = [
        Box(shape, "data", ((Line("text"),),), shape, at=(0, 60 * i), size=(50, 30), dashed=i == 2)
        for i, shape in enumerate(("rounded", "square", "cylinder", "ellipse", "plain", "note"))
    ]
    scene = Scene("block", "", boxes, [Arrow("ellipse", "square", "data", dashed=True)])
    root = ElementTree.fromstring(vector.write(scene, "p"))
    shapes = {g.get("id"): [e.tag.removeprefix(SVG) for e in g] for g in root.iter(f"{SVG}g")}
    assert shapes == {
        "p-rounded": ["rect", "text"],
        "p-square": ["rect", "text"],
        "p-cylinder": ["path", "text"],
        "p-ellipse": ["ellipse", "text"],
        "p-plain": ["text"],
        "p-note": ["text"],
        "p-e0": ["path", "polygon"],
    }
    dashed = [e for e in root.iter() if "dashed" in (e.get("class") or "")]
    assert [e.tag for e in dashed] == [f"{SVG}path"] * 2


def test_text_fits_its_box():
    for box in picture([12288, 1024, 1024, 1]).scene.boxes:
        widest = sum(max(width(line) for line in column) for column in box.columns)
        assert widest <= box.size[0]


def test_a_scene_without_places_is_refused():
    with pytest.raises(ValueError, match="leaf_1 has no place; lay the scene out first"):
        vector.write(picture(view="ops").scene, "p")


def test_any_text_can_be_written():
    box = Box("a", "data", ((Line(NASTY),),), tip=NASTY, at=(0, 0), size=(300, 30))
    root = ElementTree.fromstring(vector.write(Scene("block", NASTY, [box]), "p"))
    (text,) = root.iter(f"{SVG}text")
    assert text.text == '<b>&"|{}\\ \\N 😀 中文 ]]> </script>'
    labelled = vector.write(Scene("block", NASTY, [box]), "p", labels={"a": NASTY})
    (button,) = by_class(ElementTree.fromstring(labelled), "node")
    assert button.get("aria-label") == '<b>&"|{}\\ \\N 😀 中文 ]]> </script>'


# ---- themes ----------------------------------------------------------------------------------
def test_colours_are_variables_with_the_palette_s_as_defaults():
    light, dark, auto = (vector.rules("#p", theme) for theme in ("light", "dark", "auto"))
    fill = palette.LIGHT.roles["forward"].fill
    assert f"#p .forward .shape{{fill:{fill};fill:var(--tg-forward-fill,{fill})" in light
    assert palette.DARK.roles["forward"].fill in dark
    assert fill not in dark
    assert auto.startswith(light)
    assert "@media(prefers-color-scheme:dark)" in auto
    assert palette.DARK.roles["forward"].fill in auto


def test_dark_text_and_strokes_stand_out_from_their_fill():
    assert palette.DARK.roles.keys() == palette.LIGHT.roles.keys()
    for name, role in palette.DARK.roles.items():
        inks = {role.text} if "band" not in name else set()
        inks |= set(palette.DARK.inks.values()) if name != "plain" else set()
        for ink in inks:
            assert contrast(ink, role.fill) >= 4.5, (name, ink)
        assert name in ("plain", "band") or contrast(role.stroke, role.fill) >= 2.6, name


# ---- as the last engine ----------------------------------------------------------------------
def test_the_block_diagram_needs_no_engine(nothing, tmp_path):
    block = picture()
    path = block.render(outfile=tmp_path / "net.svg")
    assert block.used == "tinygrad_dnn"
    root = ElementTree.parse(path).getroot()
    assert (
        len(by_class(root, "node")) == len([b for b in block.scene.boxes if b.shape != "plain"]) - 1
    )
    bundle = block._repr_mimebundle_()
    assert set(bundle) == {"image/svg+xml", "text/plain"}
    assert bundle["text/plain"].startswith("<Picture: ")
    first, second = (ElementTree.fromstring(block._repr_svg_()) for _ in range(2))
    assert first.get("id") != second.get("id")
    for wanted in ("png", "pdf"):
        with pytest.raises(GraphvizNotFound, match=f"Cannot draw '{wanted}'"):
            block.pipe(wanted)


def test_what_was_added_to_a_digraph_is_never_left_out(nothing):
    block = picture()
    block.node("mine", label="a remark")
    with pytest.raises(GraphvizNotFound, match=r"\.source and needs no engine"):
        block.pipe("svg")


def test_other_engines_come_first():
    if not list(engines.engines()):
        pytest.skip("no engine is installed")
    block = picture()
    block.pipe("svg")
    assert block.used != "tinygrad_dnn"


@pytest.mark.parametrize(("fold", "seconds"), [(6, 0.1), (None, 1.5)])
def test_two_hundred_layers_are_drawn_in_no_time(fold, seconds):
    def drawn():
        began = time.process_time()
        vector.write(picture((3, *[5] * 199, 1), fold=fold).scene, "p")
        return time.process_time() - began

    assert min(drawn() for _ in range(5)) <= seconds


def test_two_hundred_layers_are_not_large():
    text = vector.write(picture((3, *[5] * 199, 1), fold=None).scene, "p")
    assert len(text) < 1_500_000
    assert np.all([f"p-F{n}" in text for n in (1, 100, 200)])
