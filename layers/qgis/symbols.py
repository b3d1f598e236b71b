"""How QGIS draws a layer: its style as the renderer and labels of a project file (QGIS 3, `renderer-v2`)."""

from __future__ import annotations

from typing import Any

from lxml import etree

from layers.definition import Definition
from layers.legend import LegendEntry, legend
from layers.style import StyleClass

_PIXEL_MM = 25.4 / 96  # CSS pixel
_POINT_SIZE_PIXELS = 9.0
_AREA_OPACITY = 0.6  # the map beneath shows through
_FAR = 1e18
_MARKERS = {"cross": "cross_fill"}
_TYPES = {"point": "marker", "line": "line", "area": "fill"}
_CLASSES = {"point": "SimpleMarker", "line": "SimpleLine", "area": "SimpleFill"}


def renderer(definition: Definition, language: str, shape: str) -> Any:
    """Return the element `renderer-v2` of a layer.

    Parameters
    ----------
    shape : `point`, `line` or `area`: what of a layer of mixed geometries is drawn.
    """
    style, entries = definition.style, legend(definition, language)
    if not style.classes:
        return _single(entries[0], shape)
    if all(entry.value is not None for entry in style.classes):
        return _categorized(definition, entries, shape, language)
    if all(entry.value is None for entry in style.classes):
        return _graduated(definition, entries, shape)
    return _rules(definition, entries, shape)


def labeling(definition: Definition) -> Any:
    """Return the element `labeling`: the style's label attribute, codes by their names, with a white halo."""
    attribute = definition.attribute(definition.style.label)
    field = f'represent_value("{attribute.name}")' if attribute.codes else attribute.name
    element = etree.Element("labeling", type="simple")
    settings = etree.SubElement(element, "settings", calloutType="simple")
    text_style = etree.SubElement(
        settings, "text-style", fieldName=field, isExpression=str(int(attribute.codes is not None)), fontSize="8",
        fontSizeUnit="Point", fontFamily="Noto Sans CJK JP", textColor="30,30,30,255", textOpacity="1",
    )  # fmt: skip
    etree.SubElement(
        text_style, "text-buffer", bufferDraw="1", bufferSize="0.6", bufferSizeUnits="MM",
        bufferColor="255,255,255,255", bufferOpacity="1", bufferNoFill="0",
    )  # fmt: skip
    return element


def options(values: dict[str, Any], parent: Any) -> Any:
    """Add a map in QGIS's own notation (`<Option type="Map">`) to an element and return it; None is an empty one."""
    made = etree.SubElement(parent, "Option", type="Map")
    for name, value in values.items():
        _option(made, value, name)
    return made


def _option(parent: Any, value: Any, name: str) -> None:
    if isinstance(value, dict):
        options(value, parent).set("name", name)
    elif isinstance(value, list):
        listed = etree.SubElement(parent, "Option", type="List", name=name)
        for item in value:
            options(item, listed)
    elif isinstance(value, bool):
        etree.SubElement(parent, "Option", type="bool", name=name, value=str(value).lower())
    else:
        etree.SubElement(parent, "Option", type="QString", name=name, value=str(value))


def _base(kind: str, attribute: str = "") -> Any:
    element = etree.Element("renderer-v2", type=kind, symbollevels="0", forceraster="0", enableorderby="0")
    if attribute:
        element.set("attr", attribute)
    return element


def _single(entry: LegendEntry, shape: str) -> Any:
    element = _base("singleSymbol")
    _symbols(element, [entry], shape)
    return element


def _categorized(definition: Definition, entries: list[LegendEntry], shape: str, language: str) -> Any:
    element = _base("categorizedSymbol", definition.style.by)
    categories = etree.SubElement(element, "categories")
    # What no class holds is drawn as the layer's style itself says; in QGIS that is the category of no value.
    rest = _rest(definition)
    for number, entry in enumerate([*entries, rest]):
        value = entry.style_class.value if entry.style_class else ""
        label = entry.label if entry.style_class else definition.name_in(language)
        etree.SubElement(
            categories, "category", symbol=str(number), render="true", label=label,
            value=str(value).lower() if isinstance(value, bool) else str(value),
            type="bool" if isinstance(value, bool) else "string",
        )  # fmt: skip
    _symbols(element, [*entries, rest], shape)
    return element


