"""公開判断: what a moderator decides about an incident, by name and with reasons; it stands above later reports.

Every function works in one transaction under the moderator's role and account; who may is the database's to say
(`writer_role` of layers.incident). `version` is what the person saw: if the incident changed since, nothing is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import shapely
from sqlalchemy import Connection, Row, bindparam
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import LargeBinary

from gis.errors import Phrase, UsageError
from gis.queries import load_queries
from gis.town import Town
from ingest.desk_door import enter_desk, log_step
from ingest.matching import lock_merging, release_members
from ingest.privacy import LEAST_HOUSEHOLDS
from ingest.redaction import find_personal
from ingest.standing import what_is_said

_QUERIES = load_queries(__file__)

Publication = Literal["published", "held", "rejected"]
WIDER_AREAS = ("mesh_500", "mesh_1000", "quarter", "town")
_LONGEST_HEADLINE, _LONGEST_TEXT = 200, 4000


class StaleIncident(UsageError):
    """The incident was changed by someone else since the person looked at it."""


class NeedsOverride(UsageError):
    """It would show what must not be shown; only an explicit word of the person, kept on record, lets it through.

    Attributes
    ----------
    findings : what was found (see ingest.redaction), or `area`.
    """

    def __init__(self, why: Phrase, findings: Sequence[str]) -> None:
        super().__init__(
            why.template, "Change it, or tick the override and give a reason; both are recorded.", **why.blanks
        )
        self.findings = tuple(findings)

    def __str__(self) -> str:
        return f"{', '.join(self.findings)}: {super().__str__()}"


def decide(
    connection: Connection, fid: int, version: int, publication: Publication, reason: str, override: bool = False
) -> None:
    """Publish, hold or reject an incident. Role: dept_disaster (moderator).

    Raises
    ------
    StaleIncident : see above. NeedsOverride : a text about persons still holds something personal.
    UsageError : it was withdrawn, its time is over, it is part of another, or a rejection has no reason.
    """
    row = _take(connection, fid, version)
    overrode: Sequence[str] = ()
    if publication == "published":
        if row.state == "cancelled":
            raise UsageError("The source has withdrawn this incident.", "It can only be held or rejected.")
        if row.publication == "expired":
            raise UsageError("The time for which the public saw this incident is over.", "It stays closed.")
        overrode = _check_words(row, [row.headline, row.description, row.place_name, row.category], override, reason)
    if publication == "rejected" and not reason.strip():
        raise UsageError("A rejection needs a reason.", "Say why it is not used.")
    _write_down(connection, row, reason, publication, overrode)
    connection.execute(_QUERIES["publish"], {"fid": fid, "publication": publication})
    if publication == "rejected":
        release_members(connection, fid, "lead_rejected")


def edit_text(
    connection: Connection,
    fid: int,
    version: int,
    headline: str,
    description: str,
    reason: str = "",
    override: bool = False,
) -> None:
    """Write the public headline and text; what equals the reports' own words follows them further.

    Raises
    ------
    StaleIncident, NeedsOverride : as `decide`. UsageError : no headline, too long, or a text about a withdrawn one.
    """
    row = _take(connection, fid, version)
    headline, description = headline.strip(), description.strip()
    if not headline:
        raise UsageError("The headline is empty.", "Write what the public is to read first.")
    if len(headline) > _LONGEST_HEADLINE or len(description) > _LONGEST_TEXT:
        raise UsageError(
            "The text is too long.",
            "A headline has at most %(headline)s characters, a text %(text)s.",
            headline=_LONGEST_HEADLINE,
            text=_LONGEST_TEXT,
        )
    overrode = _check_words(row, [headline, description], override, reason)
    _write_down(connection, row, reason, "text", overrode)
    says = row.says if row.is_moderated else _says(row)
    own = {
        "headline": None if headline == (says.get("headline") or "") else headline,
        "description": None if description == (says.get("description") or "") else description,
    }
    connection.execute(_QUERIES["own_text"], {"fid": fid, **own})
    connection.execute(_QUERIES["write_text"], {"fid": fid, "headline": headline, "description": description})


def set_area(
    connection: Connection, fid: int, version: int, drawn: str, reason: str = "", override: bool = False
) -> None:
    """Set the area that the public sees. Role: dept_disaster (moderator).

    Of an incident about persons it must cover the area that its reports and `public_place` gave: a smaller or moved
    one, laid over what was shown before, would say more than each of them. An override reaches down to eight
    households, no further; the database refuses the same (`ingest.guard_area`).

    Parameters
    ----------
    drawn : GeoJSON geometry, degrees, JGD2011; "" = back to what the reports say.

    Raises
    ------
    StaleIncident, NeedsOverride : as `decide`, with the finding `area`.
    UsageError : no area, or one of persons with fewer than eight households.
    """
    row = _take(connection, fid, version)
    if not drawn:
        _write_down(connection, row, reason, "area")
        _write_area(connection, fid, None, bytes(row.said_place), row.said_accuracy_m)
        return
    floor = bytes(row.said_place)
    found = _read_drawn(connection, drawn, floor)
    overrode: Sequence[str] = ()
    if row.is_personal and not found.is_wide:
        _require_households(connection, bytes(found.area))
        why = Phrase("The area is finer than persons may be shown: it must cover the area that the reports gave.")
        overrode = _overridden(override, reason, why, ["area"])
    _write_down(connection, row, reason, "area", overrode)
    _write_area(connection, fid, bytes(found.area), bytes(found.area), found.radius_m)


def count_households(connection: Connection, drawn: str) -> int:
    """Return how many households have their address in an area (GeoJSON geometry, degrees, JGD2011).

    Raises
    ------
    UsageError : it is no area.
    """
    return _households(connection, bytes(_read_drawn(connection, drawn, None).area))


def wider_area(connection: Connection, fid: int, rule: str, town: Town) -> str:
    """Return a ready-made area as GeoJSON: `mesh_500`, `mesh_1000`, `quarter` or `town`, never less than is shown.

    Raises
    ------
    UsageError : there is none here, or no such rule.
    """
    row = connection.execute(_QUERIES["incident"], {"fid": fid}).first()
    if row is None or rule not in WIDER_AREAS:
        raise UsageError("There is no such area.", "Choose one of: %(names)s.", names=", ".join(WIDER_AREAS))
    area = connection.execute(
        _QUERIES["wider"].bindparams(bindparam("floor", type_=LargeBinary)),
        {"floor": bytes(row.said_place), "rule": rule, "code": town.code},
    ).scalar()
    if area is None:
        raise UsageError("The map has no such area here.", "Choose another one, or draw it.")
    return str(area)


def set_state(
    connection: Connection, fid: int, version: int, state: Literal["open", "resolved"], reason: str = ""
) -> None:
    """Say that an incident is over, or that it is not. Role: dept_disaster (moderator).

    Raises
    ------
    StaleIncident : as `decide`. UsageError : the source has withdrawn it.
    """
    row = _take(connection, fid, version)
    if row.state == "cancelled":
        raise UsageError("The source has withdrawn this incident.", "Only a report can bring it back.")
    _write_down(connection, row, reason, "resolved" if state == "resolved" else "reopened")
    connection.execute(_QUERIES["own_state"], {"fid": fid, "state": state})
    shown = "resolved" if state == "resolved" else "updated"
    connection.execute(_QUERIES["write_state"], {"fid": fid, "state": shown})


def _take(connection: Connection, fid: int, version: int) -> Row[Any]:
    enter_desk(connection)
    lock_merging(connection)
    row = connection.execute(_QUERIES["incident"], {"fid": fid}).first()
    if row is None:
        raise UsageError("There is no incident %(number)s.", "See: ./machimori ingest moderate list", number=fid)
    if row.version != version:
        raise StaleIncident(
            "%(account)s changed this incident at %(time)s, after you opened it.",
            "Nothing was done. Look at it as it is now, then decide again.",
            account=row.updated_by,
            time=f"{row.updated_at:%H:%M:%S}",
        )
    if row.publication == "merged":
        raise UsageError("The incident is part of another one.", "Split it first, or decide about the other one.")
    return row


def _write_down(connection: Connection, row: Row[Any], reason: str, act: str, overrode: Sequence[str] = ()) -> None:
    connection.execute(
        _QUERIES["begin_moderation"].bindparams(bindparam("says", type_=JSONB), bindparam("place", type_=LargeBinary)),
        {
            "fid": row.fid,
            "says": _says(row),
            "place": bytes(row.place),
            "radius_m": row.accuracy_m,
            "reason": reason.strip(),
        },
    )
    log_step(connection, row.fid, act, reason, overrode)


def _says(row: Row[Any]) -> dict[str, Any]:
    return what_is_said(dict(row._mapping), bytes(row.place))


def _write_area(connection: Connection, fid: int, own: bytes | None, shown: bytes, radius_m: float | None) -> None:
    connection.execute(
        _QUERIES["own_area"].bindparams(bindparam("area", type_=LargeBinary)),
        {"fid": fid, "area": own, "radius_m": radius_m if own else None},
    )
    connection.execute(
        _QUERIES["write_area"].bindparams(bindparam("place", type_=LargeBinary)),
        {"fid": fid, "place": shown, "radius_m": radius_m},
    )


def _check_words(row: Row[Any], texts: Sequence[str | None], override: bool, reason: str) -> Sequence[str]:
    """Refuse words in which the redaction finds something, about persons or from a source that speaks of them.

    What was overridden comes back. A fire is no person's incident, but whose house burns is.
    """
    if not row.may_name_persons:
        return ()
    findings = sorted({finding.what for words in texts if words for finding in find_personal(words)})
    if not findings:
        return ()
    return _overridden(override, reason, Phrase("The text may name a person."), findings)


def _read_drawn(connection: Connection, drawn: str, floor: bytes | None) -> Row[Any]:
    """Return `area` (EWKB), `radius_m` and whether it covers the floor (`is_wide`) of a GeoJSON geometry."""
    try:
        shape = shapely.from_geojson(drawn)
    except shapely.errors.GEOSException:
        shape = None
    found = (
        shape
        and connection.execute(
            _QUERIES["drawn"].bindparams(bindparam("floor", type_=LargeBinary)),
            {"drawn": shapely.to_geojson(shape), "floor": floor},
        ).first()
    )
    if not found:
        raise UsageError("This is no area.", "Draw a shape with a surface.")
    return found


def _require_households(connection: Connection, area: bytes) -> None:
    count = _households(connection, area)
    if count < LEAST_HOUSEHOLDS:
        raise UsageError(
            "The area holds %(count)s households; of persons it must be %(least)s or more.",
            "Draw a larger one, or choose a ready-made area.",
            count=count,
            least=LEAST_HOUSEHOLDS,
        )


def _households(connection: Connection, area: bytes) -> int:
    query = _QUERIES["households"].bindparams(bindparam("area", type_=LargeBinary))
    return int(connection.execute(query, {"area": area}).scalar_one())


def _overridden(override: bool, reason: str, why: Phrase, findings: Sequence[str]) -> Sequence[str]:
    if not override or not reason.strip():
        raise NeedsOverride(why, findings)
    return findings
