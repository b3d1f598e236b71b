"""What happens to unsaved work when the line breaks, the window dies, the person leaves or another sits down."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, Route
from sqlalchemy import Engine

from gis.database import Database
from tests.layers.personal_layer import make_household_layer
from tests.webmap.conftest import PASSWORD
from tests.webmap.test_browser import address, browser, visit  # noqa: F401 (fixtures)
from tests.webmap.test_browser_editor import Open, edit, rows, save, saved_words

pytestmark = pytest.mark.browser
DRAFTS = "Object.keys(localStorage).filter((key) => key.startsWith('machimori-editor:'))"


def lose_answer(route: Route) -> None:
    """Let the server do it, and cut the line before its answer arrives."""
    assert route.fetch().ok
    route.abort()


def add_site(page: Page, key: str) -> None:
    page.locator("[data-tool=add_at_centre]").click()
    page.locator("#field-site_id").fill(key)
    page.locator("#field-name").fill(f"丘 {key}")
    page.locator("#field-name").press("Tab")


def leave_and_return(page: Page, url: str) -> None:
    page.once("dialog", lambda dialog: dialog.accept())
    page.goto(url)
    page.wait_for_selector("#map_town[data-ready=features]")


def test_a_save_whose_answer_was_lost_is_found_again_and_done_once(
    visit: Open,  # noqa: F811
    town_database: Database,
    staff: None,
) -> None:
    window = visit("desktop")
    page = edit(window, "hanako", "evacuation_site/edit")
    query = "SELECT site_id, note FROM layers.evacuation_site WHERE site_id LIKE 'E-9%' ORDER BY site_id"
    page.route("**/edit/changes", lose_answer, times=1)
    add_site(page, "E-901")
    save(page, "現地調査")
    page.wait_for_selector("#status.error:has-text('接続できません')")
    assert rows(town_database, query) == [("E-901", None)], "the server did it, and nobody here knows"
    page.locator("#save button").click()
    assert "追加 1 件" in saved_words(page)
    assert rows(town_database, query) == [("E-901", None)]
    # The answer is lost again, more is changed, the window dies, and only then is it saved.
    page.route("**/edit/changes", lose_answer, times=1)
    add_site(page, "E-902")
    save(page, "現地調査 2")
    page.wait_for_selector("#status.error:has-text('接続できません')")
    page.locator("#field-note").fill("あとから")
    page.locator("#field-note").press("Tab")
    page.wait_for_timeout(400)  # drafts are kept a moment after the change
    leave_and_return(page, page.url)
    page.locator("#drafts button", has_text="続きから").click()
    save(page, "現地調査 3")
    assert "変更 1 件" in saved_words(page), "the first part was found saved, the rest changes it"
    assert rows(town_database, query) == [("E-901", None), ("E-902", "あとから")]
    assert page.evaluate(DRAFTS) == []


def test_a_live_windows_draft_is_neither_offered_nor_overwritten_and_logging_out_leaves_none(
    visit: Open,  # noqa: F811
    town_database: Database,
    staff: None,
) -> None:
    window = visit("desktop", "en-US")
    first = edit(window, "hanako", "evacuation_site/edit")
    add_site(first, "E-911")
    first.wait_for_timeout(400)
    second = first.context.new_page()
    second.goto(first.url)
    second.wait_for_selector("#map_town[data-ready=features]")
    add_site(second, "E-912")
    second.wait_for_timeout(400)
    assert second.locator("#drafts .flash").count() == 0
    assert len(first.evaluate(DRAFTS)) == 2, "each window keeps its own"
    first.close()  # as in a crash: without being asked
    second.wait_for_selector("#drafts .flash:has-text('1 unsaved changes')")
    second.get_by_role("button", name="Go on with them").click()
    assert "take back" in second.locator("#status").inner_text(), "not over what is unsaved here"
    questions: list[str] = []

    def answer(dialog: Any) -> None:
        questions.append(dialog.message)
        dialog.accept() if len(questions) > 1 else dialog.dismiss()

    second.on("dialog", answer)
    second.get_by_role("button", name="Log out").click()
    assert len(second.evaluate(DRAFTS)) == 2, "who says no stays, with everything"
    second.get_by_role("button", name="Log out").click()
    second.wait_for_url("**/staff/login*")
    assert second.evaluate(DRAFTS) == []
    assert all("unsaved changes in this browser" in question for question in questions)


def test_personal_values_are_never_in_the_browsers_storage_and_another_account_sees_no_draft(
    visit: Open,  # noqa: F811
    database: Database,
    staff: None,
    owner: Engine,
) -> None:
    make_household_layer(owner, "disaster")
    window = visit("desktop", "en-US")
    page = edit(window, "hanako", "household/edit")
    page.locator("[data-tool=add_at_centre]").click()
    page.locator("#field-number").fill("7")
    page.locator("#field-resident").fill("秘密花子")
    page.locator("#field-resident").press("Tab")
    page.route("**/edit/changes", lambda route: route.abort(), times=1)
    save(page, "survey")
    page.wait_for_selector("#status.error:has-text('does not answer')")
    page.wait_for_timeout(400)
    kept = page.evaluate("JSON.stringify({ ...localStorage }) + JSON.stringify({ ...sessionStorage })")
    assert "machimori-editor:hanako:household" in kept
    assert "秘密花子" not in kept
    page.context.clear_cookies()  # the session ends by itself
    page.once("dialog", lambda dialog: dialog.accept())
    page.goto(f"{window.address}/staff/login")
    for name, offered in (("jiro", 0), ("hanako", 1)):
        page.goto(f"{window.address}/staff/login?lang=en")
        page.locator("#name").fill(name)
        page.locator("#password").fill(PASSWORD)
        page.locator("form.login button").click()
        page.wait_for_url(lambda url: "login" not in url)
        page.goto(f"{window.address}/staff/layers/household/edit")
        page.wait_for_selector("#map_town[data-ready=features]")
        assert page.locator("#drafts .flash").count() == offered
        if not offered:
            page.context.clear_cookies()
    assert "personal attributes were not kept" in page.locator("#drafts").inner_text()
    page.get_by_role("button", name="Go on with them").click()
    assert page.locator("#field-number").input_value() == "7"
    page.locator("#field-resident").fill("秘密花子")
    page.locator("#field-resident").press("Tab")
    save(page, "survey")
    assert "1 added" in saved_words(page)
    assert rows_of_disaster(database, "SELECT resident FROM layers.household_personal") == [("秘密花子",)]


def rows_of_disaster(database: Database, query: str) -> list[Any]:
    with database.begin("dept_disaster") as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query).all()]


def test_a_full_storage_is_said_and_what_the_database_refuses_stands_beside_its_field(
    visit: Open,  # noqa: F811
    town_database: Database,
    staff: None,
) -> None:
    with town_database.begin("dept_disaster") as connection:
        taken = connection.exec_driver_sql("SELECT site_id FROM layers.evacuation_site LIMIT 1").scalar_one()
    window = visit("desktop")
    page = edit(window, "hanako", "evacuation_site/edit")
    page.evaluate("""() => { for (let size = 6e6; size >= 1; size = Math.floor(size / 2)) {
        for (let number = 0; number < 2; number += 1) {
            try { localStorage.setItem(`full-${size}-${number}`, "x".repeat(size)); } catch { break; } } } }""")
    add_site(page, taken)
    page.wait_for_selector("#status.error:has-text('空きが足りず')")
    for tag, words in (("ja", "すでに"), ("ja-x-easy", "ほかの ものと"), ("en", "Another feature has")):
        page.evaluate("localStorage.clear()")
        leave_and_return(page, f"{window.address}/staff/layers/evacuation_site/edit?lang={tag}")
        add_site(page, taken)
        save(page, "x")
        page.wait_for_selector("#field-site_id[aria-invalid]")
        assert words in page.locator("#field-site_id-problem").inner_text()
    page.locator("#field-site_id").fill("E-921")
    page.locator("#field-site_id").press("Tab")
    assert page.locator("#field-site_id[aria-invalid]").count() == 0
