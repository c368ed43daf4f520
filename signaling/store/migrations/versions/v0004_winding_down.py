"""Calls that wind down know by when they have to be over, also after a restart."""

from alembic import op
from sqlalchemy import inspect

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    # A database that begins now has the column: the first tables are made as they are today.
    if "ends_by" not in {column["name"] for column in inspect(op.get_bind()).get_columns("call")}:
        op.execute("ALTER TABLE call ADD COLUMN ends_by BIGINT")
