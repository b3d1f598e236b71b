"""Settings come from the environment, and a misspelt one is said."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from gis.errors import UsageError
from gis.relay import Relay, parse_relay, relay
from gis.settings import load_settings


def test_defaults_are_the_embedded_town(tmp_path: Path) -> None:
    settings = load_settings({"MACHIMORI_VAR": str(tmp_path)})
    assert settings.is_embedded
    assert settings.has_local_mailbox
    assert psycopg.conninfo.conninfo_to_dict(settings.app_url())["user"] == "machimori_app"


def test_the_app_login_follows_the_owner_url_with_a_secret_of_its_own(tmp_path: Path) -> None:
    url = "postgresql://boss:s%40cret@db.example:5433/town?sslmode=require"
    settings = load_settings({"MACHIMORI_VAR": str(tmp_path), "MACHIMORI_DATABASE_URL": url})
    parts = psycopg.conninfo.conninfo_to_dict(settings.app_url())
    assert (parts["user"], parts["host"], parts["port"], parts["dbname"], parts["sslmode"]) == (
        "machimori_app", "db.example", "5433", "town", "require",
    )  # fmt: skip
    assert parts["password"] == settings.secret("app_password") != "s@cret"


def test_a_named_password_of_the_app_login_is_the_one_it_gets(tmp_path: Path) -> None:
    url = "postgresql://machimori_app:p%40ss@db.example/town"
    settings = load_settings({"MACHIMORI_VAR": str(tmp_path), "MACHIMORI_APP_DATABASE_URL": url})
    assert settings.app_password() == "p@ss"


def test_processes_that_need_a_secret_at_the_same_moment_get_the_same(tmp_path: Path) -> None:
    settings = load_settings({"MACHIMORI_VAR": str(tmp_path)})
    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(lambda _: settings.secret("key"), range(64)))
    assert len(found) == 1
    assert len(found.pop()) > 40


def test_a_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    settings = load_settings({"MACHIMORI_VAR": str(tmp_path)})
    assert settings.secret("x") == settings.secret("x")
    assert (tmp_path / "secrets" / "x").stat().st_mode & 0o077 == 0
    assert len(list((tmp_path / "secrets").iterdir())) == 1


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [("MACHIMORI_DATABSE_URL", "x", "not known"), ("MACHIMORI_MAX_DOCUMENT_BYTES", "20 MB", "not a number of bytes")],
)
def test_a_wrong_setting_is_said(name: str, value: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_settings({name: value})


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://relay.example", Relay("relay.example", 25)),
        ("smtps://me:p%40ss@relay.example", Relay("relay.example", 465, "me", "p@ss", "tls")),
        ("smtp+starttls://relay.example:2525", Relay("relay.example", 2525, "", "", "starttls")),
    ],
)
def test_a_relay_is_read_from_its_url(url: str, expected: Relay) -> None:
    assert parse_relay(url) == expected


def test_a_wrong_relay_is_said() -> None:
    with pytest.raises(UsageError, match="not understood"):
        parse_relay("http://relay.example")


def test_without_relay_the_local_mailbox_must_run(tmp_path: Path) -> None:
    settings = load_settings({"MACHIMORI_VAR": str(tmp_path)})
    with pytest.raises(UsageError, match="mailbox does not run"):
        relay(settings)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mailbox.port").write_text("2525")
    assert relay(settings) == Relay("127.0.0.1", 2525)
