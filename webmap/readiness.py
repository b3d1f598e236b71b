"""Whether the database is at the schema that this code knows."""

from __future__ import annotations

from gis.database import owner_engine
from gis.errors import UsageError
from gis.migrate import current_revision, head_revision
from gis.settings import Settings
from webmap.schema import migrate_everything


def require_schema(settings: Settings) -> None:
    """Make sure that the schema is the newest: the embedded database is migrated, a given one is not touched.

    Raises
    ------
    UsageError : the database given by MACHIMORI_DATABASE_URL is at another migration.
    """
    # A machine that only works for the installation may know nothing but the application's login.
    engine = owner_engine(settings.owner_url() if settings.is_embedded else settings.app_url())
    try:
        with engine.connect() as connection:
            revision = current_revision(connection)
    finally:
        engine.dispose()
    if revision == head_revision():
        return
    if not settings.is_embedded:
        state = f"at migration {revision}" if revision else "empty"
        raise UsageError(
            f"The database is {state}; this version needs migration {head_revision()}.", "Run: ./machimori db migrate"
        )
    migrate_everything(settings)
