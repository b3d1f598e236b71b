"""The parts of the command `layers` that change a layer's attributes: `attribute add|rename|retire|restore|change`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from gis.settings import Settings
from webmap.field_work import person_at_shell

if TYPE_CHECKING:
    from sqlalchemy import Connection

EXAMPLE = (
    "./machimori layers attribute add sewer_manhole inspector --label 点検者 Inspector --reason 点検台帳\n"
    "./machimori layers attribute add pond depth_m --label 水深 Depth --type real --unit m --minimum 0\n"
    "./machimori layers attribute change pond depth_m --maximum 12 --required\n"
    "./machimori layers attribute rename pond depth_m water_depth_m\n"
    "./machimori layers attribute retire pond water_depth_m\n"
    "./machimori layers attribute restore pond water_depth_m"
)
_TEXTS = ("unit", "code_list", "pattern")
_NUMBERS = ("minimum", "maximum")
_MARKS = ("required", "drawn", "public")


def add_parts(parts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare `attribute` with its verbs."""
    attribute = parts.add_parser(
        "attribute",
        help="add, rename, retire, take up again or change an attribute",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = attribute.add_subparsers(dest="verb", metavar="VERB", required=True)
    add = verbs.add_parser("add", help="a new column, empty or filled with --default")
    rename = verbs.add_parser("rename", help="another name for a column; values and history stay")
    retire = verbs.add_parser("retire", help="out of use: values and history stay, nothing shows it")
    restore = verbs.add_parser("restore", help="take a retired one up again")
    change = verbs.add_parser("change", help="other words or rules, where the values allow it")
    for verb in (add, rename, retire, restore, change):
        verb.add_argument("layer", metavar="LAYER")
        verb.add_argument("name", metavar="NAME")
        verb.add_argument("--reason", default="", metavar="TEXT", help="why, for the log")
    rename.add_argument("new_name", metavar="NEW_NAME")
    add.add_argument("--type", default="text", choices=("text", "integer", "real", "boolean", "date", "timestamp"))
    add.add_argument("--personal", action="store_true", help="for the owner department alone")
    for verb in (add, change):
        _add_rules(verb)


def run_part(args: argparse.Namespace, settings: Settings) -> int:
    """Do one verb as the owner of the layers."""
    from sqlalchemy import text

    from gis.database import owner_engine

    engine = owner_engine(settings.owner_url())
    try:
        with engine.begin() as connection:
            connection.execute(
                text(
                    "SELECT set_config('role', 'machimori_owner', true), set_config('machimori.reason', :reason, true)"
                ),
                {"reason": f"{args.reason} ({person_at_shell()})".strip()},
            )
            print(_run(connection, args))
    finally:
        engine.dispose()
    return 0


def _run(connection: Connection, args: argparse.Namespace) -> str:
    from layers import reshaping
    from layers.catalogue import change_layer, find_layer
    from layers.definition import parse_attribute
    from layers.fitting import require_fit

    old = find_layer(connection, args.layer)
    renamed = {}
    if args.verb == "add":
        entry = {"name": args.name, "type": args.type, "personal": args.personal, **_rules(args)}
        entry.setdefault("label", {"ja": args.name, "en": args.name})
        new = reshaping.add_attribute(old, parse_attribute(entry, args.name))
        done = f"{args.layer} has the attribute {args.name} now"
    elif args.verb == "rename":
        new, renamed = reshaping.rename_attribute(old, args.name, args.new_name), {args.name: args.new_name}
        done = f"{args.name} of {args.layer} is called {args.new_name} now"
    elif args.verb == "retire":
        new = reshaping.retire_attribute(old, args.name)
        done = f"{args.name} of {args.layer} is out of use; its values stay"
    elif args.verb == "restore":
        new = reshaping.restore_attribute(old, args.name)
        done = f"{args.name} of {args.layer} is in use again"
    else:
        new = reshaping.change_attribute(old, args.name, _rules(args))
        done = f"{args.name} of {args.layer} is changed"
    if not renamed:
        require_fit(connection, old, new)
    change_layer(connection, old, new, renamed)
    return done


def _add_rules(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--label", nargs=2, metavar=("JA", "EN"), help="what people read")
    parser.add_argument("--unit", metavar="TEXT", help="of a number, e.g. m, mm, ‰")
    parser.add_argument("--code-list", metavar="NAME", help="a list of data/codes; '' takes it away")
    parser.add_argument("--pattern", metavar="REGEX", help="what a text must match; '' takes it away")
    parser.add_argument("--minimum", metavar="NUMBER", help="'' takes it away")
    parser.add_argument("--maximum", metavar="NUMBER", help="'' takes it away")
    parser.add_argument("--default", metavar="VALUE", help="stored instead of nothing; '' takes it away")
    for mark, words in (
        ("required", "it must be filled in"),
        ("drawn", "it goes with the map's tiles"),
        ("public", "citizens may read it, if the layer is public"),
    ):
        parser.add_argument(f"--{mark}", action=argparse.BooleanOptionalAction, default=None, help=words)


def _rules(args: argparse.Namespace) -> dict[str, Any]:
    from gis.errors import UsageError

    given: dict[str, Any] = {key: getattr(args, key) for key in (*_TEXTS, *_MARKS) if getattr(args, key) is not None}
    if args.label is not None:
        given["label"] = {"ja": args.label[0], "en": args.label[1]}
    for key in _NUMBERS:
        if (written := getattr(args, key)) is not None:
            try:
                given[key] = float(written) if written else None
            except ValueError as error:
                raise UsageError(f"--{key} is {written!r}.", "Write a number.") from error
    if args.default is not None:
        given["default"] = args.default or None
    if args.verb == "add":
        given = {key: value for key, value in given.items() if value is not None}
    return given
