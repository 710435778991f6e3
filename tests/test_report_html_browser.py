"""The page in a real browser: it sorts, filters, tells points, and asks nobody for anything."""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from html_text import HOSTILE, page_of, rename

pytestmark = pytest.mark.browser

OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,1000",
)


# One of the two plots of points.
PLOT = "figure:has(#figure-accuracy_latency_cpu) .scatter"


@dataclass(frozen=True)
class Browser:
    """A window that shows a page."""

    driver: Chrome
    html: Path

    def show(self, html: Path) -> None:
        self.driver.get_log("performance")
        self.driver.get_log("browser")
        self.driver.get(html.as_uri())

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def script(self, text: str, *arguments: object) -> Any:
        return self.driver.execute_script(f"return {text}", *arguments)

    def press(self, *keys: str) -> None:
        ActionChains(self.driver).send_keys(*keys).perform()

    def point_at(self, element: WebElement) -> None:
        self.script("arguments[0].scrollIntoView({block: 'center'})", element)
        ActionChains(self.driver).move_to_element(element).perform()

    def requests(self) -> list[str]:
        """The addresses asked for since the page was shown."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        events = [(message["method"], message["params"]) for message in messages]
        # what the policy stops is announced before it is stopped
        stopped = {of["requestId"] for _, of in events if of.get("blockedReason") == "csp"}
        asked = [of for event, of in events if event == "Network.requestWillBeSent"]
        return [of["request"]["url"] for of in asked if of["requestId"] not in stopped]

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def tip(self) -> list[str]:
        return self.script("document.getElementById('tip').innerText").splitlines()

    def is_tip_shown(self) -> bool:
        return bool(self.script("!document.getElementById('tip').hidden"))


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for option in (*OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    with webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver"))) as opened:
        yield opened


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with two variants whose names would run a script."""
    folder = tmp_path_factory.mktemp("page")
    shutil.copytree(Path(__file__).parent / "data" / "small_results", folder / "results")
    rename(folder / "results", "attention=eca", HOSTILE)
    (folder / "report.html").write_text(page_of(folder / "results"), encoding="utf-8")
    return folder / "report.html"


@pytest.fixture
def browser(driver: Chrome, html: Path) -> Browser:
    shown = Browser(driver, html)
    shown.show(html)
    return shown


def columns(browser: Browser, table: str, title: str) -> list[str]:
    """The texts below a title in the first table of a section that has it, as far as they are shown."""
    return browser.script(
        """(() => {
            const place = (t) => [...t.tHead.rows[0].cells].findIndex((c) => c.textContent === arguments[1]);
            const tables = document.querySelectorAll(`table[aria-label="${arguments[0]}"]`);
            const table = [...tables].find((t) => place(t) >= 0);
            const index = place(table);
            const rows = [...table.tBodies[0].rows].filter((row) => row.getClientRects().length > 0);
            return rows.map((row) => row.cells[index].innerText);
        })()""",
        table,
        title,
    )


def button(browser: Browser, table: str, title: str) -> WebElement:
    found = browser.all(f'table[aria-label="{table}"] th button')
    return next(element for element in found if element.text == title)


def order(element: WebElement) -> str | None:
    return element.find_element(By.XPATH, "..").get_attribute("aria-sort")


def test_the_page_is_shown_without_a_request_or_a_complaint(browser: Browser) -> None:
    assert browser.driver.title == "Results of small"
    assert len(browser.all("main section h2")) > 5
    assert browser.script("performance.getEntriesByType('resource')") == []
    assert browser.requests() == [browser.html.as_uri()]
    assert browser.complaints() == []


def test_a_request_and_a_complaint_would_be_seen(browser: Browser, tmp_path: Path) -> None:
    text = browser.html.read_text(encoding="utf-8").replace("default-src", "img-src file:; default-src")
    planted = '<img src="missing.png" alt=""></body>'
    (tmp_path / "planted.html").write_text(text.replace("</body>", planted), encoding="utf-8")
    browser.show(tmp_path / "planted.html")
    assert (tmp_path / "missing.png").as_uri() in browser.requests()
    assert any("missing.png" in complaint for complaint in browser.complaints())


def test_the_policy_keeps_a_planted_script_and_picture_out(browser: Browser, tmp_path: Path) -> None:
    planted = '<img src="missing.png" alt=""><script>document.title = "planted"</script></body>'
    text = browser.html.read_text(encoding="utf-8").replace("</body>", planted)
    (tmp_path / "planted.html").write_text(text, encoding="utf-8")
    browser.show(tmp_path / "planted.html")
    assert browser.driver.title == "Results of small"
    assert browser.requests() == [(tmp_path / "planted.html").as_uri()]
    assert len(browser.complaints()) == 2


def test_a_name_that_is_a_script_is_text(browser: Browser) -> None:
    assert HOSTILE in columns(browser, "Variants", "variant")
    assert HOSTILE in [element.text for element in browser.all("svg text")]
    assert len(browser.all("script")) == 1


def test_numbers_sort_as_numbers_and_the_plan_comes_back(browser: Browser) -> None:
    planned = columns(browser, "Variants", "MACs")
    numbers = sorted((text for text in planned if text != "-"), key=lambda text: int(text.replace(",", "")))
    assert len(numbers) == len(planned) - 1
    assert numbers != planned[: len(numbers)]
    macs = button(browser, "Variants", "MACs")
    for name, expected in (
        ("ascending", [*numbers, "-"]),
        ("descending", [*reversed(numbers), "-"]),
        ("none", planned),
    ):
        macs.click()
        assert order(macs) == name
        assert columns(browser, "Variants", "MACs") == expected


