"""What a device knows of one of its calls, and what it says of it more than once."""

from dataclasses import dataclass
from enum import StrEnum

from wephone.core import events
from wephone.core.effects import CallEffect, Send
from wephone.core.negotiation import Negotiation
from wephone.protocol import messages
from wephone.protocol.ids import CallId, DeviceId, Peer
from wephone.protocol.messages import Candidate, ClientMessage, Media, Progress, Role

SECOND = 1_000_000_000
GRACE = 5 * SECOND  # for the server's own end to arrive before ours
INVITE = 90 * SECOND  # the server rings no longer
ANSWER = 30 * SECOND  # for the server's word after our answer, or after glare
ENDING = 5 * SECOND  # the person waits no longer to see a call end


class Phase(StrEnum):
    """How far a call has come, as this device knows it."""

    PREPARING = "preparing"  # ours: the media describes it
    CALLING = "calling"  # ours: the invite is out
    AWAITED = "awaited"  # by glare our call became this one; its offer is still to come
    RINGING = "ringing"  # theirs
    ACCEPTED = "accepted"  # theirs: the media describes our answer
    ANSWERED = "answered"  # theirs: our answer is out
    ACTIVE = "active"
    ENDING = "ending"  # our word to end it is out
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class CallState:
    """One call on this device, as a value."""

    id: CallId
    role: Role
    peer: str
    phase: Phase
    change: Negotiation
    replaces: CallId | None = None  # the call that was handed over to us by this one
    nonce: str = ""  # ours
    ours: str = ""  # our first description
    theirs: str = ""  # their first description
    early: str = ""  # a provisional one of theirs
    commitment: str = ""  # of the caller's nonce
    their_nonce: str = ""
    peer_device: DeviceId | None = None
    progress: Progress | None = None
    forwarded_to: Peer | None = None  # who is called now, if not `peer`
    alerted: bool = False  # we said that we ring
    found: tuple[Candidate, ...] = ()  # our candidates
    found_all: bool = False
    heard: tuple[Candidate, ...] = ()  # theirs, before we may use them
    heard_all: bool = False
    connected: bool = False
    last_word: ClientMessage | None = None  # our hang-up or rejection, until the server confirms it
    handing_over: bool = False  # we asked the other side to call somebody else
    fault: str = ""  # why no sound can pass, once that is so
    ending: events.Ending | None = None  # what the application was told of an end to come
    over: events.Ended | None = None  # what the application was told

    @property
    def media(self) -> tuple[Media, ...]:
        """What the call carries."""
        return self.change.media


Step = tuple[CallState, tuple[CallEffect, ...]]


def invite(call: CallState) -> messages.Invite:
    """The invite; sent again after a broken link, it starts no second call."""
    return messages.Invite(
        call=call.id,
        to=call.peer,
        sdp=call.ours,
        media=call.media,
        commitment=call.commitment,
        replaces=call.replaces,
    )


def answer(call: CallState) -> messages.Answer:
    """Our answer; said again it is the same."""
    return messages.Answer(call=call.id, sdp=call.ours, nonce=call.nonce)


def trickled(call: CallState) -> tuple[CallEffect, ...]:
    """All our candidates so far, in one frame."""
    if not call.found and not call.found_all:
        return ()
    return (Send(messages.SendCandidates(call=call.id, candidates=call.found, end=call.found_all)),)
