"""Ports in use and ports that are none."""

from __future__ import annotations

import socket

import pytest

from gis.errors import UsageError
from webmap.ports import require_free_port


def test_a_port_in_use_is_told_with_another_to_try() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(UsageError, match=f"Port {port} is in use") as refusal:
            require_free_port("127.0.0.1", port)
    assert f"--port {port + 1}" in refusal.value.hint
    require_free_port("127.0.0.1", port)


def test_a_number_that_is_no_port_is_refused() -> None:
    with pytest.raises(UsageError, match="70000 is no port"):
        require_free_port("127.0.0.1", 70000)


def test_a_foreign_address_is_refused() -> None:
    with pytest.raises(UsageError, match=r"Cannot listen on 192\.0\.2\.1"):
        require_free_port("192.0.2.1", 8000)
