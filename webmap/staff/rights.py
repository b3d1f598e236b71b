"""What the database lets whom do with a layer, for people to read; nothing is decided here."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from gis.database import OWNER, SERVICE
from gis.queries import load_queries
from webmap.languages import gettext, language

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class LayerRights:
    """Who may do what with one layer.

    Attributes
    ----------
    readers, editors : titles of departments. is_for_all : every department may see it.
    may_see, may_edit : the same for the running role. may_manage : the account may change the layer itself.
    """

    readers: tuple[str, ...]
    editors: tuple[str, ...]
    is_for_all: bool
    may_see: bool
    may_edit: bool
    may_manage: bool


def layer_rights(connection: Connection) -> dict[str, LayerRights]:
    """Return the rights in all layers, by name, titles in the reader's language."""
    own = {row.layer: row for row in connection.execute(_QUERIES["own_rights"])}
    rows = connection.execute(_QUERIES["rights"]).all()
    found = {}
    for name, mine in own.items():
        others = [row for row in rows if row.layer == name]
        found[name] = LayerRights(
            readers=tuple(_title(row.title_ja, row.title_en) for row in others if row.may_see),
            editors=tuple(_title(row.title_ja, row.title_en) for row in others if row.may_edit),
            is_for_all=all(row.may_see for row in others),
            may_see=mine.may_see,
            may_edit=mine.may_edit,
            may_manage=mine.may_manage,
        )
    return found


def role_titles(connection: Connection) -> dict[str, str]:
    """Return database role → title, and department → title, for those who act in the history."""
    rows = connection.execute(text("SELECT name, role_name, title_ja, title_en FROM gis.department"))
    titles = {key: _title(row.title_ja, row.title_en) for row in rows for key in (row.name, row.role_name)}
    return {**titles, SERVICE: gettext("The system"), OWNER: gettext("The system")}


def _title(ja: str, en: str) -> str:
    return en if language() == "en" else ja
