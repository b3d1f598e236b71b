"""What each saved weather telegram means, for a municipality that it names and for our own."""

import dataclasses

import pytest

from gis.town import load_town
from ingest.jma.record import parse_reports


def town(code, **more):
    return dataclasses.replace(load_town(), jma_city=code, **more)


@pytest.fixture
def meaning(samples):
    """Return {hazard: (level, class, names, lifted names)} of what a saved telegram says about a town."""

    def read(name, place):
        (path,) = (samples / "jma").glob(f"{name}*")
        said = {}
        for report in parse_reports(path.read_bytes(), place):
            if report.concerns_town:
                facts = report.facts
                names = [w["name"] for w in facts["warnings"] if w["level"]]
                lifted = [w["name"] for w in facts["warnings"] if not w["level"]]
                said[facts["hazard"]] = (facts["level"], facts["class"], names, lifted)
        return said

    return read


@pytest.mark.parametrize(
    ("name", "city", "hazard", "level", "warning_class", "names", "lifted"),
    [
        ("15_16_03_241226", "0121400", "heavy_rain", 4, "danger_warning", ["レベル４大雨危険警報"], []),
        ("15_16_03_241226", "0151100", "heavy_rain", 3, "warning", ["レベル３大雨警報"], []),
        ("15_17_01_241226_VPWW55", "3220100", "heavy_rain", 3, "warning", ["レベル３大雨警報"], []),
        ("15_17_01_250630_VPWW55", "3220100", "heavy_rain", 3, "warning", ["レベル３大雨警報"], []),
        ("15_16_01_241031", "0121400", "landslide", 4, "danger_warning", ["レベル４土砂災害危険警報"], []),
        ("15_16_01_241031", "0151200", "landslide", 2, "advisory", ["レベル２土砂災害注意報"], []),
        ("15_17_01_241226_VPWW56", "3220100", "landslide", 2, "advisory", ["レベル２土砂災害注意報"], []),
        ("15_17_01_250630_VPWW56", "3220100", "landslide", 2, "advisory", ["レベル２土砂災害注意報"], []),
        ("15_16_02_241031", "2620200", "storm_surge", 4, "danger_warning", ["レベル４高潮危険警報"], []),
        ("15_16_02_250630", "2620200", "storm_surge", 4, "danger_warning", ["レベル４高潮危険警報"], []),
        ("15_16_08_241226", "0121400", "storm_surge", 4, "danger_warning", ["レベル４高潮危険警報"], []),
        ("15_16_08_250630", "0121400", "storm_surge", 4, "danger_warning", ["レベル４高潮危険警報"], []),
        ("15_16_04_241226", "0121400", "wind", 3, "warning", ["暴風警報"], []),
        ("15_16_04_250630", "0151200", "wind", 2, "advisory", ["強風注意報"], []),
        ("15_16_05_241226", "0121400", "waves", 3, "warning", ["波浪警報"], []),
        ("15_16_06_241226", "0121400", "snow", 3, "warning", ["大雪警報"], []),
        ("15_16_07_241226", "0121400", "other", 2, "advisory", ["雷注意報"], []),
        ("15_16_07_250630", "0121400", "other", 2, "advisory", ["雷注意報"], []),
        ("17_02_01", "0133100", "landslide", 4, "danger_warning", ["土砂災害警戒情報"], []),
        ("17_04_01", "1420600", "landslide", 4, "danger_warning", ["レベル４土砂災害危険警報"], []),
        ("17_04_02", "1438200", "landslide", 4, "danger_warning", ["レベル４土砂災害危険警報"], []),
        ("17_04_03", "1438200", "landslide", 0, "none", [], ["レベル４土砂災害危険警報"]),
        ("19_08_03", "1120100", "tornado", 2, "notice", ["竜巻注意情報"], []),
        ("62_01_01", "2920100", "heavy_rain", 5, "special_warning", ["大雨特別警報"], []),
    ],
)
def test_a_municipality_that_is_named_is_under(meaning, name, city, hazard, level, warning_class, names, lifted):
    assert meaning(name, town(city)) == {hazard: (level, warning_class, names, lifted)}


