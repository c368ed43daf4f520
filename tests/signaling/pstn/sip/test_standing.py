"""A registration lasts as long as we want it to, and a carrier that is gone is noticed and found again."""

import asyncio

import pytest

from licensing.instant import SECOND
from signaling.pstn.sip.cause import Cause
from signaling.pstn.sip.digest import Credentials
from signaling.pstn.sip.headers import Address
from signaling.pstn.sip.hop import Flow, Transport
from signaling.pstn.sip.message import Fields, Request
from signaling.pstn.sip.sockets import Place
from signaling.pstn.sip.standing import Account, Health, Registration
from signaling.pstn.sip.uri import Uri
from tests.fakes.clock import HandClock
from tests.signaling.pstn.sip.agents import WAIT, Party, party, uri

Said = tuple[int, Fields]


class Registrar:
    """Answers with what it is told to, one after another."""

    def __init__(self, far: Party) -> None:
        self.far, self.answers = far, list[Said]()
        self.heard: asyncio.Queue[Request] = asyncio.Queue()
        far.asked = self.asked  # type: ignore[method-assign]

    def asked(self, request: Request, flow: Flow) -> Said | None:
        self.heard.put_nowait(request)
        return self.answers.pop(0)

    async def next(self) -> Request:
        return await asyncio.wait_for(self.heard.get(), WAIT)


@pytest.fixture
def registrar(far: Party, place: Place) -> Registrar:
    return Registrar(far)


def account(place: Place) -> Account:
    ours = Address(Uri("sip", "carrier.example", "us"))
    return Account(uri(place), ours, Credentials("us", "secret"), 300)


async def test_a_registration_is_authenticated_granted_and_refreshed(
    near: Party, registrar: Registrar, place: Place, clock: HandClock
) -> None:
    told: asyncio.Queue[int | Cause] = asyncio.Queue()
    registration = Registration(near.agent, account(place), told.put_nowait)
    challenge = ("WWW-Authenticate", 'Digest realm="c", nonce="n", algorithm=SHA-256, qop="auth"')
    registrar.answers = [(423, (("Min-Expires", "400"),)), (401, (challenge,)), (200, (("Expires", "100"),))]
    registration.start()
    assert [(await registrar.next()).get("Expires") for _ in range(3)] == ["300", "400", "400"]
    assert await asyncio.wait_for(told.get(), WAIT) == clock.now().mono_ns + 100 * SECOND
    registrar.answers = [(200, ())]
    clock.advance(81)
    refreshed = await registrar.next()
    assert "nc=00000002" in (refreshed.get("Authorization") or "")
    await asyncio.wait_for(told.get(), WAIT)
    registrar.answers = [(200, ())]
    registration.stop()
    assert (await registrar.next()).get("Expires") == "0"
    assert await asyncio.wait_for(told.get(), WAIT) == clock.now().mono_ns
    clock.advance(10_000)
    assert registrar.heard.empty()


async def test_a_wrong_password_is_said_in_words_and_tried_again_later(
    near: Party, registrar: Registrar, place: Place, clock: HandClock
) -> None:
    told: asyncio.Queue[int | Cause] = asyncio.Queue()
    challenge = ("WWW-Authenticate", 'Digest realm="c", nonce="n"')
    registrar.answers = [(401, (challenge,))] * 2
    Registration(near.agent, account(place), told.put_nowait).start()
    cause = await asyncio.wait_for(told.get(), WAIT)
    assert isinstance(cause, Cause)
    assert cause.words == "the carrier does not accept our name and password"
    registrar.answers = [(200, ())]
    clock.advance(31)
    assert isinstance(await asyncio.wait_for(told.get(), WAIT), int)


async def test_a_carrier_that_goes_is_noticed_and_found_again(
    near: Party, far: Party, place: Place, clock: HandClock
) -> None:
    told: asyncio.Queue[Cause | None] = asyncio.Queue()
    health = Health(near.agent, account(place), told.put_nowait)
    health.start()
    assert await asyncio.wait_for(told.get(), WAIT) is None
    await far.agent.close()
    clock.advance(31)
    clock.advance(33)
    silent = await asyncio.wait_for(told.get(), WAIT)
    assert silent is not None
    assert silent.words == "the carrier did not answer in time"
    async with party(clock) as again:
        await again.agent.listen(Transport.UDP, place.host, place.port)
        clock.advance(31)
        assert await asyncio.wait_for(told.get(), WAIT) is None
    health.stop()
