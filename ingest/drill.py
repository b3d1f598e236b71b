"""A drill telegram of our own, so that a fresh town shows the main job: warning, map, mail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from string import Template

from gis.database import Database
from gis.settings import DATA_DIR, Settings
from gis.town import load_town
from ingest.documents import read_body
from ingest.jma.xml import JST
from ingest.processing import receive
from ingest.source import find_source
from ingest.summary import RunSummary

_ARRIVES_AFTER = timedelta(minutes=20)
_SHOOK_BEFORE = timedelta(minutes=3)


def drill_telegram(now: datetime) -> bytes:
    """Return a 大津波警報 of status 訓練 for the town's coast, as if sent at `now` (aware)."""
    town = load_town()
    moment = now.astimezone(JST).replace(microsecond=0)
    template = Template((DATA_DIR / "drill" / "VTSE41.xml").read_text(encoding="utf-8"))
    return template.substitute(
        sent_at=moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        reported_at=moment.isoformat(),
        origin_at=(moment - _SHOOK_BEFORE).isoformat(),
        arrival_at=(moment + _ARRIVES_AFTER).replace(second=0).isoformat(),
        event_id=(moment - _SHOOK_BEFORE).strftime("%Y%m%d%H%M%S"),
        area_code=town.jma_tsunami_area,
        area_name=town.prefecture_ja,
    ).encode()


def play_drill(database: Database, settings: Settings) -> RunSummary:
    """Receive a fresh drill telegram; its alert goes to the drill list."""
    body = read_body([drill_telegram(datetime.now(JST))], settings.max_document_bytes)
    summary = RunSummary()
    receive(database, find_source("jma"), "drill", "data/drill/VTSE41.xml", body, summary)
    return summary
