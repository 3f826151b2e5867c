"""Engines and formats: with whatever is installed, with nothing, in files and in notebooks."""

import os
import re
import stat
import sys
from itertools import combinations
from xml.etree import ElementTree

import graphviz
import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn import nn
from tinygrad_dnn.visualize import GraphvizNotFound, Picture, draw, engines, palette

SVG = "{http://www.w3.org/2000/svg}"
ENGINES = {engine.name: engine for engine in engines.engines()}
NASTY = '<b>&"|{}\\ \\N 😀 中文\n]]> </script>'


def picture(dims=(3, 5, 5, 1), **options):
    rng = np.random.default_rng(0)
    net = nn.Sequential.from_layer_dims(dims, rng=rng)
    return draw(net, rng.standard_normal((dims[0], 8)), np.ones((1, 8)), **options)


@pytest.fixture(params=["dot", "graphviz-pure", "pygraphviz"])
def engine(request, monkeypatch, tmp_path):
    """One engine, and no other."""
    if request.param not in ENGINES:
        pytest.skip(f"{request.param} is not installed")
    only = ENGINES[request.param]
    monkeypatch.setattr(engines, "engines", lambda: iter([only]))
    return only


@pytest.fixture
def nothing(monkeypatch, tmp_path):
    """A machine without any engine."""
    monkeypatch.delenv(engines.VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(engines.sysconfig, "get_path", lambda name: str(tmp_path))
    monkeypatch.setattr(engines, "find_spec", lambda name: None)


def program(folder, name, text):
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IEXEC)
    return path


posix = pytest.mark.skipif(os.name == "nt", reason="scripts with #! are programs on POSIX only")


# ---- without an engine -----------------------------------------------------------------------
INSTALL = (
    "pip install 'tinygrad-dnn[viz]' brings one for svg and png; for every format pip install "
    "pygraphviz, or install Graphviz: apt install graphviz, brew install graphviz, winget install "
    "Graphviz.Graphviz, or conda install graphviz. The DOT text is in .source and needs no engine."
)


def test_without_an_engine_the_text_works_and_drawing_says_what_to_do(nothing, tmp_path):
    drawn = picture()
    assert drawn.source.startswith("digraph {")
    assert (tmp_path / "net.gv").write_text(drawn.source)
    assert drawn.save(tmp_path / "saved.gv")
    with pytest.raises(GraphvizNotFound) as error:
        drawn.render(outfile=tmp_path / "net.png")
    assert str(error.value) == (
        "Cannot draw 'png': no Graphviz engine can do it here (tried: none is installed). "
        + INSTALL
    )
    assert isinstance(error.value, RuntimeError)


def test_in_a_notebook_without_an_engine_the_sentence_is_the_text(nothing):
    bundle = picture(view="ops")._repr_mimebundle_()
    assert list(bundle) == ["text/plain"]
    assert bundle["text/plain"].startswith("Cannot draw 'svg': no Graphviz engine can do it here")
    assert picture(view="ops")._repr_svg_() is None


def test_the_pure_engine_says_that_it_writes_no_pdf(monkeypatch):
    if "graphviz-pure" not in ENGINES:
        pytest.skip("graphviz-pure is not installed")
    only = ENGINES["graphviz-pure"]
    monkeypatch.setattr(engines, "engines", lambda: iter([only]))
    with pytest.raises(GraphvizNotFound) as error:
        picture().pipe("pdf")
    tried = "(tried: graphviz-pure (cannot write pdf))"
    expected = f"Cannot draw 'pdf': no Graphviz engine can do it here {tried}. {INSTALL}"
    assert str(error.value) == expected


# ---- which engine ----------------------------------------------------------------------------
@posix
def test_the_chosen_program_comes_first_then_dot_then_graphviz_pure(nothing, tmp_path, monkeypatch):
    program(tmp_path, "dot", "")
    program(tmp_path, "graphviz-pure", "")
    monkeypatch.setenv(engines.VARIABLE, "/opt/my/dot")
    monkeypatch.setattr(engines, "find_spec", lambda name: name == "pygraphviz")
    names = [engine.name for engine in engines.engines()]
    assert names == ["TINYGRAD_DNN_DOT=/opt/my/dot", "dot", "graphviz-pure", "pygraphviz"]


@posix
def test_an_engine_that_fails_is_passed_over_and_named(nothing, tmp_path, monkeypatch):
    program(tmp_path, "dot", "import sys; sys.exit('Format: \"svg\" not recognized.')")
    monkeypatch.setenv(engines.VARIABLE, str(tmp_path / "missing"))
    drawn = picture(view="ops")
    with pytest.raises(GraphvizNotFound) as error:
        drawn.pipe("svg")
    tried = f'TINYGRAD_DNN_DOT={tmp_path / "missing"} (no such program), dot (Format: "svg" not'
    assert tried in str(error.value)
    program(tmp_path, "graphviz-pure", "print('<svg></svg>')")
    assert drawn.pipe("svg", encoding="utf-8").strip() == "<svg></svg>"
    assert drawn.used == "graphviz-pure"


