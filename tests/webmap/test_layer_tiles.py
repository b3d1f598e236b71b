"""The style of a layer on its way to the browser, and the base map as the catalogue has it now."""

from __future__ import annotations

from dataclasses import replace

from flask import Flask
from sqlalchemy import Engine, text

from layers.definition import load_definitions
from layers.legend import legend
from webmap.layer_tiles import layer_tiles, style_spec
from webmap.town_map import load_base_layers, small_map_script


def test_the_browser_gets_what_the_legend_shows() -> None:
    for definition in load_definitions().values():
        spec = style_spec(definition, "ja")
        entries = [entry for entry in legend(definition, "ja") if entry.style_class]
        assert [(rule["color"], rule["fill"], rule["width"], rule["symbol"]) for rule in spec["rules"]] == [
            (entry.color, entry.fill, entry.width, entry.symbol) for entry in entries
        ], definition.name


def test_the_label_is_told_by_the_names_of_its_codes() -> None:
    pipes = load_definitions()["sewer_pipe"]
    labelled = replace(pipes, style=replace(pipes.style, label="flow"))
    assert style_spec(labelled, "ja")["names"]["gravity"] == "自然流下"
    assert style_spec(pipes, "ja")["names"] == {}


def test_a_title_cannot_end_the_script() -> None:
    pipes = load_definitions()["sewer_pipe"]
    style_class = replace(pipes.style.classes[0], value="</script>")
    hostile = replace(pipes, style=replace(pipes.style, classes=(style_class,)))
    assert "</script>" not in layer_tiles(hostile, "/t", "en").options


def test_the_layer_shows_between_its_zooms_only() -> None:
    pipes = load_definitions()["sewer_pipe"]
    assert "minZoom: 13, maxZoom: 18" in layer_tiles(pipes, "/t", "ja").options


def test_the_base_map_follows_a_change_of_style_at_once(app: Flask, owner: Engine) -> None:
    def script() -> str:
        with app.test_request_context():
            return small_map_script(app.extensions["machimori"].town, "ja")

    with app.test_request_context():
        assert [layer.name for layer in load_base_layers()] == ["base_water", "base_building", "base_road", "city_area"]
    before = script()
    assert "#123456" not in before
    with owner.begin() as connection:
        connection.execute(
            text(
                "UPDATE gis.layer SET definition = jsonb_set(definition, '{style,color}', '\"#123456\"')"
                " WHERE name = 'base_water'"
            )
        )
    assert "#123456" in script()
