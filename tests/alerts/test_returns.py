"""What comes back by mail: reports as real servers write them, complaints, prose of carriers, and forgeries."""

from __future__ import annotations

import mailbox
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.audience import resume_subscriber
from alerts.bounce_mailbox import read_mailbox
from alerts.bounces import take_return
from alerts.delivery import send_alert
from alerts.return_path import ReturnAddresses
from alerts.returns import Return, read_return
from alerts.tasks import read_bounces
from gis import jobs
from gis.database import Database
from gis.errors import UsageError
from gis.settings import Settings
from tests.alerts.alert_town import FIRST, MAJOR, SquareTown
from tests.alerts.push_service import PushService, add_device
from tests.alerts.scripted_smtp import ScriptedServer

ADDRESSES = ReturnAddresses("bounce@city.example", b"key")
DOMAIN = "city.example"
Considered = Callable[..., int | None]

REPORT = """\
Return-Path: <>
Delivered-To: {to}
From: MAILER-DAEMON@mx.example.jp (Mail Delivery System)
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="x"

--x
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.

--x
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.city.example
Arrival-Date: Fri, 11 Mar 2011 14:50:00 +0900

Final-Recipient: rfc822; {address}
Action: {action}
Status: {status}
Remote-MTA: dns; mx.example.jp
Diagnostic-Code: smtp; {diagnostic}

--x
Content-Type: message/rfc822-headers

From: bosai@city.example
Message-ID: <5.{delivery}@city.example>

--x--
"""
PROSE = """\
From: <MAILER-DAEMON@docomo.ne.jp>
To: {to}
Subject: Mail System Error - Returned Mail
Content-Type: text/plain; charset=utf-8

次のあて先へのメッセージはエラーのため送信できませんでした。
<{address}>
{line}

Message-ID: <5.{delivery}@city.example>
"""
COMPLAINT = """\
From: abuse@isp.example.jp
To: fbl@city.example
Subject: FW: warning
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="x"

--x
Content-Type: text/plain

This is an email abuse report.

--x
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: SomeGenerator/1.0
Version: 1
Original-Mail-From: <{return_path}>
Original-Rcpt-To: <{address}>

--x
Content-Type: message/rfc822

From: bosai@city.example
Message-ID: <5.{delivery}@city.example>
Subject: warning

text
--x--
"""


def report(
    delivery: int = 77,
    *,
    to: str | None = None,
    address: str = "a@machimori.example",
    action: str = "failed",
    status: str = "5.1.1",
    diagnostic: str = "550 5.1.1 <a@machimori.example>: User unknown",
) -> bytes:
    to = to or ADDRESSES.write(delivery)
    return REPORT.format(
        to=to, address=address, action=action, status=status, diagnostic=diagnostic, delivery=delivery
    ).encode()


def read(raw: bytes) -> Return:
    return read_return(raw, ADDRESSES, DOMAIN)


def test_a_return_path_names_its_delivery_and_cannot_be_made_up() -> None:
    address = ADDRESSES.write(123456789012)
    assert len(address.partition("@")[0]) <= 64
    assert ADDRESSES.read(f"<{address.upper()}>") == (123456789012, "b")
    assert ADDRESSES.read(ADDRESSES.write(5, "u")) == (5, "u")
    assert ADDRESSES.read(address.replace("123456789012", "123456789013")) is None
    assert ADDRESSES.read(address.replace("+b", "+u")) is None
    assert ReturnAddresses("bounce@city.example", b"other").read(address) is None


def test_a_delivery_report_says_who_and_why() -> None:
    answer = read(report())
    assert (answer.what, answer.delivery_id, answer.is_genuine) == ("bounce", 77, True)
    assert (answer.kind, answer.status, answer.address) == ("hard", "5.1.1", "a@machimori.example")
    assert answer.reporter == "mx.example.jp" and "User unknown" in answer.words


@pytest.mark.parametrize(
    ("status", "diagnostic", "kind"),
    [
        ("5.2.2", "552 5.2.2 mailbox full", "soft"),
        ("4.4.7", "delivery time expired", "soft"),
        ("5.7.1", "550 5.7.1 spam", "policy"),
        ("5.0.0", "550 No such user here", "hard"),
    ],
)
def test_a_report_that_does_not_blame_the_address_is_told_apart(status: str, diagnostic: str, kind: str) -> None:
    assert read(report(status=status, diagnostic=diagnostic)).kind == kind


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed"])
def test_a_delay_is_no_bounce(action: str) -> None:
    assert read(report(action=action)).what == "notice"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("550 Unknown user a@docomo.ne.jp", "hard"),
        (">>> RCPT TO:<a@docomo.ne.jp> <<< 550 5.1.1 ... User unknown", "hard"),
        ("宛先のメールアドレスが存在しません。", "unknown"),
        ("メールボックスの容量を超えています。", "soft"),
    ],
)
def test_a_carriers_prose_is_read_as_far_as_it_goes(line: str, kind: str) -> None:
    to = ADDRESSES.write(77)
    answer = read(PROSE.format(to=to, address="a@docomo.ne.jp", line=line, delivery=77).encode())
    assert answer.delivery_id == 77 and answer.address == "a@docomo.ne.jp"
    assert answer.what == ("unknown" if kind == "unknown" else "bounce")
    assert kind in ("unknown", answer.kind)


