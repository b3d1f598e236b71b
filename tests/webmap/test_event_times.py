"""A time is told no more exactly than its source knows: nobody reads 0:00 for an hour that nobody knows."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

import gis
from gis.accounts import grant_role
from gis.database import Database
from ingest.configuration import SourceConfig
from ingest.documents import read_body
from ingest.processing import receive
from ingest.schedule import Schedule
from ingest.source import Source, find_source
from ingest.sources.safety_mail import make_source
from ingest.summary import RunSummary
from tests.ingest.mail.letters import SENDER, mail
from tests.ingest.sources.police_tables import table, theft

MIDNIGHT = re.compile(r"0時0?0分|00:00")
EXPECTED = {  # as written → (in Japanese, in English, for machines)
    ("2024/5/3", "20"): ("2024年5月3日 20時ごろ", "about 20:00 on 3 May 2024 (Japan time)", "2024-05-03T20:00+09:00"),
    ("2024/6/4", "不明"): ("2024年6月4日", "4 June 2024", "2024-06-04"),
    ("2024年7月", "不明"): ("2024年7月", "July 2024", "2024-07"),
    ("不明", "不明"): ("2024年", "2024", "2024"),
}


MAILS = (
    "11月中旬、東松島市矢本地内の路上で、女児が男に声をかけられました。",
    "11月18日、東松島市赤井地内の路上で、女児が男に声をかけられました。",
    "東松島市大曲地内の路上で、女児が男に声をかけられました。",
)
MIGRATION = Path(gis.__file__).with_name("migrations") / "versions" / "0038_words_of_the_desk.sql"


def _mail_source() -> Source:
    given = {"senders": [SENDER], "office": "県警"}
    return make_source(SourceConfig("pref_mail", "safety_mail", "県警メール", Schedule(60), given))


def _receive(database: Database, source: Source, body: bytes) -> None:
    receive(database, source, "replay", "one", read_body([body], 1_000_000), RunSummary())


def _pages(client: FlaskClient, database: Database, language: str) -> dict[str, str]:
    """Return the words of a reader's pages about incidents, by address."""
    with database.begin("citizen") as connection:
        fids = connection.execute(text("SELECT fid FROM open.incident ORDER BY fid")).scalars().all()
    addresses = ["/list", "/feeds/incidents.geojson", *(f"/incidents/{fid}" for fid in fids)]
    return {address: client.get(f"{address}?lang={language}").text for address in addresses}


def test_a_theft_of_an_unknown_hour_day_or_month_says_so_on_every_page(
    town_database: Database, client: FlaskClient
) -> None:
    rows = [theft(day, hour, kind="自転車盗") for day, hour in EXPECTED]
    _receive(town_database, find_source("police_open_data"), table(*rows))
    for number, language in enumerate(("ja", "en")):
        pages = _pages(client, town_database, language)
        assert not [address for address, page in pages.items() if MIDNIGHT.search(page)]
        for words in EXPECTED.values():
            assert f'<time datetime="{words[2]}">{words[number]}</time>' in pages["/list"]
            own = [
                page for address, page in pages.items() if re.search(r"\d", address) and f">{words[number]}<" in page
            ]
            assert own and all(page.count(f">{words[number]}<") >= 4 for page in own), (
                "occurred, reported, over, course"
            )


def test_what_was_stored_before_precisions_were_gets_that_of_its_reports(
    town_database: Database, owner: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _receive(
        town_database, find_source("police_open_data"), table(*(theft(*said, kind="自転車盗") for said in EXPECTED))
    )
    source = _mail_source()
    monkeypatch.setattr("ingest.processing.find_source", lambda name: source)
    for words in MAILS:
        _receive(town_database, source, mail("声かけ", words, "utf-8"))
    kept = text("SELECT fid, occurred_precision FROM layers.incident ORDER BY fid")
    with owner.begin() as connection:
        wanted = connection.execute(kept).all()
        connection.execute(text("UPDATE layers.incident SET occurred_precision = NULL"))
        # Of one that nobody says more about, a midnight is a day.
        connection.execute(
            text("UPDATE ingest.report SET facts = facts - 'time_precision' WHERE facts->>'time_precision' = 'day'")
        )
        fill = MIGRATION.read_text(encoding="utf-8").partition("DO $$")[2].partition("END $$;")[0]
        connection.exec_driver_sql(f"DO $${fill}END $$;")
        assert connection.execute(kept).all() == wanted
    assert {precision for _, precision in wanted} == {"hour", "day", "month", "year", "third", "unknown"}


def test_a_mail_of_a_part_of_the_month_keeps_it_to_the_desk_and_to_the_reader(
    town_database: Database,
    client: FlaskClient,
    log_in: Callable[[str], FlaskClient],
    owner: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = _mail_source()
    monkeypatch.setattr("ingest.processing.find_source", lambda name: source)
    for words in MAILS:
        _receive(town_database, source, mail("声かけ", words, "utf-8"))
    with owner.begin() as connection:
        grant_role(connection, "hanako", "moderator")
        connection.execute(text("UPDATE layers.incident SET publication = 'published'"))
    desk = log_in("hanako").get("/staff/incidents?state=all&lang=ja").text
    pages = {**_pages(client, town_database, "ja"), "desk": desk}
    assert not [address for address, page in pages.items() if MIDNIGHT.search(page)]
    for words in ("2025年11月中旬", "2025年11月18日"):
        assert f"<dd>{words}</dd>" in "".join(pages.values())
        assert words in desk
    unsaid = [page for page in pages.values() if "事案" in page and "<dl" in page and "<dt>発生日時</dt>" not in page]
    assert unsaid, "of what names no time only the report's is told"
    assert "2025年11月20日 18時30分" in unsaid[0]
