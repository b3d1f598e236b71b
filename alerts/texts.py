"""The words of one alert in every language, from the catalogues under `data/messages`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerts.catalogue import fill, find_text, load_texts, write_moment, write_office
from alerts.phrases import BLANKS
from gis.town import Town


@dataclass(frozen=True)
class AlertText:
    """What an alert says in one language; a drill is marked in every part that is shown alone.

    `short` stands in a push message in place of headline and instruction; "" when these are short enough.
    """

    language: str
    event: str
    headline: str
    description: str
    instruction: str
    short: str = ""


@dataclass(frozen=True)
class Occasion:
    """What a message is about.

    Attributes
    ----------
    kind : incident kind, e.g. `tsunami`.
    code : event code, e.g. `tsunami.major_warning`; in a withdrawal that of the message withdrawn.
    phase : `issued`, `updated`, `cleared` 解除 or `withdrawn` 取消.
    status : CAP status: `Actual`, `Exercise` or `Test`.
    office : who reported, e.g. 気象庁.
    """

    kind: str
    code: str
    phase: str
    status: str
    reported_at: datetime
    office: str
    facts: Mapping[str, Any]


def write_text(occasion: Occasion, language: str, town: Town) -> AlertText:
    """Write the words of an occasion in one language.

    Raises
    ------
    FileNotFoundError : there are no texts for this kind.
    jinja2.UndefinedError : a text has a blank that nothing fills.
    """
    texts = load_texts(occasion.kind, language)
    common = load_texts("common", language)
    blanks: dict[str, object] = {
        "code": occasion.code,
        "town": town.name(language),
        "office": write_office(occasion.office, language),
        "moment": write_moment(occasion.reported_at, language),
        **BLANKS[occasion.kind](texts, occasion.facts, town, language),
    }
    blanks["told_event"] = fill(find_text(texts["event"], occasion.code), blanks)
    closing_phase = occasion.phase in ("cleared", "withdrawn")
    topic = occasion.phase if closing_phase else occasion.code
    blanks["event"] = fill(find_text(texts["event"], topic), blanks)
    mark = common["mark"][occasion.status]
    notice = common["notice"][occasion.status]
    description = fill(texts[occasion.phase]["description"], blanks)
    instruction = fill(find_text(texts["instruction"], topic), blanks)
    return AlertText(
        language=language,
        event=f"{mark}{blanks['event']}",
        headline=f"{mark}{fill(texts[occasion.phase]['headline'], blanks)}",
        description=f"{notice}\n{description}" if notice else description,
        instruction=f"{mark}{instruction}",
    )