# ---- formats ---------------------------------------------------------------------------------
@pytest.mark.parametrize("view", ["block", "ops"])
def test_svg_is_xml_with_every_box_in_it(engine, view):
    drawn = picture(view=view)
    root = ElementTree.fromstring(drawn.pipe("svg", encoding="utf-8"))
    assert root.get("width") == "100%"
    assert "max-width" in root.get("style")
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert len({each.split("-")[0] for each in ids}) == 1
    classes = [element.get("class") for element in root.iter(f"{SVG}g")]
    bands = drawn.scene.groups if drawn.scene.pinned else []
    assert classes.count("node") == len(drawn.scene.boxes) + len(bands)
    assert classes.count("edge") == len(drawn.scene.arrows)
    fonts = {element.get("font-family") for element in root.iter(f"{SVG}text")}
    assert fonts == {"Arial,Helvetica,Liberation Sans,sans-serif"}


def test_the_course_s_superscripts_are_raised(engine):
    root = ElementTree.fromstring(picture().pipe("svg", encoding="utf-8"))
    lines = ["".join(text.itertext()).replace("\u200b", "") for text in root.iter(f"{SVG}text")]
    assert {"dA[1]", "= W[2]T dZ[2]"} <= set(lines)
    raised = [span.text for span in root.iter(f"{SVG}tspan") if span.get("font-size")]
    assert {"[1]", "[2]", "[2]T"} <= set(raised)


def test_equations_are_aligned_at_their_equals_signs(engine):
    root = ElementTree.fromstring(picture().pipe("svg", encoding="utf-8"))
    boxes = [list(g.iter(f"{SVG}text")) for g in root.iter(f"{SVG}g") if g.get("class") == "node"]
    right = [[float(t.get("x")) for t in box if t.text.startswith("=")] for box in boxes]
    assert [len(found) for found in right if len(found) > 1] == [2, 3, 2, 4, 2, 5]
    assert all(max(found) - min(found) < 0.1 for found in right if found)


def test_boxes_say_what_they_are(engine):
    root = ElementTree.fromstring(picture().pipe("svg", encoding="utf-8"))
    titles = {title.text for title in root.iter(f"{SVG}title")}
    assert "backward step of layer 2" in titles


def test_png_has_its_magic_and_is_never_huge(engine):
    data = picture((3, *[5] * 11, 1), fold=None).pipe("png", dpi=1000)
    assert data.startswith(b"\x89PNG\r\n")
    width, height = (int.from_bytes(data[i : i + 4], "big") for i in (16, 20))
    assert 7000 < max(width, height) <= engines.LONGEST_SIDE


def test_pdf(engine):
    if "pdf" in engine.lacks:
        pytest.skip(f"{engine.name} writes no pdf")
    assert picture().pipe("pdf").startswith(b"%PDF")


def test_any_name_can_be_drawn(engine):
    drawn = draw(np.sum(tg.Tensor([1.0], name=NASTY) * tg.Tensor([1.0], name="\x00\x1b\ud800")))
    root = ElementTree.fromstring(drawn.pipe("svg", encoding="utf-8"))
    lines = ["".join(text.itertext()).replace("\xa0", " ") for text in root.iter(f"{SVG}text")]
    assert '<b>&"|{}\\ \\N 😀 中文 ]]> </script>' in lines


def test_lines_are_centred_and_equations_aligned_whatever_the_reader_s_font(engine):
    drawn = picture()
    root = ElementTree.fromstring(drawn.pipe("svg", encoding="utf-8"))
    tips = {box.tip: box.id for box in drawn.scene.boxes}
    nodes = {tips.get(g.findtext(f"{SVG}title")): g for g in root.iter(f"{SVG}g")}
    shown = {name: _texts(nodes[name]) for name in ("A1", "B2", "J", "P1")}
    middle = _middle(nodes["A1"])
    assert [text[:2] for text in shown["A1"]] == [("middle", pytest.approx(middle, abs=0.1))] * 2
    assert {anchor for anchor, *_ in shown["P1"]} == {"middle"}
    left = {x for anchor, x, _ in shown["B2"] if anchor == "end"}
    right = {x for anchor, x, _ in shown["B2"] if anchor == "start"}
    assert max(right) - min(left) == pytest.approx(6, abs=0.1)
    assert len(left) == len(right) == 1
    assert shown["J"][0] == ("middle", pytest.approx(_middle(nodes["J"]), abs=0.1), "cost J = 0.")


def _texts(node):
    return [
        (text.get("text-anchor"), float(text.get("x")), "".join(text.itertext())[:11])
        for text in node.iter(f"{SVG}text")
    ]


