"""Whole calls over a bad wire: caller and callee never disagree for long on whether there is a call."""

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from licensing.instant import MILLISECOND, SECOND
from signaling.pstn.sip import answering, invitation_events, session, session_events
from signaling.pstn.sip.answering import Accept, Answering, Ring
from signaling.pstn.sip.cause import says_ended
from signaling.pstn.sip.dialog import dialog_of_callee
from signaling.pstn.sip.exchange import Key
from signaling.pstn.sip.headers import Address, Via
from signaling.pstn.sip.invitation import Invitation
from signaling.pstn.sip.message import Request, Response
from signaling.pstn.sip.session import Session, answered_by_peer, answered_by_us
from signaling.pstn.sip.table import answered
from signaling.pstn.sip.transaction import Failed
from signaling.pstn.sip.uri import Uri
from tests.signaling.pstn.sip.samples import invite
from tests.signaling.pstn.sip.wire import DELAY, Side, Wire

SDP = b"v=0\r\n"
US = Address(Uri("sip", "192.0.2.9", "wephone"))


class Agent(Side):
    """One end of a call: the least that carries out what the machines say."""

    def __init__(self, wire: Wire, *, rings: int, reliable: bool) -> None:
        super().__init__()
        self.wire, self.rings, self.reliable = wire, rings, reliable
        self.invitation: Invitation | None = None
        self.answering: Answering | None = None
        self.session: Session | None = None
        self.ended: list[object] = []
        self.strays: list[object] = []
        self.keys: dict[tuple[str, int], Key] = {}
        self.asked: dict[Key, Request] = {}

    def call(self) -> None:
        self.invitation = Invitation(invite("Supported: 100rel"), "near")
        self.ask(self.invitation.invite)

    def ask(self, request: Request) -> None:
        key, effects = self.exchange.ask(request, self.wire.now, reliable=False)
        self.asked[key] = request
        self.wire.carry_out(self, (key, effects))

    def reply(self, response: Response) -> None:
        key = self.keys[response.cseq.method, response.cseq.number]
        self.wire.carry_out(self, self.exchange.say(key, response, self.wire.now))

    def deliver(self, key: Key | None, message: Request | Response) -> None:
        if isinstance(message, Request) and key is not None:
            self.keys[message.cseq.method, message.cseq.number] = key
        if isinstance(message, Response):
            self.hear_response(message)
        elif message.method == "INVITE":
            self.ring(message)
        elif self.session and message.method != "CANCEL":
            self.in_session(session_events.Came(message))
        elif self.answering:
            self.in_answering(answering.Came(message))

    def hear_response(self, response: Response) -> None:
        if response.cseq.method == "INVITE":
            self.in_invitation(answered(response))
        elif self.session and response.cseq.method == "BYE" and response.status >= 200:
            self.in_session(session_events.Parted(None if says_ended(response) else "refused"))

    def fail(self, key: Key | None, failed: Failed) -> None:
        request = self.asked.get(key) if key else None
        if request and request.method == "INVITE":
            self.in_invitation(failed)
        elif request and self.session:
            self.in_session(session_events.Parted("nobody there"))

    def ring(self, request: Request) -> None:
        via = Via("UDP", "192.0.2.9", 5060)
        self.answering = Answering(request, dialog_of_callee(request, "far", via, US, "far"), 1)
        self.in_answering(Ring(183, body=SDP, reliable=self.reliable))
        self.wire.at(self.wire.now.mono_ns + self.rings, self.pick_up)

    def pick_up(self) -> None:
        assert self.answering is not None
        if self.answering.may_accept:
            self.in_answering(Accept(body=SDP))

    def hang_up(self) -> None:
        if self.session:
            self.in_session(session_events.HungUp())
        elif self.invitation:
            self.in_invitation(invitation_events.HungUp())

    def in_invitation(self, event: invitation_events.Event) -> None:
        assert self.invitation is not None
        self.invitation, effects = self.invitation.receive(event, self.wire.now)
        for effect in effects:
            match effect:
                case invitation_events.SendAck(request):
                    self.wire.send(self, request)
                case invitation_events.Ask(request):
                    self.ask(request)
                case invitation_events.Accepted(dialog, response):
                    self.session, more = answered_by_peer(dialog, response, self.wire.now)
                    self.in_order(more)
                case invitation_events.WaitForCancel(at):
                    self.wire.at(at, lambda: self.in_invitation(invitation_events.CancelUnanswered()))
                case invitation_events.Stray(dialog):
                    self.strays.append(dialog)
                case invitation_events.Refused() | invitation_events.Lost():
                    self.ended.append(effect)

    def in_answering(self, event: answering.Event) -> None:
        assert self.answering is not None
        self.answering, effects = self.answering.receive(event, self.wire.now)
        for effect in effects:
            match effect:
                case answering.Reply(response) if response.cseq.method == "INVITE" and response.status == 200:
                    say = session_events.Say(response)
                    state = self.answering
                    self.session, more = answered_by_us(state.dialog, state.invite, say, self.wire.now)
                    self.in_order(more)
                case answering.Reply(response):
                    self.reply(response)
                case answering.StartTimer(timer, at):
                    self.wire.at(at, later(self.in_answering, answering.TimedOut(timer, at)))
                case answering.Confirmed():
                    self.wire.at(self.wire.now.mono_ns + self.rings, self.pick_up)
                case answering.Ended():
                    self.ended.append(effect)

    def in_session(self, event: session_events.Event) -> None:
        assert self.session is not None
        self.session, effects = self.session.receive(event, self.wire.now)
        self.in_order(effects)

    def in_order(self, effects: tuple[session_events.Effect, ...]) -> None:
        for effect in effects:
            match effect:
                case session_events.Reply(response):
                    self.reply(response)
                case session_events.Ask(request):
                    self.ask(request)
                case session_events.SendAck(request):
                    self.wire.send(self, request)
                case session_events.StartTimer(timer, at):
                    self.wire.at(at, later(self.in_session, session_events.TimedOut(timer, at)))
                case session_events.Ended():
                    self.ended.append(effect)

    @property
    def talks(self) -> bool:
        return self.session is not None and self.session.phase is session.Phase.UP


