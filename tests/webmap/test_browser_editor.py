"""The editor in a real Chromium: draw and save, two people and one feature, many at once, a crash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page
from sqlalchemy import text

from gis.database import Database
from tests.webmap.test_browser import Visit, address, browser, find_barriers, visit  # noqa: F401 (fixtures)
from tests.webmap.test_browser_layers import enter
from webmap.security import BACKGROUND_TILES_ORIGIN

pytestmark = pytest.mark.browser
Open = Callable[..., Visit]


def edit(window: Visit, name: str, path: str) -> Page:
    """Log in and open an editor."""
    page = enter(window, name, f"/staff/layers/{path}")
    page.wait_for_selector("#map_town[data-ready=features]")
    return page


def save(page: Page, reason: str) -> None:
    page.locator("#reason").fill(reason)
    page.locator("#save button").click()


def saved_words(page: Page) -> str:
    page.wait_for_selector("#status.done")
    return page.locator("#status").inner_text()


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=5)
    page.mouse.up()


def ends_of_selected(page: Page) -> tuple[float, float, float, float]:
    """Return x1, y1, x2, y2 of the selected line's ends on the screen."""
    found = page.evaluate(
        """() => {
            const box = document.getElementById("map_town").getBoundingClientRect();
            let ends = null;
            window.map_town.eachLayer((layer) => {
                if (layer.options?.color !== "#c65a00" || !layer.getLatLngs || !layer.pm) return;
                const all = layer.getLatLngs().flat();
                ends = [all[0], all[all.length - 1]].map((place) => window.map_town.latLngToContainerPoint(place))
                    .flatMap(({ x, y }) => [box.x + x, box.y + y]);
            });
            return ends;
        }"""
    )
    assert found
    return found[0], found[1], found[2], found[3]


def rows(database: Database, query: str) -> list[Any]:
    with database.begin("dept_sewer") as connection:
        return [tuple(row) for row in connection.execute(text(query)).all()]


def real_troubles(window: Visit) -> list[str]:
    """What went wrong, but for the conflict that a test provokes: the browser writes it down by itself."""
    assert window.other_hosts <= {BACKGROUND_TILES_ORIGIN}
    return [trouble for trouble in window.troubles if "409 (CONFLICT)" not in trouble]


def test_a_point_is_drawn_filled_in_and_saved_with_its_reason(
    visit: Open,  # noqa: F811
    town_database: Database,
    staff: None,
) -> None:
    window = visit("desktop")
    page = edit(window, "hanako", "evacuation_site/edit")
    assert find_barriers(page) == []
    window.keep_picture("editor-desktop")
    page.locator("[data-tool='add:CircleMarker']").click()
    box = page.locator("#map_town").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 60)
    page.wait_for_selector("#field-site_id[aria-invalid]")
    save(page, "現地調査")
    page.wait_for_selector("#status.error:has-text('保存できない値')")
    page.locator("#field-site_id").fill("E-900")
    page.locator("#field-name").fill("<b>新しい丘</b>")
    page.locator("#field-name").press("Tab")
    page.locator("#field-tsunami").select_option("true")
    page.locator("[data-tool=undo]").click()
    assert page.locator("#field-tsunami").input_value() == "false"
    page.locator("[data-tool=redo]").click()
    assert find_barriers(page) == []
    save(page, "現地調査")
    assert "追加 1 件" in saved_words(page)
    page.locator("#filter").fill("新しい丘")
    page.wait_for_selector("#features li")
    ((fid,),) = rows(town_database, "SELECT max(fid) FROM layers.evacuation_site")
    assert page.locator("#features li").all_inner_texts() == [f"<b>新しい丘</b> (#{fid})"]
    query = """SELECT s.site_id, s.tsunami, s.created_by, c.reason FROM layers.evacuation_site s
        JOIN history.evacuation_site h USING (fid) JOIN gis.changeset c ON c.id = h.changeset
        WHERE s.name = '<b>新しい丘</b>'"""
    assert rows(town_database, query) == [("E-900", True, "hanako", "現地調査")]
    assert real_troubles(window) == []


