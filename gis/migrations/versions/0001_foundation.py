"""The ground: schemas, accounts, changesets, reports, alerts, deliveries, queue."""

from pathlib import Path

import procrastinate.schema
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    driver_connection = op.get_bind().connection.driver_connection
    driver_connection.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
    driver_connection.execute("SET LOCAL search_path = queue, public")
    driver_connection.execute(procrastinate.schema.SchemaManager.get_schema())
    driver_connection.execute("SET LOCAL search_path = public")
    driver_connection.execute("GRANT ALL ON ALL TABLES IN SCHEMA queue TO machimori_service")
    driver_connection.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA queue TO machimori_service")
    # The disaster office may enqueue (approving an alert starts its sending), not read or take jobs away.
    driver_connection.execute(
        "GRANT SELECT, INSERT ON queue.procrastinate_jobs, queue.procrastinate_events TO dept_disaster"
    )
    driver_connection.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA queue TO dept_disaster")
