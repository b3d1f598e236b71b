"""The sources at the desk: seen by the disaster office, acted on by moderators, private bodies noted."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from gis.accounts import add_account
from gis.database import SERVICE, Database
from ingest.documents import finish_document, read_body, store_dead_letter, store_document
from ingest.schedule import Schedule
from tests.ingest.telegrams import forecast, telegram
from tests.webmap.conftest import PASSWORD, Send, csrf_token
from webmap.source_words import say_schedule

LogIn = Callable[[str], FlaskClient]


@pytest.fixture
def moderator(owner: Engine, log_in: LogIn) -> FlaskClient:
    with owner.begin() as connection:
        add_account(
            connection, "mitsuko", "光子さん", "disaster", PASSWORD, is_demo=True, roles=("viewer", "moderator")
        )
    return log_in("mitsuko")


@pytest.fixture
def private_document(database: Database) -> int:
    with database.begin(SERVICE) as connection:
        stored = store_document(
            connection, "jma", "push", "a mail about a person", read_body([b"a name"], 1000), is_private=True
        )
        finish_document(connection, stored.id)
        store_dead_letter(connection, stored.id, "no date", "line 3")
    return stored.id


def _post(client: FlaskClient, path: str, **form: str) -> str:
    token = csrf_token(client.get("/staff/account").text)
    answer = client.post(f"{path}?lang=en", data={"csrf_token": token, **form})
    assert answer.status_code == 302, answer.text
    return client.get(answer.headers["Location"] + "?lang=en").text


def _rows(owner: Engine, query: str) -> list[tuple[object, ...]]:
    with owner.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_without_a_scheduler_the_page_says_so(database: Database, log_in: LogIn) -> None:
    assert "No scheduler keeps the clock" in log_in("hanako").get("/staff/ingest?lang=en").text


def test_a_moderator_runs_pauses_and_resumes_under_their_name(
    database: Database, moderator: FlaskClient, owner: Engine
) -> None:
    assert "as soon as a worker is free" in _post(moderator, "/staff/ingest/sources/jma/run")
    assert "A run waits already." in _post(moderator, "/staff/ingest/sources/jma/run")
    assert "needs a reason" in _post(moderator, "/staff/ingest/sources/jma/pause", reason=" ")
    page = _post(moderator, "/staff/ingest/sources/jma/pause", reason="their maintenance")
    assert "Paused by mitsuko" in page and "their maintenance" in page
    assert "Resumed" in _post(moderator, "/staff/ingest/sources/jma/resume")
    assert [row[0] for row in _rows(owner, "SELECT action FROM ingest.source_action WHERE account = 'mitsuko'")] == [
        "run",
        "run",
        "pause",
        "resume",
    ]
    (job,) = _rows(owner, "SELECT args FROM queue.procrastinate_jobs WHERE task_name = 'ingest.poll'")
    assert job[0] == {"source": "jma", "asked_by": "mitsuko"}


def test_who_is_no_moderator_cannot_act_not_even_past_the_page(
    database: Database, log_in: LogIn, owner: Engine
) -> None:
    client = log_in("hanako")
    page = client.get("/staff/ingest/sources/jma?lang=en").text
    assert "Run now</button>" not in page
    token = csrf_token(client.get("/staff/account").text)
    client.post("/staff/ingest/sources/jma/pause", data={"csrf_token": token, "reason": "x"})
    with pytest.raises(Exception, match="is no moderator"), database.begin("dept_disaster", "hanako") as connection:
        connection.execute(text("INSERT INTO ingest.source_action (source, action) VALUES ('jma', 'run')"))
    with pytest.raises(Exception, match="permission denied"), database.begin("dept_disaster", "hanako") as connection:
        connection.execute(text("UPDATE ingest.source SET paused_at = NULL"))
    assert _rows(owner, "SELECT 1 FROM ingest.source_action") == []


def test_private_input_is_for_moderators_and_reading_it_is_noted(
    private_document: int, moderator: FlaskClient, log_in: LogIn, owner: Engine
) -> None:
    other = log_in("hanako")
    for path in ("/staff/ingest", "/staff/ingest/documents", "/staff/ingest/rejected"):
        assert "a mail about a person" not in other.get(path).text, path
        assert path == "/staff/ingest" or "a mail about a person" in moderator.get(path).text, path
    for path in (
        f"/staff/ingest/documents/{private_document}",
        f"/staff/ingest/documents/{private_document}/details",
    ):
        assert other.get(path).status_code == 404
    assert _rows(owner, "SELECT 1 FROM ingest.source_action") == []
    assert moderator.get(f"/staff/ingest/documents/{private_document}").data == b"a name"
    assert _rows(owner, "SELECT action, account, document_id FROM ingest.source_action") == [
        ("view", "mitsuko", private_document)
    ]


def test_a_rejected_document_is_tried_again_by_a_person(
    send: Send, town_database: Database, moderator: FlaskClient, owner: Engine
) -> None:
    send(b"<broken")
    (document,) = _rows(owner, "SELECT id FROM ingest.document")
    assert "read again" in _post(moderator, f"/staff/ingest/documents/{document[0]}/retry")
    (job,) = _rows(owner, "SELECT args FROM queue.procrastinate_jobs WHERE task_name = 'ingest.retry'")
    assert job[0] == {"document_id": document[0]}
    page = moderator.get("/staff/ingest/rejected?lang=en&source=jma").text
    assert "0.xml" in page and "Try again" in page
    assert "0.xml" not in moderator.get("/staff/ingest/rejected?lang=en&source=other").text
    assert "0.xml" not in moderator.get("/staff/ingest/documents?lang=en&day=2001-01-01").text


def test_how_often_and_how_much_stand_in_the_readers_words(
    town_database: Database, send: Send, moderator: FlaskClient
) -> None:
    send(telegram("VTSE41", forecast("52")), telegram("VTSE41", forecast("51"), minute=5))
    for path in ("/staff/ingest", "/staff/ingest/sources/jma"):
        page = " ".join(re.sub(r"<[^>]+>", "", moderator.get(f"{path}?lang=ja").text).split())
        assert "毎分 20秒" in page and "2 = 事案 1 + 続報 1 + 他の地域 0 + 使えないもの 0" in page, path
    assert "every minute at second 20" in moderator.get("/staff/ingest?lang=en").text


def test_what_went_wrong_is_told_in_the_readers_language_with_the_original_beside_it(
    private_document: int, moderator: FlaskClient, owner: Engine
) -> None:
    said = "https://a.example/<b>: the document is not XML: Start tag expected"
    with owner.begin() as connection:
        for query in (
            "INSERT INTO ingest.source (name, last_error, consecutive_failures) VALUES ('jma', :said, 3)",
            "INSERT INTO ingest.run (source, asked_by, ended_at, outcome, error)"
            " VALUES ('jma', 'clock', now(), 'failed', :said)",
            "INSERT INTO ingest.alarm (source, cause, since, reason) VALUES ('jma', 'failing', now(), :said)",
            "UPDATE ingest.dead_letter SET reason = :said",
        ):
            connection.execute(text(query), {"said": said})
    shown = {"ja": "XML として読めません", "ja-x-easy": "XML として 読（よ）めません", "en": "is not XML: Start tag"}
    times = {"": 1, "ingest": 3, "ingest/sources/jma": 2, "ingest/rejected": 1}
    times[f"ingest/documents/{private_document}/details"] = 1
    for path, count in times.items():
        for language, words in shown.items():
            page = moderator.get(f"/staff/{path}?lang={language}").text
            read = re.sub(r"<details.*?</details>", "", page, flags=re.DOTALL)
            assert read.count(words) == count, (path, language)
            assert read.count("Start tag expected") == (count if language == "en" else 0), (path, language)
            assert page.count("https://a.example/&lt;b&gt;: the document is not XML: Start tag expected") == count
            assert "<b>:" not in page


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (None, "not asked"),
        (Schedule(86_400, at_s=21 * 3600), "once a day at 06:00"),
        (Schedule(3600, at_s=300), "every hour at minute 5"),
        (Schedule(7200), "every 2 hours"),
        (Schedule(600, at_s=20), "every 10 minutes"),
        (Schedule(90), "every 90 seconds"),
    ],
)
def test_a_schedule_is_said_in_the_unit_it_has(app: Flask, schedule: Schedule | None, said: str) -> None:
    with app.test_request_context("/?lang=en"):
        assert say_schedule(schedule) == said
