"""The editor's JSON: a browser's batch as changes, and what became of them as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import shapely
from shapely.geometry import mapping

from gis.errors import UsageError
from layers.changes import KEEP, Change, Conflict, Delete, Insert, Outcome, Update, Values
from layers.viewing import SeenFeature, View

MOST_CHANGES = 5_000
MOST_REASON_LETTERS = 500


class BrokenBatchError(UsageError):
    """A batch that our own page would never send."""

    def __init__(self, what: str) -> None:
        super().__init__("The batch cannot be read: %(what)s.", "Reload the page and save again.", what=what)


def read_batch(body: Any) -> tuple[str, list[Change]]:
    """Return (reason, changes) of a request's JSON.

    Raises
    ------
    BrokenBatchError : it has another form, no reason, or too many changes.
    """
    if not isinstance(body, dict) or not isinstance(body.get("changes"), list):
        raise BrokenBatchError("it must be an object with reason and changes")
    reason = body.get("reason")
    if not isinstance(reason, str) or not reason.strip() or len(reason) > MOST_REASON_LETTERS:
        raise BrokenBatchError(f"the reason must be a text of 1 to {MOST_REASON_LETTERS} letters")
    if not 0 < len(body["changes"]) <= MOST_CHANGES:
        raise BrokenBatchError(f"it must have 1 to {MOST_CHANGES} changes")
    changes = [_read_change(entry, position) for position, entry in enumerate(body["changes"])]
    return reason.replace("\x00", "").strip(), changes


def _read_change(entry: Any, position: int) -> Change:
    if not isinstance(entry, dict):
        raise BrokenBatchError(f"change {position} is no object")
    attributes = entry.get("attributes", {})
    if not isinstance(attributes, dict):
        raise BrokenBatchError(f"the attributes of change {position} are no object")
    geometry = entry.get("geometry", KEEP)
    if geometry is not KEEP and geometry is not None and not isinstance(geometry, dict):
        raise BrokenBatchError(f"the geometry of change {position} is no GeoJSON")
    operation = entry.get("operation")
    if operation == "insert":
        return Insert(attributes, None if geometry is KEEP else geometry)
    fid, version = _whole(entry, "fid", position), _whole(entry, "base_version", position)
    if operation == "delete":
        return Delete(fid, version)
    if operation == "update":
        personal = entry.get("base_personal_version")
        if personal is not None:
            personal = _whole(entry, "base_personal_version", position)
        return Update(fid, version, attributes, geometry, personal)
    raise BrokenBatchError(f"change {position} is neither insert, update nor delete")


def _whole(entry: Mapping[str, Any], key: str, position: int) -> int:
    value = entry.get(key)
    if type(value) is not int:
        raise BrokenBatchError(f"{key} of change {position} is no whole number")
    return value


def write_view(view: View) -> bytes:
    """Return a view as GeoJSON (RFC 7946) with the versions beside the properties."""
    features = [_feature(feature) for feature in view.features]
    return orjson.dumps({"type": "FeatureCollection", "is_complete": view.is_complete, "features": features})


def _feature(feature: SeenFeature) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": feature.fid,
        "version": feature.version,
        "personal_version": feature.personal_version,
        "geometry": None if feature.geometry is None else orjson.Fragment(feature.geometry),
        "properties": feature.values,
    }


def write_outcome(outcome: Outcome) -> str:
    """Return what became of a batch as JSON; times as ISO 8601, geometries as GeoJSON."""
    body = orjson.dumps(
        {
            "changeset": outcome.changeset,
            "inserted": outcome.inserted,
            "updated": [*outcome.updated, *outcome.restored],
            "versions": {str(fid): version for fid, version in {**outcome.updated, **outcome.restored}.items()},
            "deleted": outcome.deleted,
            "unchanged": outcome.unchanged,
            "merged": [{"fid": merged.fid, "theirs": merged.theirs, "mine": merged.mine} for merged in outcome.merged],
            "conflicts": [_conflict(conflict) for conflict in outcome.conflicts],
        }
    )
    return body.decode()


def _conflict(conflict: Conflict) -> dict[str, Any]:
    return {
        "fid": conflict.fid,
        "theirs_version": conflict.theirs_version,
        "theirs_personal_version": conflict.theirs_personal_version,
        "names": conflict.names,
        "base": _side(conflict.base),
        "theirs": _side(conflict.theirs),
        "mine": _side(conflict.mine),
    }


def _side(values: Values | None) -> dict[str, Any] | None:
    """Return one side of a conflict; None where that side deletes the feature."""
    if values is None:
        return None
    rest = dict(values)
    stored = rest.pop("geom")
    return {"geometry": None if stored is None else mapping(shapely.from_wkb(stored)), "attributes": rest}
