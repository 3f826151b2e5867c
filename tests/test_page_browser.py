"""The interactive page in a real browser: it is clicked, pointed at, and driven by keys."""

import time

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.browsers import NAMES, Reader, start
from tests.test_page import has_engine, network, page, view
from tinygrad_dnn.cli.program import main
from tinygrad_dnn.visualize import draw

selenium = pytest.importorskip("selenium", reason="needs selenium")
from selenium.webdriver.common.keys import Keys  # noqa: E402

pytestmark = has_engine


@pytest.fixture(scope="module", params=NAMES)
def browser(request):
    driver = start(request.param)
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for name, dims in (("three", (3, 5, 5, 1)), ("fifty", (3, *[5] * 49, 1))):
        (folder / name).with_suffix(".html").write_text(page(dims), encoding="utf-8")
    return folder


@pytest.fixture
def reader(browser, files):
    reader = Reader(browser, files / "three.html").open()
    yield reader
    assert reader.complaints() == []


@pytest.fixture
def fifty(browser, files):
    reader = Reader(browser, files / "fifty.html").open()
    yield reader
    assert reader.complaints() == []


def test_only_the_file_itself_is_asked_for(reader):
    reader("#play").click()
    reader.click("#block-F1")
    reader("#tab-ops").click()
    assert reader.asked_for() == [f"file://{reader.path}"]


def test_a_click_shows_equation_numbers_and_heat_maps(reader):
    assert reader.heading() == "Look inside"
    reader.click("#block-B2")
    assert reader.heading() == "Backward, layer 2"
    assert len(reader.all("#panel .math > div")) == 4
    assert reader.shown() == ["dZ[2]", "dA[1]"]
    assert len(reader.all("#panel canvas")) == 2
    said = reader("#said").get_attribute("textContent")
    assert said.startswith("Backward, layer 2, backward step. dZ[2]=dA[2]∗[Z[2] > 0]. ")
    assert "dZ[2] is 5 by 8" in said
    reader.click("#block-P3")
    assert reader.shown() == [
        "W[3]",
        "dW[3]",
        "b[3]",
        "db[3]",
    ]
    assert reader("#block-P3").get_attribute("aria-pressed") == "true"
    assert reader("#block-B2").get_attribute("aria-pressed") == "false"


def test_what_the_panel_says_is_what_the_engine_computed(reader):
    net, X, Y = network()
    W = net.parameters()["W2"]
    dW = tg.grad(tg.nn.binary_cross_entropy(net(X), Y), W)
    reader.click("#block-P2")
    for facts, array in zip(reader.all("#panel .facts")[:2], (W.data, dW), strict=True):
        names = [e.text for e in facts.find_elements("tag name", "dt")]
        values = [e.text.replace("−", "-") for e in facts.find_elements("tag name", "dd")]
        said = dict(zip(names, values, strict=True))
        assert float(said["min"]) == pytest.approx(array.min(), rel=1e-4)
        assert float(said["max"]) == pytest.approx(array.max(), rel=1e-4)
        assert float(said["norm"]) == pytest.approx(np.linalg.norm(array), rel=1e-4)
        assert said["zeros"] == f"{100 * np.mean(array == 0):.5g} %"


def test_cells_of_a_heat_map_are_read_by_pointer_and_keys(reader):
    net, *_ = network()
    W = net.parameters()["W2"].data
    reader.click("#block-P2")
    reader.point("#panel canvas")
    canvas, line = reader.all("#panel canvas")[0], reader.all("#panel .cell")[0]
    said = line.text.replace("−", "-").split(": ")
    assert said[0] == "row 3, column 3"
    assert float(said[1]) == pytest.approx(W[2, 2], abs=1e-4 * np.abs(W).max())
    reader.driver.execute_script("arguments[0].focus()", canvas)
    reader.press(Keys.ARROW_DOWN, Keys.ARROW_RIGHT)
    assert line.text.startswith("row 4, column 4")
    colours = reader.driver.execute_script(
        "return [...arguments[0].getContext('2d').getImageData(0, 0, 5, 5).data]", canvas
    )
    pixels = np.array(colours).reshape(5, 5, 4)
    assert ((pixels[..., 0] > pixels[..., 2]) == (W > 0)).all()  # amber above zero, blue below


