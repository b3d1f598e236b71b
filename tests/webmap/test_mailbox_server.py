"""The local mailbox: a real SMTP server as a real process."""

from __future__ import annotations

import os
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from gis.relay import relay
from gis.settings import PROJECT_DIR, Settings


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Settings]:
    """Settings of an installation whose mailbox runs."""
    settings = Settings(var_dir=tmp_path / "var")
    process = subprocess.Popen(
        [sys.executable, "-m", "webmap.cli", "mailbox"],
        env={**os.environ, "MACHIMORI_VAR": str(settings.var_dir)}, cwd=PROJECT_DIR,
    )  # fmt: skip
    port_file = settings.var_dir / "run" / "mailbox.port"
    while not port_file.exists():
        assert process.poll() is None, "the mailbox did not start"
        time.sleep(0.05)
    yield settings
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 0
    assert not port_file.exists(), "a stopped mailbox names no port"


def _connect(settings: Settings) -> smtplib.SMTP:
    target = relay(settings)
    return smtplib.SMTP(target.host, target.port)


def _kept(settings: Settings) -> list[bytes]:
    return [path.read_bytes() for path in sorted((settings.mailbox_dir / "new").iterdir())]


def test_a_mail_is_kept_as_it_came_with_its_envelope(mailbox: Settings) -> None:
    message = EmailMessage()
    message["Subject"] = "大津波警報"
    message["From"] = "bosai@machimori.example"
    message["To"] = "taro@machimori.example"
    message.set_content("高台へ逃げてください。")
    with _connect(mailbox) as smtp:
        smtp.send_message(message)
    [content] = _kept(mailbox)
    parsed = message_from_bytes(content, policy=default)
    assert parsed["Subject"] == "大津波警報"
    assert parsed["X-RcptTo"] == "taro@machimori.example"
    assert parsed.get_content() == "高台へ逃げてください。\r\n"


@pytest.mark.parametrize("address", ["a..b@docomo.ne.jp", ".c@ezweb.ne.jp", "d.@softbank.ne.jp"])
def test_addresses_that_carriers_gave_out_are_taken(mailbox: Settings, address: str) -> None:
    with _connect(mailbox) as smtp:
        smtp.ehlo()
        smtp.mail("bosai@machimori.example")
        assert smtp.docmd("RCPT", f"TO:<{address}>")[0] == 250


def test_a_malformed_address_is_refused(mailbox: Settings) -> None:
    with _connect(mailbox) as smtp:
        smtp.ehlo()
        smtp.mail("bosai@machimori.example")
        assert smtp.docmd("RCPT", "TO:<nobody>")[0] == 553


def test_many_mails_over_one_connection_are_all_kept(mailbox: Settings) -> None:
    with _connect(mailbox) as smtp:
        for number in range(200):
            smtp.sendmail("bosai@machimori.example", [f"demo{number}@machimori.example"], b"Subject: n\r\n\r\nx\r\n")
    assert len(_kept(mailbox)) == 200
