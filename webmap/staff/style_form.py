"""A layer's style as a form shows and sends it: one look, or a row per class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gis.errors import UsageError
from gis.languages import LANGUAGES
from layers.definition import Attribute, Definition
from layers.legend import class_label, legend
from layers.style import Style, StyleClass, parse_style
from webmap.colours import LEAST_CONTRAST, Palette, alike, contrast
from webmap.languages import SOURCE_LANGUAGE, gettext, load_catalogue, mark

Form = Mapping[str, str]


@dataclass(frozen=True)
class Row:
    """One class as the form shows it: everything as text, colours always filled in."""

    value: str = ""
    min: str = ""
    max: str = ""
    ja: str = ""
    en: str = ""
    color: str = "#555555"
    fill: str = "#555555"
    width: str = "1.5"
    symbol: str = "circle"


def rows_of(definition: Definition) -> list[Row]:
    """Return the classes of a definition's style as rows."""
    entries = [entry for entry in legend(definition, "ja") if entry.style_class is not None]
    return [
        Row(
            value=_written(entry.style_class.value),
            min=_written(entry.style_class.min),
            max=_written(entry.style_class.max),
            ja=entry.style_class.label.get("ja", ""),
            en=entry.style_class.label.get("en", ""),
            color=entry.color,
            fill=entry.fill,
            width=f"{entry.width:g}",
            symbol=entry.symbol,
        )
        for entry in entries
        if entry.style_class is not None
    ]


def read_style(definition: Definition, form: Form) -> Style:
    """Return the style that a form describes.

    Raises
    ------
    UsageError : something in it cannot be drawn.
    """
    by = form.get("by", "")
    attribute = next((one for one in definition.table_attributes if one.name == by), None)
    if by and attribute is None:
        raise UsageError("The map cannot draw by %(by)r.", "Choose an attribute that is not personal.", by=by)
    count = int(form["classes"]) if form.get("classes", "").isdigit() else 0
    classes = [_read_class(attribute, form, n) for n in range(min(count, 50))] if attribute else []
    color, fill = form.get("color", ""), form.get("fill", "")
    values: dict[str, Any] = {
        "color": color,
        "fill": "" if fill == color else fill,
        "width": _number(form.get("width", "1.5")),
        "symbol": form.get("symbol", "circle"),
        "label": form.get("label", ""),
        "min_zoom": int(_number(form.get("min_zoom", "0"))),
        "max_zoom": int(_number(form.get("max_zoom", "22"))),
        "by": by if classes else "",
        "classes": classes,
    }
    return parse_style(values, definition.name)


def with_classes(style: Style, by: str, classes: Sequence[StyleClass], palette: Palette) -> Style:
    """Return a style drawn by new classes in a palette's colours."""
    colors = palette.pick(len(classes))
    coloured = tuple(
        replace(one, color=color, label=_yes_or_no(one.value) if isinstance(one.value, bool) else one.label)
        for one, color in zip(classes, colors, strict=True)
    )
    return replace(style, by=by, classes=coloured)


def style_hints(definition: Definition, language: str) -> list[str]:
    """Return what a style makes hard to see, in the reader's language."""
    entries = legend(definition, language)
    # An area shows by its fill and its edge, a line or a symbol by its colour.
    pale = [
        entry.label
        for entry in entries
        if contrast(entry.color) < LEAST_CONTRAST and (entry.shape == "line" or contrast(entry.fill) < LEAST_CONTRAST)
    ]
    said = [gettext("%(name)s: the colour is pale on the map.") % {"name": label} for label in pale]
    looks = [entry.color if entry.shape == "line" else entry.fill for entry in entries]
    said += [
        gettext("%(one)s and %(other)s: colour-blind people see the same colour.")
        % {"one": entries[a].label, "other": entries[b].label}
        for a, b in alike(looks)
        if entries[a].symbol == entries[b].symbol or entries[a].shape != "point"
    ]
    return said[:6]


def row_title(attribute: Attribute, row: Row, language: str) -> str:
    """Return the words by which a row is known: the code's name or the range."""
    if row.ja or row.en:
        return row.en if language == "en" else row.ja
    if row.value:
        return class_label(attribute, StyleClass(value=_typed(attribute, row.value)), language)
    low, high = (_number(text) if text else None for text in (row.min, row.max))
    return "" if low is None and high is None else class_label(attribute, StyleClass(min=low, max=high), language)


def _yes_or_no(value: bool) -> dict[str, str]:
    word = mark("yes") if value else mark("no")
    return {language: load_catalogue(language)[word] for language in LANGUAGES if language != SOURCE_LANGUAGE} | {
        SOURCE_LANGUAGE: word
    }


def _read_class(attribute: Attribute, form: Form, n: int) -> dict[str, Any]:
    def said(field: str) -> str:
        return form.get(f"c{n}_{field}", "").strip()

    made: dict[str, Any] = {"color": said("color"), "symbol": said("symbol"), "width": _number(said("width") or "1.5")}
    if said("fill") and said("fill") != said("color"):
        made["fill"] = said("fill")
    if said("ja") or said("en"):
        made["label"] = {"ja": said("ja") or said("en"), "en": said("en") or said("ja")}
    if said("value"):
        return {**made, "value": _typed(attribute, said("value"))}
    return made | {key: _number(said(key)) for key in ("min", "max") if said(key)}


def _typed(attribute: Attribute, written: str) -> str | bool | int:
    if attribute.type == "boolean":
        return written == "true"
    if attribute.type == "integer":
        return int(_number(written))
    return written


def _written(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _number(written: str) -> float:
    try:
        number = float(written)
    except ValueError as error:
        raise UsageError(
            "%(written)r is no number.", "Write digits, with a point before the decimals.", written=written
        ) from error
    if not abs(number) < float("inf"):
        raise UsageError(
            "%(written)r is no number.", "Write digits, with a point before the decimals.", written=written
        )
    return number
