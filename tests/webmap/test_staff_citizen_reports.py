"""What moderators see of citizens' reports, photos covered and published, senders shut out."""

from __future__ import annotations

import io
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import Engine, text
from werkzeug.datastructures import MultiDict

from gis.accounts import add_account
from gis.database import SERVICE, Database
from gis.errors import UsageError
from ingest.citizens import CitizenReport, Sender, forget_citizen_reports, take_report
from ingest.processing import process_document
from layers.attachment_files import clean_file
from tests.ingest.test_citizens import CONTACT, POLICY, WORDS, report, sender
from tests.layers.picture_files import make_picture
from tests.webmap.conftest import PASSWORD, csrf_token
from webmap.staff.citizen_reports import read_rectangles


@pytest.fixture
def moderators(owner: Engine, staff: None) -> None:
    with owner.begin() as connection:
        roles = ("viewer", "editor", "moderator")
        add_account(connection, "mori", "森", "disaster", PASSWORD, is_demo=True, roles=roles)


@pytest.fixture
def photo(database: Database) -> int:
    """A report with a photo, its incident published."""
    with database.begin(SERVICE) as connection:
        sent: CitizenReport = report(contact=CONTACT, photos=(clean_file("a.jpg", make_picture(), 10**7),))
        whence: Sender = sender("net", "dev", proven=False)
        take_report(connection, secrets.token_urlsafe(16), sent, whence, POLICY)
        document = connection.execute(text("SELECT max(id) FROM ingest.document")).scalar_one()
    process_document(database, document)
    with database.begin(SERVICE) as connection:
        connection.execute(text("UPDATE layers.incident SET publication = 'published'"))
        return int(connection.execute(text("SELECT max(id) FROM ingest.citizen_photo")).scalar_one())


def post(client: FlaskClient, path: str, page: str, **values: str) -> int:
    token = csrf_token(client.get(page).text)
    return client.post(path, data={"csrf_token": token, **values}).status_code


def test_a_photo_is_public_only_covered_and_published_and_can_be_taken_back(
    app: Flask,
    database: Database,
    moderators: None,
    photo: int,
    log_in: Callable[[str], FlaskClient],
    client: FlaskClient,
) -> None:
    mori, path = log_in("mori"), f"/staff/reports/photos/{photo}"
    with database.begin(SERVICE) as connection:
        fid = connection.execute(text("SELECT fid FROM layers.incident")).scalar_one()
    assert "/attachments/" not in client.get(f"/incidents/{fid}").text
    rectangle = {"left_1": "10", "top_1": "10", "width_1": "20", "height_1": "20"}
    assert post(mori, path, path, **rectangle) == 302
    assert "/attachments/" not in client.get(f"/incidents/{fid}").text, "only when it says to have looked"
    assert post(mori, path, path, **rectangle, checked="1", caption="煙") == 302
    found = re.search(r"/attachments/\d+", client.get(f"/incidents/{fid}").text)
    assert found
    with Image.open(io.BytesIO(client.get(found[0]).data)) as picture:
        corner = picture.convert("RGB").getpixel((128, 96))
        assert isinstance(corner, tuple) and max(corner) < 12
    page = mori.get("/staff/reports/1").text
    assert "mori" in page
    assert post(mori, f"{path}/hide", "/staff/reports/1") == 302
    assert client.get(found[0]).status_code == 404
    assert post(mori, path, path, checked="1") == 302
    again = re.search(r"/attachments/\d+", client.get(f"/incidents/{fid}").text)
    assert again and client.get(again[0]).status_code == 200
    with database.begin(SERVICE) as connection:
        forget_citizen_reports(connection, datetime.now(UTC))
    assert client.get(again[0]).status_code == 404, "what was published ends with the photo"
    assert mori.get(f"{path}/file").status_code == 404


def test_only_moderators_see_words_contact_and_photos(
    moderators: None, photo: int, log_in: Callable[[str], FlaskClient]
) -> None:
    mori = log_in("mori")
    page = mori.get("/staff/reports/1?lang=en").text
    assert WORDS in page and CONTACT in page and "38.43050" in page and "Possibly sent by a machine" in page
    assert mori.get(f"/staff/reports/photos/{photo}/file?small=1").status_code == 200
    for name in ("hanako", "saburo"):  # the same office without the role; another department
        other = log_in(name)
        listed = other.get("/staff/reports")
        assert listed.status_code == 403 or "/staff/reports/1" not in listed.text
        for path in ("/staff/reports/1", f"/staff/reports/photos/{photo}", f"/staff/reports/photos/{photo}/file"):
            answer = other.get(path)
            assert answer.status_code in (403, 404) and CONTACT not in answer.text


def test_a_sender_is_shut_out_with_a_reason_and_let_in_again(
    database: Database, moderators: None, photo: int, log_in: Callable[[str], FlaskClient]
) -> None:
    mori, page = log_in("mori"), "/staff/reports/1"
    assert post(mori, f"{page}/block", page, what="network", hours="24", reason="") == 400
    assert post(mori, f"{page}/block", page, what="network", hours="100000", reason="x") == 400
    assert post(mori, f"{page}/block", page, what="network", hours="24", reason="いたずら") == 302
    assert post(mori, f"{page}/reason", page, reason="訓練でした") == 302
    listed = mori.get("/staff/reports").text
    assert "いたずら" in listed
    assert post(mori, "/staff/reports/blocks/1/lift", "/staff/reports") == 302
    with database.begin(SERVICE) as connection:
        (block,) = connection.execute(text("SELECT blocked_by, lifted_by, reason FROM ingest.citizen_block")).all()
        reason = connection.execute(text("SELECT public_reason FROM ingest.citizen_report")).scalar_one()
    assert tuple(block) == ("mori", "mori", "いたずら") and reason == "訓練でした"


@pytest.mark.parametrize(
    "row", [("10", "10", "20", ""), ("10", "x", "20", "20"), ("-1", "0", "5", "5"), ("0", "0", "0", "5"), ("nan",) * 4]
)
def test_a_rectangle_that_is_none_stops_the_publication(app: Flask, row: tuple[str, ...]) -> None:
    names = ("left_2", "top_2", "width_2", "height_2")
    with app.test_request_context(), pytest.raises(UsageError):
        read_rectangles(MultiDict(zip(names, row, strict=True)))


def test_the_desks_page_of_an_incident_shows_them_to_moderators_only(
    database: Database, moderators: None, photo: int, log_in: Callable[[str], FlaskClient]
) -> None:
    with database.begin(SERVICE) as connection:
        fid = connection.execute(text("SELECT fid FROM layers.incident")).scalar_one()
    page = log_in("mori").get(f"/staff/incidents/{fid}").text
    assert CONTACT in page and f"/staff/reports/photos/{photo}" in page
    assert CONTACT not in log_in("hanako").get(f"/staff/incidents/{fid}").text
