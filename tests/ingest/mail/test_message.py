# ruff: noqa: E501 - a page is one line, as a mailer sends it
"""Bytes of a mail to words: charsets as they are really sent, broken headers, parts, and what is built to hurt."""

import base64
import quopri
from datetime import UTC, datetime

import pytest

from ingest.mail.charsets import decode
from ingest.mail.message import decode_words, read_mail
from ingest.mail.senders import check_sender
from ingest.reports import Unreadable

HEAD = b"From: news@police.example\r\nDate: Thu, 20 Nov 2025 18:30:00 +0900\r\n"


def _mail(rest: bytes) -> str:
    return read_mail(HEAD + rest).text.strip()


@pytest.mark.parametrize("charset", ["iso-2022-jp", "shift_jis", "windows-31j", "utf-8", "euc-jp", "x-sjis"])
@pytest.mark.parametrize("declared", [True, False])
def test_plain_japanese_comes_in_every_charset(charset, declared):
    codec = {"windows-31j": "cp932", "x-sjis": "cp932"}.get(charset, charset)
    text = "東松島市矢本で不審者の情報がありました。"
    assert decode(text.encode(codec), charset if declared else None) == text


def test_a_wrong_charset_is_found_out():
    assert decode("東松島市の不審者".encode("cp932"), "utf-8") == "東松島市の不審者"
    assert decode("東松島市の不審者".encode(), "us-ascii") == "東松島市の不審者"


def test_iso_2022_jp_with_characters_of_makers_and_half_width_kana():
    # ① is row 13 cell 1, ㈱ row 13 cell 74 of NEC: Python's own codec refuses both.
    assert decode(b"\x1b$B-!-j\x1b(B \x1b(I6E\x1b(B", "iso-2022-jp") == "①㈱ ｶﾅ"


def test_an_end_of_line_inside_two_bytes_loses_nothing_after_it():
    body = "東松".encode("iso2022_jp")[:-3] + b"\n\x1b(Bend"
    assert decode(body, "iso-2022-jp").endswith("\nend")


def test_one_broken_byte_is_no_reason_to_lose_a_notice():
    assert "不審者" in decode("東松島市の不審者の情報です。".encode() + b"\xff", "utf-8")


def test_rubbish_is_refused():
    with pytest.raises(Unreadable, match="charset"):
        decode(bytes([0xFF, 0xFE, 0x80, 0xFD]) * 20, "utf-8")


@pytest.mark.parametrize("charset", ["zip", "base64", "rot13", "no-such", "\0", "utf-16-nothing", "undefined", "idna"])
def test_a_charset_that_is_none_is_not_used(charset):
    assert decode("矢本".encode(), charset) == "矢本"


def test_a_subject_broken_inside_a_character_is_whole():
    raw = "【声かけ】東松島市".encode()
    first, second = raw[:7], raw[7:]
    header = " ".join(f"=?UTF-8?B?{base64.b64encode(part).decode()}?=" for part in (first, second))
    assert decode_words(header.replace(" ", "\r\n ")) == "【声かけ】東松島市"


def test_a_subject_in_iso_2022_jp_and_one_in_raw_bytes():
    word = base64.b64encode("不審者①".encode("cp932")).decode()
    assert decode_words(f"=?shift_jis?B?{word}?=") == "不審者①"
    mail = read_mail(HEAD + b"Subject: " + "不審者情報".encode("cp932") + b"\r\n\r\nx")
    assert mail.subject == "不審者情報"


