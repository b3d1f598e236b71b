"""Changing a layer's attributes, style and settings in a real Chromium: readable, and the map follows the form."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page
from sqlalchemy import Engine

from gis.accounts import add_account
from gis.database import Database
from tests.webmap.conftest import PASSWORD
from tests.webmap.test_browser import (  # noqa: F401 (fixtures)
    Visit,
    address,
    browser,
    drawn_pixels,
    find_barriers,
    visit,
)
from tests.webmap.test_browser_layers import enter, fits

pytestmark = pytest.mark.browser


@pytest.fixture
def keeper(owner: Engine) -> str:
    with owner.begin() as connection:
        add_account(connection, "shiro", "四郎", "sewer", PASSWORD, True, ("editor", "layer_manager"))
    return "shiro"


def choose_places(page: Page) -> None:
    """Tick two quarters as the area of a right, and see them on the map before anything is saved."""
    for _ in range(2):
        page.select_option("#layer-of-places", "town_block")
        page.locator("button[value=places]").click()
        page.wait_for_selector("#places input")
        page.locator("#places input").nth(0).check()
        page.locator("#places input").nth(1).check()
    page.locator("button[value=places]").click()
    page.wait_for_selector("#map_town[data-ready=grants]")
    assert page.locator("#map_town path").count() > 0


@pytest.mark.parametrize(("size", "locale"), [("desktop", "ja-JP"), ("phone", "en-US")])
def test_the_pages_of_whoever_keeps_a_layer_are_readable_and_the_map_follows_the_form(
    visit: Callable[..., Visit],  # noqa: F811
    town_database: Database,
    keeper: str,
    size: str,
    locale: str,
) -> None:
    window = visit(size, locale)
    page = enter(window, keeper, "/staff/layers/sewer_manhole/attributes")
    page.locator("details.keep summary").nth(2).click()
    for name in ("attributes", "settings", "grants", "style"):
        if name != "attributes":
            page.goto(f"{window.address}/staff/layers/sewer_manhole/{name}")
            page.wait_for_load_state("networkidle")
        if name == "grants":
            choose_places(page)
        assert find_barriers(page) == [], name
        assert fits(page), name
        window.keep_picture(f"keeping-{name}-{size}")
    page.wait_for_selector("#map_town[data-ready=style]")
    page.select_option("#how", "values")
    page.select_option("#class_by", "drainage")
    page.locator("button[value=classes]").click()
    page.wait_for_selector("#map_town[data-ready=style]")
    before = page.locator("#legend").inner_html()
    page.locator("input[name=c0_color]").evaluate(
        "field => { field.value = '#ff00ff'; field.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    page.wait_for_selector("#map_town[data-previews]")
    assert page.locator("#legend").inner_html() != before
    page.wait_for_load_state("networkidle")
    assert drawn_pixels(page, "layer") > 0
    window.keep_picture(f"keeping-classes-{size}")
    page.fill("#reason", "色の見直し")
    page.locator("button[value=save]").click()
    page.wait_for_selector(".flash.done")
    assert "#ff00ff" in page.content()
