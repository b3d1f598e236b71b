"""The moderators' desk in a real Chromium: keys, a drawn area and its households, nothing in a reader's way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page
from sqlalchemy import text

from gis.database import SERVICE, Database
from ingest.statistics import refresh_statistics
from tests.ingest.desk import PASSWORD, Post, people, person_report, post  # noqa: F401 (fixtures)
from tests.webmap.test_browser import Visit, address, browser, find_barriers, visit  # noqa: F401 (fixtures)
from tests.webmap.test_browser_layers import fits

pytestmark = pytest.mark.browser
THEFTS = """
    INSERT INTO layers.incident (kind, status, state, publication, event_key, category, place_name, source, occurred_at,
                                 reported_at, geom)
    SELECT 'crime', 'Actual', 'resolved', 'published', 'theft' || n, '自転車盗',
           (ARRAY['矢本', '赤井', '大曲'])[1 + n % 3], '県警', at, at,
           ST_SetSRID(ST_MakePoint(141.17 + 0.0125 * (n % 4), 38.40 + 0.0083 * (n % 7 / 2)), 6668)
    FROM (SELECT n, timestamptz '2025-01-01T09:00+09' + n * interval '53 hours' AS at
          FROM generate_series(1, 150) n) made
"""


def _focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.dataset.key ?? document.activeElement.id"))


def _draw(page: Page, size_px: int) -> None:
    """Draw a rectangle on the map, at sea, where nobody lives."""
    page.locator("#map_town").scroll_into_view_if_needed()
    page.evaluate("window.map_town.setView([38.32, 141.22], 14, { animate: false })")
    page.locator(".leaflet-pm-icon-rectangle").click()
    box = page.locator("#map_town").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.click(x - size_px, y - size_px)
    page.mouse.click(x + size_px, y + size_px)
    page.wait_for_selector("#map_town[data-ready=drawn]")


def _publication(database: Database) -> list[str]:
    with database.begin(SERVICE) as connection:
        rows = connection.execute(text("SELECT publication FROM layers.incident WHERE event_key LIKE 'event:%'"))
        return sorted(rows.scalars())


@pytest.mark.parametrize(("size", "locale"), [("desktop", "ja-JP"), ("phone", "en-US")])
def test_a_moderator_decides_by_keys_and_draws_an_area_that_gives_nobody_away(
    visit: Callable[..., Visit],  # noqa: F811
    town_database: Database,
    people: None,  # noqa: F811
    post: Post,  # noqa: F811
    size: str,
    locale: str,
) -> None:
    post(person_report("1"), person_report("2", kind="fire", place=(141.19, 38.42)))
    post(person_report("3", facts={"category": "盗撮"}), source="citizen")
    window = visit(size, locale)
    page = window.go("/staff/login")
    page.locator("#name").fill("mod")
    page.locator("#password").fill(PASSWORD)
    page.locator("form.login button").click()
    page.wait_for_url("**/staff/**")
    window.go("/staff/incidents?kind=suspicious_person")
    assert find_barriers(page) == [] and fits(page)
    page.screenshot(path=window.keep_picture(f"desk-queue-{size}"), full_page=True)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector("#map_town[data-ready=area]")
    assert find_barriers(page) == [] and fits(page)
    page.screenshot(path=window.keep_picture(f"desk-incident-{size}"), full_page=True)
    for key, reached in (("p", "p"), ("h", "h"), ("r", "r"), ("e", "headline"), ("a", "rule"), ("m", "m")):
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press(key)
        assert _focused(page) == reached, key
    # An area of too few is said to be so before it is sent, and refused when it is.
    _draw(page, 40)
    assert "0" in page.inner_text("#households")
    page.locator("#reason-area").fill("x")
    page.locator("#where ~ details button").last.click()
    page.wait_for_selector(".flash.error")
    assert find_barriers(page) == [] and fits(page)
    page.screenshot(path=window.keep_picture(f"desk-refused-{size}"), full_page=True)
    # Held back by keys: the reason, then the button that the key has found.
    page.wait_for_selector("#map_town[data-ready=area]")
    page.locator("#reason-decide").fill("asking the police")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("h")
    page.keyboard.press("Enter")
    page.wait_for_selector(".flash.done")
    assert _publication(town_database).count("held") == 1
    # The statistics: cells, then heat, in the public's and the moderators' numbers.
    with town_database.begin(SERVICE) as connection:
        connection.execute(text(THEFTS))
        refresh_statistics(connection)
    for path, name in (("/statistics", "public"), ("/staff/statistics", "staff")):
        window.go(f"{path}?kind=crime&year=2025")
        page.wait_for_selector("#map_town[data-ready=mesh]")
        page.locator("#map_town .leaflet-control-layers input").last.check()
        assert page.locator("svg.heat ellipse").count() > 1
        assert find_barriers(page) == [] and fits(page)
        page.screenshot(path=window.keep_picture(f"statistics-{name}-{size}"), full_page=True)
    # The browser notes the refused area as the answer 400 that it was; nothing else may have gone wrong.
    assert len(window.troubles) == 1 and "400" in window.troubles[0]
