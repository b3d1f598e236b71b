"""`user`: the logins of the city office."""

from __future__ import annotations

import argparse
import getpass
import sys

from gis.settings import Settings

HELP = "Add a staff login, change its password, list all."
EXAMPLE = (
    "./machimori user add tanaka --title 田中 --department disaster\n"
    "./machimori user passwd tanaka\n./machimori user list"
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


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do one part as the administering login."""
    from gis.accounts import add_account, list_accounts, set_password
    from gis.database import owner_engine

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


def _read_password() -> str:
    from gis.errors import UsageError

    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("Password (at least 10 characters): ")
    if getpass.getpass("The same again: ") != password:
        raise UsageError("The two passwords differ.", "Try again.")
    return password
