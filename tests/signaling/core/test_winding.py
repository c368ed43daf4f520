"""A call whose permit is lost, and what winding down leaves of it."""

from licensing.instant import SECOND
from signaling.core import events
from signaling.core.call import Call, Phase
from signaling.core.effects import AskChange, Effect, RecordCourse, RecordEnd, Send, StartTimer
from signaling.core.party import Party
from tests.signaling.core.people import CALLEE, CALLER, NOW, after, call_in
from wephone.protocol.messages import Ended, Ending, EndingCancelled, Media, Negotiate, Refusal, RefusalText
from wephone.protocol.reasons import EndReason

SUSPENDED = Refusal(code="DENY_PERMIT_SUSPENDED", text=RefusalText(en="no", zh_cn="不"), decision="D-1")
REVOKED = SUSPENDED.model_copy(update={"code": "DENY_PERMIT_REVOKED", "decision": "D-2"})
IN_A_MINUTE, SOONER = NOW.after(60 * SECOND), NOW.after(30 * SECOND)
BOTH = (Media.AUDIO, Media.VIDEO)


def offer(media: tuple[Media, ...], number: int = 1, by: Party = CALLER) -> events.Negotiated:
    return events.Negotiated(by, "offer", "v=0", media, hold=False, round=number)


def told(effects: tuple[Effect, ...]) -> list[tuple[Party, object]]:
    return [(effect.to, effect.message) for effect in effects if isinstance(effect, Send)]


def talking_with_video() -> Call:
    answer = events.Negotiated(CALLEE, "answer", "v=0", BOTH, hold=False, round=1)
    call, effects = after(call_in(Phase.ACTIVE), offer(BOTH), events.ChangeAllowed(CALLER, 1), answer)
    assert RecordCourse(call.id, BOTH, None) in effects
    return call


def test_both_hear_how_long_they_have_and_why() -> None:
    call, effects = after(call_in(Phase.ACTIVE), events.Withdrawn(SUSPENDED, IN_A_MINUTE))
    notice = Ending(call=call.id, within=60.0, refusal=SUSPENDED)
    assert told(effects) == [(CALLER, notice), (CALLEE, notice)]
    assert StartTimer("notice", IN_A_MINUTE) in effects
    assert RecordCourse(call.id, (Media.AUDIO,), IN_A_MINUTE) in effects
    assert call.snapshot(CALLER, SOONER) is not None
    ended, effects = after(call, events.TimedOut("notice"))
    assert ended.phase is Phase.ENDED
    over = Ended(call=call.id, reason=EndReason.LICENCE_WITHDRAWN, refusal=SUSPENDED)
    assert told(effects) == [(CALLER, over), (CALLEE, over)]


def test_a_second_loss_never_gives_more_time() -> None:
    call, _ = after(call_in(Phase.ACTIVE), events.Withdrawn(REVOKED, SOONER))
    later, _ = after(call, events.Withdrawn(SUSPENDED, IN_A_MINUTE))
    assert later.notice is not None
    assert (later.notice.deadline, later.notice.refusal) == (SOONER, SUSPENDED)


def test_no_time_at_all_is_an_end_at_once() -> None:
    call, effects = after(call_in(Phase.ACTIVE), events.Withdrawn(SUSPENDED, NOW))
    assert call.phase is Phase.ENDED
    assert not any(isinstance(message, Ending) for _, message in told(effects))


def test_what_nobody_has_answered_ends_at_once_and_is_missed() -> None:
    call, effects = after(call_in(Phase.ALERTING), events.Withdrawn(SUSPENDED, IN_A_MINUTE))
    assert call.phase is Phase.ENDED
    [record] = [effect for effect in effects if isinstance(effect, RecordEnd)]
    assert (record.reason, record.missed) == (EndReason.LICENCE_WITHDRAWN, True)


def test_a_permit_that_is_back_takes_the_end_back_for_both() -> None:
    call, effects = after(
        call_in(Phase.ACTIVE), events.Withdrawn(SUSPENDED, IN_A_MINUTE), events.Reinstated("D-3")
    )
    goes_on = EndingCancelled(call=call.id, decision="D-3")
    assert told(effects) == [(CALLER, goes_on), (CALLEE, goes_on)]
    assert after(call, events.TimedOut("notice")) == (call, ())


def test_other_media_are_asked_for_before_the_other_side_hears_of_them() -> None:
    call, effects = after(call_in(Phase.ACTIVE), offer(BOTH))
    assert AskChange(call.id, CALLER, 1, BOTH) in effects
    assert told(effects) == []
    allowed, effects = after(call, events.ChangeAllowed(CALLER, 1))
    assert [to for to, _ in told(effects)] == [CALLEE]
    refused, effects = after(call, events.ChangeRefused(CALLER, 1, SUSPENDED))
    no = Negotiate(call=call.id, kind="decline", round=1, refusal=SUSPENDED)
    assert told(effects) == [(CALLER, no)]
    assert refused.phase is allowed.phase is Phase.ACTIVE


def test_hold_needs_nobodys_leave() -> None:
    _, effects = after(call_in(Phase.ACTIVE), offer((Media.AUDIO,)))
    assert [to for to, _ in told(effects)] == [CALLEE]


def test_what_winds_down_gets_no_video_and_may_give_it_up() -> None:
    call, _ = after(call_in(Phase.ACTIVE), events.Withdrawn(SUSPENDED, IN_A_MINUTE))
    same, effects = after(call, offer(BOTH))
    assert same == call
    assert told(effects) == [(CALLER, Negotiate(call=call.id, kind="decline", round=1, refusal=SUSPENDED))]
    seen, _ = after(talking_with_video(), events.Withdrawn(SUSPENDED, IN_A_MINUTE))
    _, effects = after(seen, offer((Media.AUDIO,), 2))
    assert [to for to, _ in told(effects)] == [CALLEE]


def test_video_that_was_asked_for_before_the_loss_does_not_come_after_it() -> None:
    call, effects = after(call_in(Phase.ACTIVE), offer(BOTH), events.Withdrawn(SUSPENDED, IN_A_MINUTE))
    assert (CALLER, Negotiate(call=call.id, kind="decline", round=1, refusal=SUSPENDED)) in told(effects)
    assert after(call, events.ChangeAllowed(CALLER, 1)) == (call, ())
