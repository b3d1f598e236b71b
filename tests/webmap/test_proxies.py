"""Behind proxies the reader's own address counts, and nobody can claim another's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import request

from gis.settings import Settings, load_settings
from webmap.app import create_app


@pytest.mark.parametrize(
    ("proxies", "header", "seen"),
    [
        (0, "198.51.100.7", "127.0.0.1"),  # no proxy of ours: what the reader says is nothing
        (1, "198.51.100.7", "198.51.100.7"),
        (1, "203.0.113.9, 198.51.100.7", "198.51.100.7"),  # the first was said by the reader
        (2, "203.0.113.9, 198.51.100.7, 10.0.0.1", "198.51.100.7"),
        (1, "", "127.0.0.1"),
    ],
)
def test_the_address_is_the_one_that_our_own_proxy_saw(
    settings: Settings, proxies: int, header: str, seen: str
) -> None:
    app = create_app(replace(settings, proxies=proxies))
    app.add_url_rule("/whoami", view_func=lambda: str(request.remote_addr))
    client = app.test_client()
    assert client.get("/whoami", headers={"X-Forwarded-For": header} if header else {}).text == seen
    app.extensions["machimori"].database.dispose()


def test_the_number_of_proxies_is_a_setting() -> None:
    assert load_settings({"MACHIMORI_PROXIES": "1"}).proxies == 1
    assert load_settings({}).proxies == 0
