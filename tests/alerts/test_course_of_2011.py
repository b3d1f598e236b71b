"""The telegrams of 2011-03-11 to the mails of the demonstration town, through the real queue and a real SMTP server."""

from __future__ import annotations

import asyncio
import email
import email.policy
import importlib
from collections import defaultdict
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import cast

import shapely
from sqlalchemy import text

from gis.database import Database
from gis.jobs import set_context, worker_app
from gis.settings import Settings
from ingest.replay import plan_replay, play
from ingest.source import find_source
from tests.alerts.scripted_smtp import ScriptedServer

JMA = find_source("jma")
SUBJECTS = [
    "大津波警報 東松島市",
    "大津波警報（続報） 東松島市",
    "大津波警報（続報） 東松島市",
    "津波の警報・注意報の解除 東松島市",
]


def replay(database: Database, settings: Settings, samples: Path) -> None:
    """Play the real files as the local mailbox' owner would."""
    scenes = plan_replay(replace(settings, smtp_url=None), JMA, samples / "jma", "32-39_11_*", False)
    play(database, settings, JMA, scenes)


def work_off(settings: Settings) -> None:
    """Run the worker until the queue is empty; jobs that a job writes come in the next round."""
    for name in ("ingest.tasks", "alerts.tasks"):
        importlib.import_module(name)

    async def once() -> None:
        app = worker_app(settings)
        async with app.open_async():
            await app.run_worker_async(concurrency=2, wait=False, install_signal_handlers=False)

    for _ in range(2):
        asyncio.run(once())


def people_inside(database: Database) -> set[str]:
    """Work out with shapely who must be reached: confirmed, asked for tsunami, a place that meets the city."""
    with database.begin("machimori_service") as connection:
        area = shapely.from_wkb(
            connection.execute(
                text("SELECT ST_AsBinary(ST_Transform(geom, 6678)) FROM layers.city_area WHERE code = '04214'")
            ).scalar_one()
        )
        places = connection.execute(
            text(
                "SELECT s.email, p.radius_m, ST_AsBinary(p.plane) AS plane FROM alerts.subscriber s"
                " JOIN alerts.place p ON p.subscriber_id = s.id"
                " WHERE s.state = 'confirmed' AND 'tsunami' = ANY (s.kinds)"
            )
        ).all()
    shapely.prepare(area)
    return {row.email for row in places if shapely.distance(area, shapely.from_wkb(row.plane)) <= row.radius_m}


def test_the_real_telegrams_reach_exactly_the_people_concerned_four_times(
    town_database: Database, mail_settings: Settings, samples: Path, smtp: ScriptedServer
) -> None:
    set_context(town_database, mail_settings)
    replay(town_database, mail_settings, samples)
    work_off(mail_settings)
    mails: dict[str, list[EmailMessage]] = defaultdict(list)
    for address, content in smtp.accepted:
        mails[address].append(cast(EmailMessage, email.message_from_bytes(content, policy=email.policy.default)))
    expected = people_inside(town_database)
    assert len(expected) > 100
    assert set(mails) == expected
    for received in mails.values():
        assert len(received) == 4
        assert [mail["In-Reply-To"] for mail in received[1:]] == [mail["Message-ID"] for mail in received[:-1]]
    japanese = next(received for received in mails.values() if received[0]["Content-Language"] == "ja")
    assert [mail["Subject"] for mail in japanese] == SUBJECTS
    parts = [cast(EmailMessage, mail.get_body(("plain",))) for mail in japanese]
    bodies = [str(part.get_content()).replace("\r\n", "\n") for part in parts]
    assert "巨大（高さはまだ分かりません。最悪の事態と考えてください）" in bodies[0] and "11日15時00分ごろ" in bodies[0]
    assert "予想される津波の高さ: 10 m\n" in bodies[1] and "すでに到達" in bodies[1]
    assert "10 mを超える" in bodies[2] and "第1波の到達を確認" in bodies[2]
    assert "近い避難場所" in bodies[0] and "近い避難場所" not in bodies[3]

    with town_database.begin("machimori_service") as connection:
        alerts = connection.execute(
            text("SELECT kind, msg_type, phase, state FROM alerts.alert ORDER BY kind, id")
        ).all()
    assert [tuple(alert) for alert in alerts] == [
        ("earthquake", "Alert", "issued", "draft"),
        ("tsunami", "Alert", "issued", "updated"),
        ("tsunami", "Update", "updated", "updated"),
        ("tsunami", "Update", "updated", "updated"),
        ("tsunami", "Update", "cleared", "sent"),
    ]

    count = len(smtp.accepted)
    replay(town_database, mail_settings, samples)
    work_off(mail_settings)
    assert len(smtp.accepted) == count, "everything a second time sends nothing"
