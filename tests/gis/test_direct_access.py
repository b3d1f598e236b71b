"""The TCP port of the embedded server: chosen once, kept, and never a reason not to start."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from gis.direct_access import HOST, kept_port
from gis.embedded import embedded_cluster, running
from gis.settings import Settings


@pytest.fixture
def installation() -> Iterator[Settings]:
    with tempfile.TemporaryDirectory(prefix="mm-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        settings = Settings(var_dir=Path(folder) / "var")
        yield settings
        embedded_cluster(settings).stop()


def _setting(settings: Settings, name: str) -> str:
    with psycopg.connect(settings.owner_url()) as connection:
        row = connection.execute(f"SHOW {name}").fetchone()
    assert row is not None
    return str(row[0])


def test_the_port_stays_and_a_taken_one_keeps_nobody_from_starting(installation: Settings) -> None:
    with running(installation):
        port = int(_setting(installation, "port"))
        assert _setting(installation, "listen_addresses") == HOST
    with socket.create_server((HOST, port)), running(installation):
        assert _setting(installation, "listen_addresses") == ""
    with running(installation):
        assert int(_setting(installation, "port")) == port == kept_port(embedded_cluster(installation).folder)
        assert _setting(installation, "listen_addresses") == HOST
