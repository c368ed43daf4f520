"""The journal as JSON lines, for others to check without any of our code."""

import json
import logging
from functools import cache
from importlib import resources
from typing import Any

from aiohttp import web

from licensing.audit import Entry, Head, beginning
from licensing.checkpoint import Checkpoint, CheckpointError
from licensing.ports import Chains, JournalError, RegisterRow
from signaling.api.audit import Node, Sequence, head_of
from signaling.api.evidence import reading
from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit
from signaling.checkpoints import UnsignedError
from signaling.evidence import IN_NO_CHAIN, first_at
from wephone.protocol.messages import Model

routes = Routes()
log = logging.getLogger(__name__)

FORMAT = "wephone.audit/1"  # of the first line of an export
CHUNK = 1_000  # entries that are read and sent at a time
NDJSON = "application/x-ndjson"


class ExportQuery(Model):
    """Which entries: of this node (all, if none is named), with a sequence number above `after`, from that
    moment on and before this one (UTC microseconds)."""

    node: Node | None = None
    after: Sequence = 0
    since: Sequence = 0
    until: Sequence | None = None


@routes.add("GET", "/api/operator/audit/export", Rule.AUDITOR, status=200)
async def audit_export(visit: Visit, query: ExportQuery) -> web.StreamResponse:
    """The journal as JSON lines: the heads, every entry, the signed checkpoints, the permits' documents.

    No name or number in clear is in it. A checkpoint is made first, so that all of it is signed.
    """
    parts = visit.parts
    chains = parts.licence.journal
    async with reading():
        try:
            await parts.checkpoints.make()
        except UnsignedError as error:
            log.error("an export is not signed to its end: %s", error)
        checkpoints = await parts.checkpoints.all()  # none that signs more than is exported
        spans = await spans_of(chains, query)
        first = {
            "format": FORMAT,
            "heads": [head_of(last).model_dump() for _, last in spans],
            "after": [head_of(before).model_dump() for before, _ in spans],
            "node": query.node,
            "until": query.until,
            "key": str(await parts.checkpoints.key()),
        }
    response = web.StreamResponse(headers={"Content-Type": NDJSON})
    await response.prepare(visit.request)
    await response.write(line(first))
    try:
        for before, last in spans:
            await write_chain(response, chains, before, last)
        for stray in await chains.strays():  # as it is there, for the verifier to find
            if query.node in (None, stray.node):
                log.error("entry %d of node `%s` %s", stray.seq, stray.node, IN_NO_CHAIN)
                await response.write(line(exported(stray)))
        for checkpoint in checkpoints:
            await response.write(line(exported_checkpoint(checkpoint)))
        for row in (await chains.filed()).rows:
            await response.write(line(exported_row(row)))
    except (JournalError, CheckpointError) as error:
        log.error("an export was cut off: %s", error)
        if visit.request.transport is not None:
            visit.request.transport.abort()  # or what is there would pass for all there is
        raise ConnectionAbortedError(str(error)) from error
    await response.write_eof()
    return response


@routes.add("GET", "/api/operator/audit/verifier", Rule.AUDITOR, status=200)
async def audit_verifier(visit: Visit) -> web.Response:
    """The program that checks an export without any other code of ours."""
    return web.Response(body=verifier(), content_type="text/x-python", headers=SAVED)


SAVED = {"Content-Disposition": 'attachment; filename="verify.py"'}


@cache
def verifier() -> bytes:
    """As it lies beside the commands."""
    return (resources.files("wephone") / "cli" / "verify_journal.py").read_bytes()


async def spans_of(chains: Chains, query: ExportQuery) -> list[tuple[Head, Head]]:
    """Of each node asked for: the head after which its entries are exported, and the last of them."""
    spans = []
    for head in await chains.heads():
        if query.node not in (None, head.node):
            continue
        first, end = query.after + 1, head.seq + 1
        if query.since:
            first = max(first, await first_at(chains, head, query.since))
        if query.until is not None:
            end = await first_at(chains, head, query.until)
        before = await head_at(chains, head.node, min(first, end) - 1)
        spans.append((before, head if end > head.seq else await head_at(chains, head.node, end - 1)))
    return spans


async def head_at(chains: Chains, node: str, seq: int) -> Head:
    """The head that the chain had with that entry."""
    found = await chains.entries_of(node, seq - 1, 1) if seq > 0 else ()
    return found[0].head if found else beginning(node)


def exported_checkpoint(checkpoint: Checkpoint) -> dict[str, Any]:
    """A checkpoint as an export has it."""
    return {"checkpoint": checkpoint.number, **json.loads(checkpoint.as_file())}


def exported_row(row: RegisterRow) -> dict[str, Any]:
    """A permit, toggle or switch in one version: its document's hash is in the entry of its change."""
    return {"register": row.kind, "key": row.key, "version": row.version, "document": row.document}


async def write_chain(response: web.StreamResponse, chains: Chains, before: Head, head: Head) -> None:
    """One node's entries, up to its head: what is written meanwhile is in the next export."""
    after = before.seq
    while after < head.seq and (
        entries := await chains.entries_of(head.node, after, min(CHUNK, head.seq - after))
    ):
        await response.write(b"".join(line(exported(entry)) for entry in entries))
        after = entries[-1].seq


def exported(entry: Entry) -> dict[str, Any]:
    """An entry as an export has it: what its hash is made over, word for word."""
    return {
        "node": entry.node,
        "seq": entry.seq,
        "at": entry.at,
        "said_at": entry.said_at,
        "kind": entry.kind,
        "subject": entry.subject,
        "body": entry.body,
        "prev": entry.prev,
        "hash": entry.hash,
    }


def line(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"