def test_quoted_printable_is_read():
    body = quopri.encodestring("矢本地内で声かけ".encode())
    header = (
        b"Content-Type: text/plain; charset*=us-ascii''utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    assert _mail(header + body) == "矢本地内で声かけ"


def test_html_alone_is_read_as_a_reader_sees_it():
    page = "<html><head><title>x</title><style>p{}</style></head><body><p>矢本&amp;赤井</p><br>声かけ<script>evil()</script></body>"
    assert _mail(b"Content-Type: text/html; charset=utf-8\r\n\r\n" + page.encode()).split() == ["矢本&赤井", "声かけ"]


MIXED = """Content-Type: multipart/mixed; boundary=a

--a
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/html; charset=utf-8

<p>HTML</p>
--b
Content-Type: text/plain; charset=utf-8

本文
--b--
--a
Content-Type: text/plain; charset=utf-8
Content-Disposition: attachment; filename*=utf-8''%E5%90%8D%E7%B0%BF.txt

秘密の名簿
--a
Content-Type: application/pdf
Content-Transfer-Encoding: base64

JVBERi0=
--a--
"""


def test_of_alternatives_the_plain_one_is_read_and_attachments_are_left():
    assert _mail(MIXED.encode()) == "本文"


def test_an_empty_plain_part_gives_way_to_html():
    assert _mail(MIXED.replace("本文", "").encode()) == "HTML"


def test_a_forwarded_mail_is_read_with_its_subject():
    inner = "Subject: =?UTF-8?B?5aOw44GL44GR?=\nContent-Type: text/plain; charset=utf-8\n\n矢本です"
    body = f"Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: message/rfc822\n\n{inner}\n--a--\n"
    assert _mail(body.encode()) == "声かけ\n矢本です"


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Type: text/plain\r\n\r\n" + b"x" * 60_000,
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\n\r\nx\r\n" * 300 + b"--a--",
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(3000)),
        b"\r\n",
    ],
)
def test_what_is_built_to_hurt_is_refused_with_a_reason(rest):
    with pytest.raises(Unreadable):
        read_mail(HEAD + rest)


def test_a_clock_ahead_gives_way_to_the_time_of_arrival():
    received = b"Received: from a by mx.town.example; Thu, 20 Nov 2025 09:31:00 +0000\r\n"
    mail = read_mail(received + HEAD.replace(b"2025", b"2031") + b"Subject: a\r\n\r\nx")
    assert mail.sent_at == datetime(2025, 11, 20, 9, 31, tzinfo=UTC)


def test_no_date_at_all_is_refused():
    with pytest.raises(Unreadable, match="no date"):
        read_mail(b"Subject: a\r\nDate: someday\r\n\r\nx")


OURS = b"Authentication-Results: mx.town.example; dkim=pass (2048-bit key) header.d=police.example\r\n"


@pytest.mark.parametrize(
    ("headers", "allowed", "is_believed"),
    [
        (OURS, ["news@police.example"], True),
        (OURS, ["@police.example"], True),
        (OURS.replace(b"=pass", b"=fail"), ["@police.example"], False),
        (OURS.replace(b"police", b"evil"), ["@police.example"], False),
        (OURS.replace(b"mx.town", b"mx.evil"), ["@police.example"], False),
        (OURS.replace(b"=pass", b"=fail") + OURS, ["@police.example"], False),
        (b"Authentication-Results: mx.town.example; dmarc=pass header.from=police.example\r\n", ["@police.example"], True),
        (b"Authentication-Results: mx.town.example; spf=pass smtp.mailfrom=police.example\r\n", ["@police.example"], False),
        (OURS, ["@town.example"], False),
        (b"From: x@police.example\r\n" + OURS, ["@police.example"], False),
    ],
)  # fmt: skip
def test_a_sender_is_believed_only_with_its_word_and_ours(headers, allowed, is_believed):
    mail = read_mail(headers + HEAD + b"Subject: a\r\n\r\nx")
    if is_believed:
        check_sender(mail, allowed, "mx.town.example")
    else:
        with pytest.raises(Unreadable):
            check_sender(mail, allowed, "mx.town.example")


def test_a_display_name_is_no_sender():
    mail = read_mail(HEAD.replace(b"news@police.example", b'"news@police.example" <a@evil.example>') + b"\r\nx")
    with pytest.raises(Unreadable, match="list"):
        check_sender(mail, ["news@police.example"], "")
