"""What happened to a layer, a feature, by a person; what a changeset did; taking it back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import shapely
from flask import Response, abort, flash, redirect, render_template, request, url_for
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from gis.errors import UsageError
from layers.catalogue import find_layer, load_layers
from layers.changes import Merged, Values
from layers.definition import Definition
from layers.deltas import FeatureDelta
from layers.differences import Difference, differences
from layers.editing_words import value_text, word
from layers.history import Changeset, changeset_contents, feature_history, find_changeset, layer_history, person_history
from layers.merges import changeset_merges, feature_merges
from layers.shape_changes import measure_change, read_geometry
from layers.undo import Dependant, UndoRefusedError, undo_changeset
from webmap import town_map
from webmap.languages import gettext, language
from webmap.services import services
from webmap.staff.access import blueprint, staff_connection
from webmap.staff.merge_words import merge_text
from webmap.staff.rights import layer_rights, role_titles

_ROWS = 50
# What one page tells; an import changes thousands of features in one changeset.
_MOST_DELTAS = 200
_MOST_OUTLINES = 2000
_PERSONAL = "_personal"


@dataclass(frozen=True)
class DeltaLine:
    """One feature in the story of a changeset.

    Attributes
    ----------
    title : what people know it by, "" when nothing is. merged : what came together by itself, in words, or "".
    """

    layer: Definition
    is_personal: bool
    delta: FeatureDelta
    title: str
    differences: tuple[Difference, ...]
    merged: str


@blueprint.get("/layers/<name>/history")
def show_layer_history(name: str) -> str:
    """Show the changesets that touched a layer, the newest first (`?before=` an id)."""
    with staff_connection() as connection:
        definition = find_layer(connection, name)
        found = layer_history(connection, definition, _ROWS, request.args.get("before", type=int))
        rights = layer_rights(connection)[name]
        listed = _list_of(connection, found)
    return render_template("staff/layer_history.html", layer=definition, rights=rights, **listed)


@blueprint.get("/people/<account>")
def show_person_history(account: str) -> str:
    """Show what a person did in all layers that the reader may see; 404 when it is nothing."""
    before = request.args.get("before", type=int)
    with staff_connection() as connection:
        found = person_history(connection, account, _ROWS, before)
        if not found and before is None:
            abort(404)
        return render_template("staff/person.html", account=account, **_list_of(connection, found))


@blueprint.get("/layers/<name>/features/<int:fid>")
def show_feature(name: str, fid: int) -> str:
    """Show a feature's life: every version with its difference to the one before, in words and on the map."""
    with staff_connection() as connection:
        definition = find_layer(connection, name)
        versions = feature_history(connection, definition, fid)
        merges = feature_merges(connection, name, fid)
        titles = role_titles(connection)
    if not versions:
        abort(404)
    return render_template(
        "staff/feature.html",
        layer=definition,
        fid=fid,
        title=feature_title(definition, versions[0].values),
        versions=versions,
        merged={changeset: merge_text(definition, found) for changeset, found in merges.items()},
        titles=titles,
        operation=_operation,
        value=lambda attribute, values: value_text(attribute, values.get(attribute.name), language()),
        script=town_map.small_map_script(services().town, language()),
        assets=town_map,
    )


@blueprint.get("/layers/<name>/features/<int:fid>.geojson")
def feature_outlines(name: str, fid: int) -> Response:
    """Answer the shapes a feature has had: `before` and, for the newest that stands, `after`."""
    with staff_connection() as connection:
        versions = feature_history(connection, find_layer(connection, name), fid)
    if not versions:
        abort(404)
    newest, *older = versions
    shapes = [(read_geometry(version.values), "before") for version in older]
    shapes.append((read_geometry(newest.values), "before" if newest.operation == "delete" else "after"))
    return _outlines(shapes)


@blueprint.get("/changesets/<int:changeset_id>")
def show_changeset(changeset_id: int) -> str:
    """Show what a changeset did, a page of features at a time (`?after=` table:fid)."""
    return _changeset_page(changeset_id, ())


@blueprint.get("/changesets/<int:changeset_id>.geojson")
def changeset_outlines(changeset_id: int) -> Response:
    """Answer the shapes before and after a changeset, of as many features as a browser draws."""
    with staff_connection() as connection:
        _find(connection, changeset_id)
        deltas = changeset_contents(connection, changeset_id, _MOST_OUTLINES, _read_place())
    moved = [delta for delta in deltas if delta.operation in ("insert", "delete") or "geom" in delta.changed]
    return _outlines(
        [(read_geometry(values), state) for delta in moved or deltas for values, state in _two_sides(delta)]
    )


@blueprint.post("/changesets/<int:changeset_id>/undo")
def take_back(changeset_id: int) -> AnyResponse | tuple[str, int]:
    """Take a changeset back as a changeset of its own; 409 with the later edits that depend on it."""
    reason = request.form.get("reason", "").strip()[:500]
    if not reason:
        raise UsageError("The reason is missing.", "Say why; it stays on record.")
    try:
        with staff_connection(reason) as connection:
            outcomes = undo_changeset(connection, changeset_id, reason)
    except UndoRefusedError as error:
        return _changeset_page(changeset_id, error.dependants), 409
    flash(gettext("Changeset %(number)s was taken back.", number=changeset_id), "done")
    made = next(outcome.changeset for outcome in outcomes.values() if outcome.changeset)
    return redirect(url_for("staff.show_changeset", changeset_id=made))