def test_texts_sort_as_texts_by_the_keyboard_too(browser: Browser) -> None:
    names = columns(browser, "Variants", "variant")
    button(browser, "Variants", "seeds").click()
    title = button(browser, "Variants", "variant")
    browser.script("arguments[0].focus()", title)
    browser.press(Keys.ENTER)
    assert columns(browser, "Variants", "variant") == sorted(names)
    browser.press(Keys.SPACE)
    assert columns(browser, "Variants", "variant") == sorted(names, reverse=True)
    sorts = browser.all('table[aria-label="Variants"] th:not([aria-sort="none"])')
    assert [header.text for header in sorts] == ["variant"]


def test_a_filter_leaves_the_rows_with_all_its_words(browser: Browser) -> None:
    names = columns(browser, "Latency", "variant")
    field, count = browser.all(".filter input")[1], browser.all(".filter output")[1]
    assert count.text == "12 rows"
    field.send_keys("SCRIPT>, branches fused")
    assert columns(browser, "Latency", "variant") == [f"{HOSTILE}, branches.conv5=off"]
    assert columns(browser, "Latency", "mode") == ["fused"]
    assert count.text == "1 of 12 rows"
    field.send_keys(Keys.BACKSPACE * 30)
    assert columns(browser, "Latency", "variant") == names
    assert count.text == "12 rows"


def test_a_table_of_few_rows_has_no_filter(browser: Browser) -> None:
    rows = browser.script("[...document.querySelectorAll('table')].map((t) => t.tBodies[0].rows.length)")
    assert len(browser.all(".filter")) == sum(number > 8 for number in rows) > 0


def test_the_point_under_the_pointer_is_named_with_its_values(browser: Browser) -> None:
    names = columns(browser, "Variants", "variant")
    accuracies = dict(zip(names, columns(browser, "Variants", "accuracy, % [95 %]"), strict=True))
    places, values = [], []
    for point in browser.all(f"{PLOT} .point"):
        browser.point_at(point)
        name, accuracy, latency = browser.tip()
        y, x = (line.rpartition(": ")[2] for line in (accuracy, latency))
        assert accuracies.pop(name.replace(",", ", ")).removesuffix(" (n=2)") == y
        values.append((float(x.split()[0]), float(y.split()[0])))
        box = point.rect
        places.append((box["x"] + box["width"] / 2, box["y"] + box["height"] / 2))
    assert accuracies == {}
    for axis in (0, 1):
        assert_straight([value[axis] for value in values], [place[axis] for place in places])


def assert_straight(values: Sequence[float], pixels: Sequence[float]) -> None:
    """Each point stands where its value belongs on the axis that two of them span."""
    pairs = sorted(zip(values, pixels, strict=True))
    (first, start), (last, end) = pairs[0], pairs[-1]
    assert abs(end - start) > 20
    for value, pixel in pairs:
        assert pixel == pytest.approx(start + (end - start) * (value - first) / (last - first), abs=2)


def test_away_from_the_points_nothing_is_named(browser: Browser) -> None:
    point = browser.all(f"{PLOT} .point")[0]
    browser.point_at(point)
    assert browser.is_tip_shown()
    browser.point_at(browser.all(f"{PLOT} text")[0])  # a number below the axis
    assert not browser.is_tip_shown()


def test_the_keyboard_goes_from_point_to_point(browser: Browser) -> None:
    stops = browser.all(f'{PLOT} .point[tabindex="0"]')
    assert len(stops) == 1
    browser.script("arguments[0].focus()", stops[0])
    named = [browser.tip()[0]]
    for _ in browser.all(f"{PLOT} .point")[1:]:
        browser.press(Keys.ARROW_RIGHT)
        named.append(browser.tip()[0])
    assert sorted(name.replace(",", ", ") for name in named) == sorted(
        columns(browser, "Variants", "variant")
    )
    browser.press(Keys.ESCAPE)
    assert not browser.is_tip_shown()


def test_the_first_stop_skips_to_the_content(browser: Browser) -> None:
    browser.press(Keys.TAB)
    assert browser.script("document.activeElement.textContent") == "Skip to the content"
    browser.press(Keys.ENTER)
    assert browser.script("document.activeElement.id") == "content"


@pytest.mark.parametrize("width", [480, 1400])
def test_only_boxes_scroll_sideways_never_the_page(browser: Browser, width: int) -> None:
    browser.driver.set_window_size(width, 1000)
    assert browser.script("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    boxes = browser.script(
        "[...document.querySelectorAll('.table')].map((b) => b.scrollWidth - b.clientWidth)"
    )
    assert max(boxes) > 0
    assert min(boxes) == 0


@pytest.mark.parametrize(("scheme", "page"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 23, 27)")])
def test_the_page_follows_the_scheme_and_figures_stay_on_white(
    browser: Browser, scheme: str, page: str
) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    colour = "getComputedStyle(document.querySelector(arguments[0])).backgroundColor"
    assert browser.script(colour, "body") == page
    assert browser.script(colour, ".card") == "rgb(255, 255, 255)"
