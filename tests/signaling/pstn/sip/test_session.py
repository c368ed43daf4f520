"""An answered leg: one change at a time, and an end that is confirmed or said not to be."""

from dataclasses import replace

import pytest

from licensing.instant import SECOND, Instant
from signaling.pstn.sip.answer import respond
from signaling.pstn.sip.dialog import dialog_of_callee, dialog_of_caller
from signaling.pstn.sip.headers import Address, CSeq, Via
from signaling.pstn.sip.message import Request, Response, parse
from signaling.pstn.sip.problem import SipError
from signaling.pstn.sip.refresh import Expiry, Watch, accepted, expiry, minimum
from signaling.pstn.sip.session import Phase, Session, answered_by_peer, answered_by_us
from signaling.pstn.sip.session_events import (
    Ask,
    Came,
    Change,
    Changed,
    Effect,
    Ended,
    Event,
    Heard,
    HungUp,
    Offered,
    Parted,
    Reply,
    Say,
    SendAck,
    StartTimer,
    TimedOut,
    Unanswered,
    WantRefresh,
)
from signaling.pstn.sip.uri import Uri
from tests.signaling.pstn.sip.samples import invite, options

START = Instant(0, 0)
CONTACT = ("Contact", "<sip:b@198.51.100.7>")


def at(seconds: float) -> Instant:
    return Instant(int(seconds * SECOND), int(seconds * SECOND))


def caller(*fields: tuple[str, str]) -> Session:
    """We called; they answered."""
    answer = respond(invite(), 200, tag="theirs", fields=(CONTACT, ("Allow", "INVITE, UPDATE"), *fields))
    return answered_by_peer(dialog_of_caller(invite(), answer, "seed"), answer, START)[0]


def callee() -> tuple[Session, tuple[Effect, ...]]:
    """They called; we answer."""
    us = Address(Uri("sip", "192.0.2.9", "wephone"))
    dialog = dialog_of_callee(invite(), "mine", Via("UDP", "192.0.2.9", 5060), us, "seed")
    return answered_by_us(dialog, invite(), Say(respond(invite(), 200, tag="mine")), START)


def theirs(session: Session, method: str, number: int, body: bytes = b"") -> Request:
    return Request(
        (Via("UDP", "198.51.100.7", 5060, (("branch", f"z9hG4bKp{number}"),)),),
        session.dialog.remote,
        session.dialog.local,
        session.dialog.call_id,
        CSeq(number, method),
        method=method,
        uri=session.dialog.contact.uri,
        fields=(CONTACT,),
        body=body,
    )


def only(effects: tuple[Effect, ...], kind: type) -> list[Effect]:
    return [effect for effect in effects if isinstance(effect, kind)]


def ask(effects: tuple[Effect, ...]) -> Request:
    (found,) = only(effects, Ask)
    assert isinstance(found, Ask)
    return found.request


def status(effects: tuple[Effect, ...]) -> int:
    found = only(effects, Reply)[0]
    assert isinstance(found, Reply)
    return found.response.status


def then(session: Session, *events: Event, now: Instant = START) -> tuple[Session, tuple[Effect, ...]]:
    effects: tuple[Effect, ...] = ()
    for event in events:
        session, effects = session.receive(event, now)
    return session, effects


def ring_out(session: Session, now: Instant) -> tuple[Session, tuple[Effect, ...]]:
    """The next timer runs out."""
    name, when = min(session.timers, key=lambda timer: timer[1])
    assert when >= now.mono_ns
    return session.receive(TimedOut(name, when), Instant(when, when))


# --- the end -----------------------------------------------------------------------------------------------


def test_a_call_that_is_hung_up_is_over_once_it_is_known_what_became_of_its_bye() -> None:
    session, effects = then(caller(), HungUp((("Reason", "Q.850;cause=16"),)))
    bye = ask(effects)
    assert (bye.method, bye.get("Reason")) == ("BYE", "Q.850;cause=16")
    assert then(session, HungUp())[1] == ()
    for doubt in (None, "nobody has answered it"):
        ended, effects = then(session, Parted(doubt))
        assert effects == (Ended("bye", doubt),)
        assert ended.phase is Phase.ENDED
        assert then(ended, Parted("late"))[1] == ()


