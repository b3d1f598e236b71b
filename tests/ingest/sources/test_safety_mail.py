"""A mailbox becomes incidents: once, privately, and with its follow-ups."""

import pytest

from gis.errors import UsageError
from ingest.configuration import SourceConfig
from ingest.schedule import Schedule
from ingest.sources.safety_mail import make_source
from tests.ingest.mail.imap_server import ImapServer
from tests.ingest.mail.letters import SENDER, mail

ONE = "11月20日午後3時ころ、石巻市蛇田地内の路上で、女児が男に声をかけられました。男は黒色ジャンパー。"
OURS = ONE.replace("石巻市蛇田", "東松島市矢本")
AUTH = f"Authentication-Results: mx.town.example; dkim=pass header.d={SENDER.partition('@')[2]}; spf=pass\r\n"


def _source(**options):
    given = {"senders": [SENDER], "office": "県警"} | options
    return make_source(SourceConfig("pref_mail", "safety_mail", "県警メール", Schedule(60), given))


@pytest.fixture
def maildir(tmp_path):
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.mark.parametrize(
    "options",
    [
        {"senders": []},
        {"senders": ["nobody"]},
        {"url": "https://x"},
        {"url": "imaps://u:p@h/INBOX", "secret": "p"},
        {"url": "imaps://u@h/INBOX"},
        {"neighbours": {"石巻市": 4202}},
    ],
)
def test_a_wrong_option_is_named(options):
    with pytest.raises(UsageError, match="pref_mail"):
        _source(**options)


def test_the_password_is_not_shown():
    assert "hidden" not in repr(_source(url="imaps://u@h/INBOX", secret="hidden"))


def test_mails_become_pending_incidents_once_and_nothing_personal_leaves(
    database, settings, maildir, monkeypatch, rows
):
    source = _source(url=f"maildir:{maildir}")
    monkeypatch.setattr("ingest.processing.find_source", lambda name: source)
    (maildir / "new" / "1").write_bytes(mail("声かけ", OURS, "utf-8"))
    (maildir / "new" / "2").write_bytes(mail("声かけ", OURS, "utf-8", sender="someone@else.example"))
    summary = source.fetch(database, settings, source)
    assert (summary.documents, summary.changed, len(summary.dead_letters)) == (2, 1, 1)
    assert list((maildir / "new").iterdir()) == [] and len(list((maildir / "cur").iterdir())) == 2
    (incident,) = rows("SELECT i::text AS words, i.publication, i.state FROM layers.incident i")
    assert incident["publication"] == "pending"
    (report,) = rows("SELECT r::text AS words FROM ingest.report r")
    for word in ("女児", "ジャンパー", "黒色", "路上"):
        assert word not in incident["words"] + report["words"]
    # A crash after storing and before moving: the same mail again changes nothing; then the case is solved.
    (maildir / "new" / "1").write_bytes(mail("声かけ", OURS, "utf-8"))
    (maildir / "new" / "3").write_bytes(
        mail(
            "【解決】声かけ事案",
            "11月20日午後3時ころの東松島市矢本地内の路上における声かけは、行為者を特定しました。",
            "utf-8",
        )
    )
    source.fetch(database, settings, source)
    (incident,) = rows("SELECT state FROM layers.incident")
    assert incident["state"] == "resolved"


def test_imap_goes_on_where_a_crash_left_it(database, settings, monkeypatch, rows):
    server = ImapServer()
    try:
        source = _source(url=server.url, secret="right")
        monkeypatch.setattr("ingest.processing.find_source", lambda name: source)
        server.mails = {1: mail("声かけ", OURS), 2: mail("つきまとい", OURS.replace("声をかけ", "後をつけ"))}
        server.fault = "no_store"
        assert source.fetch(database, settings, source).failures
        assert rows("SELECT count(*) AS n FROM ingest.document") == [{"n": 1}] and server.marked == {}
        server.fault = ""
        assert not source.fetch(database, settings, source).failures
        assert set(server.marked) == {1, 2}
        server.uidvalidity = 8
        source.fetch(database, settings, source)
        assert rows("SELECT count(*) AS n FROM ingest.document") == [{"n": 2}]
        assert rows("SELECT etags FROM ingest.source WHERE name = 'pref_mail'") == [
            {"etags": {"uidvalidity": 8, "uid": 2}}
        ]
    finally:
        server.close()
