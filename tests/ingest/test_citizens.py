"""Citizens' reports in the database: taken once, within limits, for few eyes, and forgotten."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from gis.accounts import add_account
from gis.database import CITIZEN, SERVICE, Database
from gis.queries import load_queries
from ingest import citizens, processing
from ingest.citizen_policy import load_citizen_policy
from ingest.citizen_storm import REST_S, rest_in_storm
from ingest.citizen_words import RefusedReportError
from ingest.citizens import (
    CitizenReport,
    Sender,
    Taken,
    add_to_report,
    forget_citizen_reports,
    stop_mails,
    take_report,
    withdraw_report,
)
from ingest.processing import process_document, process_unparsed
from ingest.retention import erase_report, forget
from ingest.summary import RunSummary
from layers.attachment_files import clean_file
from tests.layers.picture_files import make_picture

POLICY = load_citizen_policy()
WORDS = "上河戸の鈴木さんの家の裏で煙が見えます"
CONTACT = "reporter@example.jp"
PLACE = {"lon": 141.2105, "lat": 38.4305, "accuracy_m": 30.0}
Send = Callable[..., Taken]


def sender(network: str = "net", device: str = "", words: str = "", contact: str = "", proven: bool = True) -> Sender:
    return Sender(network, device, words or secrets.token_hex(8), contact, proven)


def report(**changes: Any) -> CitizenReport:
    now = datetime.now(UTC)
    values = {"kind": "fire", "text": WORDS, "happened_at": now, "sent_at": now, "language": "en", **PLACE}
    return CitizenReport(**(values | changes))


@pytest.fixture
def send(database: Database) -> Send:
    def run(reference: str | None = None, whence: Sender | None = None, **changes: Any) -> Taken:
        with database.begin(SERVICE) as connection:
            return take_report(
                connection, reference or secrets.token_urlsafe(16), report(**changes), whence or sender(), POLICY
            )

    return run


def work(database: Database) -> None:
    with database.begin(SERVICE) as connection:
        waiting = connection.execute(text("SELECT id FROM ingest.document WHERE parsed_at IS NULL ORDER BY id"))
        documents = list(waiting.scalars())
    for document in documents:
        assert process_document(database, document).reason is None


def ask(database: Database, sql: str, role: str = SERVICE, account: str | None = None, **values: Any) -> list[Any]:
    with database.begin(role, account=account) as connection:
        return list(connection.execute(text(sql), values).all())


def state(database: Database, reference: str) -> Any:
    return ask(database, "SELECT * FROM open.citizen_report(:ref)", CITIZEN, ref=reference)[0]


def moderate(database: Database, publication: str) -> None:
    with database.begin(SERVICE) as connection:
        connection.execute(text("UPDATE layers.incident SET publication = :to"), {"to": publication})


def test_a_report_waits_for_a_moderator_and_shows_no_word_and_no_place(database: Database, send: Send) -> None:
    reference = secrets.token_urlsafe(16)
    happened_at = datetime.now(UTC).replace(minute=37) - timedelta(hours=2)
    send(reference, contact=CONTACT, photos=(clean_file("a.jpg", make_picture(), 10**7),), happened_at=happened_at)
    work(database)
    (incident,) = ask(database, "SELECT * FROM layers.incident")
    # The minute, with the quarter, may lead to who looked out of the window then.
    assert (incident.occurred_at.minute, incident.occurred_precision) == (0, "hour")
    assert (incident.kind, incident.publication, incident.is_personal) == ("fire", "pending", True)
    assert incident.headline == "火災の通報"
    (private,) = ask(database, "SELECT *, ST_X(position) AS lon FROM ingest.report_private")
    assert (private.original, round(private.lon, 4)) == (WORDS, 141.2105)
    assert ask(database, "SELECT FROM open.incident", CITIZEN) == []
    assert ask(database, "SELECT FROM alerts.alert") == [], "nothing goes out because somebody wrote something"
    # What every department may read tells neither who nor where exactly.
    for table in ("layers.incident", "history.incident", "ingest.report", "ingest.situation"):
        for row in ask(database, f"SELECT x::text AS line FROM {table} x"):
            for secret in (CONTACT, "鈴木", "上河戸", "141.2105"):
                assert secret not in row.line, table


def test_every_kind_waits_and_is_personal_whatever_the_policy_says(database: Database, send: Send) -> None:
    for kind in POLICY.kinds:
        send(kind=kind)
    work(database)
    rows = ask(database, "SELECT DISTINCT publication, is_personal FROM layers.incident")
    assert [tuple(row) for row in rows] == [("pending", True)]
    assert ask(database, "SELECT count(*) FROM layers.incident")[0][0] == len(POLICY.kinds)


def test_a_form_sent_twice_is_one_report(database: Database, send: Send) -> None:
    reference = secrets.token_urlsafe(16)
    assert send(reference).is_new
    assert not send(reference, text="another text").is_new
    assert ask(database, "SELECT count(*) FROM ingest.document")[0][0] == 1


def test_limits_hold_when_two_hundred_come_at_once(database: Database, send: Send) -> None:
    def one(_number: int) -> str:
        try:
            return str(send(whence=sender("crowded")).is_new)
        except RefusedReportError as refusal:
            return refusal.code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one, range(200)))
    assert answers.count("True") == POLICY.network_per_hour
    assert answers.count("many") == 200 - POLICY.network_per_hour
    assert send(whence=sender("elsewhere")).is_new, "others are not shut out"


def test_less_is_taken_from_who_did_no_work_or_repeats(database: Database, send: Send) -> None:
    for _ in range(POLICY.network_per_hour_unproven):
        send(whence=sender("shy", proven=False))
    with pytest.raises(RefusedReportError, match="Too many"):
        send(whence=sender("shy", proven=False))
    assert send(whence=sender("shy")).is_new
    send(whence=sender("one", words="same"))
    with pytest.raises(RefusedReportError, match="same words"):
        send(whence=sender("one", words="same"))
    assert send(whence=sender("two", words="same")).is_new, "two people may see one fire"
    for _ in range(POLICY.contact_per_day):
        send(whence=sender(secrets.token_hex(4), contact="victim"))
    with pytest.raises(RefusedReportError) as caught:
        send(whence=sender(secrets.token_hex(4), contact="victim"))
    assert caught.value.code == "many_contact"


def test_a_report_is_weighed_without_reading_those_of_others(database: Database, owner: Engine) -> None:
    """As a long-lived connection asks: by a plan for any value, made while the table was small."""
    names = ["reference", "network_key", "device_key", "contact_key", "text_key", "repeat_hours"]
    query = load_queries(citizens.__file__).sql("counts")
    for number, name in enumerate(names, 1):
        query = query.replace(f":{name}", f"${number}")
    others = text(
        "INSERT INTO ingest.citizen_report (reference, kind, language, network_key, device_key, text_key, created_at)"
        " SELECT lpad(n::text, 22, '0'), 'fire', 'ja', 'net' || n % 400, 'device' || n, 'words' || n,"
        " now() - n * interval '10 ms' FROM generate_series(1, 2000) n"
    )
    with database.begin(SERVICE) as connection:
        connection.exec_driver_sql("SET LOCAL plan_cache_mode = force_generic_plan")
        connection.exec_driver_sql(f"PREPARE weigh (text, text, text, text, text, int) AS {query}")
        ask_plan = "EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE weigh ('new', 'net7', 'device0', 'contact0', 'words0', 24)"
        connection.exec_driver_sql(ask_plan)
        connection.execute(others)
        plan = connection.exec_driver_sql(ask_plan).scalar_one()
        connection.exec_driver_sql("DEALLOCATE weigh")
    read = re.findall(r'"(?:Actual Rows|Rows Removed by Filter)":(\d+)', orjson.dumps(plan).decode())
    assert read and max(map(int, read)) < 50, plan


def test_in_a_storm_words_are_taken_at_once_and_worked_on_by_the_clock_while_photos_wait(
    database: Database, send: Send, owner: Engine
) -> None:
    with owner.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO ingest.citizen_report (reference, kind, language)"
                " SELECT rpad(number::text, 22, '_'), 'fire', 'ja' FROM generate_series(1, :many) AS number"
            ),
            {"many": POLICY.town_photos_per_minute},
        )
    taken = send(photos=(clean_file("a.jpg", make_picture(), 10**7),))
    assert taken == Taken(is_new=True, has_photos_put_off=True)
    assert ask(database, "SELECT FROM ingest.citizen_photo") == []
    assert ask(database, "SELECT FROM queue.procrastinate_jobs WHERE task_name = 'ingest.take_citizen_report'") == []
    assert ask(database, "SELECT FROM layers.incident") == []
    rests: list[float] = []
    # What ingest.take_up does every minute.
    process_unparsed(database, RunSummary(), rest_in_storm(database, rests.append))
    assert len(ask(database, "SELECT FROM layers.incident")) == 1
    assert rests == [REST_S], "receipts go before incidents while the storm is on"
    with owner.begin() as connection:
        connection.execute(text("UPDATE ingest.citizen_report SET created_at = created_at - interval '2 minutes'"))
    rest_in_storm(database, rests.append)()
    assert rests == [REST_S], "and not when it is over"


def test_when_many_come_photos_are_taken_and_no_report_has_a_job_of_its_own(
    database: Database, send: Send, owner: Engine
) -> None:
    with owner.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO ingest.citizen_report (reference, kind, language, created_at)"
                " SELECT rpad(number::text, 22, '_'), 'fire', 'ja', now() - make_interval(secs => :old)"
                " FROM generate_series(1, :many) AS number"
            ),
            {"many": 2000, "old": 61},
        )
    jobs = "SELECT FROM queue.procrastinate_jobs WHERE task_name = 'ingest.take_citizen_report'"
    assert send(secrets.token_urlsafe(16)) == Taken(is_new=True)
    assert len(ask(database, jobs)) == 1, "what came more than a minute ago does not count"
    with owner.begin() as connection:
        connection.execute(
            text(
                "UPDATE ingest.citizen_report SET created_at = now()"
                " WHERE id > (SELECT max(id) - :many FROM ingest.citizen_report)"
            ),
            {"many": POLICY.town_jobs_per_minute},
        )
    taken = send(secrets.token_urlsafe(16), photos=(clean_file("a.jpg", make_picture(), 10**7),))
    assert taken == Taken(is_new=True, has_photos_put_off=False)
    assert len(ask(database, "SELECT FROM ingest.citizen_photo")) == 1
    assert len(ask(database, jobs)) == 1, "it is left to ingest.take_up"


def test_a_telegram_that_a_crash_left_does_not_wait_behind_reports_of_citizens(
    database: Database, send: Send, owner: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        send(secrets.token_urlsafe(16))
    telegrams = iter(("before.xml", "meanwhile.xml"))

    def leave_telegram() -> None:
        if name := next(telegrams, None):
            columns = "source, origin, name, sha256, byte_size, body"
            insert = f"INSERT INTO ingest.document ({columns}) VALUES ('jma', 'feed', :n, :n, 1, 'x')"
            with owner.begin() as connection:
                connection.execute(text(insert), {"n": name})

    leave_telegram()
    monkeypatch.setattr(processing, "_AT_ONCE", 2)
    process_unparsed(database, RunSummary(), leave_telegram)
    order = [row.source for row in ask(database, "SELECT source FROM ingest.document ORDER BY parsed_at")]
    assert order == ["jma", "citizen", "jma", "citizen", "citizen"]


def test_the_state_follows_the_moderator(database: Database, send: Send) -> None:
    reference = secrets.token_urlsafe(16)
    send(reference, contact=CONTACT)
    assert state(database, reference).state == "received"
    work(database)
    assert (state(database, reference).state, state(database, reference).incident_fid) == ("received", None)
    for publication, expected in (
        ("held", "received"),
        ("published", "published"),
        ("rejected", "rejected"),
        ("expired", "closed"),
    ):
        moderate(database, publication)
        assert state(database, reference).state == expected
    assert CONTACT not in str(state(database, reference))


def test_an_addition_joins_its_incident_and_a_withdrawal_ends_it(database: Database, send: Send) -> None:
    reference = secrets.token_urlsafe(16)
    photo = clean_file("a.jpg", make_picture(), 10**7)
    send(reference, contact=CONTACT, photos=(photo,))
    work(database)
    now = datetime.now(UTC)
    with database.begin(SERVICE) as connection:
        add_to_report(connection, reference, "火が見えます", [], now, POLICY)
    work(database)
    moderate(database, "published")
    assert len(ask(database, "SELECT FROM layers.incident")) == 1
    originals = ask(database, "SELECT original FROM ingest.report_private ORDER BY report_id")
    assert [row.original for row in originals] == [WORDS, "火が見えます"]
    with database.begin(SERVICE) as connection:
        withdraw_report(connection, reference, now + timedelta(seconds=1))
    with database.begin(SERVICE) as connection:
        withdraw_report(connection, reference, now + timedelta(seconds=2))
    work(database)
    assert state(database, reference).state == "withdrawn"
    assert [row.state for row in ask(database, "SELECT state FROM layers.incident")] == ["cancelled"]
    photos = "SELECT r.contact, p.body, p.thumbnail FROM ingest.citizen_report r, ingest.citizen_photo p"
    (kept,) = ask(database, photos)
    assert tuple(kept) == ("", None, None)
    with database.begin(SERVICE) as connection, pytest.raises(RefusedReportError):
        add_to_report(connection, reference, "again", [], now, POLICY)


def test_additions_end_somewhere(database: Database, send: Send) -> None:
    reference = secrets.token_urlsafe(16)
    send(reference)
    for number in range(POLICY.additions):
        with database.begin(SERVICE) as connection:
            add_to_report(connection, reference, f"more {number}", [], datetime.now(UTC), POLICY)
    with database.begin(SERVICE) as connection, pytest.raises(RefusedReportError):
        add_to_report(connection, reference, "more", [], datetime.now(UTC), POLICY)


@pytest.fixture
def desks(owner: Engine) -> None:
    with owner.begin() as connection:
        add_account(connection, "mori", "森", "disaster", "a long pass phrase", roles=("viewer", "moderator"))
        add_account(connection, "edo", "江戸", "disaster", "a long pass phrase", roles=("viewer", "editor"))


TABLES = ("citizen_report", "citizen_photo", "citizen_block")


def test_only_moderators_of_the_disaster_office_read_contact_and_photos(
    database: Database, send: Send, desks: None
) -> None:
    send(contact=CONTACT, photos=(clean_file("a.jpg", make_picture(), 10**7),))
    for table in TABLES[:2]:
        query = f"SELECT * FROM ingest.{table}"
        assert len(ask(database, query, "dept_disaster", "mori")) == 1
        assert ask(database, query, "dept_disaster", "edo") == []
    for table in TABLES:
        for role in (CITIZEN, "dept_sewer", "dept_disaster_viewer", "machimori_gate"):
            with pytest.raises(ProgrammingError, match="permission denied"):
                ask(database, f"SELECT * FROM ingest.{table}", role, "edo")


def test_no_person_changes_what_a_citizen_sent(database: Database, send: Send, desks: None) -> None:
    send(contact=CONTACT)
    for change in ("UPDATE ingest.citizen_report SET contact = 'x@example.jp'", "DELETE FROM ingest.citizen_report",
                   "UPDATE ingest.citizen_photo SET body = ''", "DELETE FROM ingest.citizen_block"):  # fmt: skip
        with pytest.raises(ProgrammingError, match="permission denied"):
            ask(database, change + " RETURNING 1", "dept_disaster", "mori")


def test_a_sender_is_shut_out_for_a_time_by_a_moderator_only(database: Database, send: Send, desks: None) -> None:
    block = (
        "INSERT INTO ingest.citizen_block (sender_key, what, until_at, reason)"
        " VALUES ('net', 'network', now() + interval '2 hours', 'いたずら') RETURNING id"
    )
    with pytest.raises(ProgrammingError, match="row-level security"):
        ask(database, block, "dept_disaster", "edo")
    ask(database, block, "dept_disaster", "mori")
    with pytest.raises(RefusedReportError) as caught:
        send()
    assert caught.value.code == "blocked" and caught.value.is_for_now
    assert send(whence=sender("another")).is_new
    ask(
        database,
        "UPDATE ingest.citizen_block SET lifted_at = now(), lifted_by = 'mori' RETURNING 1",
        "dept_disaster",
        "mori",
    )
    assert send().is_new
    assert [row.blocked_by for row in ask(database, "SELECT blocked_by FROM ingest.citizen_block")] == ["mori"]


def test_contact_photos_and_whence_end_with_their_time(database: Database, send: Send, owner: Engine) -> None:
    photo = clean_file("a.jpg", make_picture(), 10**7)
    whence = Sender("net", "dev", "words", "contact", True)
    send(whence=whence, contact=CONTACT, photos=(photo,))
    with database.begin(SERVICE) as connection:
        assert forget_citizen_reports(connection, datetime.now(UTC) - timedelta(days=1)) == (0, 0)
        assert forget_citizen_reports(connection, datetime.now(UTC) + timedelta(minutes=1)) == (1, 1)
        assert forget_citizen_reports(connection, datetime.now(UTC) + timedelta(minutes=1)) == (0, 0)
    (left,) = ask(database, "SELECT c::text AS line FROM ingest.citizen_report c")
    for secret in (CONTACT, "net", "dev", "words", "contact"):
        assert secret not in left.line
    assert [row.body for row in ask(database, "SELECT body FROM ingest.citizen_photo")] == [None]
    assert (
        ask(database, "SELECT FROM ingest.document WHERE position(convert_to(:it, 'UTF8') IN body) > 0", it=CONTACT)
        == []
    )


@pytest.mark.parametrize("is_asked_for", [False, True])
def test_what_a_citizen_was_answered_ends_with_the_report(
    database: Database, send: Send, owner: Engine, is_asked_for: bool
) -> None:
    send()
    work(database)
    with owner.begin() as connection:
        connection.execute(text("UPDATE ingest.citizen_report SET public_reason = 'it was your neighbour'"))
        if not is_asked_for:
            connection.execute(text("UPDATE ingest.report SET created_at = now() - interval '1096 days'"))
    if is_asked_for:
        with database.begin(SERVICE) as connection:
            erase_report(connection, connection.execute(text("SELECT id FROM ingest.report")).scalar_one(), "asked")
    else:
        forget(database)
    assert [row.public_reason for row in ask(database, "SELECT public_reason FROM ingest.citizen_report")] == [""]


def test_erasing_photos_is_no_door_to_the_departments_files(database: Database, owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO gis.attachment (layer, fid, name, media_type, byte_size, sha256)"
                " VALUES ('shelter', 1, 'a.jpg', 'image/jpeg', 3, encode(sha256('abc'), 'hex'))"
            )
        )
    with database.begin(SERVICE) as connection:
        connection.execute(text("SELECT ingest.erase_citizen_attachments(ARRAY(SELECT generate_series(1, 100)))"))
    with owner.begin() as connection:
        assert connection.execute(text("SELECT is_erased FROM gis.attachment")).scalars().all() == [False]


def test_mails_stop_by_the_reporters_key(database: Database, send: Send) -> None:
    reference = secrets.token_urlsafe(16)
    send(reference, contact=CONTACT)
    with database.begin(SERVICE) as connection:
        assert stop_mails(connection, reference)
        assert not stop_mails(connection, "A" * 22)
    assert (state(database, reference).has_contact, state(database, reference).wants_mail) == (False, False)