def feature_title(definition: Definition, values: Values | None) -> str:
    """Return what people know a feature by: its key and its name, or what the map writes beside it; "" for none."""
    known = {attribute.name for attribute in definition.table_attributes}

    def written(*names: str) -> str:
        return " ".join(str(values[name]) for name in names if values and name in known and values.get(name))

    return written(definition.key, "name") or written(definition.style.label)


def _changeset_page(changeset_id: int, dependants: tuple[Dependant, ...]) -> str:
    with staff_connection() as connection:
        changeset = _find(connection, changeset_id)
        after = _read_place()
        deltas = changeset_contents(connection, changeset_id, _MOST_DELTAS + 1, after)
        is_last, deltas = len(deltas) <= _MOST_DELTAS, deltas[:_MOST_DELTAS]
        definitions = load_layers(connection)
        merges = changeset_merges(
            connection, changeset_id, {(_layer_of(delta, definitions).name, delta.fid) for delta in deltas}
        )
        rights = layer_rights(connection)
        titles = role_titles(connection)
    lines = list(_lines(deltas, definitions, merges))
    touched = {table.removesuffix(_PERSONAL) if table not in definitions else table for table in changeset.counts}
    return render_template(
        "staff/changeset.html",
        changeset=changeset,
        counts=_counts(changeset, definitions),
        lines=lines,
        next_page="" if is_last else _write_place(deltas[-1]),
        outlines=url_for("staff.changeset_outlines", changeset_id=changeset_id, after=request.args.get("after")),
        dependants=dependants,
        definitions=definitions,
        titles=titles,
        operation=_operation,
        # Only what spares a vain try; whether it may be done, the database decides.
        is_offered=bool(touched) and all(rights[name].may_edit for name in touched),
        script=town_map.small_map_script(services().town, language()),
        assets=town_map,
    )


def _read_place() -> tuple[str, int] | None:
    """Where the last page ended, of `?after=table:fid`; None for the first page, and for what is no place."""
    table, _, fid = request.args.get("after", "").rpartition(":")
    return (table, int(fid)) if table and fid.isascii() and fid.isdigit() and len(fid) < 19 else None


def _write_place(delta: FeatureDelta) -> str:
    return f"{delta.table}:{delta.fid}"


def _find(connection: Connection, changeset_id: int) -> Changeset:
    try:
        return find_changeset(connection, changeset_id)
    except UsageError:
        abort(404)


def _lines(
    deltas: list[FeatureDelta], definitions: dict[str, Definition], merges: dict[tuple[str, int], Merged]
) -> Iterator[DeltaLine]:
    for delta in deltas:
        is_personal = delta.table not in definitions
        definition = _layer_of(delta, definitions)
        found: tuple[Difference, ...] = ()
        if delta.old is not None and delta.new is not None:
            shape = measure_change(read_geometry(delta.old), read_geometry(delta.new))
            found = differences(delta.old, delta.new, shape)
        title = feature_title(definition, delta.new or delta.old)
        merged = merge_text(definition, merges.get((definition.name, delta.fid)), is_personal)
        yield DeltaLine(definition, is_personal, delta, title, found, merged)


def _layer_of(delta: FeatureDelta, definitions: dict[str, Definition]) -> Definition:
    return definitions.get(delta.table) or definitions[delta.table.removesuffix(_PERSONAL)]


def _list_of(connection: Connection, found: list[Changeset]) -> dict[str, Any]:
    """What the template of a list of changesets needs."""
    definitions = load_layers(connection)
    return {
        "changesets": [(changeset, _counts(changeset, definitions)) for changeset in found],
        "oldest": found[-1].id if len(found) == _ROWS else None,
        "titles": role_titles(connection),
    }


def _counts(changeset: Changeset, definitions: dict[str, Definition]) -> list[tuple[str, list[tuple[str, int]]]]:
    """Return layer title → operation in words → how many, as a changeset's line tells it."""
    return [
        (
            definitions[table].name_in(language())
            if table in definitions
            else gettext("%(layer)s (personal)", layer=definitions[table.removesuffix(_PERSONAL)].name_in(language())),
            [(_operation(name), number) for name, number in sorted(operations.items())],
        )
        for table, operations in sorted(changeset.counts.items())
    ]


def _operation(name: str) -> str:
    # A feature that came and went in one changeset.
    return gettext("no change") if name == "nothing" else word("operation", name, language())


def _two_sides(delta: FeatureDelta) -> Iterator[tuple[Values, str]]:
    if delta.old is not None:
        yield delta.old, "before"
    if delta.new is not None:
        yield delta.new, "after"


def _outlines(shapes: list[tuple[BaseGeometry | None, str]]) -> Response:
    features = [
        {"type": "Feature", "geometry": shapely.geometry.mapping(shape), "properties": {"state": state}}
        for shape, state in shapes
        if shape is not None
    ]
    body = orjson.dumps({"type": "FeatureCollection", "features": features})
    return Response(body, mimetype="application/geo+json")
