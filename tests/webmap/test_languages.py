from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from flask.testing import FlaskClient

import webmap
from gis.languages import LANGUAGES
from tests.webmap.spoken_templates import Told, collect, read_house
from webmap.languages import SOURCE_LANGUAGE, load_catalogue

_METHODS = [("templates/**", "jinja2"), ("**.py", "python")]
_KEYWORDS = {"_": None, "gettext": None, "mark": None}
_PLACEHOLDER = re.compile(r"%\((\w+)\)[sr]")
# What the errors of these modules say, no page shows.
_UNREACHED = {
    "gis/": "under change",
    "ingest/": "under change",
    "alerts/": "under change",
    "webmap/": "under change",
}
TRANSLATED = [language for language in LANGUAGES if language != SOURCE_LANGUAGE]


@cache
def told_by_errors() -> Told:
    return collect(read_house(), _UNREACHED)


def used_messages() -> set[str]:
    folder = Path(webmap.__file__).parent
    found = {
        message
        for _, _, message, _, _ in extract_from_dir(folder, method_map=_METHODS, keywords=_KEYWORDS)
        if isinstance(message, str)
    }
    assert len(found) > 100, "the extraction itself must work"
    return found


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_of_the_pages_is_translated(language: str) -> None:
    assert used_messages() - load_catalogue(language).keys() == set()


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_error_that_a_page_can_show_is_translated(language: str) -> None:
    told = told_by_errors().templates
    assert len(told) > 100, "the search itself must work"
    assert {message: place for message, place in told.items() if message not in load_catalogue(language)} == {}


def test_no_error_that_a_page_can_show_is_put_together_at_run_time() -> None:
    assert told_by_errors().untold == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_holds_nothing_that_no_page_uses(language: str) -> None:
    told = collect(read_house(), ()).templates.keys()
    assert load_catalogue(language).keys() - used_messages() - told == set()


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_fills_the_same_blanks(language: str) -> None:
    for message, words in load_catalogue(language).items():
        assert set(_PLACEHOLDER.findall(words)) == set(_PLACEHOLDER.findall(message)), message


@pytest.mark.parametrize(
    ("header", "expected"),
    [("", "ja"), ("ja", "ja"), ("en-GB,en;q=0.8", "en"), ("pt-BR,pt;q=0.9", "en"), ("pt,ja;q=0.5", "ja")],
)
def test_the_browsers_language_is_followed(client: FlaskClient, header: str, expected: str) -> None:
    page = client.get("/list", headers={"Accept-Language": header} if header else {})
    assert f'<html lang="{expected}">' in page.text


def test_a_chosen_language_is_remembered(client: FlaskClient) -> None:
    client.get("/list?lang=ja-x-easy")
    assert '<html lang="ja-x-easy">' in client.get("/", headers={"Accept-Language": "en"}).text


def test_an_unknown_language_is_not_stored(client: FlaskClient) -> None:
    assert "Set-Cookie" not in client.get("/list?lang=%0d%0aX").headers
