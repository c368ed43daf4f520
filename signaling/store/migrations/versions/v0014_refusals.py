"""An index of the decisions that refused something: few among many."""

from alembic import op

from signaling.store.tables import journal_entry

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    # A database that begins now has it: the first tables are made as they are today.
    [index] = [each for each in journal_entry.indexes if each.name == "ix_journal_entry_refusal"]
    index.create(op.get_bind(), checkfirst=True)