def test_somebody_who_is_on_holiday_has_not_bounced() -> None:
    raw = f"From: a@b.jp\nTo: {ADDRESSES.write(77)}\nAuto-Submitted: auto-replied\n\n550 User unknown, I am away\n"
    assert read(raw.encode()).what == "unknown"


def test_a_complaint_is_found_by_the_original_return_path() -> None:
    raw = COMPLAINT.format(return_path=ADDRESSES.write(77), address="a@machimori.example", delivery=77)
    answer = read(raw.encode())
    assert (answer.what, answer.delivery_id, answer.is_genuine) == ("complaint", 77, True)


@pytest.mark.parametrize(
    "raw", [b"", b"\xff\xfe\x00", b"Content-Type: multipart/report; report-type=delivery-status\n\n"]
)
def test_rubbish_is_unknown(raw: bytes) -> None:
    assert read(raw).what in ("unknown", "bounce") and read(raw).delivery_id is None


@pytest.fixture
def sent(town: SquareTown, considered: Considered, send: Callable[..., object]) -> Callable[[], int]:
    """Send one more message to a@ and return its delivery."""
    minutes = iter(range(100))
    town.subscribe("a@machimori.example")

    def run() -> int:
        alert_id = considered(
            {**MAJOR, "height_text": f"{next(minutes)}"}, reported_at=FIRST + timedelta(minutes=next(minutes))
        )
        send(alert_id)
        return int(town.scalar("SELECT max(id) FROM alerts.delivery"))

    return run


def take(database: Database, raw: bytes) -> str:
    with database.begin("machimori_service") as connection:
        return take_return(connection, raw, ADDRESSES, DOMAIN)


def test_an_address_that_bounces_twice_in_a_row_is_suspended_and_not_before(
    town: SquareTown, sent: Callable[[], int]
) -> None:
    first = sent()
    for _ in range(3):
        assert take(town.database, report(first)) == "bounce", "the same report again changes nothing"
    assert town.scalar("SELECT state FROM alerts.subscriber") == "confirmed"
    assert town.scalar("SELECT state FROM alerts.delivery WHERE id = :id", id=first) == "bounced"
    assert town.scalar("SELECT count(*) FROM alerts.attempt WHERE outcome = 'bounced'") == 1
    assert take(town.database, report(sent())) == "bounce"
    assert town.scalar("SELECT state FROM alerts.subscriber") == "suspended"
    count = town.scalar("SELECT count(*) FROM alerts.delivery")
    sent()
    assert town.scalar("SELECT count(*) FROM alerts.delivery") == count, "nothing goes there any more"
    with town.database.begin("machimori_service") as connection:
        resume_subscriber(connection, town.scalar("SELECT email FROM alerts.subscriber"))
        with pytest.raises(UsageError, match="was not given up"):
            resume_subscriber(connection, town.scalar("SELECT email FROM alerts.subscriber"))
    assert take(town.database, report(sent())) == "bounce"
    assert town.scalar("SELECT state FROM alerts.subscriber") == "confirmed", "the refusals before count no more"


def test_a_mailbox_that_is_full_or_a_relay_that_takes_us_for_spam_suspends_nobody(
    town: SquareTown, sent: Callable[[], int]
) -> None:
    for status, diagnostic in (("5.2.2", "552 full"), ("5.7.1", "554 spam"), ("4.4.7", "expired")):
        take(town.database, report(sent(), status=status, diagnostic=diagnostic))
    assert town.scalar("SELECT state FROM alerts.subscriber") == "confirmed"
    assert town.scalar("SELECT count(*) FROM alerts.bounce") == 3


def test_a_forged_bounce_silences_nobody(town: SquareTown, sent: Callable[[], int]) -> None:
    for _ in range(2):
        forged = report(sent(), to="bounce@city.example", address="somebody@else.example")
        assert take(town.database, forged) == "unknown"
    assert town.scalar("SELECT state FROM alerts.subscriber") == "confirmed"
    assert town.scalar("SELECT count(*) FROM alerts.delivery WHERE state = 'bounced'") == 0
    assert town.scalar("SELECT count(*) FROM alerts.bounce_unread") == 2


