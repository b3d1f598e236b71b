"""`subscriber`: who gets the mails: addresses, their places, their quiet hours."""

from __future__ import annotations

import argparse
from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING

from gis.settings import Settings

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry
    from sqlalchemy import Connection

    from gis.database import Database

HELP = "Add subscribers whose wish the office has in hand, their places (point, area, feature of a layer), quiet hours."
EXAMPLE = (
    "./machimori subscriber add hanako@example.jp --kind tsunami --kind flood --language ja\n"
    "./machimori subscriber place hanako@example.jp 自宅 --at 141.195,38.405 --radius 300\n"
    "./machimori subscriber place hanako@example.jp 大曲 --feature town_block:12\n"
    "./machimori subscriber place hanako@example.jp 畑 --area field.geojson\n"
    "./machimori subscriber quiet hanako@example.jp 22:00-07:00\n"
    "./machimori subscriber push-test hanako@example.jp"
)


def add_args(parser: argparse.ArgumentParser) -> None:
    """Declare the parts."""
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    add = parts.add_parser("add", help="add an address that has agreed, without a place yet")
    add.add_argument("email", metavar="ADDRESS")
    add.add_argument("--kind", action="append", required=True, help="an incident kind; may be repeated")
    add.add_argument("--language", default="ja", help="ja, ja-x-easy or en (default: ja)")
    place = parts.add_parser("place", help="add a place; running alerts that reach it follow within a minute")
    place.add_argument("email", metavar="ADDRESS")
    place.add_argument("name", help="how the person calls it; it stands in the mails")
    where = place.add_mutually_exclusive_group(required=True)
    where.add_argument("--at", metavar="LON,LAT", help="a point in degrees")
    where.add_argument("--feature", metavar="LAYER:NUMBER", help="an area of a public layer, which it follows")
    where.add_argument("--area", type=Path, metavar="FILE", help="a GeoJSON polygon in longitude and latitude")
    place.add_argument("--radius", type=float, default=0, metavar="METRES", help="around the point (default: 0)")
    quiet = parts.add_parser("quiet", help="hold levels below 4 in these hours until they end, then in one mail")
    quiet.add_argument("email", metavar="ADDRESS")
    quiet.add_argument("hours", metavar="HH:MM-HH:MM", help="town's time, may go over midnight; 'none' ends them")
    resume = parts.add_parser("resume", help="send to an address again that was given up because it refused mails")
    resume.add_argument("email", metavar="ADDRESS")
    trial = parts.add_parser("push-test", help="push a test to the person's devices and say what each service answers")
    trial.add_argument("email", metavar="ADDRESS")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do one part."""
    from alerts import audience
    from gis.database import SERVICE, Database

    database = Database(settings.app_url(), pool_size=1)
    try:
        if args.part == "push-test":
            return _test_push(database, settings, args.email)
        with database.begin(SERVICE) as connection:
            if args.part == "add":
                audience.add_subscriber(connection, args.email, args.language, args.kind)
                print(f"{args.email} is added; add a place: ./machimori subscriber place {args.email} …")
                return 0
            subscriber_id = audience.find_subscriber(connection, args.email)
            if args.part == "resume":
                audience.resume_subscriber(connection, args.email)
            elif args.part == "quiet":
                audience.set_quiet_hours(connection, subscriber_id, _hours(args.hours))
            else:
                _add_place(connection, subscriber_id, args)
    finally:
        database.dispose()
    print("done")
    return 0


def _test_push(database: Database, settings: Settings, email: str) -> int:
    from alerts.channels.push.trial import try_devices

    trials = try_devices(database, settings, email)
    for number, trial in enumerate(trials, 1):
        print(f"device {number} ({trial.service}): {'taken' if trial.is_taken else 'NOT taken'}: {trial.words}")
    return 0 if all(trial.is_taken for trial in trials) else 1


def _add_place(connection: Connection, subscriber_id: int, args: argparse.Namespace) -> None:
    from alerts import audience
    from gis.town import load_town

    if args.at:
        lon, lat = _point(args.at)
        audience.add_point(connection, subscriber_id, args.name, lon, lat, args.radius, load_town())
    elif args.feature:
        layer, fid = _feature(args.feature)
        audience.add_feature(connection, subscriber_id, layer, fid, load_town(), args.name)
    else:
        audience.add_drawn(connection, subscriber_id, args.name, _read_area(args.area), load_town())


def _point(written: str) -> tuple[float, float]:
    from gis.errors import UsageError

    try:
        lon, lat = (float(part) for part in written.split(","))
    except ValueError as error:
        raise UsageError(f"{written!r} is no point.", "Write it as 141.195,38.405 (longitude, latitude).") from error
    return lon, lat


def _feature(written: str) -> tuple[str, int]:
    from gis.errors import UsageError

    layer, _, number = written.partition(":")
    if not number.isdecimal():
        raise UsageError(f"{written!r} names no feature.", "Write it as town_block:12")
    return layer, int(number)


def _hours(written: str) -> tuple[time, time] | None:
    from gis.errors import UsageError

    if written == "none":
        return None
    try:
        begins, ends = (time.fromisoformat(part) for part in written.split("-"))
    except ValueError as error:
        raise UsageError(f"{written!r} is no span of hours.", "Write it as 22:00-07:00, or none.") from error
    return begins, ends


def _read_area(path: Path) -> BaseGeometry:
    import shapely

    from gis.errors import UsageError

    try:
        found = shapely.from_geojson(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, shapely.GEOSException) as error:
        raise UsageError(f"{path} cannot be read: {error}", "It holds one GeoJSON polygon.") from error
    parts = list(getattr(found, "geoms", [found]))
    return parts[0] if len(parts) == 1 else found
