"""A device's stay on a server, over connections that break: each thing reaches the application once."""

from dataclasses import replace

import pytest

from tests.core.people import (
    ALICE,
    ANSWERED,
    AUDIO,
    BOB,
    DEVICE,
    ID,
    INCOMING,
    OTHER_ID,
    OURS,
    numbered,
    sent,
    signed_in,
    told,
    welcome,
)
from wephone.core import effects as out
from wephone.core import events, inputs
from wephone.core.call import Phase
from wephone.core.session import ACK_EVERY, FIRST_DELAY, LONGEST_DELAY, MAX_CALLS, Link, Session, delay
from wephone.protocol import messages
from wephone.protocol.ids import CallId, MessageId
from wephone.protocol.messages import Role
from wephone.protocol.reasons import EndReason, ErrorCode

MESSAGE = MessageId("00000000-0000-4000-8000-0000000000aa")
MISSED = messages.Missed(call=OTHER_ID, peer=BOB, at=1)
GLARE = messages.Ended(call=OTHER_ID, reason=EndReason.GLARE, survivor=ID)


def text(seq: int) -> messages.TextMessage:
    """A text for this user."""
    return messages.TextMessage(message=MESSAGE, seq=seq, sender=BOB, to=ALICE, text="hello", at=1)


def back(session: Session, resumed: bool) -> tuple[Session, tuple[out.Effect, ...]]:
    """The link breaks and is back, with or without the old session."""
    session, _ = session.closed(0.0)
    session, _ = session.opened("t" * 16)
    return session.received(welcome(resumed), 0)


# Numbers


def test_an_event_is_told_once_however_often_it_comes() -> None:
    session, effects = numbered(signed_in(), MISSED)
    assert told(effects) == [MISSED.model_copy(update={"n": 2})]
    assert session.received(MISSED.model_copy(update={"n": 2}), 0) == (session, ())


def test_a_gap_costs_the_connection_and_nothing_is_told() -> None:
    session = signed_in()
    assert session.received(MISSED.model_copy(update={"n": 3}), 0) == (session, (out.Drop(),))


def test_a_numbered_event_before_the_welcome_costs_the_connection() -> None:
    session, _ = signed_in().closed(0.0)
    session, _ = session.opened("t" * 16)
    assert session.received(MISSED.model_copy(update={"n": 2}), 0) == (session, (out.Drop(),))


def test_events_are_acknowledged_by_the_eighth_or_when_all_is_quiet() -> None:
    session = signed_in()
    acknowledged = []
    for _ in range(2 * ACK_EVERY):
        session, effects = numbered(session, MISSED)
        acknowledged += [message.n for message in sent(effects) if isinstance(message, messages.Ack)]
    assert acknowledged == [8, 16]
    session, effects = session.acknowledge()
    assert sent(effects) == [messages.Ack(n=17)]
    assert session.acknowledge() == (session, ())


def test_a_connection_that_is_back_says_what_was_seen_last_and_which_calls_live() -> None:
    session, _ = numbered(signed_in(), INCOMING)
    session, _ = session.place(OTHER_ID, BOB, AUDIO, OURS)  # nobody but us knows of this one yet
    session, _ = session.closed(0.0)
    _, effects = session.opened("u" * 16)
    [hello] = sent(effects)
    assert isinstance(hello, messages.Hello)
    assert hello.resume == messages.Resume(session=welcome(True).session, n=2)
    assert hello.calls == (ID,)


def test_hello_names_no_more_calls_than_a_frame_may_hold() -> None:
    session = signed_in()
    for number in range(MAX_CALLS + 5):
        call = CallId(f"00000000-0000-4000-8000-{number:012}")
        session, _ = numbered(session, INCOMING.model_copy(update={"call": call}))
    [hello] = sent(session.opened("t" * 16)[1])
    assert isinstance(hello, messages.Hello)
    assert len(hello.calls) == MAX_CALLS


# The link


def test_it_comes_back_sooner_at_first_and_never_later_than_ten_seconds() -> None:
    assert delay(0, 0.0) == FIRST_DELAY // 2
    assert delay(0, 1.0) == FIRST_DELAY
    assert delay(1_000, 1.0) == LONGEST_DELAY
    assert all(delay(n, 0.5) <= delay(n + 1, 0.5) for n in range(20))


