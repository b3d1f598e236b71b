"""The sources at the desk: how each does, what came in, what could not be used, and what a person does about it."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from gis.errors import UsageError
from gis.queries import load_queries
from ingest.actions import note_view, parse_again, pause, resume, run_now
from ingest.alarms import standing_alarms
from ingest.clock import CLOCK_SILENCE_S
from ingest.overview import list_sources
from ingest.source import load_sources
from webmap import source_words
from webmap.languages import gettext
from webmap.spoken import say_error
from webmap.staff.access import blueprint, staff_account, staff_connection

_QUERIES = load_queries(__file__)
_ROWS = 50
_LATEST = 5


@blueprint.get("/ingest")
def show_sources() -> str:
    """Show every source with its health and cure, the standing alarms, and the latest of what could not be used."""
    with staff_connection() as connection:
        return render_template(
            "staff/sources.html",
            sources=list_sources(connection),
            alarms=standing_alarms(connection),
            clock=connection.execute(_QUERIES["clock"], {"silence_s": CLOCK_SILENCE_S}).first(),
            letters=connection.execute(_QUERIES["dead_letters"], _filters() | {"most": _LATEST}).all(),
            titles={source.name: source.title for source in load_sources().values()},
            account=staff_account(),
            source_words=source_words,
        )


@blueprint.get("/ingest/sources/<name>")
def show_source(name: str) -> str:
    """Show one source: its state, its runs a page at a time (`?before=` an id), and who did what to it."""
    with staff_connection() as connection:
        source = next((source for source in list_sources(connection) if source.name == name), None)
        if source is None:
            abort(404)
        runs = connection.execute(
            _QUERIES["runs"], {"source": name, "before": request.args.get("before", type=int), "most": _ROWS}
        ).all()
        return render_template(
            "staff/source.html",
            source=source,
            runs=runs,
            oldest=runs[-1].id if len(runs) == _ROWS else None,
            actions=connection.execute(_QUERIES["actions"], {"source": name, "most": 20}).all(),
            account=staff_account(),
            source_words=source_words,
        )


@blueprint.post("/ingest/sources/<name>/<any(run, pause, resume):action>")
def act_on_source(name: str, action: str) -> AnyResponse:
    """Run now, pause or resume, in the name of the person logged in."""
    account, reason = staff_account(), request.form.get("reason", "").strip()[:500]
    account.require("moderate")
    try:
        with staff_connection(reason) as connection:
            if action == "run":
                is_new = run_now(connection, name, account.name)
                message = gettext("It runs as soon as a worker is free.") if is_new else gettext("A run waits already.")
            elif action == "pause":
                pause(connection, name, reason)
                message = gettext("Paused.")
            else:
                resume(connection, name)
                message = gettext("Resumed; what came meanwhile is caught up.")
    except UsageError as error:
        flash(str(say_error(error)), "error")
    else:
        flash(message, "done")
    return redirect(url_for("staff.show_source", name=name))


@blueprint.get("/ingest/documents")
def show_documents() -> str:
    """Show what came in, newest first, by source and day, a page at a time."""
    with staff_connection() as connection:
        documents = connection.execute(_QUERIES["documents"], _filters() | {"most": _ROWS}).all()
    return render_template(
        "staff/documents.html",
        documents=documents,
        oldest=documents[-1].id if len(documents) == _ROWS else None,
        sources=load_sources().values(),
    )


@blueprint.get("/ingest/documents/<int:document_id>/details")
def show_document(document_id: int) -> str:
    """Show a document: what was read from it, and what could not be. Its body is a download."""
    with staff_connection() as connection:
        document = connection.execute(_QUERIES["document"], {"id": document_id}).first()
        if document is None:
            abort(404)
        values = {"id": document_id, "most": 200}
        return render_template(
            "staff/document.html",
            document=document,
            reports=connection.execute(_QUERIES["document_reports"], values).all(),
            letters=connection.execute(_QUERIES["document_letters"], values).all(),
            account=staff_account(),
        )


@blueprint.get("/ingest/rejected")
def show_dead_letters() -> str:
    """Show what could not be used, newest first, by source and day, a page at a time."""
    with staff_connection() as connection:
        letters = connection.execute(_QUERIES["dead_letters"], _filters() | {"most": _ROWS}).all()
    return render_template(
        "staff/ingest.html",
        letters=letters,
        oldest=letters[-1].id if len(letters) == _ROWS else None,
        sources=load_sources().values(),
        account=staff_account(),
    )


@blueprint.post("/ingest/documents/<int:document_id>/retry")
def retry_document(document_id: int) -> AnyResponse:
    """Have a document parsed again, because someone mended what rejected it."""
    staff_account().require("moderate")
    with staff_connection() as connection:
        is_written = parse_again(connection, document_id)
    if not is_written:
        abort(404)
    flash(gettext("It is read again as soon as a worker is free."), "done")
    return redirect(url_for("staff.show_document", document_id=document_id))


@blueprint.get("/ingest/documents/<int:document_id>")
def download_document(document_id: int) -> Response:
    """Answer a raw document as a plain-text attachment: what others sent must not run in our page.

    Who reads one that speaks of persons is noted, in the same transaction as the reading.
    """
    with staff_connection() as connection:
        body = connection.execute(_QUERIES["document_body"], {"id": document_id}).scalar()
        if body is None:
            abort(404)
        note_view(connection, document_id)
    response = Response(bytes(body), mimetype="text/plain")
    response.headers.set("Content-Disposition", "attachment", filename=f"document-{document_id}.txt")
    return response


def _filters() -> dict[str, Any]:
    """Read `?source=&day=&before=`; what is no date or number filters nothing."""
    return {
        "source": request.args.get("source") or None,
        "day": request.args.get("day", type=date.fromisoformat),
        "before": request.args.get("before", type=int),
    }
