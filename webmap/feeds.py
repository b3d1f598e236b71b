"""The same as the board for machines and for the map: GeoJSON (RFC 7946) and Atom (RFC 4287)."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Blueprint, Response, abort, render_template, request, url_for
from sqlalchemy import Row

from webmap import board, wording
from webmap.citizen import asked_hazard
from webmap.event_times import occurred, told, told_iso
from webmap.languages import gettext, language
from webmap.services import citizen_connection, services

blueprint = Blueprint("feeds", __name__)
_SECONDS_FRESH = 10  # many browsers ask at once in a disaster; a proxy in front answers most of them


def _geojson(features: list[dict[str, Any]]) -> Response:
    """Answer a FeatureCollection with an ETag."""
    body = orjson.dumps({"type": "FeatureCollection", "features": features})
    return _answer(body, "application/geo+json")


def _answer(body: bytes | str, media_type: str) -> Response:
    """Answer a feed: shared for a few seconds, one per language, with an ETag."""
    response = Response(body, mimetype=media_type)
    response.cache_control.public = True
    response.cache_control.max_age = _SECONDS_FRESH
    response.vary.update(("Accept-Language", "Cookie"))
    response.add_etag()
    response.make_conditional(request)
    return response


def _feature(identity: int, geometry: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Return one Feature; `geometry` is GeoJSON text from the database and goes out as it is."""
    return {"type": "Feature", "id": identity, "geometry": orjson.Fragment(geometry), "properties": properties}


@blueprint.get("/feeds/incidents.geojson")
def incidents_geojson() -> Response:
    """Answer the active incidents."""
    with citizen_connection() as connection:
        rows = board.list_incident_features(connection)
    return _geojson([_feature(row.fid, row.geometry, _incident_properties(row)) for row in rows])


def _incident_properties(row: Row[Any]) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "event": row.event,
        "status": row.status,
        "state": row.state,
        "level": row.level,
        "title": wording.incident_title(row.event, row.kind, row.city_intensity),
        "mark": wording.drill_mark(row.status),
        "state_name": wording.code_name("incident_state", row.state),
        "occurred": occurred(row),
        "reported_at": told_iso(row, row.reported_at),
        "reported": told(row, row.reported_at),
        "is_demo": row.is_demo,
        "point": [row.lon, row.lat],
        "url": url_for("citizen.show_incident", fid=row.fid),
    }


@blueprint.get("/feeds/alerts.geojson")
def alerts_geojson() -> Response:
    """Answer the areas of the alerts in force."""
    with citizen_connection() as connection:
        rows = board.list_alert_features(connection, language())
    return _geojson([_feature(row.id, row.geometry, _alert_properties(row)) for row in rows])


def _alert_properties(row: Row[Any]) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "status": row.cap_status,
        "level": row.level,
        "event": row.event_name,
        "headline": row.headline,
        "mark": wording.drill_mark(row.cap_status),
        "area": wording.area_name(row.area_code, row.area_name),
        "sent_at": row.sent_at,
        "sent": wording.clock(row.sent_at),
        "expires_at": row.expires_at,
        "url": url_for("citizen.show_alert", alert_id=row.id),
    }


@blueprint.get("/shelters.geojson")
def shelters_geojson() -> Response:
    """Answer evacuation sites (with `?hazard=` only those safe in it) and, without a hazard, shelters."""
    hazard = asked_hazard()
    with citizen_connection() as connection:
        sites = board.list_sites(connection, hazard)
        shelters = [] if hazard else board.list_shelters(connection)
    features = [
        _place(row, "evacuation_site", row.site_id, [h for h in wording.HAZARDS if getattr(row, h)]) for row in sites
    ]
    features += [_place(row, "shelter", row.shelter_id, []) for row in shelters]
    return _geojson(features)


def _place(row: Row[Any], layer: str, identity: str, hazards: list[str]) -> dict[str, Any]:
    properties = {
        "layer": layer,
        "common_id": identity,
        "name": row.name,
        "address": row.address,
        "hazards": hazards,
        "hazard_names": [wording.phrase(wording.HAZARDS, hazard) for hazard in hazards],
        "capacity": row.capacity,
        "is_demo": row.is_demo,
        "source": row.source,
    }
    geometry = {"type": "Point", "coordinates": [round(row.lon, 6), round(row.lat, 6)]}
    return {"type": "Feature", "id": f"{layer}.{row.fid}", "geometry": geometry, "properties": properties}


@blueprint.get("/incidents/<int:fid>.geojson")
def incident_geojson(fid: int) -> Response:
    """Answer where one incident is."""
    with citizen_connection() as connection:
        incident = board.find_incident(connection, fid)
        geometry = board.incident_geometry(connection, fid)
    if incident is None or geometry is None:
        abort(404)
    properties = {"level": incident.level, "status": incident.status}
    return _geojson([_feature(fid, geometry, properties)])


@blueprint.get("/alerts/<int:alert_id>.geojson")
def alert_geojson(alert_id: int) -> Response:
    """Answer one alert's area."""
    with citizen_connection() as connection:
        found = board.find_alert(connection, alert_id)
        geometry = board.alert_geometry(connection, alert_id)
    if found is None or geometry is None:
        abort(404)
    properties = {"level": found[0].level, "status": found[0].cap_status}
    return _geojson([_feature(alert_id, geometry, properties)])


@blueprint.get("/feeds/alerts.atom")
def alerts_atom() -> Response:
    """Answer the latest alerts, in force or not, as Atom; each entry links its CAP message."""
    with citizen_connection() as connection:
        alerts = [
            *board.list_alerts(connection, language(), is_in_force=True, most=50),
            *board.list_alerts(connection, language(), is_in_force=False, most=50),
        ]
    alerts.sort(key=lambda alert: alert.sent_at, reverse=True)
    return _atom("feeds/alerts.xml", gettext("Warnings"), entries=alerts)


@blueprint.get("/feeds/incidents.atom")
def incidents_atom() -> Response:
    """Answer the latest incidents, active or over, as Atom."""
    with citizen_connection() as connection:
        incidents = [
            *board.list_incidents(connection, is_active=True, most=50),
            *board.list_incidents(connection, is_active=False, most=50),
        ]
    incidents.sort(key=lambda incident: incident.reported_at, reverse=True)
    return _atom("feeds/incidents.xml", gettext("Incidents"), entries=incidents)


def _atom(template: str, title: str, entries: list[Row[Any]]) -> Response:
    body = render_template(template, title=title, entries=entries, base_url=services().settings.base_url)
    return _answer(body, "application/atom+xml")
