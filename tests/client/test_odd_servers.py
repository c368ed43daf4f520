"""A client comes to no harm by a server that stops, forgets, repeats itself or talks nonsense."""

import pytest

from tests.fakes.server import Line, ScriptedServer
from tests.fakes.sound import quiet_sound
from wephone import Client, MessageFailed, NotSignedIn, ServerUnreachable
from wephone.core.effects import LinkLost
from wephone.events import EndReason, SignedOut, Welcome

CALL = "6f1c7d0a-6d0f-4f3e-9d35-0c1d2e3f4a5b"
DEVICE = "0a1b2c3d-4e5f-4a6b-8c7d-8e9f0a1b2c3d"


def client(server: ScriptedServer) -> Client:
    return Client(server.url, "alice", password="secret", start_sound=quiet_sound)


async def serve(line: Line) -> None:
    """As a server should, until the client leaves."""
    resume = line.hello.get("resume")
    await line.welcome(resumed=resume is not None)
    await line.gone()


async def hang_up(line: Line) -> None:
    """Sign in, then close."""
    await line.welcome()


async def nonsense(line: Line) -> None:
    await line.welcome()
    await line.socket.send_str("{]")
    await line.gone()


async def binary_nonsense(line: Line) -> None:
    await line.welcome()
    await line.socket.send_bytes(b"\xff\x00")
    await line.gone()


async def gap(line: Line) -> None:
    """An event is missing between the first and the third."""
    await line.welcome()
    await line.say("missed", n=3, call=CALL, peer="bob", at=1)
    await line.gone()


@pytest.mark.parametrize("trouble", [hang_up, nonsense, binary_nonsense, gap])
async def test_after_trouble_on_a_connection_there_is_a_new_one(trouble: object) -> None:
    async with ScriptedServer(trouble, serve) as server, client(server) as alice:  # type: ignore[arg-type]
        events = alice.events()
        assert await anext(events) == LinkLost()
        welcome = await anext(events)
        assert isinstance(welcome, Welcome) and welcome.resumed
        assert server.hellos[1]["resume"] == {"session": "session-1", "n": 1}
        assert server.hellos[0]["device"] == server.hellos[1]["device"]


async def test_what_a_later_server_invents_is_passed_over() -> None:
    async def later(line: Line) -> None:
        await line.welcome()
        await line.say("hologram", n=2, call=CALL, depth=3)
        await line.say("missed", n=3, call=CALL, peer="bob", at=1, mood="cheerful")
        await line.gone()

    async with ScriptedServer(later) as server, client(server) as alice:
        assert (await anext(alice.missed())).peer == "bob"
        assert len(server.hellos) == 1


async def test_events_that_come_again_are_told_once() -> None:
    async def repeats(line: Line) -> None:
        await line.welcome()
        for n in (2, 2, 2, 3):
            await line.say("missed", n=n, call=CALL, peer="bob", at=n)
        await line.gone()

    async with ScriptedServer(repeats) as server, client(server) as alice:
        missed = alice.missed()
        assert [(await anext(missed)).at, (await anext(missed)).at] == [2, 3]


async def test_a_ticket_that_the_server_does_not_take_signs_nobody_in() -> None:
    async def stubborn(line: Line) -> None:
        await line.say("error", code="not_signed_in", text="the ticket is unknown, used or too old")

    async with ScriptedServer(stubborn) as server:
        with pytest.raises(NotSignedIn, match="the ticket is unknown"):
            async with client(server):
                pass


async def test_a_server_in_maintenance_is_tried_again() -> None:
    async with ScriptedServer(hang_up, serve) as server, client(server) as alice:
        server.statuses["/api/ticket"] = [503, 429, 502]
        events = alice.events()
        assert await anext(events) == LinkLost()
        assert isinstance(await anext(events), Welcome)
        assert server.statuses["/api/ticket"] == []


async def test_a_token_that_has_expired_is_bought_anew_with_the_password() -> None:
    async with ScriptedServer(hang_up, serve) as server, client(server) as alice:
        server.statuses["/api/ticket"] = [401]
        events = alice.events()
        assert await anext(events) == LinkLost()
        assert isinstance(await anext(events), Welcome)


async def test_a_token_that_has_expired_signs_out_who_has_no_password() -> None:
    async with (
        ScriptedServer(hang_up, serve) as server,
        Client(server.url, "alice", token="token", start_sound=quiet_sound) as alice,
    ):
        server.statuses["/api/ticket"] = [401]
        events = alice.events()
        assert await anext(events) == LinkLost()
        assert await anext(events) == SignedOut(reason="expired")
        assert alice.link == "over"
        with pytest.raises(NotSignedIn, match="expired"):
            await alice.send("bob", "hello")


async def test_a_text_that_waits_ends_with_the_session() -> None:
    async def revokes(line: Line) -> None:
        await line.welcome()
        await line.hear("text")
        await line.say("signed_out", reason="revoked")

    async with ScriptedServer(revokes) as server, client(server) as alice:
        with pytest.raises(MessageFailed, match="the session ended"):
            await alice.send("bob", "hello")


async def test_a_call_that_the_server_forgot_over_a_restart_ends_as_it_says() -> None:
    async def rings(line: Line) -> None:
        await line.welcome()
        await line.say("incoming", n=2, **incoming())
        await line.hear("alerting")

    async def forgot(line: Line) -> None:
        assert line.hello["calls"] == [CALL]
        await line.welcome(session="session-2")
        await line.hear("hangup")
        await line.say("ended", n=2, call=CALL, reason="server_restarted")
        await line.gone()

    async with ScriptedServer(rings, forgot) as server, client(server) as alice:
        call = await alice.next_call()
        assert (await call.wait_ended()).reason is EndReason.SERVER_RESTARTED


async def test_a_microphone_does_not_open_because_a_server_says_so() -> None:
    async def eavesdrops(line: Line) -> None:
        await line.welcome()
        await line.say("incoming", n=2, **incoming(), answer_now=True)
        assert (await line.hear("reject"))["call"] == CALL
        await line.say("missed", n=3, call=CALL, peer="bob", at=1)
        await line.gone()

    async with ScriptedServer(eavesdrops) as server, client(server) as alice:
        await anext(alice.missed())
        assert not alice.calls


async def test_a_server_that_never_lets_anybody_in_is_said_to_be_unreachable() -> None:
    async def closes(line: Line) -> None:
        """Without a word."""

    async with ScriptedServer(closes) as server:
        with pytest.raises(ServerUnreachable):
            async with client(server):
                pass


def incoming() -> dict[str, object]:
    return {
        "call": CALL,
        "peer": "bob",
        "peer_device": DEVICE,
        "sdp": "v=0\r\n",
        "media": ["audio"],
        "commitment": "0" * 64,
        "lifetime": 60.0,
    }
