"""The bounce mailbox on a real IMAP server (Dovecot), killed in the middle of it."""

from __future__ import annotations

import email.utils
import imaplib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.bounce_mailbox import read_mailbox
from alerts.bounces import take_return
from alerts.delivery import send_alert
from alerts.return_path import find_addresses
from gis.settings import Settings
from tests.alerts.alert_town import FIRST, MAJOR, SquareTown
from tests.alerts.scripted_smtp import ScriptedServer
from tests.alerts.test_returns import COMPLAINT, report

DOVECOT = shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin:/usr/bin")
pytestmark = pytest.mark.skipif(
    DOVECOT is None or os.geteuid() != 0, reason="needs root and Dovecot (apt-get install dovecot-imapd)"
)
Considered = Callable[..., int | None]
CONFIGURATION = """\
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail
first_valid_uid = 1
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
passdb {{
  driver = static
  args = password=se@cret
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={folder}/mail
}}
"""


class Dovecot:
    """One Dovecot in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.chmod(0o755)
        for name in ("mail", "mail/new", "mail/cur", "mail/tmp"):
            (folder / name).mkdir()
            shutil.chown(folder / name, "nobody", "nogroup")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (folder / "dovecot.conf").write_text(CONFIGURATION.format(folder=folder, port=self.port))
        self.url = f"imap://bounce:se%40cret@127.0.0.1:{self.port}/INBOX"
        self.start()

    def start(self) -> None:
        (self.folder / "run" / "master.pid").unlink(missing_ok=True)
        assert DOVECOT
        self.process = subprocess.Popen(
            [DOVECOT, "-F", "-c", str(self.folder / "dovecot.conf")], start_new_session=True
        )
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except ConnectionRefusedError:
                assert self.process.poll() is None, (self.folder / "log").read_text()
                time.sleep(0.05)

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def put(self, name: str, raw: bytes) -> None:
        path = self.folder / "mail" / "tmp" / name
        path.write_bytes(raw)
        shutil.chown(path, "nobody", "nogroup")
        path.rename(self.folder / "mail" / "new" / name)


@pytest.fixture
def dovecot() -> Iterator[Dovecot]:
    with tempfile.TemporaryDirectory(prefix="mm-imap-", dir="/tmp") as folder:
        server = Dovecot(Path(folder))
        yield server
        server.kill()


def test_bounces_and_a_complaint_are_counted_once_though_the_server_is_killed_in_the_middle(
    town: SquareTown, considered: Considered, mail_settings: Settings, smtp: ScriptedServer, dovecot: Dovecot
) -> None:
    settings = replace(mail_settings, bounce_address="bounce@city.example", mail_from="b@city.example")
    addresses = find_addresses(settings)
    assert addresses
    for name in "abc":
        town.subscribe(f"{name}@machimori.example")
    first = considered(MAJOR)
    assert first
    send_alert(town.database, settings, first, connections=1)
    deliveries = {row.address[0]: row.id for row in town.execute("SELECT address, id FROM alerts.delivery")}
    # The next message is approved, frozen and queued before the mailbox is read; nothing of it has left yet.
    second = considered({**MAJOR, "height_text": "１０ｍ"}, reported_at=FIRST + timedelta(minutes=1))
    assert second
    for number, name in enumerate("ab"):
        raw = report(deliveries[name], to=addresses.write(deliveries[name]), address=f"{name}@machimori.example")
        dovecot.put(f"{number}.{name}.here", raw)
    complaint = COMPLAINT.format(
        return_path=addresses.write(deliveries["c"]), address="c@machimori.example", delivery=deliveries["c"]
    )
    dovecot.put("2.c.here", f"Date: {email.utils.formatdate()}\n{complaint}".encode())
    taken: list[str] = []

    def take(raw: bytes) -> None:
        with town.database.begin("machimori_service") as connection:
            taken.append(take_return(connection, raw, addresses, "city.example"))
        if len(taken) == 2:
            dovecot.kill()  # after the commit, before the server has noted that the message was read

    with pytest.raises((OSError, imaplib.IMAP4.error)):
        read_mailbox(dovecot.url, take)
    dovecot.start()
    assert read_mailbox(dovecot.url, take) == 2, "the second message again, and the third"
    assert read_mailbox(dovecot.url, take) == 0
    assert sorted(taken) == ["bounce", "bounce", "bounce", "complaint"]
    counted = town.execute("SELECT kind, count(*) AS n FROM alerts.bounce GROUP BY kind ORDER BY kind")
    assert [(row.kind, row.n) for row in counted] == [("complaint", 1), ("hard", 2)]
    before = len(smtp.accepted)
    send_alert(town.database, settings, second, connections=1)
    states = town.execute("SELECT address, state FROM alerts.delivery WHERE alert_id = :id ORDER BY 1", id=second)
    assert [(row.address[0], row.state) for row in states] == [
        ("a", "accepted"),
        ("b", "accepted"),
        ("c", "suppressed"),
    ], "one bounce suspends nobody; who complained gets nothing that was approved before"
    assert len(smtp.accepted) == before + 2
