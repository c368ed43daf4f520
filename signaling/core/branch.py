"""The parts of a call: one branch a callee device, what each side trickled, the running negotiation."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from licensing.instant import Instant
from signaling.core.events import CandidatesFound, Negotiated
from signaling.core.party import Party
from wephone.protocol.ids import CallId, DeviceId
from wephone.protocol.messages import MAX_CANDIDATES, Candidate, Candidates, Refusal, Role
from wephone.protocol.reasons import EndReason


class Standing(StrEnum):
    """What a device of the callee knows of the call."""

    QUEUED = "queued"  # online while the gate decides: it knows nothing yet
    INVITED = "invited"  # the call is on it
    LOST = "lost"  # the call was on it when its connection went
    TOLD = "told"  # it heard how the call ended for it


@dataclass(frozen=True, slots=True)
class Trickle:
    """One party's ICE candidates since its last description, in order, each once (RFC 8838 §8).

    Kept, not only counted: the callee's are withheld until the answer is durable, and a device that lost
    its session needs the other side's again.
    """

    candidates: tuple[Candidate, ...] = ()
    end: bool = False

    def add(self, event: CandidatesFound) -> Self | None:
        """With these too; itself if it had them all; None if they are more than a party may send."""
        held = {address(candidate) for candidate in self.candidates}
        new = tuple(c for c in event.candidates if address(c) not in held)
        if not new and event.end <= self.end:
            return self
        if len(self.candidates) + len(new) > MAX_CANDIDATES:
            return None
        return replace(self, candidates=self.candidates + new, end=self.end or event.end)

    def message(self, call: CallId) -> Candidates | None:
        """All of them in one frame, or None if there is nothing to say."""
        if not self.candidates and not self.end:
            return None
        return Candidates(call=call, candidates=self.candidates, end=self.end)


def address(candidate: Candidate) -> tuple[str, str | None, int | None]:
    """What makes two candidates the same."""
    return candidate.candidate, candidate.sdp_mid, candidate.sdp_mline_index


NOTHING = Trickle()


@dataclass(frozen=True, slots=True)
class Branch:
    """The call on one device of the callee (a branch of a forked request, RFC 3261 §16)."""

    device: DeviceId
    standing: Standing = Standing.QUEUED
    told: EndReason | None = None
    trickle: Trickle = NOTHING


Branches = tuple[Branch, ...]


def with_branch(branches: Branches, branch: Branch) -> Branches:
    """The branches, this one added or in its device's place, ordered by device."""
    others = [other for other in branches if other.device != branch.device]
    return tuple(sorted([*others, branch], key=lambda each: each.device))


def queued(devices: Iterable[DeviceId]) -> Branches:
    """One branch for each device that is online when the call is placed."""
    return tuple(Branch(device) for device in sorted(set(devices)))


@dataclass(frozen=True, slots=True)
class Negotiation:
    """The last change that was offered; `offer` until it is answered, declined or too old."""

    by: Party
    round: int
    offer: Negotiated | None
    asking: bool = False  # whether the gate allows it: the other side has not heard of it


@dataclass(frozen=True, slots=True)
class Notice:
    """The end that both were told of: when the call has to be over, and why."""

    refusal: Refusal
    deadline: Instant


@dataclass(frozen=True, slots=True)
class Early:
    """Who can be heard before the answer, and by which description: its answer will say the same."""

    device: DeviceId
    sdp: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The winner's answer: kept, so that a caller who lost its session can have it again."""

    sdp: str
    nonce: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the call ended, for both parties; the devices that did not win have their own `told`."""

    reason: EndReason
    by: Role | None = None
    refusal: Refusal | None = None
    survivor: CallId | None = None
