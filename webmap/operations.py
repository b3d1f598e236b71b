"""For those who run it: is it alive, is it ready, what does it count.

`/metrics` asks for a bearer token (`var/secrets/metrics_token`) even on the loopback: behind a proxy
on the same machine every reader of the town would look like the loopback.
"""

from __future__ import annotations

import hmac

from flask import Blueprint, Response, abort, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from gis.database import SERVICE
from gis.migrate import current_revision, head_revision
from gis.queries import load_queries
from ingest.clock import CLOCK_SILENCE_S, clock_age_s
from webmap.services import citizen_connection, services

blueprint = Blueprint("operations", __name__)
_QUERIES = load_queries(__file__)


@blueprint.get("/healthz")
def show_health() -> Response:
    """Answer 200 while the process answers at all."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
def show_readiness() -> Response:
    """Answer 200 when the database answers and is at the newest migration, else 503 and the reason.

    Pages without a scheduler are still worth showing, so its absence is told in words and stays 200.
    """
    try:
        with citizen_connection() as connection:
            revision = current_revision(connection)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        return Response(f"the database does not answer: {reason}\n", 503, mimetype="text/plain")
    if revision != head_revision():
        words = (
            f"the database is at migration {revision}, this version needs {head_revision()}: ./machimori db migrate\n"
        )
        return Response(words, 503, mimetype="text/plain")
    with services().database.begin(SERVICE) as connection:
        age_s = clock_age_s(connection)
    if age_s is None or age_s > CLOCK_SILENCE_S:
        silence = "since the beginning" if age_s is None else f"for {age_s:.0f} s"
        return Response(f"ready, but no scheduler has kept the clock {silence}\n", mimetype="text/plain")
    return Response("ready\n", mimetype="text/plain")


@blueprint.get("/metrics")
def show_metrics() -> Response:
    """Answer what Prometheus reads (text exposition format), to the holder of the token."""
    expected = f"Bearer {services().settings.secret('metrics_token')}"
    if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected.encode()):
        abort(Response("a bearer token is needed: var/secrets/metrics_token\n", 401, {"WWW-Authenticate": "Bearer"}))
    registry = CollectorRegistry()
    with services().database.begin(SERVICE) as connection:
        _count(registry, connection)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _count(registry: CollectorRegistry, connection: Connection) -> None:
    """Read the gauges; each query answers rows of (label, number)."""
    gauges = {
        "jobs": ("machimori_queue_jobs", "Jobs by state.", "state"),
        "deliveries": ("machimori_deliveries", "Messages to recipients by state.", "state"),
        "alerts": ("machimori_alerts", "Alerts by state.", "state"),
        "incidents": ("machimori_incidents", "Incidents by state.", "state"),
        "dead_letters": ("machimori_dead_letters", "Documents or records that could not be used, by source.", "source"),
        "source_ages": ("machimori_source_success_age_seconds", "Seconds since the source last succeeded.", "source"),
        "source_failures": ("machimori_source_failures", "Failures of the source in a row.", "source"),
        "source_alarms": ("machimori_source_alarms", "Standing alarms about sources, by cause.", "cause"),
        "clock_age": ("machimori_clock_age_seconds", "Seconds since the leading scheduler's last tick.", "leader"),
    }
    for block, (name, words, label) in gauges.items():
        gauge = Gauge(name, words, [label], registry=registry)
        for value, number in connection.execute(_QUERIES[block]):
            gauge.labels(value).set(number)
