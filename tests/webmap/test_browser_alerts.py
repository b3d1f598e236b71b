"""The alert console in a real Chromium: few steps to a warning, a drawn area, nothing in a reader's way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import Engine, text

from alerts.catalogue import JST
from alerts.letter import Recipient, build_letter
from alerts.templates import fill_template, load_templates
from gis.database import Database
from gis.settings import Settings
from gis.town import load_town
from tests.webmap.test_browser import Visit, address, browser, find_barriers, visit  # noqa: F401 (fixtures)
from tests.webmap.test_browser_layers import enter, fits

pytestmark = pytest.mark.browser


@pytest.fixture
def quarter(town_database: Database, owner: Engine, staff: None) -> None:
    """A quarter of our own."""
    shape = "ST_MakeEnvelope(141.20, 38.40, 141.21, 38.41, 6668)"
    with owner.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO layers.town_block (name, name_kana, name_en, geom)"
                f" VALUES ('試験町', 'シケンチョウ', 'Shikencho', {shape})"
            )
        )


@pytest.mark.parametrize(("size", "locale"), [("phone", "ja-JP"), ("desktop", "en-US")])
def test_a_quarter_is_warned_in_six_actions(
    visit: Callable[..., Visit],  # noqa: F811
    quarter: None,
    size: str,
    locale: str,
) -> None:
    window = visit(size, locale)
    page = enter(window, "hanako", "/staff/")
    actions = 0

    def act(step: Callable[[], object]) -> None:
        nonlocal actions
        actions += 1
        step()

    act(page.locator("a[href$='/staff/alerts/new']").click)
    page.wait_for_load_state("networkidle")
    page.fill("#ref", "無い町")
    page.locator("section.next button.button").click()
    page.wait_for_selector("#about-ref")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "alert", "the keyboard goes there"
    page.wait_for_load_state("networkidle")
    assert "400" in window.troubles.pop(), "the browser's own note of the refusal"
    page.goto(f"{window.address}/staff/alerts/new")
    assert find_barriers(page) == [] and fits(page)
    window.keep_picture(f"alert-new-{size}")
    act(lambda: page.fill("#ref", "試験町"))
    act(page.locator("section.next button.button").click)
    page.wait_for_selector("#map_town[data-ready=area]")
    assert find_barriers(page) == [] and fits(page)
    page.screenshot(path=window.keep_picture(f"alert-edit-{size}"), full_page=True)
    act(page.locator("button[value=submit]").click)
    page.wait_for_selector(".flash.done")
    assert actions <= 6
    assert find_barriers(page) == [] and fits(page)
    page.screenshot(path=window.keep_picture(f"alert-submitted-{size}"), full_page=True)
    page.locator("a[href$='/preview']").click()
    page.wait_for_load_state("networkidle")
    assert find_barriers(page) == [] and fits(page)
    heading = page.frame_locator("iframe.mail").first.locator("h1")
    assert heading.evaluate("e => getComputedStyle(e).fontSize") == "20px", "as in the mail, not as this site likes it"
    page.screenshot(path=window.keep_picture(f"alert-preview-{size}"), full_page=True)
    page.goto(f"{window.address}/staff/alerts")
    assert find_barriers(page) == [] and fits(page)
    window.keep_picture(f"alert-list-{size}")
    assert window.troubles == []


@pytest.mark.parametrize("language", ["ja", "ja-x-easy", "en"])
def test_a_mail_fits_the_narrowest_phones(visit: Callable[..., Visit], settings: Settings, language: str) -> None:  # noqa: F811
    place = "Omagari, Hamasuka" if language == "en" else "矢本字大溜"
    blanks = {"place": place, "time": "16:05", "hazard": "洪水"}
    words = fill_template(load_templates()["emergency"], language, blanks, "Exercise")
    letter = build_letter(123456, words, datetime(2031, 5, 3, 16, 5, tzinfo=JST), settings, load_town(), "Update")
    sites = [{"name": f"どこかの小学校の屋上の避難場所その{n}", "distance_m": 900 * n} for n in (1, 2, 3)]
    names = ["自宅", "おばあさんの家", "https-without-a-blank-in-its-name.example", "職場", "大曲字浜須賀"]
    html = letter.bodies(Recipient(7, "a@machimori.example", "t" * 43, names, sites, earlier=[(1, 2)]))[1]
    window = visit("phone", "ja-JP")
    page = window.page
    page.set_content(html)
    for width, height in ((240, 320), (360, 640)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, "nobody scrolls sideways"
        box = page.locator("h1").bounding_box()
        assert box and box["height"] <= 0.4 * height, "the words begin on the first screen"
        window.keep_picture(f"mail-{language}-{width}")


def test_a_drill_is_drawn_on_the_map_in_another_colour(
    visit: Callable[..., Visit],  # noqa: F811
    quarter: None,
) -> None:
    window = visit("desktop", "ja-JP")
    page = enter(window, "hanako", "/staff/alerts/new")
    page.check("input[name=status][value=Exercise]")
    page.locator("section.next button.button").click()
    page.wait_for_selector("#map_town[data-ready=area]")
    page.locator(".leaflet-pm-icon-rectangle").click()
    box = page.locator("#map_town").bounding_box()
    assert box
    middle_x, middle_y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.click(middle_x, middle_y)
    page.mouse.click(middle_x + 30, middle_y + 30)
    assert "Polygon" in page.input_value("#drawn") and page.input_value("#source") == "drawn"
    page.locator("button[value=add]").click()
    page.wait_for_selector("#map_town[data-ready=area]")
    assert page.locator("#map_town path.area").count() == 1
    assert page.locator(".drill-bar").is_visible() and page.locator("body.drill-page, .drill-page").count()
    assert find_barriers(page) == []
    page.screenshot(path=window.keep_picture("alert-drill-desktop"), full_page=True)
    assert window.troubles == []


def test_a_sending_is_seen_live_until_the_login_ends(
    visit: Callable[..., Visit],  # noqa: F811
    warned_town: Database,
    owner: Engine,
    staff: None,
) -> None:
    def change(sql: str, **values: object) -> int:
        with owner.begin() as connection:
            return int(
                connection.execute(text(f"WITH q AS ({sql} RETURNING 1) SELECT count(*) FROM q"), values).scalar_one()
            )

    with owner.begin() as connection:
        alert_id = connection.execute(text("SELECT max(alert_id) FROM alerts.delivery")).scalar_one()
    wait = "UPDATE alerts.delivery SET state = 'pending', is_held = false WHERE alert_id = :id"
    mails = change(wait, id=alert_id)
    window = visit("desktop", "en-US")
    page = enter(window, "hanako", f"/staff/alerts/{alert_id}")
    assert page.locator("#delivery-rows tr").filter(has_text="waiting").count() == min(mails, 50)
    page.locator(".wide[aria-labelledby=deliveries]").last.focus()
    arrive = (
        "UPDATE alerts.delivery SET state = 'accepted', finished_at = now()"
        " WHERE id = (SELECT min(id) FROM alerts.delivery WHERE alert_id = :id)"
    )
    page.evaluate("document.getElementById('delivery-pages').textContent = 'as it was when the page was opened'")
    assert change(arrive, id=alert_id) == 1
    page.locator("#progress").filter(has_text=f"1 of {mails} accepted").wait_for()
    assert page.locator("#delivery-rows tr").filter(has_text="accepted").count() == 1
    assert "as it was" not in page.locator("#delivery-pages").inner_text()
    assert page.evaluate("document.activeElement.getAttribute('aria-labelledby')") == "deliveries"
    assert page.locator("#progress-ended").is_hidden()
    change("UPDATE gis.session SET seen_at = now() - interval '2 hours'")
    page.wait_for_selector("#progress-ended", state="visible")
    assert find_barriers(page) == []
    page.locator("#progress-ended").scroll_into_view_if_needed()
    window.keep_picture("alert-login-ended")
