"""Brings a file's work back: sent, looked at, conflicts chosen, applied as one changeset; what waits can wait."""

from __future__ import annotations

from dataclasses import dataclass

from flask import abort, flash, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import Connection
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from gis.errors import UsageError
from layers.changes import Conflict, Values
from layers.definition import Definition
from layers.editing_words import column_label, value_text
from layers.offline.changes import Choice
from layers.offline.checkin import CheckedIn, check_in
from layers.offline.desk import drop_file, find_definitions, keep_file, list_files, open_file, try_check_in
from layers.offline.reading import Checkout
from layers.shape_changes import read_geometry
from webmap.languages import gettext, language
from webmap.services import services
from webmap.staff.access import blueprint, limiter, staff_connection

_UPLOAD = "staff.receive_checkin"
_MOST_BYTES = 100_000_000
_MOST_REASON_LETTERS = 500
_MINE, _THEIRS = "mine", "theirs"


@dataclass(frozen=True)
class Side:
    """One column in dispute: its label and the three values in words. `key` names it in the form."""

    key: str
    label: str
    base: str
    theirs: str
    mine: str


@dataclass(frozen=True)
class Dispute:
    """A conflict as the page shows it."""

    layer: Definition
    fid: int
    title: str
    theirs_version: int
    sides: tuple[Side, ...]


@blueprint.url_value_preprocessor
def _allow_large_files(endpoint: str | None, _values: object) -> None:
    """Let a file be larger than other forms, for who is logged in: before anything reads the form."""
    if endpoint == _UPLOAD and current_user.is_authenticated:
        request.max_content_length = _MOST_BYTES


@blueprint.get("/checkin")
def choose_checkin() -> str:
    """Ask for a file and list those that wait."""
    return _ask()


