"""An operator sees the calls that run and ends one: both hear of it, the journal has who did it and why."""

import json
from typing import Any

import aiohttp
import pytest

from tests.fakes.sound import quiet_sound
from tests.signaling.residents import HOLDER, permitted, resident
from wephone.events import Ending
from wephone.protocol.ids import UserId
from wephone.protocol.reasons import EndReason
from wephone.testing.kit import Kit

PASSWORD = "correct horse battery"
LIVE = "/api/operator/live"


@pytest.fixture
def wephone_settings() -> dict[str, Any]:
    return {"profiles": (), "legal_entity": HOLDER}


class Desk:
    """An operator's requests."""

    def __init__(self, http: aiohttp.ClientSession, base: str, token: str) -> None:
        self._http, self._base, self._headers = http, base, {"Authorization": f"Bearer {token}"}

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        answer = await self._http.request(method, self._base + path, json=body, headers=self._headers)
        async with answer:
            assert answer.status < 300, await answer.text()
            return await answer.json() if answer.status == 200 else None


async def desk_of(wephone: Kit, http: aiohttp.ClientSession) -> Desk:
    running = wephone.server.running
    await running.parts.accounts.add(UserId("boss"), PASSWORD, operator=True)
    signed_in = {"name": "boss", "password": PASSWORD}
    async with http.post(f"{running.operator_url}/api/session", json=signed_in) as answer:
        return Desk(http, running.operator_url, (await answer.json())["token"])


async def test_running_calls_are_shown_page_by_page_and_one_of_them_is_cut(wephone: Kit) -> None:
    wephone.start_sound = quiet_sound
    await permitted(wephone, "CN")
    people = [await resident(wephone, name, "CN") for name in ("alice", "bob", "carol", "dave")]
    first = await people[0].call(people[1])
    second = await people[2].call(people[3])
    async with aiohttp.ClientSession() as http:
        desk = await desk_of(wephone, http)
        page = await desk.ask("GET", f"{LIVE}?limit=1")
        rest = await desk.ask("GET", f"{LIVE}?limit=1&skip={page['skip']}")
        assert [each["call"] for each in (*page["calls"], *rest["calls"])] == [second.id, first.id]
        assert (page["of"], rest["skip"]) == (2, None)
        [seen] = (await desk.ask("GET", f"{LIVE}?user=alice&service=app_voice"))["calls"]
        assert (seen["phase"], seen["jurisdiction"], seen["permits"]) == ("active", "CN", ["cn@1"])
        assert [(leg["role"], leg["who"], leg["kind"], leg["country"]) for leg in seen["legs"]] == [
            ("caller", "alice", "app", "CN"),
            ("callee", "bob", "app", "CN"),
        ]
        await wephone.permits.suspend("cn")
        await first.wait_for(Ending)
        ending = (await desk.ask("GET", f"{LIVE}?winding=true&user=alice"))["calls"][0]["ending"]
        assert ending["reason"] == "DENY_PERMIT_SUSPENDED"
        assert 50 < ending["seconds"] <= 60
        await desk.ask("POST", f"{LIVE}/{first.id}/cut", {"why": "a nuisance"})
        ended = await first.wait_ended()
        assert (ended.reason, ended.by) == (EndReason.HANGUP, None)
        assert (await people[1].talks[-1].call.wait_ended()).reason is EndReason.HANGUP
        assert [each["call"] for each in (await desk.ask("GET", LIVE))["calls"]] == [second.id]
    entries = await wephone.server.running.parts.licence.journal.about(first.id)
    [cut] = [entry for entry in entries if entry.kind == "call_cut"]
    assert json.loads(cut.body)["why"] == "a nuisance"
    assert "boss" not in cut.body
