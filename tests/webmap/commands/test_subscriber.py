"""The office adds subscribers, places and quiet hours on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from gis.errors import UsageError
from gis.settings import Settings
from webmap.cli import build_parser
from webmap.commands import subscriber as command

HER = "hanako@machimori.example"


def run(settings: Settings, *arguments: str) -> int:
    return command.run(build_parser(["subscriber"]).parse_args(["subscriber", *arguments]), settings)


def test_a_subscriber_gets_places_of_every_sort_and_quiet_hours(
    settings: Settings, owner: Engine, tmp_path: Path
) -> None:
    with owner.begin() as connection:
        fid = connection.execute(
            text(
                "INSERT INTO layers.town_block (name, geom) VALUES"
                " ('大曲', ST_MakeEnvelope(141.2, 38.4, 141.21, 38.41, 6668)) RETURNING fid"
            )
        ).scalar_one()
    field = tmp_path / "field.geojson"
    corners = [[141.2, 38.4], [141.3, 38.4], [141.3, 38.5], [141.2, 38.4]]
    field.write_text(json.dumps({"type": "Polygon", "coordinates": [corners]}))
    assert run(settings, "add", HER, "--kind", "tsunami", "--kind", "flood") == 0
    assert run(settings, "place", HER, "自宅", "--at", "141.195,38.405", "--radius", "300") == 0
    assert run(settings, "place", HER, "大曲", "--feature", f"town_block:{fid}") == 0
    assert run(settings, "place", HER, "畑", "--area", str(field)) == 0
    assert run(settings, "quiet", HER, "22:00-07:00") == 0
    with owner.begin() as connection:
        places = connection.execute(text("SELECT name, radius_m, zone_id IS NULL FROM alerts.place ORDER BY id")).all()
        person = connection.execute(
            text("SELECT state, kinds, CAST(quiet_from AS text), CAST(quiet_until AS text) FROM alerts.subscriber")
        )
        assert [tuple(row) for row in places] == [("自宅", 300, True), ("大曲", 0, False), ("畑", 0, False)]
        assert tuple(person.one()) == ("confirmed", ["tsunami", "flood"], "22:00:00", "07:00:00")
    assert run(settings, "quiet", HER, "none") == 0


def test_what_is_wrong_is_said_and_nothing_is_kept(settings: Settings, owner: Engine) -> None:
    run(settings, "add", HER, "--kind", "tsunami")
    wrong = [
        ("add", "nobody", "--kind", "tsunami"),
        ("add", "a@machimori.example", "--kind", "earthquakes"),
        ("add", "a@machimori.example", "--kind", "tsunami", "--language", "fr"),
        ("add", HER, "--kind", "tsunami"),
        ("place", "unknown@machimori.example", "自宅", "--at", "141.2,38.4"),
        ("place", HER, "自宅", "--at", "38.4,141.2"),
        ("place", HER, "自宅", "--at", "here"),
        ("place", HER, "大曲", "--feature", "town_block"),
        ("place", HER, "畑", "--area", "/nowhere.geojson"),
        ("quiet", HER, "at night"),
    ]
    for arguments in wrong:
        with pytest.raises(UsageError):
            run(settings, *arguments)
    with owner.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM alerts.subscriber")).scalar_one() == 1
        assert connection.execute(text("SELECT count(*) FROM alerts.place")).scalar_one() == 0
