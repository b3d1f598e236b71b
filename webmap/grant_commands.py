"""The parts of the command `layers` that give and take departments' rights."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gis.settings import Settings
from webmap.field_work import person_at_shell

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from layers.areas import Area

_SAY_WHO = "SELECT set_config('machimori.account', :account, true), set_config('machimori.reason', :reason, true)"
PARTS = ("grant", "revoke", "grants")


def add_parts(parts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare `grant`, `revoke` and `grants`."""
    grant = parts.add_parser("grant", help="give a department a right in another's layer, in the place of what it had")
    grant.add_argument("name", metavar="NAME")
    grant.add_argument("--department", required=True, metavar="DEPARTMENT")
    grant.add_argument("--right", required=True, choices=("see", "edit", "manage"), help="manage: attributes, too")
    grant.add_argument("--personal", action="store_true", help="also the personal attributes")
    grant.add_argument(
        "--area", metavar="CODE|FILE", help="edit only inside: a code of the layer city_area, or a GeoJSON file"
    )
    grant.add_argument("--reason", default="", metavar="TEXT", help="why, for the log")
    revoke = parts.add_parser("revoke", help="take back what a department was granted")
    revoke.add_argument("name", metavar="NAME")
    revoke.add_argument("--department", required=True, metavar="DEPARTMENT")
    revoke.add_argument("--reason", default="", metavar="TEXT", help="why, for the log")
    grants = parts.add_parser("grants", help="what was granted beyond the owners' own rights")
    grants.add_argument("name", nargs="?", metavar="NAME", help="one layer (default: all)")


def run_part(args: argparse.Namespace, settings: Settings) -> int:
    """Do one part as the owner of the layers."""
    from sqlalchemy import text

    from gis.database import owner_engine

    engine = owner_engine(settings.owner_url())
    try:
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL ROLE machimori_owner"))
            who = {"account": person_at_shell(), "reason": getattr(args, "reason", "")}
            connection.execute(text(_SAY_WHO), who)
            _PARTS[args.part](connection, args)
    finally:
        engine.dispose()
    return 0


def _grant(connection: Connection, args: argparse.Namespace) -> None:
    from layers.catalogue import find_layer
    from layers.grants import grant_layer

    definition = find_layer(connection, args.name)
    area = _read_area(connection, args.area) if args.area else None
    grant_layer(
        connection,
        definition,
        args.department,
        args.right,
        is_personal=args.personal,
        area=area,
    )
    where = f" inside {area.name}" if area else ""
    print(f"{args.department} may {args.right} {definition.name}{where} now")


def _revoke(connection: Connection, args: argparse.Namespace) -> None:
    from layers.catalogue import find_layer
    from layers.grants import revoke_layer

    definition = find_layer(connection, args.name)
    revoke_layer(connection, definition, args.department)
    print(f"{args.department} has no more rights in {definition.name} than every department")


def _grants(connection: Connection, args: argparse.Namespace) -> None:
    from layers.grants import list_grants

    for grant in list_grants(connection, args.name):
        words = grant.access + (", personal" if grant.is_personal else "")
        where = f"inside {grant.area_name}" if grant.is_limited else "everywhere"
        print(f"{grant.layer}\t{grant.department}\t{words}\t{where}\t{grant.granted_at:%Y-%m-%d} by {grant.granted_by}")


def _read_area(connection: Connection, value: str) -> Area:
    from sqlalchemy import text

    from gis.errors import UsageError
    from layers.areas import Area
    from layers.grants import read_area

    if Path(value).is_file():
        return read_area(Path(value).name, Path(value).read_bytes())
    row = connection.execute(
        text("SELECT name, ST_AsGeoJSON(geom, 15, 0) AS geojson FROM layers.city_area WHERE code = :code"),
        {"code": value},
    ).first()
    if row is None:
        raise UsageError(f"{value!r} is neither a file nor a code in city_area.", "Give a GeoJSON file with polygons.")
    return Area(row.name, row.geojson)


_PARTS: dict[str, Callable[[Connection, argparse.Namespace], None]] = {
    "grant": _grant,
    "revoke": _revoke,
    "grants": _grants,
}
