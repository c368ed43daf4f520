"""What Python's half of a call and session is told and does, for the browser's half to be held to.

An input is `{"input": kind, ...}`, an effect `{"effect": kind, ...}`, an event `{"event": kind, ...}`, a
message as it is on the wire; times are milliseconds; what is none is left out.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import fields
from enum import Enum
from typing import Any

from pydantic import BaseModel

from tests.core.people import (
    ALICE,
    AUDIO,
    BOB,
    DEVICE,
    ID,
    INCOMING,
    INPUTS,
    OTHER_ID,
    OURS,
    PLACES,
    call_in,
    welcome,
)
from wephone.core import effects as out
from wephone.core import inputs
from wephone.core.call import Call
from wephone.core.events import CallEvent
from wephone.core.session import Session, Step
from wephone.protocol import messages
from wephone.protocol.ids import MessageId
from wephone.protocol.messages import Media, Role
from wephone.protocol.reasons import EndReason, ErrorCode

NANOSECONDS = {"deadline", "after"}
TEXT = MessageId("00000000-0000-4000-8000-0000000000aa")


def plain(value: Any) -> Any:
    """The value as JSON has it."""
    match value:
        case BaseModel():
            return value.model_dump(mode="json", exclude_none=True, by_alias=True)
        case out.Tell(event) if isinstance(event, BaseModel):
            return {"effect": "Tell", "event": {"event": "Message", "message": plain(event)}}
        case Enum():
            return value.value
        case tuple() | list():
            return [plain(each) for each in value]
        case None | str() | bool() | int() | float():
            return value
    kind = "effect" if isinstance(value, out.Effect) else "input"
    if isinstance(value, CallEvent | out.LinkLost):
        kind = "event"
    body = {field.name: getattr(value, field.name) for field in fields(value)}
    shown = {
        name: each / 1e6 if name in NANOSECONDS else plain(each)
        for name, each in body.items()
        if each is not None
    }
    return {kind: type(value).__name__, **shown}


def of_calls() -> list[dict[str, Any]]:
    """Every input in every place that a call may be in."""
    cases = []
    for role, where in PLACES:
        before = call_in(role, where)
        for name, event in INPUTS.items():
            after, effects = before.receive(event, 0)
            cases.append(
                {
                    "name": f"{role} {where}: {name}",
                    "role": role,
                    "way": plain(PLACES[role, where][1]),
                    "awaited": where == "awaited",
                    "event": plain(event),
                    "phase": after.phase,
                    "effects": plain(effects),
                }
            )
    return cases


def beginnings() -> dict[str, Any]:
    """How the calls of `of_calls` begin."""
    return {"id": ID, "peer": BOB, "media": plain(AUDIO), "nonce": OURS, "incoming": plain(INCOMING)}


# Histories of a session

Op = tuple[str, tuple[Any, ...]]


def of_session(dice: random.Random, length: int) -> list[dict[str, Any]]:
    """One history: each step with what the session was told and what it did."""
    session = Session(DEVICE, "a device", "a test", ("hold",))
    steps = []
    for _ in range(length):
        op, told = dice.choice(MOVES)(session, dice)
        session, effects = carried_out(session, op, told)
        steps.append(
            {
                "op": op,
                "told": plain(told),
                "effects": plain(effects),
                "link": session.link,
                "calls": [f"{call.id} {call.phase}" for call in session.calls],
            }
        )
    return steps


def carried_out(session: Session, op: str, told: Sequence[Any]) -> Step:
    """The step that this operation is."""
    step: Callable[..., Step] = getattr(session, op)
    return step(*told)


def link(session: Session, dice: random.Random) -> Op:
    """The connection opens, or breaks."""
    if session.link == "down":
        return "opened", ("t" * 16,)
    return dice.choice([("closed", (0.25,)), *[("acknowledge", ())] * 4])


def said(session: Session, dice: random.Random) -> Op:
    """The server says something, in the right order most of the time."""
    if session.link == "greeting":
        features = dice.choice([(), ("heard",), ("heard", "heard-so-far")])
        return "received", (welcome(dice.random() < 0.5, features), 0)
    message = dice.choice(SAID)(session, dice)
    if "n" in type(message).model_fields and not isinstance(message, messages.Error):
        n = session.seen + dice.choice([1] * 20 + [0, 2])
        message = message.model_copy(update={"n": n})
    return "received", (message, dice.randrange(1_000) * 1_000_000)


def wished(session: Session, dice: random.Random) -> Op:
    """The person, the media or a clock."""
    choices: list[Op] = [
        ("place", (dice.choice([ID, OTHER_ID]), "bob", (Media.AUDIO,), OURS)),
        ("write", (TEXT, "bob", "hello")),
        ("read", (BOB, dice.randrange(1, 9))),
        ("missed_seen", ((OTHER_ID,),)),
        ("report", (messages.Heard(call=ID, packets=9, lost=1, jitter_us=2, rtt_us=3),)),
        ("report", (messages.Heard(call=ID, packets=4, lost=0, jitter_us=2, so_far=True),)),
    ]
    if session.calls and dice.random() < 0.8:
        call: Call = dice.choice(session.calls)
        wanted = [
            each for each in INPUTS.values() if isinstance(each, inputs.CallInput) and call.allows(type(each))
        ]
        if wanted:
            return "tell_call", (call.id, dice.choice(wanted), dice.randrange(1_000) * 1_000_000)
    known = {call.id for call in session.calls}
    return dice.choice([each for each in choices if each[0] != "place" or each[1][0] not in known])


def about_call(session: Session, dice: random.Random) -> messages.ServerMessage:
    """The server's word on one of two calls."""
    words = [each for each in INPUTS.values() if isinstance(each, messages.ServerMessage)]
    word: messages.ServerMessage = dice.choice(words)
    return word.model_copy(update={"call": dice.choice([ID, OTHER_ID])})


def glared(session: Session, dice: random.Random) -> messages.ServerMessage:
    """Our call gives way to theirs, and theirs is to be answered at once."""
    if dice.random() < 0.5:
        return messages.Ended(call=OTHER_ID, reason=EndReason.GLARE, survivor=ID)
    return INCOMING.model_copy(update={"answer_now": True})


def listed(session: Session, dice: random.Random) -> messages.ServerMessage:
    """A resync that knows of some calls."""
    known = [
        messages.CallSnapshot(call=call, role=Role.CALLER, peer=BOB, answered=True, media=AUDIO)
        for call in (ID, OTHER_ID)
        if dice.random() < 0.6
    ]
    return messages.Resync(calls=tuple(known))


def beside(session: Session, dice: random.Random) -> messages.ServerMessage:
    """What is not about a call."""
    return dice.choice(
        [
            messages.Missed(call=OTHER_ID, peer=BOB, at=1),
            messages.TextMessage(
                message=TEXT, seq=dice.randrange(1, 9), sender=BOB, to=ALICE, text="你好", at=1
            ),
            messages.TextAccepted(message=TEXT, seq=3, at=1),
            messages.Receipt(kind="read", peer=BOB, seq=3, at=1),
            messages.Draining(within=30.0),
            messages.Error(code=ErrorCode.SLOW_DOWN, text="wait", ref=dice.randrange(1, 5)),
        ]
    )


SAID = [about_call] * 8 + [glared, listed] + [beside] * 3
MOVES = [link] * 2 + [said] * 6 + [wished] * 5
