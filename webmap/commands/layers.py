"""`layers`: the shared map's layers: what there is, files in and out, and whether all agrees."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gis.settings import Settings
from webmap.attribute_commands import add_parts as add_attribute_parts
from webmap.attribute_commands import run_part as run_attribute_part
from webmap.field_work import FIELD_PARTS, add_field_args, parse_box, person_at_shell
from webmap.grant_commands import PARTS as GRANT_PARTS
from webmap.grant_commands import add_parts as add_grant_parts
from webmap.grant_commands import run_part as run_grant_part

if TYPE_CHECKING:
    from gis.database import Database
    from layers.importer import ImportResult

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
    importing = parts.add_parser("import", help="bring a file's features into a layer, by the layer's key")
    importing.add_argument("--layer", required=True, metavar="NAME")
    importing.add_argument("--dry-run", action="store_true", help="say what would be done, change nothing")
    importing.add_argument(
        "--source", metavar="TEXT", help="where the features come from (default: the layer's source)"
    )
    importing.add_argument("--department", metavar="DEPARTMENT", help="with whose rights (default: the layer's owner)")
    adding = parts.add_parser("add", help="make a new internal layer from a file")
    adding.add_argument("--name", required=True, metavar="NAME", help="a-z, 0-9 and _")
    adding.add_argument("--title", default="", metavar="TEXT", help="what people read (default: the file's name)")
    adding.add_argument("--owner", default="planning", metavar="DEPARTMENT", help="who edits it (default: planning)")
    for part in (importing, adding):
        part.add_argument("file", type=Path, metavar="FILE", help="GeoJSON, Shapefile, GeoPackage or CSV")
        part.add_argument(
            "--crs", metavar="EPSG:N", help="what the file's coordinates are in, if it does not say (right)"
        )
        part.add_argument("--anywhere", action="store_true", help="accept positions far from the town")
        part.add_argument("--reason", default="", metavar="TEXT", help="why, for the history")
    export = parts.add_parser("export", help="write a layer into a .geojson, .gpkg, .shp, .fgb or .csv")
    export.add_argument("name", metavar="NAME")
    export.add_argument("file", type=Path, metavar="FILE")
    export.add_argument("--crs", metavar="EPSG:N", help="default: EPSG:6668; .geojson: CRS84")
    export.add_argument("--bbox", metavar="W,S,E,N", help="only features that meet this box, degrees")
    add_field_args(parts)
    add_grant_parts(parts)
    add_attribute_parts(parts)
    check = parts.add_parser("check", help="compare tables, drawing twins, history and definitions")
    check.add_argument("name", nargs="?", metavar="NAME", help="one layer (default: all)")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do one part; 1 if `check` found something, or `checkin` conflicts."""
    from gis.database import Database

    if args.part == "add":
        return _add(args, settings)
    if args.part == "attribute":
        return run_attribute_part(args, settings)
    if args.part in GRANT_PARTS:
        return run_grant_part(args, settings)
    database = Database(settings.app_url(), pool_size=1)
    try:
        parts: dict[str, Callable[[Database, argparse.Namespace], int]] = {
            "list": _list,
            "show": _show,
            "import": _import,
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
                f"\t{summary.feature_count} features\t{changed}"
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
    return 0


def _import(database: Database, args: argparse.Namespace) -> int:
    from gis.database import SERVICE
    from layers.catalogue import find_layer
    from layers.importer import import_file
    from layers.refusals import refusals

    with database.begin(SERVICE) as connection:
        definition = find_layer(connection, args.layer)
    reason = args.reason or f"import of {args.file.name}"
    role = _role_of(args.department) if args.department else definition.owner_role
    with refusals(definition), database.begin(role, person_at_shell(), reason) as connection:
        result = import_file(
            connection,
            args.file,
            definition,
            args.crs,
            is_anywhere=args.anywhere,
            is_dry_run=args.dry_run,
            source=args.source,
            progress=_progress,
        )
    _print_result(result, is_dry_run=args.dry_run)
    return 0


def _add(args: argparse.Namespace, settings: Settings) -> int:
    from sqlalchemy import text

    from gis.database import owner_engine
    from layers.creating import add_layer

    engine = owner_engine(settings.owner_url())
    try:
        with engine.begin() as connection:
            connection.execute(
                text(
                    "SELECT set_config('role', 'machimori_owner', true), set_config('machimori.reason', :reason, true)"
                ),
                {"reason": args.reason or f"new layer from {args.file.name}"},
            )
            definition, result = add_layer(
                connection,
                args.file,
                args.name,
                args.crs,
                owner=args.owner,
                title=args.title,
                is_anywhere=args.anywhere,
                progress=_progress,
            )
    finally:
        engine.dispose()
    print(f"made the layer {definition.name} ({definition.geometry}, internal, edited by {definition.owner}):")
    for attribute in definition.attributes:
        print(f"  {attribute.name}\t{attribute.label['ja']}\t{attribute.type}")
    _print_result(result, is_dry_run=False)
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


def _print_result(result: ImportResult, is_dry_run: bool) -> None:
    words = "would be " if is_dry_run else ""
    print(
        f"{result.layer}: {result.inserted} {words}inserted, {result.updated} {words}updated,"
        f" {result.unchanged} unchanged"
    )
    if result.demo_removed:
        print(
            f"{result.demo_removed} demonstration features {words or 'were '}removed:"
            " nothing invented stands beside real ones"
        )
    if result.unused_headers:
        print(f"columns that no attribute takes: {', '.join(result.unused_headers)}")


def _role_of(department: str) -> str:
    from gis.errors import UsageError
    from gis.roles import load_departments

    roles = {one.name: one.role_name for one in load_departments()}
    if department not in roles:
        raise UsageError(f"There is no department {department!r}.", f"Known are: {', '.join(roles)}.")
    return roles[department]


def _progress(rows: Iterable[Any]) -> Iterable[Any]:
    from tqdm import tqdm

    return tqdm(rows, unit=" rows", disable=not sys.stderr.isatty(), leave=False)
