"""What the tests of `ingest` share: a door that receives, and a look at the rows that came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from gis.database import SERVICE, Database
from ingest.documents import Origin, read_body
from ingest.processing import receive
from ingest.source import find_source
from ingest.summary import RunSummary
from tests.ingest.desk import people, post  # noqa: F401 (fixtures)
from tests.ingest.feed_server import FeedServer, serve

LIMIT = 20_000_000
Receive = Callable[..., RunSummary]
Rows = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def receive_jma(database: Database) -> Receive:
    """Receive telegrams as the source `jma`, one after the other."""

    def take(*bodies: bytes, origin: Origin = "replay", limit: int = LIMIT) -> RunSummary:
        summary = RunSummary()
        for number, body in enumerate(bodies):
            receive(database, find_source("jma"), origin, f"{number}.xml", read_body([body], limit), summary)
        return summary

    return take


@pytest.fixture
def rows(database: Database) -> Rows:
    """Return the rows of a query, run as the service role."""

    def query(sql: str, **values: object) -> list[dict[str, Any]]:
        with database.begin(SERVICE) as connection:
            return [dict(row) for row in connection.execute(text(sql), values).mappings()]

    return query


@pytest.fixture
def feed_server() -> Iterator[FeedServer]:
    """The other side of the internet, on the loopback."""
    server = FeedServer()
    http = serve(server)
    yield server
    http.shutdown()
    http.server_close()
