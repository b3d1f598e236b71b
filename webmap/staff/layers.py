"""The catalogue of layers: which there are, whose they are, what is in them, how they look, and files to take away."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from flask import Response, abort, render_template, request, send_file
from psycopg import sql
from sqlalchemy import Connection

from gis.queries import load_queries
from layers.catalogue import LayerSummary, UnknownLayerError, find_layer, load_layers, summarise_layer
from layers.copying import driver
from layers.definition import Definition
from layers.exporter import export_layer
from layers.legend import legend
from layers.past import render_tile_at
from layers.preview import render_preview_tile
from layers.refusals import NotAllowedError
from layers.tiles import render_tile
from webmap import layer_map
from webmap.as_of import calendar_day, parse_as_of
from webmap.languages import gettext, language
from webmap.services import services
from webmap.staff.access import blueprint, staff_connection
from webmap.staff.rights import layer_rights, role_titles

_QUERIES = load_queries(__file__)
_DEEPEST_ZOOM = 22
# Ending of the file → media type (OGC GeoPackage 1.4, RFC 7946, RFC 4180).
DOWNLOADS = {
    "gpkg": "application/geopackage+sqlite3",
    "geojson": "application/geo+json",
    "csv": "text/csv; charset=utf-8",
}


@blueprint.get("/layers")
def show_layers() -> str:
    """Show all layers; of one that the role may not read, only whose it is; those out of use apart."""
    with staff_connection() as connection:
        rights = layer_rights(connection)
        definitions = load_layers(connection)
        summaries = {
            name: summarise_layer(connection, definition)
            for name, definition in definitions.items()
            if name in rights and rights[name].may_see and not definition.is_retired
        }
        titles = role_titles(connection)
    ordered = sorted(definitions.values(), key=lambda found: (found.owner, found.name_in(language())))
    return render_template(
        "staff/layers.html",
        layers=[found for found in ordered if not found.is_retired],
        retired=[found for found in ordered if found.is_retired],
        rights=rights,
        summaries=summaries,
        titles=titles,
        legend=legend,
    )


@blueprint.get("/layers/<name>")
def show_layer(name: str) -> str:
    """Show one layer: facts, map (as of `?at=`), legend, attributes."""
    written = request.args.get("at", "")
    at = parse_as_of(written)
    with staff_connection() as connection:
        definition = find_layer(connection, name)
        rights = layer_rights(connection)[name]
        summary = summarise_layer(connection, definition)
        first = _first_change(connection, definition)
        start = middle_place(connection, summary)
        titles = role_titles(connection)
    tiles_url = f"/staff/tiles/{name}/{{z}}/{{x}}/{{y}}.mvt?at={quote(written)}"
    now = datetime.now().astimezone()
    return render_template(
        "staff/layer.html",
        layer=definition,
        summary=summary,
        start=start,
        rights=rights,
        titles=titles,
        at=at,
        day=calendar_day(at or now),
        first_day=calendar_day(first or now),
        today=calendar_day(now),
        legend=legend(definition, language()),
        downloads=[kind for kind in DOWNLOADS if kind != "csv" or definition.geometry == "Point"],
        script=layer_map.layer_map_script(services().town, definition, tiles_url, language()),
        assets=layer_map,
    )


@blueprint.get("/tiles/<name>/<int:z>/<int:x>/<int:y>.mvt")
def show_layer_tile(name: str, z: int, x: int, y: int) -> Response:
    """Answer a vector tile under the role of the department: as of `?at=`, or with the attributes of `?draw=a,b`."""
    if z > _DEEPEST_ZOOM or not (0 <= x < 2**z and 0 <= y < 2**z):
        abort(404)
    at = parse_as_of(request.args.get("at"))
    tried = request.args.get("draw")
    with staff_connection() as connection:
        if tried is not None:
            tile = render_preview_tile(connection, find_layer(connection, name), z, x, y, tried.split(","))
        elif at is None:
            tile = render_tile(connection, name, z, x, y)
        else:
            tile = render_tile_at(connection, find_layer(connection, name), z, x, y, at)
    return Response(tile, mimetype="application/vnd.mapbox-vector-tile")


@blueprint.get("/layers/<name>/download.<kind>")
def download_layer(name: str, kind: str) -> Response:
    """Answer a layer as a file; personal attributes never leave this way."""
    if kind not in DOWNLOADS:
        abort(404)
    with tempfile.TemporaryDirectory(prefix="machimori-") as folder:
        path = Path(folder) / f"{name}.{kind}"
        with staff_connection() as connection:
            export_layer(connection, find_layer(connection, name), path)
        # Open files outlive their folder, so nothing stays behind when the reader goes away halfway.
        file = path.open("rb")
    return send_file(file, mimetype=DOWNLOADS[kind], as_attachment=True, download_name=path.name)


@blueprint.errorhandler(UnknownLayerError)
def _no_such_layer(error: UnknownLayerError) -> tuple[str, int]:
    heading, advice = gettext("There is no such layer"), gettext("Look for it in the list of layers.")
    return render_template("errors/error.html", status=404, heading=heading, advice=advice, detail=""), 404


@blueprint.errorhandler(NotAllowedError)
def _not_allowed(error: NotAllowedError) -> tuple[str, int]:
    """The database, not the view, refused it."""
    heading = gettext("Your department may not do this in this layer")
    advice = gettext("Nothing was changed. Ask the department that the layer belongs to.")
    return render_template("errors/error.html", status=403, heading=heading, advice=advice, detail=""), 403


def _first_change(connection: Connection, definition: Definition) -> datetime | None:
    query = sql.SQL(_QUERIES.sql("first_change")).format(history=sql.Identifier("history", definition.name))
    found = driver(connection).execute(query).fetchone()
    return None if found is None else found[0]


def middle_place(connection: Connection, summary: LayerSummary) -> tuple[float, float] | None:
    """Return (lon, lat) of a feature in the middle of a layer, None when it has no position at all."""
    if summary.extent is None:
        return None
    west, south, east, north = summary.extent
    table = sql.Identifier("layers", summary.definition.name)
    query = sql.SQL(_QUERIES.sql("middle_feature")).format(layer=table)
    return driver(connection).execute(query, {"lon": (west + east) / 2, "lat": (south + north) / 2}).fetchone()
