"""CAP 1.2 against its schema, and against what the schema does not check."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import shapely
from lxml import etree
from sqlalchemy import Connection

from alerts.cap import NAMESPACE, format_polygons, render_cap
from gis.errors import UsageError
from gis.settings import Settings
from tests.alerts.alert_town import FIRST, MAJOR, SquareTown

Considered = Callable[..., int | None]
C = f"{{{NAMESPACE}}}"


@pytest.fixture
def cap(town: SquareTown, settings: Settings) -> Callable[[int | None], etree._Element]:
    def render(alert_id: int | None) -> etree._Element:
        assert alert_id
        with town.database.begin("citizen") as connection:
            return etree.fromstring(render_cap(connection, alert_id, replace(settings, mail_from="b@city.example")))

    return render


def texts(root: etree._Element, path: str) -> list[str]:
    return [element.text or "" for element in root.findall(path.replace("/", f"/{C}"))]


def test_every_message_of_a_thread_is_valid_against_the_schema(
    samples: Path, cap: Callable[[int | None], etree._Element], considered: Considered
) -> None:
    schema = etree.XMLSchema(etree.parse(samples / "cap" / "cap12.xsd"))
    course = [
        considered(MAJOR),
        considered({**MAJOR, "height_text": "１０ｍ超"}, reported_at=FIRST + timedelta(minutes=1)),
        considered({"class": "none"}, level=0, phase="cleared", reported_at=FIRST + timedelta(minutes=2)),
        considered({}, level=0, phase="withdrawn", reported_at=FIRST + timedelta(minutes=3)),
        considered(MAJOR, incident_fid=2, status="Exercise"),
    ]
    for alert_id in course:
        schema.assertValid(cap(alert_id))


def test_the_first_message_says_what_cap_asks_for(
    cap: Callable[[int | None], etree._Element], considered: Considered
) -> None:
    root = cap(considered(MAJOR))
    assert [child.tag.removeprefix(C) for child in root] == [
        "identifier", "sender", "sent", "status", "msgType", "scope", "info", "info", "info",
    ]  # fmt: skip
    assert root.findtext(f"{C}status") == "Actual"
    assert root.findtext(f"{C}msgType") == "Alert"
    assert texts(root, "./info/language") == ["ja", "ja-x-easy", "en"]
    assert texts(root, "./info/event")[0] == "大津波警報"
    assert texts(root, "./info/responseType") == ["Evacuate"] * 3
    assert texts(root, "./info/severity") == ["Extreme"] * 3
    assert texts(root, "./info/onset") == ["2011-03-11T15:00:00+09:00"] * 3
    assert texts(root, "./info/area/geocode/value") == ["04214"] * 3
    assert texts(root, "./info/area/areaDesc") == [
        "東松島市",
        "ひがしまつしまし（東松島市）",
        "Higashi-Matsushima City",
    ]


def test_times_carry_the_offset_of_japan_and_never_z(
    cap: Callable[[int | None], etree._Element], considered: Considered
) -> None:
    root = cap(considered(MAJOR))
    for name in ("sent", "effective", "onset", "expires"):
        found = [element.text for element in root.iter(f"{C}{name}")]
        assert found
        for time in found:
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+09:00", time)
    assert {element.text for element in root.iter(f"{C}effective")} == {"2011-03-11T14:49:00+09:00"}


def test_an_update_references_the_message_before_by_sender_identifier_and_time(
    cap: Callable[[int | None], etree._Element], considered: Considered
) -> None:
    first = cap(considered(MAJOR))
    second = cap(considered({**MAJOR, "height_text": "１０ｍ"}, reported_at=FIRST + timedelta(minutes=1)))
    expected = ",".join(first.findtext(f"{C}{name}") or "" for name in ("sender", "identifier", "sent"))
    assert second.findtext(f"{C}references") == expected
    assert not re.search(r"[\s<&,]", first.findtext(f"{C}identifier") or " ")


def test_polygons_are_closed_and_latitude_first(
    cap: Callable[[int | None], etree._Element], considered: Considered
) -> None:
    (polygon, *_) = texts(cap(considered(MAJOR)), "./info/area/polygon")
    points = [tuple(map(float, pair.split(","))) for pair in polygon.split(" ")]
    assert points[0] == points[-1]
    assert {lat for lat, _ in points} == {38.35, 38.45}
    assert {lon for _, lon in points} == {141.15, 141.25}


def test_a_hole_makes_the_area_larger_and_every_part_stays() -> None:
    ring = shapely.box(141, 38, 142, 39).difference(shapely.box(141.4, 38.4, 141.6, 38.6))
    area = shapely.MultiPolygon([ring, shapely.box(150, 40, 151, 41)])
    polygons = list(format_polygons(area.wkb))
    assert len(polygons) == 2
    assert len(polygons[0].split(" ")) == 5


def test_an_all_clear_says_so(cap: Callable[[int | None], etree._Element], considered: Considered) -> None:
    considered(MAJOR)
    over = {"level": 1, "phase": "cleared", "reported_at": FIRST + timedelta(hours=50)}
    root = cap(considered({"class": "forecast"}, **over))
    assert root.findtext(f"{C}msgType") == "Update"
    assert texts(root, "./info/responseType") == ["AllClear"] * 3


def test_a_drill_is_marked_in_status_note_and_words(
    cap: Callable[[int | None], etree._Element], considered: Considered
) -> None:
    root = cap(considered(MAJOR, status="Exercise"))
    assert root.findtext(f"{C}status") == "Exercise"
    assert "drill" in (root.findtext(f"{C}note") or "")
    assert texts(root, "./info/headline")[0].startswith("【訓練】")


def test_the_message_expires_after_it_was_sent(
    cap: Callable[[int | None], etree._Element], considered: Considered
) -> None:
    root = cap(considered(MAJOR))
    sent = datetime.fromisoformat(root.findtext(f"{C}sent") or "")
    assert datetime.fromisoformat(texts(root, "./info/expires")[0]) - sent == timedelta(hours=96)


def test_a_draft_has_no_public_message(town: SquareTown, settings: Settings, considered: Considered) -> None:
    draft = considered({**MAJOR, "class": "warning"}, level=4)
    assert draft

    def render(connection: Connection) -> bytes:
        return render_cap(connection, draft, settings)

    with town.database.begin("citizen") as connection, pytest.raises(UsageError, match="no published alert"):
        render(connection)
