"""All tables, alike on SQLite and PostgreSQL.

Times are BIGINT, microseconds since 1970-01-01T00:00Z; ids are TEXT; JSON is canonical TEXT (sorted keys, no
spaces); a flag is 0 or 1, so that the views read the same on both databases.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def words(name: str, *, key: bool = False, null: bool = False) -> "Column[str]":
    return Column(name, Text, primary_key=key, nullable=null)


def number(name: str, *, key: bool = False, null: bool = False) -> "Column[int]":
    return Column(name, BigInteger, primary_key=key, nullable=null, autoincrement=False)


def octets(name: str, *, key: bool = False, null: bool = False) -> "Column[bytes]":
    return Column(name, LargeBinary, primary_key=key, nullable=null)


def flag(name: str, default: str | None = None) -> "Column[int]":
    return Column(name, SmallInteger, nullable=False, server_default=default)


# Few among many: who may see what operators see.
STAFF = text("(operator = 1 OR auditor = 1)")

# A deleted account keeps its row, without password, so that nobody else can take its name.
account = Table(
    "account",
    metadata,
    words("name", key=True),
    words("password"),
    flag("operator"),
    flag("disabled"),
    flag("do_not_disturb"),
    number("created_at"),
    number("deleted_at", null=True),
    flag("auditor", "0"),
    flag("shows_presence", "1"),  # to those whom the account has noted down, and to nobody else
    words("forwarding", null=True),  # JSON: to whom calls go on, and when
    Index("ix_account_staff", "name", sqlite_where=STAFF, postgresql_where=STAFF),
)

# What is known about an account's holder, as JSON, and its numbers once more: each is one account's alone.
account_facts = Table(
    "account_facts", metadata, words("account", key=True), number("version"), words("document")
)
owned_number = Table(
    "owned_number",
    metadata,
    words("number", key=True),
    words("account"),
    Index("ix_owned_number_account", "account"),
)

# Which entries of the journal hold what was said about a holder: they are erased with the account.
facts_entry = Table(
    "facts_entry",
    metadata,
    words("entry", key=True),
    words("account"),
    words("hash"),
    number("at"),
    Index("ix_facts_entry_account", "account", "at"),
)

session = Table(
    "session",
    metadata,
    words("session_id", key=True),
    words("account"),
    octets("token_hash"),  # SHA-256; the token itself is never kept
    words("kind"),
    words("label"),
    number("created_at"),
    number("seen_at"),
    number("expires_at"),
    UniqueConstraint("token_hash"),
    Index("ix_session_account", "account"),
    Index("ix_session_expires_at", "expires_at"),
)

invitation = Table(
    "invitation",
    metadata,
    octets("token_hash", key=True),
    words("invited_by"),
    number("created_at"),
    number("expires_at"),
    words("used_by", null=True),
    number("used_at", null=True),
)

block = Table("block", metadata, words("account", key=True), words("blocked", key=True))

contact = Table("contact", metadata, words("account", key=True), words("contact", key=True), words("label"))

# `seq` is how far this device has got with the account's texts.
device = Table(
    "device",
    metadata,
    words("account", key=True),
    words("device_id", key=True),
    words("label"),
    number("seq"),
    number("first_seen_at"),
    number("seen_at"),
    Index("ix_device_seen_at", "seen_at"),
)

# Where a device can be woken. One row for a browser, whoever uses it.
push_subscription = Table(
    "push_subscription",
    metadata,
    words("endpoint", key=True),
    words("account"),
    words("device_id"),
    words("p256dh"),
    words("auth"),
    words("language"),
    words("session_id"),
    number("at"),
    Index("ix_push_subscription_account", "account", "device_id"),
)

call = Table(
    "call",
    metadata,
    words("call_id", key=True),
    words("caller"),
    words("caller_device"),
    words("callee"),  # a user, or a masked number
    words("media"),  # JSON
    words("decision", null=True),
    words("owner"),
    number("owner_epoch"),
    flag("offered"),  # 0: it was refused, and never shown to the callee
    number("offered_at"),
    number("answered_at", null=True),
    words("answered_by", null=True),
    words("answered_device", null=True),
    number("ends_by", null=True),  # while it winds down: by when it has to be over
    words("trunk", null=True),  # of a telephone call: the last that was tried
    words("forwarded_to", null=True),  # a user, or a masked number: who was called last in the callee's place
    words("forwarded_by", null=True),  # whose rule that was
    number("ended_at", null=True),
    words("reason", null=True),
    flag("missed"),
    flag("seen"),
    Index("ix_call_caller", "caller", "offered_at"),
    Index("ix_call_callee", "callee", "offered_at"),
    Index("ix_call_offered_at", "offered_at"),
    Index(
        "ix_call_forwarded_to",
        "forwarded_to",
        "offered_at",
        sqlite_where=text("forwarded_to IS NOT NULL"),
        postgresql_where=text("forwarded_to IS NOT NULL"),
    ),
    Index(
        "ix_call_missed",
        "callee",
        "offered_at",
        sqlite_where=text("missed = 1 AND seen = 0"),
        postgresql_where=text("missed = 1 AND seen = 0"),
    ),
    Index(
        "ix_call_open",
        "owner",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

# One telephone leg: one attempt at one trunk. It has its row before its first message leaves, and keeps it.
leg = Table(
    "leg",
    metadata,
    words("leg_id", key=True),
    words("call_id"),
    words("trunk"),
    words("account"),  # whose calls it counts with
    flag("outgoing"),
    words("owner"),
    words("decision"),
    number("begun_at"),
    number("most_seconds", null=True),  # none for a call for help
    number("answered_at", null=True),
    number("ended_at", null=True),
    words("dialog", null=True),  # JSON: what the BYE needs after a restart
    words("cause", null=True),
    number("q850", null=True),
    number("status", null=True),
    flag("unconfirmed"),  # 1: the carrier never said that it is over
    number("packets", null=True),  # of sound that came from both sides; none if there was none
    number("lost", null=True),  # of those that were sent to us
    number("jitter", null=True),  # microseconds, of the worse side
    Index("ix_leg_call", "call_id"),
    Index("ix_leg_account", "account", "ended_at"),
    Index("ix_leg_trunk", "trunk", "ended_at"),
    Index(
        "ix_leg_open",
        "owner",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index(
        "ix_leg_sound",
        "begun_at",
        sqlite_where=text("packets IS NOT NULL"),
        postgresql_where=text("packets IS NOT NULL"),
    ),
    Index(
        "ix_leg_unconfirmed",
        "begun_at",
        sqlite_where=text("unconfirmed = 1"),
        postgresql_where=text("unconfirmed = 1"),
    ),
)

# What each side of a call between apps says it heard: the word of a device, which nobody else can check.
heard = Table(
    "heard",
    metadata,
    words("call_id", key=True),
    words("role", key=True),  # caller or callee
    number("at"),  # when the call was offered
    number("packets"),
    number("lost"),
    number("jitter"),  # microseconds
    number("round_trip", null=True),  # microseconds; none if the device could not tell
    Index("ix_heard_at", "at"),
)

# Who may call telephones, and how much: granted by an operator, never by opening an account.
entitlement = Table(
    "entitlement",
    metadata,
    words("account", key=True),
    words("document"),  # JSON
    words("granted_by"),
    number("at"),
)

# What is counted in commit order. PostgreSQL's sequences are not: a reader may see 6 before 5 exists. And, as
# `purged`, when retention last went through all classes.
counter = Table("counter", metadata, words("name", key=True), number("value"))

message = Table(
    "message",
    metadata,
    number("seq", key=True),
    words("message_id"),
    words("sender"),
    words("recipient"),
    words("text"),
    number("at"),
    number("delivered_at", null=True),
    number("read_at", null=True),
    UniqueConstraint("message_id"),
    Index("ix_message_sender", "sender", "seq"),
    Index("ix_message_recipient", "recipient", "seq"),
    Index("ix_message_conversation", "sender", "recipient", "seq"),
    Index("ix_message_received", "recipient", "sender", "seq"),
    Index("ix_message_at", "at"),
    Index(
        "ix_message_undelivered",
        "recipient",
        "seq",
        sqlite_where=text("delivered_at IS NULL"),
        postgresql_where=text("delivered_at IS NULL"),
    ),
    Index(
        "ix_message_unread",
        "recipient",
        "sender",
        "seq",
        sqlite_where=text("read_at IS NULL"),
        postgresql_where=text("read_at IS NULL"),
    ),
)

# How far a reader has got with an author's texts. It outlives the texts, so that a mark never goes back.
receipt = Table(
    "receipt",
    metadata,
    words("sender", key=True),
    words("reader", key=True),
    number("delivered_seq"),
    number("read_seq"),
    number("at"),
)

# What changed the register, or accepts that some of it was lost.
CHANGES = text(
    "kind IN ('permit_event', 'toggle_event', 'switch_event', 'proposal', 'account_event', "
    "'loss_acknowledged')"
)

# Decisions that refused something: bodies are canonical JSON.
REFUSALS = text("""kind = 'decision' AND body LIKE '%"outcome":"deny"%'""")

# One chain per node. Rows are only ever added.
journal_entry = Table(
    "journal_entry",
    metadata,
    words("node", key=True),
    number("seq", key=True),
    number("at"),
    number("said_at"),
    words("kind"),
    words("subject"),
    words("body"),  # JSON
    words("prev"),
    words("hash"),
    Index("ix_journal_entry_subject", "subject"),
    # Few among many decisions: what the register is held against when a server starts.
    Index("ix_journal_entry_change", "at", "node", "seq", sqlite_where=CHANGES, postgresql_where=CHANGES),
    # Few too, where all is well: what an operator looks for first.
    Index("ix_journal_entry_refusal", "node", "seq", sqlite_where=REFUSALS, postgresql_where=REFUSALS),
)

# The newest entry of each node, for the next link: what PostgreSQL locks while a node adds to its chain.
journal_head = Table(
    "journal_head", metadata, words("node", key=True), number("seq"), number("at"), words("hash")
)

# What the hashes in the chain stand for; a row goes when its time is over, and the chain stays whole.
# Heads of all nodes joined and signed. Rows are only ever added.
checkpoint = Table(
    "checkpoint",
    metadata,
    number("number", key=True),
    words("document"),
    words("signature"),  # JSON, Base64
)

clear_value = Table(
    "clear_value",
    metadata,
    words("hash", key=True),
    octets("salt"),
    words("value"),
    number("delete_after"),
    Index("ix_clear_value_delete_after", "delete_after"),
)

# Permits, toggles and switches: a change is a new version. Rows are only ever added.
register_version = Table(
    "register_version",
    metadata,
    words("kind", key=True),
    words("key", key=True),
    number("version", key=True),
    words("document"),  # JSON; null once the thing is gone
    words("changed_by"),
    number("at"),
    number("epoch"),
)

for table in (account, call, leg):
    for column in table.columns:
        if isinstance(column.type, SmallInteger):
            table.append_constraint(CheckConstraint(f"{column.name} IN (0, 1)", name=column.name))
