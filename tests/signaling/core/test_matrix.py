"""Every message of a client, in every phase of a call, from everybody: the result is the one written down.

`matrix.txt` holds the results; `python -m tests.signaling.core.test_matrix` prints what they are now, to be
read before it is believed. In a cell: the error or the new phase (`=` the same call, `kept` the same phase
but something is remembered), the reason if the call ends, and who is sent what.
"""

import sys
from pathlib import Path
from typing import cast, get_args

import pytest

from licensing.instant import SECOND
from signaling.core import events
from signaling.core.call import TRANSITIONS, Call, Phase
from signaling.core.effects import Complain, Effect, RecordEnd, Send
from signaling.core.party import Party
from signaling.core.table import Row
from tests.signaling.core.people import (
    CALLEE,
    CALLER,
    FOUND,
    ID,
    NO,
    NONCE,
    NOW,
    OTHER,
    PHONE,
    STRANGERS,
    call_in,
)
from tests.simulation.switch import event_of
from wephone.protocol import messages
from wephone.protocol.messages import AnyClientMessage, ClientMessage, Role
from wephone.protocol.reasons import EndReason, ErrorCode

GOLDEN = Path(__file__).with_name("matrix.txt")
SAID: dict[str, ClientMessage] = {
    "delivered": messages.Delivered(call=ID),
    "alerting": messages.Alerting(call=ID),
    "answer": messages.Answer(call=ID, sdp="answer", nonce=NONCE),
    "reject": messages.Reject(call=ID, reason=EndReason.BUSY),
    "candidates": messages.SendCandidates(call=ID, candidates=FOUND),
    "reveal": messages.SendReveal(call=ID, nonce=NONCE),
    "negotiate-offer": messages.SendNegotiate(call=ID, kind="offer", round=1, sdp="v=0"),
    "negotiate-answer": messages.SendNegotiate(call=ID, kind="answer", round=1, sdp="v=0"),
    "negotiate-decline": messages.SendNegotiate(call=ID, kind="decline", round=1),
    "hangup": messages.Hangup(call=ID),
    "hangup-failed": messages.Hangup(call=ID, reason=EndReason.MEDIA_FAILED),
}
# Not for the machine of one call: the connection and the switch deal with these; an invite only places one.
ELSEWHERE = {"hello", "ack", "invite", "heard", "transfer", "text", "received", "read", "missed_seen"}
SPEAKERS = {
    "caller": CALLER,
    "callee": CALLEE,
    "other": OTHER,
    "stranger": STRANGERS[0],
    "other-of-caller": STRANGERS[1],
    "other-of-callee": STRANGERS[2],
}
NAMES = {CALLER: "caller", CALLEE: "callee", OTHER: "other"}
CASES = [(who, kind) for who in SPEAKERS for kind in SAID]


def said(who: str, kind: str, phase: Phase) -> tuple[Call, Call, tuple[Effect, ...]]:
    """The call before and after this party says this, and what is done."""
    before = call_in(phase)
    after, effects = before.receive(event_of(SAID[kind], SPEAKERS[who]), NOW)
    return before, after, effects


def cell(who: str, kind: str, phase: Phase) -> str:
    """One result, in few words."""
    before, after, effects = said(who, kind, phase)
    sends = ",".join(f"{NAMES[e.to]}:{word(e)}" for e in effects if isinstance(e, Send))
    complaints = [effect.code.value for effect in effects if isinstance(effect, Complain)]
    if complaints:
        return complaints[0]
    if after.phase is not phase:
        result = after.phase.value
        result += f"({after.outcome.reason})" if after.outcome else ""
    else:
        result = "=" if after == before else "kept"
    return f"{result}>{sends}" if sends else result


def word(effect: Send) -> str:
    """The type of a message."""
    return cast(str, effect.message.type)  # type: ignore[attr-defined]  # every message has one


def matrix() -> str:
    """The whole of it: a block for each speaker and message, a line for each phase."""
    blocks = []
    for who, kind in CASES:
        lines = [f"{who} {kind}", *(f"    {phase:<10} {cell(who, kind, phase)}" for phase in Phase)]
        blocks.append("\n".join(lines))
    return "\n".join(blocks) + "\n"


def test_every_result_is_the_one_that_is_written_down() -> None:
    now = matrix().splitlines()
    assert now == GOLDEN.read_text().splitlines()