def test_pointing_shows_a_box_and_leaving_it_what_is_selected(reader):
    reader.click("#block-F1")
    reader.point("#block-J")
    assert reader.heading() == "Cost J"
    assert len(reader.all("#panel .math > div")) == 1
    reader.point("h1")
    assert reader.heading() == "Forward, layer 1"


def test_buttons_slider_and_keys_step_through_the_computation(reader):
    assert reader.text("#count") == "0 / 8"
    reader("#next").click()
    assert reader.text("#caption b") == "Forward, layer 1"
    assert "(5, 3) (3, 8) + (5, 1) → (5, 8)" in reader.text("#caption")
    assert reader.heading() == "Forward, layer 1"
    assert "later" in reader("#block-A2").get_attribute("class")
    assert "now" in reader("#block-A1").get_attribute("class")
    reader.focus("#slider")
    reader.press(Keys.END)
    assert reader.text("#caption b") == "Backward, layer 1"
    assert reader("#slider").get_attribute("aria-valuetext") == "Backward, layer 1"
    reader.press(Keys.ARROW_LEFT)
    assert reader.text("#count") == "7 / 8"
    reader.driver.execute_script("document.activeElement.blur()")
    reader.press(Keys.ARROW_LEFT)
    assert reader.text("#caption b") == "Backward, layer 3"
    assert "later" in reader("#block-G2").get_attribute("class")
    assert "later" not in reader("#block-C2").get_attribute("class")
    reader.press(Keys.HOME)
    assert reader.text("#caption b") == "Overview"
    assert reader.all(".later") == []
    reader.press(Keys.END)
    assert reader.text("#count") == "8 / 8"
    reader("#back").click()
    reader("#first").click()
    assert reader.text("#count") == "0 / 8"


def test_play_runs_and_stops(reader):
    reader.driver.execute_script("document.activeElement.blur()")
    reader.press(" ")
    assert reader("#play").get_attribute("aria-label") == "Pause"
    reader.wait(lambda: reader.text("#count") == "2 / 8")
    reader.press(" ")
    assert reader("#play").get_attribute("aria-label") == "Play"
    count = reader.text("#count")
    time.sleep(1.7)
    assert reader.text("#count") == count
    reader.press(Keys.END)
    reader("#play").click()  # at the end: from the beginning
    assert reader.text("#count") == "1 / 8"


def test_boxes_are_walked_and_opened_by_keys(reader):
    reader.focus("#tab-block")
    reader.press(Keys.TAB * 8)
    while not reader.focused().startswith("block-"):
        reader.press(Keys.TAB)
    assert reader.focused() == "block-A0"
    reader.press(Keys.ARROW_RIGHT)
    assert reader.focused() == "block-F1"
    reader.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    assert reader.focused() == "block-B1"
    reader.press(Keys.ENTER)
    assert reader.heading() == "Backward, layer 1"
    reader.press(Keys.ARROW_RIGHT, " ")
    assert reader.heading() == "dA[1]"
    assert reader("#play").get_attribute("aria-label") == "Play"
    reader.press(Keys.HOME)
    assert reader.focused() == "block-A0"
    assert reader.text("#count") == "0 / 8"


def test_every_box_can_be_reached_by_arrows(reader):
    ids = [e.get_attribute("id") for e in reader.all("#block .node[role=button]")]
    reached, queue = {"block-A0"}, ["block-A0"]
    while queue:
        here = queue.pop()
        for key in (Keys.ARROW_LEFT, Keys.ARROW_RIGHT, Keys.ARROW_UP, Keys.ARROW_DOWN):
            reader.focus(f"#{here}")
            reader.press(key)
            if reader.focused() not in reached:
                reached.add(reader.focused())
                queue.append(reader.focused())
    assert reached == set(ids)


def test_tabs_change_the_view_and_each_keeps_its_step(reader):
    reader("#next").click()
    reader.focus("#tab-block")
    reader.press(Keys.ARROW_RIGHT)
    assert reader("#tab-ops").get_attribute("aria-selected") == "true"
    assert not reader("#view-block").is_displayed()
    assert reader.text("#count") == "0 / 20"
    reader("#next").click()
    assert reader.text("#caption b") == "matmul, layer 1"
    assert "(5, 3), (3, 8) → (5, 8)" in reader.text("#caption")
    reader.click("#ops-leaf_3")
    assert reader.shown() == ["W[2]", "dW[2]"]
    reader("#tab-block").click()
    assert reader.text("#count") == "1 / 8"


