"""MIME parts in base64 whose beginning is encoded once and whose end belongs to one recipient (RFC 2045, 6.8)."""

from __future__ import annotations

from binascii import b2a_base64
from dataclasses import dataclass

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
    lines = [encoded[start : start + _LINE_CHARACTERS] for start in range(0, len(encoded), _LINE_CHARACTERS)]
    lines.append(b"")
    return b"\r\n".join(lines)
