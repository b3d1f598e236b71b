"""A file into a layer that is there: mapped, tried out, then brought in as the person, with a reason."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from gis.errors import UsageError
from layers.catalogue import find_layer
from layers.definition import Definition
from layers.importer import ImportResult, import_features
from layers.refusals import refusals
from layers.rows import map_columns
from layers.sheets import ENCODINGS
from webmap.languages import gettext
from webmap.security import csrf
from webmap.services import services
from webmap.staff.access import blueprint, limiter, staff_account, staff_connection
from webmap.staff.rights import layer_rights
from webmap.staff.upload_form import FileForm, Look, first_rejections, look_into, read_file_form
from webmap.uploads import MOST_UPLOAD_BYTES, Upload, drop_upload, keep_upload, open_upload

_MOST_REASON_LETTERS = 500


@blueprint.get("/layers/<name>/import")
def choose_import(name: str) -> str:
    """Ask for a file."""
    return _ask_for_file(_find_editable(name))


@blueprint.post("/layers/<name>/import")
@csrf.exempt  # type: ignore[untyped-decorator]  # a file is larger than other forms may be: the limit first, then the token
@limiter.limit("30 per minute")
def receive_import(name: str) -> Response | tuple[str, int]:
    """Keep the files that were sent, and lead on to the trial."""
    request.max_content_length = MOST_UPLOAD_BYTES
    csrf.protect()
    definition = _find_editable(name)
    try:
        upload = keep_upload(services().settings, staff_account().name, request.files.getlist("file"))
    except UsageError as error:
        return _ask_for_file(definition, error), 400
    return redirect(url_for("staff.try_import", name=name, token=upload.token), 303)


@blueprint.route("/layers/<name>/import/<token>", methods=["GET", "POST"])
def try_import(name: str, token: str) -> str | Response | tuple[str, int]:
    """Say what the import would do, take corrections of the mapping, and do it."""
    definition = _find_editable(name)
    upload = open_upload(services().settings, staff_account().name, token)
    try:
        choices = upload.choices()
        if not choices:
            raise UsageError(
                "%(file)s holds no table with positions.", "Choose another file.", file=upload.files[0].name
            )
    except UsageError as error:
        return _ask_for_file(definition, error), 400
    trial = _try(definition, upload, choices)
    if request.form.get("action") != "save" or trial.error is not None:
        return _page(definition, choices, trial), (400 if trial.error and request.method == "POST" else 200)
    try:
        result = _bring_in(definition, trial)
    except UsageError as error:
        return _page(definition, choices, replace(trial, error=error)), 400
    drop_upload(services().settings, token)
    flash(
        gettext(
            "Imported: %(new)s new, %(changed)s changed, %(same)s unchanged, %(gone)s removed, %(left)s left out.",
            new=result.inserted,
            changed=result.updated,
            same=result.unchanged,
            gone=result.removed + result.demo_removed,
            left=result.rejected_rows,
        )
    )
    return redirect(url_for("staff.show_layer", name=name), 303)


@dataclass(frozen=True)
class _Trial:
    """What is known of the import. `mapping` is attribute → header ("" = none)."""

    asked: FileForm
    look: Look
    mapping: dict[str, str]
    result: ImportResult | None = None
    error: UsageError | None = None


def _try(definition: Definition, upload: Upload, choices: list[tuple[str, str]]) -> _Trial:
    asked = read_file_form(upload, choices, request.form)
    look = look_into(upload, asked, is_first=request.method == "GET")
    if look.file is None:
        return _Trial(asked, look, {}, error=look.error)
    asked = replace(asked, reading=replace(asked.reading, is_swapped=look.file.reading.is_swapped))
    trial = _Trial(asked, look, _read_mapping(definition, look, asked))
    try:
        with refusals(definition), staff_connection(_reason()) as connection:
            return replace(trial, result=_import(connection, definition, trial, is_dry_run=True))
    except UsageError as error:
        return replace(trial, error=error)


def _read_mapping(definition: Definition, look: Look, asked: FileForm) -> dict[str, str]:
    """The columns as a person chose them, or as their names say while the file is read for the first time so."""
    names = [attribute.name for attribute in definition.attributes if attribute.name != "is_demo"]
    file = look.file
    if file is None:
        return {}
    if request.form.get("read_as") == asked.signature:
        return {name: request.form.get(f"from_{name}", "") for name in names}
    # Nothing is required here: what is missing is said by the trial, beside the fields to mend it.
    lenient = replace(definition, attributes=tuple(replace(one, required=False) for one in definition.attributes))
    columns = map_columns(lenient, file)
    found = dict(zip((one.name for one in columns.attributes), columns.headers, strict=True))
    return {name: found.get(name, "") for name in names}


def _import(connection: Connection, definition: Definition, trial: _Trial, is_dry_run: bool) -> ImportResult:
    if trial.look.file is None:
        raise trial.look.error or UsageError("Nothing was read.", "Send the file again.")
    return import_features(
        connection,
        trial.look.file,
        definition,
        trial.asked.crs or None,
        chosen=trial.mapping,
        is_anywhere="is_anywhere" in request.form,
        # The trial shows every rejected row beside what the others would do; whether to leave them out is asked then.
        skips_rejected=is_dry_run or "skips_rejected" in request.form,
        removes_missing="removes_missing" in request.form,
        is_dry_run=is_dry_run,
    )


def _bring_in(definition: Definition, trial: _Trial) -> ImportResult:
    if not _reason():
        raise UsageError("There is no reason.", "Say why, for the history.")
    with refusals(definition), staff_connection(_reason()) as connection:
        return _import(connection, definition, trial, is_dry_run=False)


def _find_editable(name: str) -> Definition:
    with staff_connection() as connection:
        definition = find_layer(connection, name)
        if definition.is_service_edited or not layer_rights(connection)[name].may_edit:
            abort(403)
    return definition


def _page(definition: Definition, choices: list[tuple[str, str]], trial: _Trial) -> str:
    return render_template(
        "staff/import_layer_file.html",
        layer=definition,
        choices=choices,
        asked=trial.asked,
        look=trial.look,
        trial=trial,
        rejections=first_rejections(trial.result.rejected) if trial.result else (),
        encodings=ENCODINGS,
        plane_epsg=services().town.plane_epsg,
        ticked=request.form,
        reason=_reason(),
        most_reason_letters=_MOST_REASON_LETTERS,
    )


def _ask_for_file(definition: Definition, error: UsageError | None = None) -> str:
    return render_template(
        "staff/import_layer.html",
        layer=definition,
        error=error,
        most_mb=MOST_UPLOAD_BYTES // 1_000_000,
    )


def _reason() -> str:
    return request.form.get("reason", "").strip()[:_MOST_REASON_LETTERS]
