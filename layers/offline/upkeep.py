"""What waits too long: files that came back, whose conflicts nobody settled, are forgotten one day."""

from __future__ import annotations

import structlog
from sqlalchemy import Connection

from gis.database import SERVICE
from gis.jobs import context, task
from gis.queries import load_queries
from layers.offline.desk import WaitingFile

_QUERIES = load_queries(__file__)
_LOG = structlog.get_logger()


def forget_files(connection: Connection, kept_days: int) -> list[WaitingFile]:
    """Forget the files sent more than that many days ago; return them. Role: `machimori_service`.

    What of them came in stays in, and who has the file sends it again.
    """
    return [WaitingFile(*row) for row in connection.execute(_QUERIES["forget_files"], {"days": kept_days})]


@task("layers.forget_checkins", queue="layers")
def forget_waiting_files() -> None:
    """Run `forget_files` as a job, for `MACHIMORI_CHECKIN_DAYS`."""
    with context().database.begin(SERVICE) as connection:
        for file in forget_files(connection, context().settings.checkin_days):
            _LOG.warning("file that waited for its conflicts forgotten", account=file.account, file=file.name)
