"""A mailbox over TLS: the town's own authority is trusted when named; another host or an old certificate is not."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import replace

import pytest

from ingest.mail.imap import MailboxError, Position, login
from ingest.mail.mailbox import read_address
from tests.ingest.mail.imap_server import ImapServer


def _openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A folder with an authority of our own."""
    folder = tmp_path_factory.mktemp("authority")
    _openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
             "-days", "2", "-subj", "/CN=town authority", "-addext", "keyUsage=critical,keyCertSign")  # fmt: skip
    return folder


@pytest.fixture
def serve_tls(authority):
    servers = []

    def serve(name, host, days="1"):
        _openssl(authority, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
                 "-subj", "/CN=mail")  # fmt: skip
        (authority / f"{name}.ext").write_text(f"subjectAltName={host}\n")
        _openssl(authority, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                 "-CAcreateserial", "-days", days, "-extfile", f"{name}.ext", "-out", f"{name}.pem")  # fmt: skip
        server = ImapServer()
        server.mails = {3: b"Subject: a\r\n\r\nfirst\r\n"}
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority / f"{name}.pem", authority / f"{name}.key")
        server.tcp.socket = context.wrap_socket(server.tcp.socket, server_side=True)
        servers.append(server)
        url = server.url.replace("imap://", "imaps://")
        return replace(read_address("m", {"url": url, "secret": "right"}), ca_file=str(authority / "ca.pem"))

    yield serve
    for server in servers:
        server.close()


def test_a_mailbox_over_tls_is_read_when_its_authority_is_named(serve_tls):
    account = serve_tls("good", "IP:127.0.0.1")
    with login(account) as session:
        session.select(Position())
        assert session.fetch(3, 1000).content.endswith(b"first\r\n")
    with pytest.raises(MailboxError, match="CERTIFICATE_VERIFY_FAILED"), login(replace(account, ca_file=None)):
        pass


@pytest.mark.parametrize(
    ("host", "days", "reason"),
    [("DNS:elsewhere.example", "1", "not valid for|mismatch"), ("IP:127.0.0.1", "-1", "expired")],
)
def test_another_host_and_a_certificate_that_has_run_out_are_refused(serve_tls, host, days, reason):
    account = serve_tls("bad", host, days)
    with pytest.raises(MailboxError, match=reason), login(account):
        pass