def test_the_peers_bye_is_answered_also_when_it_crosses_ours() -> None:
    session = caller()
    _, effects = then(session, Came(theirs(session, "BYE", 1)))
    assert status(effects) == 200
    assert effects[-1] == Ended("peer")
    leaving, effects = then(session, HungUp())
    ended, crossed = then(leaving, Came(theirs(session, "BYE", 1)))
    assert (status(crossed), crossed[-1]) == (200, Ended("peer"))
    assert then(ended, Parted())[1] == ()
    assert status(then(ended, Came(theirs(session, "BYE", 2)))[1]) == 200


def test_an_old_or_foreign_request_ends_nothing() -> None:
    session, _ = then(caller(), Came(theirs(caller(), "OPTIONS", 5)))
    after, effects = then(session, Came(theirs(session, "BYE", 5)))
    assert (after, status(effects)) == (session, 500)
    foreign = replace(theirs(session, "BYE", 6), sender=session.dialog.remote.untagged().tagged("x"))
    assert status(then(session, Came(foreign))[1]) == 481


# --- our 2xx and its ACK -----------------------------------------------------------------------------------


def test_our_2xx_is_repeated_until_its_ack() -> None:
    session, effects = callee()
    assert status(effects) == 200
    moments = []
    now = START
    for _ in range(4):
        session, effects = ring_out(session, now)
        assert status(effects) == 200
        (timer,) = only(effects, StartTimer)
        assert isinstance(timer, StartTimer)
        moments.append(timer.at / SECOND)
    assert moments == [1.5, 3.5, 7.5, 11.5]
    session, effects = then(session, Came(theirs(session, "ACK", 1)))
    assert (session.said, session.timers, effects) == (None, (), ())


def test_without_an_ack_the_call_is_ended_after_32_s() -> None:
    session, _ = callee()
    effects: tuple[Effect, ...] = ()
    while not only(effects, Ask):
        session, effects = ring_out(session, START)
    bye = ask(effects)
    assert bye.method == "BYE"
    assert then(session, Parted())[1] == (Ended("no_ack"),)


def test_the_callees_bye_waits_for_the_ack() -> None:
    session, _ = callee()
    session, effects = then(session, HungUp())
    assert effects == ()
    _, effects = then(session, Came(theirs(session, "ACK", 1)))
    assert ask(effects).method == "BYE"


def test_an_ack_of_another_invite_stops_nothing() -> None:
    session, _ = callee()
    assert then(session, Came(theirs(session, "ACK", 9)))[0] == session


# --- changes -----------------------------------------------------------------------------------------------


def test_our_change_is_acknowledged_each_time_its_2xx_comes() -> None:
    session, effects = then(caller(), Change(b"v=0\r\n", (("P-Asserted-Identity", "<sip:a@b>"),)))
    reinvite = ask(effects)
    assert (reinvite.method, reinvite.cseq.number, reinvite.body) == ("INVITE", 2, b"v=0\r\n")
    moved = respond(reinvite, 200, fields=(("Contact", "<sip:b@198.51.100.99>"),))
    session, effects = then(session, Heard(reinvite, moved))
    ack, changed = effects
    assert isinstance(ack, SendAck)
    assert str(ack.request.uri) == "sip:b@198.51.100.99"
    assert changed == Changed(moved)
    assert then(session, Heard(reinvite, moved))[1] == (ack,)


def test_two_changes_at_once_are_glare_and_ours_is_tried_again_later() -> None:
    session, effects = then(caller(), Change(b"v=0\r\n"))
    reinvite = ask(effects)
    session, effects = then(session, Came(theirs(session, "INVITE", 1, b"v=0\r\n")))
    assert status(effects) == 491
    for dice, seconds in ((0.0, 2.1), (1.0, 4.0)):
        later, effects = then(session, Heard(reinvite, respond(reinvite, 491), dice))
        assert effects == (StartTimer("retry", int(seconds * SECOND)),)
        _, effects = ring_out(later, START)
        assert ask(effects).body == b"v=0\r\n"
        assert ask(effects).cseq.number == 3


def test_a_second_offer_before_our_answer_is_refused_with_retry_after() -> None:
    session, effects = then(caller(), Came(theirs(caller(), "INVITE", 1, b"v=0\r\n")))
    assert isinstance(effects[0], Offered)
    _, effects = then(session, Came(theirs(session, "UPDATE", 2, b"v=0\r\n")))
    assert status(effects) == 500
    assert isinstance(effects[0], Reply)
    assert (effects[0].response.get("Retry-After") or "").isdigit()


