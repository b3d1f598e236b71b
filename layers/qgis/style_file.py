"""A layer's look and form as QGIS keeps it beside a file's table (`layer_styles` of a GeoPackage): a QML document."""

from __future__ import annotations

from lxml import etree

from gis.town import load_town
from layers.definition import Definition
from layers.qgis.form import form_elements
from layers.qgis.scales import scale_attributes
from layers.qgis.symbols import labeling, renderer

_QGIS_VERSION = "3.22.0"  # the oldest we write for; later ones read it
_DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"
_SHAPES = {"Point": "point", "MultiPoint": "point", "MultiLineString": "line", "MultiPolygon": "area"}


def style_document(definition: Definition, language: str, is_read_only: bool = False) -> str:
    """Return the QML of a layer in a file: renderer, labels, scales, aliases, widgets and constraints.

    QGIS shows a layer of mixed geometries as one layer per kind, and no renderer fits all of them: that has the form
    alone.
    """
    has_label = bool(definition.style.label)
    root = etree.Element(
        "qgis", version=_QGIS_VERSION, styleCategories="AllStyleCategories", labelsEnabled=str(int(has_label)),
        readOnly=str(int(is_read_only)), **scale_attributes(definition.style, load_town()),
    )  # fmt: skip
    shape = _SHAPES.get(definition.geometry)
    if shape:
        root.append(renderer(definition, language, shape))
    if has_label:
        root.append(labeling(definition))
    root.extend(form_elements(definition.table_attributes, definition.key, language, is_file=True))
    return str(etree.tostring(root, encoding="unicode", doctype=_DOCTYPE))
