"""What of citizens' reports only moderators see: words, contact, photos; a photo's publication; senders shut out.

The database decides who that is (row policies of `ingest.citizen_report` and its companions).
"""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from gis.errors import UsageError
from gis.queries import load_queries
from ingest.citizen_words import load_citizen_words
from layers.attachment_files import clean_file
from layers.attachments import StoredFile, add_attachment, change_attachment, remove_attachment
from layers.catalogue import find_layer
from layers.photo_covering import Rectangle, cover_photo
from webmap.attachment_answer import serve_file
from webmap.languages import language
from webmap.services import services
from webmap.staff.access import blueprint, staff_account, staff_connection

_QUERIES = load_queries(__file__)
_ROWS = 50
_RECTANGLES = 6
_MOST_HOURS = 720
_SIDES = ("left", "top", "width", "height")


@blueprint.get("/reports")
def show_citizen_reports() -> str:
    """Show the reports, newest first, a page at a time (`?before=` a number), and who is shut out."""
    before = request.args.get("before", type=int)
    with staff_connection() as connection:
        rows = connection.execute(_QUERIES["reports"], {"before": before, "most": _ROWS}).all()
        blocks = connection.execute(_QUERIES["blocks"]).all()
    oldest = rows[-1].id if len(rows) == _ROWS else None
    return render_template("staff/citizen_reports.html", reports=rows, blocks=blocks, oldest=oldest, w=_words())


@blueprint.get("/reports/<int:report>")
def show_citizen_report(report: int) -> str:
    """Show one report with all that its sender told."""
    with staff_connection() as connection:
        facts = _facts(connection, report)
    if facts is None:
        abort(404)
    return render_template("staff/citizen_report.html", citizen=facts, w=_words())


@blueprint.post("/reports/<int:report>/reason")
def set_citizen_reason(report: int) -> AnyResponse:
    """Set what the reporter reads when the report is not published."""
    with staff_connection("the reason that the reporter reads") as connection:
        set_public_reason(connection, report, request.form.get("reason", ""))
    return _back(report)


@blueprint.post("/reports/<int:report>/block")
def block_citizen(report: int) -> AnyResponse:
    """Shut a report's network or device out for some hours."""
    what, reason = request.form.get("what", ""), request.form.get("reason", "").strip()[:500]
    hours = request.form.get("hours", 0, type=int)
    if what not in ("network", "device") or not reason or not 1 <= hours <= _MOST_HOURS:
        raise UsageError(_words()["staff_block"], _words()["staff_block_reason"])
    with staff_connection(reason) as connection:
        values = {"id": report, "what": what, "hours": hours, "reason": reason}
        if connection.execute(_QUERIES["block"], values).first() is None:
            flash(_words()["staff_no_device"], "error")
            return redirect(url_for("staff.show_citizen_report", report=report))
    return _back(report)


@blueprint.post("/reports/blocks/<int:block>/lift")
def lift_citizen_block(block: int) -> AnyResponse:
    """End a sender's time out; the row stays as the log."""
    with staff_connection() as connection:
        connection.execute(_QUERIES["lift"], {"id": block, "account": staff_account().name})
    flash(_words()["staff_done"])
    return redirect(url_for("staff.show_citizen_reports"))


@blueprint.get("/reports/photos/<int:photo>/file")
def show_citizen_photo(photo: int) -> AnyResponse:
    """Answer a photo as it was sent (cleaned), or small with `?small=1`."""
    is_small = "small" in request.args
    with staff_connection() as connection:
        row = _photo(connection, photo, is_small)
    kind = "image/jpeg" if is_small else row.media_type
    return serve_file(StoredFile(kind, f"photo-{photo}", row.sha256, bytes(row.body)), is_shared=False)


@blueprint.get("/reports/photos/<int:photo>")
def cover_citizen_photo(photo: int) -> str:
    """Show the page where parts of a photo are covered before it is published."""
    with staff_connection() as connection:
        row = _photo(connection, photo, is_small=True)
    return render_template("staff/citizen_photo.html", photo=row, rectangles=_RECTANGLES, sides=_SIDES, w=_words())