def test_a_change_of_ours_waits_until_theirs_is_answered() -> None:
    offer = theirs(caller(), "INVITE", 1, b"v=0\r\n")
    session, _ = then(caller(), Came(offer))
    session, effects = then(session, Change(b"v=1\r\n"))
    assert only(effects, Ask) == []
    session, effects = then(session, Say(respond(offer, 488)))
    assert status(effects) == 488
    session, effects = ring_out(session, START)
    assert ask(effects).body == b"v=1\r\n"


def test_an_offer_is_answered_and_its_2xx_repeated_until_the_ack() -> None:
    offer = theirs(caller(), "INVITE", 1, b"v=0\r\n")
    session, effects = then(caller(), Came(offer), Say(respond(offer, 200, body=b"v=0\r\n")))
    assert status(effects) == 200
    assert session.said is not None
    session, _ = then(session, Came(theirs(session, "ACK", 1)))
    assert session.said is None


def test_an_update_without_offer_is_no_glare() -> None:
    session, _ = then(caller(), Change(b"v=0\r\n"))
    _, effects = then(session, Came(theirs(session, "UPDATE", 1)))
    assert isinstance(effects[0], Offered)


def test_a_waiting_offer_gets_487_when_the_call_ends() -> None:
    session, _ = then(caller(), Came(theirs(caller(), "INVITE", 1, b"v=0\r\n")))
    _, effects = then(session, Came(theirs(session, "BYE", 2)))
    assert [e.response.status for e in effects if isinstance(e, Reply)] == [200, 487]
    _, effects = then(session, HungUp())
    assert (status(effects), ask(effects).method) == (487, "BYE")


@pytest.mark.parametrize("code", [408, 481])
def test_a_peer_that_does_not_know_the_call_any_more_ends_it(code: int) -> None:
    session, effects = then(caller(), Change(b""))
    reinvite = ask(effects)
    session, effects = then(session, Heard(reinvite, respond(reinvite, code)))
    assert ask(effects).method == "BYE"
    assert then(session, Parted("it is away"))[1] == (Ended("lost", "it is away"),)


def test_a_refused_change_leaves_the_call_as_it_was() -> None:
    session, effects = then(caller(), Change(b""))
    refused = respond(ask(effects), 488)
    after, effects = then(session, Heard(ask(effects), refused))
    assert effects == (Changed(refused),)
    assert after.phase is Phase.UP
    assert after.ours is None


def test_a_change_that_nobody_answers_ends_the_call() -> None:
    session, effects = then(caller(), Change(b""))
    ending, effects = then(session, Unanswered(ask(effects)))
    assert ask(effects).method == "BYE"
    assert then(ending, Parted())[1] == (Ended("silent"),)


def test_a_change_that_no_connection_takes_ends_nothing_and_is_asked_again() -> None:
    session, effects = then(caller(), Change(b"v=0\r\n"))
    first = ask(effects)
    session, effects = then(session, Unanswered(first, unsent=True))
    assert effects == (StartTimer("retry", 4 * SECOND),)
    session, effects = ring_out(session, START)
    again = ask(effects)
    assert (again.method, again.body, again.cseq.number) == ("INVITE", first.body, first.cseq.number + 1)
    assert session.phase is Phase.UP


def test_a_refresh_that_no_connection_takes_is_asked_again_until_the_call_expires() -> None:
    session = caller(("Session-Expires", "1800;refresher=uac"), ("Require", "timer"))
    session, effects = ring_out(session, START)
    assert (ask(effects).method, session.timers) == ("UPDATE", (("expire", (1800 - 32) * SECOND),))
    session, effects = then(session, Unanswered(ask(effects), unsent=True), now=at(900))
    assert effects == (StartTimer("watch", 904 * SECOND),)
    session, effects = ring_out(session, at(900))
    assert (ask(effects).method, session.phase) == ("UPDATE", Phase.UP)
    _, effects = ring_out(session, at(904))
    assert ask(effects).method == "BYE"


def test_options_and_what_we_do_not_do_are_answered() -> None:
    assert status(then(caller(), Came(theirs(caller(), "OPTIONS", 1)))[1]) == 200
    assert status(then(caller(), Came(theirs(caller(), "REFER", 1)))[1]) == 405