@blueprint.post("/checkin")
@limiter.limit("30 per minute")
def receive_checkin() -> AnyResponse | tuple[str, int]:
    """Keep the file and lead on to what it would do."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return _ask(UsageError("No file came.", "Choose the GeoPackage that was taken out.")), 400
    try:
        with staff_connection() as connection:
            checkout = keep_file(connection, file.filename, file.read())
    except UsageError as error:
        return _ask(error), 400
    return redirect(url_for("staff.show_checkin", checkout_id=checkout.id), 303)


@blueprint.get("/checkin/<checkout_id>")
def show_checkin(checkout_id: str) -> str | tuple[str, int]:
    """Show what the file would add, change and delete, and its conflicts side by side; nothing is written."""
    is_left_out = request.args.get("left_out") == "1"
    with staff_connection() as connection:
        name, checkout = _open(connection, checkout_id)
        try:
            definitions = find_definitions(connection, [work.layer for work in checkout.layers])
            done = try_check_in(connection, checkout, definitions, is_left_out)
        except UsageError as error:
            return _show(checkout, name, [], is_left_out, error), 400
    return _show(checkout, name, done, is_left_out)


@blueprint.post("/checkin/<checkout_id>")
@limiter.limit("30 per minute")
def apply_checkin(checkout_id: str) -> AnyResponse | tuple[str, int]:
    """Apply the work and the choices in one changeset; what is not chosen waits, with the file."""
    reason = request.form.get("reason", "").strip()[:_MOST_REASON_LETTERS]
    is_left_out = request.form.get("left_out") == "1"
    here = url_for("staff.show_checkin", checkout_id=checkout_id, left_out="1" if is_left_out else None)
    if not reason:
        flash(gettext("Say why: the reason stays in the history."), "error")
        return redirect(here, 303)
    try:
        with staff_connection(reason) as connection:
            _, checkout = _open(connection, checkout_id)
            definitions = find_definitions(connection, [work.layer for work in checkout.layers])
            done = check_in(connection, checkout, definitions, reason, _read_choices(request.form), is_left_out)
            waiting = sum(len(one.outcome.conflicts) for one in done)
            if not waiting:
                drop_file(connection, checkout_id)
    except UsageError as error:
        with staff_connection() as connection:
            name, checkout = _open(connection, checkout_id)
        return _show(checkout, name, [], is_left_out, error), 400
    _report(done)
    return redirect(here if waiting else url_for("staff.choose_checkin"), 303)


@blueprint.post("/checkin/<checkout_id>/drop")
def drop_checkin(checkout_id: str) -> AnyResponse:
    """Forget a file that waits."""
    with staff_connection() as connection:
        drop_file(connection, checkout_id)
    flash(gettext("The file is forgotten. What of it came in stays in."))
    return redirect(url_for("staff.choose_checkin"), 303)


def _ask(error: UsageError | None = None) -> str:
    with staff_connection() as connection:
        files = list_files(connection)
    return render_template(
        "staff/checkin.html",
        files=files,
        error=error,
        most_mb=_MOST_BYTES // 1_000_000,
        kept_days=services().settings.checkin_days,
    )


def _open(connection: Connection, checkout_id: str) -> tuple[str, Checkout]:
    found = open_file(connection, checkout_id)
    if found is None:
        abort(404)
    return found


def _show(
    checkout: Checkout, name: str, done: list[CheckedIn], is_left_out: bool, error: UsageError | None = None
) -> str:
    disputes = [_dispute(one.definition, conflict) for one in done for conflict in one.outcome.conflicts]
    return render_template(
        "staff/checkin_work.html",
        checkout_id=checkout.id,
        name=name,
        done=done,
        disputes=disputes,
        is_left_out=is_left_out,
        error=error,
    )


def _dispute(definition: Definition, conflict: Conflict) -> Dispute:
    values = conflict.theirs or conflict.mine or conflict.base
    title = str(values.get(definition.key) or conflict.fid) if definition.key else str(conflict.fid)
    sides: tuple[Side, ...]
    if conflict.theirs is None or conflict.mine is None:
        here, gone = gettext("changed"), gettext("deleted")
        theirs, mine = (gone, here) if conflict.theirs is None else (here, gone)
        sides = (Side("*", gettext("Feature"), gettext("there"), theirs, mine),)
    else:
        states = (conflict.base, conflict.theirs, conflict.mine)
        sides = tuple(_side(definition, name, *states) for name in conflict.names)
    return Dispute(definition, conflict.fid, title, conflict.theirs_version, sides)


def _side(definition: Definition, name: str, base: Values, theirs: Values, mine: Values) -> Side:
    attribute = None if name == "geom" else definition.attribute(name)
    texts = [
        _place_text(values) if attribute is None else value_text(attribute, values.get(name), language())
        for values in (base, theirs, mine)
    ]
    return Side(name, column_label(name, attribute, language()), *texts)


def _place_text(values: Values) -> str:
    """A shape in words: where its middle is."""
    shape = read_geometry(values)
    if shape is None:
        return "–"
    return f"{shape.geom_type} {shape.centroid.y:.6f}, {shape.centroid.x:.6f}"


def _read_choices(form: MultiDict[str, str]) -> dict[tuple[str, int], Choice]:
    """Return the conflicts of which every column was chosen; a half chosen one waits."""
    found = {}
    for key, version in form.items():
        if not key.startswith("version/") or not version.isdecimal():
            continue
        _, layer, fid = key.split("/", 2)
        chosen = {name: form.get(f"choice/{layer}/{fid}/{name}") for name in form.getlist(f"column/{layer}/{fid}")}
        if fid.isdecimal() and chosen and set(chosen.values()) <= {_MINE, _THEIRS}:
            given = frozenset(name for name, choice in chosen.items() if choice == _THEIRS)
            found[layer, int(fid)] = Choice(int(version), given)
    return found


def _report(done: list[CheckedIn]) -> None:
    outcomes = [one.outcome for one in done]
    flash(
        gettext(
            "Checked in: %(added)s added, %(changed)s changed, %(deleted)s deleted, %(same)s were so already,"
            " %(waiting)s in conflict.",
            added=sum(len(one.inserted) for one in outcomes),
            changed=sum(len(one.updated) + len(one.restored) for one in outcomes),
            deleted=sum(len(one.deleted) for one in outcomes),
            same=sum(len(one.unchanged) for one in outcomes),
            waiting=sum(len(one.conflicts) for one in outcomes),
        )
    )
