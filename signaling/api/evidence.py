"""Routes of operators about what was decided and whether the journal is whole."""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field, StringConstraints

from licensing.audit import Entry, Head
from licensing.explain import Explanation, UnexplainedError
from licensing.identity import DecisionId, read, show
from licensing.permit import Permit
from licensing.ports import Chains, JournalError
from licensing.reasons import Obligation, Reason, obligation_text, reason_text
from signaling.api.problem import Problem
from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit
from signaling.evidence import CHUNK, Walked, explained, nodes, walk
from signaling.ports import StoreError
from wephone.protocol.messages import Microseconds, Model

routes = Routes()
log = logging.getLogger(__name__)

FORMAT = "wephone.audit/1"  # of the first line of an export
PAGE, LONGEST_PAGE = 100, 1_000
NDJSON = "application/x-ndjson"

Node = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Sequence = Annotated[int, Field(ge=0, le=2**63 - 1)]


class ChainHead(Model):
    """The end of a node's chain. Kept on another machine it shows, later, that nothing was cut off."""

    node: Node
    seq: Sequence
    at: Microseconds
    hash: Hash


class ChainHeads(Model):
    """Of every node that ever wrote here."""

    heads: tuple[ChainHead, ...]


class Verification(Model):
    """What to hold the journal against: heads kept elsewhere. `names`: look at the clear values too."""

    heads: Annotated[tuple[ChainHead, ...], Field(max_length=1_000)] = ()
    names: bool = True


class Fault(Model):
    """The first bad entry of a chain."""

    seq: Sequence
    fault: str


class ClearValues(Model):
    """What became of the names and numbers beside the chain."""

    present: int = 0
    erased: int = 0
    altered: int = 0


class VerifiedChain(Model):
    """One node's chain: whole up to `head`; `fault` is what is wrong with the entry after it."""

    node: str
    ok: bool
    head: ChainHead
    fault: Fault | None
    names: ClearValues | None
    altered: tuple[Sequence, ...]


class Verified(Model):
    """Is everything whole? `heads` are what to keep elsewhere, of the chains that are."""

    ok: bool
    entries: int
    heads: tuple[ChainHead, ...]
    chains: tuple[VerifiedChain, ...]


class ExportQuery(Model):
    """Which entries: of this node (all, if none is named) with a sequence number above `after`."""

    node: Node | None = None
    after: Sequence = 0


class DecisionPage(Model):
    """Which decisions: those among the `limit` entries before this sequence number, of this node or that."""

    before: Sequence | None = None
    limit: Annotated[int, Field(ge=1, le=LONGEST_PAGE)] = PAGE
    node: Node | None = None


class PastDecision(Model):
    """One decision, as the journal has it."""

    decision: str
    seq: Sequence
    at: Microseconds
    outcome: str | None
    reason: str | None
    service: str | None
    jurisdiction: str | None
    permits: tuple[str, ...]
    permit_needed: str | None
    subject: str | None


class PastDecisions(Model):
    """Newest first. `before` gives the next page; none if there is no more."""

    decisions: tuple[PastDecision, ...]
    before: Sequence | None


class Words(Model):
    """A sentence in both languages."""

    en: str
    zh_cn: str = Field(serialization_alias="zh-CN")


class Duty(Model):
    """An obligation, and what it asks for."""

    code: str
    text: str


class Person(Model):
    """A name or number of the entry: `present`, `erased`, or `altered` when it is not what was sealed."""

    role: str
    state: str
    value: str | None
    hash: str


class DecisionExplained(Model):
    """Why a decision was made, and whether deciding it again from what was kept gives the same."""

    decision: str
    sound: bool
    faults: tuple[str, ...]
    outcome: str
    reason: str
    text: Words
    service: str
    jurisdiction: str
    uncertain: bool
    permit_needed: str | None
    permits: tuple[Permit, ...]
    obligations: tuple[Duty, ...]
    people: tuple[Person, ...]
    rule: dict[str, Any] | None
    sources: dict[str, Any]
    again: dict[str, Any] | None
    entry: dict[str, Any]


@routes.add("GET", "/api/operator/decisions", Rule.AUDITOR)
async def decisions(visit: Visit, query: DecisionPage) -> PastDecisions:
    """Decisions, newest first."""
    chains, node = visit.parts.licence.journal, query.node or visit.parts.settings.node
    async with reading():
        heads = {head.node: head for head in await chains.heads()}
        last = heads[node].seq + 1 if node in heads else 0
        before = last if query.before is None else min(query.before, last)
        after = max(0, before - 1 - query.limit)
        entries = await chains.entries_of(node, after, query.limit)
    found = [entry for entry in entries if entry.kind == "decision" and entry.seq < before]
    return PastDecisions(
        decisions=tuple(past(entry) for entry in reversed(found)), before=after + 1 if after else None
    )


@routes.add("GET", "/api/operator/decisions/{decision}", Rule.AUDITOR)
async def decision(visit: Visit) -> DecisionExplained:
    """Explain one decision: facts, rule, permits, source of law, and the same decided again."""
    asked = visit.request.match_info["decision"]
    try:
        id = show(read(asked))
    except ValueError:
        raise Problem(400, "bad_value", f"`{asked[:64]}` is no decision id", field="decision") from None
    try:
        async with reading():
            return shown(id, await explained(visit.parts.licence.journal, visit.parts.licence, id))
    except UnexplainedError as error:
        raise Problem(404, "no_such_decision", f"{id}: {error}", field="decision") from None


