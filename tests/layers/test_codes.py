"""Code lists find the stored value by every name a file may use."""

from __future__ import annotations

import json

import pytest

from gis.errors import UsageError
from gis.settings import DATA_DIR
from layers.codes import load_code_list
from layers.definition import parse_definition


@pytest.mark.parametrize("written", ["pvc", "硬質塩化ビニル管", "PVC", "VU"])
def test_a_value_is_found_by_itself_its_names_and_its_aliases(written: str) -> None:
    assert load_code_list("sewer_material").find(written) == "pvc"


def test_an_unknown_name_is_not_guessed() -> None:
    assert load_code_list("sewer_material").find("竹") is None


def test_no_name_of_a_shipped_list_means_two_values() -> None:
    for path in sorted((DATA_DIR / "codes").glob("*.toml")):
        codes = load_code_list(path.stem).codes
        names = [name for code in codes for name in {code.value, *code.names.values(), *code.aliases}]
        assert len(names) == len(set(names)), path.name


def test_a_layer_may_bring_codes_of_its_own_and_the_catalogue_keeps_them() -> None:
    attribute = {
        "name": "state",
        "label": {"ja": "状態", "en": "State"},
        "choices": [
            {"value": "good", "ja": "良", "en": "Good", "aliases": ["◎"]},
            {"value": "bad", "ja": "不良", "en": "Bad"},
        ],
    }
    values = {
        "name": "pond",
        "title": {"ja": "ため池", "en": "Ponds"},
        "owner": "construction",
        "geometry": "Point",
        "attribute": [attribute],
    }
    definition = parse_definition(values, "pond")
    codes = definition.attribute("state").codes
    assert codes is not None
    assert codes.values == ("good", "bad")
    assert (codes.find("◎"), codes.find("不良"), codes.find("?")) == ("good", "bad", None)
    assert parse_definition(json.loads(json.dumps(definition.to_json())), "again") == definition


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"choices": [{"value": "a", "ja": "あ"}]}, "lacks en"),
        ({"choices": [{"value": "a", "ja": "あ", "en": "A"}] * 2}, "'a' stands there twice"),
        ({"choices": [{"value": "a", "ja": "あ", "en": "A"}], "code_list": "store_kind"}, "code_list and choices"),
        ({"choices": [{"value": "a", "ja": "あ", "en": "A"}], "type": "real"}, "Only text"),
    ],
)
def test_codes_of_a_layers_own_that_cannot_work_are_refused(changes: dict[str, object], message: str) -> None:
    attribute = {"name": "state", "label": {"ja": "状態", "en": "State"}, **changes}
    title = {"ja": "ため池", "en": "Ponds"}
    with pytest.raises(UsageError) as caught:
        parse_definition(
            {"name": "pond", "title": title, "owner": "planning", "geometry": "Point", "attribute": [attribute]}, "pond"
        )
    assert message in str(caught.value)
