"""The parts of the command `ingest` that forget: what is due, what a person asks for, and what must be kept."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Sequence

from gis.database import SERVICE, Database
from ingest.retention import Forgotten, erase_report, forget, hold, plan

ACTIONS = ("forget", "erase", "hold")
_SHOWN_IDS = 20


def add_actions(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare `forget`, `erase` and `hold`."""
    forgetting = actions.add_parser("forget", help="forget what has been kept long enough; the clock does it hourly")
    forgetting.add_argument("--dry-run", action="store_true", help="say what is due, and forget nothing")
    erasing = actions.add_parser("erase", help="erase one report at once, because a person asks for it")
    erasing.add_argument("report", type=int, help="number of the report")
    erasing.add_argument("--reason", required=True, help="who asked for it and when; it stands in the log")
    holding = actions.add_parser("hold", help="keep an incident from being erased, for a court or the police")
    holding.add_argument("incident", type=int, help="number of the incident")
    holding.add_argument("--reason", required=True, help="who asked for it; it stands in the log")
    holding.add_argument("--end", action="store_true", help="end the hold")


def run_action(database: Database, args: argparse.Namespace) -> int:
    """Do one of them; return the exit code."""
    if args.action == "forget" and not args.dry_run:
        _print(forget(database))
        return 0
    # Who asked stands in the log of the erasures; every department reads why a layer changed.
    with database.begin(SERVICE, account=getpass.getuser(), reason="retention: request") as connection:
        if args.action == "forget":
            _print(plan(connection))
        elif args.action == "erase":
            _print(erase_report(connection, args.report, args.reason))
        else:
            hold(connection, args.incident, args.reason, is_end=args.end)
            print(f"incident {args.incident}: {'the hold has ended' if args.end else 'held'}")
    return 0


def _print(acts: Sequence[Forgotten]) -> None:
    acts = [act for act in acts if act.ids]
    for act in acts:
        more = " …" if len(act.ids) > _SHOWN_IDS else ""
        print(f"{act.what}  {len(act.ids)}  ({act.rule})  {', '.join(map(str, act.ids[:_SHOWN_IDS]))}{more}")
    if not acts:
        print("nothing is due")
