"""Accounts that read what operators do, and change nothing."""

from alembic import op
from sqlalchemy import inspect

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # A database that begins now has the column: the first tables are made as they are today.
    if "auditor" not in {column["name"] for column in inspect(op.get_bind()).get_columns("account")}:
        op.execute(
            "ALTER TABLE account ADD COLUMN auditor SMALLINT DEFAULT 0 NOT NULL "
            "CONSTRAINT ck_account_auditor CHECK (auditor IN (0, 1))"
        )
