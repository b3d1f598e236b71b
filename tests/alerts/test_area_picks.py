"""Areas picked by name, what lies inside, and whom it reaches by language and channel, before anything is sent."""

from __future__ import annotations

import pytest
import shapely
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from alerts.area_picks import list_names, load_picks, offered_picks, pick_of_name
from alerts.areas import Piece, compose_area
from alerts.head_count import count_heads
from alerts.surroundings import list_inside
from gis.database import Database
from gis.errors import UsageError
from gis.town import load_town
from tests.alerts.alert_town import SquareTown
from tests.alerts.test_drafting import area, write

WEST = "ST_Multi(ST_MakeEnvelope(141.20, 38.40, 141.205, 38.41, 6668))"
EAST = "ST_Multi(ST_MakeEnvelope(141.205, 38.40, 141.21, 38.41, 6668))"


@pytest.fixture
def named(town: SquareTown) -> SquareTown:
    for name, shape in (("西小学校区", WEST), ("東'小%s学校区", EAST)):
        town.execute(f"INSERT INTO layers.school_district (name, geom) VALUES (:name, {shape})", name=name)
    town.execute(f"INSERT INTO layers.evacuation_zone (name, geom) VALUES ('第一区', {WEST}), ('第一区', {EAST})")
    town.execute(f"INSERT INTO layers.hazard_tsunami (depth_rank, geom) VALUES ('3', {WEST}), ('4', {EAST})")
    return town


@pytest.mark.parametrize(
    ("ref", "width"),
    [
        ("school_district:西小学校区", 0.005),
        ("school_district:東'小%s学校区", 0.005),
        ("evacuation_zone:第一区", 0.01),
        ("hazard_tsunami:3", 0.005),
        ("municipality:東松島市", 0.1),
        ("municipality:04214", 0.1),
    ],
)
def test_a_district_a_zone_a_hazard_and_a_municipality_are_picked_by_name(
    named: SquareTown, ref: str, width: float
) -> None:
    west, _, east, _ = area(named, Piece("add", "pick", ref)).shape.bounds
    assert east - west == pytest.approx(width)


def test_picks_are_put_together_and_unknown_names_are_refused(named: SquareTown) -> None:
    both = area(named, Piece("add", "pick", "evacuation_zone:第一区"), Piece("keep", "pick", "hazard_tsunami:4"))
    assert both.shape.bounds == pytest.approx((141.205, 38.40, 141.21, 38.41))
    for ref in ("school_district:南小学校区", "sewer_facility:x", "hazard_tsunami:' OR true --"):
        with pytest.raises(UsageError, match="There is no pick"):
            area(named, Piece("add", "pick", ref))
    with named.database.begin("dept_disaster", account="sato") as connection:
        found = pick_of_name(connection, "西小学校区")
        assert found and found.code == "school_district" and pick_of_name(connection, "nowhere") is None
        depths = load_picks()["hazard_tsunami"]
        japanese, english = (list_names(connection, depths, language) for language in ("ja", "en"))
    assert len(japanese) == 2 and japanese != english
    assert area(named, Piece("add", "pick", f"hazard_tsunami:{english[0]}")).shape.equals(
        area(named, Piece("add", "pick", f"hazard_tsunami:{japanese[0]}")).shape
    )


def test_a_cut_that_leaves_slivers_is_a_proper_area_on_the_plane(town_database: Database) -> None:
    with town_database.begin("dept_disaster") as connection:
        flood = list_names(connection, load_picks()["hazard_flood"], "ja")[0]
        pieces = [Piece("add", "town"), Piece("cut", "pick", f"hazard_flood:{flood}")]
        found = compose_area(connection, pieces, load_town())
        on_plane = text("SELECT ST_IsValid(alerts.to_plane(ST_GeomFromWKB(:wkb, 6668), 6678))")
        assert connection.execute(on_plane, {"wkb": shapely.to_wkb(found.shape)}).scalar_one()
    assert found.doubts == (), "it was no crossing that a person drew"


