"""Templates, standing approvals and the emergency override in a real Chromium, on a phone and at a desk."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from gis.accounts import grant_role
from gis.database import Database
from tests.ingest.telegrams import forecast, telegram
from tests.webmap.conftest import PASSWORD, Send
from tests.webmap.test_browser import Visit, address, browser, find_barriers, visit  # noqa: F401 (fixtures)
from tests.webmap.test_browser_layers import enter, fits

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("size", "locale"), [("phone", "ja-JP"), ("desktop", "en-US")])
def test_one_person_warns_from_a_telegram_alone_and_everybody_sees_it(
    visit: Callable[..., Visit],  # noqa: F811
    town_database: Database,
    send: Send,
    owner: Engine,
    staff: None,
    size: str,
    locale: str,
) -> None:
    send(telegram("VTSE41", forecast("51"), status="訓練" if size == "phone" else "通常"))
    with owner.begin() as connection:
        grant_role(connection, "hanako", "alert_override")
        fid = connection.exec_driver_sql("SELECT fid FROM layers.incident ORDER BY fid DESC LIMIT 1").scalar_one()
    window = visit(size, locale)
    page = enter(window, "hanako", f"/staff/incidents/{fid}")
    page.locator("form[action*=from-incident] button").click()
    page.wait_for_selector("#map_town[data-ready=area]")
    for details in page.locator("details summary").all():
        details.click()

    def look(name: str) -> None:
        assert find_barriers(page) == [] and fits(page), name
        page.screenshot(path=window.keep_picture(f"authority-{name}-{size}"), full_page=True)

    look("edit")
    page.locator("button[value=submit]").click()
    page.locator("form[action$=approve-alone]").wait_for(state="attached")
    page.locator("details:has(form[action$=approve-alone]) summary").click()
    look("alone")
    page.fill("#override-reason", "当直は私一人です" if size == "phone" else "Nobody else is on duty")
    page.fill("#proof", PASSWORD)
    page.locator("form[action$=approve-alone] button").click()
    page.wait_for_selector(".flash.done")
    look("sent")
    with owner.begin() as connection:
        connection.exec_driver_sql("UPDATE alerts.delivery SET state = 'accepted', finished_at = clock_timestamp()")
    page.wait_for_selector("#progress[data-open='0']")  # the page reads the numbers again by itself
    assert page.locator("#progress-said").text_content()
    waiting = {"phone": "送信待ち", "desktop": "waiting,"}[size]
    assert waiting not in page.locator("#progress > p").last.inner_text(), "no number of the page stays behind"
    post = page.locator("textarea[readonly]").first
    page.locator("button[data-copies]").first.click()
    assert page.evaluate("getSelection().toString()") == post.input_value() and "/alerts/" in post.input_value()
    number = page.url.rpartition("/")[2]
    for name, path in (
        ("list", ""), ("overview", "/.."), ("standing", "/standing"), ("templates", "/templates"),
        ("template", f"/templates/new?from={number}"), ("new", f"/new?incident={fid}"),
        ("preview", f"/{number}/preview"),
    ):  # fmt: skip
        window.go(f"/staff/alerts{path}")
        page.wait_for_load_state("networkidle")
        look(name)
    assert window.troubles == []
