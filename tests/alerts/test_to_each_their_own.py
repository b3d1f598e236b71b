"""What one person reads, by mail and by push: every place of theirs once, and what an answer is for them."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable
from datetime import timedelta

import pytest

from alerts.audience import add_drawn, add_point
from alerts.catalogue import load_texts
from alerts.limits import load_limits
from alerts.own_places import add_named
from gis.database import SERVICE
from tests.alerts.alert_town import FIRST, MAJOR, SquareTown
from tests.alerts.push_service import Browser, PushService, add_device
from tests.alerts.scripted_smtp import ScriptedServer
from tests.alerts.test_audience import INSIDE, TOWN
from tests.alerts.test_quiet_hours import approve_by_people

Considered = Callable[..., int | None]
Send = Callable[[int | None], dict[str, int]]
LANGUAGES = ("ja", "ja-x-easy", "en")
_SQUARE = "ST_MakeEnvelope(141.2, 38.4, 141.21, 38.41, 6668)"


def read_mails(smtp: ScriptedServer) -> dict[str, tuple[str, str]]:
    """Return each addressee's last mail as (plain text, HTML)."""
    found = {}
    for address, content in smtp.accepted:
        message = email.message_from_bytes(content, policy=email.policy.default)
        plain, html = (message.get_body((sort,)).get_content() for sort in ("plain", "html"))  # type: ignore[union-attr]
        found[address.partition("@")[0]] = plain, html
    return found


def read_pushes(service: PushService, browsers: dict[str, Browser]) -> dict[str, str]:
    """Return each person's last push, its body."""
    by_path = {path: body for path, _, body in service.calls}
    return {
        name: str(browser.read(by_path[browser.path])["body"])
        for name, browser in browsers.items()
        if browser.path in by_path
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_message_names_a_point_an_area_a_quarter_and_a_district_once_each(
    town: SquareTown, considered: Considered, send: Send, smtp: ScriptedServer, service: PushService, language: str
) -> None:
    for table, columns, values, shape in (
        ("town_block", "name, sub_name", "'大曲', '字浜須賀'", _SQUARE),
        ("town_block", "name, sub_name", "'大曲', '字浜須賀'", _SQUARE),
        ("school_district", "name", "'大曲小学校区'", f"ST_Multi({_SQUARE})"),
    ):
        town.execute(f"INSERT INTO layers.{table} ({columns}, geom) VALUES ({values}, {shape})")
    person = town.subscribe("a@machimori.example", language=language, place="自宅")
    with town.database.begin(SERVICE) as connection:
        add_point(connection, person, "職場", 141.21, 38.4, 300, TOWN)
        add_drawn(connection, person, "散歩道", INSIDE, TOWN)
        for name in ("大曲字浜須賀", "大曲小学校区"):
            add_named(connection, person, name, "", TOWN)
    browser = add_device(town, service, person, 1, language)
    assert send(considered(MAJOR)) == {"accepted": 1, "push.accepted": 1}
    plain, html = read_mails(smtp)["a"]
    said = read_pushes(service, {"a": browser})["a"].split("\n")[0]
    for text in (plain, html, said):
        # 自宅 stands in the heading of the sites, too, where there are any; here are none.
        assert [text.count(name) for name in ("自宅", "職場", "散歩道", "大曲字浜須賀", "大曲小学校区")] == [1] * 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_update_says_to_each_what_it_is_for_them_and_a_withdrawal_finds_who_moved_away(
    town: SquareTown, considered: Considered, send: Send, smtp: ScriptedServer, service: PushService, language: str
) -> None:
    common = load_texts("common", language)
    early = town.subscribe("early@machimori.example", language=language)
    browsers = {"early": add_device(town, service, early, 1, language)}
    assert send(considered(MAJOR)) == {"accepted": 1, "push.accepted": 1}
    assert all(
        said not in read_mails(smtp)["early"][0] for said in (common["frame"]["follows"], common["frame"]["first_time"])
    )
    newcomer = town.subscribe("new@machimori.example", language=language)
    browsers["new"] = add_device(town, service, newcomer, 2, language)
    facts = {**MAJOR, "arrival_at": "2011-03-11T15:10:00+09:00", "height_m": 10, "height_text": "１０ｍ"}
    update = considered(facts, reported_at=FIRST + timedelta(minutes=5))
    assert send(update) == {"accepted": 2, "push.accepted": 2}
    mails, pushes = read_mails(smtp), read_pushes(service, browsers)
    for said in mails["early"]:
        assert common["frame"]["follows"] in said and common["frame"]["first_time"] not in said
    for said in mails["new"]:
        assert common["frame"]["first_time"] in said and common["frame"]["follows"] not in said
    assert pushes["early"].startswith(common["push"]["follows"]) and pushes["new"].startswith("自宅\n")

    town.execute("DELETE FROM alerts.place WHERE subscriber_id = :s", s=early)
    town.add_place(early, "遠く", 140.9, 38.2)
    town.subscribe("late@machimori.example", language=language)
    withdrawal = considered(MAJOR, level=0, phase="withdrawn", reported_at=FIRST + timedelta(minutes=9))
    if town.scalar("SELECT state FROM alerts.alert WHERE id = :i", i=withdrawal) == "draft":
        approve_by_people(town, withdrawal)
    smtp.accepted.clear()
    assert send(withdrawal) == {"accepted": 2, "push.accepted": 2}, (
        "who moved has it to be withdrawn; who never had it, not"
    )
    mails, pushes = read_mails(smtp), read_pushes(service, browsers)
    assert mails.keys() == pushes.keys() == {"early", "new"}
    for name in mails:
        assert all(common["frame"]["withdraws"] in said for said in mails[name])
        assert pushes[name].startswith(common["push"]["withdraws"])


@pytest.mark.parametrize("pace", load_limits().paces, ids=lambda pace: pace.name)
def test_every_domain_of_a_carrier_is_under_its_limit(town: SquareTown, considered: Considered, pace) -> None:  # type: ignore[no-untyped-def]
    for number, domain in enumerate(pace.domains):
        town.subscribe(f"p{number}@{domain.upper() if number % 2 else domain}")
    town.subscribe(f"other@not-{pace.domains[0]}")
    considered(MAJOR)
    assert town.execute("SELECT pace, count(*) FROM alerts.delivery GROUP BY 1 ORDER BY 1") == [
        ("", 1),
        (pace.name, len(pace.domains)),
    ]
