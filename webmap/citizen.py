"""The citizen's pages: map, board, incident, alert, places to flee to. They run as the role `citizen`."""

from __future__ import annotations

from flask import Blueprint, abort, render_template, request

from gis.errors import UsageError
from layers.legend import legend
from webmap import board, town_map
from webmap.languages import language
from webmap.services import citizen_connection, services
from webmap.wording import HAZARDS

blueprint = Blueprint("citizen", __name__)


@blueprint.app_context_processor
def _frame() -> dict[str, object]:
    """Give every template the town, and the banner's content as a function (the 500 page does not call it)."""
    return {"town": services().town, "frame_facts": _frame_facts}


def _frame_facts() -> dict[str, object]:
    with citizen_connection() as connection:
        return {
            "warnings": board.list_standing_warnings(connection, language()),
            "is_demonstration": board.is_demonstration(connection),
        }


def asked_hazard() -> str | None:
    """Return the request's `?hazard=`, None for all.

    Raises
    ------
    UsageError : no such hazard.
    """
    hazard = request.args.get("hazard") or None
    if hazard is not None and hazard not in HAZARDS:
        raise UsageError(
            "There is no hazard “%(name)s”.", "Known are: %(names)s.", name=hazard, names=", ".join(HAZARDS)
        )
    return hazard


@blueprint.get("/")
def show_map() -> str:
    """Show the map; its data come from the feeds."""
    base = town_map.load_base_layers()
    return render_template(
        "citizen/map.html",
        script=town_map.map_script(services().town, base, language()),
        assets=town_map,
        base_legend=[entry for definition in base for entry in legend(definition, language())],
    )


@blueprint.get("/list")
def show_list() -> str:
    """Show the same as the map without JavaScript."""
    with citizen_connection() as connection:
        return render_template(
            "citizen/list.html",
            alerts=board.list_alerts(connection, language(), is_in_force=True),
            past_alerts=board.list_alerts(connection, language(), is_in_force=False, most=20),
            incidents=board.list_incidents(connection, is_active=True),
            past_incidents=board.list_incidents(connection, is_active=False, most=20),
        )


@blueprint.get("/incidents/<int:fid>")
def show_incident(fid: int) -> str:
    """Show one incident with its timeline and the alerts about it."""
    with citizen_connection() as connection:
        incident = board.find_incident(connection, fid)
        if incident is None:
            abort(404)
        return render_template(
            "citizen/incident.html",
            incident=incident,
            timeline=board.list_timeline(connection, fid),
            alerts=board.list_alerts_of_incident(connection, language(), fid),
            script=town_map.small_map_script(services().town, language()),
            assets=town_map,
        )


@blueprint.get("/alerts/<int:alert_id>")
def show_alert(alert_id: int) -> str:
    """Show one alert in all languages, the reader's first."""
    with citizen_connection() as connection:
        found = board.find_alert(connection, alert_id)
        if found is None:
            abort(404)
        alert, texts = found
        return render_template(
            "citizen/alert.html",
            alert=alert,
            texts=sorted(texts, key=lambda text: text.language != language()),
            thread=board.list_alerts_of_incident(connection, language(), alert.incident_fid)
            if alert.incident_fid
            else [],
            script=town_map.small_map_script(services().town, language()),
            assets=town_map,
        )


@blueprint.get("/shelters")
def show_shelters() -> str:
    """Show evacuation sites and shelters as tables."""
    hazard = asked_hazard()
    with citizen_connection() as connection:
        return render_template(
            "citizen/shelters.html",
            hazard=hazard,
            sites=board.list_sites(connection, hazard),
            shelters=board.list_shelters(connection),
            sources=board.list_sources(connection),
        )
