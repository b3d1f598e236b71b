"""The form `/report` and the reporter's own page, over HTTP."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from gis.database import SERVICE, Database
from ingest.citizen_policy import load_citizen_policy
from ingest.citizen_words import load_citizen_words
from ingest.processing import process_document
from layers.photos import make_photo
from tests.layers.picture_files import SECRET, make_picture
from webmap import report as window
from webmap.report_form import make_report, read_filled

POLICY = load_citizen_policy()
FILLED = {
    "kind": "fire",
    "text": "煙が見えます",
    "lon": "141.2105",
    "lat": "38.4305",
    "accuracy_m": "20",
    "consent": "1",
}
Send = Callable[..., TestResponse]


@pytest.fixture(autouse=True)
def a_minute_later(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forms are filled in slowly: each look at the clock is ten seconds after the one before."""
    ticks = count()
    monkeypatch.setattr(window, "_now", lambda: datetime.now(UTC) + timedelta(seconds=10 * next(ticks)))
    return iter(())


def form_key(page: str) -> str:
    found = re.search(r'name="form" value="([^"]+)"', page)
    assert found
    return found[1]


def prove(form: str) -> str:
    for number in count():
        digest = hashlib.sha256(f"{form}:{number}".encode()).digest()
        if int.from_bytes(digest[:8], "big") >> (64 - POLICY.proof_bits) == 0:
            return str(number)
    raise AssertionError


@pytest.fixture
def send(client: FlaskClient) -> Send:
    def run(photos: tuple[bytes, ...] = (), **changes: str) -> TestResponse:
        form = changes.pop("form", None) or form_key(client.get("/report?lang=en").text)
        values: dict[str, Any] = {"form": form, **FILLED, **changes}
        values["photos"] = [(io.BytesIO(body), f"{number}.jpg") for number, body in enumerate(photos)]
        return client.post("/report?lang=en", data=values)

    return run


def work(database: Database) -> None:
    with database.begin(SERVICE) as connection:
        documents = list(connection.execute(text("SELECT id FROM ingest.document WHERE parsed_at IS NULL")).scalars())
    for document in documents:
        assert process_document(database, document).reason is None


def ask(database: Database, sql: str) -> list[Any]:
    with database.begin(SERVICE) as connection:
        return list(connection.execute(text(sql)).all())


def test_a_report_is_followed_from_the_form_to_its_publication(
    database: Database, client: FlaskClient, send: Send
) -> None:
    answer = send(contact="reporter@example.jp")
    assert answer.status_code == 303
    own = client.get(answer.location)
    assert "Received. Staff are checking it." in own.text
    assert "reporter@example.jp" not in own.text and "煙" not in own.text
    assert own.headers["Referrer-Policy"] == "no-referrer" and own.headers["Cache-Control"] == "no-store"
    work(database)
    assert "煙" not in client.get("/list").text + client.get("/feeds/incidents.geojson").text
    with database.begin(SERVICE) as connection:
        connection.execute(text("UPDATE layers.incident SET publication = 'published'"))
    page = client.get(answer.location).text
    incident = re.search(r'href="(/incidents/\d+)"', page)
    assert "Checked and published." in page and incident
    public = client.get(incident[1])
    assert public.status_code == 200
    for secret in ("煙", "reporter@", "141.2105"):
        assert secret not in public.text + client.get("/feeds/incidents.geojson").text


def test_what_is_missing_is_said_and_what_was_written_stays(database: Database, send: Send) -> None:
    answer = send(kind="", lon="", lat="", contact="no address", text="It burns <b>here</b>")
    assert answer.status_code == 422
    words = load_citizen_words("en")
    for code in ("kind", "place", "contact"):
        assert words[f"refused_{code}"] in answer.text
    assert "It burns &lt;b&gt;here&lt;/b&gt;</textarea>" in answer.text
    assert ask(database, "SELECT FROM ingest.citizen_report") == []


def test_a_robot_that_fills_every_field_or_has_no_form_is_refused(database: Database, send: Send) -> None:
    assert send(trap="buy pills").status_code == 422
    assert send(form="x" * 40).status_code == 422
    assert ask(database, "SELECT FROM ingest.citizen_report") == []


def test_a_form_sent_again_leads_to_the_same_page(database: Database, client: FlaskClient, send: Send) -> None:
    form = form_key(client.get("/report").text)
    first, second = send(form=form), send(form=form)
    assert first.location == second.location
    assert len(ask(database, "SELECT FROM ingest.citizen_report")) == 1


def test_without_javascript_fewer_are_taken_and_proven_ones_go_on(client: FlaskClient, send: Send) -> None:
    for number in range(POLICY.network_per_hour_unproven):
        assert send(text=f"report number {number}").status_code == 303
    refused = send(text="one more")
    assert refused.status_code == 429 and "one more</textarea>" in refused.text
    form = form_key(client.get("/report").text)
    assert send(form=form, proof=prove(form), text="one more").status_code == 303


