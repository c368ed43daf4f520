"""What a client says it hears: to operators, now and then while a call runs, and in all once it is over."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.fakes.sound import QuietLine
from wephone import stay
from wephone.core.session import Session, Step
from wephone.media.stats import Stats
from wephone.protocol.messages import Heard, Role
from wephone.testing.kit import Kit


@dataclass
class Clock:
    """Every client's, under the test's hand."""

    waiting: list[Callable[[], None]] = field(default_factory=list)

    def later(self, seconds: float, then: Callable[[], None]) -> "Clock":
        assert seconds == 10
        self.waiting.append(then)
        return self

    def cancel(self) -> None:
        self.waiting.clear()

    def strike(self) -> int:
        """Ten seconds are over; how many had waited for that."""
        due, self.waiting = self.waiting, []
        for then in due:
            then()
        return len(due)


async def test_while_a_call_runs_each_side_says_every_ten_seconds_what_it_hears(
    wephone: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, came, said = Clock(), Stats(), list[Heard]()
    report = Session.report

    def noted(session: Session, heard: Heard) -> Step:
        said.append(heard)
        return report(session, heard)

    monkeypatch.setattr(stay, "later", clock.later)
    monkeypatch.setattr(QuietLine, "stats", lambda line: came)
    monkeypatch.setattr(Session, "report", noted)
    alice, bob = await wephone.peers("alice", "bob")
    call = await alice.call(bob)
    await call.connected()
    hearsay = wephone.server.running.parts.exchange.hearsay
    assert clock.strike() == 2
    assert said == []  # nothing has come
    for packets in (500, 1000):
        came = Stats(received=packets, lost=3, jitter=0.002, round_trip=0.05)
        assert clock.strike() == 2
        for peer, other, role in ((alice, bob, Role.CALLER), (bob, alice, Role.CALLEE)):
            await peer.send(other, "which is accepted after what was said before it")
            heard = hearsay.so_far(call.id, role)
            assert heard is not None
            assert (heard.packets, heard.lost, heard.jitter, heard.round_trip) == (packets, 3, 2_000, 50_000)
        await wephone.clock.advance(10)
    await call.hangup()
    await (await bob.next_call()).wait_ended()
    told = [(500, True), (500, True), (1000, True), (1000, True), (1000, False), (1000, False)]
    assert [(each.packets, each.so_far) for each in said] == told
    clock.strike()
    assert clock.strike() == 0  # there is nothing to say any more
