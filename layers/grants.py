"""Rights of departments in layers that are not theirs, as PostgreSQL grants and row policies.

`gis.layer_grant` says what was granted; `apply_grants` makes the database agree. Every door (pages, commands, QGIS)
meets the same grants.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

import orjson
import shapely
from psycopg import sql
from sqlalchemy import Connection, text

from gis.accounts import Account
from gis.database import SERVICE
from gis.errors import UsageError
from gis.queries import load_queries
from gis.roles import Department, load_departments
from layers.copying import driver
from layers.definition import Definition

_QUERIES = load_queries(__file__)

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


class Area(NamedTuple):
    """Where a department may edit: a name for people, and a (Multi)Polygon as GeoJSON, degrees (EPSG:6668)."""

    name: str
    geojson: str


def grant_layer(
    connection: Connection,
    definition: Definition,
    department: str,
    access: Access,
    granted_by: str,
    *,
    is_personal: bool = False,
    area: Area | None = None,
) -> None:
    """Give a department a right in a layer, in the place of what it had; runs as `machimori_owner`.

    Raises
    ------
    UsageError : no such department, it owns the layer, or the right means nothing there.
    """
    _require_other(definition, department)
    _require_meaning(definition, access, is_personal, area)
    values = {"layer": definition.name, "department": department, "access": access, "is_personal": is_personal}
    connection.execute(
        _QUERIES["store"],
        {
            **values,
            "area": area.geojson if area else None,
            "area_name": area.name if area else "",
            "granted_by": granted_by,
        },
    )
    apply_grants(connection, definition)


def revoke_layer(connection: Connection, definition: Definition, department: str) -> None:
    """Take back what a department was granted in a layer; runs as `machimori_owner`.

    Raises
    ------
    UsageError : it was granted nothing.
    """
    done = connection.execute(
        text("DELETE FROM gis.layer_grant WHERE layer = :layer AND department = :department"),
        {"layer": definition.name, "department": department},
    )
    if done.rowcount == 0:
        raise UsageError(f"{department!r} was granted nothing in {definition.name}.", "See ./machimori layers grants")
    apply_grants(connection, definition)


def list_grants(connection: Connection, layer: str | None = None) -> list[Grant]:
    """Return what was granted beyond the owners' own rights; any department may ask."""
    return [Grant(*row) for row in connection.execute(_QUERIES["list"], {"layer": layer})]


def may_manage(connection: Connection, definition: Definition, account: Account) -> bool:
    """Return whether someone may change a layer's attributes: a layer manager of its owner, or of one granted it."""
    if not account.may("manage_layers"):
        return False
    if account.department == definition.owner:
        return True
    grants = list_grants(connection, definition.name)
    return any(grant.department == account.department and grant.access == "manage" for grant in grants)


def apply_grants(connection: Connection, definition: Definition) -> None:
    """Make grants and row policies of a layer's tables agree with `gis.layer_grant`; runs as `machimori_owner`."""
    driver(connection).execute(grant_statements(connection, definition))


def grant_statements(connection: Connection, definition: Definition) -> sql.Composed:
    """Return the statements that make a layer's grants and row policies agree with `gis.layer_grant`; any role."""
    others = [department for department in load_departments() if department.name != definition.owner]
    granted = {grant.department: grant for grant in list_grants(connection, definition.name)}
    statements = [_take_back(definition, others)]
    for department in others:
        if grant := granted.get(department.name):
            statements.append(_give(definition, department, grant))
    if any(grant.is_limited for grant in granted.values()):
        statements.append(_limit(definition, others, granted))
    return sql.SQL("\n").join(statements)


def read_area(value: str, geojson: bytes) -> Area:
    """Return an area from a GeoJSON geometry, feature or collection; `value` names it.

    Raises
    ------
    UsageError : it is no GeoJSON, or holds no valid polygon in degrees.
    """
    hint = "Give a GeoJSON file with polygons, in degrees (lon, lat)."
    try:
        content = orjson.loads(geojson)
        features = content.get("features") or [content]
        shapes = [shapely.geometry.shape(feature.get("geometry") or feature) for feature in features]
    except (ValueError, AttributeError, KeyError, TypeError, shapely.errors.GEOSException) as error:
        raise UsageError(f"{value} cannot be read as GeoJSON: {error}", hint) from error
    if not shapes or any(shape.geom_type not in ("Polygon", "MultiPolygon") or not shape.is_valid for shape in shapes):
        raise UsageError(f"{value} holds something else than valid polygons.", hint)
    area = shapely.union_all(shapes)
    west, south, east, north = area.bounds
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise UsageError(f"{value} lies off the earth.", hint)
    return Area(value, shapely.to_geojson(area))


