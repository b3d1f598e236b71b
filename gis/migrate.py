"""Bring a database to the present schema: extension, roles, migrations, layers, policy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from gis.errors import UsageError
from gis.roles import create_roles, store_departments

_SCRIPTS = Path(__file__).with_name("migrations")


def head_revision() -> str:
    """Return the newest migration that this code knows."""
    return str(ScriptDirectory(str(_SCRIPTS)).get_current_head())


def current_revision(connection: Connection) -> str | None:
    """Return the migration the database is at, None for an empty one."""
    if connection.execute(text("SELECT to_regclass('public.schema_version')")).scalar() is None:
        return None
    return connection.execute(text("SELECT version_num FROM public.schema_version")).scalar()


def migrate(engine: Engine, app_password: str, *seeds: Callable[[Connection], object]) -> None:
    """Create what is missing, in one transaction: extension, roles, schema, departments, then `seeds`.

    Parameters
    ----------
    engine : the administering login (superuser, or CREATEROLE with PostGIS already there).
    app_password : the password that `machimori_app` gets.
    seeds : what the upper packages bring (layer tables, alert policy); each is called with the
        connection, as `machimori_owner`. They are handed in because imports point one way.

    Raises
    ------
    UsageError : PostGIS is not there, the server is too old, or the login may not create roles.
    """
    with engine.begin() as connection:
        _require_server(connection)
        _ensure_postgis(connection)
        try:
            create_roles(connection, app_password)
        except DBAPIError as error:
            raise UsageError(
                f"The database login may not create roles: {str(error.orig).strip()}",
                "Give MACHIMORI_DATABASE_URL a superuser, or: ALTER ROLE <login> CREATEROLE;",
            ) from error
        connection.execute(text("GRANT CREATE, USAGE ON SCHEMA public TO machimori_owner"))
        connection.execute(text("SET LOCAL ROLE machimori_owner"))
        config = Config()
        config.set_main_option("script_location", str(_SCRIPTS))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.execute(text("GRANT SELECT ON public.schema_version TO PUBLIC"))
        store_departments(connection)
        for seed in seeds:
            seed(connection)


def _require_server(connection: Connection) -> None:
    version = connection.execute(text("SELECT current_setting('server_version_num')::int")).scalar_one()
    if version < 150000:
        raise UsageError(f"PostgreSQL {version // 10000} is too old.", "machimori needs PostgreSQL 15 or later.")


def _ensure_postgis(connection: Connection) -> None:
    if connection.execute(text("SELECT 1 FROM pg_extension WHERE extname = 'postgis'")).first():
        return
    name = connection.execute(text("SELECT current_database()")).scalar_one()
    if not connection.execute(text("SELECT 1 FROM pg_available_extensions WHERE name = 'postgis'")).first():
        raise UsageError(
            "The database server has no PostGIS.",
            "Install it on the server (Debian/Ubuntu: apt-get install postgresql-postgis) and try again.",
        )
    try:
        with connection.begin_nested():
            connection.execute(text("CREATE EXTENSION postgis SCHEMA public"))
    except DBAPIError as error:
        raise UsageError(
            f"The database {name} has no PostGIS, and this login may not add it: {str(error.orig).strip()}",
            f'Ask a superuser for: CREATE EXTENSION postgis;  in the database "{name}".',
        ) from error