def test_folded_layers_unfold(fifty):
    assert not fifty("#block1").is_displayed()
    fifty.point("#block-F3to48")
    assert "A click, or Enter, unfolds all of it." in fifty.text("#panel")
    fifty.click("#block-F3to48")
    assert fifty("#block1").is_displayed()
    assert fifty.focused() == "block1-F3"
    assert not fifty("#block").is_displayed()
    assert fifty.text("#count") == "0 / 102"
    fifty("#view-block .unfold").click()
    assert fifty("#block").is_displayed()
    fifty.focus("#block-B3to48")
    fifty.press(Keys.ENTER)
    assert fifty("#block1").is_displayed()
    fifty("#slider").send_keys(Keys.END, Keys.ARROW_LEFT)
    assert fifty.text("#caption b") == "Backward, layer 2"
    fifty.wait(lambda: fifty.sees("#block1-B2"))
    fifty("#tab-ops").click()
    fifty.click("#ops-fold_1")
    assert fifty.text("#count") == "0 / 302"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_reader(reader, scheme):
    dark = {"name": "prefers-color-scheme", "value": scheme}
    reader.emulate("Emulation.setEmulatedMedia", features=[dark])

    def colours():
        return [
            reader.driver.execute_script(f"return getComputedStyle({what}")
            for what in (
                "document.documentElement).backgroundColor",
                "document.querySelector('#block-F1 .shape')).fill",
            )
        ]

    light, dark = (
        ["rgb(255, 255, 255)", "rgb(230, 241, 251)"],
        ["rgb(16, 22, 29)", "rgb(18, 48, 74)"],
    )
    before, after = (light, dark) if scheme == "light" else (dark, light)
    assert colours() == before
    reader("#theme").click()
    assert colours() == after
    reader.emulate("Emulation.setEmulatedMedia", features=[])


def test_at_phone_width_nothing_sticks_out_but_the_drawing_scrolls(reader):
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    reader.emulate("Emulation.setDeviceMetricsOverride", **size)
    reader.open("#step=6")
    wide = "return [document.documentElement.scrollWidth, innerWidth]"
    assert reader.driver.execute_script(wide) == [390, 390]
    for selector in ("#theme", "#count", "#slider", "#panel", "#caption"):
        box = reader(selector).rect
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    reader.wait(lambda: reader.sees("#block-B3"))
    for name in ("first", "back", "play", "next", "theme"):
        assert min(reader(f"#{name}").size.values()) >= 32
    reader.emulate("Emulation.clearDeviceMetricsOverride")


def test_the_drawing_and_its_equations_fit_beside_one_another(browser, tmp_path):
    net, X, Y = network((3, 5, 5, 1), hidden="gelu")
    draw(net, X, Y).to_html(path := tmp_path / "gelu.html")
    reader = Reader(browser, path).open("#node=J")
    fits = "const e = document.querySelector(arguments[0]); return e.scrollWidth <= e.clientWidth"
    browser.set_window_size(1400, 900)
    for box in ("J", "B1", "F1", "B3", "BJ"):
        reader.click(f"#block-{box}")
        assert browser.execute_script(fits, ".math"), box
    assert browser.execute_script(fits, ".views")


@pytest.mark.parametrize("size", [(1400, 1000), (1280, 900)])
def test_the_panel_goes_below_a_drawing_that_would_be_small_beside_it(browser, tmp_path, size):
    draw(*network((3, 5, 5, 3, 1))).to_html(path := tmp_path / "four.html")
    draw(*network((3, 1))).to_html(small := tmp_path / "one.html")
    browser.set_window_size(*size)
    where = """const views = document.querySelector(".views").getBoundingClientRect();
        const panel = document.querySelector("aside").getBoundingClientRect();
        const after = (one, other) => one > other - 0.1;  // Firefox rounds
        return [after(panel.left, views.right), after(panel.top, views.bottom)]"""
    Reader(browser, small).open()
    assert browser.execute_script(where) == [True, False]
    reader = Reader(browser, path).open("#node=B4")
    assert browser.execute_script(where) == [False, True]
    smallest = """const svg = document.querySelector(".level > svg");
        const size = (text) => parseFloat(getComputedStyle(text).fontSize);
        return svg.getScreenCTM().a * Math.min(...[...svg.querySelectorAll("text")].map(size))"""
    assert browser.execute_script(smallest) >= 8 - 0.01
    inside = """const right = (element) => element.getBoundingClientRect().right;
        const panel = document.querySelector("aside");
        return [...panel.querySelectorAll("*")].every((part) => right(part) <= right(panel))"""
    assert browser.execute_script(inside)
    views = "const v = document.querySelector('.views'); return v.scrollWidth - v.clientWidth"
    assert browser.execute_script(views) <= (0 if size[0] == 1400 else 110)
    assert reader.complaints() == []
    browser.set_window_size(1400, 800)


