"""What a person does to a source: run now, pause, resume, parse again. Each leaves a row with the name.

Role: service, or `dept_disaster` for an account that holds the role moderator; the database refuses others.
"""

from __future__ import annotations

from sqlalchemy import Connection

from gis.errors import UsageError
from gis.jobs import enqueue
from gis.queries import load_queries
from ingest.clock import poll_lock
from ingest.source import find_source

_QUERIES = load_queries(__file__)


def run_now(connection: Connection, name: str, account: str) -> bool:
    """Write a job that asks the source, even while it is paused or its circuit open; False: one waits already.

    Raises
    ------
    UsageError : there is no such source, or nobody to ask.
    """
    if find_source(name).fetch is None:
        raise UsageError("The source %(name)s cannot be asked.", "It is pushed or replayed.", name=name)
    _act(connection, name, "run")
    return enqueue(connection, "ingest.poll", once=poll_lock(name), source=name, asked_by=account)


def pause(connection: Connection, name: str, reason: str) -> None:
    """Stop asking a source until someone resumes it.

    Raises
    ------
    UsageError : there is no such source, or no reason.
    """
    if not reason.strip():
        raise UsageError("A pause needs a reason.", "Say why, so that others know when to resume.")
    _act(connection, find_source(name).name, "pause", reason=reason.strip())


def resume(connection: Connection, name: str) -> None:
    """Ask a paused source again, at once: what came meanwhile is caught up.

    Raises
    ------
    UsageError : there is no such source.
    """
    _act(connection, find_source(name).name, "resume")


def parse_again(connection: Connection, document_id: int) -> bool:
    """Write a job that parses a document once more; False when its body is erased or it is not for these eyes."""
    document = connection.execute(_QUERIES["document_source"], {"id": document_id}).first()
    if document is None or document.is_erased:
        return False
    _act(connection, document.source, "retry", document_id)
    enqueue(connection, "ingest.retry", once=f"ingest.retry:{document_id}", document_id=document_id)
    return True


def note_view(connection: Connection, document_id: int) -> None:
    """Note that the running account read a body that speaks of persons."""
    document = connection.execute(_QUERIES["document_source"], {"id": document_id}).first()
    if document is not None and document.is_private:
        _act(connection, document.source, "view", document_id)


def _act(connection: Connection, source: str, action: str, document_id: int | None = None, reason: str = "") -> None:
    values = {"source": source, "action": action, "document_id": document_id, "reason": reason}
    connection.execute(_QUERIES["act"], values)
