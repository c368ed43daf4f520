"""A flow of store commands, to be killed at any moment:  python -m tests.signaling.store.flow URL

It prints one line for each acknowledgement. Afterwards `check` takes it up where it stopped.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from licensing.audit import Draft, Verified, beginning, seal, verify
from licensing.ports import EpochMovedError, RegisterRow
from signaling.ports.store import IdTakenError
from signaling.store import open_store
from signaling.store.rows import DatabaseStore
from tests.signaling.store.people import ALICE, AT, BOB, BOBS, account, offered
from wephone.protocol.ids import CallId, MessageId
from wephone.protocol.reasons import EndReason

CALL, OTHER = CallId("00000000-0000-4000-8000-000000000001"), CallId("00000000-0000-4000-8000-000000000002")
FIRST, SECOND = (MessageId(f"00000000-0000-4000-9000-00000000000{n}") for n in (1, 2))
LATER = 10 * 365 * 86_400 * 1_000_000  # µs


@dataclass(frozen=True, slots=True)
class Step:
    """One command: how it is sent, and each trace that it leaves."""

    name: str
    do: Callable[[DatabaseStore], Awaitable[Any]]
    traces: Callable[[DatabaseStore], Awaitable[Sequence[bool]]]
    fence: type[Exception] | None = None  # what sending it once more raises


def entry(subject: str) -> Step:
    async def traces(store: DatabaseStore) -> list[bool]:
        return [len(await store.journal.about(subject)) == 1]

    return Step(subject, lambda store: store.journal.append(Draft("decision", subject, AT, "{}")), traces)


def register(epoch: int, *keys: str) -> Step:
    """A change of several rows, an entry with a clear value, and the epoch: all of it or nothing."""
    subject = f"change-{epoch}"
    rows = [RegisterRow("permit", key, epoch, "{}", "root", AT, epoch) for key in keys]

    async def change(store: DatabaseStore) -> int:
        draft = Draft("permit_event", subject, AT, "{}", (seal(subject, b"s" * 16, AT + 10),))
        return await store.permits.change(epoch - 1, rows, draft)

    async def traces(store: DatabaseStore) -> list[bool]:
        versions = [row for key in keys for row in await store.permits.versions("permit", key)]
        return [
            await store.permits.epoch() >= epoch,
            *(row in versions for row in rows),
            len(await store.journal.about(subject)) == 1,
            len(await store.journal.clear_values([seal(subject, b"s" * 16, 0).hash])) == 1,
        ]

    return Step(subject, change, traces, EpochMovedError)


def text(name: str, message: MessageId) -> Step:
    async def accept(store: DatabaseStore) -> int:
        row, _ = await store.accept_text(message, ALICE, BOB, name, AT)
        return row.seq

    async def traces(store: DatabaseStore) -> list[bool]:
        return [message in [row.message for row in await store.texts_after(BOB, 0, 9)]]

    return Step(name, accept, traces)


async def call_in_history(store: DatabaseStore, call: CallId) -> list[Any]:
    return [record for record in await store.history(ALICE, AT + LATER, 9) if record.call == call]


def offer(name: str, call: CallId) -> Step:
    async def traces(store: DatabaseStore) -> list[bool]:
        return [len(await call_in_history(store, call)) == 1]

    return Step(name, lambda store: store.offer(offered(call)), traces, IdTakenError)


async def answered(store: DatabaseStore) -> list[bool]:
    return [record.answered_at == AT + 1 for record in await call_in_history(store, CALL)] or [False]


async def ended(store: DatabaseStore) -> list[bool]:
    return [record.reason == EndReason.HANGUP for record in await call_in_history(store, CALL)] or [False]


async def delivered(store: DatabaseStore) -> list[bool]:
    mark, last = await store.sign_in_device(BOB, BOBS.device, "phone", AT), await last_text(store)
    texts = [row.delivered_at for row in await store.texts_after(BOB, 0, 9)]
    receipts = [row.delivered_seq == last for row in await store.receipts(ALICE)]
    return [mark == last, *(at == AT + 1 for at in texts), *(receipts or [False])]


async def received(store: DatabaseStore) -> None:
    await store.received(BOB, BOBS.device, await last_text(store), AT + 1)


async def last_text(store: DatabaseStore) -> int:
    """The number of Bob's last text: 2, but after a restore."""
    return max((row.seq for row in await store.texts_after(BOB, 0, 9)), default=2)


async def has_account(store: DatabaseStore) -> list[bool]:
    return [await store.account(ALICE) is not None]


async def prepare(store: DatabaseStore) -> None:
    """What is there before the flow begins."""
    await store.add_account(account(BOB))
    await store.sign_in_device(BOB, BOBS.device, "phone", AT)


# What stands in one row here is sent at the same moment.
FLOW: list[list[Step]] = [
    [
        Step("alice", lambda store: store.add_account(account(ALICE)), has_account, IdTakenError),
        register(1, "P-1", "P-2"),
        entry("D-1"),
    ],
    [entry("D-2"), offer("offer", CALL), text("first", FIRST), entry("D-3"), text("second", SECOND)],
    [Step("answer", lambda store: store.answer(CALL, BOBS, AT + 1, 1), answered)],
    [
        register(2, "P-2", "P-3"),
        Step("end", lambda store: store.end(CALL, EndReason.HANGUP, AT + 2, missed=False), ended),
        offer("other", OTHER),
        Step("received", received, delivered),
    ],
    [entry("D-4")],
]


async def run(store: DatabaseStore, acknowledge: Callable[[str, Any], None]) -> None:
    """The whole flow; each acknowledgement is told before the next row of steps is sent."""

    async def carry_out(step: Step) -> None:
        acknowledge(step.name, await step.do(store))

    for together in FLOW:
        for outcome in await asyncio.gather(*(carry_out(step) for step in together), return_exceptions=True):
            if outcome is not None:
                raise outcome


def steps() -> list[Step]:
    return [step for together in FLOW for step in together]


async def left_by(store: DatabaseStore) -> set[str]:
    """The steps that are in the database. AssertionError for one that is half there."""
    whole = set()
    for step in steps():
        traces = await step.traces(store)
        assert len(set(traces)) == 1, f"half of `{step.name}` is there: {traces}"
        if traces[0]:
            whole.add(step.name)
    return whole


async def check(store: DatabaseStore, acknowledged: dict[str, str]) -> None:
    """What was acknowledged is there, nothing is half there, and the flow can be finished from here."""
    there = await left_by(store)
    assert set(acknowledged) <= there
    for step in steps():
        if step.name not in there:
            await step.do(store)
        elif step.fence is not None:
            with pytest.raises(step.fence):  # it is not done twice
                await step.do(store)
        elif not step.name.startswith("D-"):
            await step.do(store)  # the same answer, and no second trace
    assert await left_by(store) == {step.name for step in steps()}
    texts = {row.text: row.seq for row in await store.texts_after(BOB, 0, 9)}
    entries = await store.journal.entries(0, 99)
    numbers = {row.subject: row.seq for row in entries}
    first = min(texts.values())  # 1, but after a restore
    assert sorted(texts.values()) == [first, first + 1]
    assert len(entries) == len(numbers) == 6
    for name, answer in acknowledged.items():
        assert str({**texts, **numbers}.get(name, answer) if name[0] in "Dfs" else answer) == answer
    assert isinstance(verify(entries, after=beginning("local")), Verified)


def print_at_once(name: str, answer: object) -> None:
    os.write(1, f"{name} {answer}\n".encode())


async def main(url: str) -> None:
    store = await open_store(url)
    try:
        await run(store, print_at_once)
    finally:
        await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