def test_a_lost_link_is_told_once_and_tried_again() -> None:
    session, effects = signed_in().closed(1.0)
    assert effects == (out.Tell(out.LinkLost()), out.Reconnect(FIRST_DELAY))
    _, effects = session.closed(1.0)
    assert effects == (out.Reconnect(2 * FIRST_DELAY),)


def test_without_a_link_no_frame_leaves_and_all_is_said_when_it_is_back() -> None:
    session, _ = signed_in().closed(0.0)
    session, _ = session.place(ID, BOB, AUDIO, OURS)
    session, effects = session.tell_call(ID, inputs.OfferCreated("offer"), 0)
    assert sent(effects) == []
    session, effects = back(session, resumed=True)
    assert [type(message) for message in sent(effects)] == [messages.Invite]


def test_who_is_signed_out_has_no_calls_and_does_not_come_back() -> None:
    session, _ = numbered(signed_in(), INCOMING)
    session, effects = numbered(session, messages.SignedOut(reason="revoked"))
    assert [type(event) for event in told(effects)] == [messages.SignedOut, events.Ended]
    assert session.calls == ()
    assert session.closed(0.0) == (session, ())
    assert session.received(MISSED, 0) == (session, ())


def test_a_version_that_is_not_spoken_ends_it_for_good() -> None:
    error = messages.Error(code=ErrorCode.UNSUPPORTED_VERSION, text="")
    session, _ = signed_in().received(error, 0)
    assert session.link is Link.OVER


# Resync


def test_a_call_that_the_server_lists_goes_on_and_one_it_does_not_is_asked_about() -> None:
    session, _ = numbered(signed_in(), INCOMING)
    session, _ = numbered(session, INCOMING.model_copy(update={"call": OTHER_ID}))
    session, effects = back(session, resumed=False)
    assert sent(effects) == []  # not before it is known what there is
    snapshot = messages.CallSnapshot(call=ID, role=Role.CALLEE, peer=BOB, answered=False, media=AUDIO)
    session, effects = numbered(session, messages.Resync(calls=(snapshot,)))
    assert sent(effects) == [messages.Delivered(call=ID), messages.Hangup(call=OTHER_ID)]
    listed, unlisted = session.call(ID), session.call(OTHER_ID)
    assert listed is not None
    assert unlisted is not None
    assert (listed.phase, unlisted.phase) == (Phase.RINGING, Phase.ENDING)


def test_a_listed_call_that_is_not_here_is_hung_up() -> None:
    snapshot = messages.CallSnapshot(call=ID, role=Role.CALLEE, peer=BOB, answered=True, media=AUDIO)
    session, _ = back(signed_in(), resumed=False)
    _, effects = numbered(session, messages.Resync(calls=(snapshot,)))
    assert sent(effects) == [messages.Hangup(call=ID)]


# Texts


def test_a_text_is_told_once_and_its_arrival_said_every_time() -> None:
    session, effects = numbered(signed_in(), text(5))
    assert len(told(effects)) == 1
    assert sent(effects) == [messages.Received(seq=5)]
    session, effects = numbered(session, text(5))
    assert told(effects) == []
    assert sent(effects) == [messages.Received(seq=5)]


def test_what_the_application_has_from_an_earlier_stay_is_not_told_again() -> None:
    session = replace(signed_in(), text_seq=9)
    assert told(numbered(session, text(9))[1]) == []
    assert len(told(numbered(session, text(10))[1])) == 1


def test_a_text_is_sent_on_every_connection_until_it_is_accepted() -> None:
    session, effects = signed_in().write(MESSAGE, "bob", "hello")
    [written] = sent(effects)
    session, effects = back(session, resumed=True)
    assert sent(effects) == [written]
    session, _ = numbered(session, messages.TextAccepted(message=MESSAGE, seq=1, at=1))
    assert sent(back(session, resumed=True)[1]) == []


def test_a_text_that_is_refused_is_not_sent_again() -> None:
    session, effects = signed_in().write(MESSAGE, "bob", "hello")
    error = messages.Error(code=ErrorCode.UNKNOWN_USER, text="", ref=sent(effects)[0].ref)
    session, effects = session.received(error, 0)
    assert told(effects) == [error]
    assert sent(back(session, resumed=True)[1]) == []