def _graduated(definition: Definition, entries: list[LegendEntry], shape: str) -> Any:
    element = _base("graduatedSymbol", definition.style.by)
    element.set("graduatedMethod", "GraduatedColor")
    ranges = etree.SubElement(element, "ranges")
    # QGIS counts both bounds in and takes the first range that fits: from the top, a bound belongs to the range above.
    ordered = sorted(entries, key=lambda entry: -_bounds(entry.style_class)[0])
    for number, entry in enumerate(ordered):
        lower, upper = _bounds(entry.style_class)
        etree.SubElement(
            ranges, "range", symbol=str(number), render="true", label=entry.label, lower=repr(lower), upper=repr(upper)
        )
    _symbols(element, ordered, shape)
    return element


def _rules(definition: Definition, entries: list[LegendEntry], shape: str) -> Any:
    element = _base("RuleRenderer")
    rules = etree.SubElement(element, "rules", key="all")
    for number, entry in enumerate(entries):
        condition = _condition(definition.style.by, entry.style_class or StyleClass())
        etree.SubElement(rules, "rule", key=f"class{number}", symbol=str(number), label=entry.label, filter=condition)
    etree.SubElement(rules, "rule", key="rest", symbol=str(len(entries)), filter="ELSE", label=definition.name)
    _symbols(element, [*entries, _rest(definition)], shape)
    return element


def _condition(attribute: str, style_class: StyleClass) -> str:
    if style_class.value is not None:
        value = str(style_class.value).replace("'", "''")
        return f"\"{attribute}\" = '{value}'"
    lower, upper = _bounds(style_class)
    return f'"{attribute}" >= {lower!r} AND "{attribute}" < {upper!r}'


def _bounds(style_class: StyleClass | None) -> tuple[float, float]:
    low, high = (style_class.min, style_class.max) if style_class else (None, None)
    return (-_FAR if low is None else float(low), _FAR if high is None else float(high))


def _rest(definition: Definition) -> LegendEntry:
    style = definition.style
    return LegendEntry("", "", style.color, style.fill or style.color, style.width, style.symbol)


def _symbols(parent: Any, entries: list[LegendEntry], shape: str) -> None:
    symbols = etree.SubElement(parent, "symbols")
    for number, entry in enumerate(entries):
        symbol = etree.SubElement(
            symbols, "symbol", type=_TYPES[shape], name=str(number), alpha="1", clip_to_extent="1", force_rhr="0"
        )
        layer = etree.SubElement(
            symbol, "layer", **{"class": _CLASSES[shape]}, enabled="1", locked="0", **{"pass": "0"}
        )
        options(_look(entry, shape), layer)


def _look(entry: LegendEntry, shape: str) -> dict[str, str]:
    width = f"{entry.width * _PIXEL_MM:.3f}"
    if shape == "line":
        return {
            "line_color": _rgba(entry.color), "line_width": width, "line_width_unit": "MM", "line_style": "solid",
            "joinstyle": "round", "capstyle": "round",
        }  # fmt: skip
    outline = {
        "outline_color": _rgba(entry.color), "outline_width": width, "outline_width_unit": "MM",
        "outline_style": "solid" if entry.width else "no",
    }  # fmt: skip
    if shape == "area":
        return {"color": _rgba(entry.fill, _AREA_OPACITY), "style": "solid", **outline}
    size = f"{_POINT_SIZE_PIXELS * _PIXEL_MM:.3f}"
    return {
        "name": _MARKERS.get(entry.symbol, entry.symbol), "color": _rgba(entry.fill), "size": size, "size_unit": "MM",
        **outline,
    }  # fmt: skip


def _rgba(color: str, opacity: float = 1.0) -> str:
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return f"{red},{green},{blue},{round(255 * opacity)}"