@routes.add("GET", "/api/operator/audit/head", Rule.AUDITOR)
async def audit_head(visit: Visit) -> ChainHeads:
    """The heads of all chains, to be kept on another machine."""
    async with reading():
        return ChainHeads(heads=tuple(head_of(head) for head in await visit.parts.licence.journal.heads()))


@routes.add("POST", "/api/operator/audit/verify", Rule.AUDITOR, status=200)
async def audit_verify(visit: Visit, body: Verification) -> Verified:
    """Verify the journal: every entry of every chain, the heads kept elsewhere, and the clear values."""
    chains = visit.parts.licence.journal
    kept = [Head(head.node, head.seq, head.at, head.hash) for head in body.heads]
    async with reading():
        results = [
            verified(await walk(chains, node, kept, names=body.names), names=body.names)
            for node in await nodes(chains, visit.parts.settings.node, kept)
        ]
    return Verified(
        ok=all(result.ok for result in results),
        entries=sum(result.head.seq for result in results),
        heads=tuple(result.head for result in results if result.ok and result.head.seq),
        chains=tuple(results),
    )


@routes.add("GET", "/api/operator/audit/export", Rule.AUDITOR, status=200)
async def audit_export(visit: Visit, query: ExportQuery) -> web.StreamResponse:
    """The journal as JSON lines: first the heads, then every entry. No name or number in clear is in it."""
    chains = visit.parts.licence.journal
    async with reading():
        heads = [head for head in await chains.heads() if query.node in (None, head.node)]
    response = web.StreamResponse(headers={"Content-Type": NDJSON})
    await response.prepare(visit.request)
    await response.write(line({"format": FORMAT, "heads": [head_of(head).model_dump() for head in heads]}))
    try:
        for head in heads:
            await write_chain(response, chains, head, query.after)
    except JournalError as error:
        log.error("an export was cut off: %s", error)
        if visit.request.transport is not None:
            visit.request.transport.abort()  # or what is there would pass for all there is
        raise ConnectionAbortedError(str(error)) from error
    await response.write_eof()
    return response


async def write_chain(response: web.StreamResponse, chains: Chains, head: Head, after: int) -> None:
    """One node's entries, up to its head: what is written meanwhile is in the next export."""
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


def head_of(head: Head) -> ChainHead:
    return ChainHead(node=head.node, seq=head.seq, at=head.at, hash=head.hash)


def verified(walked: Walked, *, names: bool) -> VerifiedChain:
    """The result of a walk."""
    broken = walked.broken
    return VerifiedChain(
        node=walked.node,
        ok=walked.sound,
        head=head_of(walked.head),
        fault=None if broken is None else Fault(seq=broken.seq, fault=broken.fault),
        names=ClearValues(**walked.clear) if names else None,
        altered=tuple(walked.altered),
    )


def past(entry: Entry) -> PastDecision:
    """A decision's entry, in short; it may be one that could not be written whole."""
    body = json.loads(entry.body)
    return PastDecision(
        decision=entry.subject,
        seq=entry.seq,
        at=entry.said_at,
        outcome=body.get("outcome"),
        reason=body.get("reason"),
        service=body.get("service"),
        jurisdiction=body.get("jurisdiction"),
        permits=tuple(body.get("permits", ())),
        permit_needed=body.get("permit_needed"),
        subject=body.get("call"),
    )


def shown(id: DecisionId, found: Explanation) -> DecisionExplained:
    """An explanation as it is answered. An entry that was altered may say anything, or nothing."""
    body = found.body
    return DecisionExplained(
        decision=id,
        sound=found.sound,
        faults=found.faults,
        outcome=str(body.get("outcome")),
        reason=str(body.get("reason")),
        text=words_of(str(body.get("reason"))),
        service=str(body.get("service")),
        jurisdiction=str(body.get("jurisdiction")),
        uncertain=body.get("uncertain") is True,
        permit_needed=body.get("permit_needed"),
        permits=found.permits,
        obligations=tuple(duty_of(str(code)) for code in body.get("obligations", ())),
        people=tuple(
            Person(role=datum.role, state=datum.state, value=datum.value, hash=datum.hash)
            for datum in found.people
        ),
        rule=None if found.rule is None else found.rule.model_dump(mode="json", exclude_none=True),
        sources=dict(found.sources),
        again=None if found.again is None else dict(found.again),
        entry=dict(body),
    )


def words_of(reason: str) -> Words:
    """What the caller was told; nothing, if it is no reason of ours."""
    if reason not in set(Reason):
        return Words(en="", zh_cn="")
    text = reason_text(Reason(reason))
    return Words(en=text.en, zh_cn=text.zh_cn)


def duty_of(code: str) -> Duty:
    """An obligation in words; none, if it is none of ours."""
    return Duty(code=code, text=obligation_text(Obligation(code)) if code in set(Obligation) else "")


@asynccontextmanager
async def reading() -> AsyncIterator[None]:
    """A journal that cannot be read is a store that does not answer."""
    try:
        yield
    except JournalError as error:
        raise StoreError(str(error)) from error
