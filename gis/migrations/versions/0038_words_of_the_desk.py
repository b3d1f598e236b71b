"""What moderators write is theirs to read, and ends; an hour that nobody knew is none."""

from pathlib import Path

from alembic import op

revision = "0038"
down_revision = "0036"


def upgrade() -> None:
    op.get_bind().connection.driver_connection.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
