"""MIME parts in base64 whose beginning is encoded once and whose end belongs to one recipient (RFC 2045, 6.8)."""

from __future__ import annotations

from binascii import b2a_base64
from dataclasses import dataclass
from struct import unpack_from

_LINE_BYTES = 57  # make 76 characters, the longest line that RFC 2045 allows
_LINE_CHARACTERS = 76


@dataclass(frozen=True)
class Part:
    """The beginning of a part.

    Attributes
    ----------
    top : the common text, for people.
    encoded : the part's headers and the whole base64 lines of `top`.
    rest : the bytes of `top` that fill no line; the recipient's text goes on behind them.
    """

    top: str
    encoded: bytes
    rest: bytes

    def close(self, own: str) -> bytes:
        """Return the whole part, ended with a recipient's own text."""
        return self.encoded + _encode(self.rest + _to_bytes(own))


def begin_part(boundary: str, content_type: str, top: str) -> Part:
    """Encode the common beginning of a text part."""
    head = f"--{boundary}\r\nContent-Type: {content_type}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    content = _to_bytes(top)
    whole = len(content) // _LINE_BYTES * _LINE_BYTES
    return Part(top, head.encode("ascii") + _encode(content[:whole]), content[whole:])


def _to_bytes(text: str) -> bytes:
    # Text in a MIME body has CRLF line ends before it is encoded.
    return text.replace("\n", "\r\n").encode("utf-8")


def _encode(content: bytes) -> bytes:
    encoded = b2a_base64(content, newline=False)
    # All whole lines in one call: to slice each takes half as long again, and this is done for every mail.
    lines = unpack_from(f"{_LINE_CHARACTERS}s" * (len(encoded) // _LINE_CHARACTERS), encoded)
    rest = encoded[len(lines) * _LINE_CHARACTERS :]
    return b"\r\n".join((*lines, rest, b"") if rest else (*lines, b""))
