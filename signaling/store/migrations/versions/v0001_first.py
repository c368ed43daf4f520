"""The first tables."""

from alembic import op

from signaling.store.migrations.guards import cdr, guard, views
from signaling.store.tables import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())
    op.execute("INSERT INTO counter (name, value) VALUES ('message', 0), ('register', 0)")
    postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in (
        *guard("journal_entry", ("node", "seq"), postgresql),
        *views(postgresql),
        *cdr(postgresql),
    ):
        op.execute(statement)
    for statement in guard("register_version", ("kind", "key", "version"), postgresql):
        op.execute(statement)
