"""How QGIS asks for a layer's attributes: widgets, names, constraints (the field part of a project file)."""

from __future__ import annotations

from typing import Any

from lxml import etree

from layers.definition import Attribute
from layers.definition_check import SYSTEM_COLUMNS
from layers.qgis.symbols import options

# How QGIS writes NULL in a value map (QgsValueMapFieldFormatter::NULL_VALUE).
_NULL = "{2839923C-8B7D-419E-B84B-CA2FE9B80EC7}"
_NO_VALUE = "–"
_HARD, _SOFT = "1", "2"
_NOT_NULL, _UNIQUE, _EXPRESSION = 1, 2, 4
_READ_ONLY = tuple(name for name in SYSTEM_COLUMNS if name != "geom")


def form_elements(
    attributes: tuple[Attribute, ...], key: str, language: str, is_file: bool = False, *, retired: tuple[str, ...] = ()
) -> list[Any]:
    """Return the elements of a layer's form; the system columns are shown and not editable.

    Parameters
    ----------
    key : the attribute that tells features apart, "" = none.
    is_file : of a table in a file, whose only system column is `fid`; it is hidden there, since nobody may choose it.
    retired : columns out of use, which neither form nor table shows.
    """
    fields = etree.Element("fieldConfiguration")
    aliases = etree.Element("aliases")
    constraints = etree.Element("constraints")
    expressions = etree.Element("constraintExpressions")
    editable = etree.Element("editable")
    for name in ("fid",) if is_file else _READ_ONLY:
        _widget(fields, name, "Hidden" if is_file else "TextEdit", {} if is_file else {"IsMultiline": False})
        etree.SubElement(editable, "field", name=name, editable="0")
    table = etree.Element("attributetableconfig", actionWidgetStyle="dropDown", sortExpression="", sortOrder="0")
    columns = etree.SubElement(table, "columns")
    for name in retired:
        _widget(fields, name, "Hidden", {})
        etree.SubElement(editable, "field", name=name, editable="0")
        etree.SubElement(columns, "column", type="field", name=name, hidden="1", width="-1")
    for attribute in attributes:
        _widget(fields, attribute.name, *_editor(attribute, language))
        title = attribute.title(language) + (f" [{attribute.unit}]" if attribute.unit else "")
        etree.SubElement(aliases, "alias", field=attribute.name, name=title)
        _constrain(constraints, expressions, attribute, attribute.name == key)
        etree.SubElement(editable, "field", name=attribute.name, editable="1")
    return [fields, aliases, constraints, expressions, editable, *([table] if retired else [])]


def _widget(parent: Any, name: str, kind: str, config: dict[str, Any]) -> None:
    field = etree.SubElement(parent, "field", name=name, configurationFlags="None")
    widget = etree.SubElement(field, "editWidget", type=kind)
    options(config, etree.SubElement(widget, "config"))


def _editor(attribute: Attribute, language: str) -> tuple[str, dict[str, Any]]:
    if attribute.codes:
        choices = [{code.name(language): code.value} for code in attribute.codes.codes]
        if not attribute.required:
            choices.insert(0, {_NO_VALUE: _NULL})
        return "ValueMap", {"map": choices}
    if attribute.type == "boolean":
        return "CheckBox", {"CheckedState": "true", "UncheckedState": "false"}
    if attribute.type in ("date", "timestamp"):
        form = "yyyy-MM-dd" if attribute.type == "date" else "yyyy-MM-dd HH:mm:ss"
        return "DateTime", {
            "allow_null": not attribute.required, "calendar_popup": True, "display_format": form, "field_format": form,
        }  # fmt: skip
    return "TextEdit", {"IsMultiline": attribute.name in ("note", "text"), "UseHtml": False}


def _constrain(constraints: Any, expressions: Any, attribute: Attribute, is_key: bool) -> None:
    # What has a default is filled by the database.
    is_required = attribute.required and attribute.default is None
    expression = _expression(attribute)
    flags = _NOT_NULL * is_required + _UNIQUE * is_key + _EXPRESSION * bool(expression)
    etree.SubElement(
        constraints, "constraint", field=attribute.name, constraints=str(flags),
        notnull_strength=_HARD if is_required else "0",
        # Soft: the check reads the whole layer, and the database refuses a second one anyway.
        unique_strength=_SOFT if is_key else "0",
        exp_strength=_HARD if expression else "0",
    )  # fmt: skip
    etree.SubElement(expressions, "constraint", field=attribute.name, exp=expression, desc="")


def _expression(attribute: Attribute) -> str:
    """The attribute's rules in QGIS's expression language; NULL passes all of them."""
    column = f'"{attribute.name}"'
    parts = []
    if attribute.minimum is not None:
        parts.append(f"{column} >= {attribute.minimum:.15g}")
    if attribute.maximum is not None:
        parts.append(f"{column} <= {attribute.maximum:.15g}")
    if attribute.pattern:
        pattern = attribute.pattern.replace("\\", "\\\\").replace("'", "''")
        parts.append(f"regexp_match({column}, '{pattern}') > 0")
    return f"{column} IS NULL OR ({' AND '.join(parts)})" if parts else ""
