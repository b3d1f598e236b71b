"""What a piece of an area is picked from by its name: school districts, evacuation zones, hazards, municipalities.

`data/alert_areas.toml` says which layers and attributes. Features are read from `open`: what the public does not see of
a layer cannot become a public area.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from psycopg import sql
from sqlalchemy import Connection, text

from gis.errors import UsageError
from gis.languages import LANGUAGES
from gis.settings import DATA_DIR
from layers.codes import load_code_list

_MOST_NAMES = 300


@dataclass(frozen=True)
class AreaPick:
    """One way to pick.

    Attributes
    ----------
    code : its table in `data/alert_areas.toml`. title : language → what the form calls it.
    by : attributes that hold the names. codes : attribute → code list, where the names are those of its codes.
    is_offered : whether forms list it; whole quarters have a list of their own.
    """

    code: str
    title: Mapping[str, str]
    layer: str
    by: tuple[str, ...]
    codes: Mapping[str, str]
    is_offered: bool = True

    def is_code(self, name: str) -> bool:
        """Return whether a name is that of a code, such as a depth of water, and not of a place."""
        return any(
            name in {code.value, *(code.name(language) for language in LANGUAGES)}
            for listed in self.codes.values()
            for code in load_code_list(listed).codes
        )


@cache
def load_picks() -> Mapping[str, AreaPick]:
    """Read `data/alert_areas.toml`, in the order of the file."""
    entries = tomllib.loads((DATA_DIR / "alert_areas.toml").read_text(encoding="utf-8"))
    return {
        code: AreaPick(
            code, entry["title"], entry["layer"], tuple(entry["by"]), entry.get("codes", {}), entry.get("offered", True)
        )
        for code, entry in entries.items()
    }


def find_pick(code: str) -> AreaPick:
    """Return a pick by its code; a KeyError says that there is none."""
    return load_picks()[code]


def offered_picks(connection: Connection) -> dict[str, AreaPick]:
    """Return the picks that forms list, whose layer this installation has and shows to the public."""
    return {code: pick for code, pick in load_picks().items() if pick.is_offered and _has_view(connection, pick.layer)}


def list_names(connection: Connection, pick: AreaPick, language: str) -> list[str]:
    """Return the names that can be picked, those of codes in `language`; at most 300."""
    names: list[str] = []
    for attribute in pick.by:
        query = sql.SQL("SELECT DISTINCT {0}::text FROM open.{1} WHERE {0} IS NOT NULL ORDER BY 1 LIMIT {2}").format(
            sql.Identifier(attribute), sql.Identifier(pick.layer), sql.Literal(_MOST_NAMES)
        )
        found = connection.exec_driver_sql(query.as_string(None)).scalars().all()
        if attribute in pick.codes:
            codes = {code.value: code for code in load_code_list(pick.codes[attribute]).codes}
            found = [codes[value].name(language) if value in codes else value for value in found]
        names += found
    return names[:_MOST_NAMES]


def read_pick(connection: Connection, ref: str) -> bytes | None:
    """Return the union of all features of `<pick>:<name>` as WKB, JGD2011 degrees; None when there are none."""
    code, _, name = ref.partition(":")
    pick = load_picks().get(code)
    if pick is None or not _has_view(connection, pick.layer):
        return None
    matches = sql.SQL(" OR ").join(
        sql.SQL("{}::text = {}").format(sql.Identifier(attribute), sql.Literal(_stored(pick, attribute, name)))
        for attribute in pick.by
    )
    query = sql.SQL("SELECT ST_AsBinary(ST_Union(geom)) FROM open.{} WHERE {}").format(
        sql.Identifier(pick.layer), matches
    )
    # The driver reads % as a placeholder.
    found = connection.exec_driver_sql(query.as_string(None).replace("%", "%%")).scalar()
    return None if found is None else bytes(found)


def pick_of_name(connection: Connection, name: str) -> AreaPick | None:
    """Return the one pick that has features of this name; None when none or several have.

    Raises
    ------
    UsageError : several have it; the message names them.
    """
    found = [pick for pick in offered_picks(connection).values() if read_pick(connection, f"{pick.code}:{name}")]
    if len(found) > 1:
        titles = ", ".join(pick.title["en"] for pick in found)
        raise UsageError(
            "%(name)s is the name of several things: %(titles)s.", "Say what it is.", name=name, titles=titles
        )
    return found[0] if found else None


def _stored(pick: AreaPick, attribute: str, name: str) -> str:
    """Return the value that is stored for a name: of a coded attribute its code, whatever language it is in."""
    if attribute not in pick.codes:
        return name
    codes = load_code_list(pick.codes[attribute])
    return codes.find(name) or next(
        (code.value for code in codes.codes if name in {code.name(language) for language in LANGUAGES}), name
    )


def _has_view(connection: Connection, layer: str) -> bool:
    query = text("SELECT to_regclass('open.' || quote_ident(:layer)) IS NOT NULL")
    return bool(connection.execute(query, {"layer": layer}).scalar())
