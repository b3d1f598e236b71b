"""Mails as bytes: the common part is made once per language and alert; a recipient adds headers, places and links.

Building an `EmailMessage` per recipient costs ten times its sending, so the message is put together here.
Standards: RFC 5322 (format), 2047 (encoded words), 2045 and 2046 (MIME), 3282 (Content-Language),
3834 (Auto-Submitted), 8058 (one-click unsubscribe). Bodies are UTF-8 in base64: every relay and every old phone
passes it, no line grows too long, and the encoding costs a few microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import cache, lru_cache
from html import escape
from time import time
from typing import Any

from alerts.bodies import Part, begin_part
from alerts.catalogue import JST, fill, load_texts
from alerts.dkim import Signer, canonical, load_signer
from alerts.headers import encode_words, format_address
from alerts.place_naming import MAIL_LETTERS, distinct_names, join_names
from alerts.return_path import ReturnAddresses, find_addresses
from alerts.texts import AlertText
from gis.settings import Settings
from gis.town import Town

_BLANK = re.compile(r"\{\{ (\w+) \}\}")
_TOKEN = re.compile(r"[A-Za-z0-9_~.-]+")


@dataclass(frozen=True)
class Recipient:
    """One delivery: an address with its own links.

    Attributes
    ----------
    token : the subscription's secret, for its links.
    place_names : the recipient's places inside the area.
    nearest_sites : `[{name, distance_m, lon, lat}]`, nearest first.
    earlier : (alert id, delivery id) of the messages this person got before in the thread, oldest first.
    """

    delivery_id: int
    address: str
    token: str
    place_names: Sequence[str] = ()
    nearest_sites: Sequence[Mapping[str, Any]] = ()
    earlier: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True)
class Letter:
    """The common part of an alert's mails in one language; `render` makes the bytes for one recipient.

    Attributes
    ----------
    head : the common headers, each line ended by CRLF.
    plain_part, html_part : the common beginning of both bodies.
    head_names, head_form : of the common headers, for the signature.
    addresses : makes the address for unsubscribing by mail; None when nobody would read it.
    frame : the catalogue's words around a message.
    closing : who sends this.
    msg_type : CAP msgType; an answer says whether the person has had the message before.
    """

    alert_id: int
    domain: str
    base_url: str
    head: bytes
    plain_part: Part
    html_part: Part
    foot: bytes
    head_names: Sequence[str]
    head_form: str
    signer: Signer | None
    addresses: ReturnAddresses | None
    frame: Mapping[str, str]
    closing: str
    msg_type: str = "Alert"

    def message_id(self, alert_id: int, delivery_id: int) -> str:
        """Return the stable Message-ID of a delivery: a repeated sending carries the same one."""
        return f"<{alert_id}.{delivery_id}@{self.domain}>"

    def render(self, recipient: Recipient) -> bytes:
        """Return the whole message with CRLF line ends, ASCII only.

        Raises
        ------
        ValueError : the address or token cannot stand in a header.
        """
        if not _TOKEN.fullmatch(recipient.token):
            raise ValueError("the subscription's token has characters that cannot stand in a link")
        link = f"{self.base_url}/subscription/{recipient.token}"
        headers = [
            f"To: {format_address(recipient.address)}",
            f"Message-ID: {self.message_id(self.alert_id, recipient.delivery_id)}",
            f"List-Unsubscribe: <{link}>{self._unsubscribe_mail(recipient.delivery_id)}",
        ]
        if recipient.earlier:
            ids = [self.message_id(*pair) for pair in recipient.earlier]
            headers += [f"In-Reply-To: {ids[-1]}", "References: " + "\r\n ".join(ids)]
        places, heading, sites = self._own_lines(recipient)
        plain = self.plain_part.close(self._plain(places, heading, sites, link))
        body = b"".join((plain, self.html_part.close(self._html(places, heading, sites, link)), self.foot))
        own = "\r\n".join(headers).encode("ascii")
        return b"".join((self._sign(headers, body), self.head, own, b"\r\n\r\n", body))

    def _sign(self, headers: Sequence[str], body: bytes) -> bytes:
        if self.signer is None:
            return b""
        return self.signer.sign(self.head_names, self.head_form, headers, body, int(time())).encode("ascii")

    def bodies(self, recipient: Recipient) -> tuple[str, str]:
        """Return the plain and the HTML text that `render` encodes, for previews and comparisons."""
        link = f"{self.base_url}/subscription/{recipient.token}"
        own = self._own_lines(recipient)
        return self.plain_part.top + self._plain(*own, link), self.html_part.top + self._html(*own, link)

    def _unsubscribe_mail(self, delivery_id: int) -> str:
        if self.addresses is None:
            return ""
        return f",\r\n <mailto:{self.addresses.write(delivery_id, 'u')}?subject=unsubscribe>"

    def _own_lines(self, recipient: Recipient) -> tuple[str, str, list[str]]:
        """Return the lines of standing and places, the heading of the sites and a line per site; "" for none."""
        frame, names = self.frame, distinct_names(recipient.place_names)
        lines = [self._standing(recipient)] if self.msg_type != "Alert" else []
        if names:
            lines.append(_put(frame["places"], names=join_names(names, MAIL_LETTERS, frame)))
        places = "\n".join(lines)
        if not recipient.nearest_sites:
            return places, "", []
        heading = _put(frame["sites"], place=names[0] if names else frame["home"])
        sites = [
            _site_line(frame["site"], *self._distance(site["distance_m"]), site["name"])
            for site in recipient.nearest_sites
        ]
        return places, heading, sites

    def _standing(self, recipient: Recipient) -> str:
        """Say what this answer is for the person: the next message, the end of one, or the first one."""
        if not recipient.earlier:
            return self.frame["first_time"]
        return self.frame["withdraws" if self.msg_type == "Cancel" else "follows"]

    def _distance(self, distance_m: float) -> tuple[str, str]:
        """Return the words around a distance and its number as it is told."""
        if distance_m < 995:
            return self.frame["metres"], str(max(10, round(distance_m / 10) * 10))
        return self.frame["kilometres"], f"{distance_m / 1000:.1f}"

    def _plain(self, places: str, heading: str, sites: Sequence[str], link: str) -> str:
        lines = []
        if places:
            lines += [places, ""]
        if sites:
            lines += [heading, *sites, ""]
        return "\n".join([*lines, self.frame["unsubscribe"], link, "", self.closing, ""])

    def _html(self, places: str, heading: str, sites: Sequence[str], link: str) -> str:
        own = "<p>{}</p>\n".format(escape(places).replace("\n", "<br>\n")) if places else ""
        if sites:
            items = "".join([f"<li>{line.lstrip('・- ')}</li>\n" for line in escape("\n".join(sites)).split("\n")])
            own += f"<p>{escape(heading)}</p>\n<ul>\n{items}</ul>\n"
        unsubscribe = f'<p><a href="{escape(link)}">{_escape_label(self.frame["unsubscribe"])}</a></p>\n'
        return f"{own}{unsubscribe}<p>{_escape(self.closing)}</p>\n</body></html>\n"


def build_letter(
    alert_id: int, words: AlertText, sent_at: datetime, settings: Settings, town: Town, msg_type: str = "Alert"
) -> Letter:
    """Make the part that all recipients of one language share.

    Raises
    ------
    ValueError : the headline or the sender cannot stand in a header.
    """
    frame = load_texts("common", words.language)["frame"]
    town_name = town.name(words.language)
    page = f"{settings.base_url}/alerts/{alert_id}?lang={words.language}"
    boundary = f"=_machimori_{alert_id}"  # "=_" cannot occur in base64
    sender = encode_words("From", fill(frame["sender"], {"town": town_name}))
    domain = settings.mail_from.rpartition("@")[2]
    head = [
        f"From: {sender} <{format_address(settings.mail_from)}>",
        f"Subject: {encode_words('Subject', words.headline)}",
        f"Date: {format_datetime(sent_at.astimezone(JST))}",
        f"Content-Language: {words.language}",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{boundary}"',
        "Auto-Submitted: auto-generated",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "",
    ]
    blocks = [words.headline, words.description, words.instruction, f"{frame['map']}\n{page}", ""]
    return Letter(
        alert_id=alert_id,
        domain=domain,
        base_url=settings.base_url,
        head="\r\n".join(head).encode("ascii"),
        plain_part=begin_part(boundary, "text/plain", "\n\n".join(blocks).rstrip("\n") + "\n\n"),
        html_part=begin_part(boundary, "text/html", _html_top(words, page, _label(frame["map"]))),
        foot=f"--{boundary}--\r\n".encode("ascii"),
        head_names=[line.partition(":")[0].lower() for line in head[:-1]],
        head_form=canonical(head[:-1]),
        signer=load_signer(settings.dkim_key, domain, settings.dkim_selector) if settings.dkim_key else None,
        addresses=find_addresses(settings) if settings.bounce_mailbox else None,
        frame=frame,
        closing=fill(frame["closing"], {"town": town_name}),
        msg_type=msg_type,
    )


def _html_top(words: AlertText, page: str, map_label: str) -> str:
    headline = escape(words.headline)
    paragraphs = [escape(text).replace("\n", "<br>\n") for text in (words.description, words.instruction)]
    return (
        f'<!DOCTYPE html>\n<html lang="{words.language}"><head><meta charset="utf-8"><title>{headline}</title></head>\n'
        f'<body>\n<h1 style="font-size:1.25em">{headline}</h1>\n<p>{paragraphs[0]}</p>\n'
        f"<p><strong>{paragraphs[1]}</strong></p>\n"
        f'<p><a href="{escape(page)}">{escape(map_label)}</a></p>\n'
    )


def _put(template: str, **values: str) -> str:
    """Put a recipient's values into a frame text; they are never read as templates, so they cannot ask for anything."""
    return _format(template).format_map(values)


# Neighbours have the same sites at the same distances.
@lru_cache(4096)
def _site_line(template: str, unit: str, number: str, name: str) -> str:
    return _put(template, distance=_put(unit, n=number), name=_one_line(name))


@cache
def _format(template: str) -> str:
    """Return a frame text in the form of `str.format`."""
    pieces = _BLANK.split(template)
    literal = [piece.replace("{", "{{").replace("}", "}}") for piece in pieces[::2]]
    blanks = [f"{{{name}}}" for name in pieces[1::2]]
    return "".join(part for pair in zip(literal, [*blanks, ""], strict=True) for part in pair)


@cache
def _escape(text: str) -> str:
    return escape(text)


@cache
def _escape_label(text: str) -> str:
    return escape(_label(text))


def _label(text: str) -> str:
    return text.rstrip(":： ")


def _one_line(text: str) -> str:
    return " ".join(text.split())
