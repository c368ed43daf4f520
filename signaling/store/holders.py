"""What is known about the holders of accounts, and the two accounts of a call in one look."""

from collections.abc import Sequence

from sqlalchemy import delete, exists, insert, literal, select, update
from sqlalchemy.dialects.postgresql import insert as insert_unless

from signaling.store.journal import PlainDraft, linked
from signaling.store.steps import (
    Many,
    Statement,
    Steps,
    Taken,
    command,
    number,
    query,
    survey,
    words,
)
from signaling.store.tables import account, account_facts, block, clear_value, facts_entry, owned_number

_USER = words("user")
_LIVING = account.c.deleted_at.is_(None)
_WITH_FACTS = account.outerjoin(account_facts, account_facts.c.account == account.c.name)

ENDS = Statement(
    select(
        account.c.name,
        account.c.disabled,
        account.c.do_not_disturb,
        account.c.forwarding,
        account_facts.c.document,
        exists().where(block.c.account == words("callee"), block.c.blocked == words("caller")),
    )
    .select_from(_WITH_FACTS)
    .where(account.c.name.in_((words("caller"), words("callee"))), _LIVING)
)
FACTS = Statement(
    select(account_facts.c.document, account_facts.c.version)
    .select_from(_WITH_FACTS)
    .where(account.c.name == _USER, _LIVING)
)
# From the account's row, as a session is begun: none is left behind by an account that is deleted meanwhile.
BEGIN = Statement(
    insert_unless(account_facts)
    .from_select(
        ("account", "version", "document"),
        select(account.c.name, literal(1), words("document"))
        .where(account.c.name == _USER, _LIVING)
        .with_for_update(read=True),
    )
    .on_conflict_do_nothing()
    .returning(account_facts.c.version)
)
MOVE = Statement(
    update(account_facts)
    .values(version=account_facts.c.version + 1, document=words("document"))
    .where(account_facts.c.account == _USER, account_facts.c.version == number("version"))
    .returning(account_facts.c.version)
)
OWN = Statement(
    insert_unless(owned_number)
    .values(number=words("number"), account=_USER)
    .on_conflict_do_nothing()
    .returning(owned_number.c.number)
)
DISOWN = Statement(
    delete(owned_number).where(owned_number.c.number == words("number"), owned_number.c.account == _USER)
)
NOTE = Statement(
    insert(facts_entry).values(entry=words("entry"), account=_USER, hash=words("hash"), at=number("at"))
)
HISTORY = Statement(
    select(facts_entry.c.entry, facts_entry.c.at, clear_value.c.value)
    .select_from(facts_entry.outerjoin(clear_value, clear_value.c.hash == facts_entry.c.hash))
    .where(facts_entry.c.account == _USER)
    .order_by(facts_entry.c.at.desc(), facts_entry.c.entry.desc())
    .limit(number("most"))
)

# Part of the deletion and of the export of an account. The entries in the chain stay, and say `erased`.
CLEAR = [
    Statement(
        delete(clear_value)
        .where(clear_value.c.hash.in_(select(facts_entry.c.hash).where(facts_entry.c.account == _USER)))
        .returning(clear_value.c.hash)
    ),
    *(
        Statement(delete(table).where(table.c.account == _USER).returning(table.c.account))
        for table in (facts_entry, owned_number, account_facts)
    ),
]
EXPORT = {
    "facts": (
        ("version", "document"),
        Statement(
            select(account_facts.c.version, account_facts.c.document).where(account_facts.c.account == _USER)
        ),
    ),
    "numbers": (
        ("number",),
        Statement(
            select(owned_number.c.number)
            .where(owned_number.c.account == _USER)
            .order_by(owned_number.c.number)
        ),
    ),
    "facts_history": (
        ("entry", "at", "said"),
        Statement(
            select(facts_entry.c.entry, facts_entry.c.at, clear_value.c.value)
            .select_from(facts_entry.outerjoin(clear_value, clear_value.c.hash == facts_entry.c.hash))
            .where(facts_entry.c.account == _USER)
            .order_by(facts_entry.c.at, facts_entry.c.entry)
        ),
    ),
}


@command
def change_facts(
    user: str,
    version: int,
    document: str,
    owned: Sequence[str],
    disowned: Sequence[str],
    entry: tuple[str, str, int],
    node: str,
    draft: PlainDraft,
) -> Steps:
    """True, or False if `version` is not the current one (0: nothing is known). `entry`: id, hash, time."""
    values = {"user": user, "document": document}
    moved = yield (BEGIN, values) if version == 0 else (MOVE, {**values, "version": version})
    if not moved:
        return False
    if disowned:
        rows: Many = [{"user": user, "number": each} for each in disowned]
        yield DISOWN, rows
    for each in owned:
        if not (yield OWN, {"user": user, "number": each}):
            raise Taken(f"the number `{each}` is another account's")
    entry_id, value_hash, at = entry
    yield NOTE, {"user": user, "entry": entry_id, "hash": value_hash, "at": at}
    yield from linked(node, [draft])
    return True


@query
def ends(caller: str, callee: str) -> Steps:
    return (yield ENDS, {"caller": caller, "callee": callee})


@query
def facts_of(user: str) -> Steps:
    return (yield FACTS, {"user": user})


@survey
def facts_history(user: str, most: int) -> Steps:
    return (yield HISTORY, {"user": user, "most": most})