def test_photos_are_kept_without_what_the_camera_hid(database: Database, client: FlaskClient, send: Send) -> None:
    answer = send(photos=(make_picture(),), lon="", lat="", landmark="駅前")
    assert answer.status_code == 303
    (photo,) = ask(database, "SELECT body, thumbnail FROM ingest.citizen_photo")
    assert SECRET not in bytes(photo.body) + bytes(photo.thumbnail)
    assert make_photo(bytes(photo.body), "image/jpeg").place is None
    (document,) = ask(database, "SELECT convert_from(body, 'UTF8') AS body FROM ingest.document")
    assert "141" not in document.body, "the place of a photo is used only when that was allowed"
    assert send(photos=(b"<svg/>",), text="another").status_code == 422
    assert send(photos=(make_picture(),) * 4, text="another").status_code == 422


def test_the_place_of_a_photo_is_used_when_allowed_and_in_the_town(app: Flask) -> None:
    town = app.extensions["machimori"].town
    lon, lat = town.center
    now = datetime.now(UTC)

    def place(at: tuple[float, float], **more: str) -> tuple[float | None, float | None] | None:
        photo = make_photo(make_picture(place=at), "image/jpeg")
        filled = read_filled(MultiDict({**FILLED, "lon": "", "lat": "", **more}))
        made = make_report(filled, (photo,), now, "en", town, POLICY)  # type: ignore[arg-type]  # only its place is asked
        return None if made is None else (made.lon, made.lat)

    found = place((lon, lat), photo_place="1")
    assert found and found[0] == pytest.approx(lon, abs=1e-5) and found[1] == pytest.approx(lat, abs=1e-5)
    assert place((lon, lat)) is None
    assert place((139.7, 35.6), photo_place="1") is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"lon": "139.7", "lat": "35.6"}, "place"),
        ({"lon": "nan", "lat": "nan"}, "place"),
        ({"lon": "inf"}, "place"),
        ({"happened_at": "2999-01-01T00:00"}, "happened_at"),
        ({"happened_at": "1999-01-01T00:00"}, "happened_at"),
        ({"happened_at": "yesterday"}, "happened_at"),
        ({"text": "x"}, "text"),
        ({"text": "x" * 2001}, "text"),
        ({"kind": "earthquake"}, "kind"),
        ({"consent": None}, "consent"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(app: Flask, changes: dict[str, Any], field: str) -> None:
    values = {name: value for name, value in (FILLED | changes).items() if value is not None}
    filled = read_filled(MultiDict(values))
    assert make_report(filled, (), datetime.now(UTC), "ja", app.extensions["machimori"].town, POLICY) is None
    assert [problem.field for problem in filled.problems] == [field]


def test_the_reporter_adds_stops_mails_and_withdraws(database: Database, client: FlaskClient, send: Send) -> None:
    own = send(contact="reporter@example.jp").location.partition("?")[0]
    added = client.post(f"{own}/add", data={"text": "炎も見えます", "photos": (io.BytesIO(make_picture()), "a.jpg")})
    assert added.status_code == 303
    assert client.post(f"{own}/add", data={"text": ""}).status_code == 422
    assert client.get(f"{own}/stop").status_code == 302
    assert [row.wants_mail for row in ask(database, "SELECT wants_mail FROM ingest.citizen_report")] == [True]
    client.post(f"{own}/stop", data={"List-Unsubscribe": "One-Click"})
    assert [row.contact for row in ask(database, "SELECT contact FROM ingest.citizen_report")] == [""]
    client.post(f"{own}/withdraw")
    assert "Withdrawn." not in client.get(f"{own}?lang=en").text, "only when it says to be sure"
    client.post(f"{own}/withdraw", data={"sure": "1"})
    page = client.get(f"{own}?lang=en").text
    assert "Withdrawn." in page and "<textarea" not in page
    work(database)
    assert [row.state for row in ask(database, "SELECT state FROM layers.incident")] == ["cancelled"]


def test_a_wrong_key_opens_nothing(client: FlaskClient, send: Send) -> None:
    own = send().location.partition("?")[0]
    reference = own.removeprefix("/report/")[:22]
    for token in (reference, reference + "A" * 22, "x"):
        assert client.get(f"/report/{token}").status_code == 404
        for act in ("add", "withdraw", "stop"):
            assert client.post(f"/report/{token}/{act}", data={"sure": "1"}).status_code == 404


def test_the_reason_of_a_refusal_is_shown(database: Database, client: FlaskClient, send: Send, owner: Engine) -> None:
    own = send().location.partition("?")[0]
    work(database)
    with owner.begin() as connection:
        connection.execute(text("UPDATE layers.incident SET publication = 'rejected'"))
        connection.execute(text("UPDATE ingest.citizen_report SET public_reason = 'It was a drill.'"))
    page = client.get(f"{own}?lang=en").text
    assert "Not published." in page and "It was a drill." in page


@pytest.mark.parametrize("language", ["ja", "ja-x-easy", "en"])
def test_the_form_calls_for_110_and_119_first_in_every_language(client: FlaskClient, language: str) -> None:
    page = client.get(f"/report?lang={language}").text
    assert page.index("tel:110") < page.index("<form method")
    assert page.index("tel:119") < page.index("<form method")
    assert load_citizen_words(language)["emergency"] in page