def _require_other(definition: Definition, department: str) -> None:
    known = [one.name for one in load_departments()]
    if department not in known:
        raise UsageError(f"There is no department {department!r}.", f"Known are: {', '.join(known)}.")
    if department == definition.owner:
        raise UsageError(f"{department} owns the layer {definition.name}.", "The owner may do everything already.")


def _require_meaning(definition: Definition, access: Access, is_personal: bool, area: Area | None) -> None:
    if is_personal and not definition.personal_attributes:
        raise UsageError(f"The layer {definition.name} has no personal attributes.", "Grant it without them.")
    if access == "see" and not is_personal:
        raise UsageError(
            f"Every department sees the layer {definition.name} already.",
            "Only its personal attributes have to be granted to be seen: --personal.",
        )
    if area is not None and (access != "edit" or is_personal):
        raise UsageError("An area limits editing of what is not personal.", "Use it with --right edit alone.")


def _names(definition: Definition) -> dict[str, sql.Composable]:
    return {
        "layer": sql.Identifier("layers", definition.name),
        "personal": sql.Identifier("layers", f"{definition.name}_personal"),
        "sequence": sql.Identifier("layers", f"{definition.name}_fid_seq"),
        "table_name": sql.Literal(definition.name),
    }


def _roles(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)


def _take_back(definition: Definition, others: Sequence[Department]) -> sql.Composed:
    parts: dict[str, Any] = {
        **_names(definition),
        "others": _roles([department.role_name for department in others]),
        "viewers": _roles([department.viewer_role_name for department in others]),
    }
    blocks = ["take_back", *(["take_back_personal"] if definition.has_personal_table else [])]
    return sql.SQL("\n").join(sql.SQL(_QUERIES.sql(block)).format(**parts) for block in blocks)


def _give(definition: Definition, department: Department, grant: Grant) -> sql.Composed:
    names = _names(definition)
    editor, viewer = sql.Identifier(department.role_name), sql.Identifier(department.viewer_role_name)
    rights = sql.SQL("INSERT, UPDATE, DELETE" if definition.is_deletable else "INSERT, UPDATE")
    given = []
    if grant.access != "see":
        given.append(sql.SQL("GRANT {} ON {} TO {};").format(rights, names["layer"], editor))
        given.append(sql.SQL("GRANT USAGE ON SEQUENCE {} TO {};").format(names["sequence"], editor))
    if grant.is_personal:
        given.append(sql.SQL("GRANT SELECT ON {} TO {};").format(names["personal"], viewer))
        if grant.access != "see":
            given.append(sql.SQL("GRANT {} ON {} TO {};").format(rights, names["personal"], editor))
    return sql.SQL("\n").join(given)


def _limit(definition: Definition, others: Sequence[Department], granted: dict[str, Grant]) -> sql.Composed:
    names = _names(definition)
    limited = [one for one in others if one.name in granted and granted[one.name].is_limited]
    unlimited = [SERVICE, definition.owner_role, *(one.role_name for one in others if one not in limited)]
    made = [sql.SQL(_QUERIES.sql("limit")).format(**names, unlimited=_roles(unlimited))]
    for department in limited:
        area = sql.SQL("(SELECT g.area FROM gis.layer_grant g WHERE g.layer = {} AND g.department = {})").format(
            names["table_name"], sql.Literal(department.name)
        )
        policies = {
            f"{verb}_policy": sql.Identifier(f"{verb}_{department.name}") for verb in ("insert", "update", "delete")
        }
        made.append(
            sql.SQL(_QUERIES.sql("limit_department")).format(
                **names, **policies, role=sql.Identifier(department.role_name), area=area
            )
        )
    return sql.SQL("\n").join(made)
