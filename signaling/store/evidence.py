"""The journal and the register as `licensing.ports` asks for them."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

from licensing.audit import Checked, ClearValue, Draft, Entry, Head, beginning
from licensing.checkpoint import Checkpoint, Reach, read
from licensing.ports import EpochMovedError, Filed, JournalError, RegisterRow, RegisterRows
from licensing.signing import decoded
from signaling.ports.store import StoreError
from signaling.store.database import Database
from signaling.store.journal import PlainDraft, plain
from signaling.store.pieces import SMALL, beside, cores, cut, is_head, verified
from signaling.store.segment import Piece

MOST_TOGETHER = 512  # entries to a command: a batch that fails, fails for all of them

Waiting = tuple[PlainDraft, "asyncio.Future[int]"]


@asynccontextmanager
async def _as_journal_errors() -> AsyncIterator[None]:
    try:
        yield
    except StoreError as error:
        raise JournalError(str(error)) from error


class StoredJournal:
    """One node's chain: licensing.ports.Journal.

    Drafts that wait at the same moment are added by one command: the chain is a queue anyway, and PostgreSQL
    would otherwise make each wait for its own commit.
    """

    def __init__(self, database: Database, node: str) -> None:
        self._database = database
        self._node = node
        self._waiting: list[Waiting] = []
        self._sending: set[asyncio.Future[list[int]]] = set()
        self._given = 0  # drafts that came
        self._answered = 0  # the first so many of them are durable, or have failed

    async def append(self, draft: Draft) -> int:
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((plain(draft), future))
        self._given += 1
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._send)
        return await future

    def _send(self) -> None:
        # A database that keeps no order between commands gets one after the other.
        while self._waiting and (self._database.ordered or not self._sending):
            batch, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
            # Written now and not in a task of its own: what is written next comes after it.
            answer = self._database.write("append", self._node, [draft for draft, _ in batch])
            sent: asyncio.Future[list[int]] = asyncio.ensure_future(answer)
            self._sending.add(sent)
            sent.add_done_callback(partial(self._done, batch))

    def _done(self, batch: Sequence[Waiting], sent: "asyncio.Future[list[int]]") -> None:
        self._sending.discard(sent)
        self._answered += len(batch)
        error = asyncio.CancelledError() if sent.cancelled() else sent.exception()
        for place, (_, future) in enumerate(batch):
            if future.done():  # whoever asked has given up; the entry may be there all the same
                continue
            if error is None:
                future.set_result(sent.result()[place])
            else:
                future.set_exception(JournalError(str(error) or "the journal was closed"))
        self._send()
        if isinstance(error, Exception) and not isinstance(error, StoreError):
            raise error  # ours: the loop reports it

    async def settled(self) -> None:
        """What is sent from now on stands after all drafts so far."""
        self._send()
        so_far = self._given
        while not self._database.ordered and self._answered < so_far:
            await asyncio.wait(self._sending)

    async def head(self) -> Head:
        async with _as_journal_errors():
            rows = await self._database.read("head_of", self._node)
        return Head(*rows[0]) if rows else beginning(self._node)

    async def heads(self) -> Sequence[Head]:
        """The newest entry of every node that ever wrote here."""
        async with _as_journal_errors():
            return [Head(*row) for row in await self._database.read("heads")]

    async def entries(self, after: int, limit: int) -> Sequence[Entry]:
        return await self.entries_of(self._node, after, limit)

    async def entries_of(self, node: str, after: int, limit: int) -> Sequence[Entry]:
        """The same of any node that ever wrote here."""
        async with _as_journal_errors():
            return [Entry(*row) for row in await self._database.read("entries_of", node, after, limit)]

    async def refusals_of(self, node: str, after: int, before: int, limit: int) -> Sequence[Entry]:
        """See licensing.ports.Chains."""
        async with _as_journal_errors():
            rows = await self._database.read("refusals_of", node, after, before, limit)
        return [Entry(*row) for row in rows]

    async def strays(self) -> Sequence[Entry]:
        """See licensing.ports.Chains."""
        async with _as_journal_errors():
            return [Entry(*row) for row in await self._database.read("strays")]

    async def checked(
        self, after: Head, kept: Sequence[Head], *, names: bool, tell: Callable[[int], None]
    ) -> Checked:
        """See licensing.ports.Chains: a short chain is verified in a thread, a long one in processes.

        The head that the database noted itself counts as kept: a chain that was cut short behind its back
        ends before it.
        """
        node = after.node
        heads = [head for head in (*await self.heads(), *kept) if head.node == node and head.seq > after.seq]
        whole = Piece(self._database.url, after, None, tuple(heads), names)
        length = max((head.seq for head in heads), default=after.seq) - after.seq
        async with _as_journal_errors():
            if length < SMALL:
                return await beside(whole, tell)
            ends = [after.seq + length * place // cores() for place in range(1, cores())]
            read = [await self._database.read("entries_of", node, seq - 1, 1) for seq in ends]
            between = [Entry(*rows[0]).head for rows in read if rows]
            if [head.seq for head in between] != ends or not all(map(is_head, between)):
                between = []  # it is broken before one of them
            return await verified(cut(whole, between), between, tell)

    async def about(self, subject: str) -> Sequence[Entry]:
        async with _as_journal_errors():
            return [Entry(*row) for row in await self._database.read("entries_about", subject)]

    async def filed(self) -> Filed:
        """See licensing.ports.Chains: all in one survey."""
        async with _as_journal_errors():
            epoch, rows, entries = await self._database.read("filed")
        return Filed(epoch, tuple(RegisterRow(*row) for row in rows), tuple(Entry(*row) for row in entries))

    async def clear_values(self, hashes: Sequence[str]) -> Sequence[ClearValue]:
        async with _as_journal_errors():
            return [ClearValue(*row) for row in await self._database.read("clear_values", list(hashes))]

    async def forget(self, before: int) -> int:
        gone = 0
        async with _as_journal_errors():
            while some := await self._database.write("purge_some", "clear_values", before, MOST_TOGETHER):
                gone += some
        return gone


class StoredCheckpoints:
    """The signed checkpoints: signaling.ports.Checkpoints."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reach(
        self, asked: Sequence[tuple[str, int]] = ()
    ) -> tuple[Reach, Checkpoint | None, Mapping[tuple[str, int], str]]:
        async with _as_journal_errors():
            epoch, heads, last, hashes = await self._database.read("reach", list(asked))
        found = {place: value for place, value in zip(asked, hashes, strict=True) if value is not None}
        reach = Reach(epoch, tuple(Head(*head) for head in heads))
        return reach, read(last[0][0], decoded(last[0][1]) or b"") if last else None, found

    async def add(self, checkpoint: Checkpoint) -> bool:
        signature = base64.b64encode(checkpoint.signature).decode()
        async with _as_journal_errors():
            return bool(
                await self._database.write(
                    "add_checkpoint", checkpoint.number, checkpoint.document, signature
                )
            )

    async def after(self, number: int, limit: int) -> Sequence[Checkpoint]:
        async with _as_journal_errors():
            rows = await self._database.read("checkpoints_after", number, limit)
        return [read(document, decoded(signature) or b"") for document, signature in rows]


class StoredRegister:
    """The register of permits: licensing.ports.PermitStore. Its changes enter this node's chain."""

    def __init__(self, database: Database, journal: StoredJournal) -> None:
        self._database = database
        self._journal = journal

    async def epoch(self) -> int:
        async with _as_journal_errors():
            return int(await self._database.read("register_epoch"))

    async def load(self) -> RegisterRows:
        async with _as_journal_errors():
            epoch, rows = await self._database.read("register")
        return RegisterRows(epoch, tuple(RegisterRow(*row) for row in rows))

    async def change(self, epoch: int, rows: Sequence[RegisterRow], draft: Draft) -> int:
        plain_rows = [
            (str(row.kind), str(row.key), row.version, str(row.document), str(row.by), row.at, row.epoch)
            for row in rows
        ]
        await self._journal.settled()
        async with _as_journal_errors():
            new: int | None = await self._database.write(
                "change_register", epoch, plain_rows, self._database.node, plain(draft)
            )
        if new is None:
            raise EpochMovedError(f"the register is no longer at epoch {epoch}")
        return new

    async def versions(self, kind: str, key: str) -> Sequence[RegisterRow]:
        async with _as_journal_errors():
            return [RegisterRow(*row) for row in await self._database.read("register_versions", kind, key)]
