"""`worker`: takes jobs from the queue."""

from __future__ import annotations

import argparse

from gis.settings import Settings

HELP = "Run a worker alone: it takes jobs from the queue (any number, on any machine)."
EXAMPLE = "./machimori worker --concurrency 4"


def add_args(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--concurrency", type=int, default=3, help="jobs at once (default: 3)")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Work until SIGTERM or Ctrl-C."""
    from gis.logs import configure_logs
    from webmap.worker import run_worker

    configure_logs()
    run_worker(settings, args.concurrency)
    return 0
