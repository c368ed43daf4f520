"""Signs how far the evidence reaches, keeps that outside the database, and notices when it reaches less far.

The key lies in the data folder, and so does the newest checkpoint: whoever can change the database alone can
neither write the journal anew nor put an old backup in its place unnoticed. Whoever has the whole machine
can; against that only the checkpoints in `checkpoint_folder`, or carried elsewhere, are evidence.
"""

import asyncio
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from licensing.alarms import Alarm, Alarms
from licensing.audit import GENESIS, SALT, Draft, Head, beginning, canonical, seal
from licensing.checkpoint import Checkpoint, CheckpointError, Reach, lacks, read_file, sign
from licensing.filed import LOSS_ACKNOWLEDGED, FiledFault, as_accepted
from licensing.gate import Gate
from licensing.instant import SECOND
from licensing.ports import Chains, CheckpointRows, JournalError
from licensing.register import KEEP_OPERATORS
from licensing.signing import KeyFormatError, PrivateKey, PublicKey, new_key, read_private_key
from signaling.filed import register_faults
from signaling.ports.clock import Cancel, Clock

LOOK = 60.0  # seconds between two looks at how far the chains have grown
EVERY = 3600.0  # seconds between two checkpoints, if anything was written
MOST_BETWEEN = 10_000  # entries
LAST_TRY = 10.0  # seconds that the last checkpoint may take when the server stops
TRIES = 5  # to get a number that no other node took
PAGE = 1_000

log = logging.getLogger(__name__)


class UnsignedError(Exception):
    """What there is may not be signed; one sentence."""


class NothingLostError(Exception):
    """There is nothing to acknowledge."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where key and checkpoints lie outside the database."""

    data: Path
    node: str
    elsewhere: Path | None = None

    @property
    def key(self) -> Path:
        """The private key."""
        return self.data / "checkpoint-key.pem"

    @property
    def newest(self) -> Path:
        """The last checkpoint that this server made."""
        return self.data / "checkpoint.json"

    def copy_of(self, checkpoint: Checkpoint) -> Path | None:
        """Where that one also goes."""
        if self.elsewhere is None:
            return None
        return self.elsewhere / f"checkpoint-{self.node}-{checkpoint.number:09d}.json"

    def kept(self) -> list[Checkpoint]:
        """What is kept of this node. OSError, CheckpointError."""
        files = [self.newest] if self.newest.exists() else []
        if self.elsewhere is not None:
            files += sorted(self.elsewhere.glob(f"checkpoint-{self.node}-{'[0-9]' * 9}.json"))[-1:]
        return [read_file(file.read_bytes()) for file in files]


