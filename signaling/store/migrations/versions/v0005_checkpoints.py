"""Signed checkpoints of the chains."""

from alembic import op
from sqlalchemy import text

from signaling.store.migrations.guards import guard
from signaling.store.tables import checkpoint, metadata

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    # A database that begins now has the table: the first tables are made as they are today.
    connection = op.get_bind()
    metadata.create_all(connection, tables=[checkpoint])
    postgresql = connection.dialect.name == "postgresql"
    triggers = (
        "pg_trigger WHERE tgname" if postgresql else "sqlite_master WHERE type = 'trigger' AND tbl_name"
    )
    if not connection.execute(text(f"SELECT 1 FROM {triggers} LIKE 'checkpoint%'")).first():
        for statement in guard("checkpoint", ("number",), postgresql):
            op.execute(statement)
