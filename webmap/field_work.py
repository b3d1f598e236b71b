"""The parts of `layers` that take the map elsewhere: a QGIS project, a file for work without a network and back."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gis.database import Database


def add_field_args(parts: Any) -> None:
    """Declare the parts; `parts` is what `ArgumentParser.add_subparsers` returned."""
    project = parts.add_parser("qgis-project", help="write a ready QGIS project: layers, styles, labels, value lists")
    project.add_argument("file", type=Path, metavar="FILE.qgz")
    project.add_argument(
        "--for", dest="login", metavar="LOGIN", help="what this login (user db-login) may see and edit"
    )
    project.add_argument("--language", choices=("ja", "en"), default="ja", help="of all names (default: ja)")
    project.add_argument("--host", help="where QGIS reaches the database, if not as this machine does (a tunnel)")
    project.add_argument("--port", type=int, help="the port there")
    out = parts.add_parser("checkout", help="take features out for work without a network: a GeoPackage with versions")
    out.add_argument("file", type=Path, metavar="FILE.gpkg")
    out.add_argument("--layer", action="append", required=True, metavar="NAME", help="may be given several times")
    out.add_argument("--bbox", metavar="W,S,E,N", help="only features that meet this box, degrees")
    out.add_argument("--background", action="append", default=[], metavar="NAME", help="a layer to look at only")
    out.add_argument("--days", type=int, default=14, metavar="N", help="when it should be back (default: 14)")
    out.add_argument("--language", choices=("ja", "en"), default="ja", help="of all names (default: ja)")
    back = parts.add_parser("checkin", help="merge such a file's work with what others did meanwhile; list conflicts")
    back.add_argument("file", type=Path, metavar="FILE.gpkg")
    back.add_argument("--reason", required=True, metavar="TEXT", help="why, for the history")
    back.add_argument("--dry-run", action="store_true", help="say what would be done, change nothing")
    back.add_argument("--leave-out", action="store_true", help="leave out values of attributes that are gone since")
    for part in (out, back):
        part.add_argument(
            "--department", metavar="DEPARTMENT", help="with whose rights (default: all; the layers' owner)"
        )
        part.add_argument("--account", metavar="NAME", help="who did it, for the history (default: the login here)")


def _qgis_project(database: Database, args: argparse.Namespace) -> int:
    from dataclasses import replace

    from gis.database import SERVICE
    from gis.direct_access import server_address
    from layers.qgis.project import write_project

    with database.begin(SERVICE) as connection:
        address = server_address(connection)
        address = replace(address, host=args.host or address.host, port=args.port or address.port)
        tables = write_project(connection, args.file, address, args.login, args.language)
    print(f"{args.file} has {len(tables)} layers at {address.host}:{address.port}; QGIS asks for the password")
    return 0


def _check_out(database: Database, args: argparse.Namespace) -> int:
    from datetime import datetime, timedelta

    from gis.database import SERVICE
    from layers.catalogue import find_layer
    from layers.offline.checkout import check_out

    due_on = datetime.now().astimezone().date() + timedelta(days=args.days)
    role = department_role(args.department) if args.department else SERVICE
    with database.begin(role, args.account or person_at_shell()) as connection:
        definitions, grounds = (
            [find_layer(connection, name) for name in dict.fromkeys(names)] for names in (args.layer, args.background)
        )
        box, language = parse_box(args.bbox), args.language
        for done in check_out(
            connection, definitions, args.file, box, backgrounds=grounds, due_on=due_on, language=language
        ):
            print(f"{done.layer}: {done.feature_count} features are in {args.file}")
    return 0


def _check_in(database: Database, args: argparse.Namespace) -> int:
    from gis.database import SERVICE
    from layers.catalogue import find_layer
    from layers.offline.checkin import check_in, conflict_lines, owner_of_work
    from layers.offline.reading import read_checkout

    checkout = read_checkout(args.file)
    with database.begin(SERVICE) as connection:
        definitions = {work.layer: find_layer(connection, work.layer) for work in checkout.layers}
    role = department_role(args.department) if args.department else owner_of_work(checkout, definitions).owner_role
    with database.begin(role, args.account or person_at_shell(), args.reason) as connection:
        attempt = connection.begin_nested()
        done = check_in(connection, checkout, definitions, args.reason, is_outdated_left_out=args.leave_out)
        if args.dry_run:
            attempt.rollback()
    for layer in done:
        outcome, name = layer.outcome, layer.definition.name
        print(
            f"{name}: {len(outcome.inserted)} added, {len(outcome.updated) + len(outcome.restored)} changed,"
            f" {len(outcome.deleted)} deleted, {len(outcome.unchanged)} were so already,"
            f" {len(outcome.conflicts)} in conflict"
        )
        for conflict in outcome.conflicts:
            for line in conflict_lines(layer.definition, conflict, "en"):
                print(f"  {name} {conflict.fid}: {line}")
    if not done:
        print(f"{args.file} holds no changes that are not in already")
    if args.dry_run:
        print("nothing was changed (--dry-run)")
    return 1 if any(layer.outcome.conflicts for layer in done) else 0


def parse_box(written: str | None) -> tuple[float, float, float, float] | None:
    """Return --bbox as (min lon, min lat, max lon, max lat) in degrees, None when it was not given.

    Raises
    ------
    UsageError : it is no box, or off the earth.
    """
    from gis.errors import UsageError

    if written is None:
        return None
    try:
        west, south, east, north = (float(part) for part in written.split(","))
    except ValueError as error:
        raise UsageError(
            f"--bbox {written!r} is no box.", "Write --bbox=141.1,38.3,141.3,38.5 (W,S,E,N, degrees)."
        ) from error
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise UsageError(f"--bbox {written!r} is empty or off the earth.", "The order is W,S,E,N: lon, lat, lon, lat.")
    return west, south, east, north


def department_role(department: str) -> str:
    """Return the database role of a department.

    Raises
    ------
    UsageError : there is no such department.
    """
    from gis.errors import UsageError
    from gis.roles import load_departments

    roles = {one.name: one.role_name for one in load_departments()}
    if department not in roles:
        raise UsageError(f"There is no department {department!r}.", f"Known are: {', '.join(roles)}.")
    return roles[department]


def person_at_shell() -> str:
    """Who stands in the history: the login of the operating system, marked as such."""
    return f"shell:{getpass.getuser()}"


FIELD_PARTS: dict[str, Callable[[Database, argparse.Namespace], int]] = {
    "qgis-project": _qgis_project,
    "checkout": _check_out,
    "checkin": _check_in,
}
