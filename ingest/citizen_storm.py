"""While thousands report at once, giving them their receipts goes before making incidents of what they wrote."""

from __future__ import annotations

import time
from collections.abc import Callable

from gis.database import SERVICE, Database
from ingest.citizen_policy import load_citizen_policy
from ingest.citizens import is_stormy

# Some two reports a second become incidents meanwhile: more than moderators can decide about.
REST_S = 0.4
_LOOK_EVERY_S = 1.0


def rest_in_storm(database: Database, sleep: Callable[[float], None] = time.sleep) -> Callable[[], None]:
    """Return what is called after each document: it waits for `REST_S` while a storm of reports is on."""
    looked_at, is_on = float("-inf"), False

    def rest() -> None:
        nonlocal looked_at, is_on
        if time.monotonic() - looked_at > _LOOK_EVERY_S:
            with database.begin(SERVICE) as connection:
                is_on = is_stormy(connection, load_citizen_policy())
            looked_at = time.monotonic()
        if is_on:
            sleep(REST_S)

    return rest
