"""The editor's tools by hand, on a desk and on a phone: move, box, split, merge, keyboard; undone and done again."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from gis.database import Database
from tests.webmap.test_browser import address, browser, find_barriers, visit  # noqa: F401 (fixtures)
from tests.webmap.test_browser_editor import Open, drag, edit, ends_of_selected, rows, save, saved_words

pytestmark = pytest.mark.browser


def place_of_selected(page: Page) -> tuple[float, float]:
    """Return where the selected point is on the screen."""
    x, y = page.evaluate(
        """() => {
            const box = document.getElementById("map_town").getBoundingClientRect();
            let place = null;
            window.map_town.eachLayer((one) => {
                if (one.options?.color !== "#c65a00" || !one.getLatLng || !one.pm) return;
                place = window.map_town.latLngToContainerPoint(one.getLatLng());
            });
            return [box.x + place.x, box.y + place.y];
        }"""
    )
    return x, y


def unsaved(page: Page) -> int:
    return page.locator("#unsaved li").count()


def take_back_and_do_again(page: Page, done: int) -> None:
    """Undo by button and redo by keyboard must lead back to the same number of unsaved changes."""
    page.locator("[data-tool=undo]").click()
    before = unsaved(page)
    page.keyboard.press("Control+y")
    assert unsaved(page) == done
    page.keyboard.press("Control+z")
    assert unsaved(page) == before
    page.keyboard.press("Control+Shift+Z")
    assert unsaved(page) == done


def test_a_point_is_moved_by_hand_and_by_keyboard(
    visit: Open,  # noqa: F811
    town_database: Database,
    staff: None,
) -> None:
    query = "SELECT ST_X(geom), ST_Y(geom) FROM layers.evacuation_site WHERE fid = 2"
    ((x, y),) = rows(town_database, query)
    page = edit(visit("desktop", "en-US"), "hanako", "evacuation_site/edit?fid=2")
    page.wait_for_selector("#form h3")
    page.locator("#snap").uncheck()
    page.locator("[data-tool=move]").focus()
    page.keyboard.press("Enter")
    assert page.locator("[data-tool=move]").get_attribute("aria-pressed") == "true"
    start = place_of_selected(page)
    drag(page, start, (start[0] + 60, start[1] + 40))
    page.wait_for_selector("#unsaved li:has-text('Position')")
    take_back_and_do_again(page, done=1)
    page.locator("#map_town").focus()
    page.keyboard.press("Escape")
    assert page.locator("[data-tool=select]").get_attribute("aria-pressed") == "true"
    first = page.locator("#features input").first
    was_chosen = first.is_checked()
    first.focus()
    page.keyboard.press("Space")
    assert first.is_checked() is not was_chosen, "a feature of the list is chosen without a mouse"
    save(page, "measured anew")
    assert "1 changed" in saved_words(page)
    ((new_x, new_y),) = rows(town_database, query)
    assert new_x > x and new_y < y, "to the right and down is east and south"


def test_a_pipe_is_split_chosen_by_a_box_merged_again_and_each_step_taken_back(
    visit: Open,  # noqa: F811
    town_database: Database,
    staff: None,
) -> None:
    window = visit("desktop", "en-US")
    page = edit(window, "saburo", "sewer_pipe/edit?fid=100")
    page.wait_for_selector("#form h3")
    page.locator("#snap").uncheck()
    x1, y1, x2, y2 = ends_of_selected(page)
    middle, across = ((x1 + x2) / 2, (y1 + y2) / 2), (y2 - y1, x1 - x2)
    page.locator("[data-tool=split]").click()
    for sign in (-1, 1, 1):
        page.mouse.click(middle[0] + sign * across[0], middle[1] + sign * across[1])
        page.wait_for_timeout(350)
    page.wait_for_selector("#status:has-text('Split into 2')")
    take_back_and_do_again(page, done=2)
    page.locator("[data-tool=box]").click()
    for x, y in ((min(x1, x2) - 30, min(y1, y2) - 30), (max(x1, x2) + 30, max(y1, y2) + 30)):
        page.mouse.click(x, y)
        page.wait_for_timeout(350)
    page.wait_for_selector("#form h3:has-text('features selected')")
    assert page.locator("#features input:checked").count() >= 2
    window.keep_picture("editor-box")
    page.locator("#unsaved button", has_text="Show").first.click()
    page.locator("#filter").fill("new")
    page.locator("#features input").first.check()
    page.locator("[data-tool=merge]").click()
    page.wait_for_selector("#status:has-text('Merged into')")
    assert unsaved(page) <= 1, "the new piece is gone again"
    done = unsaved(page)
    page.locator("[data-tool=undo]").click()
    assert unsaved(page) == 2
    page.locator("[data-tool=redo]").click()
    assert unsaved(page) == done
    page.locator("[data-tool=delete]").click()
    take_back_and_do_again(page, done=1)
    assert find_barriers(page) == []


def test_on_a_phone_a_point_is_added_chosen_and_moved_by_touch(
    visit: Open,  # noqa: F811
    town_database: Database,
    staff: None,
) -> None:
    window = visit("phone")
    page = edit(window, "hanako", "evacuation_site/edit?fid=2")
    page.wait_for_selector("#form h3")
    window.keep_picture("editor-phone-top")
    small = page.evaluate(
        """() => [...document.querySelectorAll("#tools button, #save button, .field input, .field select")]
            .map((one) => one.getBoundingClientRect())
            .filter(({ width, height }) => width && (height < 24 || width < 24)).length"""
    )
    assert small == 0, "WCAG 2.2, 2.5.8: targets of 24 by 24 at least"
    page.locator("[data-tool=add_at_centre]").tap()
    page.locator("#field-site_id").fill("E-931")
    page.locator("#field-name").fill("電話の丘")
    page.locator("#field-name").blur()
    page.locator("#place-latitude").fill("38.42")
    page.locator("#place-latitude").blur()
    page.locator("[data-tool=undo]").tap()
    page.locator("[data-tool=redo]").tap()
    page.locator("#reason").scroll_into_view_if_needed()
    window.keep_picture("editor-phone-save")
    save(page, "現地")
    assert "追加 1 件" in saved_words(page)
    assert rows(town_database, "SELECT ST_Y(geom) FROM layers.evacuation_site WHERE site_id = 'E-931'") == [(38.42,)]
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert find_barriers(page) == []
