"""A line for packets alone: when it looks for the far end, and for how long."""

import asyncio

import pytest
from aiortc import RTCIceParameters

from wephone.media import secure
from wephone.media.secure import SecureLine
from wephone.media.servers import IceSettings
from wephone.protocol.messages import Candidate


class Told:
    """What a line tells."""

    def __init__(self) -> None:
        self.failed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.connected = asyncio.Event()

    def line_found(self, candidate: Candidate | None) -> None: ...

    def line_connected(self) -> None:
        self.connected.set()

    def line_failed(self, reason: str) -> None:
        self.failed.set_result(reason)

    def line_closed(self) -> None: ...

    def packet_came(self, packet: bytes) -> None: ...


async def test_the_time_to_be_found_begins_when_the_far_end_has_our_description(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While a telephone rings, the app that calls it has none yet. Once it has, it may come from anywhere."""
    monkeypatch.setattr(secure, "CONNECT", 0.05)
    told = Told()
    line = SecureLine(told, IceSettings(), offers=False, mid="0")
    await line.gather()
    theirs = RTCIceParameters(usernameFragment="abcd", password="abcdefghijklmnopqrstuvwx")
    await line.start(theirs, ("sha-256 " + ":".join(["AB"] * 32),), client=True)
    await line.add_candidates((), end=True)  # all of its own are names that nobody here can resolve
    line.connect(in_time=False)
    done, _ = await asyncio.wait((told.failed,), timeout=0.2)
    assert not done
    line.connect()
    assert await told.failed == "no way to the far end in 0 s"
    await line.close()


async def test_a_far_end_that_names_no_candidate_of_use_is_met_all_the_same() -> None:
    """As a browser that hides its addresses behind names: its checks come, and are answered."""
    ours, theirs = Told(), Told()
    line = SecureLine(ours, IceSettings(), offers=False, mid="0")
    other = SecureLine(theirs, IceSettings(), offers=True, mid="0")
    for each in (line, other):
        await each.gather()
    await line.start(parameters(other), (f"sha-256 {other.fingerprint}",), client=True)
    await line.add_candidates((), end=True)
    known = [Candidate(candidate=f"candidate:{each.to_sdp()}") for each in line.connection.local_candidates]
    await other.start(parameters(line), (f"sha-256 {line.fingerprint}",), client=False, described=known)
    await other.add_candidates((), end=True)
    for each in (line, other):
        each.connect()
    async with asyncio.timeout(20):
        await ours.connected.wait()
        await theirs.connected.wait()
    for each in (line, other):
        await each.close()


def parameters(line: SecureLine) -> RTCIceParameters:
    """As its description has them."""
    ice = line.connection
    return RTCIceParameters(usernameFragment=ice.local_username, password=ice.local_password)