def test_a_complaint_and_an_unsubscription_by_mail_take_effect_at_once(
    town: SquareTown, sent: Callable[[], int]
) -> None:
    delivery = sent()
    by_mail = f"From: a@machimori.example\nTo: {ADDRESSES.write(delivery, 'u')}\n\nplease".encode()
    assert take(town.database, by_mail) == "unsubscribe"
    assert town.scalar("SELECT state FROM alerts.subscriber") == "unsubscribed"
    town.execute("UPDATE alerts.subscriber SET state = 'confirmed'")
    raw = COMPLAINT.format(return_path=ADDRESSES.write(delivery), address="a@machimori.example", delivery=delivery)
    assert take(town.database, raw.encode()) == "complaint"
    assert town.scalar("SELECT state FROM alerts.subscriber") == "unsubscribed"


def test_a_refusal_while_sending_counts_as_a_bounce_does(
    town: SquareTown, considered: Considered, send: Callable[..., object], smtp: ScriptedServer
) -> None:
    town.subscribe("a@machimori.example")
    smtp.at_rcpt = lambda address, times: "550 5.1.1 no such user"
    send(considered(MAJOR))
    assert town.scalar("SELECT state FROM alerts.subscriber") == "confirmed"
    send(considered({**MAJOR, "height_text": "１０ｍ"}, reported_at=FIRST + timedelta(minutes=1)))
    assert town.scalar("SELECT state FROM alerts.subscriber") == "suspended"
    assert town.execute("SELECT DISTINCT kind, source, status FROM alerts.bounce") == [("hard", "smtp", "5.1.1")]


def test_a_greylisted_message_waits_for_minutes_and_is_no_failure(
    town: SquareTown, considered: Considered, send: Callable[..., object], smtp: ScriptedServer
) -> None:
    town.subscribe("a@machimori.example")
    smtp.at_rcpt = lambda address, times: "451 4.7.1 Greylisted, please try again"
    assert send(considered(MAJOR)) == {"deferred": 1}
    wait_s = town.scalar("SELECT extract(epoch FROM next_attempt_at - now()) FROM alerts.delivery")
    assert 280 < wait_s <= 900
    assert town.scalar("SELECT count(*) FROM alerts.bounce") == 0


def test_a_bounce_in_a_maildir_goes_the_whole_way_and_is_read_once(
    town: SquareTown, considered: Considered, mail_settings: Settings, smtp: ScriptedServer, tmp_path: Path
) -> None:
    folder = tmp_path / "bounces"
    box = mailbox.Maildir(folder)
    settings = replace(
        mail_settings, bounce_address="bounce@city.example", bounce_mailbox=f"maildir://{folder}",
        mail_from="b@city.example",
    )  # fmt: skip
    town.subscribe("a@machimori.example")
    alert_id = considered(MAJOR)
    assert alert_id
    send_alert(town.database, settings, alert_id, connections=1)
    return_path = smtp.senders[0]
    assert return_path.startswith("bounce+b") and b"mailto:bounce+u" in smtp.accepted[0][1]
    box.add(report(1, to=return_path))
    jobs.set_context(town.database, settings)
    for _ in range(2):
        read_bounces()
    assert town.scalar("SELECT state FROM alerts.delivery") == "bounced"
    assert town.scalar("SELECT count(*) FROM alerts.bounce") == 1
    assert read_mailbox(f"maildir://{folder}", lambda raw: None) == 0


def test_a_message_that_could_not_be_taken_stays_unread(tmp_path: Path) -> None:
    mailbox.Maildir(tmp_path / "box").add(b"Subject: x\n\n")

    def fail(raw: bytes) -> None:
        raise OSError("the database is away")

    with pytest.raises(OSError, match="away"):
        read_mailbox(f"maildir://{tmp_path}/box", fail)
    assert read_mailbox(f"maildir://{tmp_path}/box", lambda raw: None) == 1


def test_a_complaint_between_approval_and_sending_stops_mail_and_push(
    town: SquareTown, sent: Callable[[], int], considered: Considered, send: Callable[..., object],
    smtp: ScriptedServer, service: PushService,
) -> None:  # fmt: skip
    delivery = sent()
    add_device(town, service, town.scalar("SELECT subscriber_id FROM alerts.delivery WHERE id = :d", d=delivery), 1)
    alert_id = considered(MAJOR, incident_fid=2)
    raw = COMPLAINT.format(return_path=ADDRESSES.write(delivery), address="a@machimori.example", delivery=delivery)
    assert take(town.database, raw.encode()) == "complaint"
    smtp.accepted.clear()
    assert send(alert_id) == {"suppressed": 1, "push.suppressed": 1} and smtp.accepted == service.calls == []
