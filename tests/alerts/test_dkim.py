"""DKIM signatures, verified by another implementation against keys in a make-believe DNS."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from alerts.letter import Recipient, build_letter
from alerts.texts import AlertText
from gis.errors import UsageError
from gis.settings import Settings
from gis.town import load_town
from tests.alerts.alert_town import FIRST

WORDS = AlertText(
    "ja", "大津波警報", "大津波警報が発表されました。ただちに高台へ避難してください", "本文\n二行", "逃げる"
)
RECIPIENT = Recipient(77, "a..b@docomo.ne.jp", "tok", ["自宅"], earlier=[(3, 10), (4, 55)])


def write_key(path: Path, kind: str) -> bytes:
    """Write a key of a kind and return its DNS record."""
    key = Ed25519PrivateKey.generate() if kind == "ed25519" else generate_private_key(65537, int(kind))
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    if isinstance(key, Ed25519PrivateKey):
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return b"v=DKIM1; k=ed25519; p=" + base64.b64encode(public)
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


def dns(record: bytes) -> Callable[..., bytes]:
    def look_up(name: bytes, timeout: int = 5) -> bytes:
        assert name == b"town._domainkey.city.example."
        return record

    return look_up


def signed(path: Path, recipient: Recipient = RECIPIENT) -> bytes:
    settings = Settings(
        var_dir=path.parent, mail_from="bosai@city.example", dkim_key=path, dkim_selector="town",
        bounce_address="bounce@city.example", bounce_mailbox="maildir:///nowhere",
    )  # fmt: skip
    return build_letter(5, WORDS, FIRST, settings, load_town()).render(recipient)


@pytest.mark.parametrize("kind", ["2048", "ed25519"])
def test_a_signature_is_valid_for_another_implementation(tmp_path: Path, kind: str) -> None:
    record = write_key(tmp_path / "key.pem", kind)
    message = signed(tmp_path / "key.pem")
    assert dkim.verify(message, dnsfunc=dns(record))
    assert dkim.verify(signed(tmp_path / "key.pem", Recipient(1, "x@example.jp", "t")), dnsfunc=dns(record))


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"tok", b"tik"), (b"Message-ID: <5.77", b"Message-ID: <5.78"), (b"To: ", b"To: x"), (b"--=_", b"--=-")],
)
def test_a_changed_message_is_not_valid(tmp_path: Path, before: bytes, after: bytes) -> None:
    record = write_key(tmp_path / "key.pem", "ed25519")
    message = signed(tmp_path / "key.pem")
    assert before in message
    assert not dkim.verify(message.replace(before, after), dnsfunc=dns(record))


def test_the_headers_that_matter_are_signed(tmp_path: Path) -> None:
    write_key(tmp_path / "key.pem", "ed25519")
    names = signed(tmp_path / "key.pem").partition(b" h=")[2].partition(b";")[0].decode().split(":")
    assert {"from", "to", "subject", "date", "message-id", "list-unsubscribe", "list-unsubscribe-post"} <= set(names)


@pytest.mark.parametrize("content", [None, b"no key"])
def test_a_key_that_cannot_be_read_is_told_with_its_cure(tmp_path: Path, content: bytes | None) -> None:
    if content:
        (tmp_path / "key.pem").write_bytes(content)
    with pytest.raises(UsageError, match="cannot be read"):
        signed(tmp_path / "key.pem")


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    write_key(tmp_path / "key.pem", "1024")
    with pytest.raises(UsageError, match="2048"):
        signed(tmp_path / "key.pem")
