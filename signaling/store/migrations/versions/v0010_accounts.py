"""Entries about operators' accounts are among those that changed the register."""

from alembic import op

from signaling.store.tables import journal_entry

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    [index] = [each for each in journal_entry.indexes if each.name == "ix_journal_entry_change"]
    index.drop(op.get_bind(), checkfirst=True)
    index.create(op.get_bind())
