"""`db`: the database itself."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

from gis.settings import Settings

HELP = "Migrate the database, look into it, back it up, restore it."
EXAMPLE = (
    "./machimori db migrate\n./machimori db shell\n./machimori db backup town.dump\n"
    "./machimori db restore town.dump --yes"
)
NEEDS_DATABASE = False  # each part says itself what it needs


def add_args(parser: argparse.ArgumentParser) -> None:
    """Declare the parts."""
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    parts.add_parser("migrate", help="bring the database to the present schema")
    parts.add_parser("shell", help="open psql as the administering login")
    backup = parts.add_parser("backup", help="write the whole database to a file")
    restore = parts.add_parser("restore", help="replace the database by a backup")
    for part in (backup, restore):
        part.add_argument("file", type=Path, help="the backup's file")
    backup.add_argument("--yes", action="store_true", help="overwrite the file")
    restore.add_argument("--yes", action="store_true", help="replace a database that holds data")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do one part with the database running."""
    from gis.embedded import running

    with running(settings):
        return {"migrate": _migrate, "shell": _shell, "backup": _backup, "restore": _restore}[args.part](args, settings)


def _migrate(args: argparse.Namespace, settings: Settings) -> int:
    from gis.migrate import head_revision
    from webmap.schema import migrate_everything

    migrate_everything(settings)
    print(f"the database is at migration {head_revision()}")
    return 0


def _shell(args: argparse.Namespace, settings: Settings) -> int:
    from gis.servers import find_server_binaries

    return subprocess.run([str(find_server_binaries() / "psql"), settings.owner_url()]).returncode


def _backup(args: argparse.Namespace, settings: Settings) -> int:
    from webmap.backup import backup

    size_bytes = backup(settings, args.file, args.yes)
    print(f"{args.file}: {size_bytes / 1e6:.1f} MB")
    return 0


def _restore(args: argparse.Namespace, settings: Settings) -> int:
    from webmap.backup import restore
    from webmap.schema import migrate_everything

    restore(settings, args.file, args.yes)
    migrate_everything(settings)
    print(f"the database is as it was in {args.file}")
    return 0
