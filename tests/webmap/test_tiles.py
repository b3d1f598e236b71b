from __future__ import annotations

import gzip

import pytest
from flask.testing import FlaskClient

from gis.database import Database

# The tile of zoom 10 that holds the town's centre (lon 141.195, lat 38.405).
TILE = "10/913/393.mvt"


def test_a_public_layer_has_tiles(town_database: Database, client: FlaskClient) -> None:
    answer = client.get(f"/tiles/city_area/{TILE}")
    assert answer.status_code == 200
    assert answer.mimetype == "application/vnd.mapbox-vector-tile"
    assert b"city_area" in answer.data


def test_a_tile_that_did_not_change_is_not_sent_again(town_database: Database, client: FlaskClient) -> None:
    etag = client.get(f"/tiles/city_area/{TILE}").headers["ETag"]
    assert client.get(f"/tiles/city_area/{TILE}", headers={"If-None-Match": etag}).status_code == 304


def test_a_large_tile_is_compressed_for_those_who_can_read_it(town_database: Database, client: FlaskClient) -> None:
    plain = client.get(f"/tiles/base_road/{TILE}").data
    packed = client.get(f"/tiles/base_road/{TILE}", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain


@pytest.mark.parametrize("path", ["nothing/1/1/1", "city_area/3/8/0", "city_area/99/0/0", "pg_class/1/1/1"])
def test_what_is_no_tile_of_a_public_layer_is_404(town_database: Database, client: FlaskClient, path: str) -> None:
    assert client.get(f"/tiles/{path}.mvt").status_code == 404
