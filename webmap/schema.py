"""The whole schema: the ground, the layers and the alert policy, in one transaction."""

from __future__ import annotations

import alerts.policy
import layers.catalogue
from gis.database import owner_engine
from gis.migrate import migrate
from gis.settings import Settings
from ingest.answers import KEY_NAME


def migrate_everything(settings: Settings) -> None:
    """Bring the database of `settings` to the present schema; idempotent.

    Raises
    ------
    UsageError : see `gis.migrate.migrate`.
    """
    for key in ("session_key", KEY_NAME):
        settings.secret(key)  # made here, on one machine, so that the others can be given copies
    engine = owner_engine(settings.owner_url())
    try:
        migrate(engine, settings.app_password(), layers.catalogue.sync, alerts.policy.seed)
    finally:
        engine.dispose()
