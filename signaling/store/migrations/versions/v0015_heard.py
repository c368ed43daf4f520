"""What devices say they heard of calls between apps."""

from alembic import op

from signaling.store.tables import heard, metadata

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    # A database that begins now has it: the first tables are made as they are today.
    metadata.create_all(op.get_bind(), tables=[heard])