def test_of_read_marks_only_the_furthest_waits_for_the_link() -> None:
    session, _ = signed_in().closed(0.0)
    session, _ = session.read(BOB, 3)
    session, _ = session.read(BOB, 7)
    session, effects = back(session, resumed=True)
    assert [message.seq for message in sent(effects) if isinstance(message, messages.Read)] == [7]
    assert sent(back(session, resumed=True)[1]) == []


# Glare


def calling() -> Session:
    """A session whose person calls bob."""
    session, _ = signed_in().place(OTHER_ID, BOB, AUDIO, OURS)
    session, _ = session.tell_call(OTHER_ID, inputs.OfferCreated("offer"), 0)
    return session


@pytest.mark.parametrize("rang_first", [True, False])
def test_our_call_goes_on_as_theirs_and_is_answered_without_asking(rang_first: bool) -> None:
    session = numbered(calling(), INCOMING)[0] if rang_first else calling()
    session, effects = numbered(session, GLARE)
    assert told(effects) == [events.GoesOn(OTHER_ID, ID)]
    session, effects = numbered(session, INCOMING.model_copy(update={"answer_now": True}))
    assert [type(effect) for effect in effects] == [out.CreateAnswer]
    session, effects = session.tell_call(ID, inputs.AnswerCreated("answer"), 0)
    assert sent(effects) == [messages.Answer(call=ID, sdp="answer", nonce=OURS)]
    assert [call.id for call in session.calls] == [ID]


def test_who_had_hung_up_before_the_glare_does_not_talk_after_it() -> None:
    session, _ = calling().tell_call(OTHER_ID, inputs.HangUp(), 0)
    session, effects = numbered(session, GLARE)
    assert [message.call for message in sent(effects) if isinstance(message, messages.Hangup)] == [ID]
    session, effects = numbered(session, INCOMING.model_copy(update={"answer_now": True}))
    assert not any(isinstance(effect, out.CreateAnswer) for effect in effects)
    _, effects = numbered(session, messages.Ended(call=ID, reason=EndReason.DECLINED))
    assert told(effects) == []  # the person never heard of that call


def test_no_microphone_opens_for_an_answer_that_nobody_here_gave() -> None:
    session, effects = numbered(signed_in(), INCOMING.model_copy(update={"answer_now": True}))
    assert sent(effects) == [messages.Reject(call=ID)]
    assert session.calls == ()


# Foreign and late


def test_what_is_said_of_a_call_that_is_not_here_changes_nothing() -> None:
    session = signed_in()
    after, effects = numbered(session, ANSWERED)
    assert effects == ()
    assert after.calls == ()
    assert session.tell_call(ID, inputs.HangUp(), 0) == (session, ())


def test_a_device_that_leaves_ends_its_calls() -> None:
    session, _ = numbered(signed_in(), INCOMING)
    session, effects = session.left(0)
    assert told(effects) == [events.Ended(ID, EndReason.CONNECTION_LOST)]
    assert effects[-1] == out.Drop()
    assert session.device == DEVICE


def test_what_was_heard_is_said_only_to_a_server_that_asks_and_only_while_there_is_a_link() -> None:
    heard = messages.Heard(call=ID, packets=500, lost=2, jitter_us=900)
    for features, said in ((("hold",), ()), (("hold", "heard"), (out.Send(heard),))):
        session, _ = Session(DEVICE).opened("t" * 16)
        assert session.report(heard)[1] == ()
        session, _ = session.received(welcome(True, features), 0)
        assert session.report(heard) == (session, said)
        session, _ = session.closed(0.0)
        assert session.report(heard)[1] == ()


def test_what_is_heard_of_a_call_that_runs_is_said_only_to_a_server_that_asks_for_that() -> None:
    heard = messages.Heard(call=ID, packets=500, lost=2, jitter_us=900, so_far=True)
    for features, said in ((("heard",), ()), (("heard", "heard-so-far"), (out.Send(heard),))):
        session, _ = Session(DEVICE).opened("t" * 16)
        session, _ = session.received(welcome(True, features), 0)
        assert session.report(heard) == (session, said)
        session, _ = session.closed(0.0)
        assert session.report(heard)[1] == ()
