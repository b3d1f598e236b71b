"""Turns what a file says into an attribute's value, or says why it cannot."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from layers.definition import Attribute
from layers.unfit import UnfitError

_TOKYO = ZoneInfo("Asia/Tokyo")
_TRUE = frozenset(("1", "true", "t", "yes", "y", "○", "◯", "〇", "◎", "●", "はい", "有", "あり", "可"))
_FALSE = frozenset(("", "0", "false", "f", "no", "n", "×", "✕", "-", "ー", "－", "いいえ", "無", "なし", "不可"))
_DAY_FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y%m%d")


def convert_value(attribute: Attribute, written: Any, placeholders: Collection[float] = ()) -> Any:
    """Return the value to store, None for NULL.

    Parameters
    ----------
    written : text, number or None, as the file has it.
    placeholders : numbers that mean unknown in such files, e.g. 999.99.

    Raises
    ------
    UnfitError : the value is not of the attribute's kind; the text says why, for people.
    """
    text = _as_text(written)
    if "\ufffd" in text:
        raise UnfitError("has letters that its encoding does not know")
    if attribute.type == "boolean":
        return _as_boolean(text)
    if text == "" or _is_placeholder(attribute, text, placeholders):
        if attribute.default is not None:
            return attribute.default
        if attribute.required:
            raise UnfitError("is missing")
        return None
    if attribute.type in ("integer", "real"):
        return _as_number(attribute, text)
    if attribute.type == "date":
        return _as_day(text)
    if attribute.type == "timestamp":
        return _as_moment(text)
    return _as_code(attribute, text)


def _as_text(written: Any) -> str:
    if written is None:
        return ""
    if isinstance(written, float) and written.is_integer():
        return str(int(written))  # spreadsheets and Shapefiles write 4214.0 for a code
    return str(written).strip().replace("\x00", "")


def _as_boolean(text: str) -> bool:
    plain = unicodedata.normalize("NFKC", text).lower()
    if plain in _TRUE or text in _TRUE:
        return True
    if plain in _FALSE or text in _FALSE:
        return False
    raise UnfitError("is neither ○ (1) nor blank (0)")


def _is_placeholder(attribute: Attribute, text: str, placeholders: Collection[float]) -> bool:
    return (
        bool(placeholders) and attribute.type in ("integer", "real") and _parse_number(attribute, text) in placeholders
    )


def _parse_number(attribute: Attribute, text: str) -> float:
    try:
        return float(unicodedata.normalize("NFKC", text).replace(",", ""))
    except ValueError:
        raise UnfitError("is no number") from None


def _as_number(attribute: Attribute, text: str) -> int | float:
    number = _parse_number(attribute, text)
    if not abs(number) < float("inf"):
        raise UnfitError("is no finite number")
    if attribute.type == "integer" and not number.is_integer():
        raise UnfitError("is no whole number")
    if attribute.minimum is not None and number < attribute.minimum:
        raise UnfitError("is less than %(limit)s", limit=f"{attribute.minimum:g}")
    if attribute.maximum is not None and number > attribute.maximum:
        raise UnfitError("is more than %(limit)s", limit=f"{attribute.maximum:g}")
    return int(number) if attribute.type == "integer" else number


def _as_day(text: str) -> date:
    plain = unicodedata.normalize("NFKC", text).partition("T")[0].partition(" ")[0]
    for form in _DAY_FORMATS:
        try:
            return datetime.strptime(plain, form).date()  # noqa: DTZ007 (a day has no zone)
        except ValueError:
            continue
    raise UnfitError("is no date (write 2026-03-11)")


def _as_moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        raise UnfitError("is no time (write 2026-03-11T14:46:00+09:00)") from None
    # A file of a Japanese office without an offset means Japanese time.
    return moment if moment.tzinfo else moment.replace(tzinfo=_TOKYO)


def _as_code(attribute: Attribute, text: str) -> str:
    if attribute.codes:
        value = attribute.codes.find(text)
        if value is None:
            names = "、".join(f"{code.value} ({code.name('ja')})" for code in attribute.codes.codes)
            raise UnfitError("is none of %(names)s", names=names)
        return value
    if attribute.pattern and not re.search(attribute.pattern, text):
        if text.isdigit() and re.search(attribute.pattern, "0" + text):
            raise UnfitError("has lost its leading zero")
        raise UnfitError("does not have the form %(pattern)s", pattern=attribute.pattern)
    return text
