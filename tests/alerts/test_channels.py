"""A channel is one file in the folder of channels: dropped in, it is found, frozen, sent, told, published and named."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import alerts.channels
from alerts.channels import outgoing
from alerts.head_count import count_heads
from alerts.tasks import tell_outlets
from gis.settings import Settings
from gis.town import load_town
from tests.alerts.alert_town import MAJOR, SquareTown
from tests.alerts.scripted_smtp import ScriptedServer
from webmap.app import create_app
from webmap.staff.alert_words import channel_title

Considered = Callable[..., int | None]

FAX = '''
"""Fax: a way to people (a toy; it writes to a file)."""

from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from alerts.channels import TransportError
from alerts.channels.outgoing import Channel, Outgoing
from alerts.refusals import Refusal

OUT = Path(__file__).with_name("faxes.txt")


class Forms:
    def prepare(self, batch):
        pass

    def render(self, claimed):
        return f"{claimed.alert_id} {claimed.recipient.address}".encode()


class Line:
    relay = "fax"

    def announce(self, claimed):
        pass

    async def notify(self, claimed, message):
        if "busy" in claimed.recipient.address:
            raise TransportError("the line is busy")
        with OUT.open("ab") as out:
            out.write(message + b"\\n")
        return "sent"

    def understand(self, error):
        return Refusal("later", "", None)

    async def close(self):
        pass


def freeze(connection, alert_id):
    return connection.execute(text(
        "INSERT INTO alerts.delivery (alert_id, subscriber_id, channel, address, language, place_names, nearest_sites,"
        " is_held, next_attempt_at) SELECT alert_id, subscriber_id, 'fax', address, language, place_names,"
        " nearest_sites, is_held, next_attempt_at FROM alerts.delivery WHERE alert_id = :id AND channel = 'mail'"
        " ON CONFLICT DO NOTHING"), {"id": alert_id}).rowcount


def has_due(connection, alert_ids):
    return connection.execute(text(
        "SELECT FROM alerts.delivery WHERE alert_id = ANY (:ids) AND channel = 'fax'"
        " AND state IN ('pending', 'deferred') AND next_attempt_at <= clock_timestamp() LIMIT 1"),
        {"ids": list(alert_ids)}).first() is not None


@contextmanager
def opened(database, settings):
    yield Outgoing(Forms(), [Line(), Line()])


def count(connection, recipients, values):
    return dict(connection.execute(
        text(f"SELECT language, count(*) FROM ({recipients}) r GROUP BY language"), values).all())


CHANNEL = Channel(name="fax", titles={"ja": "ファクス", "en": "fax"}, freeze=freeze, has_due=has_due, open=opened,
                  count=count)
'''
SIREN = '''
"""Sirens: a way to other systems (a toy; it counts)."""

from collections import Counter

from alerts.channels.outgoing import Outlet


def tell(database, settings):
    raise RuntimeError("the siren is broken")


CHANNEL = Outlet(name="siren", titles={"en": "siren"}, tell=tell, count=lambda connection, alert_id: 3)
'''
PLAIN = '''
"""Every message as plain text (a toy)."""

from alerts.channels.outgoing import Publication

CHANNEL = Publication(name="plain", titles={"ja": "文字だけ", "ja-x-easy": "もじ", "en": "plain text"},
                      suffix=".txt", content_type="text/plain",
                      render=lambda connection, alert_id, settings: f"message {alert_id}".encode())
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of channels with three files more in it, as an installation would add them."""
    for name, content in (("fax", FAX), ("siren", SIREN), ("plain", PLAIN)):
        (tmp_path / f"{name}.py").write_text(content, encoding="utf-8")
    monkeypatch.setattr(alerts.channels, "__path__", [*alerts.channels.__path__, str(tmp_path)])
    outgoing._found.cache_clear()
    yield tmp_path
    outgoing._found.cache_clear()
    for name in ("fax", "siren", "plain"):
        sys.modules.pop(f"alerts.channels.{name}", None)


def test_a_file_dropped_in_brings_a_way_to_people(
    folder: Path, town: SquareTown, considered: Considered, send: Callable[..., object], smtp: ScriptedServer
) -> None:
    for name in ("a", "b", "busy"):
        town.subscribe(f"{name}@machimori.example")
    alert_id = considered(MAJOR)
    assert send(alert_id) == {"accepted": 3, "fax.accepted": 2, "fax.deferred": 1}
    faxed = (folder / "faxes.txt").read_text().splitlines()
    assert sorted(faxed) == [f"{alert_id} a@machimori.example", f"{alert_id} b@machimori.example"]
    assert sorted(smtp.addresses()) == ["a@machimori.example", "b@machimori.example", "busy@machimori.example"]
    with town.database.begin("dept_disaster") as connection:
        heads = count_heads(connection, alert_id or 0, load_town())
    assert heads.channels["fax"] == {"ja": 3}, "counted before it is sent, as the mails"
    town.execute("UPDATE alerts.subscriber SET state = 'unsubscribed' WHERE email LIKE 'busy%'")
    town.execute("UPDATE alerts.delivery SET next_attempt_at = now() WHERE state = 'deferred'")
    send(alert_id)
    assert town.execute("SELECT state FROM alerts.delivery WHERE channel = 'fax' ORDER BY id")[-1] == ("suppressed",)


def test_what_fails_on_one_way_to_other_systems_keeps_no_other_from_its_work(
    folder: Path, town: SquareTown, considered: Considered
) -> None:
    alert_id = considered(MAJOR)
    town.execute(
        "INSERT INTO alerts.webhook (url, secret, created_at) VALUES ('http://127.0.0.1:9/', 's', '2011-01-01')"
    )
    with pytest.raises(RuntimeError, match="siren"):
        tell_outlets()
    assert town.scalar("SELECT attempts FROM alerts.webhook_call") == 1
    with town.database.begin("dept_disaster") as connection:
        channels = count_heads(connection, alert_id or 0, load_town()).channels
    assert (channels["siren"], channels["webhook"]) == ({"": 3}, {"": 1})


def test_a_document_dropped_in_is_published_linked_and_named(
    folder: Path, settings: Settings, town: SquareTown, considered: Considered
) -> None:
    alert_id = considered(MAJOR)
    client = create_app(settings).test_client()
    assert client.get(f"/alerts/{alert_id}.txt").data == f"message {alert_id}".encode()
    assert client.get("/alerts/999.txt").status_code == 404
    assert f"/alerts/{alert_id}.txt" in client.get(f"/alerts/{alert_id}?lang=en").text
    feed = client.get("/feeds/alerts.atom?lang=en").text
    for suffix in (".txt", ".cap", "/l-alert.xml"):
        assert f"/alerts/{alert_id}{suffix}" in feed
    with client.application.test_request_context("/?lang=en"):
        assert channel_title("fax") == "fax" and channel_title("pigeon") == "pigeon"
