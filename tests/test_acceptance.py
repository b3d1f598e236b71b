"""The main job on the real files of 2011-03-11: to a row, a tile, a board line, a CAP file and a mail.

Everything is real but the far side of the internet: PostgreSQL with PostGIS, the queue and its worker, the
local mailbox behind SMTP, the pages. `tests/alerts/test_course_of_2011.py` checks who gets which mail.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from lxml import etree
from sqlalchemy import text

from gis.database import SERVICE, Database
from gis.settings import Settings
from ingest.replay import plan_replay, play
from ingest.source import find_source
from ingest.summary import RunSummary
from layers.definition import load_definitions
from layers.importer import import_file
from tests.alerts.test_course_of_2011 import work_off
from webmap.app import create_app
from webmap.mailbox_server import port_file, serve_mailbox

JMA = find_source("jma")
CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[Path]:
    """The local mailbox, served over SMTP while the test runs."""
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve_mailbox(settings, stop)), daemon=True)
    thread.start()
    while not port_file(settings).exists():
        assert thread.is_alive()
    yield settings.mailbox_dir
    loop.call_soon_threadsafe(stop.set)
    thread.join()


@pytest.fixture
def client(settings: Settings) -> Iterator[FlaskClient]:
    app = create_app(settings)
    yield app.test_client()
    app.extensions["machimori"].database.dispose()


def replay(database: Database, settings: Settings, samples: Path) -> RunSummary:
    scenes = plan_replay(settings, JMA, samples / "jma", "32-39_11_*", False)
    summary = play(database, settings, JMA, scenes)
    work_off(settings)
    return summary


def read_mails(mailbox: Path) -> list[EmailMessage]:
    return [BytesParser(policy=default).parsebytes(path.read_bytes()) for path in (mailbox / "new").iterdir()]


def test_the_real_files_of_2011_reach_row_tile_board_cap_and_mail_and_a_second_replay_changes_nothing(
    town_database: Database, settings: Settings, samples: Path, mailbox: Path, client: FlaskClient
) -> None:
    sites = samples / "facilities" / "higashimatsushima_emergency_sites.geojson"
    with town_database.begin("dept_disaster", account="sato") as connection:
        assert import_file(connection, sites, load_definitions()["evacuation_site"]).inserted == 200
    replay(town_database, settings, samples)

    # Rows: one earthquake with the city's own intensity, one tsunami; five alerts of which one is a draft.
    with town_database.begin("citizen") as connection:
        incidents = connection.execute(
            text("SELECT kind, state, city_intensity, status FROM open.incident ORDER BY kind")
        ).all()
        assert [tuple(row) for row in incidents] == [
            ("earthquake", "updated", "6+", "Actual"),
            ("tsunami", "resolved", None, "Actual"),
        ]
    with town_database.begin(SERVICE) as connection:
        told = connection.execute(
            text(
                "SELECT msg_type, phase, state, facts->>'height_text', references_id, id FROM alerts.alert"
                " WHERE kind = 'tsunami' ORDER BY id"
            )
        ).all()
    assert [tuple(row[:4]) for row in told] == [
        ("Alert", "issued", "updated", "巨大"),
        ("Update", "updated", "updated", "１０ｍ"),
        ("Update", "updated", "updated", "１０ｍ超"),
        ("Update", "cleared", "sent", ""),
    ]
    assert [row.references_id for row in told] == [None, *(row.id for row in told[:-1])]

    # A tile of the city holds the imported sites, and the board names the incidents.
    tile = client.get("/tiles/evacuation_site/10/913/393.mvt")
    assert tile.status_code == 200
    assert "三陸自動車道津波避難階段".encode() in tile.data
    board = client.get("/list?lang=ja").text
    assert "震度6強" in board
    assert "津波" in board

    # The first alert as CAP, against the real schema.
    cap = client.get(f"/alerts/{told[0].id}.cap")
    schema = etree.XMLSchema(etree.parse(str(samples / "cap" / "cap12.xsd")))
    document = etree.fromstring(cap.data)
    schema.assertValid(document)
    assert [info.findtext(f"{CAP}language") for info in document.iter(f"{CAP}info")] == ["ja", "ja-x-easy", "en"]
    assert document.findtext(f"{CAP}msgType") == "Alert"
    assert not document.findtext(f"{CAP}sent", "").endswith("Z")

    # Mails: the first warning names sites that are open to tsunami, out of the imported file.
    mails = read_mails(mailbox)
    first = [mail for mail in mails if mail["Message-ID"].startswith(f"<{told[0].id}.")]
    assert len(first) * 4 == len(mails) > 0
    in_japanese = next(mail for mail in first if mail["Content-Language"] == "ja")
    body = in_japanese.get_body(("plain",))
    assert body is not None
    assert "大津波警報" in body.get_content()
    assert f"/alerts/{told[0].id}" in body.get_content()
    assert in_japanese["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    with town_database.begin(SERVICE) as connection:
        open_to_tsunami = set(
            connection.execute(text("SELECT name FROM layers.evacuation_site WHERE tsunami AND NOT is_demo")).scalars()
        )
        named = connection.execute(
            text(
                "SELECT DISTINCT site->>'name' FROM alerts.delivery, jsonb_array_elements(nearest_sites) site"
                " WHERE alert_id = :alert"
            ),
            {"alert": told[0].id},
        ).scalars()
        assert set(named) <= open_to_tsunami

    again = replay(town_database, settings, samples)
    assert (again.new, again.changed) == (0, 0)
    assert len(read_mails(mailbox)) == len(mails)
