"""Accounts say whether they show their presence; and an index of who has written to whom."""

from alembic import op
from sqlalchemy import inspect

from signaling.store.tables import message

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    # A database that begins now has both: the first tables are made as they are today.
    if "shows_presence" not in {column["name"] for column in inspect(op.get_bind()).get_columns("account")}:
        op.execute(
            "ALTER TABLE account ADD COLUMN shows_presence SMALLINT DEFAULT 1 NOT NULL "
            "CONSTRAINT ck_account_shows_presence CHECK (shows_presence IN (0, 1))"
        )
    [index] = [each for each in message.indexes if each.name == "ix_message_received"]
    index.create(op.get_bind(), checkfirst=True)
