"""Calls with the help of the server's relay, a real coturn; which one it is, clients ask the server."""

import asyncio
import logging
import secrets
import socket
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import pytest

from tests.fakes.coturn import Coturn, coturn
from wephone import CallEnded
from wephone.core import inputs
from wephone.events import EndReason, Role
from wephone.media.servers import IceServer, IceSettings, Servers
from wephone.protocol.ids import CallId
from wephone.relays import Named, NamedServer, Relays
from wephone.sound import Handle, Sound, Tell
from wephone.testing.kit import Kit

NOWHERE = "no relay could be used, and its own are not shown"


@pytest.fixture
async def relay() -> AsyncIterator[Coturn]:
    async with coturn() as relay:
        yield relay


@pytest.fixture
def silent_relay() -> Iterator[int]:
    """The port of a relay that never says a word."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        yield server.getsockname()[1]


@dataclass
class Overheard:
    """What media tells its call, and which servers it was given."""

    told: dict[str, list[inputs.CallInput]] = field(default_factory=dict)  # by whom the call is with
    settings: list[IceSettings] = field(default_factory=list)

    def start_sound(self, call: Handle, tell: Tell, settings: IceSettings) -> Sound:
        heard = self.told.setdefault(str(getattr(call, "peer", "")), [])
        self.settings.append(settings)

        def tell_both(id: CallId, event: inputs.CallInput) -> None:
            heard.append(event)
            tell(id, event)

        return Sound(call, tell_both, settings)

    def candidates(self, peer: str) -> list[str]:
        """Those that the device that is in a call with `peer` found, one by one."""
        found = [event for event in self.told[peer] if isinstance(event, inputs.CandidatesFound)]
        return [each.candidate for event in found for each in event.candidates]

    def descriptions(self, peer: str) -> list[str]:
        """Those of the same device."""
        kinds = inputs.OfferCreated | inputs.AnswerCreated
        return [event.sdp for event in self.told[peer] if isinstance(event, kinds)]

    async def credentials(self) -> list[str]:
        """All that were used."""
        servers: list[Servers] = [
            each.servers if isinstance(each.servers, tuple) else await each.servers for each in self.settings
        ]
        return [server.credential or "" for each in servers for server in each]


async def test_two_who_are_found_at_the_relay_alone_hear_each_other(
    relay: Coturn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    overheard = Overheard()
    async with Kit(relay.settings) as wephone:
        wephone.start_sound = overheard.start_sound
        alice, bob = [await wephone.peer(name, relay_only=True) for name in ("alice", "bob")]
        call = await alice.call(bob)
        assert call.sound is not None
        await call.sound.connected.wait()
        caplog.set_level(logging.INFO)  # each packet of sound has its line, which costs the sound its time
        assert await alice.heard(bob)
        assert await bob.heard(alice)
        assert (await call.hangup()).reason is EndReason.HANGUP
    for peer in ("alice", "bob"):
        assert all("a=candidate" not in text for text in overheard.descriptions(peer))
        found = overheard.candidates(peer)
        assert found and all(" typ relay raddr 0.0.0.0 " in each for each in found)
    credentials = await overheard.credentials()
    assert len(credentials) == 2 and all(credentials)
    assert not [each for each in credentials if each in caplog.text or each in repr(overheard.settings)]


async def test_who_answers_at_the_relay_shows_the_caller_no_address_of_its_own(relay: Coturn) -> None:
    overheard = Overheard()
    async with Kit(relay.settings) as wephone:
        wephone.start_sound = overheard.start_sound
        (alice,) = await wephone.peers("alice")
        bob = await wephone.peer("bob", relay_only=True)
        await alice.call(bob)
        assert await alice.heard(bob)
        assert await bob.heard(alice)
    assert any(" typ host" in text for text in overheard.descriptions("bob"))
    assert all("a=candidate" not in text for text in overheard.descriptions("alice"))
    assert all(" typ relay raddr 0.0.0.0 " in each for each in overheard.candidates("alice"))


async def test_a_relay_that_does_not_answer_costs_a_direct_call_no_time(silent_relay: int) -> None:
    settings = {"turn_urls": [f"turn:127.0.0.1:{silent_relay}"], "turn_secret": secrets.token_hex(32)}
    async with Kit(settings) as wephone:
        alice, bob = await wephone.peers("alice", "bob")
        began = time.monotonic()
        await alice.call(bob)
        assert time.monotonic() - began < 2.5  # a call that waited for it would take 5 s more
        assert await bob.heard(alice, 1.0)


async def test_without_a_relay_who_wants_nothing_else_is_told_so_at_once() -> None:
    async with Kit() as wephone:
        alice = await wephone.peer("alice", relay_only=True)
        (bob,) = await wephone.peers("bob")
        async with asyncio.timeout(10):
            with pytest.raises(CallEnded, match=NOWHERE) as caught:
                await (await alice.client.call("bob")).connected()
            assert caught.value.reason is EndReason.MEDIA_FAILED
            call = await bob.client.call("alice")
            theirs = await alice.next_call()
            assert NOWHERE in (await theirs.wait_ended()).fault
            assert (await call.wait_ended()).by is Role.CALLEE


async def test_a_callee_asks_for_relays_while_it_rings(relay: Coturn) -> None:
    overheard = Overheard()
    async with Kit(relay.settings) as wephone:
        wephone.start_sound = overheard.start_sound
        alice, bob = await wephone.peers("alice", "bob", answer=False)
        await alice.call(bob)
        theirs = await bob.next_call()
        relays = bob.client._stay._relays
        asked = relays.servers()
        known = asked if isinstance(asked, tuple) else await asked
        assert [server.url for server in known] == relay.settings["turn_urls"]
        await theirs.answer()
        assert overheard.settings[-1].servers == known  # not asked for again: nothing is waited for


SERVER = NamedServer(urls=("turn:192.0.2.1:3478",), username="1:a", credential="c")


class Asked:
    """A server that is asked for relays."""

    def __init__(self, *answers: Named | None) -> None:
        self.answers = list(answers)
        self.times = 0

    async def __call__(self) -> Named | None:
        self.times += 1
        await asyncio.sleep(0)
        return self.answers.pop(0)


async def resolved(relays: Relays) -> Servers:
    servers = relays.servers()
    return servers if isinstance(servers, tuple) else await servers


async def test_calls_that_begin_together_ask_once_and_later_ones_know() -> None:
    asked = Asked(Named(ice_servers=(SERVER,), lifetime=300))
    relays = Relays(asked)
    both = await asyncio.gather(resolved(relays), resolved(relays))
    expected = (IceServer("turn:192.0.2.1:3478", "1:a", "c"),)
    assert [*both, relays.servers()] == [expected] * 3
    assert asked.times == 1


async def test_credentials_are_asked_for_anew_before_they_run_out(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("wephone.relays.time.monotonic", lambda: now)
    later = SERVER.model_copy(update={"credential": "d"})
    asked = Asked(
        Named(ice_servers=(SERVER,), lifetime=300), Named(ice_servers=(later,)), Named(ice_servers=())
    )
    relays = Relays(asked)
    await resolved(relays)
    now += 149
    assert (await resolved(relays))[0].credential == "c"
    now += 2
    assert (await resolved(relays))[0].credential == "d"
    relays.forget()
    assert await resolved(relays) == ()


async def test_a_server_that_cannot_be_asked_is_asked_again_by_the_next_call() -> None:
    relays = Relays(Asked(None, Named(ice_servers=(SERVER,), lifetime=300)))
    assert await resolved(relays) == ()
    assert len(await resolved(relays)) == 1
