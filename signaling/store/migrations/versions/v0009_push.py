"""Where devices can be woken."""

from alembic import op

from signaling.store.tables import metadata, push_subscription

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    # A database that begins now has it: the first tables are made as they are today.
    metadata.create_all(op.get_bind(), tables=[push_subscription])