class Checkpoints:
    """The checkpoints of one node. `open` before use; between `start` and `close` it makes them by itself."""

    def __init__(
        self, rows: CheckpointRows, chains: Chains, clock: Clock, gate: Gate, alarms: Alarms, places: Places
    ) -> None:
        self._rows, self._chains, self._clock = rows, chains, clock
        self._gate, self._alarms, self._places = gate, alarms, places
        self._key: PrivateKey | None = None
        self._new_key = False  # it was made by this start, and has signed nothing yet
        self._kept: list[Checkpoint] = []  # outside the database
        self._unread: str | None = None  # why one of these could not be read
        self._edited: tuple[FiledFault, ...] = ()  # what of the register nobody filed
        self._lost: str | None = None
        self._making = asyncio.Lock()
        self._cancel: Cancel | None = None
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def open(self) -> None:
        """Hold the database against what is kept, and the register against its entries in the chains.

        JournalError if they cannot be read. A checkpoint that cannot be read counts as one that reached
        further: it may have.
        """
        try:
            self._kept = await asyncio.to_thread(self._places.kept)
        except (OSError, CheckpointError) as error:
            self._unread = f"the checkpoint kept outside the database cannot be read: {error}"
        self._edited = await register_faults(self._chains)
        try:
            await self._compare()
        except JournalError:
            if self._lost is None:
                raise

    async def start(self) -> None:
        """Make the key, if there is none, and the first checkpoint; then one whenever it is time."""
        await self._make_quietly()
        self._wait()

    async def close(self) -> None:
        """A last checkpoint, if they were made."""
        if self._cancel is None:
            return
        self._closed = True
        self._cancel()
        if self._task is not None:
            await asyncio.wait((self._task,))
        try:
            async with asyncio.timeout(LAST_TRY):
                await self._make_quietly()
        except TimeoutError:
            log.error("the last checkpoint took too long and was not made")

    @property
    def lost(self) -> str | None:
        """What the database lacks of what it once had, in one sentence."""
        return self._lost

    @property
    def newest(self) -> Checkpoint | None:
        """The one with the highest number that is kept outside the database."""
        return max(self._kept, key=lambda each: each.number, default=None)

    async def key(self) -> PublicKey:
        """By which others tell what this node has signed. JournalError if it cannot be read or made."""
        return (await self._private_key()).public

    async def all(self) -> Sequence[Checkpoint]:
        """Every one in the database, in order. CheckpointError, JournalError."""
        found: list[Checkpoint] = []
        while page := await self._rows.after(found[-1].number if found else 0, PAGE):
            found += page
        return found

    async def make(self) -> Checkpoint | None:
        """Sign how far everything reaches now, if that is further than at the last one; the newest.

        None if there is nothing to sign. UnsignedError; JournalError if it cannot be kept.
        """
        async with self._making:
            reach, last = await self._compare()
            if self._lost is not None:
                raise UnsignedError(f"no checkpoint is signed, as evidence was lost: {self._lost}")
            key = await self._private_key()
            if last is not None and last.reach == reach and (last.node, last.key) == (self._node, key.public):
                self._keep(last)
                return last
            if not reach.heads and not reach.epoch:
                return None
            await self._check_since(last, reach)
            if self._new_key and last is not None:
                log.warning("the key of earlier checkpoints is gone; another one signs from now on")
                return await self._signed(reach, last, key, acknowledges=last.hash)
            return await self._signed(reach, last, key)

    async def acknowledge(self, by: str, why: str) -> Checkpoint:
        """An operator accepts that evidence was lost: in the journal, and in a checkpoint that says so.

        NothingLostError, JournalError.
        """
        async with self._making:
            self._edited = await register_faults(self._chains)
            _, last = await self._compare()
            if self._lost is None:
                raise NothingLostError("no evidence is known to be lost")
            newest = self.newest or last
            number, value = (0, GENESIS) if newest is None else (newest.number, newest.hash)
            now = self._clock.now().utc_us
            who = seal(by, os.urandom(SALT), now + KEEP_OPERATORS)
            body = {
                "by": who.hash,
                "why": why,
                "lost": self._lost,
                "checkpoint": value,
                "register": as_accepted(self._edited),
            }
            subject = f"checkpoint-{number}"
            await self._chains.append(Draft(LOSS_ACKNOWLEDGED, subject, now, canonical(body), (who,)))
            reach, last, _ = await self._rows.reach()
            made = await self._signed(reach, last, await self._private_key(), acknowledges=value)
            self._unread, self._edited = None, ()
            self._distrust(None)
            log.warning("an operator has accepted that evidence was lost", extra={"checkpoint": made.number})
            return made

    async def rotate(self) -> PublicKey:
        """Another key from now on, named by a last checkpoint of the old one. UnsignedError, JournalError."""
        await self.make()
        async with self._making:
            old, new = await self._private_key(), new_key()
            reach, last, _ = await self._rows.reach()
            await asyncio.to_thread(write_file, self._places.key.with_suffix(".next"), new.pem())
            await self._signed(reach, last, old, next_key=new.public)
            self._places.key.with_suffix(".next").replace(self._places.key)
            self._key = new
        await self.make()
        return new.public

    # How

    @property
    def _node(self) -> str:
        return self._places.node

    async def _compare(self) -> tuple[Reach, Checkpoint | None]:
        """How far the database reaches, and whether that is less far than it once did."""
        try:
            _, last, _ = await self._rows.reach()
            known = [*self._kept, *([] if last is None else [last])]
            asked = {(head.node, head.seq): None for each in known for head in each.reach.heads}
            reach, last, hashes = await self._rows.reach(tuple(asked))
        except CheckpointError as error:
            self._distrust(f"the last checkpoint in the database {error}")
            raise JournalError(f"the last checkpoint in the database {error}") from error
        found = (lacks(reach, each, hashes) for each in known)
        edited = (fault.said for fault in self._edited)
        self._distrust(self._unread or next(chain(filter(None, found), edited), None))
        return reach, last

    def _distrust(self, lost: str | None) -> None:
        self._lost = lost
        self._gate.distrust(lost)

    async def _check_since(self, last: Checkpoint | None, reach: Reach) -> None:
        """Nothing is signed that does not follow from what was signed before."""
        signed = {} if last is None else {head.node: head for head in last.reach.heads}
        for head in reach.heads:
            after: Head = signed.get(head.node, beginning(head.node))
            found = await self._chains.checked(after, [head], names=False, tell=lambda count: None)
            if found.broken is not None:
                where = f"the chain of `{head.node}` is broken at entry {found.broken.seq}"
                raise UnsignedError(f"no checkpoint is signed: {where}, which {found.broken.fault}")

    async def _signed(
        self,
        reach: Reach,
        last: Checkpoint | None,
        key: PrivateKey,
        *,
        next_key: PublicKey | None = None,
        acknowledges: str | None = None,
    ) -> Checkpoint:
        for _ in range(TRIES):
            numbers = [each.number for each in (*self._kept, last) if each is not None]
            made = sign(
                reach,
                key,
                number=max(numbers, default=0) + 1,
                at=self._clock.now().utc_us,
                node=self._node,
                prev=None if last is None else last.hash,
                next_key=next_key,
                acknowledges=acknowledges,
            )
            if await self._rows.add(made):
                self._new_key = False
                await asyncio.to_thread(self._keep, made)
                return made
            _, last, _ = await self._rows.reach()
        raise JournalError("other nodes took the number of this checkpoint each time")

    def _keep(self, checkpoint: Checkpoint) -> None:
        """Put it where the database is not. JournalError."""
        text = checkpoint.as_file().encode()
        try:
            write_file(self._places.newest, text)
            if (copy := self._places.copy_of(checkpoint)) is not None and not copy.exists():
                write_file(copy, text)
        except OSError as error:
            raise JournalError(f"cannot keep checkpoint {checkpoint.number}: {error}") from error
        self._kept = [checkpoint]

    async def _private_key(self) -> PrivateKey:
        if self._key is None:
            self._new_key = not self._places.key.exists()
            try:
                self._key = await asyncio.to_thread(key_in, self._places.key)
            except (OSError, KeyFormatError) as error:
                raise JournalError(f"the key in `{self._places.key}` cannot be used: {error}") from error
        return self._key

    # When

    def _wait(self) -> None:
        self._cancel = self._clock.call_at(self._clock.now().after(int(LOOK * SECOND)), self._look)

    def _look(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._look_again())

    async def _look_again(self) -> None:
        """The next look is a while after this one is over."""
        try:
            await self._make_if_due()
        finally:
            if not self._closed:
                self._wait()

    async def _make_if_due(self) -> None:
        try:
            reach, last = await self._compare()
        except JournalError as error:
            self._alarms.sound(Alarm.CHECKPOINT_FAILED, str(error))
            return
        written = sum(head.seq for head in reach.heads)
        signed = 0 if last is None else sum(head.seq for head in last.reach.heads)
        age = self._clock.now().utc_us - (0 if last is None else last.at)
        if written - signed >= MOST_BETWEEN or age >= EVERY * 1e6:
            await self._make_quietly()

    async def _make_quietly(self) -> None:
        """What goes wrong raises an alarm, and nothing else."""
        if self._lost is not None:
            return  # that alarm is raised already
        try:
            await self.make()
        except (JournalError, UnsignedError) as error:
            self._alarms.sound(Alarm.CHECKPOINT_FAILED, str(error))
        else:
            self._alarms.clear(Alarm.CHECKPOINT_FAILED)


def key_in(path: Path) -> PrivateKey:
    """The key of that file, which is made if there is none. OSError, KeyFormatError."""
    if not path.exists():
        write_file(path, new_key().pem())
    return read_private_key(path.read_bytes())


def write_file(path: Path, content: bytes) -> None:
    """Whole and on the disk, or not at all; readable by its owner alone. OSError."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