def test_a_layer_that_is_not_public_gives_no_area(named: SquareTown) -> None:
    named.execute("DROP VIEW open.school_district CASCADE")
    with named.database.begin("dept_disaster", account="sato") as connection:
        assert "school_district" not in offered_picks(connection)
    with pytest.raises(UsageError, match="There is no pick"):
        area(named, Piece("add", "pick", "school_district:西小学校区"))


def test_what_lies_inside_and_whom_it_reaches_is_told_by_language_and_channel(town: SquareTown) -> None:
    town.execute(
        "INSERT INTO layers.public_facility (facility_id, name, kind, geom) SELECT k || n, k || n, k,"
        " ST_SetSRID(ST_MakePoint(141.185 + n * 0.02, 38.405), 6668)"
        " FROM unnest('{school,care_home}'::text[]) k, generate_series(1, 2) n"
    )
    for kind in ("storm_pump_station", "treatment_plant"):
        town.execute(
            "INSERT INTO layers.sewer_facility (facility_id, name, kind, geom)"
            " VALUES (:kind, :kind, :kind, ST_SetSRID(ST_MakePoint(141.205, 38.405), 6668))",
            kind=kind,
        )
    for number, language in enumerate(("ja", "ja", "en")):
        town.subscribe(f"{number}@machimori.example", 141.205, 38.405, kinds="{flood}", language=language)
    town.subscribe("drill@machimori.example", 141.205, 38.405, kinds="{flood}", is_drill=True)
    town.subscribe("crime@machimori.example", 141.205, 38.405, kinds="{crime}")
    town.execute(
        "INSERT INTO alerts.webhook (url, secret, takes_drills)"
        " VALUES ('https://a.example', 's', true), ('https://b.example', 's', false)"
    )
    town.execute(
        "INSERT INTO alerts.push_device (subscriber_id, endpoint, p256dh, auth, language)"
        " SELECT id, 'https://push.example/' || id, decode(repeat('04', 65), 'hex'), decode(repeat('01', 16), 'hex'),"
        " language FROM alerts.subscriber WHERE email LIKE '0@%' OR email LIKE '2@%' OR email LIKE 'crime@%'"
    )
    counts, first_id = {}, 0
    for status in ("Actual", "Exercise"):
        alert_id = write(town, status=status)
        with town.database.begin("dept_disaster", account="sato") as connection:
            counts[status] = count_heads(connection, alert_id, load_town())
            first_id = alert_id if status == "Actual" else first_id
            inside = {found.category.code: (found.count, found.names) for found in list_inside(connection, alert_id)}
    actual, drill = counts["Actual"], counts["Exercise"]
    assert (actual.people, actual.places) == ({"ja": 3, "en": 1}, 4)
    assert actual.channels == {"mail": {"ja": 3, "en": 1}, "push": {"ja": 1, "en": 1}, "webhook": {"": 2}}
    assert actual.addresses == 8
    assert (drill.people, drill.places) == ({"ja": 1}, 1)
    assert drill.channels == {"mail": {"ja": 1}, "push": {}, "webhook": {"": 1}}
    assert inside["school"] == (1, ("school1",)) and inside["care_home"] == (1, ("care_home1",))
    assert inside["pump_station"] == (1, ("storm_pump_station",)) and inside["hospital"] == (0, ())
    with town.database.begin("dept_disaster_viewer", account="sato") as connection:
        seen = count_heads(connection, alert_id, load_town())
        assert seen.people == drill.people
        assert count_heads(connection, first_id, load_town()).channels == actual.channels, "a viewer sees devices, too"
    with (
        pytest.raises(DBAPIError, match="permission denied"),
        town.database.begin("dept_disaster_viewer") as connection,
    ):
        connection.exec_driver_sql("SELECT endpoint FROM alerts.push_device")
    with pytest.raises(DBAPIError, match="permission denied"), town.database.begin("dept_disaster") as connection:
        connection.exec_driver_sql("SELECT secret FROM alerts.webhook")
