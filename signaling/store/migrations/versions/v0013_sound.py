"""How a telephone leg sounded stands in its row."""

from alembic import op
from sqlalchemy import inspect

from signaling.store.tables import leg

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    # A database that begins now has it all: the first tables are made as they are today.
    known = {column["name"] for column in inspect(op.get_bind()).get_columns("leg")}
    for name in ("packets", "lost", "jitter"):
        if name not in known:
            op.execute(f"ALTER TABLE leg ADD COLUMN {name} BIGINT")
    [index] = [each for each in leg.indexes if each.name == "ix_leg_sound"]
    index.create(op.get_bind(), checkfirst=True)
