"""What the editor's page must know of a layer: its attributes as form fields, its look, and its words."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

from sqlalchemy import Connection, text

from gis.languages import DEFAULT_LANGUAGE
from gis.settings import DATA_DIR
from layers.definition import Attribute, Definition
from layers.legend import legend
from layers.viewing import may_read_personal


@cache
def load_words(language: str) -> dict[str, str]:
    """Return key → text of `data/editor.toml`, in Japanese where the language has none."""
    table = tomllib.loads((DATA_DIR / "editor.toml").read_text(encoding="utf-8"))
    return {key: texts.get(language) or texts[DEFAULT_LANGUAGE] for key, texts in table.items()}


def describe_layer(connection: Connection, definition: Definition, language: str) -> dict[str, Any]:
    """Return the layer for the page's script: names in `language`, personal attributes only for whoever reads them."""
    attributes = definition.attributes if may_read_personal(connection, definition) else definition.table_attributes
    return {
        "name": definition.name,
        "title": definition.name_in(language),
        "geometry": definition.geometry,
        "is_geometry_required": definition.is_geometry_required,
        "key": definition.key,
        "label": _naming_attribute(definition),
        "attributes": [_field(attribute, language) for attribute in attributes],
        "style": {
            "by": definition.style.by,
            "color": definition.style.color,
            "width": definition.style.width,
            "classes": [
                {
                    "value": entry.style_class.value,
                    "min": entry.style_class.min,
                    "max": entry.style_class.max,
                    "color": entry.color,
                }
                for entry in legend(definition, language)
                if entry.style_class is not None
            ],
        },
        "may": {right.lower(): _may(connection, definition, right) for right in ("INSERT", "UPDATE", "DELETE")},
    }


def _field(attribute: Attribute, language: str) -> dict[str, Any]:
    codes = attribute.codes.codes if attribute.codes else ()
    return {
        "name": attribute.name,
        "label": attribute.title(language),
        "type": attribute.type,
        "unit": attribute.unit,
        "required": attribute.required,
        "default": attribute.default,
        "pattern": attribute.pattern,
        "minimum": attribute.minimum,
        "maximum": attribute.maximum,
        "codes": [{"value": code.value, "name": code.name(language)} for code in codes],
        "is_personal": attribute.personal,
    }


def _naming_attribute(definition: Definition) -> str:
    """Return the attribute by which people know a feature: its name, else its key, else what the map writes; or ""."""
    names = [attribute.name for attribute in definition.table_attributes]
    return next((name for name in ("name", definition.key, definition.style.label) if name in names), "")


def _may(connection: Connection, definition: Definition, right: str) -> bool:
    query = text("SELECT has_table_privilege(:table, :right)")
    return bool(connection.execute(query, {"table": f"layers.{definition.name}", "right": right}).scalar_one())
