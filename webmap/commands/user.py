"""`user`: the logins of the city office."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path

from gis.settings import Settings

HELP = "Add a staff login, change its password, list all; give a person a login to the database for QGIS."
EXAMPLE = (
    "./machimori user add tanaka --title 田中 --department disaster\n"
    "./machimori user passwd tanaka\n./machimori user list\n"
    "./machimori user db-login tanaka --department sewer\n"
    "./machimori user db-login tanaka --revoke"
)


def add_args(parser: argparse.ArgumentParser) -> None:
    """Declare the parts; the password is never an argument, since those are seen by everyone on the machine."""
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    add = parts.add_parser("add", help="add a login; the password is asked for, or read from standard input")
    add.add_argument("name", help="small letters, digits, dot, hyphen")
    add.add_argument("--title", required=True, help="the person's name or post")
    add.add_argument("--department", required=True, help="a department of data/departments.toml")
    passwd = parts.add_parser("passwd", help="set a new password")
    passwd.add_argument("name")
    parts.add_parser("list", help="list the active logins")
    direct = parts.add_parser(
        "db-login", help="let a person's QGIS connect to the database, with a department's rights"
    )
    direct.add_argument("name", help="the person's name, as the history will call them")
    what = direct.add_mutually_exclusive_group(required=True)
    what.add_argument("--department", help="a department of data/departments.toml; again: another one, a new password")
    what.add_argument("--revoke", action="store_true", help="end the login and its open connections")
    direct.add_argument(
        "--password-file", type=Path, metavar="FILE", help="its first line is the password (default: one is made)"
    )
    parts.add_parser("db-logins", help="list the persons who may connect to the database")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do one part as the administering login."""
    from gis.accounts import add_account, list_accounts, set_password
    from gis.database import owner_engine

    if args.part.startswith("db-"):
        return _run_direct(args, settings)
    password = "" if args.part == "list" else _read_password()
    engine = owner_engine(settings.owner_url())
    try:
        with engine.begin() as connection:
            if args.part == "add":
                add_account(connection, args.name, args.title, args.department, password)
                print(f"{args.name} can log in now")
            elif args.part == "passwd":
                set_password(connection, args.name, password)
                print(f"{args.name} has a new password")
            else:
                for account in list_accounts(connection):
                    print(f"{account.name}\t{account.department}\t{account.title}")
    finally:
        engine.dispose()
    return 0


def _run_direct(args: argparse.Namespace, settings: Settings) -> int:
    from gis.database import owner_engine
    from gis.db_login import connection_words, list_db_logins, make_db_login, revoke_db_login

    engine = owner_engine(settings.owner_url())
    try:
        with engine.begin() as connection:
            if args.part == "db-logins":
                for login in list_db_logins(connection):
                    print(f"{login.name}\t{login.department}")
            elif args.revoke:
                revoke_db_login(connection, args.name)
                print(f"{args.name} can no longer connect to the database")
            else:
                given = _password_in(args.password_file) if args.password_file else None
                password = make_db_login(connection, args.name, args.department, given)
                print(f"{args.name} can connect to the database now, with the rights of {args.department}:")
                print(f"  {connection_words(connection, args.name)}")
                print(f"  password: {password}   (shown this once)" if given is None else "  password: as in the file")
    finally:
        engine.dispose()
    return 0


def _password_in(path: Path) -> str:
    from gis.errors import UsageError

    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", "Give a text file with the password.") from error
    return lines[0].strip() if lines else ""


def _read_password() -> str:
    from gis.errors import UsageError

    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("Password (at least 10 characters): ")
    if getpass.getpass("The same again: ") != password:
        raise UsageError("The two passwords differ.", "Try again.")
    return password
