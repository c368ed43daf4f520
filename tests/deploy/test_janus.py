"""Janus as docker-compose.yml configures it: what it lets in, what it can do, and what it does not say."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Literal, cast

import pytest
from aiohttp import ClientSession

from licensing.grant import LEASE
from licensing.instant import SECOND
from signaling.media import MediaError
from signaling.pstn.media.janus_line import JanusPlace, open_line
from signaling.pstn.media.nosip import Said
from tests.deploy.compose import Service
from tests.deploy.conftest import Installation
from tests.deploy.test_relay import command_lines
from tests.fakes.janus import Janus, janus


@pytest.fixture
async def running() -> AsyncIterator[Janus]:
    async with janus() as one:
        yield one


async def asked(place: JanusPlace, kind: Literal["janus", "admin"], request: Said) -> Said:
    """What one interface answers."""
    async with ClientSession() as http, open_line(http, place, kind) as line:
        listening = asyncio.create_task(line.listen(lambda said: None))
        try:
            return await line.ask(request)
        finally:
            listening.cancel()
            await asyncio.wait((listening,))


async def test_it_has_one_plugin_and_one_way_in(running: Janus) -> None:
    info = await asked(running.place, "admin", {"janus": "info"})
    assert list(info["plugins"]) == ["janus.plugin.nosip"]
    assert list(info["transports"]) == ["janus.transport.websockets"]
    assert info["session-timeout"] < LEASE // SECOND  # its own clock is quicker than the lease


async def test_nobody_gets_in_without_the_secret(running: Janus) -> None:
    stranger = replace(running.place, secret="x" * 64)
    for kind, request in (("janus", "create"), ("admin", "list_sessions")):
        with pytest.raises(MediaError, match="does not accept the secret"):
            await asked(stranger, cast(Literal["janus", "admin"], kind), {"janus": request})


async def test_its_secret_is_on_no_command_line_nor_in_its_log(running: Janus) -> None:
    lines = list(command_lines())
    assert any("janus.jcfg" in line for line in lines)
    assert not any(running.place.secret in line for line in lines)
    assert running.place.secret not in running.log


@pytest.mark.parametrize(
    ("secret", "words"), [("changeme", "shorter than 32 characters"), ('"' * 40, "has other characters")]
)
def test_a_secret_that_will_not_do_starts_nothing(
    installation: Installation, secret: str, words: str
) -> None:
    installation.secret_files["janus_secret"].write_text(secret)
    service = Service.read("janus", installation.variables, installation.secret_files)
    with service.running(installation.folder, JANUS_RUN=str(installation.folder)) as process:
        assert process.wait(timeout=60) == 1
    assert words in (installation.folder / "janus.log").read_text()