def _middle(node):
    outline = next(e for e in node.iter() if e.tag in (f"{SVG}path", f"{SVG}polygon"))
    xs = [float(x) for x in re.findall(r"(-?[\d.]+),", outline.get("d") or outline.get("points"))]
    return (min(xs) + max(xs)) / 2


# ---- layout ----------------------------------------------------------------------------------
def laid_out(drawn, engine):
    """Return every box's x, y, width, height as the engine placed it, in inches."""
    lines = engines.plain(drawn.source, drawn.engine, engine).splitlines()
    nodes = [line.split()[1:6] for line in lines if line.startswith("node ")]
    return {name: tuple(float(number) for number in numbers) for name, *numbers in nodes}


@pytest.mark.parametrize("dims", [[3, 1], [3, 5, 5, 1], [12288, *[1024] * 2, *[5] * 120, 1]])
def test_the_block_diagram_stands_where_it_was_put(engine, dims):
    drawn = picture(dims)
    placed = laid_out(drawn, engine)
    boxes = [*drawn.scene.boxes, *drawn.scene.groups]
    assert set(placed) == {box.id for box in boxes}
    x0, y0 = (a - b for a, b in zip(placed["A0"][:2], _inches(drawn, "A0"), strict=True))
    for box in boxes:
        x, y, w, h = placed[box.id]
        assert abs(x - x0 - box.at[0] / 72) < 0.01
        assert abs(y - y0 + box.at[1] / 72) < 0.01
        assert abs(w - box.size[0] / 72) < 0.01
        assert abs(h - box.size[1] / 72) < 0.01


def test_places_are_kept_where_none_need_be_looked_for(engine):
    """What is drawn in a hurry (-n) is what is drawn otherwise, within a third of a point."""
    drawn = picture((3, *[5] * 11, 1), fold=None)
    quick, slow = (
        engines.draw(drawn.source, "svg", "neato", placed=placed)[0].decode()
        for placed in (True, False)
    )
    found = [[float(x) for x in re.findall(r"-?\d+\.\d+", svg)] for svg in (quick, slow)]
    np.testing.assert_allclose(*found, atol=0.34)


def _inches(drawn, name):
    x, y = next(box.at for box in drawn.scene.boxes if box.id == name)
    return x / 72, -y / 72


def test_no_label_is_too_large_for_its_box(engine):
    drawn = picture([12288, *[1024] * 2, *[5] * 120, 1])
    command = [engine.path, *engine.arguments, "-Kneato", "-Tsvg"]
    done = engines.subprocess.run(command, input=drawn.source.encode(), capture_output=True)
    assert b"too small" not in done.stderr


@pytest.mark.parametrize(("direction", "axis"), [("LR", 1), ("TB", 0)])
@pytest.mark.parametrize("dims", [[3, 5, 5, 3, 1], [3, *[5] * 49, 1]])
def test_the_operations_form_one_straight_lane(engine, dims, direction, axis):
    drawn = picture(dims, view="ops", direction=direction)
    placed = laid_out(drawn, engine)
    lane = [b.id for b in drawn.scene.boxes if b.role in ("forward", "cost", "fold")]
    across = [placed[name][axis] for name in lane]
    assert max(across) - min(across) < 0.1
    along = [placed[name][1 - axis] * (1 if direction == "LR" else -1) for name in lane]
    assert along == sorted(along)


# ---- as a Digraph ----------------------------------------------------------------------------
def test_it_is_a_digraph_that_can_be_copied_and_added_to():
    drawn = picture()
    assert isinstance(drawn, graphviz.Digraph)
    again = drawn.copy()
    assert isinstance(again, Picture)
    again.node("mine", label="a remark")
    assert "mine" in again.source
    assert "mine" not in drawn.source


def test_render_writes_what_it_says(engine, tmp_path):
    drawn = picture()
    path = drawn.render(outfile=tmp_path / "deep" / "net.svg")
    assert path == str(tmp_path / "deep" / "net.svg")
    assert os.listdir(tmp_path / "deep") == ["net.svg"]
    assert drawn.used == engine.name
    path = drawn.render("net.gv", directory=tmp_path, format="png")
    assert path == str(tmp_path / "net.gv.png")
    assert (tmp_path / "net.gv").read_text(encoding="utf-8").startswith("digraph {")
    drawn.render("gone.gv", directory=tmp_path, cleanup=True)
    assert (tmp_path / "gone.gv.svg").exists()
    assert not (tmp_path / "gone.gv").exists()


def test_render_needs_a_format():
    with pytest.raises(ValueError, match="names no format") as error:
        picture().render(outfile="net")
    assert str(error.value) == "outfile='net' names no format; end it in .svg, .png or .pdf"


