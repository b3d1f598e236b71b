"""Claiming costs what is taken, not what waits; and limits written anew hold for what was frozen under the old ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from time import monotonic, sleep
from typing import Any

import pytest
from sqlalchemy import Connection, text

from alerts import handover, outbox
from alerts.claims import Claims
from alerts.handover import Beat
from alerts.limits import Limits, Pace, load_limits
from gis.queries import load_queries
from tests.alerts.alert_town import FIRST, MAJOR, SquareTown
from tests.alerts.scripted_smtp import ScriptedServer

Considered = Callable[..., int | None]
_CLAIM = load_queries(outbox.__file__)["claim"]
_SETTLE = load_queries(handover.__file__).sql("settle")


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def deliveries_read(plan: Mapping[str, Any]) -> float:
    """Return how many rows of the delivery table a plan read, kept or not."""
    return sum(
        node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
        for node in nodes(plan)
        if node.get("Relation Name") == "delivery" and "Scan" in node["Node Type"]
    )


def explain_claim(connection: Connection, sender_id: int, alert_id: int, older_ids: list[int], most: int) -> float:
    outbox.plan_claims(connection)
    values = {"sender_id": sender_id, "alert_id": alert_id, "older_ids": older_ids, "channel": "mail", "pace": ""}
    statement = text(f"EXPLAIN (ANALYZE, FORMAT JSON) {_CLAIM}")
    plan = connection.execute(statement, {**values, "most": most}).scalar_one()
    return deliveries_read(plan[0]["Plan"])


def explain_settle(connection: Connection, sender_id: int, next_ids: list[int], thread_ids: list[int]) -> float:
    driver = connection.connection.driver_connection
    assert driver is not None
    # The plan that the ledger asks for.
    driver.execute("SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off")
    driver.execute("SET LOCAL enable_hashjoin = off")
    beat = Beat(sender_id, 8, next_ids)
    values = {
        "sender_id": beat.sender_id, "beat_s": beat.alive_s, "in_hand": next_ids, "outcomes": "[]",
        "next_ids": next_ids, "thread_ids": thread_ids, "retry_hours": 24, "is_repeated": False,
    }  # fmt: skip
    ((plan,),) = driver.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {_SETTLE}", values, prepare=True).fetchall()
    return deliveries_read(plan[0]["Plan"])


def test_a_batch_of_a_thread_nobody_has_statistics_of_reads_only_its_own_rows(
    town: SquareTown, considered: Considered
) -> None:
    """By a wrong index each batch read the whole town, and so did each verdict of an older message, once measured."""
    town.subscribe("known@machimori.example")
    considered({**MAJOR, "height_text": "５ｍ"}, incident_fid=9, is_fresh=True)
    town.execute("ANALYZE alerts.delivery")  # all that the planner knows: one alert with one delivery
    town.execute("ALTER TABLE alerts.delivery SET (autovacuum_enabled = off)")
    for number in range(400):
        town.subscribe(f"a{number}@machimori.example")
    first = considered(MAJOR)
    second = considered({**MAJOR, "height_text": "１０ｍ"}, reported_at=FIRST + timedelta(minutes=1))
    assert first and second
    with town.database.begin("machimori_service") as connection:
        sender_id = outbox.begin_sender(connection, "w", first, 8)
        assert explain_claim(connection, sender_id, first, [], 10) <= 40
        ids = [claimed.recipient.delivery_id for claimed in outbox.claim(connection, sender_id, first, [], 10)]
        assert len(ids) == 10
        assert explain_settle(connection, sender_id, ids, [first, second]) <= 40


def test_a_claim_reads_a_persons_other_messages_and_not_all_that_waits_or_is_on_its_way(
    town: SquareTown, considered: Considered
) -> None:
    """By statistics that know of nothing due, the planner read all that was on its way for each row: 14,000 × 300."""
    town.execute(
        "WITH person AS (INSERT INTO alerts.subscriber (email, language, kinds, state, token)"
        " SELECT n || '@machimori.example', 'ja', '{tsunami}', 'confirmed', 'token-' || md5(n::text)"
        " FROM generate_series(1, 2000) n RETURNING id)"
        " INSERT INTO alerts.place (subscriber_id, name, position, radius_m, plane)"
        " SELECT id, '自宅', p, 0, ST_Transform(p, 6678) FROM person, ST_SetSRID(ST_Point(141.2, 38.4), 6668) AS p"
    )
    first = considered(MAJOR)
    town.execute("UPDATE alerts.delivery SET state = 'accepted'")
    town.execute("ANALYZE alerts.delivery")  # all that the planner knows: everything was sent
    town.execute("ALTER TABLE alerts.delivery SET (autovacuum_enabled = off)")
    held = considered(MAJOR, incident_fid=2)
    due = considered(MAJOR, incident_fid=3)
    assert first and held and due
    with town.database.begin("machimori_service") as connection:
        sender_id = outbox.begin_sender(connection, "w", due, 8)
        connection.execute(text("UPDATE alerts.delivery SET is_held = true WHERE alert_id = :id"), {"id": held})
        on_its_way = "UPDATE alerts.delivery SET state = 'sending', sender_id = :s WHERE alert_id = :id"
        connection.execute(text(on_its_way), {"id": first, "s": sender_id})
        for mode in ("force_custom_plan", "force_generic_plan"):
            connection.execute(text(f"SET LOCAL plan_cache_mode = {mode}"))
            for older_ids in ([], [held]):
                assert explain_claim(connection, sender_id, due, older_ids, 10) <= 60


def test_what_waits_for_a_strict_carrier_is_not_read_by_the_others_claims(
    town: SquareTown, considered: Considered
) -> None:
    for number in range(200):
        town.subscribe(f"a{number}@docomo.ne.jp")
    town.subscribe("b@machimori.example")
    alert_id = considered(MAJOR)
    assert alert_id
    with town.database.begin("machimori_service") as connection:
        sender_id = outbox.begin_sender(connection, "w", alert_id, 8)
        assert explain_claim(connection, sender_id, alert_id, [], 10) <= 4


@pytest.mark.parametrize("paces", [(), (Pace("strict", ("machimori.example", "docomo.ne.jp"), 3, 1000),)])
def test_limits_written_anew_lose_nobody_frozen_under_the_old_ones(
    town: SquareTown,
    considered: Considered,
    send: Callable[..., object],
    smtp: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
    paces: tuple[Pace, ...],
) -> None:
    for number in range(5):
        town.subscribe(f"a{number}@Docomo.ne.jp")
        town.subscribe(f"b{number}@machimori.example")
    alert_id = considered(MAJOR)
    assert town.execute("SELECT pace, count(*) FROM alerts.delivery GROUP BY 1 ORDER BY 1") == [("", 5), ("docomo", 5)]
    limits = Limits(paces, load_limits().hard_refusals)
    for module in ("alerts.outbox", "alerts.claims"):
        monkeypatch.setattr(f"{module}.load_limits", lambda: limits)
    assert send(alert_id) == {"accepted": 10}
    assert len(set(smtp.addresses())) == 10


def test_a_message_that_waits_for_an_older_one_goes_out_in_the_same_sending(
    town: SquareTown,
    considered: Considered,
    send: Callable[..., object],
    smtp: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The older one is done just after a claim found the newer one waiting for it: that claim is not the last word."""
    found = Claims._claim

    def claim_slowly(self: Claims, *args: Any) -> tuple[list[outbox.Claimed], bool]:
        batch, is_waiting = found(self, *args)
        ends_at = monotonic() + 20
        while not batch and (self._queue or self._busy) and monotonic() < ends_at:
            sleep(0.01)
        return batch, is_waiting

    monkeypatch.setattr(Claims, "_claim", claim_slowly)
    town.subscribe("a@machimori.example")
    considered(MAJOR)
    second = considered({**MAJOR, "height_text": "１０ｍ"}, reported_at=FIRST + timedelta(minutes=1))
    assert send(second) == {"accepted": 2}
    assert len(smtp.accepted) == 2
