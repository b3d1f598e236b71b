"""Japanese bytes to words, as mail programs really write them."""

from __future__ import annotations

import codecs
import re

from ingest.reports import Unreadable

# Names in mail and what decodes them here; cp932 knows all that Shift_JIS knows, and ① and ㈱ besides.
_CODECS = {
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "euc-jp": "euc_jp",
    "x-euc-jp": "euc_jp",
    "utf8": "utf-8",
}
_ESCAPE = re.compile(rb"(\x1b\$[@B]|\x1b\$\([@BD]|\x1b\([BJIH]|[\x0e\x0f])")
_TWO_BYTES = frozenset({b"\x1b$@", b"\x1b$B", b"\x1b$(@", b"\x1b$(B"})
_JIS_X_0212 = b"\x1b$(D"
_HALF_KANA = frozenset({b"\x1b(I", b"\x0e"})
_GUESSES = ("utf-8", "cp932", "euc_jp")
# What a codec makes of bytes that it has no character for; cp932 takes 80 and FD to FF for private ones.
_BROKEN = re.compile("[\ufffd\x80-\x9f\uf8f0-\uf8f3]")
# One broken byte is no reason to lose a notice; a tenth of the text is.
_MOST_BROKEN = 0.1


def decode(body: bytes, charset: str | None) -> str:
    """Decode bytes by their declared charset, or by what they look like when that is missing or wrong.

    Raises
    ------
    Unreadable : too much of it is in no charset that we know.
    """
    if b"\x1b$" in body or b"\x1b(" in body:
        return _checked(decode_iso2022jp(body))
    name = (charset or "").strip("\"' ").lower()
    declared = _known(_CODECS.get(name, name))
    candidates = ([declared] if declared and declared != "ascii" else []) + [*_GUESSES]
    for candidate in candidates:
        try:
            return _checked(body.decode(candidate))
        except UnicodeDecodeError:
            continue
    return _checked(body.decode(candidates[0], errors="replace"))


def decode_iso2022jp(body: bytes) -> str:
    """Decode ISO-2022-JP (RFC 1468) with what is sent under its name: NEC and IBM characters, half-width kana.

    That is what Microsoft calls code pages 50220 to 50222; Python's codecs refuse ① and ㈱ in it.
    """
    words, state = [], b"\x1b(B"
    for part in _ESCAPE.split(body):
        if _ESCAPE.fullmatch(part):
            state = part
        elif state in _TWO_BYTES:
            words.append(_two_bytes(part))
        elif state == _JIS_X_0212:
            words.append((b"\x1b$(D" + part + b"\x1b(B").decode("iso2022_jp_ext", errors="replace"))
        elif state in _HALF_KANA:
            words.append(
                bytes(byte | 0x80 if 0x21 <= byte <= 0x5F else byte for byte in part).decode("cp932", "replace")
            )
        else:
            words.append(part.decode("cp932", errors="replace"))
    return "".join(words)


def _two_bytes(part: bytes) -> str:
    """Turn rows and cells of JIS X 0208 into Shift_JIS; an end of line inside goes back to ASCII by RFC 1468."""
    found, index = bytearray(), 0
    while index < len(part):
        high = part[index]
        if not 0x21 <= high <= 0x7E or index + 1 == len(part):
            found.append(high)
            index += 1
            continue
        low = part[index + 1]
        lead = (high - 0x21) // 2 + (0x81 if high < 0x5F else 0xC1)
        trail = low + (0x1F if low < 0x60 else 0x20) if high % 2 else low + 0x7E
        found += bytes((lead, trail & 0xFF))
        index += 2
    return found.decode("cp932", errors="replace")


def _known(name: str) -> str | None:
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    # rot13, base64 and zip are codecs of Python, too: zip would unpack a bomb.
    return info.name if info._is_text_encoding and info.name not in ("idna", "punycode", "undefined") else None


def _checked(text: str) -> str:
    if len(_BROKEN.findall(text)) > len(text) * _MOST_BROKEN:
        raise Unreadable("the text is in no charset that is known here")
    return text
