"""Several notices in one mail: each on its own, none lost, and the footer off."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from ingest.mail.words import load_words

_RULE = re.compile(r"^\s*[-=_*~─━―#+・.☆★◇◆]{4,}\s*$")
_FORWARD = re.compile(
    r"^\s*(?:>\s?)+|^\s*-+\s*(?:Forwarded message|Original Message|転送|元のメッセージ).*$", re.IGNORECASE
)
_HEADER = re.compile(
    r"^\s*(?:From|To|Cc|Date|Sent|Subject|差出人|宛先|件名|日時|送信日時)\s?:\s?(?=\S*@|(?:Re|Fw|Fwd):|\w{3}, )",
    re.IGNORECASE,
)
# ①, 【1】, (1), 1., 第1 at the beginning of a line; NFKC has made ① to 1 and 【１】 to 【1】.
_NUMBERED = re.compile(
    r"^\s*(?:[【\[(〔<]\s?(?:その|事案)?\d{1,2}\s?[】\])〕>]|\d{1,2}\s?[.)、:](?!\d)|\d{1,2}\s(?=\S)|\d{1,2}(?=[^\d\s年月日時分歳人件名台:/.\-~〜の丁番号頭キm.]))"
)
_BULLET = re.compile(r"^\s*[■●◆◇□◎○☆★※・▼▽▲△◯]")


def split_notices(text: str, is_notice: Callable[[str], bool]) -> list[str]:
    """Split the words of a mail (NFKC) into its notices.

    A way of splitting counts when at least two of its parts are each a notice by themselves, so that a mail of one
    event with numbered or marked lines stays whole. What is split off and is none belongs to the part before it; a
    numbered one stands alone, so that somebody sees it.

    Parameters
    ----------
    is_notice : whether a text says by itself what happened, and when or where.
    """
    lines = without_footer(text).split("\n")
    for begins, stands_alone in (
        (_numbered, True),
        (_ruled, False),
        (_bulleted, False),
        (_labelled, False),
        (_paragraph, False),
    ):
        head, *parts = _split(lines, begins)
        if sum(map(is_notice, parts)) + is_notice(head) < 2:
            continue
        found = [head] if head and is_notice(head) else []
        for part in parts:
            if stands_alone or is_notice(part) or not found:
                found.append(part)
            else:
                found[-1] += f"\n{part}"
        # A number that stays could be read as one of a date.
        bare = [_NUMBERED.sub("", part) if stands_alone else part for part in found]
        return [part.strip() for part in bare if part.strip()]
    whole = "\n".join(lines).strip()
    return [whole] if whole else []


def without_footer(text: str) -> str:
    """Cut off what tells of the list and not of the event; take the marks of forwarding off the lines."""
    footer, kept = load_words().parts["footer"], list[str]()
    for line in text.split("\n"):
        said = _FORWARD.sub("", line)
        if _HEADER.match(said):
            continue
        if footer.search(said) and any(part.strip() for part in kept):
            break
        kept.append(said)
    return "\n".join(kept)


def without_advice(notice: str) -> str:
    """Leave out what the readers are told to do: its words name no event."""
    parts, kept = load_words().parts, list[str]()
    for line in notice.split("\n"):
        if parts["advice"].search(line):
            # 【注意喚起】 at the very beginning is a title.
            if any(said.strip() for said in kept):
                break
            continue
        said = [
            sentence for sentence in re.split(r"(?<=。)", line) if not parts["advice_sentence"].search(sentence.strip())
        ]
        kept.append("".join(said))
    return "\n".join(kept)


def _split(lines: list[str], begins: Callable[[list[str], int], bool]) -> list[str]:
    starts = [number for number in range(len(lines)) if begins(lines, number)]
    edges = [0, *starts, len(lines)]
    return ["\n".join(lines[first:last]) for first, last in pairwise(edges)]


def _numbered(lines: list[str], number: int) -> bool:
    return bool(_NUMBERED.match(lines[number]))


def _ruled(lines: list[str], number: int) -> bool:
    return bool(_RULE.match(lines[number]))


def _bulleted(lines: list[str], number: int) -> bool:
    return bool(_BULLET.match(lines[number]))


def _labelled(lines: list[str], number: int) -> bool:
    """Whether the line has the label that a mail without marks begins each notice with: that of the time."""
    pattern = load_words().parts["time_label"].pattern
    return bool(re.match(rf"^\s*[■●◆◇□◎○☆★※・【\[(<]*\s?(?:{pattern})\s?[】\])>]?\s?[::]", lines[number]))


def _paragraph(lines: list[str], number: int) -> bool:
    return number > 0 and not lines[number - 1].strip() and bool(lines[number].strip())