@blueprint.post("/reports/photos/<int:photo>")
def publish_citizen_photo(photo: int) -> AnyResponse:
    """Publish a photo beside its incident, covered where asked; what was published of it before is replaced."""
    words, caption = _words(), request.form.get("caption", "").strip()[:500]
    if "checked" not in request.form:
        flash(words["staff_check_first"], "error")
        return redirect(url_for("staff.cover_citizen_photo", photo=photo))
    rectangles = read_rectangles(request.form)
    with staff_connection(words["staff_photo_reason"]) as connection:
        row = _photo(connection, photo, is_small=False)
        found = connection.execute(_QUERIES["report"], {"id": row.report_id}).one()
        if found.incident_fid is None:
            raise UsageError(words["staff_not_placed"], "")
        definition = find_layer(connection, "incident")
        if row.attachment is not None:
            remove_attachment(connection, definition, row.attachment)
        body = cover_photo(bytes(row.body), row.media_type, rectangles).body
        file = clean_file("photo.jpg", body, services().settings.max_attachment_bytes)
        most = services().settings.max_attachments
        attachment = add_attachment(connection, definition, found.incident_fid, file, most, caption)
        change_attachment(connection, definition, attachment, 1, caption, is_public=True)
        _note(connection, photo, attachment)
    return _back(row.report_id)


@blueprint.post("/reports/photos/<int:photo>/hide")
def hide_citizen_photo(photo: int) -> AnyResponse:
    """Take a published photo back."""
    with staff_connection() as connection:
        row = _photo(connection, photo, is_small=True)
        if row.attachment is not None:
            remove_attachment(connection, find_layer(connection, "incident"), row.attachment)
            _note(connection, photo, None)
    return _back(row.report_id)


def set_public_reason(connection: Connection, report: int, reason: str) -> None:
    """Set what the reporter reads when the report is not published. Role: a moderator."""
    connection.execute(_QUERIES["set_reason"], {"id": report, "reason": reason.strip()[:500]})


def citizen_reports_of(fid: int) -> list[dict[str, Any]]:
    """Return the citizens' reports of an incident, for `parts/citizen_report.html`; none for who may not see them."""
    with staff_connection() as connection:
        found = connection.execute(_QUERIES["of_incident"], {"fid": fid}).scalars()
        return [facts for facts in (_facts(connection, report) for report in list(found)) if facts]


def read_rectangles(form: Any) -> list[Rectangle]:
    """Read the rectangles of a form (percent) as parts of the picture; those not filled in are left out.

    Raises
    ------
    UsageError : one is no rectangle. A photo must not go out with a part uncovered that somebody meant to cover.
    """
    found: list[Rectangle] = []
    for number in range(1, _RECTANGLES + 1):
        written = [form.get(f"{side}_{number}", "").strip() for side in _SIDES]
        if not any(written):
            continue
        try:
            left, top, width, height = (float(part) / 100 for part in written)
        except ValueError:
            raise _no_rectangle(number) from None
        if not (0 <= left <= 1 and 0 <= top <= 1 and 0 < width <= 1 and 0 < height <= 1):
            raise _no_rectangle(number)
        found.append((left, top, width, height))
    return found


def _no_rectangle(number: int) -> UsageError:
    words = _words()
    return UsageError(words["staff_rectangle"].replace("{number}", str(number)), words["staff_cover_hint"])


def _facts(connection: Connection, report: int) -> dict[str, Any] | None:
    found = connection.execute(_QUERIES["report"], {"id": report}).first()
    if found is None:
        return None
    return {
        "report": found,
        "words": connection.execute(_QUERIES["words"], {"reference": found.reference}).all(),
        "photos": connection.execute(_QUERIES["photos"], {"id": report}).all(),
    }


def _photo(connection: Connection, photo: int, is_small: bool) -> Any:
    row = connection.execute(_QUERIES["photo"], {"id": photo, "is_small": is_small}).first()
    if row is None:
        abort(404)
    return row


def _note(connection: Connection, photo: int, attachment: int | None) -> None:
    account = staff_account().name if attachment is not None else None
    connection.execute(_QUERIES["note_publication"], {"id": photo, "attachment": attachment, "account": account})


def _back(report: int) -> AnyResponse:
    flash(_words()["staff_done"])
    return redirect(url_for("staff.show_citizen_report", report=report))


def _words() -> dict[str, str]:
    return load_citizen_words(language())


@blueprint.context_processor
def _windows() -> dict[str, object]:
    """Let the page of an incident look up what citizens said."""
    return {"citizen_reports_of": citizen_reports_of, "citizen_words": _words}
