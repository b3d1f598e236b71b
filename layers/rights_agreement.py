"""Compares what PostgreSQL grants on a layer's tables with what the definition and `gis.layer_grant` say.

A GRANT or a policy made by hand opens or closes a door that no page shows.
"""

from __future__ import annotations

from sqlalchemy import Connection

from gis.database import SERVICE
from gis.queries import load_queries
from gis.roles import load_departments
from layers.definition import Definition
from layers.grants import Grant, list_grants

_QUERIES = load_queries(__file__)
_EVERYBODY_OF_THE_OFFICE = "department"

# (table, role, verb), as PostgreSQL spells them, verbs in small letters.
Right = tuple[str, str, str]


def right_problems(connection: Connection, definition: Definition) -> list[str]:
    """Return what PostgreSQL allows otherwise than was granted, one sentence each; any department may ask."""
    grants = list_grants(connection, definition.name)
    wanted = _wanted_rights(definition, grants)
    found = {
        (row.table_name, row.role_name, row.verb)
        for row in connection.execute(_QUERIES["rights"], {"layer": definition.name})
    }
    problems = [f"{role} may {verb} {table}, which nobody granted." for table, role, verb in sorted(found - wanted)]
    problems += [f"{role} may not {verb} {table}, though it should." for table, role, verb in sorted(wanted - found)]
    return problems + _policy_problems(connection, definition, grants)


def _wanted_rights(definition: Definition, grants: list[Grant]) -> set[Right]:
    name = definition.name
    layer, personal, sequence = f"layers.{name}", f"layers.{name}_personal", f"layers.{name}_fid_seq"
    history, past = f"history.{name}", f"history.{name}_personal"
    verbs = ("insert", "update", "delete") if definition.is_deletable else ("insert", "update")
    roles = {one.name: one for one in load_departments()}
    editors = [definition.owner_role, *([SERVICE] if definition.is_service_edited else [])]
    editors += [roles[one.department].role_name for one in grants if one.access != "see"]
    wanted = {(table, role, "select") for table in (layer, history) for role in (SERVICE, _EVERYBODY_OF_THE_OFFICE)}
    wanted |= {(layer, role, verb) for role in editors for verb in verbs}
    wanted |= {(sequence, role, "usage") for role in editors}
    if not definition.has_personal_table:
        return wanted
    wanted |= {(table, definition.owner_role, "select") for table in (personal, past)}
    wanted |= {(personal, definition.owner_role, verb) for verb in verbs}
    for one in grants:
        if one.is_personal:
            wanted.add((personal, roles[one.department].viewer_role_name, "select"))
            if one.access != "see":
                wanted |= {(personal, roles[one.department].role_name, verb) for verb in verbs}
    return wanted


def _policy_problems(connection: Connection, definition: Definition, grants: list[Grant]) -> list[str]:
    row = connection.execute(_QUERIES["policies"], {"layer": definition.name}).one()
    limited = [one.department for one in grants if one.is_limited]
    wanted = {f"{verb}_{department}" for department in limited for verb in ("insert", "update", "delete")}
    wanted |= {"see", "edit_everywhere"} if limited else set()
    if bool(limited) == row.is_limited and wanted == set(row.names):
        return []
    return [f"The areas of rights in layers.{definition.name} are not held by its row policies: {sorted(row.names)}."]
