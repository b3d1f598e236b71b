"""Vector tiles for the map (Mapbox Vector Tile 2.1), drawn under the role `citizen`."""

from __future__ import annotations

import gzip

from flask import Blueprint, Response, abort, request

from layers.catalogue import UnknownLayerError
from layers.tiles import render_tile
from webmap.services import citizen_connection

blueprint = Blueprint("tiles", __name__)
_SECONDS_FRESH = 1  # an edit shows within a second; a proxy in front still answers a rush from one drawing
_DEEPEST_ZOOM = 22


@blueprint.get("/tiles/<layer>/<int:z>/<int:x>/<int:y>.mvt")
def show_tile(layer: str, z: int, x: int, y: int) -> Response:
    """Answer one tile: 304 when the reader has it, 404 when the layer is not public or the tile off the world."""
    if z > _DEEPEST_ZOOM or not (0 <= x < 2**z and 0 <= y < 2**z):
        abort(404)
    with citizen_connection() as connection:
        try:
            tile = render_tile(connection, layer, z, x, y)
        except UnknownLayerError:
            abort(404)
    response = Response(tile, mimetype="application/vnd.mapbox-vector-tile")
    response.cache_control.public = True
    response.cache_control.max_age = _SECONDS_FRESH
    response.add_etag()
    response.make_conditional(request)
    if response.status_code == 200 and request.accept_encodings.quality("gzip") > 0 and len(tile) > 1000:
        response.set_data(gzip.compress(tile, compresslevel=1, mtime=0))
        response.content_encoding = "gzip"
    response.vary.add("Accept-Encoding")
    return response
