"""The worker: takes jobs from the queue and does them."""

from __future__ import annotations

import asyncio
import importlib

from gis.database import Database
from gis.jobs import set_context, worker_app
from gis.settings import Settings

# Named, not imported above: each declares its tasks when it is imported.
TASK_MODULES = (
    "gis.upkeep",
    "layers.offline.upkeep",
    "layers.saved_once",
    "ingest.tasks",
    "ingest.citizen_tasks",
    "ingest.push_tasks",
    "alerts.tasks",
    "webmap.uploads",
)
_STOP_TIMEOUT_S = 15.0  # under the supervisor's patience, so that a long job goes back into the queue in order


def run_worker(settings: Settings, concurrency: int) -> None:
    """Do jobs until SIGTERM or SIGINT; running ones may finish first.

    Parameters
    ----------
    concurrency : how many jobs at once, each in a thread with a connection of its own.
    """
    for name in TASK_MODULES:
        importlib.import_module(name)
    database = Database(settings.app_url(), pool_size=concurrency + 1)
    set_context(database, settings)
    try:
        asyncio.run(_work(settings, concurrency))
    finally:
        database.dispose()


async def _work(settings: Settings, concurrency: int) -> None:
    app = worker_app(settings)
    async with app.open_async():
        await app.run_worker_async(
            concurrency=concurrency,
            shutdown_graceful_timeout=_STOP_TIMEOUT_S,
            delete_jobs="successful",  # failed ones stay, and doctor counts them
            update_heartbeat_interval=10,
            stalled_worker_timeout=60,
        )
