from __future__ import annotations

from flask.testing import FlaskClient
from lxml import etree

from gis.database import Database

ATOM = {"a": "http://www.w3.org/2005/Atom"}


def test_the_incident_feed_has_geometry_in_lon_lat_order(warned_town: Database, client: FlaskClient) -> None:
    features = client.get("/feeds/incidents.geojson?lang=en").get_json()["features"]
    by_kind = {feature["properties"]["kind"]: feature for feature in features}
    assert by_kind["earthquake"]["geometry"]["coordinates"][:2] == [142.9, 38.0]
    assert by_kind["tsunami"]["geometry"]["type"] == "MultiPolygon"
    lon, lat = by_kind["tsunami"]["properties"]["point"]
    assert 141 < lon < 142 and 38 < lat < 39
    assert by_kind["earthquake"]["properties"]["title"] == "Earthquake, intensity 6 upper"


def test_the_alert_feed_has_only_what_is_in_force(warned_town: Database, client: FlaskClient) -> None:
    (feature,) = client.get("/feeds/alerts.geojson?lang=en").get_json()["features"]
    assert feature["properties"]["level"] == 5
    assert feature["properties"]["area"] == "Higashi-Matsushima City"


def test_a_feed_that_did_not_change_is_not_sent_again(warned_town: Database, client: FlaskClient) -> None:
    first = client.get("/feeds/alerts.geojson")
    again = client.get("/feeds/alerts.geojson", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304 and again.data == b""


def test_the_shelter_feed_with_a_hazard_has_only_sites_safe_in_it(town_database: Database, client: FlaskClient) -> None:
    everything = client.get("/shelters.geojson").get_json()["features"]
    safe = client.get("/shelters.geojson?hazard=tsunami").get_json()["features"]
    assert {feature["properties"]["layer"] for feature in everything} == {"evacuation_site", "shelter"}
    assert 0 < len(safe) < len(everything)
    assert all("tsunami" in feature["properties"]["hazards"] for feature in safe)


def test_atom_feeds_are_well_formed_and_link_pages(warned_town: Database, client: FlaskClient) -> None:
    alerts = etree.fromstring(client.get("/feeds/alerts.atom").data)
    entries = alerts.findall("a:entry", ATOM)
    assert len(entries) == 2, "the warning and its update"
    newest = entries[0].findall("a:link", ATOM)
    assert newest[0].get("href").startswith("http://127.0.0.1:8000/alerts/")
    assert newest[1].get("type") == "application/cap+xml"
    incidents = etree.fromstring(client.get("/feeds/incidents.atom").data)
    assert len(incidents.findall("a:entry", ATOM)) == 2


def test_atom_escapes_what_others_wrote(warned_town: Database, client: FlaskClient) -> None:
    with warned_town.begin("machimori_service") as connection:
        connection.exec_driver_sql("UPDATE layers.incident SET headline = '<script>&'")
    feed = etree.fromstring(client.get("/feeds/incidents.atom").data)
    assert feed.findtext("a:entry/a:summary", namespaces=ATOM) == "<script>&"