def test_whoever_wants_no_motion_gets_none(reader):
    calm = {"name": "prefers-reduced-motion", "value": "reduce"}
    reader.emulate("Emulation.setEmulatedMedia", features=[calm])
    reader("#play").click()
    moving = "return document.getAnimations().filter(a => a.playState === 'running').length"
    assert reader.driver.execute_script(moving) == 0
    assert reader.text("#count") == "1 / 8"
    reader.emulate("Emulation.setEmulatedMedia", features=[])


def test_a_screen_reader_finds_names_roles_and_states(reader):
    tree = reader.emulate("Accessibility.getFullAXTree")["nodes"]
    found = {
        (node["role"]["value"], node.get("name", {}).get("value"))
        for node in tree
        if not node["ignored"]
    }
    for expected in (
        ("tab", "Block diagram"),
        ("slider", "Step"),
        ("button", "Play"),
        ("button", "Forward, layer 1: forward step"),
        ("button", "W[2] and b[2]: parameters of layer 2"),
        ("complementary", "What is selected"),
        ("heading", "3-layer network [3, 5, 5, 1]"),
    ):
        assert expected in found
    unnamed = [role for role, name in found if role in ("button", "tab", "slider") and not name]
    assert unnamed == []


def test_it_works_in_the_frame_of_a_notebook(browser, tmp_path):
    book = tmp_path / "book.html"
    book.write_text(f"<!doctype html><meta charset=utf-8>{page()._repr_html_()}", encoding="utf-8")
    reader = Reader(browser, book).open()
    browser.switch_to.frame(reader("iframe"))
    reader("#next").click()
    assert reader.text("#caption b") == "Forward, layer 1"
    reader("#theme").click()
    assert reader.complaints() == []


def test_scalars_and_odd_graphs_have_a_page_too(browser, tmp_path):
    x = tg.Tensor(2.0, name="x")
    file = tmp_path / "x.html"
    text = draw(np.sin(x) * x + x).to_html(file)
    assert view(text, "ops")
    reader = Reader(browser, file).open("#node=leaf_1")
    assert [e.text for e in reader.all("#panel .scalar")] == [
        "2",
        f"{np.sin(2) + 2 * np.cos(2) + 1:.5g}",
    ]
    assert reader.complaints() == []


def test_a_failed_pass_opens_at_what_failed(browser, tmp_path):
    file = tmp_path / "failed.html"
    with pytest.raises(ValueError, match="layer 1") as caught:
        network()[0](np.ones((8, 3)))
    draw(caught.value).to_html(file)
    reader = Reader(browser, file).open()
    assert browser.title == "Failed forward pass"
    assert reader.heading() == "Linear(3 -> 5) failed"
    assert "=" not in reader.text("#panel .math")  # there is no result to name
    assert "it needs (3, m)" in reader.text("#panel")
    assert "backward" not in reader.text("#caption")
    assert reader.complaints() == []


def test_the_demo_s_page_has_it_in_a_frame(browser, tmp_path):
    for module in ("sklearn", "matplotlib", "tqdm"):
        pytest.importorskip(module)
    assert main(["demo", "--data", "moons", "--epochs", "3", "--out", str(tmp_path)]) == 0
    reader = Reader(browser, tmp_path / "index.html").open()
    assert reader.asked_for()[0] == f"file://{tmp_path}/index.html"
    reader.enter("iframe")
    reader("#next").click()
    assert reader.text("#caption b") == "Forward, layer 1"
    reader.click("#block-J")
    assert reader.heading() == "Cost J"
    browser.switch_to.default_content()
    assert reader.complaints() == []
