"""Answers to citizens by mail: over a real SMTP server, one per change, with nothing of what was written."""

from __future__ import annotations

import email
import secrets
import smtplib
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from types import SimpleNamespace
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import text

from gis.database import SERVICE, Database
from gis.jobs import set_context
from gis.languages import LANGUAGES
from gis.settings import Settings
from ingest.answers import KEY_NAME, answer_citizens, write_answer
from ingest.citizen_forms import Keys
from ingest.citizen_tasks import answer_due_citizens
from ingest.citizens import stop_mails, take_report, withdraw_report
from ingest.processing import process_document
from tests.ingest.test_citizens import CONTACT, POLICY, WORDS, report, sender


class Box:
    """Keeps what arrives; refuses addresses that begin with `no`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.mails: list[EmailMessage] = []
        self.code = "550 no such user"

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("no"):
            return self.code
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append(email.message_from_bytes(content, policy=default))
        return "250 OK"


@pytest.fixture
def box() -> Iterator[Box]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    box = Box(f"smtp://127.0.0.1:{port}")
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box
    controller.stop()


@pytest.fixture
def relayed(settings: Settings, box: Box) -> Settings:
    return replace(settings, smtp_url=box.url)


def send(database: Database, contact: str = CONTACT, language: str = "en") -> str:
    reference = secrets.token_urlsafe(16)
    with database.begin(SERVICE) as connection:
        whence = sender(secrets.token_hex(4))
        take_report(connection, reference, report(contact=contact, language=language), whence, POLICY)
        documents = connection.execute(text("SELECT max(id) FROM ingest.document")).scalar_one()
    process_document(database, documents)
    return reference


def set_publication(database: Database, publication: str) -> None:
    with database.begin(SERVICE) as connection:
        connection.execute(text("UPDATE layers.incident SET publication = :it"), {"it": publication})


def test_one_mail_per_change_and_no_word_of_the_report(database: Database, relayed: Settings, box: Box) -> None:
    reference = send(database)
    assert [answer_citizens(database, relayed) for _ in range(2)] == [1, 0]
    for publication, mails in (("held", 0), ("published", 1), ("held", 0), ("published", 0), ("rejected", 1)):
        set_publication(database, publication)
        assert answer_citizens(database, relayed) == mails, publication
    said = [mail.get_content() for mail in box.mails]
    for content, words in zip(said, ("Staff are checking", "Checked and published", "Not published"), strict=True):
        assert words in content
        assert f"/report/{Keys(relayed.secret(KEY_NAME)).token(reference)}" in content
        for secret in (WORDS, "火", "141.2", "fire"):
            assert secret not in content
    assert len({mail["Message-ID"] for mail in box.mails}) == 3
    assert {mail["To"] for mail in box.mails} == {CONTACT}
    assert all(mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click" for mail in box.mails)


def test_after_a_storm_one_job_sends_batch_after_batch(
    database: Database, relayed: Settings, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        send(database)
    monkeypatch.setattr("ingest.answers.BATCH", 1)
    monkeypatch.setattr("ingest.citizen_tasks.BATCH", 1)
    set_context(database, relayed)
    answer_due_citizens()
    assert len(box.mails) == 3


def test_who_gave_no_address_stopped_or_withdrew_gets_none(database: Database, relayed: Settings, box: Box) -> None:
    send(database, contact="")
    stopped, withdrawn = send(database), send(database)
    with database.begin(SERVICE) as connection:
        stop_mails(connection, stopped)
        withdraw_report(connection, withdrawn, datetime.now(UTC))
    assert answer_citizens(database, relayed) == 0
    assert box.mails == []


def test_a_refused_address_holds_nobody_else_up(database: Database, relayed: Settings, box: Box) -> None:
    send(database, contact="nobody@example.jp")
    send(database)
    box.code = "450 later"
    assert answer_citizens(database, relayed) == 1
    box.code = "550 never"
    assert answer_citizens(database, relayed) == 0
    with database.begin(SERVICE) as connection:
        rows = connection.execute(text("SELECT wants_mail FROM ingest.citizen_report ORDER BY id")).scalars().all()
    assert rows == [False, True], "later is tried again, never is not"


def test_without_a_relay_everything_stays_due(database: Database, settings: Settings, relayed: Settings) -> None:
    send(database)
    with pytest.raises((OSError, smtplib.SMTPException)):
        answer_citizens(database, replace(settings, smtp_url="smtp://127.0.0.1:9"))
    assert answer_citizens(database, relayed) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_mail_is_in_the_language_of_the_report(tmp_path: Any, language: str) -> None:
    row: Any = SimpleNamespace(
        id=7,
        reference="A" * 22,
        language=language,
        contact=CONTACT,
        created_at=datetime.now(UTC),
        answers=0,
        state="received",
    )
    mail = write_answer(Settings(var_dir=tmp_path, base_url="https://town.example"), row)
    read = email.message_from_bytes(mail.as_bytes(), policy=default)
    assert isinstance(read, EmailMessage)
    words = {"ja": "受け付けました", "ja-x-easy": "受（う）けとりました", "en": "Received"}
    assert words[language] in read.get_content()
    assert mail.as_bytes().isascii() and b"\r\n" in mail.as_bytes()
    assert f"?lang={language}" in read.get_content()
