"""What came in and could not be used: the reason, and the body exactly as it was received."""

from __future__ import annotations

from flask import Response, abort, render_template, request

from gis.queries import load_queries
from webmap.staff.access import blueprint, staff_connection

_QUERIES = load_queries(__file__)
_ROWS = 50


@blueprint.get("/ingest")
def show_dead_letters() -> str:
    """Show the dead letters, newest first, a page at a time (`?before=` an id)."""
    before = request.args.get("before", type=int)
    with staff_connection() as connection:
        letters = connection.execute(_QUERIES["dead_letters"], {"before": before, "most": _ROWS}).all()
    return render_template(
        "staff/ingest.html", letters=letters, oldest=letters[-1].id if len(letters) == _ROWS else None
    )


@blueprint.get("/ingest/documents/<int:document_id>")
def download_document(document_id: int) -> Response:
    """Answer a raw document as a plain-text attachment: what others sent must not run in our page."""
    with staff_connection() as connection:
        body = connection.execute(_QUERIES["document_body"], {"id": document_id}).scalar()
    if body is None:
        abort(404)
    response = Response(bytes(body), mimetype="text/plain")
    response.headers.set("Content-Disposition", "attachment", filename=f"document-{document_id}.txt")
    return response
