"""`wephone carrier` as it is run: it says where it is, takes calls, and ends when it is told to."""

import json

from signaling.clock import SystemClock
from signaling.pstn.sip import call_events as told
from signaling.pstn.sip.digest import Credentials
from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.outgoing import OutgoingCall
from signaling.pstn.sip.sockets import Place
from tests.cli.conftest import Commands, Running
from tests.signaling.pstn.sip.agents import party, press, uri
from tests.signaling.pstn.test_carrier import OFFER


async def ready(running: Running) -> Place:
    """Where it says that it is."""
    await running.says("ready {")
    await running.says("}\n")
    facts = json.loads(running.said.partition("ready ")[2].partition("\n")[0])
    assert set(facts) == {"uri", "host", "port"}
    return Place(Transport.UDP, facts["host"], facts["port"])


async def test_a_carrier_takes_calls_until_it_is_told_to_stop(commands: Commands) -> None:
    carrier = await commands.start("carrier", "--port", "0", "--user", "us", stdin="secret\n")
    place = await ready(carrier)
    async with party(SystemClock()) as us:
        await us.agent.listen(Transport.UDP, "127.0.0.1")
        busy = uri(place, "+442079460001")
        call, talk = await us.call(busy, credentials=Credentials("us", "secret"))
        assert isinstance(call, OutgoingCall)
        assert (await talk.until(told.Failed)).cause.words == "the callee is busy"
        menu = uri(place, "+442079460007")
        call, talk = await us.call(menu, credentials=Credentials("us", "secret"), offer=OFFER)
        assert isinstance(call, OutgoingCall)
        await talk.until(told.Answered)
        press(us, call, "12#")
        await carrier.says('heard {"number": "+442079460007", "keys": "12#"}\n')
        call.hang_up()
        assert (await talk.until(told.Ended)).confirmed
    carrier.interrupt()
    assert (await carrier.ends()).code == 0


async def test_what_it_cannot_do_is_one_sentence(commands: Commands) -> None:
    carrier = await commands.start("carrier", "--port", "0")
    place = await ready(carrier)
    taken = await commands.run("carrier", "--port", str(place.port))
    assert (taken.code, taken.err.count("\n")) == (1, 1)
    assert f"cannot listen on 127.0.0.1 port {place.port}" in taken.err
    nobody = await commands.run("carrier", "--user", "us", stdin="\n")
    assert (nobody.code, nobody.err) == (1, "wephone: there is no password on stdin\n")
    nowhere = await commands.run("carrier", "--peer", "10.0.0.1/8")
    assert (nowhere.code, nowhere.err) == (1, "wephone: 10.0.0.1/8 has host bits set\n")
