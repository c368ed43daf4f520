"""What the server and its media process say to each other: one JSON object a line, told apart by `type`.

`docs/media.md` explains it. A request has a number, by which it is answered once; the rest has none.
"""

import hmac
import json
from dataclasses import asdict
from hashlib import sha256
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from signaling.media import (
    CandidatesFound,
    Connected,
    DigitHeard,
    Direction,
    Ended,
    Event,
    Heard,
    Helper,
    Language,
    LeaseOver,
    Played,
    Problem,
    Side,
    Sound,
    Statistics,
    TimedOut,
    TrunkMedia,
)
from signaling.pstn.media.place import Place
from wephone.protocol.messages import Candidate

LONGEST = 256 * 1024  # bytes of a line: two descriptions of the largest size, and more


class Message(BaseModel):
    """Frozen, and strict about what it does not know: both ends are of one version."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Request(Message):
    """Something to be done and answered."""

    number: int


class OpenOutgoing(Request):
    """`MediaBackend.open_outgoing`; answered by `described`."""

    type: Literal["open_outgoing"] = "open_outgoing"
    leg: str
    app_offer: str
    trunk: TrunkMedia
    helpers: tuple[Helper, ...] = ()


class OpenIncoming(Request):
    """`MediaBackend.open_incoming`; answered by `said`."""

    type: Literal["open_incoming"] = "open_incoming"
    leg: str
    trunk_offer: str | None
    trunk: TrunkMedia
    helpers: tuple[Helper, ...] = ()


class OpenAnnouncement(Request):
    """`MediaBackend.open_announcement`; answered by `said`."""

    type: Literal["open_announcement"] = "open_announcement"
    leg: str
    app_offer: str
    helpers: tuple[Helper, ...] = ()


class Describe(Request):
    """A side's newer description, or a wish for one of ours.

    An offer, and an app's answer, are answered by `said`: to that side, or to the trunk; else `done`.
    `early`: the trunk's answer to ours, before anybody has answered.
    """

    type: Literal["describe"] = "describe"
    leg: str
    side: Side
    kind: Literal["offer", "answer", "early"]
    sdp: str | None


class OfferTrunk(Request):
    """`MediaBackend.offer_trunk`; answered by `said`."""

    type: Literal["offer_trunk"] = "offer_trunk"
    leg: str
    direction: Direction


class Press(Request):
    """`MediaBackend.press`; answered by `done`."""

    type: Literal["press"] = "press"
    leg: str
    digits: str


class Play(Request):
    """`MediaBackend.play`, and `stop_playing` if there is no sound; answered by `done`."""

    type: Literal["play"] = "play"
    leg: str
    side: Side
    sound: Sound | None
    language: Language = "en"


class Count(Request):
    """`MediaBackend.statistics`; answered by `counted`."""

    type: Literal["count"] = "count"
    leg: str


class Close(Request):
    """`MediaBackend.close`; answered by `counted`."""

    type: Literal["close"] = "close"
    leg: str


class Ping(Request):
    """Are you there? Answered by `done`."""

    type: Literal["ping"] = "ping"


class AddCandidates(Message):
    """`MediaBackend.candidates`: an order."""

    type: Literal["candidates"] = "candidates"
    leg: str
    candidates: tuple[Candidate, ...]
    end: bool


class SetLease(Message):
    """`MediaBackend.lease`: an order. Obeyed if the seal is right and the serial newer than any before."""

    type: Literal["lease"] = "lease"
    leg: str
    until_ns: int
    serial: int
    seal: str


class Ready(Message):
    """The first word of the process."""

    type: Literal["ready"] = "ready"


class Described(Message):
    type: Literal["described"] = "described"
    number: int
    app: str
    trunk: str


class Said(Message):
    type: Literal["said"] = "said"
    number: int
    sdp: str


class Counted(Message):
    """`statistics` is none of a leg that was over."""

    type: Literal["counted"] = "counted"
    number: int
    statistics: Statistics | None


class Done(Message):
    type: Literal["done"] = "done"
    number: int


class Refused(Message):
    """It was not done, and the leg is as it was: a `MediaError`."""

    type: Literal["refused"] = "refused"
    number: int
    problem: Problem
    text: str


class Told(Message):
    """An event of `signaling.media`, by its name and fields."""

    type: Literal["told"] = "told"
    event: str
    fields: dict[str, Any]


Asked: TypeAlias = (
    OpenOutgoing
    | OpenIncoming
    | OpenAnnouncement
    | Describe
    | OfferTrunk
    | Press
    | Play
    | Count
    | Close
    | Ping
)
Ordered: TypeAlias = AddCandidates | SetLease
Answer: TypeAlias = Described | Said | Counted | Done | Refused

_TO_PROCESS: TypeAdapter[Asked | Ordered] = TypeAdapter(
    Annotated[Asked | Ordered, Field(discriminator="type")]
)
_TO_SERVER: TypeAdapter[Answer | Ready | Told] = TypeAdapter(
    Annotated[Answer | Ready | Told, Field(discriminator="type")]
)
_EVENTS: dict[str, TypeAdapter[Any]] = {
    kind.__name__: TypeAdapter(kind)
    for kind in (CandidatesFound, Connected, DigitHeard, Ended, Heard, LeaseOver, Played, TimedOut)
}


def encoded(message: Message) -> bytes:
    """The line of a message."""
    return message.model_dump_json().encode() + b"\n"


def read_order(line: bytes) -> Asked | Ordered:
    """What the server says. ValueError if it is no message."""
    return _TO_PROCESS.validate_json(line)


def read_answer(line: bytes) -> Answer | Ready | Told:
    """What the process says. ValueError if it is no message."""
    return _TO_SERVER.validate_json(line)


def told(event: Event) -> Told:
    """An event as it is told."""
    name = type(event).__name__
    return Told(event=name, fields=_EVENTS[name].dump_python(event, mode="json"))


def event_of(message: Told) -> Event:
    """The event that was told of. ValueError if there is none of that name."""
    if message.event not in _EVENTS:
        raise ValueError(f"`{message.event}` is no event")
    event: Event = _EVENTS[message.event].validate_python(message.fields)
    return event


def sealed(key: bytes, leg: str, until_ns: int, serial: int) -> str:
    """What shows that a lease was made by whoever has this boot's key (HMAC, RFC 2104)."""
    return hmac.digest(key, f"{serial}\n{until_ns}\n{leg}".encode(), sha256).hex()


def begins(key: bytes, place: Place) -> bytes:
    """The line that the process reads from stdin: its place, and the key, which the socket never sees."""
    return json.dumps({"key": key.hex(), "place": asdict(place)}).encode() + b"\n"


def read_beginning(line: bytes) -> tuple[bytes, Place]:
    """The same, read."""
    said = json.loads(line)
    return bytes.fromhex(said["key"]), Place(**said["place"])
