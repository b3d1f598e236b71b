"""What every view needs of its installation: settings, database, town."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app
from sqlalchemy import Connection

from gis.database import CITIZEN, Database
from gis.settings import Settings
from gis.town import Town, load_town


@dataclass(frozen=True)
class Services:
    """Made once per application, shared by all its threads."""

    settings: Settings
    database: Database
    town: Town


def init_app(app: Flask, settings: Settings) -> None:
    """Attach the services to the application."""
    app.extensions["machimori"] = Services(settings, Database(settings.app_url()), load_town())


def services() -> Services:
    """Return the services of the running application."""
    return cast(Services, current_app.extensions["machimori"])


def citizen_connection() -> AbstractContextManager[Connection]:
    """Open a transaction that can read what everyone may read, and nothing else."""
    return services().database.begin(CITIZEN)
