"""Pictures and pages in a notebook: run, turned into a web page, and read in real browsers."""

import re

import pytest

from tests.test_page import has_engine

nbformat = pytest.importorskip("nbformat", reason="needs nbformat")
nbclient = pytest.importorskip("nbclient", reason="needs nbclient")
nbconvert = pytest.importorskip("nbconvert", reason="needs nbconvert")
pytest.importorskip("ipykernel", reason="needs ipykernel")
pytest.importorskip("selenium", reason="needs selenium")
from tests.browsers import NAMES, Reader, start  # noqa: E402

CELLS = [
    """import numpy as np, tinygrad_dnn as tg
rng = np.random.default_rng(0)
net = tg.nn.Sequential.from_layer_dims([3, 5, 5, 5, 5, 1], rng=rng)
X, Y = rng.standard_normal((3, 8)), np.ones((1, 8))
picture = tg.draw(net, X, Y)
picture""",
    "picture",
    "tg.draw(tg.nn.binary_cross_entropy(net(X), Y), direction='TB')",
    "picture.to_html()",
]
pytestmark = has_engine


@pytest.fixture(scope="module")
def book():
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    nbclient.NotebookClient(book, timeout=120, kernel_name="python3").execute()
    return book


@pytest.fixture(scope="module")
def exported(book, tmp_path_factory):
    """The notebook as nbconvert writes it; what it would fetch by itself is left out."""
    html, _ = nbconvert.HTMLExporter(template_name="lab").from_notebook_node(book)
    path = tmp_path_factory.mktemp("book") / "book.html"
    path.write_text(re.sub(r'<script src="https:[^>]*></script>', "", html), encoding="utf-8")
    return path


@pytest.fixture(scope="module", params=NAMES)
def reader(request, exported):
    driver = start(request.param)
    yield Reader(driver, exported).open()
    driver.quit()


def test_pictures_are_svg_and_png_and_a_sentence(book):
    for cell in book.cells[:3]:
        (output,) = cell.outputs
        assert set(output.data) == {"image/svg+xml", "image/png", "text/plain"}
    (output,) = book.cells[3].outputs
    assert set(output.data) == {"text/html", "text/plain"}


def test_pictures_on_one_page_share_no_id(book):
    shown = [cell.outputs[0].data["image/svg+xml"] for cell in book.cells[:3]]
    ids = [name for svg in shown for name in re.findall(r'\bid="([^"]*)"', svg)]
    assert len(ids) == len(set(ids))


def test_no_picture_is_cut_off(reader):
    pictures = reader.all(".jp-OutputArea-output img, .jp-OutputArea-output svg")
    assert len(pictures) == 3
    for picture in pictures:
        box, area = reader.driver.execute_script(
            "const area = arguments[0].closest('.jp-OutputArea-output');"
            "return [arguments[0], area].map((e) => e.getBoundingClientRect().toJSON())",
            picture,
        )
        assert box["width"] > 200
        assert box["height"] > 100
        assert box["left"] >= area["left"]
        assert box["right"] <= area["right"] + 1
        assert reader.driver.execute_script(
            "return document.documentElement.scrollWidth <= innerWidth"
        )


def test_the_page_works_in_its_frame(reader):
    reader.enter("iframe")
    reader("#next").click()
    assert reader.text("#caption b") == "Forward, layer 1"
    reader.click("#block-J")
    assert reader.heading() == "Cost J"
    assert len(reader.all("#panel math")) >= 1
    reader.driver.switch_to.default_content()
