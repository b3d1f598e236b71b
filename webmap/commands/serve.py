"""`serve`: the web server alone, for an installation on several machines."""

from __future__ import annotations

import argparse

from gis.settings import PROJECT_DIR, Settings

HELP = "Run the web server alone (for several machines; `up` runs it by itself)."
EXAMPLE = "./machimori serve --host 0.0.0.0 --port 8000"
NEEDS_DATABASE = False  # it starts, and says so at /readyz, while the database is down


def add_args(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: only this machine)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: 8000)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--threads", type=int, default=4, help="requests at once per process (default: 4)")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    from granian import Granian
    from granian.constants import Interfaces

    from webmap.ports import require_free_port

    require_free_port(args.host, args.port)
    Granian(
        "webmap.wsgi:app",
        address=args.host,
        port=args.port,
        interface=Interfaces.WSGI,
        workers=args.workers,
        blocking_threads=args.threads,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        websockets=False,
        working_dir=PROJECT_DIR,
    ).serve()
    return 0