def test_a_pipe_is_reshaped_and_split_and_what_was_not_saved_survives_a_crash(
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
    for sign in (-1, 1, 1):  # twice at the end: that finishes the line
        page.mouse.click(middle[0] + sign * across[0], middle[1] + sign * across[1])
        page.wait_for_timeout(350)  # Geoman takes two quick clicks for one
    page.wait_for_selector("#status:has-text('Split into 2')")
    page.locator("#unsaved button", has_text="Show").first.click()
    page.locator("[data-tool=reshape]").click()
    page.wait_for_load_state("networkidle")
    vertex = page.locator(".leaflet-marker-icon.marker-icon:not(.marker-icon-middle)").first.bounding_box()
    assert vertex
    place = vertex["x"] + vertex["width"] / 2, vertex["y"] + vertex["height"] / 2
    drag(page, place, (place[0] + 25, place[1] + 30))
    assert page.locator("#unsaved li").count() == 2
    window.keep_picture("editor-split")
    page.wait_for_timeout(400)  # drafts are kept a moment after the change
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(window.address + "/staff/layers/sewer_pipe/edit?lang=en")
    page.get_by_role("button", name="Go on with them").click()
    assert page.locator("#unsaved li").count() == 2
    save(page, "renewed")
    assert "1 added, 1 changed" in saved_words(page)
    assert rows(town_database, "SELECT count(*) FROM layers.sewer_pipe WHERE updated_by = 'saburo'") == [(2,)]
    assert page.evaluate("localStorage.length") == 0
    assert real_troubles(window) == []


def test_two_people_change_one_feature_and_nobodys_work_disappears(
    visit: Open,  # noqa: F811
    town_database: Database,
    staff: None,
) -> None:
    first, second = visit("desktop"), visit("desktop", "en-US")
    one = edit(first, "hanako", "evacuation_site/edit?fid=2")
    two = edit(second, "jiro", "evacuation_site/edit?fid=2")
    one.locator("#field-capacity").fill("111")
    one.locator("#field-note").fill("花子の注記")
    one.locator("#place-longitude").fill("141.2112")
    save(one, "現地調査")
    assert "変更 1 件" in saved_words(one)
    two.locator("#field-capacity").fill("222")
    two.locator("#field-address").fill("次郎の住所")
    two.locator("#place-latitude").fill("38.4321")
    save(two, "a call")
    two.wait_for_selector("#conflicts[open] .conflict-map path", state="attached")
    assert find_barriers(two) == []
    second.keep_picture("editor-conflict")
    two.get_by_role("button", name="Decide later").click()
    two.wait_for_selector("#status.error:has-text('1 features are still in dispute')")
    assert two.locator("#unsaved li").count() == 1, "nothing of the own work is lost meanwhile"
    two.locator("#save button").click()
    two.locator("#conflicts tr:has-text('Capacity') input[value=mine]").check()
    two.locator("#conflicts tr:has-text('Position') input[value=theirs]").check()
    two.get_by_role("button", name="Save what I chose").click()
    assert "1 changed" in saved_words(two)
    query = "SELECT capacity, note, address, round(ST_X(geom)::numeric, 4)::text, version FROM layers.evacuation_site"
    assert rows(town_database, f"{query} WHERE fid = 2") == [(222, "花子の注記", "次郎の住所", "141.2112", 3)]
    assert real_troubles(first) == [] == real_troubles(second)


def test_several_features_get_one_value_in_one_changeset(
    visit: Open,  # noqa: F811
    town_database: Database,
    staff: None,
) -> None:
    window = visit("phone", "en-US")
    page = edit(window, "hanako", "evacuation_site/edit")
    for number in range(3):
        page.locator("#features input").nth(number).check()
    assert "3 features selected" in page.locator("#form").inner_text()
    assert page.locator("#field-name").get_attribute("placeholder") == "(various)"
    page.locator("#field-note").fill("checked")
    page.locator("#field-note").blur()
    assert find_barriers(page) == []
    window.keep_picture("editor-phone")
    save(page, "yearly check")
    assert "3 changed" in saved_words(page)
    query = """SELECT count(*), count(DISTINCT h.changeset), count(DISTINCT l.name) FROM layers.evacuation_site l
        JOIN history.evacuation_site h USING (fid, version) WHERE l.note = 'checked'"""
    assert rows(town_database, query) == [(3, 1, 3)]
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


def test_a_department_without_the_right_sees_the_layer_and_is_refused_by_the_database(
    visit: Open,  # noqa: F811
    town_database: Database,
    staff: None,
) -> None:
    page = edit(visit("desktop", "en-US"), "saburo", "evacuation_site/edit")
    assert "not change it" in page.locator("#editor").inner_text()
    assert page.locator("[data-tool=delete], [data-tool=move]").count() == 0
    answer = page.evaluate(
        """async () => {
            const config = JSON.parse(document.getElementById("editor").dataset.config);
            const body = JSON.stringify({ reason: "x", changes: [{ operation: "delete", fid: 2, base_version: 1 }] });
            const headers = { "Content-Type": "application/json", "X-CSRFToken": config.csrf_token };
            headers["Idempotency-Key"] = "0123456789abcdef";
            const response = await fetch(config.urls.changes, { method: "POST", headers, body });
            return [response.status, (await response.json()).detail];
        }"""
    )
    assert answer[0] == 403
    assert "permission denied for table evacuation_site" in answer[1]
