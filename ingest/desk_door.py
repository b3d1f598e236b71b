"""The one door to what the public reads of incidents, and its book: persons write it only through here."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from gis.queries import load_queries

_QUERIES = load_queries(__file__)


def enter_desk(connection: Connection) -> None:
    """Say that the running transaction is the desk's: what follows has been, or is about to be, checked by its rules.

    Called by the functions that check (ingest/moderation.py, ingest/matching.py), never by a page. A person's own login
    stays outside whatever it says (`gis.is_at_desk`, migration 0024). The changeset gets no reason: every department
    reads those, for ever, and a moderator's words may speak of persons. They stand in the book (`log_step`).
    """
    connection.execute(_QUERIES["enter"])


def log_step(connection: Connection, fid: int, act: str, reason: str, overrode: Sequence[str] = ()) -> None:
    """Add one act to the story of an incident, signed by who is acting; moderators alone read it."""
    connection.execute(
        _QUERIES["log_step"], {"fid": fid, "act": act, "reason": reason.strip(), "overrode": list(overrode)}
    )
