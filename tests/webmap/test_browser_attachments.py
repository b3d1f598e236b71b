"""Photos in a real Chromium: chosen, dropped, looked at by keyboard, and sent once a new feature is saved."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from gis.database import Database
from tests.layers.picture_files import make_pdf, make_picture
from tests.webmap.test_browser import Visit, address, browser, find_barriers, visit  # noqa: F401 (fixtures)
from tests.webmap.test_browser_editor import edit, real_troubles, save, saved_words
from tests.webmap.test_browser_layers import enter, fits

pytestmark = pytest.mark.browser
Open = Callable[..., Visit]
DROP = """([target, name, content]) => {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    const carried = new DataTransfer();
    carried.items.add(new File([bytes], name));
    target.dispatchEvent(new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    made = []
    for name, body in (("入口.jpg", make_picture()), ("裏口.png", make_picture("PNG")), ("図面.pdf", make_pdf())):
        made.append(tmp_path / name)
        made[-1].write_bytes(body)
    return made


def find_shelter(database: Database) -> int:
    with database.begin("dept_disaster") as connection:
        return int(connection.execute(text("SELECT min(fid) FROM layers.shelter")).scalar_one())


@pytest.mark.parametrize(("size", "locale"), [("desktop", "ja-JP"), ("phone", "en-US")])
def test_photos_are_added_looked_at_and_removed_in_place(
    visit: Open,  # noqa: F811
    town_database: Database,
    staff: None,
    photos: list[Path],
    size: str,
    locale: str,
) -> None:
    window = visit(size, locale)
    page = enter(window, "hanako", f"/staff/layers/shelter/features/{find_shelter(town_database)}")
    page.locator("#files").set_input_files(photos)
    page.locator("form.upload button").click()
    page.wait_for_selector(".attachment-list li:nth-child(3)")
    assert page.locator(".attachment-status .done").count() == 3
    dropped = base64.b64encode(make_picture("WEBP")).decode()
    page.locator("form.upload").evaluate(
        f"(target, [name, content]) => ({DROP})([target, name, content])", ["a.webp", dropped]
    )
    page.wait_for_selector(".attachment-list li:nth-child(4)")
    dropped = base64.b64encode(b"<svg/>").decode()
    page.locator("form.upload").evaluate(
        f"(target, [name, content]) => ({DROP})([target, name, content])", ["b.png", dropped]
    )
    page.wait_for_selector(".attachment-status .error:has-text('SVG')")
    assert page.locator(".attachment-list > li").count() == 4
    assert find_barriers(page) == [] and fits(page)
    page.locator("#attachments").scroll_into_view_if_needed()
    window.keep_picture(f"attachments-{size}")
    page.locator(".shot").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog.lightbox[open]:has-text('1/3')")
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector("dialog.lightbox:has-text('3/3')")
    assert (
        page.locator("dialog.lightbox img").evaluate(
            "async (shot) => { await shot.decode(); return shot.naturalWidth; }"
        )
        == 640
    )
    window.keep_picture(f"lightbox-{size}")
    assert find_barriers(page) == []
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.lightbox", state="detached")
    assert page.evaluate("document.activeElement.matches('li:nth-child(4) .shot')"), "the focus is where one stopped"
    page.locator("form[data-act=remove] button").first.click()
    page.wait_for_selector("details.removed")
    assert page.locator("#attachments > .attachment-list > li").count() == 3
    assert [trouble for trouble in real_troubles(window) if "422" not in trouble] == []


def test_a_photo_waits_for_the_number_of_a_new_feature_and_offers_its_place(
    visit: Open,  # noqa: F811
    town_database: Database,
    staff: None,
    photos: list[Path],
) -> None:
    window = visit("desktop")
    page = edit(window, "hanako", "shelter/edit")
    page.locator("[data-tool='add_at_centre']").click()
    page.locator("#field-shelter_id").fill("N1")
    page.locator("#field-name").fill("新しい避難所")
    page.locator("#field-name").blur()
    page.locator("#files-of-feature #files").set_input_files(photos[:1])
    page.wait_for_selector("#files-of-feature [role=status]:has-text('1')")
    page.locator("#files-of-feature").scroll_into_view_if_needed()
    window.keep_picture("attachments-waiting")
    save(page, "現地調査")
    assert "1" in saved_words(page)
    page.wait_for_selector("#status:has-text('入口.jpg」を添付しました')")
    with town_database.begin("dept_disaster") as connection:
        fid = connection.execute(text("SELECT fid FROM layers.shelter WHERE shelter_id = 'N1'")).scalar_one()
        kept = connection.execute(text("SELECT fid, name FROM gis.attachment")).one()
    assert tuple(kept) == (fid, "入口.jpg")
    window.go(f"/staff/layers/shelter/edit?fid={fid}")
    page.wait_for_selector("#map_town[data-ready=features]")
    page.locator("#files-of-feature form[data-act=use-place] button").click()
    page.wait_for_selector("#unsaved li")
    page.wait_for_selector("#files-of-feature .offer", state="detached")
    page.locator("#files-of-feature").scroll_into_view_if_needed()
    window.keep_picture("attachments-editor")
    assert find_barriers(page) == []
    save(page, "写真の位置")
    saved_words(page)
    with town_database.begin("dept_disaster") as connection:
        place = connection.execute(
            text("SELECT ST_X(geom), ST_Y(geom) FROM layers.shelter WHERE shelter_id = 'N1'")
        ).one()
    assert tuple(place) == (pytest.approx(141.2), pytest.approx(38.4))
    assert real_troubles(window) == []
