"""What a telephone call asks of whoever carries its sound: the port that every media backend implements.

A telephone leg has two sides. The app's speaks WebRTC: ICE, DTLS-SRTP, candidates that trickle. The trunk's
speaks RTP, plain or with keys in its description (SDES, RFC 4568). A leg goes by an id that whoever opens it
chooses. Descriptions are SDP texts; a side's newest one holds.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol, TypeAlias

from wephone.protocol.messages import Candidate

Side = Literal["app", "trunk"]
Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
Language = Literal["en", "zh-CN"]


class Capability(StrEnum):
    """What not every backend can; a call that needs one that is absent is refused or goes elsewhere."""

    TRANSCODE = "transcode"  # an app that speaks Opus alone
    ANNOUNCE = "announce"
    SRTP = "srtp"  # to the trunk
    DTMF = "dtmf"  # keys that a telephone tells of by signaling
    PACKETS = "packets"  # each is looked at: what is dropped is counted; `Heard` and `DigitHeard` are told


class Problem(StrEnum):
    """Why something cannot be done with a leg's sound."""

    BAD_DESCRIPTION = "bad_description"  # it cannot be read, or is no description of a telephone call
    NO_COMMON_CODEC = "no_common_codec"
    BAD_ADDRESS = "bad_address"  # sound would go where the trunk's may not be
    NO_SRTP = "no_srtp"  # keys were asked for and are not there, or the other way round
    NO_PORTS = "no_ports"  # all that there are carry calls
    UNKNOWN_LEG = "unknown_leg"  # not opened, or over
    TAKEN = "taken"  # this id has been opened
    OUT_OF_TURN = "out_of_turn"  # an answer to nothing
    NO_SOUND = "no_sound"  # no announcement has this name
    LACKING = "lacking"  # this backend cannot do that at all
    DOWN = "down"  # the backend is not there, or does not answer


class MediaError(Exception):
    """The one error of this port. What was asked for was not done, and the leg is as it was."""

    def __init__(self, problem: Problem, text: str) -> None:
        super().__init__(text)
        self.problem = problem


class Sound(StrEnum):
    """What can be played. The operator may put a recording of its own in the place of each."""

    REFUSED = "refused"  # this call is not permitted
    REVOKED = "revoked"  # what permitted it has ended, and so does the call
    NO_EMERGENCY = "no_emergency"  # no emergency call from here: take another telephone
    MUSIC = "music"  # while on hold; goes on until it is stopped


class Srtp(StrEnum):
    """How the trunk's sound is protected."""

    NEVER = "never"
    ALWAYS = "always"  # keys in the description (RFC 4568); plain sound is refused


@dataclass(frozen=True, slots=True)
class TrunkMedia:
    """What one trunk speaks.

    `networks` ("203.0.113.0/24"): where its sound may come from and go to. Where there are none, any address
    that is reachable from everywhere, and so no private one.
    """

    codecs: tuple[Literal["PCMU", "PCMA"], ...] = ("PCMU", "PCMA")  # best first
    srtp: Srtp = Srtp.NEVER
    networks: tuple[str, ...] = ()
    patience: float = 30.0  # seconds without a packet from a side that should send, until `TimedOut`


@dataclass(frozen=True, slots=True)
class Helper:
    """A STUN or TURN server for the app's side (RFC 7064, RFC 7065), which a backend is made with."""

    url: str
    username: str | None = None
    credential: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Descriptions:
    """What to say to each side of an outgoing leg that has been opened."""

    app: str  # an answer
    trunk: str  # an offer


@dataclass(frozen=True, slots=True)
class Tally:
    """What came from one side and went to it since the leg was opened."""

    received: int = 0  # packets of sound, taken and passed on or not
    sent: int = 0  # packets of sound
    strangers: int = 0  # packets from elsewhere, dropped
    unleased: int = 0  # packets dropped for want of a lease
    lost: int = 0  # of those that were sent to us, by their numbers
    reported_lost: int = 0  # of those we sent, as the side itself says (RFC 3550 §6.4.1)
    jitter: float = 0.0  # seconds, of what came (RFC 3550 §6.4.1)
    round_trip: float | None = None  # seconds


@dataclass(frozen=True, slots=True)
class Statistics:
    """The sound of one leg in numbers."""

    app: Tally
    trunk: Tally
    app_codec: str | None = None  # "opus", "PCMU", "PCMA"
    trunk_codec: str | None = None


# What a backend tells of, in order, leg by leg.


@dataclass(frozen=True, slots=True)
class CandidatesFound:
    """Candidates of ours that the app is to be told of; `end`: no more follow."""

    leg: str
    candidates: tuple[Candidate, ...]
    end: bool


@dataclass(frozen=True, slots=True)
class Connected:
    """The app and we have found each other and agreed on keys."""

    leg: str


