"""The register of permits, toggles and switches: versions, and the epoch that every change moves on."""

from collections.abc import Sequence

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from signaling.store.journal import CHANGED, PlainDraft, linked
from signaling.store.steps import Statement, Steps, command, number, query, survey, words
from signaling.store.tables import counter, register_version

COLUMNS = ("kind", "key", "version", "document", "changed_by", "at", "epoch")
_ROW = tuple(register_version.c[name] for name in COLUMNS)

# Whoever comes second finds no row to change: it decided on a register that is no longer there.
MOVE_EPOCH = Statement(
    update(counter)
    .values(value=counter.c.value + 1)
    .where(counter.c.name == "register", counter.c.value == number("epoch"))
    .returning(counter.c.value)
)
ADD = Statement(
    insert(register_version).values(
        kind=words("kind"),
        key=words("key"),
        version=number("version"),
        document=words("document"),
        changed_by=words("changed_by"),
        at=number("at"),
        epoch=number("epoch"),
    )
)
EPOCH = Statement(select(counter.c.value).where(counter.c.name == "register"))
_NEWEST = (
    select(
        register_version.c.kind, register_version.c.key, func.max(register_version.c.version).label("version")
    )
    .group_by(register_version.c.kind, register_version.c.key)
    .subquery("newest")
)
CURRENT = Statement(
    select(*_ROW)
    .join(
        _NEWEST,
        (register_version.c.kind == _NEWEST.c.kind)
        & (register_version.c.key == _NEWEST.c.key)
        & (register_version.c.version == _NEWEST.c.version),
    )
    .order_by(register_version.c.kind, register_version.c.key)
)
VERSIONS = Statement(
    select(*_ROW)
    .where(register_version.c.kind == words("kind"), register_version.c.key == words("key"))
    .order_by(register_version.c.version)
)
ALL = Statement(
    select(*_ROW).order_by(register_version.c.kind, register_version.c.key, register_version.c.version)
)


@command
def change_register(epoch: int, rows: Sequence[tuple[object, ...]], node: str, draft: PlainDraft) -> Steps:
    """The new epoch; none if `epoch` is not the current one. `rows` are in the order of COLUMNS."""
    moved = yield MOVE_EPOCH, {"epoch": epoch}
    if not moved:
        return None
    yield ADD, [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    yield from linked(node, [draft])
    return moved[0][0]


@query
def register_epoch() -> Steps:
    [(epoch,)] = yield EPOCH, {}
    return epoch


@survey
def register() -> Steps:
    [(epoch,)] = yield EPOCH, {}
    return epoch, (yield CURRENT, {})


@survey
def filed() -> Steps:
    [(epoch,)] = yield EPOCH, {}
    return epoch, (yield ALL, {}), (yield CHANGED, {})


@survey
def register_versions(kind: str, key: str) -> Steps:
    return (yield VERSIONS, {"kind": kind, "key": key})
