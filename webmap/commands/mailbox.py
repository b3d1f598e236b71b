"""`mailbox`: the local SMTP server that keeps every mail."""

from __future__ import annotations

import argparse
import asyncio
import signal

from gis.settings import Settings

HELP = "Run the local mailbox alone: an SMTP server that keeps every mail and sends none on."
EXAMPLE = "./machimori mailbox"
NEEDS_DATABASE = False


def add_args(parser: argparse.ArgumentParser) -> None:
    """Declare no arguments."""


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    asyncio.run(_serve(settings))
    return 0


async def _serve(settings: Settings) -> None:
    from webmap.mailbox_server import serve_mailbox

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve_mailbox(settings, stop)
