"""Rights of departments in layers that are not theirs, as PostgreSQL grants and row policies.

`gis.layer_grant` says what was granted; `gis.grant_layer` writes it, decides who may, and makes grants and policies
agree (gis/migrations/versions/0027_grants.sql). Every door (pages, commands, QGIS) meets the same grants.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Literal, NamedTuple

import orjson
import shapely
from psycopg import errors, sql
from sqlalchemy import Connection, text

from gis.accounts import Account
from gis.errors import UsageError
from gis.queries import load_queries
from gis.roles import department_title, load_departments
from layers.areas import Area
from layers.copying import driver
from layers.definition import Definition
from layers.refusals import ChangedMeanwhileError, NotAllowedError

_QUERIES = load_queries(__file__)
SAW_NONE = "-infinity"
_POLYGONS_ONLY = "Give a GeoJSON file with polygons, in degrees (lon, lat)."

Access = Literal["see", "edit", "manage"]


class Grant(NamedTuple):
    """What one department may do with one layer.

    Attributes
    ----------
    access : `see`, `edit` its features, or `manage`: also change its attributes.
    is_personal : also its personal attributes.
    is_limited : only inside an area, called `area_name`.
    """

    layer: str
    department: str
    access: Access
    is_personal: bool
    is_limited: bool
    area_name: str
    granted_by: str
    granted_at: datetime


class GrantChange(NamedTuple):
    """One right that was given, changed or taken back (`access` is None) at some time. Fields as in `Grant`."""

    department: str
    access: Access | None
    is_personal: bool
    is_limited: bool
    area_name: str
    account: str
    reason: str
    changed_at: datetime


def grant_layer(
    connection: Connection,
    definition: Definition,
    department: str,
    access: Access,
    *,
    is_personal: bool = False,
    area: Area | None = None,
    seen: str | None = None,
) -> None:
    """Give a department a right in a layer, in the place of what it had.

    Runs as `machimori_owner`, or as the role of a department for an account that `may_grant` names; the account and the
    reason of the transaction stand in the log. Grants and row policies follow in the same transaction.

    Parameters
    ----------
    seen : when the right that the caller saw was given (ISO 8601), `SAW_NONE` for none; None: whatever there is.

    Raises
    ------
    NotAllowedError : the account gives no rights in this layer.
    ChangedMeanwhileError : the right is not the one that was seen, or people work in the layer for too long.
    UsageError : no such department, it owns the layer, or the right means nothing there.
    """
    _require_other(definition, department)
    _require_meaning(definition, access, is_personal, area)
    facts = {"access": access, "is_personal": is_personal, "area": area.geojson if area else None}
    _call_door(connection, definition, department, {**facts, "area_name": area.name if area else "", "seen": seen})


def revoke_layer(connection: Connection, definition: Definition, department: str, *, seen: str | None = None) -> None:
    """Take back what a department was granted in a layer. Roles, `seen` and errors as for `grant_layer`.

    Raises
    ------
    UsageError : it was granted nothing.
    """
    facts = {"access": None, "is_personal": False, "area": None, "area_name": "", "seen": seen}
    _call_door(connection, definition, department, facts)


def may_grant(connection: Connection, definition: Definition) -> bool:
    """Return whether the account of the transaction, in its role, gives and takes back rights in a layer."""
    return bool(connection.execute(text("SELECT gis.keeps_grants(:layer)"), {"layer": definition.name}).scalar())


def list_grant_changes(connection: Connection, definition: Definition) -> list[GrantChange]:
    """Return what was given and taken back in a layer, the newest first, at most 100; any department may ask."""
    rows = connection.execute(_QUERIES["changes"], {"layer": definition.name})
    return [GrantChange(*row) for row in rows]


def list_grants(connection: Connection, layer: str | None = None) -> list[Grant]:
    """Return what was granted beyond the owners' own rights; any department may ask."""
    return [Grant(*row) for row in connection.execute(_QUERIES["list"], {"layer": layer})]


def grant_areas(connection: Connection, definition: Definition) -> dict[str, str]:
    """Return department → the area its right is limited to, as GeoJSON, degrees (EPSG:6668); any department may ask."""
    return {row.department: row.geojson for row in connection.execute(_QUERIES["areas"], {"layer": definition.name})}


