"""The rows of one database as `signaling.ports` asks for them: our types to plain values, and back."""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from types import TracebackType
from typing import Any, Self

from signaling.core.forwarding import Forwarding, forwarding_from_text, forwarding_to_text
from signaling.core.party import Party
from signaling.ports.accounts import Account, SessionRow
from signaling.ports.calls import (
    CallRecord,
    CallsOfSpan,
    ChartRows,
    Hearing,
    LiveCall,
    OfferedCall,
    RefusalsOfSpan,
    SoundOfSpan,
    Talk,
)
from signaling.ports.store import StoreError
from signaling.ports.texts import LatestText, ReceiptRow, StoredText
from signaling.store.database import Database
from signaling.store.evidence import StoredCheckpoints, StoredJournal, StoredRegister
from signaling.store.holder_rows import HolderRows
from signaling.store.push_rows import PushRows
from signaling.store.steps import Row
from signaling.store.telephone_rows import TelephoneRows
from wephone.protocol.ids import CallId, DeviceId, MessageId, UserId
from wephone.protocol.messages import Media, Role
from wephone.protocol.reasons import EndReason

SEEN_EVERY = 5 * 60 * 1_000_000  # µs: a session's `seen_at` is this coarse, or each request would be a write
OF_RECORD = 14  # columns of a call; in a page of everybody's, what was heard follows them
PURGED_AT_ONCE = 500  # rows: a millisecond of the writer's time


