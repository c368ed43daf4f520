"""SIP transactions: the timetable of the RFC, and what holds whatever the wire does."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.instant import MILLISECOND, SECOND, Instant
from signaling.pstn.sip.answer import respond
from signaling.pstn.sip.exchange import NOTHING, Exchange, client_key, server_key
from signaling.pstn.sip.headers import CSeq, Via
from signaling.pstn.sip.message import Request, Response, parse
from signaling.pstn.sip.table import (
    TERMINATED,
    TRANSITIONS,
    Acked,
    Asked,
    Event,
    Failure,
    Kind,
    Phase,
    Provisional,
    Success,
    TimedOut,
    Timer,
    Unsendable,
    answered,
)
from signaling.pstn.sip.transaction import (
    STEPS,
    T1,
    Deliver,
    Failed,
    Send,
    Transaction,
    acknowledgement,
    cancellation,
    start_client,
    start_server,
)
from tests.signaling.pstn.sip.samples import invite, options
from tests.signaling.pstn.sip.wire import DELAY, Wire

START = Instant(0, 0)


def opt(cseq: int = 7) -> Request:
    message = parse(options())
    assert isinstance(message, Request)
    return replace(message, cseq=CSeq(cseq, "OPTIONS"))


def times(wire: Wire, what: str | int) -> list[float]:
    """When (s) messages of this method or status were sent."""
    return [
        at / SECOND
        for at, message in wire.sent
        if what == (message.method if isinstance(message, Request) else message.status)
    ]


# --- the timetable -----------------------------------------------------------------------------------------


def test_an_invite_is_sent_seven_times_and_given_up_after_32_s() -> None:
    wire = Wire(lambda message: [])
    wire.ask(wire.near, invite())
    wire.run()
    assert times(wire, "INVITE") == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert wire.near.failed == [Failed("timeout")]
    assert wire.near.over == 32 * SECOND
    assert len(wire.near.exchange) == 0


def test_another_request_is_sent_eleven_times_with_pauses_of_at_most_4_s() -> None:
    wire = Wire(lambda message: [])
    wire.ask(wire.near, opt())
    wire.run()
    assert times(wire, "OPTIONS") == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert wire.near.failed == [Failed("timeout")]


def test_a_refusal_is_repeated_until_its_ack_or_32_s() -> None:
    wire = Wire(lambda message: [] if isinstance(message, Request) and message.method == "ACK" else [DELAY])
    wire.far.user = lambda message: wire.say(wire.far, respond(wire.far.heard[0], 486, tag="t"))  # type: ignore[arg-type]
    wire.ask(wire.near, invite())
    wire.run()
    assert len(times(wire, 486)) == len(times(wire, "ACK")) == 11
    assert [message.status for message in wire.near.heard if isinstance(message, Response)] == [100, 486]
    assert wire.far.failed == [Failed("timeout")]
    assert len(wire.near.exchange) == len(wire.far.exchange) == 0


def test_nothing_is_repeated_on_a_reliable_transport() -> None:
    wire = Wire(reliable=True)
    wire.far.user = lambda message: wire.say(wire.far, respond(wire.far.heard[0], 486, tag="t"))  # type: ignore[arg-type]
    wire.ask(wire.near, invite(transport="TCP"))
    wire.run()
    assert [type(m).__name__ for _, m in wire.sent] == ["Request", "Response", "Response", "Request"]
    assert len(wire.near.exchange) == len(wire.far.exchange) == 0


def test_ringing_may_last_for_ever() -> None:
    transaction, _ = start_client(invite(), START, reliable=False)
    transaction, effects = transaction.receive(Provisional(respond(invite(), 180, tag="t")), START)
    assert transaction.timers == ()
    assert transaction.receive(TimedOut("A", T1), START) == (transaction, ())
    assert [type(effect) for effect in effects] == [Deliver]


def test_a_timer_that_was_replaced_is_not_heard() -> None:
    transaction, _ = start_client(opt(), START, reliable=False)
    later, _ = transaction.receive(TimedOut("E", T1), Instant(T1, T1))
    assert later.receive(TimedOut("E", T1), Instant(T1, T1)) == (later, ())


# --- rows --------------------------------------------------------------------------------------------------

EVENTS: list[Event] = [
    Provisional(respond(invite(), 180, tag="t")),
    Success(respond(invite(), 200, tag="t")),
    Failure(respond(invite(), 486, tag="t")),
    Asked(),
    Acked(replace(invite(), method="ACK", cseq=CSeq(1, "ACK"))),
    Unsendable(),
]
ROWS = [
    (kind, phase, key) for kind, table in TRANSITIONS.items() for phase, row in table.items() for key in row
]


@pytest.mark.parametrize("reliable", [False, True])
@pytest.mark.parametrize(("kind", "phase", "key"), ROWS, ids=str)
def test_every_row_leads_where_the_table_says(
    kind: Kind, phase: Phase, key: type[Event] | Timer, reliable: bool
) -> None:
    timers = ((key, 5),) if isinstance(key, str) else ()
    transaction = Transaction(kind, invite(), reliable, phase, invite(), timers=timers)
    event = TimedOut(key, 5) if isinstance(key, str) else next(e for e in EVENTS if type(e) is key)
    after, _ = transaction.receive(event, START)
    assert after.phase in TRANSITIONS[kind][phase][key].to
    assert after.phase is not TERMINATED or after.timers == ()


def test_every_step_is_in_some_row_and_every_row_has_its_step() -> None:
    assert {
        row.step for table in TRANSITIONS.values() for rows in table.values() for row in rows.values()
    } == set(STEPS)


@pytest.mark.parametrize("kind", Kind)
def test_what_is_over_stays_over(kind: Kind) -> None:
    ended = Transaction(kind, invite(), False, TERMINATED, invite())
    for event in EVENTS:
        assert ended.receive(event, START) == (ended, ())


# --- what belongs to what ----------------------------------------------------------------------------------


def test_an_ack_of_a_refusal_has_its_invites_via_routes_and_number() -> None:
    asked = invite("Route: <sip:p1.example;lr>", "Subject: x", cseq=4)
    ack = acknowledgement(asked, respond(asked, 486, tag="theirs"))
    assert (ack.uri, ack.vias, ack.cseq) == (asked.uri, asked.vias, CSeq(4, "ACK"))
    assert ack.to.tag == "theirs"
    assert ack.fields == (("Route", "<sip:p1.example;lr>"),)
    assert ack.body == b""
    assert server_key(ack) == server_key(asked)
    cancel = cancellation(asked)
    assert cancel.to == asked.to
    assert client_key(cancel) != client_key(asked)
    assert server_key(cancel, "INVITE") == server_key(asked)


def test_a_cancel_finds_its_invite() -> None:
    far = Exchange()
    far.heard(invite(), START, reliable=False)
    assert far.invited(cancellation(invite())) == server_key(invite())
    assert far.invited(cancellation(invite(branch="z9hG4bKother"))) is None


def test_two_branches_of_a_fork_are_one_merged_request_answered_by_482() -> None:
    far = Exchange()
    far.heard(invite(), START, reliable=False)
    key, (sent,) = far.heard(invite(branch="z9hG4bKother"), START, reliable=False)
    assert key is None
    assert isinstance(sent, Send)
    assert isinstance(sent.message, Response)
    assert sent.message.status == 482
    assert far.heard(invite(branch="z9hG4bKother"), START, reliable=False) == (None, (sent,))  # the same
    assert len(far) == 1
    assert len(far.heard(invite(branch="z9hG4bKthird", cseq=2), START, reliable=False)[1]) == 2


def test_the_same_branch_from_another_host_is_another_request() -> None:
    other = replace(invite(), vias=(Via("UDP", "192.0.2.2", 5060, (("branch", "z9hG4bKinv1"),)),))
    assert server_key(other) != server_key(invite())


def test_a_request_of_rfc_2543_is_known_when_it_comes_again_and_so_is_its_ack() -> None:
    old = replace(invite(), vias=(Via("UDP", "old.example"),))
    far = Exchange()
    far.heard(old, START, reliable=False)
    _, (effect,) = far.heard(old, START, reliable=False)
    assert isinstance(effect, Send)
    refused = respond(old, 486, tag="t")
    far.say(server_key(old), refused, START)
    far.heard(acknowledgement(old, refused), START, reliable=False)
    transaction = far.get(server_key(old))
    assert transaction is not None
    assert transaction.phase is Phase.CONFIRMED


def test_a_2xx_that_nobody_waits_for_is_not_dropped() -> None:
    near = Exchange()
    late = respond(invite(), 200, tag="t")
    assert near.heard(late, START, reliable=False) == (None, (Deliver(late),))
    assert near.heard(respond(invite(), 486, tag="t"), START, reliable=False) == NOTHING
    assert near.heard(respond(opt(), 200, tag="t"), START, reliable=False) == NOTHING


def test_a_branch_in_use_is_not_used_again() -> None:
    near = Exchange()
    near.ask(invite(), START, reliable=False)
    with pytest.raises(ValueError, match="in use"):
        near.ask(invite(), START, reliable=False)


def test_what_cannot_be_sent_is_told_once_and_is_over() -> None:
    near = Exchange()
    key, _ = near.ask(invite(), START, reliable=True)
    assert near.unsendable(key, START) == (key, (Failed("transport"),))
    assert near.unsendable(key, START) == NOTHING
    assert len(near) == 0


def test_a_server_transaction_outlives_an_answer_that_could_not_be_sent() -> None:
    transaction, _ = start_server(invite(), START, reliable=False)
    transaction, _ = transaction.receive(answered(respond(invite(), 486, tag="t")), START)
    after, effects = transaction.receive(Unsendable(), START)
    assert (after, effects) == (transaction, (Failed("transport"),))


# --- whatever the wire does --------------------------------------------------------------------------------

COPIES = st.lists(st.integers(1, 3000).map(lambda ms: ms * MILLISECOND), max_size=3)
REPEATS = [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]  # RFC 3261 §13.3.1.4
FATES = st.lists(COPIES, max_size=12)


def bad_wire(fates: list[list[int]], *, reliable: bool = False) -> Wire:
    """The first packets fare as drawn; later ones arrive, so that the end is the RFC's and not the wire's."""
    drawn = iter(fates)
    return Wire(lambda message: next(drawn, [DELAY]), reliable=reliable)


@given(FATES, st.sampled_from([200, 302, 486, 603]), st.booleans(), st.integers(0, 8000))
def test_each_side_hears_an_invite_and_its_answer_once_and_forgets(
    fates: list[list[int]], status: int, rings: bool, thinks: int
) -> None:
    wire = bad_wire(fates)

    def user(message: Request | Response) -> None:
        if isinstance(message, Request) and message.method == "INVITE":
            if rings:
                wire.say(wire.far, respond(message, 180, tag="t"))
            answer = respond(message, status, tag="t")
            for later in REPEATS if status == 200 else [0]:  # its user repeats a 2xx
                at = wire.now.mono_ns + thinks * MILLISECOND + int(later * SECOND)
                wire.at(at, lambda: wire.say(wire.far, answer))

    wire.far.user = user
    wire.ask(wire.near, invite())
    wire.run()
    assert len(wire.near.exchange) == len(wire.far.exchange) == 0
    invites = [m for m in wire.far.heard if isinstance(m, Request) and m.method == "INVITE"]
    finals = [m for m in wire.near.heard if isinstance(m, Response) and m.status >= 200]
    assert len(invites) == 1 or (not invites and wire.near.failed)
    if status >= 300:
        assert len(finals) + wire.near.failed.count(Failed("timeout")) == 1
    else:
        assert finals or wire.near.failed
    acks = [m for _, m in wire.sent if isinstance(m, Request) and m.method == "ACK"]
    assert all(ack.to.tag == "t" for ack in acks)
    assert bool(acks) == any(final.status >= 300 for final in finals)


@given(FATES, st.sampled_from([200, 404, 481]), st.booleans())
def test_each_side_hears_another_request_and_its_answer_once_and_forgets(
    fates: list[list[int]], status: int, reliable: bool
) -> None:
    wire = bad_wire([[min(f)] for f in fates if f] if reliable else fates, reliable=reliable)
    wire.far.user = lambda message: wire.say(wire.far, respond(message, status, tag="t"))  # type: ignore[arg-type]
    wire.ask(wire.near, opt())
    wire.run()
    assert len(wire.near.exchange) == len(wire.far.exchange) == 0
    assert len(wire.far.heard) + len(wire.near.failed) >= 1
    assert len(wire.near.heard) + len(wire.near.failed) == 1
