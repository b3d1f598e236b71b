"""`layers`: the shared map's layers: what there is, files in and out, and whether all agrees."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gis.settings import Settings
from webmap.attribute_commands import add_parts as add_attribute_parts
from webmap.attribute_commands import run_part as run_attribute_part
from webmap.field_work import FIELD_PARTS, add_field_args, parse_box, person_at_shell
from webmap.file_commands import FILE_PARTS, run_file_part
from webmap.file_commands import add_parts as add_file_parts
from webmap.grant_commands import PARTS as GRANT_PARTS
from webmap.grant_commands import add_parts as add_grant_parts
from webmap.grant_commands import run_part as run_grant_part

if TYPE_CHECKING:
    from gis.database import Database

HELP = "List and show the map's layers, import and export files, make a layer from a file, check that all agrees."
EXAMPLE = (
    "./machimori layers list\n"
    "./machimori layers show shelter\n"
    "./machimori layers import emergency_sites.geojson --layer evacuation_site --dry-run\n"
    "./machimori layers add ponds.shp --name pond --crs EPSG:6678 --owner construction\n"
    "./machimori layers export shelter shelters.gpkg --bbox=141.1,38.3,141.3,38.5\n"
    "./machimori layers qgis-project town.qgz --for tanaka\n"
    "./machimori layers grant hydrant --department construction --right edit --area 04214\n"
    "./machimori layers attribute add sewer_manhole inspector --label 点検者 Inspector\n"
    "./machimori layers checkout field.gpkg --layer sewer_manhole --bbox=141.1,38.3,141.3,38.5\n"
    "./machimori layers checkin field.gpkg --reason 点検\n"
    "./machimori layers check"
)


def add_args(parser: argparse.ArgumentParser) -> None:
    """Declare the parts."""
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    parts.add_parser("list", help="all layers with their number of features")
    show = parts.add_parser("show", help="one layer: its attributes, source, licence, extent")
    show.add_argument("name", metavar="NAME")
    add_file_parts(parts)
    export = parts.add_parser("export", help="write a layer into a .geojson, .gpkg, .shp, .fgb or .csv")
    export.add_argument("name", metavar="NAME")
    export.add_argument("file", type=Path, metavar="FILE")
    export.add_argument("--crs", metavar="EPSG:N", help="default: EPSG:6668; .geojson: CRS84")
    export.add_argument("--bbox", metavar="W,S,E,N", help="only features that meet this box, degrees")
    add_field_args(parts)
    add_grant_parts(parts)
    add_attribute_parts(parts)
    check = parts.add_parser("check", help="compare tables, history and definitions")
    check.add_argument("name", nargs="?", metavar="NAME", help="one layer (default: all)")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do one part; 1 if `check` found something, or `checkin` conflicts."""
    from gis.database import Database

    if args.part in FILE_PARTS:
        return run_file_part(args, settings)
    if args.part == "attribute":
        return run_attribute_part(args, settings)
    if args.part in GRANT_PARTS:
        return run_grant_part(args, settings)
    database = Database(settings.app_url(), pool_size=1)
    try:
        parts: dict[str, Callable[[Database, argparse.Namespace], int]] = {
            "list": _list,
            "show": _show,
            "export": _export,
            "check": _check,
            **FIELD_PARTS,
        }
        return parts[args.part](database, args)
    finally:
        database.dispose()


def _list(database: Database, args: argparse.Namespace) -> int:
    from gis.database import SERVICE
    from layers.catalogue import load_layers, summarise_layer

    with database.begin(SERVICE) as connection:
        for name, definition in load_layers(connection).items():
            summary = summarise_layer(connection, definition)
            changed = f"{summary.changed_at:%Y-%m-%d %H:%M}" if summary.changed_at else "-"
            print(
                f"{name}\t{definition.title['ja']}\t{definition.geometry}\t{definition.visibility}\t{definition.owner}"
                f"\t{'about ' if summary.is_estimated else ''}{summary.feature_count} features\t{changed}"
            )
    return 0


def _show(database: Database, args: argparse.Namespace) -> int:
    from gis.database import SERVICE
    from layers.catalogue import find_layer, summarise_layer

    with database.begin(SERVICE) as connection:
        definition = find_layer(connection, args.name)
        summary = summarise_layer(connection, definition)
    print(f"{definition.name}: {definition.title['ja']} / {definition.title['en']}")
    print(f"  {definition.geometry}, {definition.visibility}, edited by {definition.owner}")
    print(f"  source: {definition.source or '-'}   licence: {definition.licence or '-'}")
    print(f"  {summary.feature_count} features" + (f", key {definition.key}" if definition.key else ", no key"))
    if summary.extent:
        print("  lon {:.5f} to {:.5f}, lat {:.5f} to {:.5f}".format(*(summary.extent[i] for i in (0, 2, 1, 3))))
    for attribute in definition.attributes:
        marks = [word for word in ("required", "personal", "drawn") if getattr(attribute, word)]
        kind = attribute.code_list or attribute.type
        print(f"  {attribute.name}\t{attribute.label['ja']}\t{kind} {attribute.unit}\t{' '.join(marks)}".rstrip())
    if definition.retired:
        print(f"  out of use: {', '.join(attribute.name for attribute in definition.retired)}")
    return 0


def _export(database: Database, args: argparse.Namespace) -> int:
    from gis.database import SERVICE
    from layers.catalogue import find_layer
    from layers.exporter import export_layer

    with database.begin(SERVICE) as connection:
        definition = find_layer(connection, args.name)
    with database.begin(definition.owner_role, person_at_shell()) as connection:
        count = export_layer(connection, definition, args.file, args.crs, parse_box(args.bbox))
    print(f"{count} features of {args.name} are in {args.file}")
    return 0


def _check(database: Database, args: argparse.Namespace) -> int:
    from gis.database import SERVICE
    from layers.agreement import check_layer
    from layers.catalogue import find_layer, load_layers

    found = False
    with database.begin(SERVICE) as connection:
        definitions = [find_layer(connection, args.name)] if args.name else list(load_layers(connection).values())
        for definition in definitions:
            problems = check_layer(connection, definition)
            found = found or bool(problems)
            print(f"{definition.name}: " + ("all agrees" if not problems else "\n  ".join(["", *problems])))
    return 1 if found else 0
