"""Routes of operators about the journal: is it whole, its signed checkpoints, a copy of it for others."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from pydantic import Field, StringConstraints

from licensing.audit import Checked, Head
from licensing.checkpoint import Checkpoint, CheckpointError, verify_line
from licensing.signing import PublicKey
from signaling.api.evidence import LONGEST_PAGE, PAGE, reading
from signaling.api.problem import Problem
from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit
from signaling.checkpoints import NothingLostError, UnsignedError
from signaling.evidence import nodes, row_faults, walk
from signaling.filed import register_faults
from wephone.protocol.messages import Microseconds, Model

routes = Routes()

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
    """What to hold the journal against: heads and an epoch kept elsewhere. `names`: the clear values too."""

    heads: Annotated[tuple[ChainHead, ...], Field(max_length=1_000)] = ()
    epoch: Sequence = 0
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


class LineOfCheckpoints(Model):
    """The signed checkpoints in the database: how many, the last one, and the first that is bad."""

    count: int
    last: Sequence | None
    fault: str | None


class Verified(Model):
    """Is everything whole? `heads` are what to keep elsewhere, of the chains that are."""

    ok: bool
    entries: int
    epoch: Sequence
    lost: str | None
    checkpoints: LineOfCheckpoints
    heads: tuple[ChainHead, ...]
    chains: tuple[VerifiedChain, ...]


class VerificationProgress(Model):
    """How many entries are done, of how many; nothing of nothing if none is being verified."""

    done: int
    of: int


class CheckpointKey(Model):
    """The public half of the key by which this node signs checkpoints."""

    node: str
    id: str
    key: str


class CheckpointQuery(Model):
    """Those with a number above `after`."""

    after: Sequence = 0
    limit: Annotated[int, Field(ge=1, le=LONGEST_PAGE)] = PAGE


class SignedCheckpoint(Model):
    """One checkpoint. `document` is what `signature` (Base64, Ed25519) is made over, to the byte."""

    number: Sequence
    at: Microseconds
    node: str
    epoch: Sequence
    heads: tuple[ChainHead, ...]
    key: str
    hash: Hash
    acknowledges: str | None
    document: str
    signature: str


class SignedCheckpoints(Model):
    """In the order of their numbers."""

    checkpoints: tuple[SignedCheckpoint, ...]


class NewestCheckpoint(Model):
    """None if nothing was ever written."""

    checkpoint: SignedCheckpoint | None


class Acknowledgement(Model):
    """Why it is right that the evidence reaches less far than it once did."""

    why: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000)]


@routes.add("GET", "/api/operator/audit/head", Rule.AUDITOR)
async def audit_head(visit: Visit) -> ChainHeads:
    """The heads of all chains, to be kept on another machine."""
    async with reading():
        return ChainHeads(heads=tuple(head_of(head) for head in await visit.parts.licence.journal.heads()))


@routes.add("POST", "/api/operator/audit/verify", Rule.AUDITOR, status=200)
async def audit_verify(visit: Visit, body: Verification) -> Verified:
    """Verify the journal: every entry of every chain, the heads kept elsewhere, and the clear values."""
    parts = visit.parts
    chains, progress = parts.licence.journal, parts.progress
    kept = [Head(head.node, head.seq, head.at, head.hash) for head in body.heads]
    async with reading():
        progress.begin(sum(head.seq for head in await chains.heads()))
        try:
            signed, line = await line_of_checkpoints(visit)
            signed_heads = [head for each in signed for head in each.reach.heads]
            results = [
                verified(
                    node,
                    await walk(chains, node, [*kept, *signed_heads], names=body.names, tell=progress.more),
                    names=body.names,
                )
                for node in await nodes(chains, parts.settings.node, [*kept, *signed_heads])
            ]
        finally:
            progress.begin(0)
        epoch = parts.licence.register.snapshot.epoch
        altered = [fault.said for fault in await register_faults(chains)]
        altered += await row_faults(parts.store)
    lost = parts.checkpoints.lost or next(iter(altered), None)
    if epoch < body.epoch:
        lost = f"the register is at epoch {epoch}, and was at {body.epoch}"
    return Verified(
        ok=all(result.ok for result in results) and line.fault is None and lost is None,
        entries=sum(result.head.seq for result in results),
        epoch=epoch,
        lost=lost,
        checkpoints=line,
        heads=tuple(result.head for result in results if result.ok and result.head.seq),
        chains=tuple(results),
    )


@routes.add("GET", "/api/operator/audit/progress", Rule.AUDITOR)
async def audit_progress(visit: Visit) -> VerificationProgress:
    """How far the verification that is running has got."""
    progress = visit.parts.progress
    return VerificationProgress(done=min(progress.done, progress.of), of=progress.of)


@routes.add("GET", "/api/operator/audit/key", Rule.AUDITOR)
async def audit_key(visit: Visit) -> CheckpointKey:
    """The public key by which this node's checkpoints are checked."""
    async with reading():
        return key_of(visit, await visit.parts.checkpoints.key())


