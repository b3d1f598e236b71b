"""A department makes a layer: from a file, guessed and corrected on one page, or line by line without one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from gis.errors import UsageError
from layers.catalogue import create_layer, load_layers
from layers.creating import Examination, draft_layer, examine, make_layer
from layers.definition import Definition
from layers.definition_check import GEOMETRIES, POSTGRES_TYPES
from layers.guessing import commonest_geometry, count_geometries
from layers.refusals import refusals
from layers.sheets import ENCODINGS
from webmap import town_map
from webmap.languages import gettext, language
from webmap.security import csrf
from webmap.services import services
from webmap.staff.access import blueprint, limiter, staff_account, staff_connection
from webmap.staff.draft_form import OWN_CODES, DraftForm, code_lists, form_of_draft, read_form, rearrange
from webmap.staff.upload_form import (
    FileForm,
    Look,
    first_rejections,
    look_into,
    preview_shapes,
    read_file_form,
    samples,
)
from webmap.uploads import MOST_UPLOAD_BYTES, UnknownUploadError, Upload, drop_upload, keep_upload, open_upload

_MOST_REASON_LETTERS = 500


@blueprint.get("/layers/new")
def choose_new_layer() -> str:
    """Ask for a file, or lead to the form without one."""
    _require_keeper()
    return _ask_for_file()


@blueprint.post("/layers/new")
@csrf.exempt  # type: ignore[untyped-decorator]  # a file is larger than other forms may be: the limit first, then the token
@limiter.limit("30 per minute")
def receive_new_layer() -> Response | tuple[str, int]:
    """Keep the files that were sent, and lead on to the correction."""
    request.max_content_length = MOST_UPLOAD_BYTES
    csrf.protect()
    _require_keeper()
    try:
        upload = keep_upload(services().settings, staff_account().name, request.files.getlist("file"))
    except UsageError as error:
        return _ask_for_file(error), 400
    return redirect(url_for("staff.correct_new_layer", token=upload.token), 303)


@blueprint.route("/layers/new/<token>", methods=["GET", "POST"])
def correct_new_layer(token: str) -> str | Response | tuple[str, int]:
    """Show what was understood of a file, take corrections, and make the layer."""
    _require_keeper()
    upload = open_upload(services().settings, staff_account().name, token)
    try:
        choices = upload.choices()
    except UsageError as error:
        return _ask_for_file(error), 400
    if not choices:
        return _ask_for_file(UsageError("%(file)s holds no table with positions.", "", file=upload.files[0].name)), 400
    step = _understand(upload, choices)
    if request.form.get("action") != "save" or step.error or step.definition is None:
        return _correction(upload, choices, step), (400 if step.error and request.method == "POST" else 200)
    try:
        _require_reason()
        return _save(upload, step)
    except UsageError as error:
        return _correction(upload, choices, replace(step, error=error)), 400


@blueprint.route("/layers/new/form", methods=["GET", "POST"])
def draw_up_new_layer() -> str | Response | tuple[str, int]:
    """Make a layer without a file: its attributes line by line."""
    _require_keeper()
    form = read_form(request.form) if request.method == "POST" else DraftForm()
    action = request.form.get("action", "add" if request.method == "GET" else "")
    if action != "save":
        return _blank_form(replace(form, lines=rearrange(form.lines, action)))
    # Without a file nothing is left out: every line that has a name counts.
    form = replace(form, lines=tuple(replace(line, is_taken=True) for line in form.lines if line.name or line.ja))
    try:
        _require_reason()
        definition = form.definition(staff_account().department)
        with refusals(definition), staff_connection(_reason()) as connection:
            create_layer(connection, definition)
    except UsageError as error:
        return _blank_form(form, error), 400
    flash(gettext("The layer was made."))
    return redirect(url_for("staff.show_layer", name=definition.name), 303)


@blueprint.errorhandler(UnknownUploadError)
def _no_such_upload(error: UnknownUploadError) -> tuple[str, int]:
    heading, advice = gettext("This file is not there any more"), gettext("It is kept for a day. Send it again.")
    return render_template("errors/error.html", status=404, heading=heading, advice=advice, detail=""), 404


@dataclass(frozen=True)
class _Step:
    """What is known so far. `error` is what hinders the next step."""

    asked: FileForm
    look: Look
    form: DraftForm | None = None
    definition: Definition | None = None
    examination: Examination | None = None
    error: UsageError | None = None
    is_anew: bool = False


def _understand(upload: Upload, choices: list[tuple[str, str]]) -> _Step:
    sent = request.form
    asked = read_file_form(upload, choices, sent)
    look = look_into(upload, asked, is_first=request.method == "GET")
    if look.file is None:
        return _Step(asked, look, error=look.error)
    asked = replace(asked, reading=replace(asked.reading, is_swapped=look.file.reading.is_swapped))
    # Columns that a person corrected stay corrected, until the file is read in another way.
    is_anew = sent.get("read_as") != asked.signature
    form = None
    try:
        form = _guess(look, sent.get("name", "")) if is_anew else read_form(sent)
        if is_anew and sent.get("name"):
            before = read_form(sent)
            form = replace(form, name=before.name, ja=before.ja, en=before.en, is_anywhere=before.is_anywhere)
        definition = form.definition(staff_account().department)
        _require_free(definition)
        examination = examine(look.file, definition, asked.crs or None)
    except UsageError as error:
        return _Step(asked, look, form, error=error, is_anew=is_anew)
    return _Step(asked, look, form, definition, examination, is_anew=is_anew)


def _guess(look: Look, name: str) -> DraftForm:
    if look.file is None:
        raise look.error or UsageError("Nothing was read.", "Send the file again.")
    stem = look.file.path.stem
    plain = "".join(letter for letter in stem.lower().replace("-", "_") if letter.isascii() and letter.isidentifier())
    suggestion = name or (plain[:40] if plain[:1].isalpha() else "my_layer")
    draft = draft_layer(look.file, suggestion, staff_account().department, stem, commonest_geometry(look.file))
    return form_of_draft(draft)


def _require_free(definition: Definition) -> None:
    with staff_connection() as connection:
        if definition.name in load_layers(connection):
            raise UsageError("There is a layer %(layer)s already.", "Choose another name.", layer=definition.name)


def _save(upload: Upload, step: _Step) -> Response:
    definition, file = step.definition, step.look.file
    if definition is None or file is None:
        raise UsageError("Nothing was read.", "Send the file again.")
    with refusals(definition), staff_connection(_reason()) as connection:
        result = make_layer(
            connection, file, definition, step.asked.crs or None, skips_rejected="skips_rejected" in request.form
        )
    drop_upload(services().settings, upload.token)
    flash(gettext("The layer was made; it has %(count)s features.", count=result.inserted))
    return redirect(url_for("staff.show_layer", name=definition.name), 303)


def _correction(upload: Upload, choices: list[tuple[str, str]], step: _Step) -> str:
    found = step.look.file
    rows = step.examination.rows if step.examination else ()
    return render_template(
        "staff/new_layer_file.html",
        upload=upload,
        choices=choices,
        asked=step.asked,
        look=step.look,
        form=step.form,
        step=step,
        geometries_found=count_geometries(found) if found else {},
        samples=(lambda header: samples(found, header)) if found else None,
        rejections=first_rejections(step.examination.rejected) if step.examination else (),
        shapes=preview_shapes(rows) if rows else "",
        encodings=ENCODINGS,
        plane_epsg=services().town.plane_epsg,
        skips_rejected="skips_rejected" in request.form,
        assets=town_map,
        script=town_map.small_map_script(services().town, language()) if rows else "",
        **_form_words(),
    )


def _blank_form(form: DraftForm, error: UsageError | None = None) -> str:
    return render_template("staff/new_layer_form.html", form=form, error=error, **_form_words())


def _ask_for_file(error: UsageError | None = None) -> str:
    return render_template("staff/new_layer.html", error=error, most_mb=MOST_UPLOAD_BYTES // 1_000_000)


def _form_words() -> dict[str, Any]:
    return {
        "geometries": GEOMETRIES,
        "types": tuple(POSTGRES_TYPES),
        "code_lists": code_lists(),
        "own_codes": OWN_CODES,
        "reason": _reason(),
        "most_reason_letters": _MOST_REASON_LETTERS,
    }


def _reason() -> str:
    return request.form.get("reason", "").strip()[:_MOST_REASON_LETTERS]


def _require_reason() -> None:
    if not _reason():
        raise UsageError("There is no reason.", "Say why, for the history.")


def _require_keeper() -> None:
    if not staff_account().may("manage_layers"):
        abort(403)