def test_an_unknown_format_or_option_is_an_error():
    drawn = picture()
    for kind, method in (("html", "to_html"), ("mmd", "to_mermaid"), ("txt", "to_text")):
        with pytest.raises(ValueError, match=rf"format='{kind}': use \.{method}\(\)"):
            picture().render(outfile=f"net.{kind}")
    with pytest.raises(ValueError, match="format='jpg2': choose svg, png, pdf"):
        drawn.pipe("jpg2")
    with pytest.raises(TypeError):
        drawn.pipe(formats="png")
    with pytest.raises(ValueError, match="unknown format: 'x'"):
        picture(format="x")


def test_view_opens_what_it_has_drawn(engine, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(graphviz, "view", lambda path, quiet: opened.append(path))
    picture().view("net.gv", directory=tmp_path)
    assert opened == [str(tmp_path / "net.gv.svg")]


# ---- notebooks -------------------------------------------------------------------------------
def test_a_notebook_gets_svg_png_and_a_sentence(engine):
    drawn = picture()
    bundle = drawn._repr_mimebundle_()
    assert set(bundle) == {"image/svg+xml", "image/png", "text/plain"}
    assert bundle["text/plain"].startswith(
        "<Picture: block diagram of 3 layers, [3, 5, 5, 1], J = "
    )
    assert set(drawn._repr_mimebundle_(include=["image/svg+xml"])) == {"image/svg+xml"}
    assert "image/png" not in drawn._repr_mimebundle_(exclude=["image/png"])


def test_two_pictures_on_a_page_share_no_id(engine):
    drawn = picture()
    shown = [ElementTree.fromstring(drawn._repr_svg_()) for _ in range(2)]
    first, second = ({e.get("id") for e in root.iter() if e.get("id")} for root in shown)
    assert not first & second


def test_a_notebook_shows_it(engine, tmp_path):
    nbformat = pytest.importorskip("nbformat", reason="needs nbformat")
    nbclient = pytest.importorskip("nbclient", reason="needs nbclient")
    pytest.importorskip("ipykernel", reason="needs ipykernel")
    code = "import tinygrad_dnn as tg\nx = tg.Tensor(2.0, name='x')\ntg.visualize.draw(x * x)"
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    nbclient.NotebookClient(book, timeout=60, kernel_name="python3").execute()
    (output,) = book.cells[0].outputs
    assert set(output.data) == {"image/svg+xml", "image/png", "text/plain"}


# ---- colours ---------------------------------------------------------------------------------
def luminance(colour):
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_text_and_strokes_stand_out_from_their_fill():
    from tinygrad_dnn.visualize.palette import BAND, GREY, INK, ROLES, STYLES

    for name, role in ROLES.items():
        assert contrast(role.text, role.fill) >= 4.5, name
        assert name == "plain" or contrast(role.stroke, role.fill) >= 2.6, name
        for style in STYLES.values():
            assert contrast(style.colour or role.text, role.fill) >= 4.5, (name, style)
    assert contrast(INK, BAND.fill) >= 7
    assert contrast(GREY, BAND.fill) >= 4.5


# Machado, Oliveira, Fernandes 2009, severity 1: what is seen without one kind of cone.
BLIND = {
    "none": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


MEANINGS = ("forward", "backward", "parameter", "cache", "cost")


def lab(colour, seen):
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(seen) @ linear, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(to_xyz) @ linear / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("blindness", BLIND)
@pytest.mark.parametrize(("theme", "least", "most"), [("LIGHT", 18, 60), ("DARK", 28, 60)])
def test_meanings_differ_for_every_eye(theme, least, most, blindness):
    """By colour alone; row, shape, dash and arrow say the same again."""
    roles, seen = getattr(palette, theme).roles, BLIND[blindness]
    strokes = {name: lab(roles[name].stroke, seen) for name in MEANINGS}
    for one, other in combinations(MEANINGS, 2):
        assert np.linalg.norm(strokes[one] - strokes[other]) > least, (one, other)
    assert np.linalg.norm(strokes["forward"] - strokes["backward"]) > most


@pytest.mark.parametrize("raises", [True, False])
def test_engines_that_can_raise_the_numbers_of_layers_where_nobody_does_it_later(
    raises, monkeypatch
):
    sent = []

    def run(engine, options, source):
        sent.append((options[-1], source))
        return b"graph 1 9 9\n" if "-Tplain" in options else b"<svg></svg>"

    monkeypatch.setattr(engines, "engines", lambda: iter([engines.Engine("e", "e", (), raises)]))
    monkeypatch.setattr(engines, "_run", run)
    drawn = picture()
    for kind in ("pdf", "png", "svg"):
        drawn.pipe(kind)
    assert ["<SUP>[1]</SUP>" in source for _, source in sent] == [raises, False, raises, False]
    assert "<SUP>" not in drawn.source
