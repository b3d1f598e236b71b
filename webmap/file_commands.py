"""The parts of the command `layers` that bring files in: `import` into a layer, `add` as a new one."""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gis.settings import Settings
from webmap.field_work import person_at_shell

if TYPE_CHECKING:
    from layers.guessing import Draft
    from layers.importer import ImportResult
    from layers.reading import Reading

ADD_EXAMPLE = (
    "./machimori layers add ponds.shp --name pond --crs EPSG:6678 --owner construction\n"
    "./machimori layers add wells.csv --name well --dry-run > well.toml    # look, edit, and then:\n"
    "./machimori layers add wells.csv --name well --definition well.toml\n"
    "./machimori layers add wells.csv --name well --encoding cp932 --set '口径(mm):type=real' --set '備考:take=no'"
)
FILE_PARTS = ("import", "add")
_FLAGS = {"yes": True, "no": False}
_SETTABLE = (
    "take",
    "name",
    "label.ja",
    "label.en",
    "type",
    "unit",
    "code_list",
    "pattern",
    "required",
    "personal",
    "drawn",
)


def add_parts(parts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare `import` and `add`."""
    importing = parts.add_parser("import", help="bring a file's features into a layer, by the layer's key")
    importing.add_argument("--layer", required=True, metavar="NAME")
    importing.add_argument("--dry-run", action="store_true", help="say what would be done, change nothing")
    importing.add_argument(
        "--source", metavar="TEXT", help="where the features come from (default: the layer's source)"
    )
    importing.add_argument("--department", metavar="DEPARTMENT", help="with whose rights (default: the layer's owner)")
    importing.add_argument("--remove-missing", action="store_true", help="delete the features that the file lacks")
    importing.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="ATTRIBUTE=COLUMN",
        help="which column goes where; the rest as found",
    )
    adding = parts.add_parser(
        "add",
        help="make a new internal layer from a file",
        epilog=ADD_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    adding.add_argument("--name", required=True, metavar="NAME", help="a-z, 0-9 and _")
    adding.add_argument("--title", default="", metavar="TEXT", help="what people read (default: the file's name)")
    adding.add_argument("--owner", default="planning", metavar="DEPARTMENT", help="who edits it (default: planning)")
    adding.add_argument(
        "--geometry", default="", metavar="TYPE", help="Point, MultiLineString, MultiPolygon, Geometry …"
    )
    adding.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="COLUMN:KEY=VALUE",
        help=f"correct a guess: {', '.join(_SETTABLE)}",
    )
    adding.add_argument("--definition", type=Path, metavar="TOML", help="take this definition instead of guessing one")
    adding.add_argument("--dry-run", action="store_true", help="print the guessed definition as TOML, change nothing")
    for part in (importing, adding):
        part.add_argument(
            "file", type=Path, metavar="FILE", help="GeoJSON, Shapefile, GeoPackage, CSV, XLSX, DXF, GML, KML"
        )
        part.add_argument(
            "--crs", metavar="EPSG:N", help="what the file's coordinates are in, if it does not say (right)"
        )
        part.add_argument("--anywhere", action="store_true", help="accept positions far from the town")
        part.add_argument("--skip-rejected", action="store_true", help="leave out rows that cannot be right")
        part.add_argument("--reason", default="", metavar="TEXT", help="why, for the history")
        _add_reading(part)


def run_file_part(args: argparse.Namespace, settings: Settings) -> int:
    """Do `import` or `add`."""
    return _import(args, settings) if args.part == "import" else _add(args, settings)


def _add_reading(part: argparse.ArgumentParser) -> None:
    part.add_argument("--table", default="", metavar="NAME", help="of a GeoPackage, KML or XLSX with several")
    part.add_argument("--encoding", default="", metavar="NAME", help="of a CSV or Shapefile: utf-8-sig, cp932, euc_jp")
    part.add_argument("--header-line", type=int, default=0, metavar="N", help="line of the column names, from 1")
    part.add_argument("--lon", default="", metavar="COLUMN", help="column of the longitude or easting")
    part.add_argument("--lat", default="", metavar="COLUMN", help="column of the latitude or northing")
    part.add_argument("--swap", action="store_true", help="longitude and latitude are swapped in the file")


def _reading(args: argparse.Namespace) -> Reading:
    from layers.reading import Reading

    return Reading(args.table, args.encoding, args.header_line, args.lon, args.lat, args.swap)


def _import(args: argparse.Namespace, settings: Settings) -> int:
    from gis.database import SERVICE, Database
    from layers.catalogue import find_layer
    from layers.importer import import_features
    from layers.reading import read_features
    from layers.refusals import refusals

    database = Database(settings.app_url(), pool_size=1)
    try:
        with database.begin(SERVICE) as connection:
            definition = find_layer(connection, args.layer)
        file = read_features(args.file, _reading(args))
        role = _role_of(args.department) if args.department else definition.owner_role
        reason = args.reason or f"import of {args.file.name}"
        with refusals(definition), database.begin(role, person_at_shell(), reason) as connection:
            result = import_features(
                connection,
                file,
                definition,
                args.crs,
                chosen=dict(_split(one, "=", "ATTRIBUTE=COLUMN") for one in args.map),
                is_anywhere=args.anywhere,
                is_dry_run=args.dry_run,
                skips_rejected=args.skip_rejected,
                removes_missing=args.remove_missing,
                source=args.source,
                progress=_progress,
            )
    finally:
        database.dispose()
    _print_result(result, is_dry_run=args.dry_run)
    return 0


def _add(args: argparse.Namespace, settings: Settings) -> int:
    from sqlalchemy import text

    from gis.database import owner_engine
    from layers.creating import draft_layer, finish_draft, make_layer
    from layers.definition_toml import write_toml
    from layers.reading import read_features

    file = read_features(args.file, _reading(args))
    if args.definition:
        draft = _read_draft(args.definition) | {"name": args.name}
    else:
        draft = draft_layer(file, args.name, args.owner, args.title, args.geometry)
    draft = _correct(draft, args.set)
    definition = finish_draft(draft, is_anywhere=args.anywhere)
    if args.dry_run:
        print(write_toml(draft), end="")
        return 0
    engine = owner_engine(settings.owner_url())
    try:
        with engine.begin() as connection:
            connection.execute(
                text(
                    "SELECT set_config('role', 'machimori_owner', true),"
                    " set_config('machimori.account', :person, true), set_config('machimori.reason', :reason, true)"
                ),
                {"person": person_at_shell(), "reason": args.reason or f"new layer from {args.file.name}"},
            )
            result = make_layer(
                connection, file, definition, args.crs, skips_rejected=args.skip_rejected, progress=_progress
            )
    finally:
        engine.dispose()
    print(f"made the layer {definition.name} ({definition.geometry}, internal, edited by {definition.owner}):")
    for attribute in definition.attributes:
        marks = [word for word in ("required", "personal") if getattr(attribute, word)]
        codes = [f"codes: {', '.join(attribute.codes.values)}"] if attribute.codes else []
        kind = f"{attribute.type} {attribute.unit}".strip()
        print("\t".join([f"  {attribute.name}", attribute.label["ja"], kind, *marks, *codes]))
    _print_result(result, is_dry_run=False)
    return 0


def _read_draft(path: Path) -> Draft:
    from gis.errors import UsageError

    try:
        draft = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", "Make one with --dry-run.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no TOML in UTF-8: {error}.", "Mend the line that the message names.") from error
    return {"attribute": [], **draft}


def _correct(draft: Draft, corrections: Iterable[str]) -> Draft:
    """Apply `--set COLUMN:KEY=VALUE`, where the column is a header of the file or an attribute's name."""
    from gis.errors import UsageError

    attributes = [dict(entry) for entry in draft["attribute"]]
    left_out: list[dict[str, Any]] = []
    for written in corrections:
        where, value = _split(written, "=", "COLUMN:KEY=VALUE")
        column, colon, key = where.rpartition(":")
        entry = next((one for one in attributes if column in (*one.get("aliases", ()), one["name"])), None)
        if not colon or entry is None or key not in _SETTABLE:
            raise UsageError(
                f"--set {written}: no such column or key.",
                f"Columns: {', '.join(one['name'] for one in attributes)}. Keys: {', '.join(_SETTABLE)}.",
            )
        if key == "take":
            left_out += [] if _FLAGS.get(value, True) else [entry]
        elif key.startswith("label."):
            entry["label"] = entry["label"] | {key.removeprefix("label."): value}
        else:
            entry[key] = _FLAGS.get(value, value) if key in ("required", "personal", "drawn") else value
        if key == "code_list" or (key == "type" and value != "text"):
            entry.pop("choices", None)
    return draft | {"attribute": [entry for entry in attributes if entry not in left_out]}


def _split(written: str, sign: str, form: str) -> tuple[str, str]:
    from gis.errors import UsageError

    left, found, right = written.partition(sign)
    if not found:
        raise UsageError(f"{written!r} is not of the form {form}.", f"Write {form}.")
    return left, right


def _print_result(result: ImportResult, is_dry_run: bool) -> None:
    words = "would be " if is_dry_run else ""
    print(
        f"{result.layer}: {result.inserted} {words}inserted, {result.updated} {words}updated,"
        f" {result.unchanged} unchanged" + (f", {result.removed} {words}removed" if result.removed else "")
    )
    if result.demo_removed:
        print(
            f"{result.demo_removed} demonstration features {words or 'were '}removed:"
            " nothing invented stands beside real ones"
        )
    if result.unused_headers:
        print(f"columns that no attribute takes: {', '.join(result.unused_headers)}")
    if result.rejected:
        print(f"{result.rejected_rows} rows {words or 'were '}left out:")
        for one in result.rejected:
            print(f"  {one}")


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
