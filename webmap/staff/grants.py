"""Who may see, edit and manage a layer; who keeps its rights gives them, changes them and takes them back here.

`gis.grant_layer` decides who that is, for this page as for every other door.
"""

from __future__ import annotations

from typing import Any

import orjson
from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from gis.errors import UsageError
from gis.roles import load_departments
from layers.areas import MOST_NAMES, Area
from layers.catalogue import find_layer
from layers.definition import Definition
from layers.grants import (
    SAW_NONE,
    Access,
    Grant,
    grant_areas,
    grant_layer,
    list_grant_changes,
    list_grants,
    may_grant,
    read_area,
    revoke_layer,
)
from layers.refusals import NotAllowedError
from webmap import town_map
from webmap.languages import gettext, language, mark
from webmap.services import services
from webmap.staff.access import blueprint, staff_connection
from webmap.staff.keeping import MOST_REASON_LETTERS, read_reason
from webmap.staff.places import chosen_area, read_choice
from webmap.staff.rights import layer_rights, role_titles

_ACCESS: dict[Access, str] = {
    "see": mark("see personal data"),
    "edit": mark("edit"),
    "manage": mark("edit, and change the layer itself"),
}


@blueprint.route("/layers/<name>/grants", methods=["GET", "POST"])
def keep_grants(name: str) -> str | Response | tuple[str, int]:
    """Show the rights in a layer to everybody at a desk; give and take them back for who may."""
    action = request.form.get("action")
    if request.method == "GET" or action == "places":
        return _page(name)
    try:
        with staff_connection(read_reason()) as connection:
            definition = find_layer(connection, name)
            department = request.form.get("department", "")
            seen = request.form.get(f"seen/{department}", SAW_NONE)
            if action == "take_back":
                revoke_layer(connection, definition, department, seen=seen)
            else:
                _give(connection, definition, department, seen)
    except NotAllowedError:
        raise
    except UsageError as error:
        return _page(name, error), 400
    if action == "take_back":
        flash(gettext("The right is taken back, at every door at once."), "done")
    else:
        flash(gettext("The right is given. It counts on the pages, in QGIS and for imports at once."), "done")
    return redirect(url_for("staff.keep_grants", name=name), 303)


def _give(connection: Connection, definition: Definition, department: str, seen: str) -> None:
    access = request.form.get("access", "")
    if access not in _ACCESS:
        raise UsageError("No right was chosen.", "Choose what the department may do.")
    grant_layer(
        connection,
        definition,
        department,
        access,
        is_personal="personal" in request.form or access == "see",
        area=_asked_area(connection, definition, department),
        seen=seen,
    )


def _asked_area(connection: Connection, definition: Definition, department: str) -> Area | None:
    where = request.form.get("where", "everywhere")
    if where == "places":
        return chosen_area(connection)
    if where == "now":
        held = {grant.department: grant for grant in list_grants(connection, definition.name)}
        areas = grant_areas(connection, definition)
        if department not in areas:
            raise UsageError("The department has no area to keep.", "Choose the area again.")
        return Area(held[department].area_name, areas[department])
    if where == "file":
        file = request.files.get("file")
        if file is None or not file.filename:
            raise UsageError("No file was sent.", "Choose a file.")
        return read_area(file.filename, file.read())
    return None


def _page(name: str, error: UsageError | None = None) -> str:
    given = request.form if request.method == "POST" else request.args
    with staff_connection() as connection:
        definition = find_layer(connection, name)
        grants = {grant.department: grant for grant in list_grants(connection, name)}
        areas = grant_areas(connection, definition)
        titles = role_titles(connection)
        facts: dict[str, Any] = {
            "rights": layer_rights(connection)[name],
            "changes": list_grant_changes(connection, definition),
            "may_grant": may_grant(connection, definition),
            "choice": read_choice(connection),
        }
    department = given.get("department", "")
    present = grants.get(department)
    shapes = [_shape(f"{titles.get(one, one)}: {grants[one].area_name}", areas[one]) for one in areas if one in grants]
    picked = facts["choice"].picked
    shapes += [_shape(picked.name, picked.geojson, is_new=True)] if picked else []
    return render_template(
        "staff/layer_grants.html",
        layer=definition,
        grants=grants,
        titles=titles,
        departments=[one.name for one in load_departments() if one.name != definition.owner],
        department=department,
        present=present,
        wanted=_wanted(present),
        seen={one: grants[one].granted_at.isoformat() if one in grants else SAW_NONE for one in titles},
        access_words=_ACCESS,
        personal_names=[one.title(language()) for one in definition.personal_attributes],
        most_names=MOST_NAMES,
        shapes=orjson.dumps({"type": "FeatureCollection", "features": shapes}).decode() if shapes else "",
        most_reason_letters=MOST_REASON_LETTERS,
        error=error,
        script=town_map.small_map_script(services().town, language()),
        assets=town_map,
        **facts,
    )


def _wanted(present: Grant | None) -> dict[str, Any]:
    """What the form shows as chosen: what was sent, else the right that the department has."""
    form = request.form
    if request.method == "POST" and form.get("action") != "take_back":
        where = "places" if form.get("action") == "places" else form.get("where", "everywhere")
        access, is_personal = form.get("access", "edit"), "personal" in form
    else:
        where = "now" if present and present.is_limited else "everywhere"
        access, is_personal = (present.access, present.is_personal) if present else ("edit", False)
    reason = form.get("reason", "")
    return {"access": access, "is_personal": is_personal, "where": where, "reason": reason}


def _shape(name: str, geojson: str, *, is_new: bool = False) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"name": name, "is_new": is_new},
        "geometry": orjson.Fragment(geojson),
    }
