"""Values of mail headers: encoded words and addresses. Nothing with a line break passes."""

from __future__ import annotations

import re
from email.header import Header

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_DOT_ATOM = re.compile(rf"{_ATOM}(\.{_ATOM})*")
# Atoms and dots in any order: what old carriers gave out. Quotes, brackets, blanks and controls are no part of it.
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


def encode_words(header_name: str, text: str) -> str:
    """Return `text` as RFC 2047 encoded words, folded with CRLF; plain when it is ASCII.

    Raises
    ------
    ValueError : the text has a line break or another control character.
    """
    if _CONTROL.search(text):
        raise ValueError(f"{header_name} has a control character: {text!r}")
    charset = "us-ascii" if text.isascii() else "utf-8"
    return Header(text, charset, maxlinelen=75, header_name=header_name).encode(linesep="\r\n")


def format_address(address: str) -> str:
    """Return an address as RFC 5321 and 5322 write it, quoting a local part that is no dot-atom.

    Old carrier addresses such as `a..b@docomo.ne.jp` break the standard and are in use; quoted they keep it.

    Raises
    ------
    ValueError : this is no mail address, or not one in ASCII.

    Examples
    --------
    >>> format_address("a..b@docomo.ne.jp")
    '"a..b"@docomo.ne.jp'
    """
    local, _, domain = address.rpartition("@")
    if not _LOCAL_PART.fullmatch(local) or not _DOT_ATOM.fullmatch(domain):
        raise ValueError(f"{address!r} is no mail address")
    return address if _DOT_ATOM.fullmatch(local) else f'"{local}"@{domain}'
