from __future__ import annotations

from dataclasses import replace

from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from gis.database import Database
from gis.settings import Settings
from webmap.app import create_app


def test_a_migrated_database_is_ready(database: Database, client: FlaskClient) -> None:
    assert client.get("/healthz").text == "ok\n"
    assert client.get("/readyz").status_code == 200


def test_an_older_database_is_not_ready_and_says_what_to_do(owner: Engine, client: FlaskClient) -> None:
    with owner.begin() as connection:
        connection.execute(text("UPDATE public.schema_version SET version_num = '0000'"))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "./machimori db migrate" in answer.text


def test_without_its_database_the_service_is_alive_but_not_ready(settings: Settings) -> None:
    nowhere = replace(settings, app_database_url="postgresql://machimori_app@127.0.0.1:1/nothing")
    client = create_app(nowhere).test_client()
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503
    page = client.get("/list?lang=en")
    assert page.status_code == 503
    assert "The service is not ready" in page.text


def test_metrics_are_for_the_holder_of_the_token(
    warned_town: Database, client: FlaskClient, settings: Settings
) -> None:
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer guess"}).status_code == 401
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {settings.secret('metrics_token')}"})
    assert answer.status_code == 200
    assert 'machimori_alerts{state="sending"} 1.0' in answer.text
    assert 'machimori_deliveries{state="pending"}' in answer.text
    assert 'machimori_queue_jobs{state="todo"}' in answer.text