def later(tell: Callable[[Any], None], event: object) -> Callable[[], None]:
    return lambda: tell(event)


def talk(
    fates: list[list[int]], *, rings: int, reliable: bool, hangs_up: int | None
) -> tuple[Agent, Agent, Wire]:
    drawn = iter(fates)
    wire = Wire(lambda message: next(drawn, [DELAY]))
    wire.near = near = Agent(wire, rings=0, reliable=False)
    wire.far = far = Agent(wire, rings=rings, reliable=reliable)
    near.call()
    if hangs_up is not None:
        wire.at(hangs_up, near.hang_up)
    wire.run()
    return near, far, wire


def methods(wire: Wire) -> list[str | int]:
    return [m.method if isinstance(m, Request) else m.status for _, m in wire.sent]


def test_a_call_on_a_good_wire_sends_what_the_rfc_draws() -> None:
    near, far, wire = talk([], rings=SECOND, reliable=True, hangs_up=5 * SECOND)
    assert methods(wire) == ["INVITE", 100, 183, "PRACK", 200, 200, "ACK", "BYE", 200]
    assert near.ended == [session_events.Ended("bye")]
    assert far.ended == [session_events.Ended("peer")]


def test_a_200_that_crosses_a_cancel_leaves_nobody_in_a_call() -> None:
    crossing = SECOND - 10 * MILLISECOND  # the 200 leaves while the CANCEL is on its way
    near, far, wire = talk([], rings=SECOND - DELAY, reliable=False, hangs_up=crossing)
    assert {"CANCEL", "BYE", "ACK"} <= set(methods(wire))
    assert len(near.strays) == 1
    assert not near.talks
    assert not far.talks


COPIES = st.lists(st.integers(1, 3000).map(lambda ms: ms * MILLISECOND), max_size=3)


@given(
    st.lists(COPIES, max_size=12),
    st.sampled_from([0, SECOND, 7 * SECOND]),
    st.booleans(),
    st.none() | st.integers(0, 12_000).map(lambda ms: ms * MILLISECOND),
)
def test_both_ends_agree_in_the_end_whatever_the_first_packets_suffer(
    fates: list[list[int]], rings: int, reliable: bool, hangs_up: int | None
) -> None:
    near, far, _ = talk(fates, rings=rings, reliable=reliable, hangs_up=hangs_up)
    assert near.talks == far.talks
    if hangs_up is not None:
        assert not near.talks
    assert len(near.exchange) == len(far.exchange) == 0
