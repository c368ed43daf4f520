"""Routes of operators about what was decided and whether the journal is whole."""

import json
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from licensing.audit import Entry
from licensing.explain import Explanation, UnexplainedError
from licensing.identity import DecisionId, read, show
from licensing.permit import Permit
from licensing.ports import Chains, JournalError
from licensing.reasons import Obligation, Reason, obligation_text, reason_text
from signaling.api.problem import Problem
from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit
from signaling.evidence import explained
from signaling.ports.store import StoreError
from wephone.protocol.messages import Microseconds, Model

routes = Routes()

PAGE, LONGEST_PAGE = 100, 1_000
LOOKED_AT, CHUNK = 10_000, 500  # entries for one page, and at a time
FEW = 10  # entries of another kind that may lie among a page of decisions

Node = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Sequence = Annotated[int, Field(ge=0, le=2**63 - 1)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Outcome = Literal["allow", "allow_with_obligations", "deny"]


class DecisionPage(Model):
    """Which decisions: those between these sequence numbers, of this node or that, about what is named.

    `permit` is one that was relied on. No more than 10 000 entries are looked at for one page.
    """

    before: Sequence | None = None
    after: Sequence = 0
    limit: Annotated[int, Field(ge=1, le=LONGEST_PAGE)] = PAGE
    node: Node | None = None
    outcome: Outcome | None = None
    reason: Word | None = None
    service: Word | None = None
    jurisdiction: Word | None = None
    permit: Word | None = None
    call: Word | None = None

    @property
    def reads_all(self) -> bool:
        """Are they found among all entries? Those that refused something have an index."""
        return self.outcome != "deny" and not (self.reason or "").startswith("DENY_")

    def marks(self) -> tuple[str, ...]:
        """What the body of a decision that is meant has in it: canonical JSON, so most need no parsing."""
        named = {
            name: getattr(self, name) for name in ("outcome", "reason", "service", "jurisdiction", "call")
        }
        marks = [f'"{name}":{json.dumps(value)}' for name, value in named.items() if value is not None]
        return (*marks, f"{json.dumps(self.permit)[:-1]}@") if self.permit else tuple(marks)

    def means(self, found: "PastDecision") -> bool:
        """Is it one of those?"""
        return (
            self.outcome in (None, found.outcome)
            and self.reason in (None, found.reason)
            and self.service in (None, found.service)
            and self.jurisdiction in (None, found.jurisdiction)
            and self.call in (None, found.subject)
            and (self.permit is None or any(self.permit == each.partition("@")[0] for each in found.permits))
        )


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
    """Newest first. `before` gives the next page, which may be empty; none if there is no more.

    `looked_to`: when the oldest entry was written that was looked at for this page.
    """

    decisions: tuple[PastDecision, ...]
    before: Sequence | None
    looked_to: Microseconds | None


class JournalEntry(Model):
    """An entry of the journal. Names and numbers in its body are hashes."""

    node: str
    seq: Sequence
    at: Microseconds
    kind: str
    subject: str
    hash: str
    body: dict[str, Any]


class JournalEntries(Model):
    """Oldest first."""

    entries: tuple[JournalEntry, ...]


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
    reach: Literal["domestic", "international"] | None
    toggles: tuple[str, ...]
    sources: dict[str, Any]
    again: dict[str, Any] | None
    entry: dict[str, Any]


@routes.add("GET", "/api/operator/decisions", Rule.AUDITOR)
async def decisions(visit: Visit, query: DecisionPage) -> PastDecisions:
    """Decisions, newest first."""
    chains, node = visit.parts.licence.journal, query.node or visit.parts.settings.node
    found: list[PastDecision] = []
    looked_to: int | None = None
    async with reading():
        heads = {head.node: head for head in await chains.heads()}
        last = heads[node].seq + 1 if node in heads else 0
        before, looked = last if query.before is None else min(query.before, last), 0
        while before - 1 > query.after and looked < LOOKED_AT and len(found) < query.limit:
            entries, rest = await newest(chains, node, query, before)
            looked += max(1, before - rest if query.reads_all else len(entries))
            before = rest
            looked_to = entries[-1].said_at if entries else looked_to
            for one in meant(entries, query):
                found.append(one)
                if len(found) == query.limit:
                    before, looked_to = one.seq, one.at
                    break
    more = before if before > query.after + 1 else None
    return PastDecisions(decisions=tuple(found), before=more, looked_to=looked_to)


async def newest(chains: Chains, node: str, query: DecisionPage, before: int) -> tuple[list[Entry], int]:
    """The next entries that may be meant, the newest first, and before which number those behind them are."""
    if not query.reads_all:
        entries = list(await chains.refusals_of(node, query.after, before, CHUNK))
        return entries, entries[-1].seq if len(entries) == CHUNK else query.after + 1
    chunk = CHUNK if query.marks() else query.limit + FEW  # all but a few entries are decisions
    after = max(query.after, before - 1 - chunk)
    return [*reversed(await chains.entries_of(node, after, before - 1 - after))], after + 1


def meant(entries: Iterable[Entry], query: DecisionPage) -> Iterator[PastDecision]:
    """The decisions among these that the query means."""
    marks = query.marks()
    for entry in entries:
        if entry.kind == "decision" and all(mark in entry.body for mark in marks):
            decided = past(entry)
            if query.means(decided):
                yield decided


@routes.add("GET", "/api/operator/journal/{subject}", Rule.AUDITOR)
async def journal_about(visit: Visit) -> JournalEntries:
    """Every entry about a decision, a call, a permit, a toggle or a switch."""
    async with reading():
        entries = await visit.parts.licence.journal.about(visit.request.match_info["subject"])
    return JournalEntries(
        entries=tuple(
            JournalEntry(
                node=entry.node,
                seq=entry.seq,
                at=entry.said_at,
                kind=entry.kind,
                subject=entry.subject,
                hash=entry.hash,
                body=json.loads(entry.body),
            )
            for entry in entries
        )
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
        reach=found.reach,
        toggles=found.toggles,
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
