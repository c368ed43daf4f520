"""Calls and sessions of one device that have come as far as a test wants them."""

from collections.abc import Sequence

from wephone.core import inputs
from wephone.core.call import Call, Phase, awaited, place, ring
from wephone.core.effects import CallEffect, Effect, Send, Tell
from wephone.core.safety import commitment
from wephone.core.session import Session, Step
from wephone.protocol import messages
from wephone.protocol.ids import CallId, DeviceId, Peer, SessionId, UserId
from wephone.protocol.messages import Candidate, ClientMessage, Media, Role, ServerMessage
from wephone.protocol.reasons import EndReason, ErrorCode

ID = CallId("00000000-0000-4000-8000-000000000001")
OTHER_ID = CallId("ffffffff-0000-4000-8000-000000000002")
DEVICE = DeviceId("00000000-0000-4000-8000-00000000000a")
THEIR_DEVICE = DeviceId("00000000-0000-4000-8000-00000000000b")
ALICE, BOB = UserId("alice"), UserId("bob")
AUDIO = (Media.AUDIO,)
OURS, THEIRS = "1" * 64, "2" * 64  # nonces
FOUND = (Candidate(candidate="candidate:1"),)

INCOMING = messages.Incoming(
    call=ID,
    peer=BOB,
    peer_device=THEIR_DEVICE,
    sdp="their offer",
    media=AUDIO,
    commitment=commitment(THEIRS),
    lifetime=60.0,
)
ANSWERED = messages.Answered(call=ID, peer_device=THEIR_DEVICE, sdp="their answer", nonce=THEIRS)
EARLY = messages.Early(call=ID, sdp="their answer")
SELECTED = messages.SelectAnswer(call=ID)

