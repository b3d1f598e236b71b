"""How people's own programs (QGIS, psql) reach the embedded server: loopback TCP, with a password, as themselves.

The private socket trusts our own two logins; over TCP only members of `machimori_person` are heard
(`gis.db_login` makes them), so neither the superuser nor the application's login can be tried from there.
Whoever belongs to `machimori_owner` is refused first, since that belongs to `machimori_person` in order to pass it on.
"""

from __future__ import annotations

import hashlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, text

from gis.errors import UsageError

HOST = "127.0.0.1"
PERSON_ROLE = "machimori_person"
# Below the ports that the kernel gives to outgoing connections, and four digits long: the port is part of the
# socket's name, whose length is limited (gis.placement).
_FIRST_PORT = 5433
_PORT_COUNT = 500
_HBA = """\
# Written by machimori at every start; edits are lost.
local all         postgres,machimori_app            trust
host  all         +machimori_owner    all           reject
host  {databases} +{person}   {host}/32  scram-sha-256
host  all         all                 all           reject
"""


def server_options(folder: Path, databases: str) -> dict[str, str]:
    """Write the access rules of the cluster in `folder` and return the server's settings for them.

    The port is chosen once and kept, since it stands in people's projects. When something else took it the server
    starts without TCP: the pages must come up all the same.

    Parameters
    ----------
    databases : which databases people may enter, as pg_hba.conf writes them.
    """
    rules = folder / "pg_hba.conf"
    rules.write_text(_HBA.format(databases=databases, person=PERSON_ROLE, host=HOST))
    port = kept_port(folder)
    if port is None:
        port = _choose_port(folder)
        _port_file(folder).write_text(f"{port}\n")
    return {"port": str(port), "listen_addresses": HOST if _is_free(port) else "", "hba_file": str(rules)}


def link_socket(socket_dir: Path, port: str) -> None:
    """Let the private socket be found under libpq's standard port, whichever port TCP got."""
    (socket_dir / ".s.PGSQL.5432").symlink_to(f".s.PGSQL.{port}")


@dataclass(frozen=True)
class ServerAddress:
    """Where people's programs connect to."""

    host: str
    port: int
    database: str


def server_address(connection: Connection) -> ServerAddress:
    """Return the TCP address of the server behind a connection.

    Raises
    ------
    UsageError : the server is not reachable over TCP.
    """
    info = connection.connection.driver_connection.info  # type: ignore[union-attr]
    if not info.host.startswith("/"):
        return ServerAddress(info.host, info.port, info.dbname)
    query = text("SELECT current_setting('listen_addresses'), current_setting('port')::int")
    listens, port = connection.execute(query).one()
    if not listens:
        raise UsageError(
            "The database is not reachable over TCP: its port %(port)s was in use when it started.",
            "Stop what listens on %(host)s:%(port)s, then start machimori again.",
            host=HOST,
            port=port,
        )
    return ServerAddress(HOST, port, info.dbname)


def kept_port(folder: Path) -> int | None:
    """Return the TCP port of the cluster in `folder`, None before its first start."""
    try:
        return int(_port_file(folder).read_text())
    except FileNotFoundError:
        return None


def _port_file(folder: Path) -> Path:
    return folder / "port"


def _choose_port(folder: Path) -> int:
    # Each installation begins elsewhere, so that two that start at the same moment hardly meet.
    start = int(hashlib.sha256(os.fsencode(folder)).hexdigest(), 16)
    ports = [_FIRST_PORT + (start + step) % _PORT_COUNT for step in range(_PORT_COUNT)]
    return next((port for port in ports if _is_free(port)), ports[0])


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen(1)
        except OSError:
            return False
    return True
