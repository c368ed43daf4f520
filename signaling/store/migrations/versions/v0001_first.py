"""The first tables."""

from alembic import op

from signaling.store.tables import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())
    op.execute("INSERT INTO counter (name, value) VALUES ('message', 0)")
