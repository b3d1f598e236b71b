"""Who subscribes while an alert is running and is inside gets it once, however the transactions fall."""

from __future__ import annotations

import email
import email.policy
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from alerts.audience import add_point, add_subscriber
from alerts.matching import reach_latecomers
from alerts.tasks import sweep
from gis.database import SERVICE
from gis.town import load_town
from tests.alerts.alert_town import FIRST, MAJOR, SquareTown
from tests.alerts.scripted_smtp import ScriptedServer
from tests.alerts.test_quiet_hours import approve_by_people

Considered = Callable[..., int | None]
Send = Callable[..., object]
LATER = {**MAJOR, "height_text": "１０ｍ"}


def told(town: SquareTown) -> list[tuple[str, int]]:
    rows = town.execute("SELECT address, alert_id FROM alerts.delivery ORDER BY alert_id, address")
    return [(row.address.partition("@")[0], row.alert_id) for row in rows]


def test_who_began_before_the_approval_and_ended_after_it_gets_it(town: SquareTown, considered: Considered) -> None:
    """A time would miss them: their row is older than the alert, and yet nobody could see it."""
    with town.database.begin(SERVICE) as connection:
        someone = add_subscriber(connection, "slow@machimori.example", "ja", ["tsunami"])
        add_point(connection, someone, "自宅", 141.2, 38.4, 0, load_town())
        alert_id = considered(MAJOR)
        assert alert_id and told(town) == []
    for _ in range(3):
        sweep()
    assert told(town) == [("slow", alert_id)]


def test_a_person_who_adds_a_place_or_moves_one_inside_gets_it_once(town: SquareTown, considered: Considered) -> None:
    moved = town.subscribe("moved@machimori.example", lon=139.0)
    adds = town.subscribe("adds@machimori.example", lon=139.0)
    town.subscribe("stays@machimori.example", lon=139.0)
    alert_id = considered(MAJOR)
    sweep()
    assert told(town) == []
    town.execute("UPDATE alerts.place SET plane = ST_Transform(ST_SetSRID(ST_Point(141.2, 38.4), 6668), 6678)"
                 " WHERE subscriber_id = :s", s=moved)  # fmt: skip
    town.add_place(adds, "職場", 141.2, 38.4)
    sweep()
    town.execute("UPDATE alerts.subscriber SET kinds = '{tsunami,crime}'")
    sweep()
    assert told(town) == [("adds", alert_id), ("moved", alert_id)]


def test_an_answer_waits_for_the_late_ones_of_the_message_before_and_reaches_them(
    town: SquareTown, considered: Considered, send: Send, smtp: ScriptedServer
) -> None:
    town.subscribe("early@machimori.example")
    first = considered(MAJOR)
    town.subscribe("late@machimori.example")
    withdrawal: list[int | None] = []

    def withdraw() -> None:
        withdrawal.append(considered(MAJOR, level=0, phase="withdrawn", reported_at=FIRST + timedelta(minutes=1)))
        if town.scalar("SELECT state FROM alerts.alert WHERE id = :i", i=withdrawal[0]) == "draft":
            approve_by_people(town, withdrawal[0])

    answering = threading.Thread(target=withdraw)
    with town.database.begin(SERVICE) as connection:
        assert reach_latecomers(connection, load_town()) == 1
        answering.start()
        answering.join(1.5)
        assert answering.is_alive()
    answering.join()
    send(first)
    send(withdrawal[0])
    # Neither may get the message without its withdrawal; what was not handed over yet is dropped together.
    assert smtp.accepted == []
    assert {row.state for row in town.execute("SELECT state FROM alerts.delivery")} == {"suppressed"}
    sweep()
    assert smtp.accepted == []


def test_a_drill_reaches_late_ones_of_the_drill_list_only(town: SquareTown, considered: Considered) -> None:
    alert_id = considered(MAJOR, status="Exercise")
    town.subscribe("citizen@machimori.example")
    town.subscribe("drill@machimori.example", is_drill=True)
    sweep()
    assert told(town) == [("drill", alert_id)]


def test_twenty_people_who_subscribe_while_it_is_sent_and_updated_get_each_message_at_most_once(
    town: SquareTown, considered: Considered, send: Send, smtp: ScriptedServer
) -> None:
    first = considered(MAJOR)
    newest: list[int | None] = []

    def subscribe(number: int) -> None:
        with town.database.begin(SERVICE) as connection:
            someone = add_subscriber(connection, f"p{number:02}@machimori.example", "ja", ["tsunami"])
            add_point(connection, someone, "自宅", 141.2, 38.4, 0, load_town())

    def work(number: int) -> None:
        if number == 10:
            newest.append(considered(LATER, reported_at=FIRST + timedelta(minutes=1)))
        subscribe(number)
        if number % 4 == 0:
            sweep()
            send(first)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(20)))
    sweep()
    send(first)
    got = list(smtp.accepted)
    updates = [address for address, content in got if f"/alerts/{newest[0]}".encode() in _plain(content)]
    assert sorted(updates) == [f"p{number:02}@machimori.example" for number in range(20)]
    originals = [address for address, content in got if f"/alerts/{first}?".encode() in _plain(content)]
    assert len(originals) == len(set(originals))
    for address, content in got:
        if address in updates and f"/alerts/{newest[0]}".encode() in _plain(content):
            assert ("続報です" in _plain(content).decode()) == (address in originals)
            assert ("はじめてお送りします" in _plain(content).decode()) == (address not in originals)


def _plain(content: bytes) -> bytes:
    message = email.message_from_bytes(content, policy=email.policy.default)
    return message.get_body(("plain",)).get_content().encode()  # type: ignore[union-attr,no-any-return]
