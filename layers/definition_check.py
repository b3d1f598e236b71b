"""Refuses layer definitions that cannot work, naming file and key."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any

from gis.errors import Phrase, UsageError
from gis.languages import LANGUAGES
from layers.codes import load_code_list
from layers.style import Style

POSTGRES_TYPES = {
    "text": "text",
    "integer": "bigint",
    "real": "double precision",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamptz",
}
GEOMETRIES = ("Point", "MultiPoint", "MultiLineString", "MultiPolygon", "Geometry")
SYSTEM_COLUMNS = ("fid", "version", "geom", "created_at", "created_by", "updated_at", "updated_by")
# history.<name> has these beside the attributes, or is read as if it had (valid_to: where the next version begins).
HISTORY_COLUMNS = ("operation", "valid_from", "valid_to", "changeset", "left_box")

# 40 characters leave room for the suffixes of constraints and triggers under PostgreSQL's 63.
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


# What stands in the schema `open` beside the layers: a public layer of that name would take its place.
_TAKEN_NAMES = frozenset({"alert", "alert_text", "attachment", "attachment_body"})


def check_definition(
    values: Mapping[str, Any], attribute_names: Sequence[str], where: str | Phrase, record: type
) -> None:
    """Check the keys of a layer definition without its attributes.

    Raises
    ------
    UsageError : naming `where` and the key.
    """
    _check_keys(values, where, record, except_for="attributes")
    _check_name(values["name"], where)
    if values["name"] in _TAKEN_NAMES:
        raise UsageError(
            "%(where)s: the name %(name)s is taken.",
            "The schema open has something of that name.",
            where=where,
            name=values["name"],
        )
    if values["name"].endswith("_personal"):
        raise UsageError(
            "%(where)s: name may not end in _personal.", "Such names are made from other layers.", where=where
        )
    _check_texts(values["title"], where, "title")
    _check_choice(values["geometry"], GEOMETRIES, where, "geometry")
    _check_choice(values.get("visibility", "internal"), ("public", "internal"), where, "visibility")
    _check_choice(values.get("extent", "town"), ("town", "anywhere"), where, "extent")
    for number in values.get("placeholders", ()):
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise UsageError(
                "%(where)s: placeholders has %(number)r.",
                "Placeholders are numbers, e.g. [999.99].",
                where=where,
                number=number,
            )
    taken = [*attribute_names, *(attribute.name for attribute in values["retired"])]
    twice = sorted({name for name in taken if taken.count(name) > 1})
    if twice:
        raise UsageError(
            "%(where)s: attribute %(attribute)s stands there twice.",
            "Give each attribute its own name.",
            where=where,
            attribute=twice[0],
        )
    for key, name in [
        ("key", values.get("key")),
        *(("open_when", name) for name in values.get("open_when", {})),
        *(("drawn_when", name) for name in values.get("drawn_when", {})),
        *(("relied_on", name) for name in values.get("relied_on", ())),
    ]:
        if name and name not in attribute_names:
            raise UsageError(
                "%(where)s: %(key)s names %(name)r, which is no attribute.",
                "Attributes are: %(attribute_names)s.",
                where=where,
                key=key,
                name=name,
                attribute_names=", ".join(attribute_names),
            )


def check_drawn(style: Style, drawn_names: Sequence[str], where: str | Phrase) -> None:
    """Check that the map has the attributes that a style draws by.

    Raises
    ------
    UsageError : `by` or `label` names an attribute that is not there or not drawn.
    """
    for key, name in (("by", style.by), ("label", style.label)):
        if name and name not in drawn_names:
            raise UsageError(
                "%(where)s, style: %(key)s names %(name)r, which the map does not have.",
                "Name an attribute with drawn = true.",
                where=where,
                key=key,
                name=name,
            )


def check_attribute(values: Mapping[str, Any], where: str | Phrase, record: type) -> None:
    """Check the keys of one attribute.

    Raises
    ------
    UsageError : naming `where` (file and attribute) and the key.
    """
    _check_keys(values, where, record)
    _check_name(values["name"], where)
    if values["name"] in SYSTEM_COLUMNS + HISTORY_COLUMNS:
        raise UsageError(
            "%(where)s: the name %(name)s is taken by the system.",
            "Choose another name.",
            where=where,
            name=values["name"],
        )
    _check_texts(values["label"], where, "label")
    kind = values.get("type", "text")
    _check_choice(kind, tuple(POSTGRES_TYPES), where, "type")
    for key in ("minimum", "maximum"):
        if key in values and kind not in ("integer", "real"):
            raise UsageError(
                "%(where)s: %(key)s stands at a %(kind)s.",
                "Only integer and real have bounds.",
                where=where,
                key=key,
                kind=kind,
            )
    for key in ("code_list", "choices", "pattern"):
        if values.get(key) and kind != "text":
            raise UsageError(
                "%(where)s: %(key)s stands at a %(kind)s.",
                "Only text has a code list or a pattern.",
                where=where,
                key=key,
                kind=kind,
            )
    if values.get("code_list") and values.get("choices"):
        raise UsageError(
            "%(where)s: code_list and choices at once.", "Take a list of data/codes, or one of its own.", where=where
        )
    try:
        re.compile(values.get("pattern", ""))
    except (re.error, TypeError) as error:
        raise UsageError(
            "%(where)s: the pattern cannot be read: %(error)s.", "Write a regular expression.", where=where, error=error
        ) from error
    if "$" in str(values.get("default", "")):
        # Defaults stand in the dollar-quoted body of a function that runs with the owner's rights.
        raise UsageError(
            "%(where)s: default is %(value)r.",
            "A default may not contain the sign $.",
            where=where,
            value=values["default"],
        )
    if values.get("personal") and values.get("drawn"):
        raise UsageError(
            "%(where)s: personal and drawn at once.", "Personal attributes never reach a map tile.", where=where
        )
    if values.get("code_list"):
        load_code_list(values["code_list"])


def _check_keys(values: Mapping[str, Any], where: str | Phrase, record: type, except_for: str = "") -> None:
    known = {item.name: item for item in fields(record) if item.name != except_for}
    unknown = sorted(values.keys() - known.keys())
    if unknown:
        raise UsageError(
            "%(where)s: the key %(key)s is not known.",
            "Known are: %(known)s.",
            where=where,
            key=unknown[0],
            known=", ".join(known),
        )
    for name, item in known.items():
        if name not in values and item.default is MISSING and item.default_factory is MISSING:
            raise UsageError("%(where)s: the key %(name)s is missing.", "Add %(name)s = …", where=where, name=name)
        if name in values and item.type in ("bool", "str") and type(values[name]).__name__ != item.type:
            raise UsageError(
                "%(where)s: %(name)s is %(value)r.",
                "It must be of type %(type)s.",
                where=where,
                name=name,
                value=values[name],
                type=item.type,
            )


def _check_name(name: str, where: str | Phrase) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(
            "%(where)s: %(name)r is no name.",
            "Names are a-z, 0-9 and _, begin with a letter, at most 40 characters.",
            where=where,
            name=name,
        )


def _check_texts(texts: Any, where: str | Phrase, key: str) -> None:
    if not isinstance(texts, Mapping) or not {"ja", "en"} <= texts.keys() or not texts.keys() <= set(LANGUAGES):
        raise UsageError(
            "%(where)s: %(key)s must give ja and en, and may give ja-x-easy.",
            'Write %(key)s = { ja = "…", en = "…" }.',
            where=where,
            key=key,
        )


def _check_choice(value: object, choices: tuple[str, ...], where: str | Phrase, key: str) -> None:
    if value not in choices:
        raise UsageError(
            "%(where)s: %(key)s is %(value)r.",
            "It must be one of %(choices)s.",
            where=where,
            key=key,
            value=value,
            choices=", ".join(choices),
        )