@dataclass(frozen=True, slots=True)
class Heard:
    """The first packet of sound has come from this side."""

    leg: str
    side: Side


@dataclass(frozen=True, slots=True)
class DigitHeard:
    """A key was pressed (RFC 4733); what the other side can take has been passed on to it."""

    leg: str
    side: Side
    digit: str  # one of 0-9 * # A-D


@dataclass(frozen=True, slots=True)
class Played:
    """An announcement has been played to its end, or was stopped."""

    leg: str
    side: Side
    sound: Sound


@dataclass(frozen=True, slots=True)
class TimedOut:
    """Neither sound nor reports have come for too long from a side that should send. Told once a silence."""

    leg: str
    side: Side


@dataclass(frozen=True, slots=True)
class LeaseOver:
    """The lease has run out: no sound passes any more. The leg stays open, for an announcement to the app."""

    leg: str


class Ending(StrEnum):
    """Why a leg has ended by itself."""

    APP_GONE = "app_gone"  # it said goodbye, or can no longer be reached
    APP_FAILED = "app_failed"  # no way to it was found, or its certificate is not the one announced
    BACKEND_DIED = "backend_died"


@dataclass(frozen=True, slots=True)
class Ended:
    """The leg is over and what it held is free again; nothing more comes of it."""

    leg: str
    why: Ending
    text: str  # one lower-case sentence for the log
    statistics: Statistics | None = field(default=None, compare=False)  # what it came to, if that is known


Event: TypeAlias = CandidatesFound | Connected | Heard | DigitHeard | Played | TimedOut | LeaseOver | Ended


class Listener(Protocol):
    """Who is told."""

    def __call__(self, event: Event, /) -> None:
        """May not wait, nor call back into the backend before it returns."""


class MediaBackend(Protocol):
    """Carries the sound of telephone legs. Every coroutine raises MediaError, and nothing else."""

    @property
    def capabilities(self) -> frozenset[Capability]: ...

    async def open_outgoing(self, leg: str, app_offer: str, trunk: TrunkMedia) -> Descriptions:
        """A leg that an app begins: an answer for the app, an offer for the trunk."""
        ...

    async def open_incoming(self, leg: str, trunk_offer: str | None, trunk: TrunkMedia) -> str:
        """A leg that a trunk begins: an offer for the app."""
        ...

    async def open_announcement(self, leg: str, app_offer: str) -> str:
        """A leg of an app alone, that is told something by `play` and heard by nobody: an answer for the app.

        No trunk is part of it, now or later: nothing is opened towards one, a lease of it means nothing, and
        what is asked about its trunk, or about another description of the app, is UNKNOWN_LEG.
        """
        ...

    async def app_offered(self, leg: str, offer: str) -> str:
        """The app changes something (hold, resume): our answer."""
        ...

    async def app_answered(self, leg: str, answer: str) -> str:
        """The app's answer to the offer of `open_incoming`: our answer, or offer, for the trunk."""
        ...

    async def trunk_offered(self, leg: str, offer: str | None) -> str:
        """The trunk changes something (hold, address): our answer, or our offer if it made none."""
        ...

    async def trunk_answered(self, leg: str, answer: str, *, early: bool = False) -> None:
        """The trunk's answer to our newest offer, from a 2xx or ACK; a later one replaces it.

        `early`: from a 18x. The trunk may be heard under the lease, and does not hear the app, for nobody has
        answered. The app of an outgoing leg need not have been told its answer before this.
        """
        ...

    async def offer_trunk(self, leg: str, direction: Direction) -> str:
        """A new offer for the trunk: we hold ("sendonly" with music, else "inactive"), or resume."""
        ...

    def candidates(self, leg: str, candidates: tuple[Candidate, ...], end: bool) -> None:
        """The app's candidates, also before its description. Those that make no sense are left out."""
        ...

    def lease(self, leg: str, until_ns: int) -> None:
        """Sound may pass until then, on the monotonic clock of this machine; a lease replaces the one before.

        Without a live lease not one packet passes, either way, nor does any leave for the trunk.
        """
        ...

    async def press(self, leg: str, digits: str) -> None:
        """The telephone pressed these keys and said so by signaling (SIP INFO): the app hears them, one after
        the other, as it does those in the telephone's sound. Under a lease; returns at once."""
        ...

    async def play(self, leg: str, side: Side, sound: Sound, language: Language = "en") -> None:
        """Play this to one side in place of what the other says; the newest is heard. `Played` follows."""
        ...

    async def stop_playing(self, leg: str, side: Side) -> None:
        """Let the two hear each other again."""
        ...

    async def statistics(self, leg: str) -> Statistics: ...

    async def close(self, leg: str) -> Statistics | None:
        """The leg is over: no more sound, no more events. Its figures, or none if it was over already, of
        which `Ended` had told them."""
        ...
