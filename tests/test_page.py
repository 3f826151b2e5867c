"""The interactive page as a file: it says what the engine computes, and fetches nothing."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.test_visualize_engines import NASTY, nothing
from tinygrad_dnn import nn
from tinygrad_dnn.errors import ChangedDataError
from tinygrad_dnn.visualize import GraphvizNotFound, draw, engines
from tinygrad_dnn.visualize.markup import inline, mathml
from tinygrad_dnn.visualize.page.numbers import Numbers, described, heat_map

__all__ = ["nothing"]
has_engine = pytest.mark.skipif(not list(engines.engines()), reason="needs a Graphviz engine")


def network(dims=(3, 5, 5, 1), m=8, hidden="relu"):
    rng = np.random.default_rng(0)
    net = nn.Sequential.from_layer_dims(dims, hidden=hidden, rng=rng)
    return net, rng.standard_normal((dims[0], m)), (rng.random((dims[-1], m)) > 0.5) * 1.0


def page(dims=(3, 5, 5, 1), m=8, **options):
    return draw(*network(dims, m), **options).to_html()


def data(text):
    return json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])


def view(text, name):
    (found,) = (each for each in data(text)["views"] if each["id"] == name)
    return found


def cells(array):
    heat = array["map"]
    whole = np.frombuffer(base64.b64decode(heat["cells"]), "<i2").astype(float)
    return whole.reshape(heat["rows"], heat["cols"]) / 32767 * heat["peak"]


# ---- truth -----------------------------------------------------------------------------------
def numbers_of_the_engine(net, X, Y):
    """Every array of the chain by its course name, computed by the engine."""
    found, before = {"A[0]": X, "Y": Y}, X
    tensors = {}
    for n, layer in enumerate(net.layers[::2], 1):
        Z = layer(before)
        A = net.layers[2 * n - 1](Z)
        tensors |= {f"Z[{n}]": Z, f"A[{n}]": A, f"W[{n}]": layer.W, f"b[{n}]": layer.b}
        before = A
    J = nn.binary_cross_entropy(before, Y)
    gradients = tg.grad(J, list(tensors.values()))
    found |= {name: t.data for name, t in tensors.items()} | {"J": J.data}
    return found | {f"d{name}": g for name, g in zip(tensors, gradients, strict=True)}


@pytest.mark.parametrize("dims", [(3, 1), (3, 5, 5, 1), (4, 6, 3, 2, 5, 3, 4, 1)])
def test_every_number_is_the_engine_s(dims):
    net, X, Y = network(dims)
    expected = numbers_of_the_engine(net, X, Y)
    shown = {a["name"]: a for a in data(draw(net, X, Y).to_html())["arrays"].values()}
    assert expected.keys() <= shown.keys()
    for name, value in expected.items():
        array = shown[name]
        assert tuple(array["shape"]) == value.shape
        assert array["dtype"] == str(value.dtype)
        assert array["kind"] == ("gradient" if name[0] == "d" else "value")
        exact = {
            "min": value.min(),
            "max": value.max(),
            "mean": value.mean(),
            "std": value.std(),
            "norm": np.sqrt((value**2).sum()),
            "zeros": np.count_nonzero(value == 0) / value.size,
        }
        for what, number in exact.items():
            assert array[what] == pytest.approx(number, rel=1e-12, abs=1e-15), (name, what)
        if value.size > 1:
            assert np.abs(cells(array) - value).max() <= 2e-5 * np.abs(value).max()


def test_drawing_and_the_page_change_nothing():
    net, X, Y = network()
    before = {name: p.data.copy() for name, p in net.parameters().items()}
    draw(net, X, Y).to_html()
    for name, p in net.parameters().items():
        assert p.grad is None
        assert p.name == name
        np.testing.assert_array_equal(p.data, before[name])


def test_data_changed_since_the_forward_pass_is_not_shown_as_if_it_were_not():
    net, X, Y = network()
    picture = draw(net, X, Y)
    net.parameters()["W2"].data[...] = 0
    net.parameters()["W2"].data = net.parameters()["W2"].data
    with pytest.raises(ChangedDataError, match="run the forward pass again"):
        picture.to_html()


def test_a_network_without_a_cost_has_values_and_no_gradients():
    net, X, _ = network()
    text = draw(net, X).to_html()
    assert {array["kind"] for array in data(text)["arrays"].values()} == {"value"}
    assert {step["phase"] for step in view(text, "block")["levels"][0]["steps"]} == {"forward"}


# ---- steps -----------------------------------------------------------------------------------
def test_steps_go_forward_then_backward_layer_by_layer():
    (level,) = view(page(), "block")["levels"]
    assert [step["title"] for step in level["steps"]] == [
        "Forward, layer 1",
        "Forward, layer 2",
        "Forward, layer 3",
        "Cost",
        "Backward, cost",
        "Backward, layer 3",
        "Backward, layer 2",
        "Backward, layer 1",
    ]
    assert level["steps"][5]["lines"] == [
        [
            "dZ<sup>[3]</sup> = dA<sup>[3]</sup> * A<sup>[3]</sup> * (1 − A<sup>[3]</sup>)"
            " = (A<sup>[3]</sup> − Y) / m",
            "→ (1, 8)",
        ],
        ["dW<sup>[3]</sup> = dZ<sup>[3]</sup> A<sup>[2]T</sup>", "(1, 8) (8, 5) → (1, 5)"],
        ["db<sup>[3]</sup> = Σ_columns dZ<sup>[3]</sup>", "Σ_columns (1, 8) → (1, 1)"],
        ["dA<sup>[2]</sup> = W<sup>[3]T</sup> dZ<sup>[3]</sup>", "(5, 1) (1, 8) → (5, 8)"],
    ]
    assert level["steps"][0]["lines"][0][1] == "(5, 3) (3, 8) + (5, 1) → (5, 8)"


@has_engine
def test_operations_step_in_the_order_of_the_engine(monkeypatch):
    net, X, Y = network()
    order = []
    for fn, rule in tg.primitives.RULES.items():
        vjps = rule.vjps
        if isinstance(vjps, tuple):
            watched = tuple(
                v and (lambda *a, v=v, fn=fn, **k: order.append(fn.__name__) or v(*a, **k))
                for v in vjps
            )
            monkeypatch.setattr(rule, "vjps", watched, raising=True)
    J = nn.mean_squared_error(net(X), Y)
    tg.grad(J, list(net.parameters().values()))
    walked = [name for i, name in enumerate(order) if i == 0 or name != order[i - 1]]
    monkeypatch.undo()
    (level,) = view(draw(J).to_html(), "ops")["levels"]
    backward = [s["title"] for s in level["steps"] if s["phase"] == "backward"]
    said = [t.removeprefix("Back through ").split(",")[0].replace(" ", "_") for t in backward]
    assert said == walked


@has_engine
@pytest.mark.parametrize("dims", [(3, 1), (3, 5, 5, 1), (3, *[5] * 49, 1)])
def test_every_box_has_details_and_every_arrow_is_in_a_step(dims):
    text = page(dims)
    for each in data(text)["views"]:
        for level in each["levels"]:
            ids = set(re.findall(rf'<g id="{level["id"]}-([^"]+)" class="[^"]*node"', text))
            assert ids == level["boxes"].keys()
            arrows = re.findall(rf'id="{level["id"]}-e(\d+)" class="arrow', text)
            dealt = [n for step in level["steps"] for n in step["arrows"]]
            assert len(dealt) == len(set(dealt))
            nowhere = 1 if each["id"] == "block" else 0  # to dA[0], which is not needed
            assert len(dealt) == len(arrows) - nowhere
            made = [name for step in level["steps"] for name in step["makes"]]
            assert len(made) == len(set(made))
            assert {name for step in level["steps"] for name in step["at"]} <= ids
            keys = {key for box in level["boxes"].values() for key in box.get("arrays", ())}
            assert keys <= data(text)["arrays"].keys()


def test_deep_networks_come_folded_and_unfolded():
    folded, unfolded = view(page((3, *[5] * 49, 1)), "block")["levels"]
    assert folded["boxes"]["F3to48"]["folded"]
    assert len(folded["steps"]) == 12
    assert len(unfolded["steps"]) == 102
    assert "F27" in unfolded["boxes"]


def test_units_that_answer_nothing_are_named():
    net, X, Y = network()
    net.parameters()["b1"].data[[1, 3]] = -100.0
    boxes = view(draw(net, X, Y).to_html(), "block")["levels"][0]["boxes"]
    assert boxes["F1"]["remarks"] == ["Units 2, 4 give 0 for every example shown."]


# ---- one file, and nothing else ---------------------------------------------------------------
def test_the_page_is_small_and_asks_for_nothing():
    text = page()
    assert len(text.encode()) < 200_000
    assert len(page((12288, 20, 7, 5, 1), m=209).encode()) < 200_000
    assert len(page((64, 64, 64, 10), m=64).encode()) < 200_000
    outside = re.sub(r'"http://www.w3.org/(2000/svg|1998/Math/MathML)"', "", text)
    assert "http" not in outside.replace("http-equiv", "")
    assert not re.search(r"\b(src|href)=|url\(|@import|fetch\(|XMLHttp|eval\(", outside)


def test_the_policy_admits_this_style_and_this_script_only():
    text = page()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in policy
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    assert not re.search(r"<[^>]* (style|on\w+)=", re.sub(r"<script>.*", "", text, flags=re.DOTALL))


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.ids, self.open = [], []

    def handle_starttag(self, tag, attributes):
        self.ids += [value for name, value in attributes if name == "id"]
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.ids += [value for name, value in attributes if name == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_it_is_well_formed_with_every_id_once():
    tags = Tags()
    tags.feed(page((3, *[5] * 49, 1)))
    assert tags.open == []
    assert len(tags.ids) == len(set(tags.ids))


@has_engine
def test_any_name_and_title_is_only_text():
    J = np.sum(tg.Tensor([1.0], name=NASTY) * tg.Tensor([1.0], name="\x00\x1b\ud800"))
    text = draw(J, title=NASTY).to_html()
    assert text.count("</script>") == 2
    assert text.encode()
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    names = {array["name"] for array in data(text)["arrays"].values()}
    assert '<b>&"|{}\\ \\N 😀 中文 ]]> </script>' in names


@has_engine
def test_the_name_of_an_operation_is_only_text(monkeypatch):
    monkeypatch.setattr(nn.relu, "__name__", "<lambda>")
    (level,) = view(draw(nn.relu(tg.Tensor([1.0, 2.0]))).to_html(), "ops")["levels"]
    assert level["steps"][0]["title"] == "&lt;lambda&gt;"
    assert level["boxes"]["lambda_1"]["title"] == "&lt;lambda&gt;"


def test_it_is_written_where_asked(tmp_path):
    picture = draw(*network())
    text = picture.to_html(tmp_path / "deep" / "net.html", title="Mine")
    assert (tmp_path / "deep" / "net.html").read_text(encoding="utf-8") == text
    assert "<title>Mine</title>" in text
    assert repr(text).startswith("<Page of ")


def test_a_notebook_shows_it_in_a_frame_that_may_only_run_its_script():
    text = page()
    frame = text._repr_html_()
    assert 'sandbox="allow-scripts"' in frame
    assert ElementTree.fromstring(frame).get("srcdoc").split() == text.split()


def test_the_same_network_gives_the_same_bytes():
    assert page() == page()


def test_without_an_engine_the_block_diagram_is_all_there_is(nothing):
    text = page()
    assert [each["id"] for each in data(text)["views"]] == ["block"]
    assert "The operations are not drawn. Cannot lay out a graph" in text
    with pytest.raises(GraphvizNotFound, match="Cannot lay out a graph: no Graphviz engine"):
        draw(np.sum(tg.Tensor([1.0, 2.0]))).to_html()


def test_a_plain_digraph_has_no_page():
    with pytest.raises(TypeError, match="needs a picture made by draw"):
        tg.visualize.Picture().to_html()


# ---- numbers ---------------------------------------------------------------------------------
def test_large_arrays_are_shown_by_the_means_of_blocks():
    array = np.arange(200.0 * 130).reshape(200, 130)
    heat = heat_map(array, 50)
    assert (heat["rows"], heat["cols"], heat["of"]) == (50, 50, [4, 2.6])
    means = cells({"map": heat})
    edges = [np.arange(51) * n // 50 for n in array.shape]
    for i, j in ((0, 0), (7, 31), (49, 49)):
        block = array[edges[0][i] : edges[0][i + 1], edges[1][j] : edges[1][j + 1]]
        assert means[i, j] == pytest.approx(block.mean(), abs=2e-5 * means.max())


def test_what_is_not_finite_is_counted_and_marked():
    facts = described(np.array([[1.0, np.nan], [np.inf, 3.0]]))
    assert facts["bad"] == 2
    assert (facts["min"], facts["max"], facts["mean"]) == (1, 3, 2)
    whole = np.frombuffer(base64.b64decode(facts["map"]["cells"]), "<i2")
    assert list(whole) == [10922, -32768, -32768, 32767]
    huge = described(np.array([1e300, -1e300]))  # the norm is no number any more
    assert (huge["max"], huge["norm"]) == (1e300, None)
    nothing_good = described(np.array([np.nan, np.inf]))
    assert nothing_good["mean"] is None
    json.dumps(nothing_good, allow_nan=False)


@pytest.mark.parametrize(
    ("array", "rows", "cols"),
    [
        (np.arange(5), 1, 5),
        (np.ones((2, 3, 4)), 6, 4),
        (np.ones((2, 3, 4, 5)), 8, 15),
        (np.array([True, False]), 1, 2),
        (np.array([[3 + 4j, 0]]), 1, 2),
    ],
)
def test_arrays_of_every_kind_have_a_map(array, rows, cols):
    heat = described(array)["map"]
    assert (heat["rows"], heat["cols"]) == (rows, cols)


def test_images_stand_side_by_side_examples_down_and_channels_across():
    array = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    facts = described(array)
    assert facts["map"]["tile"] == [4, 5]
    np.testing.assert_allclose(cells(facts)[4:8, 10:15], array[1, 2], atol=2e-4)
    assert "tile" not in described(np.ones((80, 3, 8, 8)))["map"]  # means of neighbours
    assert "tile" not in described(array[0])["map"]


@pytest.mark.parametrize("array", [np.array(2.0), np.zeros((0, 3)), np.array([7])])
def test_one_number_or_none_has_no_map(array):
    facts = described(array)
    assert "map" not in facts
    assert facts["mean"] == (array.mean() if array.size else None)


def test_many_arrays_share_the_room():
    numbers = Numbers()
    for i in range(40):
        numbers.add(f"W{i}", np.ones((64, 64)), "value")
    sizes = [a["map"]["rows"] * a["map"]["cols"] for a in numbers.data().values()]
    assert sum(sizes) <= 40_000
    assert min(sizes) >= 27**2


# ---- equations -------------------------------------------------------------------------------
def test_equations_are_mathematics():
    math = ElementTree.fromstring(mathml("dW[2] = dZ[2] A[1]ᵀ + Σ relu'(x) * 2.5 < 3"))
    text = "".join(math.itertext())
    assert text == "dW[2]=dZ[2]A[1]T+∑relu′(x)∗2.5<3"
    assert [raised[0].text for raised in math.iter("msup")] == ["W", "Z", "A"]
    assert inline("A[1] & dA[0]ᵀ") == "A<sup>[1]</sup> &amp; dA<sup>[0]T</sup>"
