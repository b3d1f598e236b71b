"""`alerts`: what goes out: the list, sending a draft in the name of two people, what arrived."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gis.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Row

    from gis.accounts import Account
    from gis.database import Database

HELP = "List alerts, send a draft in the name of two people, report what arrived and what did not."
EXAMPLE = (
    "./machimori alerts list\n"
    "./machimori alerts send 12 --submitted-by sato --approved-by ito\n"
    "./machimori alerts report 12"
)


def add_args(parser: argparse.ArgumentParser) -> None:
    """Declare the parts."""
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    listing = parts.add_parser("list", help="the latest alerts, drafts too")
    listing.add_argument("--most", type=int, default=50, metavar="N", help="at most so many (default: 50)")
    send = parts.add_parser("send", help="submit and approve a draft; two different people stand for it")
    send.add_argument("id", type=int, metavar="ID")
    send.add_argument("--submitted-by", required=True, metavar="LOGIN", help="who wrote or checked it")
    send.add_argument("--approved-by", required=True, metavar="LOGIN", help="who approves it: somebody else")
    send.add_argument("--note", default="", help="why, for the record")
    report = parts.add_parser("report", help="what arrived and what did not, and why; of one alert or of all")
    report.add_argument("id", type=int, nargs="?", metavar="ID")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do one part."""
    from gis.database import Database

    database = Database(settings.app_url(), pool_size=1)
    try:
        if args.part == "list":
            _list(database, args.most)
        elif args.part == "send":
            _send(database, args)
        else:
            _report(database, args.id)
    finally:
        database.dispose()
    return 0


def _list(database: Database, most: int) -> None:
    from alerts.report import list_alerts
    from gis.database import SERVICE

    with database.begin(SERVICE) as connection:
        rows = list_alerts(connection, most)
    if not rows:
        print("no alerts")
    for row in rows:
        when = row.sent_at or row.effective_at
        print(
            f"{row.id}\t{row.state}\t{row.msg_type}/{row.phase}\t{row.cap_status}\tlevel {row.level}"
            f"\t{_time(when)}\t{row.accepted}/{row.people} mails\t{row.headline}"
        )


def _send(database: Database, args: argparse.Namespace) -> None:
    from alerts.approval import approve, submit

    _find_writer(database, args.submitted_by).require("write_alerts")
    _find_writer(database, args.approved_by).require("approve_alerts")
    with database.begin("dept_disaster", args.submitted_by) as connection:
        # One transaction: a refused approval leaves the draft a draft.
        submit(connection, args.id, args.submitted_by, args.note)
        people = approve(connection, args.id, args.approved_by, args.note)
    print(f"alert {args.id} is being sent to {people} people; see ./machimori alerts report {args.id}")


def _find_writer(database: Database, name: str) -> Account:
    from gis.accounts import find_account
    from gis.database import GATE
    from gis.errors import UsageError

    with database.begin(GATE) as connection:
        account = find_account(connection, name)
    if account is None or "disaster" not in account.departments:
        raise UsageError(
            f"{name!r} is no active login of the disaster office.", "See the logins: ./machimori user list"
        )
    return account


def _report(database: Database, alert_id: int | None) -> None:
    from alerts import report
    from alerts.progress import mask_addresses
    from gis.database import SERVICE

    with database.begin(SERVICE) as connection:
        if alert_id is None:
            states, failures = report.count_states(connection), report.count_failures(connection)
        else:
            course = report.report_alert(connection, alert_id)
            states, failures = course.states, course.failures
            _print_alert(course)
        in_doubt = report.count_in_doubt(connection, alert_id)
    print("mails:" if states else "mails: none")
    for row in states:
        _print_state(row)
    if in_doubt:
        print(f"may have arrived twice: {in_doubt} (handed over, but the answer was lost)")
    if failures:
        print("not handed over:")
    for row in failures:
        times = f"{_time(row.first_at)} to {_time(row.last_at)}" if row.attempts > 1 else _time(row.first_at)
        reply = mask_addresses(row.reply)
        print(f"  {row.outcome}\t{row.messages} mails, {row.attempts} attempts\t{times}\t{row.relay}\t{reply}")


def _print_alert(course: Any) -> None:
    alert = course.alert
    print(f"alert {alert.id}: {alert.headline}")
    print(
        f"  {alert.msg_type}/{alert.phase}, {alert.cap_status}, level {alert.level}, {alert.event}, {alert.area_name}"
    )
    print(f"  area {alert.area_name}; state {alert.state}; {alert.identifier}")
    if alert.references_id:
        print(f"  follows alert {alert.references_id}")
    if alert.override_reason:
        print(f"  SENT BY ONE PERSON ALONE: {alert.approved_by}, {_time(alert.sent_at)}: {alert.override_reason}")
    if alert.standing_id:
        print(f"  sent by itself under standing approval {alert.standing_id}, see /staff/alerts/standing")
    print("steps:")
    for step in course.steps:
        print(f"  {_time(step.created_at)}\t{step.state}\t{step.account}\t{step.note}".rstrip())


def _print_state(row: Row[Any]) -> None:
    words = f"  {row.state}\t{row.messages}"
    if row.first_at:
        words += f"\tfirst {_time(row.first_at)}, last {_time(row.last_at)}"
    if row.state == "deferred":
        words += f"\tnext attempt {_time(row.next_at)}"
    print(words)


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")