class CallRows:
    """See signaling.ports.calls.CallRows."""

    database: Database
    journal: StoredJournal

    async def offer(self, row: OfferedCall) -> None:
        await self.journal.settled()  # a row never names a decision that a crash took from the journal
        await self.database.write("offer", *_offered(row, row.callee))

    async def forward(self, row: OfferedCall) -> None:
        await self.journal.settled()
        to, by = _plain(row.forwarded_to), _plain(row.forwarded_by)
        await self.database.write("forward", str(row.call), to, by, row.decision)

    async def answer(self, call: CallId, by: Party, at: int, owner_epoch: int) -> bool:
        return bool(
            await self.database.write("answer", str(call), str(by.user), str(by.device), at, owner_epoch)
        )

    async def end(
        self, call: CallId, reason: EndReason, at: int, missed: bool, decision: str | None = None
    ) -> None:
        await self.journal.settled()  # the end of a call stands after what was decided about it
        await self.database.write("end", str(call), reason.value, at, missed, decision)

    async def course(self, call: CallId, media: tuple[Media, ...], ends_by: int | None) -> None:
        await self.database.write("course", str(call), _media_text(media), ends_by)

    async def refused(
        self, row: OfferedCall, reason: EndReason, callee: str, ended_at: int | None = None
    ) -> None:
        await self.journal.settled()
        over = row.at if ended_at is None else ended_at
        await self.database.write("refused", reason.value, over, *_offered(row, callee))

    async def live_calls(self) -> Sequence[LiveCall]:
        return [_live_call(row) for row in await self.database.read("live_calls", self.database.node)]

    async def abandon_ringing(self, at: int) -> int:
        return int(
            await self.database.write(
                "abandon_ringing", self.database.node, EndReason.SERVER_RESTARTED.value, at
            )
        )

    async def history(self, user: UserId, before: int, limit: int) -> Sequence[CallRecord]:
        return [_record(row) for row in await self.database.read("history", user, before, limit)]

    async def records(self, before: int, after: str, limit: int) -> Sequence[CallRecord]:
        rows = await self.database.read("records", before, after, limit)
        return [replace(_record(row[:OF_RECORD]), heard=_heard(row[OF_RECORD:])) for row in rows]

    async def heard(self, call: CallId, said: Hearing, at: int) -> bool:
        figures = (said.packets, said.lost, said.jitter, said.round_trip)
        return bool(await self.database.write("hear", str(call), said.role.value, *figures, at))

    async def heard_of_call(self, call: CallId) -> Sequence[Hearing]:
        rows = await self.database.read("heard_of_call", str(call))
        said = {role: Hearing(Role(role), *figures) for role, *figures in rows}
        return [said[role] for role in Role if role in said]

    async def charts(self, since: int, until: int, width: int) -> ChartRows:
        calls, refusals, sound, heard = await self.database.read("charts", since, until, width)
        return ChartRows(
            [CallsOfSpan(*row) for row in calls],
            [RefusalsOfSpan(*row) for row in refusals],
            [SoundOfSpan(*row) for row in sound],
            [SoundOfSpan(*row) for row in heard],
        )

    async def how_it_ended(self, call: CallId, user: UserId) -> EndReason | None:
        rows = await self.database.read("how_it_ended", call, user)
        return EndReason(rows[0][0]) if rows else None

    async def talked(self, calls: Sequence[str]) -> Sequence[Talk]:
        rows = await self.database.read("talked", list(calls))
        return [
            Talk(row[0], UserId(row[1]), 0 if None in row else max(0, row[3] - row[2]) // 1_000_000)
            for row in rows
        ]

    async def ends_that_differ(self) -> Sequence[str]:
        return [call for (call,) in await self.database.read("ends_that_differ")]

    async def missed_calls(self, user: UserId) -> Sequence[CallRecord]:
        return [_record(row) for row in await self.database.read("missed_calls", user)]

    async def missed_seen(self, user: UserId, calls: Sequence[CallId]) -> None:
        await self.database.write("missed_seen", str(user), [str(call) for call in calls])


class TextRows:
    """See signaling.ports.texts.TextRows."""

    database: Database

    async def accept_text(
        self, message: MessageId, sender: UserId, to: UserId, text: str, at: int
    ) -> tuple[StoredText, bool]:
        row, new = await self.database.write("accept_text", str(message), str(sender), str(to), str(text), at)
        return _text(row), new

    async def sign_in_device(self, user: UserId, device: DeviceId, name: str, at: int) -> int:
        return int(await self.database.write("sign_in_device", str(user), str(device), str(name), at))

    async def leave_device(self, user: UserId, device: DeviceId, at: int) -> None:
        await self.database.write("leave_device", str(user), str(device), at)

    async def spare_devices(self, user: UserId, here: Sequence[DeviceId], most: int) -> None:
        await self.database.write("spare_devices", str(user), [str(device) for device in here], most)

    async def texts_after(self, user: UserId, seq: int, limit: int) -> Sequence[StoredText]:
        return [_text(row) for row in await self.database.read("texts_after", user, seq, limit)]

    async def received(self, user: UserId, device: DeviceId, seq: int, at: int) -> Sequence[ReceiptRow]:
        rows = await self.database.write("received", str(user), str(device), seq, at)
        return [_receipt(row) for row in rows]

    async def read(self, user: UserId, peer: UserId, seq: int, at: int) -> ReceiptRow | None:
        row = await self.database.write("read", str(user), str(peer), seq, at)
        return None if row is None else _receipt(row)

    async def receipts(self, sender: UserId) -> Sequence[ReceiptRow]:
        return [_receipt(row) for row in await self.database.read("receipts", sender)]

    async def conversation(self, user: UserId, peer: UserId, before: int, limit: int) -> Sequence[StoredText]:
        rows = await self.database.read("conversation", user, peer, before, limit)
        return [_text(row) for row in rows]

    async def conversations(self, user: UserId, before: int, limit: int) -> Sequence[LatestText]:
        rows = await self.database.read("conversations", user, before, limit)
        return [LatestText(UserId(peer), _text(text), unread) for peer, unread, *text in rows]


class AccountRows:
    """See signaling.ports.accounts.AccountRows."""

    database: Database

    async def add_account(self, account: Account) -> None:
        await self.database.write(
            "add_account",
            str(account.user),
            account.password,
            account.operator,
            account.disabled,
            account.created_at,
            account.do_not_disturb,
            account.auditor,
        )

    async def account(self, user: UserId) -> Account | None:
        rows = await self.database.read("account_named", user)
        return _account(rows[0]) if rows else None

    async def accounts_from(self, first: str, limit: int, *, staff: bool = False) -> Sequence[Account]:
        query = "staff_from" if staff else "accounts_from"
        return [_account(row) for row in await self.database.read(query, first, limit)]

    async def set_password(self, user: UserId, password: str) -> None:
        await self.database.write("set_account", str(user), "password", password)

    async def rehash(self, user: UserId, old: str, new: str) -> None:
        await self.database.write("rehash", str(user), old, new)

    async def set_disabled(self, user: UserId, disabled: bool) -> bool:
        if disabled:
            return bool(await self.database.write("disable_account", str(user)))
        await self.database.write("set_account", str(user), "disabled", 0)
        return True

    async def set_do_not_disturb(self, user: UserId, on: bool) -> None:
        await self.database.write("set_account", str(user), "do_not_disturb", int(on))

    async def set_forwarding(self, user: UserId, rules: Forwarding) -> None:
        await self.database.write("set_account", str(user), "forwarding", forwarding_to_text(rules))

    async def forwarding(self, user: UserId) -> Forwarding:
        rows = await self.database.read("forwarding_of", user)
        return forwarding_from_text(rows[0][0] if rows else None)

    async def set_shows_presence(self, user: UserId, on: bool) -> None:
        await self.database.write("set_account", str(user), "shows_presence", int(on))

    async def presence(self, user: UserId) -> Sequence[tuple[UserId, int | None]]:
        return [(UserId(name), seen_at) for name, seen_at in await self.database.read("presence", user)]

    async def delete_account(self, user: UserId, at: int) -> bool:
        return bool(await self.database.write("delete_account", str(user), at))

    async def export_account(self, user: UserId) -> dict[str, object]:
        document: dict[str, object] = await self.database.read("export_account", user)
        return document

    async def set_contact(
        self, user: UserId, contact: UserId, name: str | None, most: int | None = None
    ) -> bool:
        if name is None:
            await self.database.write("remove_contact", str(user), str(contact))
            return True
        return bool(await self.database.write("set_contact", str(user), str(contact), str(name), most))

    async def contacts(self, user: UserId) -> Sequence[tuple[UserId, str]]:
        return [(UserId(name), label) for name, label in await self.database.read("contacts_of", user)]

    async def block(self, user: UserId, blocked: UserId, on: bool, most: int | None = None) -> bool:
        if not on:
            await self.database.write("unblock", str(user), str(blocked))
            return True
        return bool(await self.database.write("set_block", str(user), str(blocked), most))

    async def blocked_by(self, user: UserId) -> Sequence[UserId]:
        return [UserId(name) for (name,) in await self.database.read("blocked_by", user)]

    async def has_blocked(self, user: UserId, other: UserId) -> bool:
        return bool(await self.database.read("has_blocked", user, other))


class SessionRows:
    """The sessions and invitations of signaling.ports.accounts.AccountRows."""

    database: Database

    async def add_session(self, row: SessionRow, token_hash: bytes) -> None:
        await self.database.write(
            "add_session",
            row.session,
            str(row.user),
            token_hash,
            row.kind,
            str(row.label),
            row.created_at,
            row.seen_at,
            row.expires_at,
        )

    async def session(self, token_hash: bytes, at: int) -> SessionRow | None:
        rows = await self.database.read("session_of", token_hash, at)
        if not rows:
            return None
        found = _session(rows[0])
        if at - found.seen_at >= SEEN_EVERY:
            try:
                await self.database.write("touch_session", found.session, at)
            except StoreError:
                pass  # a disk that is full signs nobody out
        return found

    async def sessions(self, user: UserId, at: int) -> Sequence[SessionRow]:
        return [_session(row) for row in await self.database.read("sessions_of", user, at)]

    async def name_session(self, user: UserId, session: str, label: str) -> bool:
        return bool(await self.database.write("name_session", str(user), session, str(label)))

    async def end_session(self, user: UserId, session: str) -> bool:
        return bool(await self.database.write("end_session", str(user), session))

    async def end_sessions(self, user: UserId) -> int:
        return int(await self.database.write("end_sessions", str(user)))

    async def add_invitation(self, token_hash: bytes, by: UserId, at: int, expires_at: int) -> None:
        await self.database.write("add_invitation", token_hash, str(by), at, expires_at)

    async def take_invitation(self, token_hash: bytes, user: UserId, at: int) -> bool:
        return bool(await self.database.write("take_invitation", token_hash, str(user), at))


class DatabaseStore(CallRows, TelephoneRows, TextRows, AccountRows, SessionRows, HolderRows, PushRows):
    """All rows of one database: signaling.ports.store.Store, and the journal and the register beside them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.journal = StoredJournal(database, database.node)
        self.permits = StoredRegister(database, self.journal)
        self.checkpoints = StoredCheckpoints(database)

    async def purge(self, kind: str, before: int) -> int:
        """See signaling.ports.store.Upkeep; in pieces, so that a call waits for one of them at most."""
        gone = 0
        while some := await self.database.write("purge_some", kind, before, PURGED_AT_ONCE):
            gone += some
        return gone

    async def purged_at(self) -> int | None:
        at: int | None = await self.database.read("purged_at")
        return at

    async def note_purge(self, at: int) -> None:
        await self.database.write("note_purge", at)

    async def ready(self) -> None:
        await self.database.write("ready")

    async def durability_problem(self) -> str | None:
        return await self.database.durability_problem()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self.journal.settled()
        await self.database.close()


def _offered(row: OfferedCall, callee: str) -> tuple[object, ...]:
    """In the order of calls.OFFERED."""
    return (
        str(row.call),
        str(row.caller.user),
        str(row.caller.device),
        str(callee),
        _media_text(row.media),
        row.decision,
        row.owner,
        row.owner_epoch,
        row.at,
        row.trunk,
        _plain(row.forwarded_to),
        _plain(row.forwarded_by),
    )


def _plain(name: str | None) -> str | None:
    """A name as the writer takes it, which knows no class of ours."""
    return None if name is None else str(name)


@lru_cache(maxsize=16)
def _media_text(media: tuple[Media, ...]) -> str:
    return json.dumps([kind.value for kind in media], separators=(",", ":"))


@lru_cache(maxsize=16)
def _media(text: str) -> tuple[Media, ...]:
    return tuple(Media(kind) for kind in json.loads(text))


def _live_call(row: Row) -> LiveCall:
    call, caller, caller_device, answered_by, answered_device, media, answered_at, *rest = row
    return LiveCall(
        call=CallId(call),
        caller=Party(UserId(caller), DeviceId(caller_device)),
        answered_by=Party(UserId(answered_by), DeviceId(answered_device)),
        media=_media(media),
        answered_at=answered_at,
        decision=rest[0],
        ends_by=rest[1],
        trunk=rest[2],
    )


def _record(row: Row) -> CallRecord:
    call, caller, callee, media, offered_at, answered_at, ended_at, reason, *rest = row
    missed, seen, decision, trunk, forwarded_to, forwarded_by = rest
    return CallRecord(
        call=CallId(call),
        caller=UserId(caller),
        callee=callee,
        media=_media(media),
        offered_at=offered_at,
        answered_at=answered_at,
        ended_at=ended_at,
        reason=None if reason is None else EndReason(reason),
        missed=bool(missed),
        seen=bool(seen),
        decision=decision,
        trunk=trunk,
        forwarded_to=forwarded_to,
        forwarded_by=None if forwarded_by is None else UserId(forwarded_by),
    )


def _heard(row: Row) -> tuple[Hearing, ...]:
    """What the caller heard and what the callee did, of those who have said so."""
    each = len(row) // 2
    said = zip(Role, (row[:each], row[each:]), strict=True)
    return tuple(Hearing(role, *figures) for role, figures in said if figures[0] is not None)


def _text(row: Sequence[Any]) -> StoredText:
    message, seq, sender, to, text, at, delivered_at, read_at = row
    return StoredText(MessageId(message), seq, UserId(sender), UserId(to), text, at, delivered_at, read_at)


def _receipt(row: Row) -> ReceiptRow:
    sender, by, delivered_seq, read_seq, at = row
    return ReceiptRow(UserId(sender), UserId(by), delivered_seq, read_seq, at)


def _account(row: Row) -> Account:
    user, password, operator, disabled, created_at, do_not_disturb, auditor, shows_presence = row
    return Account(
        UserId(user),
        password,
        bool(operator),
        bool(disabled),
        created_at,
        bool(do_not_disturb),
        bool(auditor),
        bool(shows_presence),
    )


def _session(row: Row) -> SessionRow:
    session, user, kind, label, created_at, seen_at, expires_at = row
    return SessionRow(session, UserId(user), kind, label, created_at, seen_at, expires_at)
