"""Mails as the reader's program sees them: the bytes are parsed back."""

from __future__ import annotations

import email
import email.policy
import re
from email.message import EmailMessage
from pathlib import Path
from typing import cast

import pytest

from alerts.headers import encode_words, format_address
from alerts.letter import Letter, Recipient, build_letter
from alerts.texts import AlertText, Occasion, write_text
from gis.languages import LANGUAGES
from gis.settings import Settings
from gis.town import load_town
from tests.alerts.alert_town import FIRST, MAJOR

SETTINGS = Settings(Path("/nowhere"), base_url="https://map.example", mail_from="bosai@city.example")
SITES = [
    {"name": "野蒜の丘 <高台>", "distance_m": 1234.5, "lon": 141.2, "lat": 38.4},
    {"name": "小学校", "distance_m": 87.0},
]
RECIPIENT = Recipient(77, "hanako@example.jp", "tok-en_1", ["自宅", "職場"], SITES)


def words(language: str = "ja") -> AlertText:
    occasion = Occasion("tsunami", "tsunami.major_warning", "issued", "Actual", FIRST, "気象庁", MAJOR)
    return write_text(occasion, language, load_town())


def letter(language: str = "ja") -> Letter:
    return build_letter(5, words(language), FIRST, SETTINGS, load_town())


def parse(content: bytes) -> EmailMessage:
    return cast(EmailMessage, email.message_from_bytes(content, policy=email.policy.default))


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


@pytest.mark.parametrize("language", LANGUAGES)
def test_subject_and_body_arrive_as_written(language: str) -> None:
    message = parse(letter(language).render(RECIPIENT))
    text = words(language)
    assert message["Subject"] == text.headline
    assert message["Content-Language"] == language
    for kind in ("plain", "html"):
        assert not message.defects
        content = body(message, kind).replace("\r\n", "\n").replace("<br>", "")
        assert text.headline in content
        assert text.instruction in content
        assert "\N{REPLACEMENT CHARACTER}" not in content


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_bytes_are_ascii_with_short_lines_and_crlf_only(language: str) -> None:
    content = letter(language).render(RECIPIENT)
    content.decode("ascii")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"\r" not in content.replace(b"\r\n", b"")
    assert max(map(len, content.split(b"\r\n"))) <= 998


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_encoded_word_is_short_and_whole(language: str) -> None:
    head = letter(language).render(RECIPIENT).partition(b"\r\n\r\n")[0]
    for word in re.findall(rb"=\?[^?]+\?[bBqQ]\?[^?]*\?=", head):
        assert len(word) <= 75
        # A character cut in two words becomes mojibake in programs that decode word by word (RFC 2047, section 5).
        (part,) = email.header.decode_header(word.decode())
        part[0].decode("utf-8")


def test_the_headers_a_warning_needs_are_there() -> None:
    message = parse(letter().render(RECIPIENT))
    assert message["From"].addresses[0].addr_spec == "bosai@city.example"
    assert message["From"].addresses[0].display_name == "東松島市 防災メール"
    assert message["To"].addresses[0].addr_spec == "hanako@example.jp"
    assert message["Message-ID"] == "<5.77@city.example>"
    assert message["Date"].datetime == FIRST
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] == "<https://map.example/subscription/tok-en_1>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["In-Reply-To"] is None
    names = [name.lower() for name in message]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_senders_name_arrives_as_written(language: str) -> None:
    name = parse(letter(language).render(RECIPIENT))["From"].addresses[0].display_name
    assert name.startswith(load_town().name(language)) and "  " not in name


def test_an_update_refers_to_the_messages_before_it() -> None:
    later = Recipient(90, "hanako@example.jp", "t", earlier=[(3, 10), (4, 55)])
    message = parse(letter().render(later))
    assert message["In-Reply-To"] == "<4.55@city.example>"
    assert message["References"].split() == ["<3.10@city.example>", "<4.55@city.example>"]


def test_places_sites_and_links_are_in_both_bodies() -> None:
    message = parse(letter().render(RECIPIENT))
    plain, html = body(message, "plain"), body(message, "html")
    assert "自宅、職場" in plain and "自宅、職場" in html
    assert "・野蒜の丘 <高台>　約1.2 km" in plain
    assert "野蒜の丘 &lt;高台&gt;" in html and "<高台>" not in html
    assert "約90 m" in plain
    for content in (plain, html):
        assert "https://map.example/alerts/5?lang=ja" in content
        assert "https://map.example/subscription/tok-en_1" in content


def test_a_place_name_is_neither_a_template_nor_a_header_nor_markup() -> None:
    name = "{{ names }}\r\nBcc: all@example.jp\r\n\r\n<script>x</script>"
    message = parse(letter().render(Recipient(1, "a@example.jp", "t", [name], SITES)))
    assert message["Bcc"] is None
    assert "{{ names }} Bcc: all@example.jp <script>x</script>" in body(message, "plain")
    assert "<script>" not in body(message, "html")


@pytest.mark.parametrize(
    "address",
    [
        "a@b.jp\r\nBcc: c@d.jp",
        "a@b.jp\n",
        "a b@c.jp",
        "a@b.jp>, <c@d.jp",
        "nobody",
        "@b.jp",
        "a@",
        "あ@b.jp",
        'a"b@c.jp',
    ],
)
def test_an_address_that_could_write_headers_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="no mail address"):
        letter().render(Recipient(1, address, "t"))


def test_a_token_that_could_write_headers_is_refused() -> None:
    with pytest.raises(ValueError, match="token"):
        letter().render(Recipient(1, "a@b.jp", "x>\r\nBcc: c@d.jp"))


def test_a_headline_with_a_line_break_is_refused() -> None:
    with pytest.raises(ValueError, match="control"):
        encode_words("Subject", "警報\r\nBcc: all@example.jp")


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("a..b@docomo.ne.jp", '"a..b"@docomo.ne.jp'),
        (".c@ezweb.ne.jp", '".c"@ezweb.ne.jp'),
        ("d.@docomo.ne.jp", '"d."@docomo.ne.jp'),
        ("e.f+g@example.jp", "e.f+g@example.jp"),
    ],
)
def test_old_carrier_addresses_are_quoted(address: str, written: str) -> None:
    assert format_address(address) == written
    message = parse(letter().render(Recipient(1, address, "t")))
    (to,) = message["To"].addresses
    assert (to.username, to.domain) == tuple(address.split("@"))
    assert not message["To"].defects
