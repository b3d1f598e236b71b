"""Takes layers out for work without a network: which, where, how large; and who has what out."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import shapely
from flask import Response, redirect, render_template, request, send_file, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from gis.errors import UsageError
from layers.areas import MOST_NAMES
from layers.catalogue import load_layers
from layers.definition import Definition
from layers.offline.checkout import DAYS_OUT, check_out
from layers.offline.desk import list_out, measure
from webmap import town_map
from webmap.languages import language
from webmap.services import services
from webmap.staff.access import blueprint, limiter, staff_connection
from webmap.staff.places import PlaceChoice, read_choice
from webmap.staff.rights import layer_rights, role_titles

_MEDIA_TYPE = "application/geopackage+sqlite3"
_SIDES = ("west", "south", "east", "north")
_BACKGROUNDS = ("base_water", "base_building", "base_road", "city_area")


@blueprint.get("/layers/<name>/checkout")
def check_layer_out(name: str) -> AnyResponse:
    """Lead to the form with this layer chosen."""
    return redirect(url_for("staff.choose_checkout", layer=name))


@blueprint.get("/checkout")
def choose_checkout() -> str | tuple[str, int]:
    """Show the form, the size of what is chosen, and what is out."""
    return _page()


@blueprint.post("/checkout")
@limiter.limit("30 per minute")
def take_out() -> Response | str | tuple[str, int]:
    """Answer the file, as the person's department may read it; before that its size, when that was asked."""
    if request.form.get("action") in ("size", "places"):
        return _page()
    with tempfile.TemporaryDirectory(prefix="machimori-") as folder:
        path = Path(folder) / f"field-{datetime.now().astimezone():%Y%m%d-%H%M}.gpkg"
        try:
            with staff_connection() as connection:
                chosen = _chosen(connection, request.form.getlist("layer"))
                grounds = _find(connection, _BACKGROUNDS) if request.form.get("background") else []
                rights = layer_rights(connection)
                editable = [one for one in chosen if rights[one.name].may_edit]
                if editable:
                    # Work in the others could never come back, so they go along to be looked at.
                    grounds, chosen = [*grounds, *(one for one in chosen if one not in editable)], editable
                box = _places_box(read_choice(connection)) or _box(request.form.get)
                due_on = datetime.now().astimezone().date() + timedelta(days=DAYS_OUT)
                names = "en" if language() == "en" else "ja"
                check_out(connection, chosen, path, box, backgrounds=grounds, due_on=due_on, language=names)
        except UsageError as error:
            return _page(error), 400
        # Open files outlive their folder, so nothing stays behind when the reader goes away halfway.
        file = path.open("rb")
    return send_file(file, mimetype=_MEDIA_TYPE, as_attachment=True, download_name=path.name)


def _page(error: UsageError | None = None) -> str:
    asked = request.form if request.method == "POST" else request.args
    names = asked.getlist("layer")
    counts: dict[str, int] = {}
    size_bytes = 0
    with staff_connection() as connection:
        rights = layer_rights(connection)
        choice = read_choice(connection)
        around = _places_box(choice)
        layers = [one for one in load_layers(connection).values() if one.name in rights and rights[one.name].may_see]
        if names and error is None and request.method == "POST":
            try:
                chosen = _chosen(connection, names)
                counts, size_bytes = measure(connection, chosen, around or _box(asked.get))
            except UsageError as problem:
                error = problem
        out, titles = list_out(connection), role_titles(connection)
    layers.sort(key=lambda one: (not rights[one.name].may_edit, one.owner, one.name_in(language())))
    return render_template(
        "staff/checkout.html",
        layers=layers,
        rights=rights,
        titles=titles,
        out=out,
        layer_names={one.name: one.name_in(language()) for one in layers},
        chosen=names,
        box=dict(zip(_SIDES, (round(side, 6) for side in around), strict=True))
        if around
        else {side: asked.get(side, "") for side in _SIDES},
        choice=choice,
        most_names=MOST_NAMES,
        has_background=bool(asked.get("background")) or not names,
        counts=counts,
        size_mb=max(size_bytes / 1_000_000, 0.1),
        days=DAYS_OUT,
        error=error,
        script=town_map.small_map_script(services().town, language()),
        assets=town_map,
    )


def _chosen(connection: Connection, names: Sequence[str]) -> list[Definition]:
    if not names:
        raise UsageError("No layer is chosen.", "Choose at least one layer.")
    return _find(connection, names)


def _find(connection: Connection, names: Sequence[str]) -> list[Definition]:
    layers, rights = load_layers(connection), layer_rights(connection)
    return [layers[name] for name in dict.fromkeys(names) if name in layers and rights[name].may_see]


def _places_box(choice: PlaceChoice) -> tuple[float, float, float, float] | None:
    """Return the box around the places that are ticked, None when none is."""
    if choice.picked is None:
        return None
    west, south, east, north = shapely.from_geojson(choice.picked.geojson).bounds
    return west, south, east, north


def _box(read: Callable[[str], str | None]) -> tuple[float, float, float, float]:
    """Return the box that was asked for; nothing at all is the town's surroundings."""
    written = [(read(side) or "").strip() for side in _SIDES]
    if not any(written):
        return services().town.bbox
    try:
        west, south, east, north = (float(value) for value in written)
    except ValueError:
        west = south = east = north = math.nan
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise UsageError("This is no box.", "Give west, south, east and north in degrees, the west being less.")
    return west, south, east, north
