"""From approval to the last acceptance, one worker, beside the raw limits in the same run.

    ./machimori bench dispatch [--recipients 100000] [--peer 5000]

The worker is the real one (frozen recipients, claims, verdicts, durable results, rendering per language with links per
recipient) on a durable throw-away cluster. Beside it, on the same messages and the same sink: the bare SMTP loop of the
standard library over as many connections, and a loop that builds an `EmailMessage` for each recipient and sends it.
Memory is the worker process's own peak at a fifth of the recipients and at all of them. On a virtual machine the host
may give its processors to others meanwhile: how much of what was wanted it took is shown.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import smtplib
import time
from collections.abc import Sequence
from email.message import EmailMessage
from secrets import token_urlsafe

from sqlalchemy import text

from alerts.approval import approve, submit
from alerts.delivery import send_alert
from alerts.letter import Recipient, build_letter
from alerts.outbox import read_letter
from bench.alert_path import prepare, raw_loop, render_all, sink, throw_away_settings
from bench.host import Taken
from gis.accounts import add_account, find_account
from gis.database import SERVICE, Database, owner_engine
from gis.settings import Settings
from gis.town import load_town

_ALERT = text(
    """
    WITH written AS (
        INSERT INTO alerts.alert (identifier, kind, cap_status, msg_type, phase, level, event, urgency, severity,
                                  certainty, area_name, area, effective_at)
        SELECT 'bench-' || gen_random_uuid(), 'tsunami', 'Actual', 'Alert', 'issued', 5, 'tsunami.major_warning',
               'Immediate', 'Extreme', 'Likely', name, ST_Multi(geom), now()
        FROM layers.city_area ORDER BY ST_Area(geom) DESC LIMIT 1 RETURNING id
    ), words AS (
        INSERT INTO alerts.alert_text (alert_id, language, event, headline, description, instruction)
        SELECT id, language, '大津波警報', '大津波警報が発表されました。ただちに高台へ避難してください',
               repeat('巨大な津波が予想されます。海岸や川から離れてください。', 4),
               repeat('ただちに避難してください。', 4)
        FROM written, unnest('{ja,ja-x-easy,en}'::text[]) AS language
    )
    SELECT id FROM written
    """
)


def approve_one(settings: Settings) -> tuple[int, int, float]:
    """Write and approve an alert for everybody; return its id, how many get it and the seconds that freezing took."""
    _add_office(settings)
    database = Database(settings.app_url(), pool_size=2)
    with database.begin("dept_disaster", "bench.author") as connection:
        alert_id = connection.execute(_ALERT).scalar_one()
        submit(connection, alert_id, "bench.author")
    began = time.perf_counter()
    with database.begin("dept_disaster", "bench.approver") as connection:
        people = approve(connection, alert_id, "bench.approver")
    frozen_s = time.perf_counter() - began
    database.dispose()
    return alert_id, people, frozen_s


def _add_office(settings: Settings) -> None:
    """Add the two people whom every message needs, once."""
    owner = owner_engine(settings.owner_url())
    with owner.begin() as connection:
        for role in ("author", "approver"):
            if find_account(connection, f"bench.{role}") is None:
                roles = (f"alert_{role}",)
                add_account(connection, f"bench.{role}", role, "disaster", token_urlsafe(), is_demo=True, roles=roles)
    owner.dispose()


def send_in_process(settings: Settings, alert_id: int) -> tuple[float, float, float]:
    """Send in a process of its own; return seconds, processor seconds and peak memory in MB."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_send, (settings, alert_id))