def test_every_message_of_a_client_is_in_the_matrix() -> None:
    union = get_args(get_args(AnyClientMessage)[0])
    types = {model.model_fields["type"].default for model in union}
    assert types == {kind.split("-")[0] for kind in SAID} | ELSEWHERE


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize(("who", "kind"), CASES)
def test_nobody_makes_a_call_do_what_its_table_does_not_say(who: str, kind: str, phase: Phase) -> None:
    before, after, effects = said(who, kind, phase)
    row: Row | None = TRANSITIONS[phase].get(type(event_of(SAID[kind], SPEAKERS[who])))
    assert after is before or (row is not None and after.phase in row.to)
    if any(isinstance(effect, Complain) for effect in effects):
        assert after == before
        assert len(effects) == 1
    records = [effect for effect in effects if isinstance(effect, RecordEnd)]
    assert len(records) == (after.phase is Phase.ENDED and phase is not Phase.ENDED)
    for effect in effects:
        if isinstance(effect, Send) and effect.to == CALLER and phase is not Phase.ACTIVE:
            assert not isinstance(effect.message, messages.Answered | messages.Candidates)
        if isinstance(effect, Send):
            assert not isinstance(effect.message, messages.SelectAnswer)  # only a durable answer does that


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("who", [name for name, party in SPEAKERS.items() if party in STRANGERS])
@pytest.mark.parametrize("kind", SAID)
def test_a_stranger_learns_nothing_and_changes_nothing(who: str, kind: str, phase: Phase) -> None:
    before, after, effects = said(who, kind, phase)
    assert after is before
    assert effects == (Complain(SPEAKERS[who], ErrorCode.UNKNOWN_CALL),)


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("event", get_args(events.Event))
def test_no_event_leads_where_its_row_does_not(event: type[events.Event], phase: Phase) -> None:
    before = call_in(phase)
    for made in every(event):
        after, _ = before.receive(made, NOW)
        row = TRANSITIONS[phase].get(event)
        assert after is before or (row is not None and after.phase in row.to)


def every(kind: type[events.Event]) -> list[events.Event]:
    """Events of this kind, from and about everybody."""
    parties = list(SPEAKERS.values())
    match kind:
        case events.Refused:
            return [events.Refused(NO), events.Refused(NO, teller=PHONE)]
        case events.Unroutable:
            return [events.Unroutable(EndReason.UNKNOWN_USER)]
        case events.Withdrawn:
            return [events.Withdrawn(NO, NOW), events.Withdrawn(NO, NOW.after(SECOND))]
        case events.Cut:
            return [events.Cut()]
        case events.Reinstated:
            return [events.Reinstated("D-2")]
        case events.ChangeAllowed:
            return [events.ChangeAllowed(by, 1) for by in parties]
        case events.ChangeRefused:
            return [events.ChangeRefused(by, 1, NO) for by in parties]
        case events.TimedOut:
            timers = get_args(events.TimedOut.__annotations__["timer"])
            return [events.TimedOut(timer) for timer in timers]
        case events.EarlySound:
            return [events.EarlySound(by, "early") for by in parties]
        case events.LostGlare:
            return [events.LostGlare(ID)]
        case events.Glared:
            return [events.Glared(CALLEE, ID), events.Glared(OTHER, ID)]
        case events.Delivered | events.Alerting | events.DeviceArrived | events.DeviceLost | events.Returned:
            return [kind(by) for by in parties]
        case _ if kind in (events.Allowed, events.OfferNotRecorded, events.AnswerNotRecorded):
            return [kind()]
        case events.AnswerRecorded:
            return [events.AnswerRecorded()]
        case _:
            made = [event_of(message, by) for message in SAID.values() for by in parties]
            return [event for event in made if type(event) is kind]


def test_the_parties_of_the_matrix_are_who_they_are_called() -> None:
    call = call_in(Phase.ACTIVE)
    roles = {name: call.role(party) for name, party in SPEAKERS.items()}
    assert roles["caller"] is Role.CALLER
    assert roles["callee"] is roles["other"] is Role.CALLEE
    assert all(call.role(stranger) is None for stranger in STRANGERS)
    assert call.winner == Party(CALLEE.user, CALLEE.device)


if __name__ == "__main__":
    sys.stdout.write(matrix())
