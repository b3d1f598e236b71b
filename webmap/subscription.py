"""A subscription's page: its places, its quiet hours, and its end by a button or by the mail program's one click.

RFC 8058: a mail program sends a POST without cookies or a person; scanners fetch links with GET, so
GET never acts. The token in the address is the key, so there is no cookie to forge and no CSRF token.
"""

from __future__ import annotations

import math
from datetime import time

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from sqlalchemy import Connection, text
from werkzeug.wrappers import Response as AnyResponse

from alerts import own_places
from gis.database import SERVICE
from gis.errors import UsageError
from webmap import town_map
from webmap.languages import gettext, language
from webmap.security import csrf
from webmap.services import citizen_connection, services
from webmap.spoken import say_error

blueprint = Blueprint("subscription", __name__)


@blueprint.after_request
def _keep_token_secret(response: Response) -> Response:
    """The address holds the token: no referrer, no cache, no search engine."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@blueprint.get("/subscription/<token>")
def show_subscription(token: str) -> str:
    """Show a subscription, the address masked; change nothing."""
    return _page(token)


@blueprint.post("/subscription/<token>")
@csrf.exempt  # type: ignore[untyped-decorator]  # flask-wtf has no types
def end_subscription(token: str) -> Response:
    """End a subscription: by the page's button, or by RFC 8058 one-click. Ending it twice is no error."""
    with citizen_connection() as connection:
        is_known = connection.execute(text("SELECT open.unsubscribe(:token)"), {"token": token}).scalar_one()
    if not is_known:
        abort(404)
    return make_response(_page(token))


@blueprint.post("/subscription/<token>/resume")
@csrf.exempt  # type: ignore[untyped-decorator]  # flask-wtf has no types
def resume_subscription(token: str) -> AnyResponse:
    """Send to an address again that was given up because it refused; what is in force comes within a minute."""
    with citizen_connection() as connection:
        resumed = connection.execute(text("SELECT open.resume_subscription(:token)"), {"token": token}).scalar_one()
    if not resumed:
        abort(404)
    return redirect(url_for(".show_subscription", token=token), 303)


@blueprint.post("/subscription/<token>/quiet")
@csrf.exempt  # type: ignore[untyped-decorator]  # flask-wtf has no types
def set_quiet_hours(token: str) -> AnyResponse | tuple[str, int]:
    """Set or end the hours in which lesser messages wait; both fields empty end them."""
    written = [request.form.get(name, "").strip() for name in ("from", "until")]
    try:
        begins, ends = (time.fromisoformat(value) if value else None for value in written)
    except ValueError:
        return _page(token, quiet_problem=gettext("A time is not written as 22:00.")), 400
    if (begins is None) != (ends is None) or (begins is not None and begins == ends):
        problem = gettext("Write both times, and two different ones; or leave both empty.")
        return _page(token, quiet_problem=problem), 400
    values = {"token": token, "begins": begins, "ends": ends}
    with citizen_connection() as connection:
        is_set = connection.execute(text("SELECT open.set_quiet_hours(:token, :begins, :ends)"), values).scalar_one()
    if not is_set:
        abort(404)
    return redirect(url_for(".show_subscription", token=token, saved="quiet") + "#quiet", 303)


@blueprint.post("/subscription/<token>/places")
@csrf.exempt  # type: ignore[untyped-decorator]  # flask-wtf has no types
def add_place(token: str) -> AnyResponse | tuple[str, int]:
    """Add a place: a drawn area, a point with a radius, or what has the name; a running warning follows in a minute."""
    try:
        with services().database.begin(SERVICE, account="subscriber") as connection:
            holder = own_places.lock_holder(connection, token)
            if holder is None:
                abort(404)
            _add(connection, holder)
    except UsageError as error:
        return _page(token, place_problem=str(say_error(error))), 400
    return redirect(url_for(".show_subscription", token=token, saved="place") + "#places", 303)


@blueprint.post("/subscription/<token>/places/remove")
@csrf.exempt  # type: ignore[untyped-decorator]  # flask-wtf has no types
def remove_place(token: str) -> AnyResponse:
    """Take a place away; one that is gone already is no error."""
    with services().database.begin(SERVICE, account="subscriber") as connection:
        holder = own_places.lock_holder(connection, token)
        if holder is None:
            abort(404)
        own_places.remove_places(connection, holder, request.form.getlist("id", type=int))
    return redirect(url_for(".show_subscription", token=token, saved="removed") + "#places", 303)


def _add(connection: Connection, holder: int) -> None:
    form, town = request.form, services().town
    name = " ".join(form.get("name", "").split())[: own_places.LONGEST_NAME]
    feature, drawn = form.get("feature", "").strip(), form.get("drawn", "").strip()
    lon, lat, radius_m = (form.get(field, math.nan, type=float) for field in ("lon", "lat", "radius_m"))
    if drawn:
        own_places.add_outline(connection, holder, name, drawn, town)
    elif not math.isnan(lon):
        own_places.add_spot(connection, holder, name, lon, lat, radius_m, town)
    elif feature:
        own_places.add_named(connection, holder, feature, name, town)
    else:
        raise UsageError("No place was named.", "Choose a name of the list, or tap the map.")


def _page(token: str, quiet_problem: str = "", place_problem: str = "") -> str:
    with citizen_connection() as connection:
        found = connection.execute(text("SELECT * FROM open.subscription(:token)"), {"token": token}).first()
        names = own_places.list_feature_names(connection)
    if found is None:
        abort(404)
    with services().database.begin(SERVICE, account="subscriber") as connection:
        places = own_places.list_own_places(connection, token)
    return render_template(
        "citizen/subscription.html",
        subscription=found,
        token=token,
        places=places,
        names=names,
        quiet_problem=quiet_problem,
        place_problem=place_problem,
        typed=request.form if place_problem else {},
        saved=request.args.get("saved", "") if not (quiet_problem or place_problem) else "",
        radii=own_places.RADII_M,
        longest_name=own_places.LONGEST_NAME,
        script=town_map.small_map_script(services().town, language()),
        assets=town_map,
        town=services().town,
    )
