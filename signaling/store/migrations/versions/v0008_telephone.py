"""Telephone legs, their trunk in the record of a call, and who may have any."""

from alembic import op
from sqlalchemy import inspect

from signaling.store.migrations.guards import cdr
from signaling.store.tables import entitlement, leg, metadata

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    # A database that begins now has it all: the first tables are made as they are today.
    metadata.create_all(op.get_bind(), tables=[leg, entitlement])
    if "trunk" not in {column["name"] for column in inspect(op.get_bind()).get_columns("call")}:
        op.execute("ALTER TABLE call ADD COLUMN trunk TEXT")
        op.execute("DROP VIEW v_cdr")
        for statement in cdr(op.get_bind().dialect.name == "postgresql", forwarded=""):
            op.execute(statement)
