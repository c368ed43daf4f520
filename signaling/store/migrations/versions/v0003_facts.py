"""What is known about an account's holder, and by whom."""

from alembic import op

from signaling.store.tables import account_facts, facts_entry, metadata, owned_number

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # A database that begins now has them: the first tables are made as they are today.
    metadata.create_all(op.get_bind(), tables=[account_facts, owned_number, facts_entry])
