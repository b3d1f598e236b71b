"""The part of the command `ingest` that opens the push door: `secret`."""

from __future__ import annotations

import argparse

from gis.errors import UsageError
from gis.settings import Settings
from ingest.push_secrets import end_old_secret, make_push_secret
from ingest.source import find_source, load_sources

ACTION = "secret"


def add_action(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare `secret`."""
    making = actions.add_parser(
        ACTION,
        help="make the next secret of who pushes to /ingest/SOURCE; the one before it holds until --end-old",
        description="Make the next secret of a source that is pushed, and print it once. Give it to the sender on a "
        "safe way. The one before it holds on, so that nothing is lost while the sender changes over; end it then.",
    )
    making.add_argument("source", help="name of the source, e.g. fire")
    making.add_argument("--end-old", action="store_true", help="let only the newest secret hold, and make none")


def run_action(settings: Settings, args: argparse.Namespace) -> int:
    """Do it; return the exit code."""
    source = find_source(args.source)
    if not source.accepts:
        can = ", ".join(name for name, known in load_sources().items() if known.accepts)
        raise UsageError(f"The source {source.name} is not pushed.", f"These are: {can}.")
    if args.end_old:
        end_old_secret(settings, source)
        print(f"{source.name}: only the newest secret holds")
        return 0
    print(make_push_secret(settings, source))
    return 0