OFFERED = inputs.OfferCreated("offer")
TAKEN = (inputs.Accept(OURS), inputs.AnswerCreated("answer"), SELECTED)
HOLD = inputs.Change(AUDIO, hold=True)
NO = messages.Refusal(code="no", text=messages.RefusalText(en="no", zh_cn="不"))
ENDING = messages.Ending(call=ID, within=60.0, refusal=NO)
CHANGE = messages.Negotiate(call=ID, kind="offer", round=1, sdp="change", hold=True)
# Where a call may be: its phase, and what leads there from its beginning in that role.
PLACES: dict[tuple[Role, str], tuple[Phase, Sequence[object]]] = {
    (Role.CALLER, "preparing"): (Phase.PREPARING, ()),
    (Role.CALLER, "calling"): (Phase.CALLING, (OFFERED,)),
    (Role.CALLER, "calling, hearing"): (Phase.CALLING, (OFFERED, EARLY)),
    (Role.CALLER, "calling, winding"): (Phase.CALLING, (OFFERED, ENDING)),
    (Role.CALLER, "active"): (Phase.ACTIVE, (OFFERED, ANSWERED)),
    (Role.CALLER, "active, wishing"): (Phase.ACTIVE, (OFFERED, ANSWERED, HOLD)),
    (Role.CALLER, "active, offering"): (Phase.ACTIVE, (OFFERED, ANSWERED, HOLD, OFFERED)),
    (Role.CALLER, "active, winding"): (Phase.ACTIVE, (OFFERED, ANSWERED, ENDING)),
    (Role.CALLER, "ending"): (Phase.ENDING, (OFFERED, ANSWERED, inputs.HangUp())),
    (Role.CALLER, "ended"): (Phase.ENDED, (inputs.HangUp(),)),
    (Role.CALLEE, "awaited"): (Phase.AWAITED, ()),
    (Role.CALLEE, "ringing"): (Phase.RINGING, ()),
    (Role.CALLEE, "accepted"): (Phase.ACCEPTED, TAKEN[:1]),
    (Role.CALLEE, "answered"): (Phase.ANSWERED, TAKEN[:2]),
    (Role.CALLEE, "answered, winding"): (Phase.ANSWERED, (*TAKEN[:2], ENDING)),
    (Role.CALLEE, "active"): (Phase.ACTIVE, TAKEN),
    (Role.CALLEE, "active, answering"): (Phase.ACTIVE, (*TAKEN, CHANGE)),
    (Role.CALLEE, "ending"): (Phase.ENDING, (inputs.Decline(),)),
    (Role.CALLEE, "ended"): (Phase.ENDED, (messages.Ended(call=ID, reason=EndReason.CANCELLED),)),
}
# Everything that can come to a call.
INPUTS: dict[str, object] = {
    "Ring": inputs.Ring(),
    "Accept": inputs.Accept(OURS),
    "Decline": inputs.Decline(),
    "HangUp": inputs.HangUp(),
    "Change": HOLD,
    "Transfer": inputs.Transfer("carol"),
    "Transfer-through": inputs.Transfer(None, OTHER_ID),
    "OfferCreated": OFFERED,
    "AnswerCreated": inputs.AnswerCreated("answer"),
    "CandidatesFound": inputs.CandidatesFound(FOUND),
    "MediaConnected": inputs.MediaConnected(),
    "MediaFailed": inputs.MediaFailed(),
    "DescriptionFailed": inputs.DescriptionFailed(),
    "TimedOut-ring": inputs.TimedOut("ring"),
    "TimedOut-answer": inputs.TimedOut("answer"),
    "TimedOut-negotiate": inputs.TimedOut("negotiate"),
    "TimedOut-ending": inputs.TimedOut("ending"),
    "TimedOut-notice": inputs.TimedOut("notice"),
    "Reconnected": inputs.Reconnected(),
    "Unlisted": inputs.Unlisted(),
    "LinkGone": inputs.LinkGone(),
    "progress": messages.CallProgress(call=ID, progress=messages.Progress.ALERTING),
    "progress-forwarded": messages.CallProgress(
        call=ID, progress=messages.Progress.SENT, forwarded_to=Peer("carol")
    ),
    "early": EARLY,
    "early-refused": EARLY.model_copy(update={"refusal": NO}),
    "incoming": INCOMING,
    "answered": ANSWERED,
    "select_answer": SELECTED,
    "candidates": messages.Candidates(call=ID, candidates=FOUND),
    "reveal": messages.Reveal(call=ID, nonce=THEIRS),
    "reveal-forged": messages.Reveal(call=ID, nonce="3" * 64),
    "negotiate-offer": CHANGE,
    "negotiate-answer": messages.Negotiate(call=ID, kind="answer", round=1, sdp="changed"),
    "negotiate-decline": messages.Negotiate(call=ID, kind="decline", round=1),
    "transfer": messages.Transfer(call=ID, to="carol"),
    "transfer_failed": messages.TransferFailed(call=ID, reason=EndReason.BUSY),
    "ending": ENDING,
    "ending_cancelled": messages.EndingCancelled(call=ID),
    "ended": messages.Ended(call=ID, reason=EndReason.HANGUP),
    "ended-forwarded": messages.Ended(
        call=ID, reason=EndReason.NO_ANSWER, forwarded_to=Peer("+86138••••8000")
    ),
    "error": messages.Error(call=ID, code=ErrorCode.OUT_OF_PLACE, text=""),
    "error-unknown": messages.Error(call=ID, code=ErrorCode.UNKNOWN_CALL, text=""),
}


def call_in(role: Role, where: str) -> Call:
    """A call of this role that has come to this place."""
    phase, way = PLACES[role, where]
    if phase is Phase.AWAITED:
        return awaited(ID, BOB, OURS, AUDIO)
    call, _ = place(ID, BOB, AUDIO, OURS) if role is Role.CALLER else ring(INCOMING, 0)
    for event in way:
        call, _ = call.receive(event, 0)
    assert call.phase is phase
    return call


def signed_in(resumed: bool = False) -> Session:
    """A session with a link that is up, its resync seen."""
    session, _ = Session(DEVICE).opened("t" * 16)
    session, _ = session.received(welcome(resumed), 0)
    session, _ = session.received(messages.Resync(n=1), 0)
    return session


def welcome(resumed: bool, features: tuple[str, ...] = ()) -> messages.Welcome:
    """What the server says first."""
    return messages.Welcome(
        user=ALICE,
        device=DEVICE,
        session=SessionId("session-1"),
        resumed=resumed,
        now=0,
        heartbeat=20.0,
        resume_for=60.0,
        features=features,
    )


def numbered(session: Session, message: ServerMessage) -> Step:
    """The message as this session's next event."""
    return session.received(message.model_copy(update={"n": session.seen + 1}), 0)


def sent(effects: Sequence[Effect | CallEffect]) -> list[ClientMessage]:
    """The frames among the effects."""
    return [effect.message for effect in effects if isinstance(effect, Send)]


def told(effects: Sequence[Effect | CallEffect]) -> list[object]:
    """What the application hears."""
    return [effect.event for effect in effects if isinstance(effect, Tell)]
