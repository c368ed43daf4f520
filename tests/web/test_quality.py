"""How a call sounds, and why the other side cannot hear: judged from two readings of what is counted."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page

from signaling.core.party import Party
from tests.web.conftest import ALICES_TONE, BOBS_TONE, Town
from wephone.protocol.messages import Heard, Role
from wephone.testing.kit import Kit

JUDGE = """async (cases) => {
  const { judge, read } = await import("/web/app/quality.js");
  const sound = { kind: "audio" };
  const report = ({ inbound, outbound, source, remote, pair }) => new Map(Object.entries({
    i: { ...sound, type: "inbound-rtp", packetsReceived: 0, packetsLost: 0, ...inbound },
    o: { ...sound, type: "outbound-rtp", packetsSent: 0, ...outbound },
    s: { ...sound, type: "media-source", totalAudioEnergy: 0, ...source },
    r: { ...sound, type: "remote-inbound-rtp", fractionLost: 0, ...remote },
    p: { type: "candidate-pair", nominated: true, state: "succeeded", localCandidateId: "l", ...pair },
    l: { type: "local-candidate", candidateType: pair?.relayed ? "relay" : "host" },
  }).map(([id, each]) => [id, { id, ...each }]));
  const before = read(report({}));
  const well = {
    inbound: { packetsReceived: 50 }, outbound: { packetsSent: 50 }, source: { totalAudioEnergy: 1 },
  };
  return cases.map(({ now, call }) => {
    const found = judge(before, read(report({ ...well, ...now })), { muted: false, held: false, ...call });
    return [found.bars, found.cause];
  });
}"""
IN_ALL = """async (connections) => {
  const { inAll } = await import("/web/app/quality.js");
  const report = (inbound, currentRoundTripTime) => new Map([
    ["i", { id: "i", type: "inbound-rtp", kind: "audio", ...inbound }],
    ["p", { id: "p", type: "candidate-pair", nominated: true, state: "succeeded", currentRoundTripTime }],
  ]);
  return inAll("a-call", connections.map(([inbound, trip]) => report(inbound, trip)));
}"""
# The app looks at how its calls sound when the test says so, and not every two seconds.
BY_HAND = """const every = window.setInterval;
window.setInterval = (then, ms) => (ms === 2000 ? ((window.look = then), 0) : every(then, ms));"""
# What is counted other than in a good call, who is muted or on hold; and what is said of it.
CASES: list[tuple[dict[str, Any], dict[str, bool], list[Any]]] = [
    ({}, {}, [3, "none"]),
    ({"pair": {"relayed": True}}, {}, [3, "relay"]),
    ({}, {"muted": True}, [3, "muted"]),
    ({"inbound": {}}, {}, [0, "no_packets"]),
    ({"inbound": {}}, {"held": True}, [3, "none"]),
    ({"outbound": {}}, {}, [0, "unsent"]),
    ({"outbound": {}}, {"muted": True}, [3, "muted"]),
    ({"source": {}}, {}, [2, "no_energy"]),
    ({"remote": {"fractionLost": 0.2}}, {}, [1, "lost_there"]),
    ({"inbound": {"packetsReceived": 50, "packetsLost": 10}}, {}, [1, "loss"]),
    ({"inbound": {"packetsReceived": 50, "packetsLost": 3}}, {}, [2, "loss"]),
    ({"pair": {"currentRoundTripTime": 0.5}}, {}, [1, "delay"]),
    ({"inbound": {"packetsReceived": 50, "jitter": 0.05}}, {}, [2, "delay"]),
]


async def test_each_cause_is_told_from_what_is_counted(page: Page) -> None:
    cases = [{"now": now, "call": call} for now, call, _ in CASES]
    assert await page.evaluate(JUDGE, cases) == [said for *_, said in CASES]


async def test_what_a_call_came_to_is_told_of_all_its_connections(page: Page) -> None:
    before = [{"packetsReceived": 100, "packetsLost": 4, "jitter": 0.003}, 0.05]
    after = [{"packetsReceived": 50, "packetsLost": -1, "jitter": 0.001}, 0]
    told = {"type": "heard", "call": "a-call", "packets": 150, "lost": 4, "jitter_us": 3_000}
    assert await page.evaluate(IN_ALL, [before, after]) == {**told, "rtt_us": 50_000}
    assert await page.evaluate(IN_ALL, [after]) == {**told, "packets": 50, "lost": 0, "jitter_us": 1_000}
    assert await page.evaluate(IN_ALL, [[{"packetsReceived": 0, "packetsLost": 0}, 0.1]]) is None
    assert await page.evaluate(IN_ALL, []) is None


@pytest.mark.long
async def test_at_each_fifth_look_the_server_is_told_what_is_heard_and_in_all_at_the_end(
    town: Town, wephone: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange, said = wephone.server.running.parts.exchange, asyncio.Queue[tuple[str, Heard]]()
    take = exchange.heard

    def taken(party: Party, heard: Heard) -> None:
        take(party, heard)
        said.put_nowait((party.user, heard))

    monkeypatch.setattr(exchange, "heard", taken)
    alice, bob = await town.newcomer("alice"), await town.newcomer("bob", BOBS_TONE)
    for person in (alice, bob):
        await person.context.add_init_script(BY_HAND)
        await person.sign_up(town.url)
    await alice.calls("bob")
    await bob.answers()
    await alice.hears_tone(BOBS_TONE)
    await bob.hears_tone(ALICES_TONE)
    before = 0
    for _ in range(2):
        for _ in range(4):
            await alice.page.evaluate("look()")
        assert said.empty()
        await alice.page.evaluate("look()")
        by, heard = await said.get()
        assert (by, heard.so_far) == ("alice", True)
        assert heard.packets >= max(1, before)
        before = heard.packets
        kept = exchange.hearsay.so_far(heard.call, Role.CALLER)
        assert kept is not None and kept.packets == before
        await wephone.clock.advance(10)
    await alice.button("End").click()
    in_all = dict([await said.get(), await said.get()])
    assert [in_all[name].so_far for name in ("alice", "bob")] == [False, False]
    assert in_all["alice"].packets >= before