def may_manage(connection: Connection, definition: Definition, account: Account) -> bool:
    """Return whether someone may change a layer's attributes: a layer manager of its owner, or of one granted it."""
    if not account.may("manage_layers"):
        return False
    if account.department == definition.owner:
        return True
    grants = list_grants(connection, definition.name)
    return any(grant.department == account.department and grant.access == "manage" for grant in grants)


def grant_statements(definition: Definition) -> sql.Composed:
    """Return the statement that makes a layer's grants and row policies agree with `gis.layer_grant`, for its owner."""
    call = sql.SQL("SELECT gis.apply_layer_grants({}, {}, {});")
    return call.format(*map(sql.Literal, (definition.name, definition.owner, definition.is_deletable)))


def read_area(value: str, geojson: bytes) -> Area:
    """Return an area from a GeoJSON geometry, feature or collection; `value` names it.

    Raises
    ------
    UsageError : it is no GeoJSON, or holds no valid polygon in degrees.
    """
    try:
        content = orjson.loads(geojson)
        features = content.get("features") or [content]
        shapes = [shapely.geometry.shape(feature.get("geometry") or feature) for feature in features]
    except (ValueError, AttributeError, KeyError, TypeError, shapely.errors.GEOSException) as error:
        raise UsageError(
            "%(file)s cannot be read as GeoJSON: %(error)s", _POLYGONS_ONLY, file=value, error=error
        ) from error
    if not shapes or any(shape.geom_type not in ("Polygon", "MultiPolygon") or not shape.is_valid for shape in shapes):
        raise UsageError("%(file)s holds something else than valid polygons.", _POLYGONS_ONLY, file=value)
    area = shapely.union_all(shapes)
    west, south, east, north = area.bounds
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise UsageError("%(file)s lies off the earth.", _POLYGONS_ONLY, file=value)
    return Area(value, shapely.to_geojson(area))


def _require_other(definition: Definition, department: str) -> None:
    known = [one.name for one in load_departments()]
    if department not in known:
        raise UsageError(
            "There is no department %(department)r.",
            "Known are: %(known)s.",
            department=department,
            known=", ".join(known),
        )
    if department == definition.owner:
        raise UsageError(
            "%(department)s owns the layer %(layer)s.",
            "The owner may do everything already.",
            department=department,
            layer=definition.heading,
        )


def _require_meaning(definition: Definition, access: Access, is_personal: bool, area: Area | None) -> None:
    if is_personal and not definition.personal_attributes:
        raise UsageError(
            "The layer %(layer)s has no personal attributes.", "Grant it without them.", layer=definition.heading
        )
    if access == "see" and not is_personal:
        raise UsageError(
            "Every department sees the layer %(layer)s already.",
            "Only its personal attributes have to be granted to be seen: --personal.",
            layer=definition.heading,
        )
    if area is not None and (access != "edit" or is_personal):
        raise UsageError("An area limits editing of what is not personal.", "Use it with --right edit alone.")


def _call_door(
    connection: Connection, definition: Definition, department: str, facts: dict[str, str | bool | None]
) -> None:
    with _granting_refusals(definition, department):
        driver(connection).execute(
            _QUERIES.sql("grant_layer"), {**facts, "layer": definition.name, "department": department}
        )


@contextmanager
def _granting_refusals(definition: Definition, department: str) -> Iterator[None]:
    """Translate the refusals of `gis.grant_layer`; the transaction is lost after one."""
    try:
        yield
    except errors.InsufficientPrivilege as error:
        raise NotAllowedError(
            "%(layer)s: your account gives no rights in this layer.",
            "That is for a layer manager of the department that owns it: %(owner)s.",
            layer=definition.heading,
            owner=department_title(definition.owner),
        ) from error
    except errors.NoDataFound as error:
        raise UsageError(
            "%(department)s was granted nothing in %(layer)s.",
            "See ./machimori layers grants",
            department=department_title(department),
            layer=definition.heading,
        ) from error
    except (errors.SerializationFailure, errors.LockNotAvailable, errors.DeadlockDetected) as error:
        raise ChangedMeanwhileError(
            "%(layer)s: somebody changed these rights meanwhile, or people are working in the layer.",
            "Nothing was changed. Look at the rights again and repeat.",
            layer=definition.heading,
        ) from error
    except (errors.CheckViolation, errors.DataError, errors.InternalError_) as error:
        raise UsageError(
            "%(layer)s: this right cannot be given: %(said)s.",
            "Choose another right or another area.",
            layer=definition.heading,
            said=error.diag.message_primary,
        ) from error
