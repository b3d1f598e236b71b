"""Where a message holds, as the console's forms say it: pieces of an area by their names, and names per language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql
from sqlalchemy import Connection
from werkzeug.datastructures import MultiDict

from alerts.area_picks import find_pick, list_names, load_picks, offered_picks, pick_of_name
from alerts.areas import OPERATIONS, Area, Operation, Piece, compose_area
from gis.errors import UsageError, at_field
from gis.languages import LANGUAGES
from gis.queries import load_queries
from gis.town import Town
from webmap.languages import language

_QUERIES = load_queries(__file__)
_MOST_HINTS = 5
# Furigana are hiragana: katakana lie 0x60 code points above.
_HIRAGANA = {code: code - 0x60 for code in range(ord("ァ"), ord("ヶ") + 1)}


@dataclass(frozen=True)
class Place:
    """What a form adds to an area.

    Attributes
    ----------
    pieces : one, or none when the form names nothing.
    name : what people call it, for the words of the message; "" when it has no such name (drawn, a depth of water).
    """

    pieces: tuple[Piece, ...] = ()
    name: str = ""


def read_place(connection: Connection, form: MultiDict[str, str], town: Town) -> Place:
    """Return the piece that a form adds, and its name.

    Raises
    ------
    UsageError : nothing has the name, or what was entered is no number of metres.
    """
    source, ref = form.get("source", "quarter"), form.get("ref", "").strip()
    with at_field("operation"):
        operation = _operation(form.get("operation", "add"))
    with at_field("buffer_m"):
        buffer_m = _metres(form.get("buffer_m", ""))
    if source == "drawn":
        drawn = form.get("drawn", "").strip()
        return Place((Piece(operation, "drawn", drawn, buffer_m),)) if drawn else Place()
    if source == "town":
        return Place((Piece(operation, "town", name=town.name_ja),), town.name_ja)
    if not ref:
        return Place()
    if source in load_picks():
        return _picked(operation, source, ref, buffer_m)
    if source != "quarter":
        return Place((Piece(operation, source, ref, buffer_m, ref),))
    with at_field("ref"):
        return _quarter(connection, operation, ref, buffer_m)


def compose_with(connection: Connection, pieces: Sequence[Piece], form: MultiDict[str, str], town: Town) -> Area:
    """Put an area together whose last piece a form named.

    Raises
    ------
    UsageError : a piece cannot be read; at the field that names it.
    """
    with at_field("drawn" if form.get("source") == "drawn" else "ref"):
        return compose_area(connection, pieces, town)


def list_quarters(connection: Connection) -> Sequence[str]:
    """Return the names of the town's quarters and blocks, for the form to propose."""
    return connection.execute(_QUERIES["quarters"]).scalars().all()


def list_picks(connection: Connection) -> dict[str, tuple[str, list[str]]]:
    """Return what else a piece can be picked from: code → (title, names), in the reader's language."""
    tongue = language()
    return {
        code: (pick.title[tongue], list_names(connection, pick, tongue))
        for code, pick in offered_picks(connection).items()
    }


def names_of(pieces: Sequence[Piece]) -> list[str]:
    """Return the names of the places that were put into an area; shapes without a name, and what was cut, have none."""
    return [piece.name for piece in pieces if piece.operation == "add" and _is_named(piece)]


def name_places(connection: Connection, area_name: str, town: Town) -> dict[str, str]:
    """Return an area's name per language: of the town, a quarter, a picked feature; "" where a language has none."""
    if area_name == town.name_ja:
        return {language: town.name(language) for language in LANGUAGES}
    kana, name_en = _foreign_names(connection, area_name)
    easy = f"{area_name}（{kana.translate(_HIRAGANA)}）" if kana else area_name
    return {"ja": area_name, "ja-x-easy": easy, "en": name_en}


def _foreign_names(connection: Connection, name: str) -> tuple[str, str]:
    """Return reading (katakana) and English name of what has a name; "" where it has none."""
    row = connection.execute(_QUERIES["place_names"], {"name": name}).first()
    picks = iter(offered_picks(connection).values())
    while row is None and (pick := next(picks, None)):
        if "name" in pick.by:
            query = _QUERIES.sql("names_in").replace("{layer}", sql.Identifier("open", pick.layer).as_string())
            row = connection.exec_driver_sql(query, {"name": name}).first()
    return (row.kana, row.name_en) if row else ("", "")


def _picked(operation: Operation, code: str, name: str, buffer_m: float) -> Place:
    """Return a picked piece. A depth of water or a sort of zone is a shape, no name that people know a place by."""
    piece = Piece(operation, "pick", f"{code}:{name}", buffer_m, name)
    return Place((piece,), "" if find_pick(code).is_code(name) else name)


def _quarter(connection: Connection, operation: Operation, ref: str, buffer_m: float) -> Place:
    """Return a quarter with all its blocks as one piece, or a block; by its name or the one other name it goes by."""
    called = connection.execute(_QUERIES["quarter_called"], {"name": ref}).scalars().all()
    name = called[0] if len(called) == 1 else ref
    rows = connection.execute(_QUERIES["quarters_named"], {"name": name}).all()
    if len(rows) > 1:
        return Place((Piece(operation, "pick", f"whole_quarter:{name}", buffer_m, name),), name)
    if rows:
        return Place((Piece(operation, "feature", f"town_block:{rows[0].fid}", buffer_m, name),), name)
    if pick := pick_of_name(connection, ref):
        return _picked(operation, pick.code, ref, buffer_m)
    near = called or _near_names(connection, ref)
    if near:
        raise UsageError(
            "There is no quarter %(name)s.", "Is one of these meant: %(near)s?", name=ref, near=", ".join(near)
        )
    raise UsageError("There is no quarter %(name)s.", "Write its name as it stands in the list.", name=ref)


def _near_names(connection: Connection, ref: str) -> list[str]:
    """Return names that hold what was typed, quarters first."""
    names = [*list_quarters(connection), *(name for _, named in list_picks(connection).values() for name in named)]
    return [name for name in dict.fromkeys(names) if ref in name][:_MOST_HINTS]


def _is_named(piece: Piece) -> bool:
    if piece.source == "pick":
        return not find_pick(piece.ref.partition(":")[0]).is_code(piece.name)
    return piece.source == "town" or (piece.source == "feature" and piece.name not in ("", piece.ref))


def _operation(word: str) -> Operation:
    for operation in OPERATIONS:
        if word == operation:
            return operation
    raise UsageError(
        "%(word)s is no way to put areas together.", "Choose one of %(known)s.", word=word, known=", ".join(OPERATIONS)
    )


def _metres(words: str) -> float:
    try:
        return float(words or 0)
    except ValueError as error:
        raise UsageError("%(words)s is no number of metres.", "Write a number such as 300.", words=words) from error
