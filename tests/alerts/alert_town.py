"""A square town of our own for the tests of alerts, and what ingest would say about it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from sqlalchemy import Engine, text

from alerts.catalogue import JST
from gis.database import Database

FIRST = datetime(2011, 3, 11, 14, 49, tzinfo=JST)
MAJOR: dict[str, Any] = {
    "class": "major_warning",
    "class_name": "大津波警報",
    "area_code": "220",
    "area_name": "宮城県",
    "height_m": None,
    "height_text": "巨大",
    "arrival_at": "2011-03-11T15:00:00+09:00",
    "hypocenter": "三陸沖",
    "magnitude_text": "Ｍ７．９",
}
QUAKE: dict[str, Any] = {"area_intensity": "6+", "origin_at": "2011-03-11T14:46:00+09:00"}


@dataclass
class SquareTown:
    """The database of one test with a square of 0.1 × 0.1 degrees as the town."""

    database: Database
    owner: Engine
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def execute(self, sql: str, **values: object) -> list[Any]:
        with self.owner.begin() as connection:
            result = connection.execute(text(sql), values)
            return list(result) if result.returns_rows else []

    def scalar(self, sql: str, **values: object) -> Any:
        return self.execute(sql, **values)[0][0]

    def subscribe(
        self,
        email: str,
        lon: float = 141.2,
        lat: float = 38.4,
        *,
        language: str = "ja",
        kinds: str = "{tsunami,earthquake}",
        state: str = "confirmed",
        is_drill: bool = False,
        radius_m: float = 0,
        place: str = "自宅",
    ) -> int:
        subscriber_id = self.scalar(
            "INSERT INTO alerts.subscriber (email, language, kinds, state, is_drill, token) VALUES"
            " (:email, :language, CAST(:kinds AS text[]), :state, :is_drill, 'token-' || md5(:email)) RETURNING id",
            email=email, language=language, kinds=kinds, state=state, is_drill=is_drill,
        )  # fmt: skip
        self.add_place(subscriber_id, place, lon, lat, radius_m)
        return int(subscriber_id)

    def add_place(self, subscriber_id: int, name: str, lon: float, lat: float, radius_m: float = 0) -> None:
        self.execute(
            "INSERT INTO alerts.place (subscriber_id, name, position, radius_m, plane) SELECT :s, :name, p, :radius,"
            " ST_Transform(p, 6678) FROM (SELECT ST_SetSRID(ST_Point(:lon, :lat), 6668) AS p) q",
            s=subscriber_id, name=name, lon=lon, lat=lat, radius=radius_m,
        )  # fmt: skip

    def add_site(self, name: str, lon: float, lat: float, *, tsunami: bool = True, is_demo: bool = True) -> None:
        self.execute(
            "INSERT INTO layers.evacuation_site (site_id, name, tsunami, is_demo, geom)"
            " VALUES (:name, :name, :tsunami, :is_demo, ST_SetSRID(ST_Point(:lon, :lat), 6668))",
            name=name, lon=lon, lat=lat, tsunami=tsunami, is_demo=is_demo,
        )  # fmt: skip

    def situation(
        self,
        facts: Mapping[str, Any],
        *,
        telegram: str = "VTSE41",
        kind: str = "tsunami",
        level: int = 5,
        phase: str = "updated",
        status: str = "Actual",
        reported_at: datetime = FIRST,
        is_fresh: bool = True,
        incident_fid: int = 1,
    ) -> int:
        """Write what ingest writes after one report; return the situation's id."""
        number = next(self._numbers)
        return int(
            self.scalar(
                """
                WITH document AS (
                    INSERT INTO ingest.document (source, origin, name, sha256, byte_size, body)
                    VALUES ('jma', 'replay', :name, :name, 0, '') RETURNING id
                ), report AS (
                    INSERT INTO ingest.report (source, source_id, document_id, telegram, kind, status, action,
                                               event_key, reported_at, controlled_at, facts, concerns_town)
                    SELECT 'jma', :name, id, :telegram, :kind, :status, 'issue', 'k', :at, :at, '{}', true FROM document
                    RETURNING id
                )
                INSERT INTO ingest.situation (incident_fid, report_id, telegram, kind, status, phase, level, is_fresh,
                                              reported_at, office, facts)
                SELECT :fid, id, :telegram, :kind, :status, :phase, :level, :is_fresh, :at, '気象庁',
                       CAST(:facts AS jsonb)
                FROM report RETURNING id
                """,
                name=f"report-{number}", telegram=telegram, kind=kind, status=status, phase=phase, level=level,
                is_fresh=is_fresh, at=reported_at, facts=json.dumps(facts), fid=incident_fid,
            )
        )  # fmt: skip