@routes.add("POST", "/api/operator/audit/key", Rule.OPERATOR, status=200, proven=True)
async def audit_rotate(visit: Visit) -> CheckpointKey:
    """Sign with another key from now on; a last checkpoint of the old one names it."""
    async with signing():
        return key_of(visit, await visit.parts.checkpoints.rotate())


@routes.add("GET", "/api/operator/audit/checkpoints", Rule.AUDITOR)
async def audit_checkpoints(visit: Visit, query: CheckpointQuery) -> SignedCheckpoints:
    """The signed checkpoints."""
    async with reading():
        found = [each for each in await visit.parts.checkpoints.all() if each.number > query.after]
    return SignedCheckpoints(checkpoints=tuple(map(signed_checkpoint, found[: query.limit])))


@routes.add("POST", "/api/operator/audit/checkpoints", Rule.OPERATOR, status=200)
async def audit_checkpoint(visit: Visit) -> NewestCheckpoint:
    """Sign how far everything reaches now; the newest checkpoint, if anything was ever written."""
    async with signing():
        made = await visit.parts.checkpoints.make()
    return NewestCheckpoint(checkpoint=None if made is None else signed_checkpoint(made))


@routes.add("POST", "/api/operator/audit/acknowledge", Rule.OPERATOR, status=200, proven=True)
async def audit_acknowledge(visit: Visit, body: Acknowledgement) -> SignedCheckpoint:
    """Accept that evidence was lost: calls to phones are possible again; the journal says who did it."""
    try:
        async with signing():
            return signed_checkpoint(await visit.parts.checkpoints.acknowledge(visit.user, body.why))
    except NothingLostError as error:
        raise Problem(409, "nothing_lost", str(error)) from None


async def line_of_checkpoints(visit: Visit) -> tuple[list[Checkpoint], LineOfCheckpoints]:
    """Those in the database, held against the key and what is kept outside of it."""
    checkpoints = visit.parts.checkpoints
    try:
        signed = list(await checkpoints.all())
    except CheckpointError as error:
        return [], LineOfCheckpoints(count=0, last=None, fault=str(error))
    own = (visit.parts.settings.node, await checkpoints.key()) if signed else None
    fault = verify_line(signed, own, checkpoints.newest)
    return signed, LineOfCheckpoints(
        count=len(signed),
        last=signed[-1].number if signed else None,
        fault=None if fault is None else f"checkpoint {fault.number} {fault.fault}",
    )


@asynccontextmanager
async def signing() -> AsyncIterator[None]:
    """What may not be signed is refused with its reason."""
    try:
        async with reading():
            yield
    except UnsignedError as error:
        raise Problem(409, "not_signed", str(error)) from None


def key_of(visit: Visit, key: PublicKey) -> CheckpointKey:
    return CheckpointKey(node=visit.parts.settings.node, id=key.id, key=str(key))


def signed_checkpoint(checkpoint: Checkpoint) -> SignedCheckpoint:
    return SignedCheckpoint(
        number=checkpoint.number,
        at=checkpoint.at,
        node=checkpoint.node,
        epoch=checkpoint.reach.epoch,
        heads=tuple(map(head_of, checkpoint.reach.heads)),
        key=str(checkpoint.key),
        hash=checkpoint.hash,
        acknowledges=checkpoint.acknowledges,
        document=checkpoint.document,
        signature=base64.b64encode(checkpoint.signature).decode(),
    )


def head_of(head: Head) -> ChainHead:
    return ChainHead(node=head.node, seq=head.seq, at=head.at, hash=head.hash)


def verified(node: str, walked: Checked, *, names: bool) -> VerifiedChain:
    """The result of a walk."""
    broken = walked.broken
    return VerifiedChain(
        node=node,
        ok=walked.sound,
        head=head_of(walked.head),
        fault=None if broken is None else Fault(seq=broken.seq, fault=broken.fault),
        names=ClearValues(**walked.clear) if names else None,
        altered=tuple(walked.altered),
    )
