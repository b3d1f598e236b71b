"""The form of a report in a real Chromium: place by tap, preview, proof of work, words kept, no barriers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from gis.database import SERVICE, Database
from tests.layers.picture_files import make_picture
from tests.webmap.test_browser import Visit, address, browser, find_barriers, visit  # noqa: F401 (fixtures)
from tests.webmap.test_browser_layers import fits

pytestmark = pytest.mark.browser
Open = Callable[..., Visit]


@pytest.mark.parametrize(("size", "locale"), [("phone", "ja-JP"), ("desktop", "en-US")])
def test_a_report_is_sent_with_a_tap_on_the_map_and_a_photo(
    visit: Open,  # noqa: F811
    town_database: Database,
    tmp_path: Path,
    size: str,
    locale: str,
) -> None:
    window = visit(size, locale)
    page = window.go("/report")
    page.wait_for_selector(".by-map[data-ready]")
    assert find_barriers(page) == [] and fits(page)
    window.keep_picture(f"report-{size}")
    page.locator("[name=kind][value=flood]").check()
    page.locator("#text").fill("道路が水につかっています")
    page.locator("#map_town").scroll_into_view_if_needed()
    page.locator("#map_town").click()
    page.wait_for_selector("[data-clear]:not([hidden])")
    photo = tmp_path / "a.jpg"
    photo.write_bytes(make_picture())
    page.locator("#photos").set_input_files(photo)
    page.wait_for_selector(".previews canvas")
    page.wait_for_selector("form[data-proven]")
    window.keep_picture(f"report-filled-{size}")
    page.reload()
    page.wait_for_selector(".kept:not([hidden])")
    assert page.locator("#text").input_value() == "道路が水につかっています"
    assert page.locator("[name=kind][value=flood]").is_checked()
    assert page.locator("[name=lon]").input_value() != ""
    page.locator("#photos").set_input_files(photo)
    page.wait_for_selector("form[data-proven]")
    page.locator("#consent").check()
    page.wait_for_timeout(3100)  # the form itself asks for three seconds
    page.locator(".send").click()
    page.wait_for_selector("[data-report-sent]")
    assert find_barriers(page) == [] and fits(page)
    window.keep_picture(f"report-own-{size}")
    assert page.evaluate("localStorage.getItem('machimori-report')") is None
    with town_database.begin(SERVICE) as connection:
        query = "SELECT c.is_proven, (SELECT count(*) FROM ingest.citizen_photo) AS photos FROM ingest.citizen_report c"
        assert tuple(connection.execute(text(query)).one()) == (True, 1)
    assert window.troubles == [] and {host for host in window.other_hosts if "gsi.go.jp" not in host} == set()


def test_without_a_network_the_words_stay(visit: Open, town_database: Database) -> None:  # noqa: F811
    window = visit("phone", "ja-JP")
    page = window.go("/report")
    page.wait_for_selector(".by-map[data-ready]")
    page.locator("[name=kind][value=other]").check()
    page.locator("#text").fill("木が倒れています")
    page.locator("#landmark").fill("駅前")
    page.locator("#consent").check()
    page.context.set_offline(True)
    page.locator(".send").click()
    page.wait_for_selector("#offline:not([hidden])")
    page.context.set_offline(False)
    page.wait_for_selector("#offline", state="hidden")
    assert page.locator("#text").input_value() == "木が倒れています"
