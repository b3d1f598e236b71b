"""The one door to what the public reads of incidents: the database lets persons write it only through here."""

from __future__ import annotations

from sqlalchemy import Connection, text


def enter_desk(connection: Connection) -> None:
    """Say that the running transaction is the desk's: what follows has been, or is about to be, checked by its rules.

    Called by the functions that check (ingest/moderation.py, ingest/matching.py), never by a page. A person's own login
    stays outside whatever it says (`gis.is_at_desk`, migration 0024).
    """
    connection.execute(text("SELECT set_config('machimori.desk', 'on', true)"))
