"""A server with trunks, people at it, and carriers or witnesses at the far end."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from signaling.app.server import Server, start
from signaling.configuration import made
from signaling.ports.clock import Clock
from signaling.ports.legs import Entitlement
from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.sockets import Place
from signaling.settings import Settings
from signaling.store.rows import DatabaseStore
from tests.fakes.relay import Relay
from tests.interop.witness import SDP as SOUND
from tests.interop.witness import Witness, witness
from tests.signaling.device import Device
from wephone.protocol.ids import UserId

PASSWORD = "correct horse battery"
BOSS = UserId("boss")
NUMBER = "+4930123456"  # whose telephone answers
DID = "+49301111111"  # alice's
PERMIT = {
    "id": "basic",
    "jurisdiction": "baseline",
    "categories": ["baseline:basic"],
    "holder": "us",
    "basis": "own",
    "issuer": "the regulator",
    "number": "1",
    "regions": ["*"],
    "valid_from": "2020-01-01",
    "valid_until": "2099-12-31",
}
TRUNK = """
[trunks.{name}]
uri = "sip:{host}:{port}{transport}"
sign_in = "address"
sources = ["127.0.0.0/8"]
media_networks = ["127.0.0.0/8"]
options_every = 5
priority = {priority}
caller_id = {{ default = "+49301111111", header = "from" }}
[trunks.{name}.limits]
countries = ["DE"]
calls_per_second = 1000
{limits}
[trunks.{name}.dids]
{dids}
"""


@dataclass
class Trunks:
    """The trunks of a test, as their file has them."""

    text: str = ""

    def add(
        self, name: str, place: Place, *, limits: str = "", dids: Mapping[str, str] | None = None
    ) -> "Trunks":
        owned = "\n".join(f'"{did}" = "{user}"' for did, user in (dids or {}).items())
        self.text += TRUNK.format(
            name=name,
            host=place.host,
            port=place.port,
            transport="" if place.transport is Transport.UDP else f";transport={place.transport.lower()}",
            priority=self.text.count("[trunks.") + 1,
            limits=limits,
            dids=owned,
        )
        return self


@dataclass
class Office:
    """A server, the sound of its telephone calls, and the people at it."""

    server: Server
    http: aiohttp.ClientSession
    relays: list[Relay]
    boss: str = ""
    devices: list[Device] = field(default_factory=list)

    @property
    def sip(self) -> Place:
        assert self.server.network is not None and self.server.network.place is not None
        return self.server.network.place

    @property
    def relay(self) -> Relay:
        return self.relays[-1]

    async def person(self, name: str, *, entitled: bool = True, **caps: Any) -> Device:
        """With an account and a device, who may call telephones in Germany."""
        device = await Device.of_new_account(
            self.http, f"http://{self.server.ready['listen']}", name, PASSWORD
        )
        self.devices.append(device)
        if entitled:
            granted = Entitlement(frozenset({"DE"}), BOSS, 1, **caps)
            await self.server.parts.store.entitle(UserId(name), granted)
        return device

    async def operator(self, method: str, path: str, body: object = None) -> Any:
        """What the operators' API answers."""
        if not self.boss:
            if await self.server.parts.store.account(BOSS) is None:
                await self.server.parts.accounts.add(BOSS, PASSWORD, operator=True)
            signed_in = {"name": "boss", "password": PASSWORD}
            async with self.http.post(f"{self.server.operator_url}/api/session", json=signed_in) as response:
                self.boss = (await response.json())["token"]
        headers = {"Authorization": f"Bearer {self.boss}"}
        url = f"{self.server.operator_url}/api/operator/{path}"
        async with self.http.request(method, url, json=body, headers=headers) as response:
            answer = await response.json(content_type=None)
            assert response.status < 300, answer
            return answer

    async def another(self, device: Device) -> Device:
        """Another device of the same person."""
        other = Device(device.http, device.url, device.name)
        other.token = device.token
        self.devices.append(other)
        await other.open()
        return other

    async def permit(self, id: str = "basic") -> None:
        """What telephone calls need by the baseline."""
        await self.operator("POST", "permits", {"permit": {**PERMIT, "id": id}, "why": "a test"})

    async def duties(self, call: str) -> dict[str, str]:
        """What the journal says that was done for the law by the trunk of a call's first leg."""
        store = self.server.parts.store
        assert isinstance(store, DatabaseStore)
        for entry in await store.journal.entries(0, 100):
            body = json.loads(entry.body)
            if entry.kind == "leg_duties" and body["call"] == call:
                return dict(body["duties"])
        return {}

    async def record(self, call: str) -> dict[str, Any]:
        """The record of a call, once it is closed."""
        while True:
            for each in (await self.operator("GET", "calls"))["calls"]:
                if each["call"] == call and each["ended_at"] is not None:
                    return dict(each)
            await asyncio.sleep(0.02)

    async def unconfirmed(self, count: int) -> list[dict[str, Any]]:
        """The legs whose end no carrier has confirmed, once they are so many."""
        while True:
            legs: list[dict[str, Any]] = (await self.operator("GET", "telephone/unconfirmed"))["legs"]
            if len(legs) == count:
                return legs
            await asyncio.sleep(0.02)

    async def legs(self, call: str, *, over: bool = True) -> list[dict[str, Any]]:
        """The legs of a call, once all of them are over."""
        while True:
            legs: list[dict[str, Any]] = (await self.operator("GET", f"calls/{call}/legs"))["legs"]
            if legs and (not over or all(leg["ended_at"] is not None for leg in legs)):
                return legs
            await asyncio.sleep(0.02)


