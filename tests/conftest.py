"""A real PostgreSQL for the tests: one throw-away cluster per run, one cloned database per test."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine

from gis import jobs
from gis.database import Database, owner_engine
from gis.embedded import Cluster
from gis.settings import PROJECT_DIR, Settings
from webmap.schema import migrate_everything

SAMPLES_DIR = PROJECT_DIR.parent / "shared" / "samples"
_numbers = count(1)


@pytest.fixture(scope="session")
def samples() -> Path:
    """Folder of the real sample data; tests that need it skip on a clone that has none."""
    if not SAMPLES_DIR.is_dir():
        pytest.skip("the real sample data (../shared/samples) is not beside this checkout")
    return SAMPLES_DIR


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A throw-away cluster that forgets everything in a crash, and is fast for it."""
    folder = Path(tempfile.mkdtemp(prefix="mm-test-", dir="/tmp"))  # a short path: sockets allow 107 bytes
    if os.geteuid() == 0:
        os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
    cluster = Cluster(folder / "pg", is_durable=False, open_databases="all")
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _settings(cluster: Cluster, name: str, var_dir: Path) -> Settings:
    return Settings(
        var_dir=var_dir,
        database_url=cluster.url("postgres", name),
        app_database_url=cluster.url("machimori_app", name),
        jma_feed_url="",
    )


def _template(cluster: Cluster, name: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    cluster.create_database(name)
    settings = _settings(cluster, name, tmp_path_factory.mktemp(name))
    migrate_everything(settings)
    return settings


@pytest.fixture(scope="session")
def empty_template(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated database without a town."""
    _template(cluster, "template_empty", tmp_path_factory)
    return "template_empty"


@pytest.fixture(scope="session")
def town_template(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated database with the demonstration town."""
    from webmap.demonstration import load_town

    settings = _template(cluster, "template_town", tmp_path_factory)
    engine = owner_engine(settings.owner_url())
    load_town(engine)
    engine.dispose()
    return "template_town"


def _clone(cluster: Cluster, template: str) -> str:
    name = f"test_{next(_numbers)}"
    with psycopg.connect(cluster.url("postgres", "postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO machimori_app").format(sql.Identifier(name)))
    return name


def _drop(cluster: Cluster, name: str) -> None:
    with psycopg.connect(cluster.url("postgres", "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def settings(request: pytest.FixtureRequest, cluster: Cluster, tmp_path: Path) -> Iterator[Settings]:
    """Settings of this test's own database: a clone with the town if the test asks for `town_database`."""
    with_town = "town_database" in request.fixturenames
    template = request.getfixturevalue("town_template" if with_town else "empty_template")
    name = _clone(cluster, template)
    yield _settings(cluster, name, tmp_path / "var")
    _drop(cluster, name)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """The application's door to this test's database."""
    database = Database(settings.app_url())
    jobs.set_context(database, settings)
    yield database
    database.dispose()


@pytest.fixture
def town_database(database: Database) -> Database:
    """The application's door to a database with the demonstration town."""
    return database


@pytest.fixture
def owner(settings: Settings) -> Iterator[Engine]:
    """The administering login of this test's database."""
    engine = owner_engine(settings.owner_url())
    yield engine
    engine.dispose()
