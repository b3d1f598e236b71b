"""Styles are read from definitions, and refused with file and key when they cannot be drawn."""

from __future__ import annotations

from typing import Any

import pytest

from gis.errors import UsageError
from layers.definition import parse_definition
from layers.legend import legend
from layers.style import Style, StyleClass, parse_style

LAYER: dict[str, Any] = {
    "name": "pipe",
    "title": {"ja": "管", "ja-x-easy": "くだ", "en": "Pipes"},
    "owner": "sewer",
    "geometry": "MultiLineString",
    "attribute": [
        {"name": "size_mm", "label": {"ja": "管径", "en": "Diameter"}, "type": "integer", "unit": "mm", "drawn": True},
        {"name": "road", "label": {"ja": "道路", "en": "Road"}, "code_list": "road_class", "drawn": True},
        {"name": "note", "label": {"ja": "備考", "en": "Note"}},
    ],
}


def test_a_style_survives_the_catalogue() -> None:
    style = {"color": "#112233", "by": "size_mm", "classes": [{"max": 300, "color": "#aabbcc"}, {"min": 300}]}
    definition = parse_definition({**LAYER, "style": style, "placeholders": [999.99]}, "pipe.toml")
    assert parse_definition(definition.to_json(), "again") == definition
    assert definition.placeholders == (999.99,)


@pytest.mark.parametrize(
    ("style", "message"),
    [
        ({"colour": "#112233"}, "the key colour is not known"),
        ({"color": "red"}, "color is 'red'"),
        ({"width": -1}, "width is -1"),
        ({"symbol": "cat"}, "symbol is 'cat'"),
        ({"min_zoom": 30}, "min_zoom is 30"),
        ({"min_zoom": 15, "max_zoom": 12}, "min_zoom is above max_zoom"),
        ({"by": "road"}, "by and classes belong together"),
        ({"by": "road", "classes": [{"color": "#112233"}]}, "class 1: needs a value or a range"),
        ({"by": "road", "classes": [{"value": "lane", "min": 1}]}, "class 1: needs a value or a range"),
        ({"by": "size_mm", "classes": [{"min": "thick"}]}, "class 1: min is 'thick'"),
        ({"by": "road", "classes": [{"value": "lane", "label": {"ja": "路"}}]}, "label must give ja and en"),
        ({"by": "note", "classes": [{"value": "x"}]}, "by names 'note', which the map does not have"),
        ({"label": "nothing"}, "label names 'nothing'"),
    ],
)
def test_a_style_that_cannot_be_drawn_is_refused_by_file_and_key(style: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        parse_definition({**LAYER, "style": style}, "pipe.toml")
    assert "pipe.toml" in caught.value.message
    assert caught.value.hint


def test_placeholders_are_numbers() -> None:
    with pytest.raises(UsageError, match=r"pipe\.toml: placeholders has '-'"):
        parse_definition({**LAYER, "placeholders": ["-"]}, "pipe.toml")


@pytest.mark.parametrize(
    ("value", "holds"), [(299.9, False), (300, True), (449, True), (450, False), (None, False), ("300", False)]
)
def test_a_range_takes_its_lower_end_and_leaves_its_upper(value: object, holds: bool) -> None:
    assert StyleClass(min=300, max=450).holds(value) is holds


def test_a_class_of_one_value_holds_that_value_alone() -> None:
    assert StyleClass(value="lane").holds("lane")
    assert not StyleClass(value="lane").holds(None)


def test_a_layer_without_classes_has_a_legend_of_one_line() -> None:
    definition = parse_definition({**LAYER, "style": {"color": "#112233", "width": 3}}, "pipe.toml")
    (entry,) = legend(definition, "ja-x-easy")
    assert (entry.label, entry.shape, entry.color, entry.width) == ("くだ", "line", "#112233", 3)
    assert entry.style_class is None


def test_classes_by_value_are_called_as_the_code_list_calls_them() -> None:
    style = {"color": "#112233", "by": "road", "classes": [{"value": "lane", "color": "#aabbcc"}, {"value": "path"}]}
    definition = parse_definition({**LAYER, "style": style}, "pipe.toml")
    lane, path = legend(definition, "en")
    assert (lane.label, lane.color, lane.fill) == ("Lane", "#aabbcc", "#aabbcc")
    assert (path.label, path.color) == ("path", "#112233")
    assert legend(definition, "ja-x-easy")[0].label == "細街路"


def test_classes_by_range_are_called_by_their_ends_and_unit_or_by_their_own_words() -> None:
    classes = [
        {"max": 300},
        {"min": 300, "max": 450.5},
        {"min": 450.5},
        {"min": 900, "label": {"ja": "幹線", "en": "Trunk"}},
    ]
    definition = parse_definition({**LAYER, "style": {"by": "size_mm", "classes": classes}}, "pipe.toml")
    assert [entry.label for entry in legend(definition, "en")] == ["< 300 mm", "300–450.5 mm", "≥ 450.5 mm", "Trunk"]


def test_an_empty_style_draws_something() -> None:
    assert parse_style({}, "pipe.toml, style") == Style()
