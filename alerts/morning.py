"""The end of quiet hours: what waited is looked through and goes out as one mail, and one push, per person.

Each message keeps its own delivery. One of them, the gravest, makes the mail (or the push) and carries the others
(`merged_into`): the database lets them follow whatever becomes of it (trigger `carry_merged`). A mail that could not go
out is taken apart and put together anew before its next attempt.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from alerts.catalogue import fill, load_texts
from alerts.texts import AlertText
from gis.queries import load_queries

_QUERIES = load_queries(__file__)


def wake_held(connection: Connection) -> int:
    """Put together what waited for a morning that has come; return how many mails and pushes that makes.

    What was cancelled, is over, was overtaken by a newer message of its thread, or belongs to somebody who has
    unsubscribed does not go out, and says why (`alerts.delivery.reason`). Role: `machimori_service`.
    """
    if connection.execute(_QUERIES["find_due"]).first() is None:
        return 0
    # One at a time: two that shared a person's messages between them would make two mails.
    connection.execute(_QUERIES["lock_morning"])
    connection.execute(_QUERIES["drop_held"])
    return int(connection.execute(_QUERIES["merge_held"]).scalar_one())


def merge_texts(texts: Sequence[tuple[int, AlertText]], base_url: str) -> AlertText:
    """Return the words of one mail for several messages (alert id, words), the gravest first; each names its page."""
    first = texts[0][1]
    words = load_texts("common", first.language)["merged"]
    blanks = {"headline": first.headline, "n": str(len(texts)), "others": str(len(texts) - 1)}
    parts = [
        f"■ {text.headline}\n{text.description}\n{text.instruction}\n{base_url}/alerts/{alert_id}?lang={text.language}"
        for alert_id, text in texts
    ]
    return AlertText(
        language=first.language,
        event=first.event,
        headline=fill(words["headline"], blanks),
        description="\n\n".join([fill(words["description"], blanks), *parts]),
        instruction=fill(words["instruction"], blanks),
    )
