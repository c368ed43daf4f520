"""The permits, toggles and the switch in force: what decisions are made on, and the one way to change it.

The row in the database is the truth. This holds it as a snapshot, re-reads its epoch each second, and says
when it could not for too long. Every change is a new version and an entry of the chain, in one transaction.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

from licensing import changes
from licensing.alarms import Alarm, Alarms
from licensing.audit import SALT, Draft, canonical, seal
from licensing.changes import Change, Check
from licensing.checkers import sealed
from licensing.documents import ChangeError, read_event, read_permit, read_toggle
from licensing.identity import RANDOM, uuid7
from licensing.instant import SECOND, Instant
from licensing.jurisdiction import Profiles
from licensing.lawbook import noted
from licensing.permit import Permit, StatusEvent, Toggle
from licensing.permit_file import PermitFile, filing
from licensing.ports import Clock, EpochMovedError, Hints, JournalError, PermitStore, RegisterRow
from licensing.snapshot import PERMIT, Proposal, RegisterUnreadableError, Snapshot, snapshot

CONFIRM = 1.0  # seconds between two looks at the epoch
STALE = 3 * SECOND  # a snapshot that nobody confirmed for longer is not decided on
MOST_TRIES = 16  # of a change, while others are quicker
KEEP_OPERATORS = 10 * 366 * 24 * 3600 * 1_000_000  # microseconds: who changed a permit, in clear

Random = Callable[[int], bytes]
Told = Callable[[Snapshot], None]
Doubt = Callable[[], Awaitable[str | None]]
_EMPTY = Snapshot(-1, {})


class Register:
    """One node's view of the register. `open` before use, `close` after."""

    def __init__(
        self,
        store: PermitStore,
        clock: Clock,
        *,
        profiles: Profiles | None = None,
        hints: Hints | None = None,
        alarms: Alarms | None = None,
        random: Random = os.urandom,
        doubt: Doubt | None = None,
    ) -> None:
        """`doubt`: why what others have made of the register cannot be believed, if it cannot."""
        self._doubt = doubt
        self._store, self._clock, self._profiles = store, clock, profiles
        self._hints, self._random = hints, random
        self._alarms = alarms or Alarms()
        self._snapshot = _EMPTY
        self._confirmed: Instant | None = None
        self._told: list[Told] = []
        self._unwritten = False
        self._changing = asyncio.Lock()
        self._reading: asyncio.Task[None] | None = None
        self._hinted = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._deaf: Callable[[], None] | None = None

    async def open(self) -> None:
        """Read the register and begin to watch it. JournalError if it cannot be read."""
        await self._read()
        if self._hints is not None:
            self._deaf = self._hints.subscribe(self._heard)
        self._watching = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Stop watching. What was read goes stale."""
        if self._deaf is not None:
            self._deaf()
        for task in (self._watching, self._reading):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])

    # What decisions are made on

    @property
    def snapshot(self) -> Snapshot:
        """The newest that this node has read or made."""
        return self._snapshot

    def is_fresh(self, now: Instant) -> bool:
        """Was the snapshot the newest at most 3 s ago, by both clocks? After a sleep one of them tells."""
        if self._confirmed is None:
            return False
        age = max(now.mono_ns - self._confirmed.mono_ns, now.utc_ns - self._confirmed.utc_ns)
        return age <= STALE

    def on_change(self, told: Told) -> Callable[[], None]:
        """Call `told` with each new snapshot, in the step that installs it; calling the result ends that."""
        self._told.append(told)
        return lambda: self._told.remove(told)

    async def refresh(self) -> bool:
        """Look at the epoch now, and read what is new. True if the snapshot is confirmed."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        try:
            await asyncio.shield(self._reading)
        except (JournalError, RegisterUnreadableError) as error:
            self._alarms.sound(Alarm.REGISTER_STALE, str(error))
            return False
        return self.is_fresh(self._clock.now())

    # Changes: who, why, and what

    async def add_permit(
        self,
        document: Permit | str | bytes | Mapping[str, Any],
        *,
        by: str,
        why: str,
        check: Check | None = None,
    ) -> Permit:
        """File a permit, or its next version. ChangeError names path and value; then nothing has changed.

        Also, with no path, if another operator has to file the same: that is noted, and waits.
        """
        permit = document if isinstance(document, Permit) else read_permit(document)

        def derive(taken: Snapshot, now: Instant) -> Change:
            return changes.add(taken, permit, check, self._profiles, by, why, now)

        after = await self._change(by, why, derive)
        if after.proposal(changes.filing_key(permit)) is not None:
            fault = "it would take the place of a permit that is suspended or revoked"
            raise ChangeError("", f"{fault}: another operator has to file the same document within a day")
        return _present(after, permit.id)

    async def suspend(
        self,
        id: str,
        *,
        by: str,
        why: str,
        start: datetime | None = None,
        end: datetime | None = None,
        reference: str | None = None,
    ) -> Permit:
        """From `start` (now, if none is given) until `end` or until it is lifted; both aware datetimes."""

        def derive(taken: Snapshot, now: Instant) -> Change:
            return changes.suspend(taken, id, _status("suspended", start, now, end, reference, why))

        return _present(await self._change(by, why, derive), id)

    async def revoke(
        self,
        id: str,
        *,
        by: str,
        why: str,
        status: Literal["revoked", "surrendered"] = "revoked",
        start: datetime | None = None,
        reference: str | None = None,
    ) -> Permit:
        """For good, from `start` on (now, if none is given)."""

        def derive(taken: Snapshot, now: Instant) -> Change:
            return changes.revoke(taken, id, _status(status, start, now, None, reference, why))

        return _present(await self._change(by, why, derive), id)

    async def reinstate(self, id: str, *, by: str, why: str) -> Permit | Proposal:
        """Lift a suspension. The first operator's word is a proposal; another one's makes it so."""
        after = await self._change(by, why, lambda taken, now: changes.reinstate(taken, id, by, why, now))
        return after.proposal(f"reinstate:{id}") or _present(after, id)

    async def take_file(self, file: PermitFile) -> bool:
        """All that a signed file says, in one change, in its keys' names. False if that is so already."""
        before = self._snapshot.signed_file
        by = f"file:{'+'.join(file.signed_by)}"
        after = await self._change(by, file.why, lambda taken, at: filing(taken, file, self._profiles, at))
        return after.signed_file != before

    async def decide_by(
        self,
        profiles: Profiles,
        node: str,
        own: Mapping[str, str],
        install: Callable[[], None],
        *,
        anew: bool,
        by: str,
        why: str,
    ) -> None:
        """`node` decides by its own files in these versions, and permits are held against these profiles.

        `install` is called in the step in which the epoch that says so begins, before anybody hears of it:
        nothing is decided by law that is not noted, nor on the new epoch by the law before. `anew`: it is
        other law than before, and begins an epoch even where the register says the same already.
        """

        def told(taken: Snapshot) -> None:
            if noted(taken, node, own) is None:
                self._profiles = profiles
                install()

        self._told.insert(0, told)
        try:
            await self._change(by, why, lambda taken, now: noted(taken, node, own, anew=anew))
        finally:
            self._told.remove(told)

    async def set_toggle(
        self, toggle: Toggle | str | bytes | Mapping[str, Any], *, by: str, why: str
    ) -> Toggle:
        """Switch kinds of calls off, or on again as far as permits allow."""
        wanted = toggle if isinstance(toggle, Toggle) else read_toggle(toggle)
        await self._change(by, why, lambda taken, now: changes.set_toggle(taken, wanted, self._profiles))
        return wanted

    async def remove_toggle(self, key: str, *, by: str, why: str) -> None:
        """As if it had never been set."""
        await self._change(by, why, lambda taken, now: changes.remove_toggle(taken, key))

    async def switch_telephone_off(self, *, by: str, why: str) -> None:
        """The panic switch: every telephone leg but emergency ones, now and after any restart."""
        await self._change(by, why, lambda taken, now: changes.switch_telephone_off(taken))

    async def switch_telephone_on(self, *, by: str, why: str) -> Proposal | None:
        """Undo it. The first operator's word is a proposal; none once it is on."""
        after = await self._change(
            by, why, lambda taken, now: changes.switch_telephone_on(taken, by, why, now)
        )
        return after.proposal("switch_on:telephone") if after.telephone_off else None

    async def note_password(
        self, name: str, *, by: str, opened: bool = False, on_machine: bool = False
    ) -> None:
        """`by` opened this operator's account, or gave it a password: for what takes two they are one."""
        key = str(uuid7(self._clock.now(), self._random(RANDOM)))
        salt = self._random(SALT)
        change = changes.give_password(name, key, salt, opened=opened, on_machine=on_machine)
        await self._change(by, "an account of an operator", lambda taken, now: change)

    async def withdraw(self, key: str, *, by: str, why: str) -> None:
        """Take back a proposal."""
        await self._change(by, why, lambda taken, now: changes.withdraw(taken, key))

    def waiting(self) -> tuple[Proposal, ...]:
        """What waits for a second operator."""
        return changes.waiting(self._snapshot, self._clock.now())

    async def versions(self, id: str) -> Sequence[RegisterRow]:
        """Every version of a permit, oldest first. JournalError if the database cannot answer."""
        return await self._store.versions(PERMIT, id)

    async def history(self) -> Sequence[RegisterRow]:
        """Every version of everything, for whoever explains an old decision. JournalError, likewise."""
        rows: list[RegisterRow] = []
        for kind, key in tuple(self._snapshot.rows):
            rows += await self._store.versions(kind, key)
        return rows

    # How a change is made

    async def _change(
        self, by: str, why: str, derive: Callable[[Snapshot, Instant], Change | None]
    ) -> Snapshot:
        """Derive the change from the newest snapshot and make it durable; the snapshot after it."""
        for field, text in (("by", by), ("why", why)):
            if not text.strip():
                raise ChangeError(field, "has to be said")
        async with self._changing:
            for _ in range(MOST_TRIES):
                taken, now = self._snapshot, self._clock.now()
                change = derive(taken, now)
                if change is None:
                    return taken
                if await self._made(taken, change, by.strip(), why.strip(), now):
                    return self._snapshot
                try:
                    await self._read()
                except RegisterUnreadableError as error:
                    raise JournalError(f"the register cannot be read: {error}") from error
        raise JournalError("others changed the register each time before this change could be made")

    async def _made(self, taken: Snapshot, change: Change, by: str, why: str, now: Instant) -> bool:
        change, checkers = sealed(change, self._random, now.utc_us + KEEP_OPERATORS)
        rows = _rows(taken, change, by, now)
        draft = self._draft(
            change, rows, by, why, now, {f"checker {n}": who.hash for n, who in enumerate(checkers, 1)}
        )
        try:
            epoch = await self._store.change(
                taken.epoch, rows, replace(draft, clear=(*draft.clear, *checkers))
            )
        except EpochMovedError:
            return False
        except JournalError as error:
            self._hinted.set()  # it may have been written: look, rather than decide on what may be over
            self._unwritten = True
            self._alarms.sound(Alarm.JOURNAL_FAILED, f"a change of permits could not be written: {error}")
            raise
        if self._unwritten:
            self._unwritten = False
            self._alarms.clear(Alarm.JOURNAL_FAILED)
        if self._snapshot.epoch == taken.epoch:  # or a look at the epoch has found it already
            self._install(taken.followed_by(rows), now)
        if self._hints is not None:
            self._hints.publish(epoch)
        return True

    def _draft(
        self,
        change: Change,
        rows: Sequence[RegisterRow],
        by: str,
        why: str,
        now: Instant,
        people: Mapping[str, str],
    ) -> Draft:
        who = seal(by, self._random(SALT), now.utc_us + KEEP_OPERATORS)
        about = None
        if change.about is not None:
            about = seal(change.about, self._random(SALT), now.utc_us + KEEP_OPERATORS)
        body = {
            "action": change.action,
            "by": who.hash,
            "why": why,
            "event": str(uuid7(now, self._random(RANDOM))),
            "epoch": rows[0].epoch,
            **({"people": people} if people else {}),
            "rows": [
                {
                    "kind": row.kind,
                    "key": row.key,
                    "version": row.version,
                    "sha256": sha256(row.document.encode("ascii")).hexdigest(),
                }
                for row in rows
            ],
        }
        if about is not None:
            body["about"] = about.hash
        sealed = (who,) if about is None else (who, about)
        return Draft(change.kind, change.subject, now.utc_us, canonical(body), sealed)

    # How it keeps up

    async def _watch(self) -> None:
        while True:
            self._hinted.clear()
            await self.refresh()
            with suppress(TimeoutError):
                async with asyncio.timeout(CONFIRM):
                    await self._hinted.wait()

    def _heard(self, epoch: int) -> None:
        if epoch != self._snapshot.epoch:
            self._hinted.set()

    async def _read(self) -> None:
        """Confirm the snapshot, or take a new one. An epoch that went back confirms nothing."""
        asked = self._clock.now()  # what is read was the truth at some moment after this one
        epoch = await self._store.epoch()
        if epoch == self._snapshot.epoch:
            self._confirm(asked)
            return
        if epoch < self._snapshot.epoch:
            raise RegisterUnreadableError(
                f"the register went back from epoch {self._snapshot.epoch} to {epoch}: was a backup restored?"
            )
        taken = snapshot(await self._store.load())
        if self._confirmed is not None and self._doubt is not None and (fault := await self._doubt()):
            raise RegisterUnreadableError(fault)
        if taken.epoch >= self._snapshot.epoch:
            self._install(taken, asked)

    def _install(self, taken: Snapshot, asked: Instant) -> None:
        changed = taken.epoch != self._snapshot.epoch
        self._snapshot = taken
        self._confirm(asked)
        if changed:
            for told in tuple(self._told):
                told(taken)

    def _confirm(self, asked: Instant) -> None:
        self._confirmed = asked
        self._alarms.clear(Alarm.REGISTER_STALE)


def _rows(taken: Snapshot, change: Change, by: str, now: Instant) -> list[RegisterRow]:
    return [
        RegisterRow(
            put.kind,
            put.key,
            taken.version(put.kind, put.key) + 1,
            "null" if put.document is None else canonical(put.document),
            by,
            now.utc_us,
            taken.epoch + 1,
        )
        for put in change.puts
    ]


def _status(
    status: Literal["suspended", "revoked", "surrendered"],
    start: datetime | None,
    now: Instant,
    end: datetime | None,
    reference: str | None,
    why: str,
) -> StatusEvent:
    return read_event(
        {"status": status, "from": start or now.utc, "to": end, "reference": reference, "reason": why}
    )


def _present(taken: Snapshot, id: str) -> Permit:
    permit = taken.permit(id)
    assert permit is not None  # it was just written
    return permit
