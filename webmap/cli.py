"""The command line: finds the command's file, runs it, and turns a person's mistakes into two lines."""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import signal
import sys
from collections.abc import Sequence
from typing import Protocol, cast

import psycopg
import sqlalchemy.exc

import webmap.commands
from gis.embedded import running
from gis.errors import UsageError
from gis.settings import Settings, load_settings

DESCRIPTION = "machimori (街守): one spatial database for a town."


class Command(Protocol):
    """What a file in `webmap/commands` offers; see there."""

    HELP: str
    EXAMPLE: str

    def add_args(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""

    def run(self, args: argparse.Namespace, settings: Settings) -> int:
        """Do it; return the exit code."""


def command_names() -> list[str]:
    """Return the names of all commands, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(webmap.commands.__path__))


def load_command(name: str) -> Command:
    """Import the file of one command."""
    return cast(Command, importlib.import_module(f"webmap.commands.{name}"))


def build_parser(names: Sequence[str]) -> argparse.ArgumentParser:
    """Return a parser that knows the named commands; fewer names make a faster start."""
    parser = argparse.ArgumentParser(prog="machimori", description=DESCRIPTION)
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in names:
        command = load_command(name)
        subparser = subparsers.add_parser(
            name,
            help=command.HELP,
            description=command.HELP,
            epilog=f"example:\n  {command.EXAMPLE.strip()}".replace("\n./", "\n  ./"),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_args(subparser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code: 0 done, 1 done in part, 2 bad input, 130 interrupted."""
    arguments = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if arguments[0] == "help":
        arguments = ["--help"]
    known = command_names()
    parser = build_parser([arguments[0]] if arguments[0] in known else known)
    args = _parse(parser, arguments)
    os.umask(0o022)  # the user that runs PostgreSQL must be able to enter our folders
    try:
        return _run(load_command(args.command), args)
    except UsageError as error:
        return _complain(error)
    except (sqlalchemy.exc.DBAPIError, psycopg.Error) as error:
        explained = _explain(error)
        if explained is None:
            raise
        return _complain(explained)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader (head, less) has seen enough; keep the interpreter from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parse(parser: argparse.ArgumentParser, arguments: list[str]) -> argparse.Namespace:
    name, *rest = arguments
    passes_on = name in command_names() and getattr(load_command(name), "PASSES_ON", False)
    if passes_on and rest[:1] not in (["-h"], ["--help"]):
        args = parser.parse_args([name])
        args.rest = rest
        return args
    return parser.parse_args(arguments)


def _run(command: Command, args: argparse.Namespace) -> int:
    settings = load_settings()
    if not getattr(command, "NEEDS_DATABASE", True):
        return command.run(args, settings)
    from webmap.readiness import require_schema

    with running(settings):
        require_schema(settings)
        return command.run(args, settings)


def _complain(error: UsageError) -> int:
    print(f"machimori: {error}", file=sys.stderr)
    return 2


def _explain(error: Exception) -> UsageError | None:
    """Return the mendable cause of a database error, None when it is a bug of ours."""
    cause = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) else error
    words = " ".join(str(cause).split())
    if isinstance(cause, psycopg.errors.DiskFull):
        return UsageError(f"The disk of the database is full: {words}", "Free some space and run the command again.")
    if isinstance(cause, psycopg.OperationalError) and getattr(cause, "sqlstate", None) is None:
        return UsageError(f"The database does not answer: {words}", "See what is wrong with: ./machimori doctor")
    if isinstance(cause, psycopg.errors.InvalidPassword | psycopg.errors.InvalidAuthorizationSpecification):
        return UsageError(
            f"The database refuses the login: {words}", "Check MACHIMORI_DATABASE_URL, or ./machimori db migrate"
        )
    return None


def _stop(*_: object) -> None:
    """Leave by the normal way, so that what was started is stopped."""
    sys.exit(143)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _stop)
    sys.exit(main())
