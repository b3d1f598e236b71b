"""公開判断の机: what waits for a moderator, one incident with its whole story, and the decision about it."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, abort, flash, redirect, render_template, request, url_for
from markupsafe import Markup, escape
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from gis.errors import UsageError
from gis.queries import load_queries
from ingest import matching, moderation
from ingest.desk_door import log_step
from ingest.privacy import LEAST_HOUSEHOLDS
from ingest.redaction import find_personal
from webmap import incident_words, town_map
from webmap.languages import gettext, language
from webmap.services import services
from webmap.staff.access import blueprint, staff_account, staff_connection
from webmap.staff.citizen_reports import citizen_reports_of, set_public_reason

_QUERIES = load_queries(__file__)
_ROWS = 50


@blueprint.get("/incidents")
def show_queue() -> str:
    """Show what waits for a decision, the gravest and longest waiting first; filters by state, kind, source, mine."""
    page = max(request.args.get("page", 1, type=int), 1)
    wanted = request.args.get("state", "waiting")
    filters = {
        "wanted": wanted if wanted in incident_words.QUEUES else "waiting",
        "kind": request.args.get("kind", ""),
        "source": request.args.get("source", ""),
        "mine": request.args.get("mine") == "1",
        "account": staff_account().name,
    }
    with staff_connection() as connection:
        rows = connection.execute(_QUERIES["queue"], filters | {"first": (page - 1) * _ROWS, "most": _ROWS + 1}).all()
        sources = connection.execute(_QUERIES["sources"]).scalars().all()
    return render_template(
        "staff/incidents.html",
        incidents=rows[:_ROWS],
        has_more=len(rows) > _ROWS,
        page=page,
        filters=filters,
        sources=sources,
        desk=incident_words,
        may_moderate=staff_account().may("moderate"),
    )


@blueprint.get("/incidents/<int:fid>")
def show_desk_incident(fid: int) -> str:
    """Show one incident: what the sources said beside what the public reads, map, likeness, notes, and every step."""
    with staff_connection() as connection:
        return _render(connection, fid)


@blueprint.get("/incidents/<int:fid>.geojson")
def desk_incident_area(fid: int) -> Response:
    """Answer the public area, and the places that the sources named for who may read them."""
    with staff_connection() as connection:
        features = connection.execute(_QUERIES["features"], {"fid": fid}).scalar_one()
    return Response(features, mimetype="application/geo+json")


@blueprint.get("/incidents/households")
def count_area_households() -> dict[str, int]:
    """Answer how many households live in a drawn area (`?drawn=` a GeoJSON geometry), and how many it needs."""
    staff_account().require("moderate")
    with staff_connection() as connection:
        households = moderation.count_households(connection, request.args.get("drawn", ""))
    return {"households": households, "least": LEAST_HOUSEHOLDS}


@blueprint.post("/incidents/<int:fid>/<act>")
def moderate_incident(fid: int, act: str) -> AnyResponse | tuple[str, int]:
    """Do one act at the desk, in the name of the person logged in; a refusal keeps what was typed."""
    if act not in _ACTS:
        abort(404)
    staff_account().require("moderate")
    reason = request.form.get("reason", "").strip()[:500]
    try:
        with staff_connection() as connection:
            done = _ACTS[act](connection, fid, reason)
            following = connection.execute(_QUERIES["next_waiting"], {"fid": fid}).scalar()
    except UsageError as error:
        with staff_connection() as connection:
            return _render(connection, fid, error), 409 if isinstance(error, moderation.StaleIncident) else 400
    flash(done, "done")
    goes_on = request.form.get("next") == "1" and following is not None
    return redirect(url_for("staff.show_desk_incident", fid=following if goes_on else fid))


def _render(connection: Connection, fid: int, error: UsageError | None = None) -> str:
    incident = connection.execute(_QUERIES["incident"], {"fid": fid}).first()
    if incident is None:
        abort(404)
    may_moderate = staff_account().may("moderate")
    if may_moderate:
        connection.execute(_QUERIES["claim"], {"fid": fid, "account": staff_account().name})
    rows = {
        name: connection.execute(_QUERIES[name], {"fid": fid}).all()
        for name in ("reports", "members", "proposals", "steps", "notes")
    }
    return render_template(
        "staff/incident.html",
        incident=incident,
        error=error,
        needs_override=isinstance(error, moderation.NeedsOverride),
        typed=request.form,
        following=connection.execute(_QUERIES["next_waiting"], {"fid": fid}).scalar(),
        claimed_by=connection.execute(_QUERIES["claimed_by"], {"fid": fid}).scalar(),
        me=staff_account().name,
        may_moderate=may_moderate,
        desk=incident_words,
        marked=mark_findings,
        script=town_map.small_map_script(services().town, language()),
        assets=town_map,
        **rows,
    )


def mark_findings(words: str) -> Markup:
    """Return a source's words with what the redaction takes out marked."""
    parts, end = [], 0
    for finding in find_personal(words):
        parts += [escape(words[end : finding.start]), Markup("<mark>"), escape(words[finding.start : finding.end])]
        parts.append(Markup("</mark>"))
        end = finding.end
    return Markup("").join([*parts, escape(words[end:])])


