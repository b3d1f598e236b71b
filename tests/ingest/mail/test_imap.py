"""An IMAP mailbox, also one that drops, drips and lies."""

import imaplib
from dataclasses import replace

import pytest

from ingest.mail.imap import MailboxError, Position, login
from ingest.mail.mailbox import read_address
from tests.ingest.mail.imap_server import ImapServer


@pytest.fixture
def server():
    server = ImapServer()
    server.mails = {3: b"Subject: a\r\n\r\nfirst\r\n", 5: b"Subject: b\r\n\r\nsecond\r\n"}
    yield server
    server.close()


def _account(server, **changes):
    return replace(read_address("m", {"url": server.url, "secret": "right"}), **changes)


def test_only_what_is_new_is_listed(server):
    with login(_account(server)) as session:
        position = session.select(Position(7, 3))
        assert session.new_uids(position) == [5]
        assert session.new_uids(Position(7, 5)) == []


def test_another_uidvalidity_begins_anew(server):
    with login(_account(server)) as session:
        assert session.select(Position(6, 900)) == Position(7, 0)


def test_a_mail_comes_as_it_is_and_is_not_marked(server):
    with login(_account(server)) as session:
        session.select(Position())
        assert session.fetch(3, 1000).content == server.mails[3]
    assert server.marked == {}


def test_a_mail_over_the_limit_is_kept_as_evidence(server):
    server.mails[9] = b"x" * 200_000
    with login(_account(server)) as session:
        session.select(Position())
        body = session.fetch(9, 1000)
    assert body.is_truncated and body.byte_size == 200_000 and len(body.content) <= 65_536


def test_a_wrong_password_is_told_without_showing_it(server):
    with pytest.raises(MailboxError) as caught, login(_account(server, secret="s3cret-wrong")):
        pass
    assert "s3cret-wrong" not in str(caught.value) and "bousai@127.0.0.1" in str(caught.value)


def test_a_missing_folder_is_named(server):
    with pytest.raises(MailboxError, match="Nowhere"), login(_account(server, folder="Nowhere")) as session:
        session.select(Position())


@pytest.mark.parametrize("fault", ["drop", "lie", "drip"])
def test_a_server_that_misbehaves_ends_the_session_with_a_reason(server, fault):
    server.fault = fault
    server.mails[3] = b"x" * 500
    with pytest.raises(MailboxError), login(_account(server), deadline_s=1.0) as session:
        session.select(Position())
        session.fetch(3, 1000)


def test_nothing_is_deleted_unless_asked(server):
    with login(_account(server)) as session:
        session.select(Position())
        session.mark(3)
    assert server.marked == {3: r"(\Seen)"} and server.expunged == []
    with login(_account(server, deletes=True)) as session:
        session.select(Position())
        session.mark(3)
    assert server.expunged == [3]


def test_no_server_is_a_reason_not_a_crash(server):
    server.close()
    with pytest.raises(MailboxError), login(_account(server)):
        pass


def test_the_library_still_reads_the_way_we_bound_it():
    assert hasattr(imaplib.IMAP4, "read") and hasattr(imaplib.IMAP4, "readline")
