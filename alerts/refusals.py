"""What a refusal means: the address is gone, its mailbox is full, we are not welcome, or only "come back later".

Codes: RFC 5321 section 4.2; enhanced codes: RFC 3463 and its IANA registry. Old carriers send words only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["hard", "soft", "policy", "greylisted", "later", "refused", "gone"]

_CODE = re.compile(r"\b([245]\d\d)\b")
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_GONE = ("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1")
_GONE_WORDS = re.compile(
    r"no such (user|mailbox|recipient|address)|(user|recipient|mailbox|address|account)\W+(is )?"
    r"(unknown|not found|invalid|does ?n.t exist|does not exist|disabled)"
    r"|(unknown|invalid) (user|recipient|mailbox|address|local)|no mailbox"
    r"|host unknown|domain not found|宛先.*(不明|存在しません|見つかりません)|(存在しない|無効な).*(アドレス|宛先)",
    re.IGNORECASE,
)
_FULL_WORDS = re.compile(r"(mailbox|quota|inbox|storage)\W.*(full|exceed)|over ?quota|容量", re.IGNORECASE)
_GREY_WORDS = re.compile(r"gr[ae]y-?\s?list", re.IGNORECASE)
_WAIT_S = re.compile(r"(?:in|for|after) (\d{1,4}) ?(s|sec|seconds?|m|min|minutes?)\b", re.IGNORECASE)
_GREYLIST_S = 300.0
_FULL_S = 900.0


@dataclass(frozen=True)
class Refusal:
    """A refusal, understood.

    Attributes
    ----------
    kind : `hard` (no such mailbox), `soft` (full: try again), `policy` (for good, but no fault of the address),
        `greylisted` (first contact: come back after a while), `later`; of other ways than mail: `refused` (for good),
        or `gone` (the person has no device left: nobody refused anything).
    status : RFC 3463, "" when the other side gave none.
    retry_in_s : when to try again, if the words or the kind say it; else None.
    """

    kind: Kind
    status: str
    retry_in_s: float | None = None

    @property
    def is_final(self) -> bool:
        """Whether trying this message again is useless."""
        return self.kind in ("hard", "policy", "refused", "gone")


def read_refusal(words: str) -> Refusal:
    """Understand a server's reply or the diagnostic text of a report.

    Examples
    --------
    >>> read_refusal("550 5.1.1 no such user").kind
    'hard'
    >>> read_refusal("451 4.7.1 Greylisted, please try again in 300 seconds").kind
    'greylisted'
    """
    status = _first(_STATUS, words)
    code = _first(_CODE, words)
    is_permanent = (status or code).startswith("5")
    tail = status[2:]
    if (
        tail == "2.2"
        or (code in ("452", "552") and tail[:2] in ("", "2."))
        or (not status and _FULL_WORDS.search(words))
    ):
        return Refusal("soft", status, _FULL_S)
    if is_permanent:
        gone = status in _GONE or ((not status or status == "5.0.0") and bool(_GONE_WORDS.search(words)))
        return Refusal("hard" if gone else "policy", status)
    if code in ("450", "451", "") and (_GREY_WORDS.search(words) or status == "4.7.1"):
        return Refusal("greylisted", status, _wait_s(words))
    return Refusal("later", status)


def _wait_s(words: str) -> float:
    found = _WAIT_S.search(words)
    if not found:
        return _GREYLIST_S
    seconds = int(found[1]) * (60 if found[2].lower().startswith("m") else 1)
    return float(min(900, max(60, seconds + 5)))


def _first(pattern: re.Pattern[str], words: str) -> str:
    found = pattern.search(words)
    return found[1] if found else ""
