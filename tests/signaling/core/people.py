"""Who is who in the tests of a call, and calls that have come as far as a test wants them."""

from collections.abc import Sequence

from licensing.instant import Instant
from signaling.core import events
from signaling.core.call import Call, Phase, place
from signaling.core.effects import Effect
from signaling.core.party import Party
from wephone.protocol.ids import CallId, DeviceId, UserId
from wephone.protocol.messages import Candidate, Media, Refusal, RefusalText
from wephone.protocol.reasons import EndReason

NOW = Instant(0, 0)
ID = CallId("00000000-0000-4000-8000-000000000001")
OTHER_ID = CallId("ffffffff-0000-4000-8000-000000000002")
ALICE, BOB, EVE = UserId("alice"), UserId("bob"), UserId("eve")
PHONE = DeviceId("00000000-0000-4000-8000-00000000000a")
LAPTOP = DeviceId("00000000-0000-4000-8000-00000000000b")
TABLET = DeviceId("00000000-0000-4000-8000-00000000000c")
CALLER = Party(ALICE, PHONE)
CALLEE = Party(BOB, PHONE)  # who answers, if anybody does
OTHER = Party(BOB, LAPTOP)  # rings too
STRANGERS = (Party(EVE, PHONE), Party(ALICE, LAPTOP), Party(BOB, TABLET))
NONCE, COMMITMENT = "1" * 64, "2" * 64
FOUND = (Candidate(candidate="candidate:1"),)

NO = Refusal(code="no", text=RefusalText(en="no", zh_cn="不"))
ANSWERED = events.Answered(CALLEE, "answer", NONCE)
# What leads from the invite into each phase.
WAYS: dict[Phase, Sequence[events.Event]] = {
    Phase.ROUTING: (),
    Phase.ANNOUNCING: (events.Refused(NO, teller=PHONE),),
    Phase.OFFERED: (events.Allowed(),),
    Phase.DELIVERED: (events.Allowed(), events.Delivered(CALLEE)),
    Phase.ALERTING: (events.Allowed(), events.Delivered(CALLEE), events.Alerting(CALLEE)),
    Phase.GLARED: (events.Allowed(), events.Glared(CALLEE, OTHER_ID)),
    Phase.SELECTED: (events.Allowed(), ANSWERED),
    Phase.ACTIVE: (events.Allowed(), ANSWERED, events.AnswerRecorded()),
    Phase.ENDED: (
        events.Allowed(),
        ANSWERED,
        events.AnswerRecorded(),
        events.HungUp(CALLER, EndReason.HANGUP),
    ),
}


def placed() -> Call:
    """A call from alice's phone to bob, who has a phone and a laptop."""
    call, _ = place(ID, CALLER, BOB, "offer", COMMITMENT, (Media.AUDIO,), (PHONE, LAPTOP), NOW)
    return call


def call_in(phase: Phase) -> Call:
    """The same call once it has come to this phase."""
    call = after(placed(), *WAYS[phase])[0]
    assert call.phase is phase
    return call


def after(call: Call, *happened: events.Event) -> tuple[Call, tuple[Effect, ...]]:
    """The call after these events, and the effects of the last one."""
    effects: tuple[Effect, ...] = ()
    for event in happened:
        call, effects = call.receive(event, NOW)
    return call, effects
