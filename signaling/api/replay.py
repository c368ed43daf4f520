"""Past decisions as a stream, to be decided again by whoever asks what other permits would have changed.

Names and numbers are not in it: users are told apart by a hash under a key that is drawn for each stream.
"""

import json
import logging
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from functools import lru_cache
from hashlib import blake2b
from typing import Literal

from aiohttp import web

from licensing.audit import Entry, Head
from licensing.ports import JournalError
from signaling.api.visit import Parts, Visit
from signaling.evidence import call_in
from signaling.ports.store import StoreError
from wephone.protocol.messages import Model

log = logging.getLogger(__name__)

FORMAT = "wephone.replay/1"  # of the first line
NDJSON = "application/x-ndjson"
CHUNK = 1_000  # entries that are read and sent at a time
TOLD_APART = 65_536  # users whose hash is kept at hand


class ReplayQuery(Model):
    """Which records: all, or none but the first line."""

    records: Literal["all", "none"] = "all"


async def replay(visit: Visit, query: ReplayQuery) -> web.StreamResponse:
    """Every decision, as JSON lines: first the register and what else it was decided by, then one each."""
    parts = visit.parts
    try:
        heads = await parts.licence.journal.heads()
        register = await parts.licence.register.history()
    except JournalError as error:
        raise StoreError(str(error)) from error
    basis = parts.licence.law.basis
    first = {
        "format": FORMAT,
        "entries": sum(head.seq for head in heads),
        "register": [asdict(row) for row in register],
        "operator": dict(basis.operator),
        "policy": dict(basis.policy),
        "profiles": list(basis.profiles),
    }
    response = web.StreamResponse(headers={"Content-Type": NDJSON})
    await response.prepare(visit.request)
    await response.write(json.dumps(first, separators=(",", ":")).encode() + b"\n")
    try:
        async for lines in decided(parts, heads if query.records == "all" else ()):
            await response.write(lines)
    except (JournalError, StoreError) as error:
        log.error("a replay was cut off: %s", error)
        if visit.request.transport is not None:
            visit.request.transport.abort()  # or what is there would pass for all there is
        raise ConnectionAbortedError(str(error)) from error
    await response.write_eof()
    return response


async def decided(parts: Parts, heads: Sequence[Head]) -> AsyncIterator[bytes]:
    """The decisions of every node, up to its head, some at a time."""
    key = os.urandom(16)

    @lru_cache(TOLD_APART)
    def pseudonym(user: str) -> str:
        return blake2b(user.encode(), key=key, digest_size=8).hexdigest()

    for head in heads:
        after = 0
        while after < head.seq and (
            entries := await parts.licence.journal.entries_of(head.node, after, min(CHUNK, head.seq - after))
        ):
            after = entries[-1].seq
            found = [(entry, call_in(entry.body)) for entry in entries if entry.kind == "decision"]
            talks = {talk.call: talk for talk in await parts.store.talked([call for _, call in found])}
            lines = []
            for entry, call in found:
                talk = talks.get(call)
                lines.append(
                    line(entry, talk.seconds if talk else 0, pseudonym(str(talk.caller)) if talk else None)
                )
            lines.append(f'{{"passed":{len(entries)}}}\n'.encode())
            yield b"".join(lines)


def line(entry: Entry, seconds: int, user: str | None) -> bytes:
    """One decision. Its body stands there as the journal has it."""
    who = "null" if user is None else f'"{user}"'
    return (
        f'{{"decision":"{entry.subject}","seconds":{seconds},"user":{who},"entry":{entry.body}}}\n'.encode()
    )
