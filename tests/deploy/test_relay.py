"""coturn as docker-compose.yml configures it: whom it serves, and whom it reaches for them."""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from pathlib import Path

import pytest

from tests.deploy.compose import Service
from tests.deploy.conftest import Installation
from tests.deploy.turn import (
    OK,
    TCP,
    Credentials,
    TurnClient,
    fresh,
    rest_credentials,
    turn_client,
)

UNAUTHORIZED, FORBIDDEN, QUOTA_REACHED = 401, 403, 486

Client = Callable[[Credentials], AbstractAsyncContextManager[TurnClient]]


@pytest.fixture
async def relay(installation: Installation) -> AsyncIterator[Client]:
    service = Service.read("coturn", installation.variables, installation.secret_files)
    server = ("127.0.0.1", installation.port("TURN_PORT"))
    with service.running(installation.folder, TURN_RUN=str(installation.folder)):
        async with turn_client(server, fresh(installation.secret, "probe")) as probe:
            assert (await probe.bind()).code == OK
        yield lambda credentials: turn_client(server, credentials)


def addresses(text: str) -> list[str]:
    return text.split()


# One address or more of every range in IANA's two registries of special-purpose addresses, and multicast.
SPECIAL = addresses("""
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254
    169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.8 192.0.0.9 192.0.0.10 192.0.0.170 192.0.2.1
    192.31.196.1 192.52.193.1 192.88.99.1 192.88.99.2 192.168.0.1 192.168.255.255 192.175.48.1
    198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:192.0.2.1 ::ffff:8.8.8.8
    64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1::1 64:ff9b:1:ffff::1 100::1 100:0:0:1::1 2001::1 2001:1::1
    2001:1::2 2001:1::3 2001:2::1 2001:3::1 2001:4:112::1 2001:10::1 2001:20::1 2001:30::1 2001:1ff:ffff::1
    2001:db8::1 2002::1 2002:7f00:1::1 2620:4f:8000::1 3fff::1 3fff:fff::1 5f00::1 fc00::1
    fd12:3456:789a::1 fe80::1 febf::1 fec0::1 ff02::1 ff05::2
""")
# Neighbours of those ranges, and other addresses of the open Internet. A permission sends nothing there.
OPEN = addresses("""
    1.0.0.1 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 126.255.255.255 128.0.0.1 172.15.255.255
    172.32.0.1    192.0.1.1 192.167.255.255 192.169.0.1 198.17.255.255 198.20.0.1 223.255.255.255
    64:ff9a::1 2001:200::1 2003::1 2606:4700::1 2a00::1 3ffe:ffff::1 4000::1
""")


async def test_it_reaches_no_address_of_a_special_purpose(relay: Client, installation: Installation) -> None:
    async with (
        relay(fresh(installation.secret, "alice")) as v4,
        relay(fresh(installation.secret, "bob")) as v6,
    ):
        assert (await v4.allocate()).code == OK
        assert (await v6.allocate(address_family=6)).code == OK
        codes = {peer: (await (v6 if ":" in peer else v4).permit(peer)).code for peer in SPECIAL}
        assert {peer: code for peer, code in codes.items() if code != FORBIDDEN} == {}


async def test_it_reaches_the_open_internet(relay: Client, installation: Installation) -> None:
    async with (
        relay(fresh(installation.secret, "alice")) as v4,
        relay(fresh(installation.secret, "bob")) as v6,
    ):
        await v4.allocate()
        await v6.allocate(address_family=6)
        codes = {peer: (await (v6 if ":" in peer else v4).permit(peer)).code for peer in OPEN}
        assert {peer: code for peer, code in codes.items() if code != OK} == {}


async def test_it_reaches_no_tcp_service(relay: Client, installation: Installation) -> None:
    async with relay(fresh(installation.secret, "alice")) as client:
        assert (await client.allocate(transport=TCP)).code != OK
        assert (await client.connect("1.0.0.1", 80)).code != OK


@pytest.mark.parametrize(
    "forge",
    [
        lambda secret: rest_credentials(secret, "alice", time.time() - 1),
        lambda secret: rest_credentials(f"{secret[:-1]}x", "alice", time.time() + 300),
        lambda secret: Credentials(f"{int(time.time()) + 99999}:alice", fresh(secret, "alice").password),
        lambda secret: Credentials(
            fresh(secret, "alice").username.replace("alice", "bob"), fresh(secret, "alice").password
        ),
        lambda secret: Credentials("alice", secret),
        lambda secret: Credentials("", ""),
    ],
    ids=["expired", "another secret", "prolonged", "another user", "the secret itself", "nothing"],
)
async def test_forged_credentials_open_nothing(
    relay: Client, installation: Installation, forge: Callable[[str], Credentials]
) -> None:
    async with relay(forge(installation.secret)) as client:
        assert (await client.allocate()).code == UNAUTHORIZED


async def test_one_account_has_ten_allocations_and_no_more(relay: Client, installation: Installation) -> None:
    """However many credentials it asks for: the quota counts users, not their passwords."""
    async with AsyncExitStack() as stack:
        codes = []
        for age in range(11):
            credentials = rest_credentials(installation.secret, "alice", time.time() + 300 - age)
            client = await stack.enter_async_context(relay(credentials))
            codes.append((await client.allocate()).code)
        assert codes == [OK] * 10 + [QUOTA_REACHED]
        other = await stack.enter_async_context(relay(fresh(installation.secret, "bob")))
        assert (await other.allocate()).code == OK


async def test_its_own_public_address_is_no_peer(installation: Installation) -> None:
    """Behind NAT it has two addresses, and a service of its own machine may listen on either."""
    variables = {**installation.variables, "TURN_ADDRESS": "1.2.3.4", "TURN_LOCAL_ADDRESS": "127.0.0.1"}
    service = Service.read("coturn", variables, installation.secret_files)
    with service.running(installation.folder, TURN_RUN=str(installation.folder)):
        server = ("127.0.0.1", installation.port("TURN_PORT"))
        async with turn_client(server, fresh(installation.secret, "alice")) as client:
            assert (await client.allocate()).code == OK
            assert (await client.permit("1.2.3.4")).code == FORBIDDEN
            assert (await client.permit("1.2.3.5")).code == OK


def test_a_secret_that_is_too_short_starts_nothing(installation: Installation) -> None:
    installation.secret_files["turn_secret"].write_text("changeme")
    service = Service.read("coturn", installation.variables, installation.secret_files)
    with service.running(installation.folder, TURN_RUN=str(installation.folder)) as process:
        assert process.wait(timeout=60) == 1
    assert "shorter than 32 characters" in (installation.folder / "coturn.log").read_text()


async def test_the_secret_is_on_no_command_line(relay: Client, installation: Installation) -> None:
    lines = list(command_lines())
    assert any("turnserver" in line for line in lines)
    assert not any(installation.secret in line for line in lines)


def command_lines() -> Iterator[str]:
    """Of every process on this machine, as anybody on it may read them."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended meanwhile
            yield file.read_bytes().decode(errors="replace")
