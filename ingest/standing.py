"""What a moderator decided stands above what later reports say; what was withdrawn leaves the public all the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import LargeBinary

from gis.queries import load_queries
from ingest.policy import Policy

_QUERIES = load_queries(__file__)


def stand_above(
    connection: Connection, fid: int, policy: Policy, values: Mapping[str, Any], place: bytes
) -> tuple[dict[str, Any], bytes]:
    """Return what is to be written of an incident whose reports now say `values` at `place`. Role: service.

    Text, area and state of a moderator stay; if the reports say something else than they did when the moderator
    decided, the incident is marked for another look. A withdrawn one that is not a warning leaves the public at once,
    and when it stands again a moderator who had decided about it decides anew.

    Parameters
    ----------
    values : columns of layers.incident. place : EWKB, EPSG:6668, as the public may see it.
    """
    row = connection.execute(_QUERIES["moderated"], {"fid": fid}).one()
    result = dict(values)
    is_local = policy.is_personal or policy.merge_m > 0
    if row.is_moderated:
        says = what_is_said(values, place)
        connection.execute(
            _QUERIES["note_says"].bindparams(bindparam("says", type_=JSONB), bindparam("place", type_=LargeBinary)),
            {"fid": fid, "says": says, "place": place, "radius_m": values["accuracy_m"]},
        )
        if says != row.said:
            result["needs_review"] = True
    if values["state"] == "cancelled":
        if is_local and row.publication == "published":
            result |= {"publication": "held", "needs_review": True}
        return result, place
    if row.state == "cancelled" and is_local and row.publication == "held":
        result |= {"needs_review": True} if row.is_moderated else {"publication": policy.publication}
    if not row.is_moderated:
        return result, place
    result["headline"] = row.headline if row.headline is not None else result["headline"]
    result["description"] = row.description if row.description is not None else result["description"]
    if row.wanted_state == "resolved" and result["state"] != "resolved":
        result |= {"state": "resolved", "resolved_at": result["reported_at"]}
    elif row.wanted_state == "open" and result["state"] == "resolved":
        result |= {"state": "updated", "resolved_at": None}
    if row.area is not None:
        result["accuracy_m"], place = row.area_radius_m, bytes(row.area)
    return result, place


def what_is_said(values: Mapping[str, Any], place: bytes) -> dict[str, Any]:
    """Return as JSON what of an incident a moderator decides about; equal when nothing of it changed."""
    occurred_at = values["occurred_at"]
    return {
        "headline": values["headline"],
        "description": values["description"],
        "category": values["category"],
        "place_name": values["place_name"],
        "level": values["level"],
        "occurred_at": occurred_at.timestamp() if occurred_at else None,
        # A second report is a second look only if it says something else.
        "state": "open" if values["state"] in ("open", "updated") else values["state"],
        "place": hashlib.sha256(place).hexdigest()[:16],
    }
