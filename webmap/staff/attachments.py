"""Photos and documents beside a feature: the panel, adding, describing, ordering, removing, and the bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import Connection
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

from gis.errors import UsageError
from layers.attachment_files import clean_file
from layers.attachment_history import changeset_events, feature_events
from layers.attachment_words import RefusedFileError, load_attachment_words
from layers.attachments import (
    Identity,
    UnknownAttachmentError,
    add_attachment,
    change_attachment,
    drop_offer,
    erase_attachment,
    find_attachment,
    list_attachments,
    may_attach,
    order_attachments,
    read_attachment,
    remove_attachment,
    restore_attachment,
)
from layers.catalogue import find_layer
from layers.changes import Update
from layers.definition import Definition
from layers.editing import apply_changes
from layers.file_kinds import ENDINGS, PICTURES
from layers.grants import may_manage
from layers.refusals import ChangedMeanwhileError
from layers.viewing import find_feature
from webmap.attachment_answer import serve_file
from webmap.errors import missing_page
from webmap.languages import language
from webmap.services import services
from webmap.staff.access import blueprint, staff_account, staff_connection
from webmap.staff.rights import layer_rights

# What a file chooser offers; what is taken, the content decides.
ACCEPTED_KINDS = ",".join([*PICTURES, *sorted({end for kind, end in ENDINGS.items() if kind not in PICTURES})])
_UPLOAD = "staff.add_attachments"
_MOST_LETTERS = 500
# A form without JavaScript sends several files in one request.
_FILES_PER_REQUEST = 5
_FORM_BYTES = 100_000


@blueprint.url_value_preprocessor
def _allow_large_uploads(endpoint: str | None, _values: object) -> None:
    """Let a request with files be larger than others, for who is logged in: before anything reads its form."""
    if endpoint == _UPLOAD and current_user.is_authenticated:
        most = services().settings.max_attachment_bytes
        request.max_content_length = most * _FILES_PER_REQUEST + _FORM_BYTES


@blueprint.get("/layers/<name>/features/<int:fid>/attachments")
def show_attachments(name: str, fid: int) -> str:
    """Answer the panel alone, for the editor."""
    with staff_connection() as connection:
        facts = attachment_facts(connection, find_layer(connection, name), fid)
    return render_template("staff/attachments.html", files=facts)


def attachment_facts(connection: Connection, definition: Definition, fid: int) -> dict[str, Any]:
    """Return what the panel shows: files, words, and what the reader may do."""
    settings = services().settings
    found = list_attachments(connection, definition, fid, with_removed=True)
    return {
        "layer": definition,
        "fid": fid,
        "attachments": [one for one in found if not one.is_removed],
        "removed_attachments": [one for one in found if one.is_removed],
        "may_attach": may_attach(connection, definition, fid),
        "may_erase": may_manage(connection, definition, staff_account()),
        "most": settings.max_attachments,
        "megabytes": settings.max_attachment_bytes // 1_000_000,
        "attachment_words": load_attachment_words(language()),
        "fill": fill_words,
        "size": _size_text,
        "kinds": ACCEPTED_KINDS,
    }


@blueprint.context_processor
def _windows() -> dict[str, Callable[..., dict[str, Any]]]:
    """Let the pages of a feature and of a changeset look up what is attached."""
    return {"feature_files": _feature_files, "changeset_files": _changeset_files}


def _feature_files(definition: Definition, fid: int) -> dict[str, Any]:
    with staff_connection() as connection:
        events = feature_events(connection, definition, fid)
        return {**attachment_facts(connection, definition, fid), "events": events}


def _changeset_files(changeset: int) -> dict[str, Any]:
    with staff_connection() as connection:
        events = changeset_events(connection, changeset)
        rights = layer_rights(connection) if events else {}
    return {
        "events": events,
        # Only what spares a vain try; whether it may be done, the database decides.
        "may_take_back": bool(events) and all(rights[event.layer].may_edit for event in events),
        "attachment_words": load_attachment_words(language()),
        "fill": fill_words,
    }


@blueprint.post("/layers/<name>/features/<int:fid>/attachments")
def add_attachments(name: str, fid: int) -> AnyResponse:
    """Attach the files of a form, each for itself: what is refused is told, the others are kept."""
    words = load_attachment_words(language())
    files = [file for file in request.files.getlist("files") if file.filename]
    told = [_add_one(name, fid, file) for file in files] or [words["refused_no_file"]]
    problems = [problem for problem in told if problem]
    if _wants_json():
        return _json(problems)
    for file, problem in zip(files, told, strict=False):
        flash(problem or fill_words("added_one", name=file.filename), "error" if problem else "done")
    if not files:
        flash(words["refused_no_file"], "error")
    return _back(name, fid)


@blueprint.post("/attachments/<int:attachment>/<act>")
def act_on_attachment(attachment: int, act: str) -> AnyResponse:
    """Describe, order, remove, bring back or erase a file; use or decline the place that a photo told."""
    if act not in _ACTS:
        raise UnknownAttachmentError
    reason = request.form.get("reason", "").strip()[:_MOST_LETTERS]
    try:
        with staff_connection(reason or load_attachment_words(language())["act_reason"]) as connection:
            found = find_attachment(connection, attachment)
            _ACTS[act](connection, find_layer(connection, found.layer), found, attachment)
    except ChangedMeanwhileError:
        problem = load_attachment_words(language())["changed_meanwhile"]
        return _json([problem], 409) if _wants_json() else _tell(problem, found)
    return _json([]) if _wants_json() else _tell(load_attachment_words(language())["done"], found, "done")


@blueprint.get("/attachments/<int:attachment>")
def show_attachment(attachment: int) -> Response:
    """Answer a file: a picture to look at, a document to save."""
    with staff_connection() as connection:
        file = read_attachment(connection, attachment, is_small=False)
    return serve_file(file, is_shared=False)


@blueprint.get("/attachments/<int:attachment>/thumbnail")
def show_thumbnail(attachment: int) -> Response:
    """Answer the small picture of a photo."""
    with staff_connection() as connection:
        file = read_attachment(connection, attachment, is_small=True)
    return serve_file(file, is_shared=False)


blueprint.register_error_handler(UnknownAttachmentError, missing_page)


def _add_one(name: str, fid: int, file: FileStorage) -> str:
    """Return "" when the file is attached, else why not."""
    settings = services().settings
    words = load_attachment_words(language())
    reason = request.form.get("reason", "").strip()[:_MOST_LETTERS] or words["added_reason"]
    try:
        body = file.stream.read(settings.max_attachment_bytes + 1)
        clean = clean_file(file.filename or "", body, settings.max_attachment_bytes)
        with staff_connection(reason) as connection:
            definition = find_layer(connection, name)
            caption = request.form.get("caption", "").strip()[:_MOST_LETTERS]
            add_attachment(connection, definition, fid, clean, settings.max_attachments, caption)
    except RefusedFileError as error:
        return fill_words("not_added", name=file.filename or "", problem=error.text(language()))
    return ""


def _change(connection: Connection, definition: Definition, _found: Identity, attachment: int) -> None:
    version = request.form.get("version", type=int) or 0
    caption = request.form.get("caption", "").strip()[:_MOST_LETTERS]
    change_attachment(connection, definition, attachment, version, caption, "is_public" in request.form)


def _move(step: int) -> Callable[[Connection, Definition, Identity, int], None]:
    def move(connection: Connection, definition: Definition, found: Identity, attachment: int) -> None:
        ids = [one.id for one in list_attachments(connection, definition, found.fid)]
        if attachment in ids:
            place = ids.index(attachment)
            ids.insert(max(0, place + step), ids.pop(place))
            order_attachments(connection, definition, found.fid, ids)

    return move


def _remove(connection: Connection, definition: Definition, _found: Identity, attachment: int) -> None:
    remove_attachment(connection, definition, attachment)


def _restore(connection: Connection, definition: Definition, _found: Identity, attachment: int) -> None:
    restore_attachment(connection, definition, attachment)


def _erase(connection: Connection, definition: Definition, _found: Identity, attachment: int) -> None:
    reason = request.form.get("reason", "").strip()[:_MOST_LETTERS]
    if not reason:
        raise UsageError("The reason is missing.", "Say why; it stays on record.")
    erase_attachment(connection, definition, attachment, reason)


def _use_place(connection: Connection, definition: Definition, found: Identity, attachment: int) -> None:
    """Move the feature to where the photo was taken, as an edit like any other."""
    offered = next((one for one in list_attachments(connection, definition, found.fid) if one.id == attachment), None)
    feature = find_feature(connection, definition, found.fid)
    if offered is None or offered.offered_lon is None or feature is None:
        raise UnknownAttachmentError
    place = {"type": "Point", "coordinates": [offered.offered_lon, offered.offered_lat]}
    reason = load_attachment_words(language())["offer_used_reason"]
    apply_changes(connection, definition, [Update(feature.fid, feature.version, {}, place)], reason)
    drop_offer(connection, attachment)


def _decline_place(connection: Connection, _definition: Definition, _found: Identity, attachment: int) -> None:
    drop_offer(connection, attachment)


_ACTS: Mapping[str, Callable[[Connection, Definition, Identity, int], None]] = {
    "change": _change,
    "earlier": _move(-1),
    "later": _move(1),
    "remove": _remove,
    "restore": _restore,
    "erase": _erase,
    "use-place": _use_place,
    "decline-place": _decline_place,
}


def _wants_json() -> bool:
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


def _json(problems: list[str], status: int = 422) -> Response:
    answer = jsonify(problems=problems)
    answer.status_code = status if problems else 200
    return answer


def _tell(message: str, found: Identity, kind: str = "error") -> AnyResponse:
    flash(message, kind)
    return _back(found.layer, found.fid)


def _back(name: str, fid: int) -> AnyResponse:
    return redirect(url_for("staff.show_feature", name=name, fid=fid, _anchor="attachments"))


def fill_words(key: str, **values: object) -> str:
    """Return a text of `data/attachments.toml` in the reader's language, its {blanks} filled."""
    text = load_attachment_words(language())[key]
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def _size_text(byte_size: int) -> str:
    return f"{byte_size / 1_000_000:.1f} MB" if byte_size >= 1_000_000 else f"{max(1, round(byte_size / 1000))} kB"
