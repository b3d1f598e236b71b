"""`user`: the logins of the city office."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gis.rights import ROLES
from gis.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection

HELP = "Keep the logins of the office: add, list, passwords, roles, departments, sessions; logins for QGIS."
EXAMPLE = (
    "./machimori user add tanaka --title 田中 --department disaster --role editor --role alert_author\n"
    "./machimori user roles tanaka --grant alert_approver --revoke editor\n"
    "./machimori user departments tanaka --join sewer\n"
    "./machimori user mail tanaka tanaka@city.example.jp\n"
    "./machimori user disable tanaka\n"
    "./machimori user totp-reset tanaka\n"
    "./machimori user sessions\n"
    "./machimori user db-login tanaka --department sewer"
)
_ASKED = "the password is asked for, or read from standard input"


def add_args(parser: argparse.ArgumentParser) -> None:
    """Declare the parts; the password is never an argument, since those are seen by everyone on the machine."""
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    add = parts.add_parser("add", help=f"add a login; {_ASKED}")
    add.add_argument("name", help="small letters, digits, dot, hyphen")
    add.add_argument("--title", required=True, help="the person's name or post")
    add.add_argument("--department", required=True, help="a department of data/departments.toml")
    add.add_argument("--role", action="append", choices=ROLES, help="may be repeated (default: viewer)")
    for part, words in _OF_ONE.items():
        parts.add_parser(part, help=words).add_argument("name")
    listing = parts.add_parser("list", help="list the logins with their departments and roles")
    listing.add_argument("--all", action="store_true", help="the disabled ones, too")
    roles = parts.add_parser("roles", help="show, give and take roles")
    roles.add_argument("name")
    roles.add_argument("--grant", action="append", default=[], choices=ROLES)
    roles.add_argument("--revoke", action="append", default=[], choices=ROLES)
    departments = parts.add_parser("departments", help="show, join and leave departments")
    departments.add_argument("name")
    departments.add_argument("--join", action="append", default=[], metavar="DEPARTMENT")
    departments.add_argument("--leave", action="append", default=[], metavar="DEPARTMENT")
    mail = parts.add_parser("mail", help="show or set where the office reaches a person about messages")
    mail.add_argument("name")
    mail.add_argument("address", nargs="?", help='an e-mail address; "" takes it away')
    parts.add_parser("sessions", help="who is logged in").add_argument("name", nargs="?")
    revoke = parts.add_parser("revoke", help="end a session, or all of a login")
    revoke.add_argument("session", help="the session's number, or a login's name")
    rule = parts.add_parser("second-factor", help="whether alert approvers and administrators need a second factor")
    rule.add_argument("rule", nargs="?", choices=("required", "optional"), help="without it: which of the two holds")
    _add_direct_args(parts)


_OF_ONE = {
    "passwd": f"set a new password, which ends all sessions; {_ASKED}",
    "disable": "close a login at once, that to the database too; the name stays in the history",
    "enable": "open a disabled login again",
    "totp-reset": "take away the second factor of someone who lost the phone; ends all sessions",
    "events": "what happened to a login, who did it and when",
}


def _add_direct_args(parts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
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
    """Do one part as the administering login, whose name stands in the log."""
    from gis.database import owner_engine
    from gis.db_login import end_db_connections

    password = _read_password() if args.part in ("add", "passwd") else ""
    engine = owner_engine(settings.owner_url())
    try:
        with engine.begin() as connection:
            if args.part in ("add", "passwd"):
                _keep_password(connection, args, password)
            else:
                _PARTS[args.part](connection, args)
        if args.part in ("roles", "departments", "disable"):
            with engine.begin() as connection:  # after the commit: see there
                end_db_connections(connection, args.name)
    finally:
        engine.dispose()
    return 0


def _keep_password(connection: Connection, args: argparse.Namespace, password: str) -> None:
    from gis.accounts import add_account, find_account
    from gis.passwords import set_password

    if args.part == "add":
        add_account(connection, args.name, args.title, args.department, password, roles=args.role or ["viewer"])
        print(f"{args.name} can log in now")
        account = find_account(connection, args.name)
        if account and account.must_enrol:
            print("  the first login begins with setting up an authenticator app: have the phone at hand")
    else:
        set_password(connection, args.name, password)
        print(f"{args.name} has a new password")


def _list(connection: Connection, args: argparse.Namespace) -> None:
    from gis.accounts import list_accounts

    for account in list_accounts(connection, args.all):
        roles = ",".join(role for role in ROLES if role in account.roles)
        state = ("\tsecond factor" if account.has_second_factor else "") + ("" if account.is_active else "\tdisabled")
        print(f"{account.name}\t{','.join(account.departments)}\t{roles}\t{account.title}{state}")


def _roles(connection: Connection, args: argparse.Namespace) -> None:
    from gis.accounts import find_account, grant_role, revoke_role

    for role in args.grant:
        grant_role(connection, args.name, role)
    for role in args.revoke:
        revoke_role(connection, args.name, role)
    account = find_account(connection, args.name)
    held = account.roles if account else frozenset()
    print(f"{args.name}: {', '.join(role for role in ROLES if role in held) or 'no roles'}")


def _departments(connection: Connection, args: argparse.Namespace) -> None:
    from gis.accounts import find_account, join_department, leave_department

    for department in args.join:
        join_department(connection, args.name, department)
    for department in args.leave:
        leave_department(connection, args.name, department)
    account = find_account(connection, args.name)
    print(f"{args.name}: {', '.join(account.departments) if account else 'no active login'}")


def _mail(connection: Connection, args: argparse.Namespace) -> None:
    from gis.accounts import find_account, set_email

    if args.address is not None:
        set_email(connection, args.name, args.address.strip())
    account = find_account(connection, args.name)
    print(f"{args.name}: {account.email or 'no address'}" if account else f"{args.name}: no active login")


def _disable(connection: Connection, args: argparse.Namespace) -> None:
    from gis.accounts import set_active
    from gis.db_login import list_db_logins, revoke_db_login
    from gis.desk_sessions import end_sessions

    set_active(connection, args.name, False)
    end_sessions(connection, args.name)
    if any(login.name == args.name for login in list_db_logins(connection)):
        revoke_db_login(connection, args.name)
    print(f"{args.name} is disabled")


def _enable(connection: Connection, args: argparse.Namespace) -> None:
    from gis.accounts import set_active

    set_active(connection, args.name, True)
    print(f"{args.name} is enabled")


def _reset(connection: Connection, args: argparse.Namespace) -> None:
    from gis.desk_sessions import end_sessions
    from gis.second_factor import remove_second_factor

    remove_second_factor(connection, args.name)
    end_sessions(connection, args.name)
    print(f"{args.name} logs in with the password alone, and sets up a new second factor where the roles need one")


def _second_factor(connection: Connection, args: argparse.Namespace) -> None:
    from gis.second_factor import is_required, set_rule

    if args.rule:
        set_rule(connection, args.rule == "required")
    print(f"for alert approvers and administrators: {'required' if is_required(connection) else 'optional'}")


def _sessions(connection: Connection, args: argparse.Namespace) -> None:
    from gis.desk_sessions import list_sessions

    for session in list_sessions(connection, args.name):
        print(
            f"{session.id}\t{session.account}\t{session.department}\tsince {session.created_at:%Y-%m-%d %H:%M}"
            f"\tseen {session.seen_at:%H:%M}\t{session.network}\t{session.user_agent}"
        )


def _revoke(connection: Connection, args: argparse.Namespace) -> None:
    from gis.desk_sessions import end_session, end_sessions

    if args.session.isdigit():
        end_session(connection, int(args.session))
        print(f"session {args.session} has ended")
    else:
        print(f"{end_sessions(connection, args.session)} sessions of {args.session} have ended")


def _events(connection: Connection, args: argparse.Namespace) -> None:
    from gis.accounts import list_events

    for event in list_events(connection, args.name):
        print(f"{event.at:%Y-%m-%d %H:%M:%S}\t{event.event}\t{event.detail}\tby {event.actor}")


def _db_logins(connection: Connection, args: argparse.Namespace) -> None:
    from gis.db_login import list_db_logins

    for login in list_db_logins(connection):
        rights = (
            f"{login.department}\t{'edits' if login.may_edit else 'sees'}" if login.department else "-\tcannot connect"
        )
        print(f"{login.name}\t{rights}")


def _db_login(connection: Connection, args: argparse.Namespace) -> None:
    from gis.db_login import connection_words, list_db_logins, make_db_login, revoke_db_login

    if args.revoke:
        revoke_db_login(connection, args.name)
        print(f"{args.name} can no longer connect to the database")
    else:
        given = _password_in(args.password_file) if args.password_file else None
        password = make_db_login(connection, args.name, args.department, given)
        may_edit = next(login.may_edit for login in list_db_logins(connection) if login.name == args.name)
        rights = "with the rights" if may_edit else "to see, not to edit, with the rights"
        print(f"{args.name} can connect to the database now, {rights} of {args.department}:")
        print(f"  {connection_words(connection, args.name)}")
        print(f"  password: {password}   (shown this once)" if given is None else "  password: as in the file")


_PARTS: dict[str, Callable[[Connection, argparse.Namespace], None]] = {
    "list": _list,
    "roles": _roles,
    "departments": _departments,
    "mail": _mail,
    "disable": _disable,
    "enable": _enable,
    "totp-reset": _reset,
    "second-factor": _second_factor,
    "sessions": _sessions,
    "revoke": _revoke,
    "events": _events,
    "db-login": _db_login,
    "db-logins": _db_logins,
}


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
