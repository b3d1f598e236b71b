"""The pages of layers and history in a real Chromium: maps draw, the slider reaches the past, axe finds nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page
from sqlalchemy import Engine, text

from gis.database import Database
from layers.changes import Update
from layers.definition import load_definitions
from layers.editing import apply_changes
from tests.webmap.conftest import PASSWORD
from tests.webmap.test_browser import (  # noqa: F401 (fixtures)
    Visit,
    address,
    browser,
    drawn_pixels,
    find_barriers,
    visit,
)
from webmap.security import BACKGROUND_TILES_ORIGIN

pytestmark = pytest.mark.browser


def enter(window: Visit, name: str, path: str) -> Page:
    """Log in and go to a page."""
    page = window.go(f"/staff/login?next={path}")
    page.locator("#name").fill(name)
    page.locator("#password").fill(PASSWORD)
    page.locator("main form.login button").click()
    page.wait_for_load_state("networkidle")
    return page


def fits(page: Page) -> bool:
    """Return whether nothing of the page sticks out to the side."""
    return not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


@pytest.mark.parametrize(("size", "locale"), [("desktop", "ja-JP"), ("phone", "en-US")])
def test_the_catalogue_and_a_layer_are_readable_on_every_screen(
    visit: Callable[..., Visit],  # noqa: F811
    town_database: Database,
    staff: None,
    size: str,
    locale: str,
) -> None:
    window = visit(size, locale)
    page = enter(window, "saburo", "/staff/layers")
    assert find_barriers(page) == []
    assert fits(page)
    window.keep_picture(f"layers-{size}")
    page.goto(window.address + "/staff/layers/sewer_manhole")
    page.wait_for_selector("#map_town[data-ready=layer]")
    page.wait_for_load_state("networkidle")
    assert drawn_pixels(page, "layer") > 0
    assert find_barriers(page) == []
    assert fits(page)
    window.keep_picture(f"layer-{size}")
    assert window.troubles == []
    assert window.other_hosts <= {BACKGROUND_TILES_ORIGIN}


def test_the_slider_reaches_the_past_and_a_changeset_its_features(
    visit: Callable[..., Visit],  # noqa: F811
    town_database: Database,
    owner: Engine,
    staff: None,
) -> None:
    sites = load_definitions()["evacuation_site"]
    with town_database.begin("dept_disaster", "hanako", "名称の変更") as connection:
        fid = connection.execute(text("SELECT min(fid) FROM layers.evacuation_site")).scalar_one()
        changed = apply_changes(connection, sites, [Update(fid, 1, {"name": "新しい丘"})])
    window = visit("desktop")
    page = enter(window, "hanako", "/staff/layers/evacuation_site")
    page.wait_for_selector("#map_town[data-ready=layer]")
    assert page.locator("#slide").is_hidden(), "the layer is of today: there is no past to slide through"
    with owner.begin() as connection:
        connection.execute(text("UPDATE gis.changeset SET created_at = created_at - interval '10 days'"))
    page.reload()
    page.wait_for_selector("#map_town[data-ready=layer]")
    page.wait_for_load_state("networkidle")
    assert drawn_pixels(page, "layer") > 0
    with page.expect_response(lambda answer: "evacuation_site" in answer.url and "at=20" in answer.url):
        page.locator("#slide").fill("0")
    page.wait_for_load_state("networkidle")
    assert drawn_pixels(page, "layer") == 0, "ten days ago there was nothing"
    page.goto(f"{window.address}/staff/changesets/{changed.changeset}")
    page.wait_for_selector("#map_town[data-ready=changes]")
    assert page.locator("path.change").count() == 2
    assert find_barriers(page) == []
    window.keep_picture("changeset-desktop")
    page.get_by_role("link", name="新しい丘").click()
    page.wait_for_selector("#map_town[data-ready=changes]")
    assert find_barriers(page) == []
    window.keep_picture("feature-desktop")
    page.goto(f"{window.address}/staff/layers/evacuation_site/history")
    assert find_barriers(page) == []
    assert window.troubles == []
