"""The pages in a real Chromium: the map draws, nothing leaves our host but the background tiles, axe finds nothing."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, Route, sync_playwright
from werkzeug.serving import make_server

from gis.database import Database
from gis.settings import PROJECT_DIR
from tests.webmap.conftest import PASSWORD
from webmap.security import BACKGROUND_TILES_ORIGIN

pytestmark = pytest.mark.browser
SCREENSHOTS = PROJECT_DIR / "var" / "screenshots"
VENDOR = PROJECT_DIR / "webmap" / "static" / "vendor"
SIZES = {"desktop": (1280, 860), "phone": (390, 844)}
# WCAG 2.2 A and AA as axe-core names them; JIS X 8341-3:2016 AA asks for the 2.0 part of it.
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this machine (./machimori test installs it)")
    if not (VENDOR / "axe-core" / "axe.min.js").exists():
        pytest.skip("the map's JavaScript is not installed (./machimori test installs it)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield browser
        browser.close()


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """A real server on the loopback."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@dataclass
class Visit:
    """One window, and what went wrong or astray in it."""

    page: Page
    address: str
    troubles: list[str] = field(default_factory=list)
    other_hosts: set[str] = field(default_factory=set)

    def go(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page

    def keep_picture(self, name: str) -> Path:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        self.page.screenshot(path=path)
        return path

    def watch(self) -> None:
        """Note scripts that fail, refusals of the content security policy, and every request to another host."""
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("console", lambda message: self._note(message.type, message.text, message.location["url"]))
        self.page.route(lambda url: not url.startswith(self.address), self._refuse)

    def _note(self, level: str, words: str, url: str) -> None:
        if level in ("error", "warning") and not url.startswith(BACKGROUND_TILES_ORIGIN):
            self.troubles.append(f"{words} ({url})")

    def _refuse(self, route: Route) -> None:
        self.other_hosts.add("/".join(route.request.url.split("/")[:3]))
        route.abort()


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Callable[..., Visit]]:
    """Open a window of a size and language; GSI's tiles are out of reach, as in a disaster."""
    contexts = []

    def run(size: str, locale: str = "ja-JP") -> Visit:
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height}, locale=locale, has_touch=size == "phone"
        )
        contexts.append(context)
        window = Visit(context.new_page(), address)
        window.watch()
        return window

    yield run
    for context in contexts:
        context.close()


def wait_for_map(page: Page) -> None:
    page.wait_for_selector("#map_town[data-ready=places]")
    page.wait_for_selector("#map_town .leaflet-marker-icon img[src*='kind-tsunami']")
    page.wait_for_selector("#map_town path.area.level-5", state="attached")
    page.wait_for_load_state("networkidle")


def drawn_pixels(page: Page, layer: str) -> int:
    """Return how many pixels of a vector tile layer are not transparent."""
    return int(
        page.evaluate(
            """(name) => [...window[name].getContainer().querySelectorAll("canvas")].reduce((sum, canvas) => sum +
               canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
               .filter((value, at) => at % 4 === 3 && value > 0).length, 0)""",
            f"vector_grid_protobuf_{layer}",
        )
    )


@pytest.mark.parametrize(("size", "locale"), [("desktop", "ja-JP"), ("phone", "en-US")])
def test_the_map_opens_with_sites_incidents_and_areas_and_without_the_background(
    visit: Callable[..., Visit], warned_town: Database, size: str, locale: str
) -> None:
    window = visit(size, locale)
    page = window.go("/")
    wait_for_map(page)
    everything = page.locator("#map_town img[src$='/site.svg']").count()
    assert everything > 10
    for layer in ("base_road", "base_water", "city_area"):
        assert drawn_pixels(page, layer) > 0, layer
    page.get_by_role("radio", name="津波" if locale == "ja-JP" else "Tsunami").check()
    safe = page.locator("#map_town img[src$='/site-tsunami.svg']").count()
    assert 0 < safe < everything
    assert page.locator("#now a").count() >= 2
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    window.keep_picture(f"map-{size}")
    assert window.troubles == []
    assert window.other_hosts <= {BACKGROUND_TILES_ORIGIN}


def test_a_popup_names_the_site_and_never_runs_what_others_wrote(
    visit: Callable[..., Visit], warned_town: Database
) -> None:
    with warned_town.begin("dept_disaster") as connection:
        connection.exec_driver_sql("UPDATE layers.evacuation_site SET name = '<img src=x onerror=boom()>'")
    window = visit("desktop")
    page = window.go("/")
    wait_for_map(page)
    page.locator("#map_town .leaflet-marker-icon:has(img[src$='/site.svg'])").first.focus()
    page.keyboard.press("Enter")
    popup = page.wait_for_selector(".leaflet-popup-content")
    assert popup is not None and "<img src=x onerror=boom()>" in popup.inner_text()
    assert window.troubles == []


def test_a_map_left_open_shows_a_new_warning_by_itself(
    visit: Callable[..., Visit], town_database: Database, request: pytest.FixtureRequest
) -> None:
    window = visit("desktop")
    window.page.clock.install()
    page = window.go("/")
    page.wait_for_selector("#now li:has-text('現在、警報・事案はありません')")
    request.getfixturevalue("warned_town")
    page.clock.fast_forward(61_000)
    page.wait_for_selector("#now a:has-text('大津波警報')")


def find_barriers(page: Page) -> list[str]:
    page.evaluate((VENDOR / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    result = page.evaluate("(tags) => axe.run(document, {runOnly: tags})", AXE_TAGS)
    return [f"{found['id']}: {node['html'][:200]}" for found in result["violations"] for node in found["nodes"]]


@pytest.mark.parametrize("path", ["/", "/list", "/shelters", "/incidents/{incident}", "/alerts/{alert}", "/nothing"])
def test_axe_finds_no_barrier_on_a_citizens_page(visit: Callable[..., Visit], warned_town: Database, path: str) -> None:
    with warned_town.begin("citizen") as connection:
        alert, incident = connection.exec_driver_sql("SELECT max(a.id), max(a.incident_fid) FROM open.alert a").one()
    page = visit("phone").go(path.format(alert=alert, incident=incident) + "?lang=ja")
    page.wait_for_load_state("networkidle")
    assert find_barriers(page) == []


def test_the_staff_desk_works_without_barriers(visit: Callable[..., Visit], warned_town: Database, staff: None) -> None:
    window = visit("desktop")
    page = window.go("/staff/")
    page.get_by_label("アカウント名").fill("hanako")
    page.get_by_label("パスワード").fill(PASSWORD)
    assert find_barriers(page) == []
    page.get_by_role("button", name="ログイン").click()
    page.wait_for_selector("h1:has-text('概況')")
    assert find_barriers(page) == []
    page.locator("table a").first.click()
    page.wait_for_selector("#map_town[data-ready=area]")
    assert find_barriers(page) == []
    window.keep_picture("staff-alert")
    assert window.troubles == []
    assert window.other_hosts <= {BACKGROUND_TILES_ORIGIN}
