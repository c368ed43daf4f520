"""An index of operators and auditors, who are few among many."""

from alembic import op

from signaling.store.tables import account

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    # A database that begins now has it: the first tables are made as they are today.
    [index] = [each for each in account.indexes if each.name == "ix_account_staff"]
    index.create(op.get_bind(), checkfirst=True)
