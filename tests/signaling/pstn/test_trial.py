"""A trunk is tried out before anybody calls by it, and what is wrong is said in words."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from licensing.instant import SECOND
from signaling.clock import SystemClock
from signaling.pstn.carrier import Carrier
from signaling.pstn.sip.cause import Cause
from signaling.pstn.sip.digest import Credentials
from signaling.pstn.sip.hop import Hop, Transport
from signaling.pstn.sip.sockets import Place
from signaling.pstn.trial import tried, unanswered
from signaling.pstn.trunk import Trunk
from tests.fakes.certificates import Certificate, certify

PASSWORD = "correct horse battery"
Found = dict[str, tuple[bool | None, str]]


@pytest.fixture
async def at() -> AsyncIterator[dict[Transport, Place]]:
    """A carrier that wants a password."""
    carrier = Carrier(SystemClock(), {"wephone": PASSWORD}, peers=lambda host: True, picked_up_after=SECOND)
    yield {each: await carrier.listen(each, "127.0.0.1") for each in (Transport.UDP, Transport.TCP)}
    await carrier.close()


@asynccontextmanager
async def front(certificate: Certificate) -> AsyncIterator[int]:
    """The port of something that speaks TLS by this certificate, and nothing more."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.certificate, certificate.key)

    def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


async def found(uri: str, password: str = PASSWORD, authority: Path | None = None) -> Found:
    """What each step found."""
    trunk = Trunk.model_validate(
        {"uri": f"sip:{uri}", "username": "wephone", "limits": {"countries": ["DE"]}}
    )
    tls = ssl.create_default_context(cafile=authority)
    credentials = Credentials("wephone", password)
    steps = await tried(SystemClock(), "carrier_a", trunk, credentials, tls, "127.0.0.1")
    return {each.step: (each.ok, each.text) for each in steps}


async def test_a_trunk_that_is_right_is_said_to_be(at: dict[Transport, Place]) -> None:
    steps = await found(f"127.0.0.1:{at[Transport.UDP].port}")
    assert (steps["answer"][0], steps["password"]) == (True, (True, "it registers us"))
    assert not [each for each in steps.values() if each[0] is False]


async def test_a_wrong_password_is_said_to_be(at: dict[Transport, Place]) -> None:
    steps = await found(f"127.0.0.1:{at[Transport.TCP].port};transport=tcp", "wrong password")
    assert steps["password"] == (False, "the carrier does not accept our name and password")


async def test_nobody_there_and_no_such_name_are_told_apart() -> None:
    steps = await found("127.0.0.1:1;transport=tcp")
    assert steps["connection"] == (False, "no connection to 127.0.0.1 port 1: connection refused")
    steps = await found("nowhere.invalid")
    assert steps["address"][0] is False
    assert "nowhere.invalid leads nowhere" in steps["address"][1]


def test_silence_and_a_refusal_are_told_apart() -> None:
    hop = Hop(Transport.UDP, "192.0.2.1", 5060)
    silence = unanswered(Cause("the carrier did not answer in time", 102), hop)
    assert silence.startswith("the carrier did not answer in time, at udp:192.0.2.1:5060: the address may be")
    assert "a firewall" in silence
    trouble = unanswered(Cause("the carrier has trouble", 41, 500), hop)
    assert trouble == "the carrier has trouble (500 from udp:192.0.2.1:5060)"


async def test_what_speaks_no_tls_and_who_has_another_name_are_told_apart(
    at: dict[Transport, Place], tmp_path: Path
) -> None:
    steps = await found(f"127.0.0.1:{at[Transport.TCP].port};transport=tls")
    assert steps["connection"][0] is False
    named = certify(tmp_path, "carrier.example")
    async with front(named) as port:
        steps = await found(f"127.0.0.1:{port};transport=tls", authority=named.authority)
    assert steps["connection"][0] is False
    assert "the certificate there is not for 127.0.0.1" in steps["connection"][1]
