"""An index of the entries that changed the register."""

from alembic import op

from signaling.store.tables import journal_entry

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    # A database that begins now has it: the first tables are made as they are today.
    [index] = [each for each in journal_entry.indexes if each.name == "ix_journal_entry_change"]
    index.create(op.get_bind(), checkfirst=True)