def _send(settings: Settings, alert_id: int) -> tuple[float, float, float]:
    database = Database(settings.app_url(), pool_size=4)
    began, processor = time.perf_counter(), time.process_time()
    counts = send_alert(database, settings, alert_id)
    took = time.perf_counter() - began, time.process_time() - processor
    database.dispose()
    if set(counts) != {"accepted"}:
        raise SystemExit(f"not all were accepted: {counts}")
    return *took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def email_message_loop(settings: Settings, alert_id: int, count: int, port: int) -> float:
    """Build an `EmailMessage` for each recipient and send it, as a simple program would; return seconds."""
    database = Database(settings.app_url(), pool_size=2)
    with database.begin(SERVICE) as connection:
        rows = connection.execute(
            text("SELECT d.id, d.language, d.address, d.place_names, d.nearest_sites, s.token FROM alerts.delivery d"
                 " JOIN alerts.subscriber s ON s.id = d.subscriber_id WHERE d.alert_id = :id ORDER BY d.id LIMIT :n"),
            {"id": alert_id, "n": count},
        ).all()  # fmt: skip
        words = {language: read_letter(connection, alert_id, language) for language in ("ja", "ja-x-easy", "en")}
    letters = {
        language: build_letter(alert_id, text_, at, settings, load_town()) for language, (text_, at, _) in words.items()
    }
    began = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        for row in rows:
            letter, alert_text = letters[row.language], words[row.language][0]
            recipient = Recipient(row.id, row.address, row.token, row.place_names, row.nearest_sites)
            plain, html = letter.bodies(recipient)
            message = EmailMessage()
            message["From"], message["To"] = settings.mail_from, row.address
            message["Subject"] = alert_text.headline
            message["Message-ID"] = letter.message_id(alert_id, row.id)
            message.set_content(plain)
            message.add_alternative(html, subtype="html")
            smtp.send_message(message)
    took = time.perf_counter() - began
    database.dispose()
    return took


def report(lines: Sequence[tuple[str, float, str]]) -> None:
    for name, value, unit in lines:
        print(f"{name:55} {value:12,.2f} {unit}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="dispatch", description=__doc__)
    parser.add_argument("--recipients", type=int, default=100_000, metavar="N", help="default: 100000")
    parser.add_argument("--peer", type=int, default=3000, metavar="N", help="messages of the EmailMessage loop")
    args = parser.parse_args()
    with sink() as port, throw_away_settings(port) as settings:
        prepare(settings, args.recipients // 5)
        alert_id, few, _ = approve_one(settings)
        _, _, few_mb = send_in_process(settings, alert_id)
        owner = owner_engine(settings.owner_url())
        with owner.begin() as connection:
            connection.execute(text("TRUNCATE alerts.alert, alerts.subscriber CASCADE"))
        owner.dispose()
        prepare(settings, args.recipients)
        alert_id, people, frozen_s = approve_one(settings)
        with Taken() as while_sending:
            sent_s, processor_s, many_mb = send_in_process(settings, alert_id)
        peer_s = email_message_loop(settings, alert_id, args.peer, port)
        owner = owner_engine(settings.owner_url())
        with owner.connect() as connection:
            messages, render_s = render_all(connection, settings)
        owner.dispose()
        with Taken() as while_raw:
            raw_s = raw_loop(port, messages, settings.mail_from)
    rate, peer_rate, raw_rate = people / sent_s, args.peer / peer_s, people / raw_s
    report(
        [
            ("recipients", people, ""),
            ("approval: frozen recipients", frozen_s, "s"),
            ("sent, from the job's begin to the last acceptance", sent_s, "s"),
            ("messages a second, one worker", rate, "/s"),
            ("its processor time for a message", processor_s / people * 1e6, "µs"),
            ("of which rendering alone", render_s / people * 1e6, "µs"),
            ("bare SMTP loop of ready bytes, as many connections", raw_rate, "/s"),
            ("worker / bare loop", rate / raw_rate, "times"),
            ("taken by the host while the worker sent", 100 * while_sending.share, "%"),
            ("taken by the host during the bare loop", 100 * while_raw.share, "%"),
            ("loop with an EmailMessage each", peer_rate, "/s"),
            ("worker / EmailMessage loop", rate / peer_rate, "times"),
            (f"peak memory at {few:,} recipients", few_mb, "MB"),
            (f"peak memory at {people:,} recipients", many_mb, "MB"),
        ]
    )


if __name__ == "__main__":
    main()
