"""The demonstration town: layers and subscribers together."""

from __future__ import annotations

from sqlalchemy import Engine, text

from alerts.demonstration import load_demonstration_subscribers
from layers.demonstration.loading import load_demonstration_layers


def load_town(owner: Engine) -> bool:
    """Load the demonstration town in one transaction if the layers are empty; return whether it did.

    Parameters
    ----------
    owner : the administering login (`gis.database.owner_engine`).
    """
    with owner.begin() as connection:
        connection.execute(text("SET LOCAL ROLE machimori_owner"))
        connection.execute(text("SELECT set_config('machimori.reason', 'demonstration town', true)"))
        # Two starts at the same moment: the second waits, then finds the town.
        connection.execute(text("LOCK TABLE gis.layer IN SHARE ROW EXCLUSIVE MODE"))
        if not load_demonstration_layers(connection):
            return False
        load_demonstration_subscribers(connection)
        for name in ("city_area", "evacuation_site", "shelter", "base_road", "base_building", "base_water"):
            connection.execute(text(f"ANALYZE layers.{name}"))
        return True