# --- session timers ----------------------------------------------------------------------------------------

OURS = ("Session-Expires", "1800;refresher=uac")
THEIRS = ("Session-Expires", "1800;refresher=uas")


def test_we_refresh_at_half_the_interval_by_update_and_by_a_change_where_there_is_none() -> None:
    session, effects = ring_out(caller(OURS), START)
    update = ask(effects)
    assert (update.method, update.get("Session-Expires")) == ("UPDATE", "1800;refresher=uac")
    session, effects = then(session, Heard(update, respond(update, 200, fields=(OURS,))), now=at(900))
    assert set(effects) == {
        StartTimer("watch", 1800 * SECOND),
        StartTimer("expire", (900 + 1800 - 32) * SECOND),
    }
    assert ring_out(replace(caller(OURS), updates=False), START)[1] == (WantRefresh(),)


def test_a_refused_refresh_ends_in_bye_unless_a_change_succeeds() -> None:
    session, effects = ring_out(caller(OURS), START)
    session, effects = then(session, Heard(ask(effects), respond(ask(effects), 501)), now=at(900))
    assert effects == (WantRefresh(),)
    _, effects = ring_out(session, at(900))
    assert ask(effects).method == "BYE"


def test_a_peer_that_does_not_refresh_is_gone() -> None:
    session = caller(THEIRS)
    assert session.timers == (("expire", (1800 - 32) * SECOND),)
    session, _ = ring_out(session, START)
    assert then(session, Parted("it is away"))[1] == (Ended("expired", "it is away"),)


def test_their_refresh_starts_the_interval_again() -> None:
    update = replace(theirs(caller(), "UPDATE", 1), fields=(("Supported", "timer"), THEIRS))
    said, watch = accepted(update)
    assert (said, watch) == (Expiry(1800, "uas"), Watch(1800, ours=True))
    say = Say(respond(update, 200, fields=(("Session-Expires", str(said)),)), watch)
    session, _ = then(caller(THEIRS), Came(update), say, now=at(1000))
    assert dict(session.timers) == {"watch": 1900 * SECOND, "expire": (2800 - 32) * SECOND}


def test_a_422_is_followed_to_its_minimum() -> None:
    session, effects = ring_out(caller(OURS), START)
    short = respond(ask(effects), 422, fields=(("Min-SE", "3600"),))
    session, effects = then(session, Heard(ask(effects), short))
    assert ask(effects).get("Session-Expires") == "3600;refresher=uac"
    again = respond(ask(effects), 422, fields=(("Min-SE", "3600"),))
    assert then(session, Heard(ask(effects), again))[1] == (WantRefresh(),)


def test_without_a_timer_nothing_runs_and_nonsense_is_watched_by_us() -> None:
    assert caller().timers == ()
    assert caller(("Session-Expires", "soon")).watch == Watch(1800, ours=True)


def test_an_interval_that_is_too_short_is_refused() -> None:
    asked = parse(options("Session-Expires: 30", "Supported: timer"))
    assert isinstance(asked, Request)
    with pytest.raises(SipError) as caught:
        accepted(asked)
    assert caught.value.status == 422


@pytest.mark.parametrize(
    ("lines", "said", "ours"),
    [
        (("Supported: timer", "Session-Expires: 600"), "600;refresher=uac", False),
        (("Supported: timer", "Session-Expires: 600;refresher=UAS"), "600;refresher=uas", True),
        (("Supported: timer", "x: 7200", "Min-SE: 3600"), "3600;refresher=uac", False),
        (("Supported: timer",), "1800;refresher=uac", False),
        ((), "1800;refresher=uas", True),
    ],
)
def test_who_refreshes_is_agreed(lines: tuple[str, ...], said: str, ours: bool) -> None:
    asked = parse(options(*lines))
    assert isinstance(asked, Request)
    header, watch = accepted(asked)
    assert (str(header), watch.ours) == (said, ours)


def test_what_cannot_be_read_of_a_timer_is_refused_or_ignored() -> None:
    for value in ("", "x", "-1", "1;refresher=me", "4294967296"):
        message = parse(options(f"Session-Expires: {value}", start="SIP/2.0 200 OK"))
        assert isinstance(message, Response)
        with pytest.raises(SipError):
            expiry(message)
    assert minimum(parse(options("Min-SE: x"))) == 90
