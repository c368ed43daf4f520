"""What two people and an operator do on a server that may die meanwhile, and what must be so afterwards."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from licensing.audit import Verified, beginning, verify
from signaling.store import open_store
from tests.cli.office import BASIC
from tests.fakes.sound import quiet_sound
from tests.killed.mortal import MortalServer
from tests.signaling.store.database import Direct
from wephone.calls import Call
from wephone.cli.operating import Refused
from wephone.client import Client
from wephone.errors import CallEnded, SignInRefused
from wephone.protocol.ids import CallId, DeviceId
from wephone.protocol.messages import Missed, Receipt
from wephone.protocol.reasons import EndReason
from wephone.transport import Credentials

PASSWORD = "correct horse battery"
DEVICES = {
    name: DeviceId(f"00000000-0000-4000-8000-00000000000{n}") for n, name in enumerate(("alice", "bob"))
}
PERMITS = "/api/operator/permits"
TO_BOB = ["written while bob is away", "bob is here", "written in a call"]
TO_ALICE = ["hello alice", "answered in a call"]


@dataclass
class Person:
    """One user at one device, who keeps all that this device tells."""

    client: Client
    takes_calls: bool = True
    texts: list[str] = field(default_factory=list)
    last: int = 0  # the number of the last one
    receipts: list[Receipt] = field(default_factory=list)
    missed: list[Missed] = field(default_factory=list)
    calls: dict[CallId, Call] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def attend(self) -> None:
        """Read what comes, take calls, until the client is closed."""
        async with asyncio.TaskGroup() as group:
            for work in (self._read(), self._note_receipts(), self._note_missed(), self._take_calls(group)):
                group.create_task(work)

    async def _read(self) -> None:
        async for message in self.client.messages():
            if message.sender != self.client.user:
                self.texts.append(message.text)
                self.last = message.seq
                self.client.read(message)
                self.news.set()

    async def _note_receipts(self) -> None:
        async for receipt in self.client.receipts():
            self.receipts.append(receipt)
            self.news.set()

    async def _note_missed(self) -> None:
        async for missed in self.client.missed():
            self.missed.append(missed)
            self.news.set()

    async def _take_calls(self, group: asyncio.TaskGroup) -> None:
        async for call in self.client.incoming():
            self.calls[call.id] = call
            self.news.set()
            if self.takes_calls:
                group.create_task(answered(call))

    async def until(self, so: Any) -> None:
        """Wait until it is so, which something that comes must make it."""
        while not so():
            self.news.clear()
            await self.news.wait()


async def answered(call: Call) -> bool:
    """Take it, if it is still there to be taken."""
    try:
        await call.answer()
    except CallEnded:
        return False
    return True


async def open_account(server: MortalServer, name: str) -> str:
    """An account and a sign-in; its token."""
    try:
        await server.door(lambda door: door.register(name, PASSWORD))
    except SignInRefused as refused:
        assert refused.status == 409 and server.deaths, refused  # made, but the word of it was lost
    return await server.door(lambda door: door.sign_in(Credentials(name, PASSWORD), "story"))


async def still_known(server: MortalServer, name: str, token: str) -> None:
    """Account and sign-in are there."""
    await server.door(lambda door: door.ticket(token))
    await server.door(lambda door: door.sign_in(Credentials(name, PASSWORD), "story"))


@asynccontextmanager
async def present(server: MortalServer, name: str, token: str) -> AsyncIterator[Person]:
    """A person whose device is signed in by this token alone."""

    async def signed_in() -> Client:
        client = Client(
            server.url, name, token=token, device=DEVICES[name], start_sound=quiet_sound, trace=server.count
        )
        return await client.__aenter__()

    client = await server.reached(signed_in)
    person = Person(client)
    attending = asyncio.create_task(person.attend())
    try:
        yield person
        assert client.signed_out is None
    finally:
        await client.close()
        await asyncio.wait([attending])
    attending.result()


async def file_permit(server: MortalServer) -> None:
    """The operator changes what may be offered."""
    try:
        await server.operate("POST", PERMITS, {"permit": BASIC, "why": "story"})
    except Refused:
        assert server.deaths  # filed, but the word of it was lost
    [filed] = (await server.operate("GET", PERMITS))["permits"]
    assert (filed["permit"]["id"], filed["permit"]["version"]) == ("basic-1", 1)


@dataclass
class Story:
    """What came of it, for those who took part: how each call ended, and how often one was tried."""

    ended: dict[CallId, EndReason] = field(default_factory=dict)
    talked: set[CallId] = field(default_factory=set)
    permits: int = 0

    async def told(self, server: MortalServer) -> None:
        """From the first account to the last goodbye."""
        tokens = {name: await open_account(server, name) for name in DEVICES}
        async with present(server, "alice", tokens["alice"]) as alice:
            await alice.client.send("bob", TO_BOB[0])
            await file_permit(server)
            self.permits = 1
            async with present(server, "bob", tokens["bob"]) as bob:
                await alice.client.send("bob", TO_BOB[1])
                await bob.client.send("alice", TO_ALICE[0])
                await self._talk(server, alice, bob)
                await self._miss(server, alice, bob)
                await has_all(bob, TO_BOB, alice)
                await has_all(alice, TO_ALICE, bob)
                await self._agree(server, bob)
        for name, token in tokens.items():
            await still_known(server, name, token)

    async def _talk(self, server: MortalServer, alice: Person, bob: Person) -> None:
        """A call that is answered, gone on with and hung up; only one that rang may have to be repeated."""
        while True:
            call = alice.client.place("bob")
            try:
                await call.answered()
            except CallEnded as error:
                assert error.reason in cut_short(server)
                self.ended[call.id] = error.reason
                await server.until(lambda: bob.client.link == "up")
            else:
                break
        theirs = bob.calls[call.id]
        await theirs.answered()
        await alice.client.send("bob", TO_BOB[2])
        await bob.client.send("alice", TO_ALICE[1])
        assert (call.state, theirs.state) == ("active", "active")
        ended = await call.hangup()
        assert ended.reason is EndReason.HANGUP
        self.ended[call.id] = ended.reason
        self.talked.add(call.id)

    async def _miss(self, server: MortalServer, alice: Person, bob: Person) -> None:
        """A call that nobody takes."""
        bob.takes_calls = False
        call = alice.client.place("bob")
        try:
            await call.ringing()
            ended = await call.hangup()
        except CallEnded as error:
            ended = error.ended
        assert ended.reason in {EndReason.CANCELLED, *cut_short(server)}
        self.ended[call.id] = ended.reason
        unanswered = set(self.ended) - self.talked
        await bob.until(lambda: {missed.call for missed in bob.missed} >= unanswered)
        assert {missed.call for missed in bob.missed} == unanswered

    async def _agree(self, server: MortalServer, bob: Person) -> None:
        """Both ends know of each call the same end."""
        for id, theirs in bob.calls.items():
            assert self._agrees(server, id, (await theirs.wait_ended()).reason)

    def _agrees(self, server: MortalServer, call: CallId, reason: str | EndReason | None) -> bool:
        """An end is told before it is written: a server may die between, and then the ring ended with it."""
        told = self.ended[call]
        restarted = told is EndReason.CANCELLED and server.deaths and reason == EndReason.SERVER_RESTARTED
        return reason == told or bool(restarted)

    async def part_of_a_call(self, server: MortalServer, happens: Callable[[], Awaitable[None]]) -> None:
        """Two who talk; something happens to the server; they talk on, and hang up."""
        tokens = {name: await open_account(server, name) for name in DEVICES}
        async with (
            present(server, "alice", tokens["alice"]) as alice,
            present(server, "bob", tokens["bob"]) as bob,
        ):
            call = await alice.client.call("bob")
            await call.answered()
            theirs = bob.calls[call.id]
            await theirs.answered()
            await happens()
            await alice.client.send("bob", "are you there?")
            await bob.client.send("alice", "I am")
            assert (call.state, theirs.state) == ("active", "active")
            ends = await asyncio.gather(theirs.hangup(), call.wait_ended())
            assert [end.reason for end in ends] == [EndReason.HANGUP] * 2
            self.ended[call.id] = EndReason.HANGUP
            self.talked.add(call.id)

    async def part_of_a_ring(self, server: MortalServer, happens: Callable[[], Awaitable[None]]) -> None:
        """It rings; something happens to the server, by which the call is over for both, and missed."""
        tokens = {name: await open_account(server, name) for name in DEVICES}
        async with (
            present(server, "alice", tokens["alice"]) as alice,
            present(server, "bob", tokens["bob"]) as bob,
        ):
            bob.takes_calls = False
            call = await alice.client.call("bob")
            await call.ringing()
            await happens()
            ends = await asyncio.gather(call.wait_ended(), bob.calls[call.id].wait_ended())
            assert [end.reason for end in ends] == [EndReason.SERVER_RESTARTED] * 2
            self.ended[call.id] = EndReason.SERVER_RESTARTED
            await bob.until(lambda: [missed.call for missed in bob.missed] == [call.id])

    async def check(self, server: MortalServer, direct: Direct) -> None:
        """What the database says, when no server runs."""
        rows = direct.run("SELECT call, reason, answered_at, ended_at, missed, decision FROM v_cdr")
        assert sorted(row[0] for row in rows) == sorted(self.ended)
        assert all(self._agrees(server, row[0], row[1]) for row in rows)
        for call, _, answered_at, ended_at, missed, _ in rows:
            assert ended_at is not None
            assert (answered_at is not None, bool(missed)) == (call in self.talked, call not in self.talked)
        async with await open_store(server.database or f"sqlite:///{server.data / 'wephone.db'}") as store:
            entries = await store.journal.entries(0, 1_000)
            permits = await store.permits.versions("permit", "basic-1")
        assert isinstance(verify(entries, after=beginning("local")), Verified)
        decisions = Counter(entry.subject for entry in entries if entry.kind == "decision")
        assert all(decisions[row[5]] == 1 for row in rows)
        attempts = Counter(json.loads(entry.body)["call"] for entry in entries if entry.kind == "decision")
        # On SQLite a decision and the row that names it are one commit; on PostgreSQL the row follows, and a
        # server that died between them has decided on an attempt that is made again.
        most = 1 if server.database is None else 1 + server.deaths
        assert all(1 <= attempts[call] <= most for call in self.ended)
        assert (
            len([entry for entry in entries if entry.kind == "permit_event"]) == len(permits) == self.permits
        )


def cut_short(server: MortalServer) -> set[EndReason]:
    """How a call may end that nobody has answered, if a server died: it rang, or one was not back yet."""
    return {EndReason.SERVER_RESTARTED, EndReason.UNREACHABLE} if server.deaths else set()


async def has_all(person: Person, texts: list[str], other: Person) -> None:
    """The texts are there, once and in order, and who wrote them knows that they were read."""
    await person.until(lambda: len(person.texts) >= len(texts))
    assert person.texts == texts
    known = {("delivered", person.last), ("read", person.last)}
    await other.until(lambda: {(receipt.kind, receipt.seq) for receipt in other.receipts} >= known)
