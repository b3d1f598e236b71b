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
# Whose errors no page shows; they stay English.
_UNREACHED = {
    "gis/errors.py": "the mechanism itself",
    "webmap/spoken.py": "the mechanism itself",
    "webmap/staff/citizen_reports.py": "its words stand in data/citizen_report_words.toml, in every language",
    "gis/embedded.py": "starting the database",
    "gis/servers.py": "starting the database",
    "gis/migrate.py": "installation",
    "gis/settings.py": "installation",
    "gis/relay.py": "installation",
    "gis/db_login.py": "the command line",
    "gis/direct_access.py": "the command line",
    "ingest/configuration.py": "the sources file, read at the start",
    "ingest/folder.py": "the sources file, read at the start",
    "ingest/policy.py": "a policy file, read at the start",
    "ingest/pushing.py": "the sources file, read at the start",
    "ingest/source.py": "the sources file, read at the start",
    "ingest/fire/*": "the sources file, read at the start",
    "ingest/geo/*": "the sources file, read at the start",
    "ingest/mail/*": "the sources file, read at the start",
    "ingest/sources/*": "the sources file, read at the start",
    "ingest/answers.py": "a worker",
    "ingest/loading.py": "the command line",
    "ingest/push_secrets.py": "the command line",
    "ingest/replay.py": "the command line",
    "ingest/retention.py": "the command line",
    "ingest/scaffold.py": "the command line",
    "alerts/audience.py": "the command line",
    "alerts/bounce_mailbox.py": "a worker",
    "alerts/dkim.py": "installation",
    "alerts/limits.py": "a file read at the start",
    "alerts/policy.py": "a file read at the start",
    "alerts/writing.py": "a worker",
    "webmap/backup.py": "the command line",
    "webmap/cli.py": "the command line",
    "webmap/field_work.py": "the command line",
    "webmap/installation.py": "the command line",
    "webmap/ports.py": "the command line",
    "webmap/readiness.py": "the command line",
    "webmap/commands/*": "the command line",
    "webmap/*_commands.py": "the command line",
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
        # A page's template formats every text, also one without blanks: a lone % would end in an error page.
        assert words % dict.fromkeys(_PLACEHOLDER.findall(words), "x"), message


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
