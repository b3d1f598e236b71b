"""`up`: everything on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import sys

from gis.settings import Settings

HELP = "Start everything on this machine: database, pages, worker, scheduler, mailbox; Ctrl-C stops it."
EXAMPLE = "./machimori up\n./machimori up --port 8080"
NEEDS_DATABASE = False  # it starts the database itself, to say so


def add_args(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--port", type=int, default=8000, help="port of the pages (default: 8000)")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Run until SIGTERM or Ctrl-C."""
    from webmap.installation import run_installation

    return run_installation(settings, args.port, say)


def say(line: str) -> None:
    """Print one line at once, also into a pipe."""
    print(line, file=sys.stdout, flush=True)