def settings_in(folder: Path, **settings: Any) -> Settings:
    """Of a server with trunks and all its data in this folder."""
    values = {
        "listen": "127.0.0.1:0",
        "operator_listen": "127.0.0.1:0",
        "data": folder / "data",
        "trunks": folder / "trunks.toml",
        "sip_listen": "127.0.0.1:0",
        "homes": ["DE"],
        "resume": 5,
        "limits": False,
    }
    return made(values | settings)


@asynccontextmanager
async def office(
    folder: Path, trunks: Trunks, clock: Clock | None = None, /, **settings: Any
) -> AsyncIterator[Office]:
    """A server on this folder, while the block runs; by a relay of the tests unless `media` is set."""
    (folder / "trunks.toml").write_text(trunks.text)
    relays: list[Relay] = []

    def sound(tell: Any) -> Relay:
        relays.append(Relay(tell))
        return relays[-1]

    async with AsyncExitStack() as stack:
        own = None if "media" in settings else sound
        server = await start(settings_in(folder, **settings), clock=clock, sound=own)
        stack.push_async_callback(server.close)
        http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        made_office = Office(server, http, relays)
        yield made_office
        for device in made_office.devices:
            await device.close()


@asynccontextmanager
async def one_carrier(
    folder: Path, *, dids: Mapping[str, str] | None = None, permitted: bool = True
) -> AsyncIterator[tuple[Witness, Office]]:
    """A witness at the far end of the only trunk, and a server that knows it is there."""
    async with witness() as phone, office(folder, Trunks().add("one", phone.place, dids=dids)) as here:
        await after_options(phone)
        if permitted:
            await here.permit()
        yield phone, here


@asynccontextmanager
async def calling(
    folder: Path, *, dids: Mapping[str, str] | None = None, **caps: Any
) -> AsyncIterator[tuple[Witness, Office, Device]]:
    """The same, and alice at it, who may call."""
    async with one_carrier(folder, dids=dids) as (phone, here):
        yield phone, here, await here.person("alice", **caps)


async def answered(alice: Device, phone: Witness) -> tuple[str, str]:
    """A call of hers that the phone takes: its id and the INVITE."""
    call = await alice.invite(NUMBER)
    invite = await phone.hear("INVITE")
    phone.answer(invite, "200 OK", sdp=True)
    await phone.hear("ACK")
    await alice.hears("answered")
    return call, invite


def request(method: str, to: Place, us: Place, *, uri: str = DID, call: str = "raw", extra: str = "") -> str:
    """A request of nobody's dialog, as anybody might write it."""
    body = SOUND if method == "INVITE" else ""
    head = (
        f"{method} sip:{uri}@{to.host}:{to.port} SIP/2.0",
        f"Via: SIP/2.0/UDP {us.host}:{us.port};branch=z9hG4bK{secrets.token_hex(8)}",
        "From: <sip:+4915112345678@witness>;tag=w",
        f"To: <sip:{uri}@{to.host}>",
        f"Call-ID: {call}",
        f"CSeq: 1 {method}",
        f"Contact: <sip:witness@{us.host}:{us.port}>",
        "Max-Forwards: 70",
        *([extra] if extra else []),
        *(["Content-Type: application/sdp"] if body else []),
        f"Content-Length: {len(body)}",
        "",
        "",
    )
    return "\r\n".join(head) + body


async def after_options(phone: Witness) -> None:
    """The trunk is looked at, and is there."""
    phone.answer(await phone.hear("OPTIONS"), "200 OK")
