"""Where it happened, in the words of the mail; what the words mean is the gazetteer's (ingest/placing.py)."""

from __future__ import annotations

import re

from ingest.mail.words import load_words

_SIGNS = re.compile(
    r"[都道府県市区町村郡]|地内|付近|路上|丁目|字|公園|駅|店|学校|校区|方面|住宅|号線|道|橋|港|海岸|団地|管内|河川|神社|駐車場"
)
# After the time: "…、東松島市矢本字大町地内の路上で、女児が". まで and 出て are no end.
_SENTENCE = re.compile(
    r"^\s?(?:ころ|頃|ごろ)?(?:まで)?(?:の間)?(?:に)?[、,\s]*(?P<place>[^。\n]{2,80}?)"
    r"(?:において|における|にて|(?<!ま)(?<=[^\s、])で(?!き|す|し)|(?<=[内近上先園場駅宅店校])(?:に|を)|(?<=[内近上先園場])、)"
)
_FREE = re.compile(r"([^、\s(【]{2,40}?(?:市|町|村)[^、]{1,40}?(?:地内|付近|路上|丁目))")
_SUBJECT = re.compile(
    r"[(【\[〔<《]([^)】\]〕>》\n]{2,40}(?:市|町|村|区|地内|付近|方面|地区)[^)】\]〕>》\n]{0,20})[)】\]〕>》]"
)
_LEAD = re.compile(
    r"^(?:下校(?:中|途中)|登校(?:中|途中)|帰宅(?:中|途中)|(?:小|中|高)学?生[がは]|同|県内|管内)[のに、]?"
)


def find_place(notice: str, time_end: int, subject: str) -> str:
    """Return the words that say where; "" when none do.

    Parameters
    ----------
    notice : in NFKC form. time_end : where the time ends in it, in characters; -1 when it names none.
    """
    labelled = find_label(notice, "place_label")
    if labelled:
        return labelled
    if time_end >= 0:
        match = _SENTENCE.search(notice[time_end : time_end + 200])
        if match and _SIGNS.search(match["place"]):
            return _LEAD.sub("", match["place"].strip(" 、,"))
    for sentence in re.split(r"[。\n]", notice):
        # No sentence of a police is longer; without an end the search would take half a minute on a hostile one.
        match = _FREE.search(sentence[:200])
        if match:
            return match[1]
    inside = _SUBJECT.search(subject)
    return inside[1].strip() if inside else ""


def find_label(notice: str, label: str) -> str:
    """Return what stands after a label such as 発生場所, on its line or the next if that is empty; "" if none."""
    pattern = load_words().parts[label].pattern
    match = re.search(
        rf"(?:^|。)[ \t■●◆◇□◎○☆★※・<〈《(【\[\d.)]*\s?(?:{pattern})\s?(?:[)】\]〕>》〉]\s?:?|:|\s(?=\S))"
        r"[ \t]*(?:\n[ \t]*)?(?P<said>[^\n]+)",
        notice,
        re.MULTILINE,
    )
    return match["said"].strip(" 。:") if match else ""


def from_town_on(place: str, town_name: str) -> str:
    """Return the words from the town's name on where another municipality stands before it (石巻市から東松島市まで)."""
    start = place.find(town_name)
    return place[start:] if start > 0 else place
