"""`scheduler`: writes the periodic jobs."""

from __future__ import annotations

import argparse
import signal
import sys

from gis.settings import Settings

HELP = "Run a scheduler alone: one of them leads, the others stand by."
EXAMPLE = "./machimori scheduler"


def add_args(parser: argparse.ArgumentParser) -> None:
    """Declare no arguments."""


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Keep the clock until SIGTERM or Ctrl-C."""
    from gis.database import Database
    from gis.logs import configure_logs
    from webmap.scheduler import run_scheduler

    configure_logs()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    database = Database(settings.app_url(), pool_size=1)
    try:
        run_scheduler(database, settings)
    finally:
        database.dispose()
    return 0
