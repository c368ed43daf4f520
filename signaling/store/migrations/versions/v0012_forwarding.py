"""Where accounts have their calls go on to, and where a call went."""

from alembic import op
from sqlalchemy import inspect

from signaling.store.migrations.guards import cdr
from signaling.store.tables import call

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    # A database that begins now has it all: the first tables are made as they are today.
    tables = inspect(op.get_bind())
    if "forwarding" not in {column["name"] for column in tables.get_columns("account")}:
        op.execute("ALTER TABLE account ADD COLUMN forwarding TEXT")
    if "forwarded_to" not in {column["name"] for column in tables.get_columns("call")}:
        op.execute("ALTER TABLE call ADD COLUMN forwarded_to TEXT")
        op.execute("ALTER TABLE call ADD COLUMN forwarded_by TEXT")
        op.execute("DROP VIEW v_cdr")
        for statement in cdr(op.get_bind().dialect.name == "postgresql"):
            op.execute(statement)
    [index] = [each for each in call.indexes if each.name == "ix_call_forwarded_to"]
    index.create(op.get_bind(), checkfirst=True)
