"""Places in words become quarters with their accuracy, or nothing."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from gis.town import load_town
from ingest.gazetteer import Gazetteer, Quarter, has_gazetteer, load_gazetteer, normalise
from ingest.placing import find_place, place_report
from ingest.reports import Place, Private
from tests.ingest.test_private_reports import _report

TOWN = load_town()
GAZETTEER = Gazetteer(
    [
        Quarter("矢本", "", 141.21, 38.42, 2600),
        Quarter("矢本", "上河戸", 141.207, 38.423, 286),
        Quarter("大曲", "", 141.24, 38.41, 2000),
        Quarter("大曲", "新田", 141.245, 38.41, 300),
        Quarter("赤井", "新田", 141.22, 38.45, 300),
        Quarter("赤井", "", 141.22, 38.45, 2400),
        Quarter("あおい一丁目", "", 141.2188, 38.4284, 256),
        Quarter("野蒜ケ丘二丁目", "", 141.1489, 38.3764, 479),
    ]
)


def _find(words):
    return find_place(words, GAZETTEER, TOWN)


@pytest.mark.parametrize(
    ("words", "name", "radius_m"),
    [
        ("宮城県東松島市矢本字上河戸36-1付近の路上", "矢本", 286),
        ("東松島市矢本地内", "矢本", 2600),
        ("あおい1丁目", "あおい一丁目", 256),
        ("東松島市あおい１丁目地内", "あおい一丁目", 256),
        ("野蒜ヶ丘二丁目", "野蒜ケ丘二丁目", 479),
        ("上河戸", "矢本", 286),
        ("大曲字新田", "大曲", 300),
    ],
)
def test_a_quarter_is_found_however_it_is_written(words, name, radius_m):
    found = find_place(words, GAZETTEER, TOWN)
    assert (found.status, found.name, found.place.accuracy_m) == ("placed", name, radius_m)
    assert found.place.text == words


def test_from_here_to_there_is_the_middle_and_covers_both():
    found = find_place("東松島市赤井から大曲まで", GAZETTEER, TOWN)
    assert (found.name, round(found.place.lon, 3), round(found.place.lat, 3)) == ("赤井・大曲", 141.23, 38.43)
    assert found.place.accuracy_m == pytest.approx(2388 + 2400, abs=5)  # half the way, and the wider quarter


@pytest.mark.parametrize(
    "words", ["石巻市中央二丁目", "仙台市青葉区本町", "宮城県牡鹿郡女川町", "松島町高城", "石巻市矢本通り"]
)
def test_another_municipality_is_no_place_here(words):
    assert find_place(words, GAZETTEER, TOWN).status == "elsewhere"


@pytest.mark.parametrize("words", ["市内", "東松島市", "某所", "新田", "一丁目"])
def test_what_is_not_known_or_not_unique_has_no_position(words):
    assert find_place(words, GAZETTEER, TOWN) == replace(find_place("某所", GAZETTEER, TOWN))


def test_no_words_are_no_place():
    assert find_place(" ", GAZETTEER, TOWN).status == "no_place"


def test_a_report_gets_position_quarter_and_status():
    report = replace(_report(), private=Private(None, "矢本字上河戸"), facts={})
    placed = place_report(report, _find)
    assert placed.private.place == Place(141.207, 38.423, 286, "矢本字上河戸")
    assert placed.facts == {"place_status": "placed", "place_name": "矢本"}
    assert placed.concerns_town


def test_what_happened_elsewhere_does_not_concern_the_town():
    placed = place_report(replace(_report(), private=Private(None, "石巻市中央")), _find)
    assert not placed.concerns_town and placed.private.place is None


@pytest.mark.parametrize("words", ["東松島市本町3丁目", "宮城県東松島市栄町"])
def test_a_quarter_of_ours_that_the_gazetteer_lacks_is_unknown_and_not_elsewhere(words):
    assert find_place(words, GAZETTEER, TOWN).status == "unknown_place"


def test_who_knows_the_municipality_by_its_code_is_believed():
    report = replace(_report(), private=Private(None, "石巻市中央"), facts={"municipality": "04202"})
    placed = place_report(report, _find)
    assert placed.concerns_town and placed.private.place is None


def test_a_position_that_the_source_gave_stands():
    assert place_report(_report(), _find) == _report()


@pytest.mark.parametrize(
    ("one", "other"), [("大字矢本 字上河戸", "矢本上河戸"), ("二十三丁目", "23丁目"), ("ヶ丘", "ケ丘")]
)
def test_names_are_compared_in_one_way(one, other):
    assert normalise(one) == normalise(other)


def test_points_reach_to_their_neighbours_and_areas_as_far_as_they_reach(database):
    with database.begin("dept_planning") as connection:
        connection.execute(
            text(
                "INSERT INTO layers.town_block (name, sub_name, geom) VALUES"
                " ('東町', '', ST_MakeEnvelope(141.20, 38.40, 141.21, 38.41, 6668)),"
                " ('西町', '甲', ST_SetSRID(ST_MakePoint(141.10, 38.40), 6668)),"
                " ('西町', '乙', ST_SetSRID(ST_MakePoint(141.10, 38.41), 6668))"
            )
        )
        found = {quarter.full_name: quarter for quarter in load_gazetteer(connection).quarters}
    assert found["東町"].radius_m == pytest.approx(706, abs=5)
    assert found["西町甲"].radius_m == pytest.approx(1112, abs=5)
    assert found["西町"].lat == pytest.approx(38.405) and found["西町"].radius_m == pytest.approx(806, abs=5)


def test_a_quarter_is_found_by_its_other_names_unless_two_have_them():
    gazetteer = Gazetteer(
        [
            Quarter("矢本", "", 141.21, 38.42, 500, ("矢本町", "本町")),
            Quarter("大曲", "", 141.24, 38.41, 500, ("本町",)),
            Quarter("野蒜", "旧一丁目", 141.15, 38.37, 300, ("一丁目", "浜")),
        ]
    )
    assert find_place("矢本町の路上", gazetteer, TOWN).name == "矢本"
    assert [gazetteer.find_all(words) for words in ("本町", "一丁目", "浜")] == [[], [], []]


def test_a_school_is_a_place_in_its_quarter_with_and_without_who_runs_it(town_database):
    with town_database.begin("dept_disaster") as connection:
        connection.execute(
            text(
                "INSERT INTO layers.shelter (shelter_id, name, geom)"
                " VALUES ('x', '東松島市立矢本東小学校', ST_SetSRID(ST_MakePoint(141.2121, 38.4242), 6668))"
            )
        )
        gazetteer = load_gazetteer(connection)
        assert has_gazetteer(connection)
    for words in ("東松島市立矢本東小学校", "矢本東小学校付近の路上"):
        found = find_place(words, gazetteer, TOWN)
        assert (found.name, found.place.lon, found.place.accuracy_m) == ("デモ矢本", 141.2121, 250)
    # In the demonstration its quarters answer to the names that real reports use.
    assert find_place("宮城県東松島市大曲", gazetteer, TOWN).name == "デモ大曲"


def test_without_quarters_there_is_no_gazetteer(database):
    with database.begin("dept_planning") as connection:
        assert not has_gazetteer(connection)
        assert load_gazetteer(connection).quarters == ()
