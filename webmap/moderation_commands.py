"""The part of the command `ingest` that decides about incidents: for a night without a browser."""

from __future__ import annotations

import argparse

from sqlalchemy import text

from gis.accounts import find_account
from gis.database import GATE, Database
from gis.errors import UsageError
from gis.queries import load_queries
from ingest.moderation import Publication, decide

ACTION = "moderate"
_QUERIES = load_queries(__file__)
_DECISIONS: dict[str, Publication] = {"publish": "published", "hold": "held", "reject": "rejected"}


def add_action(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare `moderate`."""
    moderating = actions.add_parser("moderate", help="list the incidents that wait; publish, hold or reject one")
    moderating.add_argument("step", choices=("list", *_DECISIONS))
    moderating.add_argument("incident", type=int, nargs="?", help="number of the incident")
    moderating.add_argument("--as", dest="account", required=True, metavar="NAME", help="the moderator who decides")
    moderating.add_argument("--reason", default="", help="why; moderators read it")
    moderating.add_argument("--override", action="store_true", help="although the text may name a person; logged")


def run_action(database: Database, args: argparse.Namespace) -> int:
    """Do it in the name and with the rights of the account; return the exit code."""
    with database.begin(GATE) as connection:
        account = find_account(connection, args.account)
    if account is None:
        raise UsageError(f"There is no account {args.account!r}.", "See: ./machimori user list")
    account.require("moderate")
    with database.begin(account.role_name, account=account.name) as connection:
        if args.step == "list":
            for row in connection.execute(_QUERIES["waiting"]):
                print(f"{row.fid}  level {row.level}  {row.kind}  {row.publication}  {row.created_at:%Y-%m-%d %H:%M}")
                print(f"    {row.headline or ''}")
            return 0
        if args.incident is None:
            raise UsageError("Which incident?", "Give its number, as in: ingest moderate list")
        find = text("SELECT version FROM layers.incident WHERE fid = :fid")
        version = connection.execute(find, {"fid": args.incident}).scalar()
        if version is None:
            raise UsageError(f"There is no incident {args.incident}.", "See: ./machimori ingest moderate list")
        decide(connection, args.incident, version, _DECISIONS[args.step], args.reason, args.override)
    print(f"incident {args.incident}: {_DECISIONS[args.step]}")
    return 0
