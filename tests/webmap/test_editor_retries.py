"""A save whose answer was lost: sent again it is answered again, and done once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from gis.database import SERVICE, Database
from gis.settings import Settings
from layers.saved_once import forget_answers
from tests.webmap.test_editor import POINT, SITE, LogIn, count, send

KEY = "a-key-made-by-the-browser"


def save(client: FlaskClient, *changes: dict[str, Any], key: str = KEY, reason: str = "現地調査") -> Any:
    return send(client, "evacuation_site", {"reason": reason, "changes": changes}, key=key)


def test_the_same_save_again_gets_the_same_answer_and_changes_nothing(log_in: LogIn, owner: Engine) -> None:
    client = log_in("hanako")
    first, again = save(client, SITE), save(client, SITE)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.get_json() == again.get_json()
    assert len(first.get_json()["inserted"]) == 1
    update = {"operation": "update", "fid": first.get_json()["inserted"][0], "base_version": 1}
    note = {**update, "attributes": {"note": "点検済み"}}
    answers = [save(log_in("hanako"), note, key=KEY + "-2").get_json() for _ in range(3)]
    assert answers[0] == answers[1] == answers[2], "another session of the same person gets it, too"
    assert count(owner, "history.evacuation_site") == 2
    assert count(owner, "gis.changeset WHERE reason = '現地調査'") == 2


def test_another_batch_under_the_same_key_is_refused_and_names_what_was_saved(log_in: LogIn, owner: Engine) -> None:
    client = log_in("hanako")
    first = save(client, SITE).get_json()
    other = {**SITE, "attributes": {"site_id": "s-2", "name": "別の丘"}}
    for answer in (save(client, other), save(client, SITE, other), save(client, SITE, reason="別の理由")):
        assert answer.status_code == 422
        assert answer.get_json()["changeset"] == first["changeset"]
        assert "saved already" in answer.get_json()["message"]
    assert count(owner, "layers.evacuation_site") == 1


def test_a_save_that_saved_nothing_leaves_its_key_free(log_in: LogIn, owner: Engine) -> None:
    client = log_in("hanako")
    bad = {**SITE, "attributes": {"site_id": "s-1", "name": ""}}
    assert save(client, bad).status_code == 422
    fid = save(client, SITE).get_json()["inserted"][0]
    assert save(client, SITE).status_code == 200
    late = {"operation": "update", "fid": fid, "base_version": 1, "attributes": {"note": "遅れた"}}
    assert save(client, {**late, "attributes": {"note": "先"}}, key=KEY + "-2").status_code == 200
    assert save(client, late, key=KEY + "-3").status_code == 409
    assert save(client, {**late, "base_version": 2}, key=KEY + "-3").status_code == 200


@pytest.mark.parametrize("key", ["short", "x" * 65, "with a space in the middle", "日本語の鍵は使えません日本語の鍵"])
def test_a_save_without_a_proper_key_is_refused(log_in: LogIn, owner: Engine, key: str) -> None:
    client = log_in("hanako")
    token = client.get("/staff/layers/evacuation_site/edit")
    assert token.status_code == 200
    answer = save(client, SITE, key=key.encode().decode("latin-1"))
    assert answer.status_code == 400
    assert count(owner, "layers.evacuation_site") == 0


def test_two_at_once_with_one_key_are_one_save_and_both_are_answered(log_in: LogIn, owner: Engine) -> None:
    clients = [log_in("hanako") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool, owner.connect() as connection:
        connection.execute(text("LOCK TABLE layers.evacuation_site IN SHARE MODE"))  # the first one has to wait inside
        answers = [pool.submit(save, client, SITE) for client in clients]
        _wait_until(owner, "SELECT count(*) = 4 FROM pg_stat_activity WHERE datname = current_database()"
                    " AND wait_event_type = 'Lock'")  # fmt: skip
        connection.rollback()
        bodies = [answer.result() for answer in answers]
    assert [body.status_code for body in bodies] == [200] * 4
    assert all(body.get_json() == bodies[0].get_json() for body in bodies)
    assert count(owner, "layers.evacuation_site") == 1
    assert count(owner, "history.evacuation_site") == 1


def test_a_first_one_that_fails_while_the_second_waits_lets_the_second_do_the_work(
    log_in: LogIn, owner: Engine
) -> None:
    clients = [log_in("hanako"), log_in("hanako")]
    with ThreadPoolExecutor(2) as pool, owner.connect() as connection:
        connection.execute(text("LOCK TABLE layers.evacuation_site IN SHARE MODE"))
        answers = [pool.submit(save, client, SITE) for client in clients]
        waiting = (
            "SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted"
            " AND relation = 'layers.evacuation_site'::regclass"
        )
        _wait_until(owner, f"SELECT EXISTS ({waiting})")
        _wait_until(owner, "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)")
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM ({waiting}) AS first"))
        connection.rollback()
        outcomes = [answer.exception() or answer.result().status_code for answer in answers]
    assert 200 in outcomes
    assert count(owner, "history.evacuation_site") == 1


def _wait_until(owner: Engine, query: str) -> None:
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for _ in range(200):
            if connection.execute(text(query)).scalar_one():
                return
            connection.execute(text("SELECT pg_sleep(0.05)"))
    raise AssertionError(f"this never came true: {query}")


def test_a_key_belongs_to_its_account(log_in: LogIn, owner: Engine, database: Database) -> None:
    first = save(log_in("hanako"), SITE)
    other = {**SITE, "attributes": {"site_id": "s-2", "name": "次郎の丘"}}
    second = save(log_in("jiro"), other)
    assert (first.status_code, second.status_code) == (200, 200)
    assert count(owner, "gis.saved_edit") == 2
    with database.begin("dept_disaster", account="jiro") as connection:
        seen = connection.execute(text("SELECT account, answer FROM gis.saved_edit")).all()
        assert [account for account, _ in seen] == ["jiro"], "a colleague's saves stay unseen"
        assert "次郎の丘" not in seen[0].answer
    forged = text(
        "INSERT INTO gis.saved_edit (account, key, asked, answer) VALUES ('hanako', 'forged-key-000000', '', '')"
    )
    with pytest.raises(ProgrammingError, match="row-level security"), database.begin("dept_disaster", "jiro") as c:
        c.execute(forged)
    with pytest.raises(ProgrammingError, match="permission denied"), database.begin("citizen") as c:
        c.execute(text("SELECT * FROM gis.saved_edit"))


def test_old_answers_are_forgotten_and_young_ones_kept(
    log_in: LogIn, owner: Engine, database: Database, settings: Settings
) -> None:
    client = log_in("hanako")
    save(client, SITE)
    save(client, {**SITE, "attributes": {"site_id": "s-2", "name": "別"}}, key=KEY + "-2")
    with psycopg.connect(settings.owner_url()) as connection:
        connection.execute("UPDATE gis.saved_edit SET saved_at = now() - interval '91 days' WHERE key = %s", (KEY,))
    with database.begin(SERVICE) as connection:
        assert forget_answers(connection) == 1
    assert count(owner, "gis.saved_edit") == 1


def test_personal_values_are_not_in_the_kept_answer(log_in: LogIn, owner: Engine) -> None:
    from tests.layers.personal_layer import make_household_layer

    make_household_layer(owner, "disaster")
    change = {"operation": "insert", "attributes": {"number": "7", "resident": "花子"}, "geometry": POINT}
    assert send(log_in("hanako"), "household", {"reason": "x", "changes": [change]}, key=KEY).status_code == 200
    with owner.begin() as connection:
        assert "花子" not in connection.execute(text("SELECT answer FROM gis.saved_edit")).scalar_one()
