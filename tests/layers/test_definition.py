"""Definitions are read from TOML, and refused with file and key when they cannot work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gis.errors import UsageError
from layers.definition import load_definitions, parse_definition

NAME = {"name": "name", "label": {"ja": "名称", "en": "Name"}}
GOOD: dict[str, Any] = {
    "name": "pond",
    "title": {"ja": "ため池", "en": "Ponds"},
    "owner": "construction",
    "geometry": "Point",
    "attribute": [NAME],
}


def test_every_shipped_definition_is_read_and_survives_the_catalogue() -> None:
    definitions = load_definitions()
    assert {"incident", "evacuation_site", "shelter", "city_area", "base_road", "base_building", "base_water"} <= set(
        definitions
    )
    for definition in definitions.values():
        assert parse_definition(definition.to_json(), "again") == definition


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "Pond"}, "'Pond' is no name"),
        ({"name": "pond_personal"}, "may not end in"),
        ({"name": "attachment"}, "is taken"),
        ({"title": {"ja": "ため池"}}, "title must give ja and en"),
        ({"geometry": "Polygon"}, "geometry is 'Polygon'"),
        ({"visibility": "secret"}, "visibility is 'secret'"),
        ({"colour": "red"}, "the key colour is not known"),
        ({"is_deletable": "no"}, "is_deletable is 'no'"),
        ({"key": "number"}, "key names 'number'"),
        ({"open_when": {"state": "x"}}, "open_when names 'state'"),
        ({"drawn_when": {"state": ["x"]}}, "drawn_when names 'state'"),
        ({"attribute": [NAME, NAME]}, "attribute name stands there twice"),
        ({"attribute": [{**NAME, "name": "fid"}]}, "the name fid is taken"),
        ({"attribute": [{**NAME, "type": "float"}]}, "attribute name: type is 'float'"),
        ({"attribute": [{**NAME, "code_list": "nothing"}]}, "no code list 'nothing'"),
        ({"attribute": [{**NAME, "minimum": 1}]}, "minimum stands at a text"),
        ({"attribute": [{**NAME, "personal": True, "drawn": True}]}, "personal and drawn"),
        ({"attribute": [{"name": "name"}]}, "the key label is missing"),
    ],
)
def test_a_definition_that_cannot_work_is_refused_by_file_and_key(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        parse_definition({**GOOD, **change}, "pond.toml")
    assert "pond.toml" in caught.value.message or "code list" in caught.value.message
    assert caught.value.hint


def test_a_missing_key_is_named() -> None:
    with pytest.raises(UsageError, match=r"pond\.toml: the key owner is missing"):
        parse_definition({key: value for key, value in GOOD.items() if key != "owner"}, "pond.toml")


def test_a_file_that_is_no_toml_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "pond.toml").write_text("name = ", encoding="utf-8")
    with pytest.raises(UsageError, match=r"pond\.toml is no TOML"):
        load_definitions(tmp_path)


def test_a_file_is_called_as_its_layer(tmp_path: Path) -> None:
    (tmp_path / "lake.toml").write_text(
        'name = "pond"\ntitle = { ja = "池", en = "Pond" }\nowner = "sewer"\ngeometry = "Point"\n', encoding="utf-8"
    )
    with pytest.raises(UsageError, match=r"lake\.toml: name is 'pond'"):
        load_definitions(tmp_path)