def test_a_lifted_advisory_is_told_as_lifted(meaning, samples):
    body = next((samples / "jma").glob("15_17_01_250630_VPWW55*")).read_text()
    block = body[body.rindex('<Warning type="気象警報・注意報（市町村等）">') :]
    lifted = block[block.index("<Status>解除</Status>") :]
    city = lifted[lifted.index("<Code>", lifted.index("<Area>")) + 6 :][:7]
    assert meaning("15_17_01_250630_VPWW55", town(city)) == {"heavy_rain": (0, "none", [], ["レベル２大雨注意報"])}


def test_the_old_telegram_of_the_time_before_is_read_by_hazard(meaning):
    said = meaning("15_17_01_250123", town("3220300"))
    assert said["heavy_rain"][:2] in {(3, "warning"), (2, "advisory")}
    assert said["wind"] == (2, "advisory", ["強風注意報"], [])
    assert said["other"] == (2, "advisory", ["雷注意報"], [])
    assert "landslide" not in said


def test_the_old_special_warning_is_level_5(meaning):
    said = meaning("15_12_01_161130_VPWW54", town("3220200"))
    assert said["heavy_rain"][:2] == (5, "special_warning")
    assert said["flood"][:2] == (3, "warning")


def test_the_layout_before_the_old_one_says_the_same_and_is_recorded_only(samples):
    (path,) = (samples / "jma").glob("15_12_01_161130_VPWW53*")
    (report,) = parse_reports(path.read_bytes(), town("3220200"))
    assert not report.concerns_town
    assert "VPWW54" in report.facts["silent"]


@pytest.mark.parametrize(("name", "level", "words"), [("16_01", 2, "氾濫注意情報"), ("16_02", 3, "氾濫警戒情報")])
def test_a_flood_forecast_concerns_the_towns_of_its_river(meaning, name, level, words):
    by_river = meaning(name, town("0421400", jma_rivers=("○○川",)))
    assert by_river["flood"][0] == level
    assert by_river["flood"][2] == [f"○○川上流 {words}"]
    assert meaning(name, town("0000000")) == by_river


def test_a_cloudburst_is_that_of_the_municipality_it_names(meaning):
    assert meaning("18_01", town("2712800", name_ja="大阪市")) == {
        "record_rain": (4, "notice", ["記録的短時間大雨情報"], [])
    }
    assert meaning("18_01", town("2720200", name_ja="岸和田市", jma_prefecture="270000")) == {}


@pytest.mark.parametrize(
    ("name", "place", "hazard", "level"),
    [
        ("82_01_01", {"jma_primary_area": "120010"}, "rain_band", 4),
        ("82_01_03", {"jma_primary_area": "250020"}, "snow_burst", 3),
        ("82_01_02_250318", {"jma_city": "0154300"}, "record_rain", 4),
        ("82_01_02_250630", {"jma_city": "0154300"}, "record_rain", 4),
    ],
)
def test_a_bulletin_concerns_its_area_or_its_municipality(meaning, name, place, hazard, level):
    said = meaning(name, dataclasses.replace(load_town(), **place))
    assert said[hazard][:2] == (level, "notice")


def test_a_cloudburst_elsewhere_in_the_area_is_not_ours(meaning):
    assert meaning("82_01_02_250630", dataclasses.replace(load_town(), jma_primary_area="013010")) == {}


def test_the_special_warnings_of_nara_come_and_go_town_by_town(meaning):
    levels = [meaning(f"62_01_0{number}", town("2920100")) for number in range(1, 6)]
    assert [said.get("heavy_rain", (0,))[0] for said in levels] == [5, 5, 5, 0, 0]


def test_no_saved_weather_telegram_concerns_our_own_town(samples):
    paths = [
        path for path in (samples / "jma").iterdir() if path.name[:2] in ("15", "16", "17", "18", "19", "62", "82")
    ]
    assert len(paths) == 38
    for path in paths:
        assert not any(report.concerns_town for report in parse_reports(path.read_bytes(), load_town()))


def test_the_test_of_the_line_and_the_counts_are_recorded_and_concern_nobody(samples):
    for name in ("54_01_01", "32-35_10_02"):
        (path,) = (samples / "jma").glob(f"{name}*")
        (report,) = parse_reports(path.read_bytes(), load_town())
        assert report.facts["silent"]
        assert report.event_key.startswith("jma:silent:")