def _version() -> int:
    return request.form.get("version", 0, type=int)


def _override() -> bool:
    return request.form.get("override") == "1"


def _publish(connection: Connection, fid: int, reason: str) -> str:
    moderation.decide(connection, fid, _version(), "published", reason, _override())
    return gettext("Published.")


def _hold(connection: Connection, fid: int, reason: str) -> str:
    moderation.decide(connection, fid, _version(), "held", reason)
    return gettext("Held back.")


def _reject(connection: Connection, fid: int, reason: str) -> str:
    reports, told = citizen_reports_of(fid), request.form.get("public_reason", "").strip()
    if reports and not told:
        raise UsageError("A citizen reported this.", "Write why it is not published; the citizen reads it.")
    if find_personal(told):
        raise UsageError("The words for the citizen may name a person.", "Write them without names and numbers.")
    moderation.decide(connection, fid, _version(), "rejected", reason or told)
    for citizen in reports:
        set_public_reason(connection, citizen["report"].id, told)
    return gettext("Rejected.")


def _text(connection: Connection, fid: int, reason: str) -> str:
    words = request.form.get("headline", ""), request.form.get("description", "")
    moderation.edit_text(connection, fid, _version(), *words, reason=reason, override=_override())
    return gettext("The public text is saved.")


def _area(connection: Connection, fid: int, reason: str) -> str:
    rule, drawn = request.form.get("rule", ""), request.form.get("drawn", "").strip()
    if rule == "drawn" and not drawn:
        raise UsageError("No area was drawn.", "Draw one, or choose a ready-made area.")
    if rule not in ("drawn", "reports"):
        drawn = moderation.wider_area(connection, fid, rule, services().town)
    drawn = "" if rule == "reports" else drawn
    moderation.set_area(connection, fid, _version(), drawn, reason, _override())
    return gettext("The area is set.")


def _resolve(connection: Connection, fid: int, reason: str) -> str:
    moderation.set_state(connection, fid, _version(), "resolved", reason)
    return gettext("Marked as over.")


def _reopen(connection: Connection, fid: int, reason: str) -> str:
    moderation.set_state(connection, fid, _version(), "open", reason)
    return gettext("Opened again.")


def _join(connection: Connection, fid: int, reason: str) -> str:
    lead = request.form.get("other", 0, type=int)
    matching.join(connection, fid, lead, reason)
    return gettext("Joined.")


def _split(connection: Connection, fid: int, reason: str) -> str:
    matching.split(connection, fid, reason)
    return gettext("Taken apart.")


def _keep(connection: Connection, fid: int, reason: str) -> str:
    matching.keep_apart(connection, fid, request.form.get("other", 0, type=int))
    log_step(connection, fid, "kept_apart", reason)
    return gettext("The proposal is put away.")


def _note(connection: Connection, fid: int, _reason: str) -> str:
    note = request.form.get("note", "").strip()[:2000]
    if not note:
        raise UsageError("The note is empty.", "Write something.")
    connection.execute(_QUERIES["add_note"], {"fid": fid, "note": note})
    return gettext("The note is saved.")


_ACTS: dict[str, Callable[[Connection, int, str], str]] = {
    "publish": _publish,
    "hold": _hold,
    "reject": _reject,
    "text": _text,
    "area": _area,
    "resolve": _resolve,
    "reopen": _reopen,
    "join": _join,
    "split": _split,
    "keep": _keep,
    "note": _note,
}
