"""Whom a message would reach if it were approved now, by language and channel: shown before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from alerts import matching
from alerts.channels.outgoing import channels, outlets
from gis.languages import LANGUAGES
from gis.queries import load_queries
from gis.town import Town

_QUERIES = load_queries(__file__)
_RECIPIENTS = load_queries(matching.__file__).sql("recipients")


@dataclass(frozen=True)
class HeadCount:
    """What a message would reach.

    Attributes
    ----------
    people : language → people. places : places of theirs inside the area.
    channels : channel → language → addresses; the language of a channel that carries all of them is "".
    """

    people: dict[str, int]
    places: int
    channels: dict[str, dict[str, int]]

    @property
    def addresses(self) -> int:
        """Addresses of all channels together."""
        return sum(sum(counts.values()) for counts in self.channels.values())


def count_heads(connection: Connection, alert_id: int, town: Town) -> HeadCount:
    """Count by the same rules as the sending. Role: `dept_disaster`.

    A drill reaches the drill list, and those other systems that take drills.
    """
    found = matching.count_recipients(connection, alert_id, town)
    people = {language: found[language] for language in LANGUAGES if language in found}
    values = {"alert_id": alert_id, "plane_epsg": town.plane_epsg}
    places = int(connection.execute(_QUERIES["places"], values).scalar_one())
    counts = {"mail": people}
    for channel in channels():
        counts[channel.name] = channel.count(connection, _RECIPIENTS, values | {"only_late": False})
    counts |= {outlet.name: {"": outlet.count(connection, alert_id)} for outlet in outlets()}
    return HeadCount(people, places, counts)
