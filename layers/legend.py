"""The legend of a layer: what its style looks like, in words of the reader's language."""

from __future__ import annotations

from dataclasses import dataclass

from layers.definition import Attribute, Definition
from layers.style import StyleClass

_SHAPES = {
    "Point": "point",
    "MultiPoint": "point",
    "MultiLineString": "line",
    "MultiPolygon": "area",
    "Geometry": "point",
}
_RANGES = {
    (True, True): "{low}–{high}",
    (True, False): "≥ {low}",
    (False, True): "< {high}",
}


@dataclass(frozen=True)
class LegendEntry:
    """One line of a legend.

    Attributes
    ----------
    label : words for people. shape : `point`, `line` or `area`.
    color, fill : `#rrggbb`. width : pixels. symbol : of a point, one of `layers.style.SYMBOLS`.
    style_class : the class it stands for; None for the layer as a whole.
    """

    label: str
    shape: str
    color: str
    fill: str
    width: float
    symbol: str
    style_class: StyleClass | None = None


def legend(definition: Definition, language: str) -> list[LegendEntry]:
    """Return the legend of a layer: one entry per class of its style, or a single one named as the layer.

    Parameters
    ----------
    language : one of `gis.languages.LANGUAGES`; what has no words in it is told in Japanese.
    """
    if not definition.style.classes:
        return [_entry(definition, definition.name_in(language), StyleClass())]
    attribute = definition.attribute(definition.style.by)
    return [
        _entry(definition, class_label(attribute, style_class, language), style_class)
        for style_class in definition.style.classes
    ]


def class_label(attribute: Attribute, style_class: StyleClass, language: str) -> str:
    """Return the words for a class: its own label, the code's name, or the range with its unit."""
    if style_class.label:
        return style_class.label.get(language) or style_class.label["ja"]
    if style_class.value is not None:
        codes = attribute.codes.codes if attribute.codes else ()
        return next((code.name(language) for code in codes if code.value == style_class.value), str(style_class.value))
    low, high = style_class.min, style_class.max
    words = _RANGES[low is not None, high is not None].format(
        low="" if low is None else f"{low:g}", high="" if high is None else f"{high:g}"
    )
    return f"{words} {attribute.unit}".rstrip()


def _entry(definition: Definition, label: str, style_class: StyleClass) -> LegendEntry:
    style = definition.style
    color = style_class.color or style.color
    return LegendEntry(
        label=label,
        shape=_SHAPES[definition.geometry],
        color=color,
        # A class that only says its colour fills with it, too.
        fill=style_class.fill or style_class.color or style.fill or style.color,
        width=style.width if style_class.width is None else style_class.width,
        symbol=style_class.symbol or style.symbol,
        style_class=style_class if style.classes else None,
    )
