"""How a layer is drawn: one colour, or classes by the value or the range of an attribute."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from gis.errors import Phrase, UsageError
from gis.languages import LANGUAGES

SYMBOLS = ("circle", "square", "triangle", "diamond", "cross", "star")
DEEPEST_ZOOM = 22

_COLOR = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True)
class StyleClass:
    """One class of a style.

    Attributes
    ----------
    value : the attribute's value, for a class of one value.
    min, max : the range min ≤ value < max, in the attribute's unit, for a class by range; None is open.
    label : language tag → words of the legend; may be absent where the attribute's code list names the value.
    color, fill, width, symbol : as in `Style`; what is absent is taken from there.
    """

    value: str | bool | int | None = None
    min: float | None = None
    max: float | None = None
    label: dict[str, str] = field(default_factory=dict)
    color: str = ""
    fill: str = ""
    width: float | None = None
    symbol: str = ""

    def holds(self, value: object) -> bool:
        """Return whether a feature with this value of the attribute belongs to the class."""
        if self.value is not None:
            return value == self.value
        if not isinstance(value, int | float):
            return False
        return (self.min is None or value >= self.min) and (self.max is None or value < self.max)


@dataclass(frozen=True)
class Style:
    """How the map and the legend draw a layer.

    Attributes
    ----------
    color : of lines, outlines and symbols, `#rrggbb`. fill : of areas, "" = `color`.
    width : of lines and outlines, or size of a symbol's rim, pixels.
    symbol : shape of a point, one of `SYMBOLS`.
    label : attribute written beside a feature, "" = none.
    min_zoom, max_zoom : zooms of the web map between which the layer shows, both included.
    by : attribute that decides the class, "" = all features look the same.
    classes : looked at in their order, the first that holds wins; what none holds is drawn as the style itself says.
    """

    color: str = "#555555"
    fill: str = ""
    width: float = 1.5
    symbol: str = "circle"
    label: str = ""
    min_zoom: int = 0
    max_zoom: int = DEEPEST_ZOOM
    by: str = ""
    classes: tuple[StyleClass, ...] = ()


def parse_style(values: Mapping[str, Any], where: str | Phrase) -> Style:
    """Make a style from the table `style` of a definition.

    Raises
    ------
    UsageError : a key is unknown or has a value that cannot be drawn; the message names `where` and the key.
    """
    _check_look(values, where, Style)
    for key in ("min_zoom", "max_zoom"):
        if not (type(values.get(key, 0)) is int and 0 <= values.get(key, 0) <= DEEPEST_ZOOM):
            raise UsageError(
                "%(where)s: %(key)s is %(value)r.",
                "Zooms are whole numbers from 0 to %(deepest)s.",
                where=where,
                key=key,
                value=values[key],
                deepest=DEEPEST_ZOOM,
            )
    classes = tuple(
        _parse_class(entry, Phrase("%(where)s, class %(position)s", {"where": where, "position": position}))
        for position, entry in enumerate(values.get("classes", ()), 1)
    )
    style = Style(**{**values, "classes": classes})
    if style.min_zoom > style.max_zoom:
        raise UsageError("%(where)s: min_zoom is above max_zoom.", "The layer would never show.", where=where)
    if bool(style.by) != bool(style.classes):
        raise UsageError("%(where)s: by and classes belong together.", "Give both, or none of them.", where=where)
    return style


def _parse_class(values: Mapping[str, Any], where: str | Phrase) -> StyleClass:
    # The catalogue writes None for what is absent.
    given = {key: value for key, value in values.items() if value is not None}
    _check_look(given, where, StyleClass)
    if ("value" in given) == ("min" in given or "max" in given):
        raise UsageError(
            "%(where)s: needs a value or a range.", 'Write value = "…", or min = … and max = … (or one).', where=where
        )
    for key in given.keys() & {"min", "max"}:
        if isinstance(given[key], bool) or not isinstance(given[key], int | float):
            raise UsageError(
                "%(where)s: %(key)s is %(value)r.",
                "Ranges are numbers in the attribute's unit.",
                where=where,
                key=key,
                value=given[key],
            )
    label = given.get("label", {})
    if label and not {"ja", "en"} <= label.keys() <= set(LANGUAGES):
        raise UsageError("%(where)s: label must give ja and en.", 'Write label = { ja = "…", en = "…" }.', where=where)
    return StyleClass(**given)


def _check_look(values: Mapping[str, Any], where: str | Phrase, record: type) -> None:
    known = [item.name for item in fields(record)]
    unknown = sorted(values.keys() - set(known))
    if unknown:
        raise UsageError(
            "%(where)s: the key %(key)s is not known.",
            "Known are: %(known)s.",
            where=where,
            key=unknown[0],
            known=", ".join(known),
        )
    for key in ("color", "fill"):
        if values.get(key) and not _COLOR.fullmatch(str(values[key])):
            raise UsageError(
                "%(where)s: %(key)s is %(value)r.",
                "Colours are written #rrggbb, in small letters.",
                where=where,
                key=key,
                value=values[key],
            )
    if values.get("symbol") and values["symbol"] not in SYMBOLS:
        raise UsageError(
            "%(where)s: symbol is %(value)r.",
            "It must be one of %(known)s.",
            where=where,
            value=values["symbol"],
            known=", ".join(SYMBOLS),
        )
    width = values.get("width", 1)
    if isinstance(width, bool) or not isinstance(width, int | float) or not 0 <= width <= 30:
        raise UsageError("%(where)s: width is %(width)r.", "Widths are pixels, 0 to 30.", where=where, width=width)
