"""What the operators' console asks for: its files, the state of everything, effects beforehand, proofs."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSCloseCode, WSMsgType

from signaling.api import evidence, overview
from signaling.api.auth import COOKIE, OPERATOR_COOKIE
from signaling.api.configured import in_words
from signaling.proofs import GOOD_FOR
from tests.signaling.api.conftest import PASSWORD, Begin, Somebody, World
from tests.signaling.api.test_permits import BASIC, NUMBER, WHY, files
from wephone.cli import verify_journal

OVERVIEW, SUPPOSE, PROOF = (f"/api/operator/{what}" for what in ("overview", "suppose", "proof"))
SUSPEND = "/api/operator/permits/basic-1/suspend"


class AtBrowser:
    """An operator's browser: a cookie, and the origin that its page has."""

    def __init__(self, somebody: Somebody) -> None:
        self._somebody = Somebody(somebody.http, somebody.base)
        self.headers = {"Cookie": f"{OPERATOR_COOKIE}={somebody.token}", "Origin": somebody.base}

    async def says(self, password: str) -> Any:
        return await self._somebody.post(PROOF, {"password": password}, headers=self.headers)

    async def suspends(self, epoch: int | None = None) -> Any:
        seen = {} if epoch is None else {"If-Match": f'"{epoch}"'}
        return await self._somebody.post(SUSPEND, WHY, headers={**self.headers, **seen})


async def test_operators_get_the_console_and_callers_do_not(world: World) -> None:
    here = Somebody(world.http, world.operators)
    answer = await here.get("/")
    assert answer.status == 200 and "/web/console/main.js" in answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    for path in ("/web/console/main.js", "/web/vendor/preact.js", "/web/style/tokens.css"):
        assert (await here.get(path)).status == 200, path
    for path in ("/worker.js", "/web/worker.js", "/web/index.html", "/web/console/nothing.js"):
        assert (await here.get(path)).status == 404, path
    stranger = world.stranger()
    for path in ("/web/console/main.js", "/web/console/index.html"):
        assert (await stranger.get(path)).status == 404, path
    assert "console" not in (await stranger.get("/worker.js")).text


async def test_the_overview_says_how_all_is_and_who_looks(world: World) -> None:
    boss, eyes = await world.operator(), await world.auditor()
    await files(boss, valid_until="2099-12-31")
    seen = (await eyes.get(OVERVIEW)).json
    assert (seen["name"], seen["role"], seen["epoch"]) == ("eyes", "auditor", 1)
    assert seen["permits"] == {"in_force": 1}
    assert (seen["next_expiry"]["permit"], seen["next_expiry"]["on"]) == ("basic-1", "2099-12-31")
    assert (seen["calls"], seen["winding_down"], seen["telephone_on"], seen["alarms"]) == (0, 0, True, [])
    assert (await boss.get(OVERVIEW)).json["role"] == "operator"


@asynccontextmanager
async def watching(world: World, somebody: Somebody) -> AsyncIterator[ClientWebSocketResponse]:
    """A console's socket, with its session as a cookie."""
    headers = AtBrowser(somebody).headers
    async with world.http.ws_connect(f"{somebody.base}/api/operator/watch", headers=headers) as socket:
        yield socket


async def test_whoever_looks_on_hears_at_once_what_has_changed_and_that_alone(world: World) -> None:
    boss, eyes = await world.operator(), await world.auditor()
    async with watching(world, eyes) as socket, watching(world, boss) as other:
        whole = await socket.receive_json()
        assert whole == {**(await eyes.get(OVERVIEW)).json, "at": whole["at"]}
        assert (await other.receive_json())["role"] == "operator"
        await files(boss)
        for each in (socket, other):
            news = await each.receive_json()
            while "epoch" not in news:
                news = await each.receive_json()
            assert (news["epoch"], news["permits"]) == (1, {"in_force": 1})
            assert not {"name", "role", "node", "calls"} & news.keys()


async def test_whoever_is_signed_out_hears_nothing_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "STILL_IN", 0.05)
    boss, eyes = await world.operator(), await world.auditor()
    async with watching(world, eyes) as socket:
        await socket.receive_json()
        await boss.ask("DELETE", "/api/operator/accounts/eyes/sessions")
        while (said := await socket.receive()).type is WSMsgType.TEXT:
            pass
        assert (said.type, said.data) == (WSMsgType.CLOSE, WSCloseCode.POLICY_VIOLATION)


async def test_a_console_has_nothing_to_say_and_no_other_page_looks_on(world: World) -> None:
    boss = await world.operator()
    async with watching(world, boss) as socket:
        await socket.receive_json()
        await socket.send_str("hello")
        while (said := await socket.receive()).type is WSMsgType.TEXT:
            pass
        assert said.data == WSCloseCode.POLICY_VIOLATION
    path = "/api/operator/watch"
    cookie = {"Cookie": AtBrowser(boss).headers["Cookie"]}
    here = Somebody(world.http, world.operators)
    assert (await here.get(path, headers=cookie)).code == "foreign_origin"
    assert (await here.get(path, headers={**cookie, "Origin": "https://evil.example"})).status == 403
    assert (await here.get(path)).status == 401
    assert (await boss.get(path)).status == 426


async def test_decisions_are_fetched_from_where_they_are_known(world: World) -> None:
    boss, alice = await world.operator(), await world.user("alice")
    for _ in range(5):
        await alice.post("/api/calls", {"to": NUMBER})
    path = "/api/operator/decisions"
    known = (await boss.get(path)).json["decisions"]
    [*newer, third] = known[:3]
    found = (await boss.get(f"{path}?after={third['seq']}")).json
    assert (found["decisions"], found["before"]) == (newer, None)
    nothing: dict[str, object] = {"decisions": [], "before": None, "looked_to": None}
    assert (await boss.get(f"{path}?after={known[0]['seq']}")).json == nothing
    some = (await boss.get(f"{path}?after={third['seq']}&limit=1")).json
    assert (some["decisions"], some["before"]) == (newer[:1], newer[0]["seq"])


async def test_a_browser_says_the_password_once_for_each_thing_that_matters(world: World) -> None:
    boss = await world.operator()
    await files(boss)
    page = AtBrowser(boss)
    refused = await page.suspends()
    assert (refused.status, refused.code) == (403, "password_needed")
    assert (await page.says("wrong horse battery")).code == "wrong_password"
    assert (await page.suspends()).code == "password_needed"
    assert (await page.says(PASSWORD)).json == {"seconds": GOOD_FOR}
    assert (await page.suspends()).status == 200
    assert (await page.suspends()).code == "password_needed"


async def test_a_password_said_long_ago_or_by_somebody_else_counts_for_nothing(world: World) -> None:
    boss = await world.operator()
    await files(boss)
    page = AtBrowser(boss)
    await page.says(PASSWORD)
    world.clock.advance(GOOD_FOR)
    assert (await page.suspends()).code == "password_needed"
    other = Somebody(world.http, world.operators)
    await other.sign_in("boss")
    await AtBrowser(other).says(PASSWORD)
    assert (await page.suspends()).code == "password_needed"


async def test_a_page_that_is_behind_changes_nothing_and_keeps_its_proof(world: World) -> None:
    boss = await world.operator()
    await files(boss)
    page = AtBrowser(boss)
    await page.says(PASSWORD)
    behind = await page.suspends(epoch=0)
    assert (behind.status, behind.code) == (412, "changed_since")
    assert (await boss.get("/api/operator/permits/basic-1")).json["standing"] == "in_force"
    assert (await page.suspends(epoch=1)).status == 200


async def test_a_callers_cookie_opens_nothing_here(world: World) -> None:
    boss = await world.operator()
    headers = {"Cookie": f"{COOKIE}={boss.token}"}
    assert (await Somebody(world.http, world.operators).get(OVERVIEW, headers=headers)).status == 401


async def test_the_effect_of_a_suspension_is_counted_and_nothing_is_changed(world: World) -> None:
    boss, eyes, alice = await world.operator(), await world.auditor(), await world.user("alice")
    await files(boss)
    await alice.post("/api/calls", {"to": NUMBER})
    before = (await boss.get("/api/operator/audit/head")).text
    seen = (await eyes.post(SUPPOSE, {"suspend": ["basic-1"]})).json
    assert seen["epoch"] == 1
    assert (seen["now"]["running"], seen["now"]["lost"], seen["now"]["calls"]) == (0, 0, [])
    assert (seen["past"]["before"], seen["past"]["refused"]["decisions"]) == (None, 1)
    assert seen["past"]["flips"][0]["after"] == "DENY_PERMIT_SUSPENDED"
    assert (await boss.get("/api/operator/audit/head")).text == before
    assert (await boss.get("/api/operator/permits/basic-1")).json["standing"] == "in_force"
    assert (await eyes.post(SUPPOSE, {"suspend": ["basic-2"]})).code == "no_such_permit"
    assert (await eyes.post(SUPPOSE, {"permits": [{**BASIC, "valid_from": "x"}]})).status == 400


@pytest.mark.parametrize("entries", [1, 2])
async def test_past_decisions_are_asked_again_page_by_page(world: World, entries: int) -> None:
    boss, alice = await world.operator(), await world.user("alice")
    for _ in range(3):
        await alice.post("/api/calls", {"to": NUMBER})
    decided = len((await boss.get("/api/operator/decisions")).json["decisions"])
    found: dict[str, int] = {"decisions": 0, "allowed": 0}
    before: int | None = None
    while True:
        asked = {"permits": [BASIC], "entries": entries, **({} if before is None else {"before": before})}
        past = (await boss.post(SUPPOSE, asked)).json["past"]
        found["decisions"] += past["decisions"]
        found["allowed"] += past["allowed"]["decisions"]
        before = past["before"]
        if before is None:
            break
    assert decided > 0
    assert found == {"decisions": decided, "allowed": decided}


async def test_decisions_are_found_by_what_they_say(world: World) -> None:
    boss, alice = await world.operator(), await world.user("alice")
    refused = (await alice.post("/api/calls", {"to": NUMBER})).json["decision"]
    await files(boss)
    for _ in range(2):
        await alice.post("/api/calls", {"to": NUMBER})
    asked = "/api/operator/decisions"
    found = (await boss.get(f"{asked}?outcome=deny&reason=DENY_NO_PERMIT&service=pstn_out")).json
    assert [each["decision"] for each in found["decisions"]] == [refused]
    newest = (await boss.get(f"{asked}?permit=basic-1&limit=1")).json
    older = (await boss.get(f"{asked}?permit=basic-1&limit=5&before={newest['before']}")).json
    assert [len(page["decisions"]) for page in (newest, older)] == [1, 1]
    assert older["before"] is None
    for nothing in (
        "permit=basic",
        "reason=DENY",
        "call=x",
        "jurisdiction=CN",
        "outcome=allow_with_obligations",
    ):
        page = (await boss.get(f"{asked}?{nothing}")).json
        assert (page["decisions"], page["before"]) == ([], None)
    assert (await boss.get(f"{asked}?outcome=maybe")).code == "bad_value"


async def test_a_page_of_decisions_looks_at_so_many_entries_and_goes_on_from_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "LOOKED_AT", 3)
    monkeypatch.setattr(evidence, "CHUNK", 2)
    boss, alice = await world.operator(), await world.user("alice")
    refused = (await alice.post("/api/calls", {"to": NUMBER})).json["decision"]
    await files(boss)
    for _ in range(5):
        await alice.post("/api/calls", {"to": NUMBER})
    path = "/api/operator/decisions"
    [at_once] = (await boss.get(f"{path}?outcome=deny")).json["decisions"]  # by an index
    before: str | None = ""
    found: list[str] = []
    looked_to: list[int] = []
    while before is not None:
        page = (await boss.get(f"{path}?call={at_once['subject']}{before}")).json
        found += [each["decision"] for each in page["decisions"]]
        before = None if page["before"] is None else f"&before={page['before']}"
        looked_to.append(page["looked_to"])
    assert found == [refused] == [at_once["decision"]]
    assert len(looked_to) > 1
    assert looked_to == sorted(looked_to, reverse=True)


async def test_the_journal_tells_what_happened_to_a_permit_and_a_decision(world: World) -> None:
    boss, alice = await world.operator(), await world.user("alice")
    await files(boss)
    assert (await boss.post(SUSPEND, {"why": "order of the ministry"})).status == 200
    decision = (await alice.post("/api/calls", {"to": NUMBER})).json["decision"]
    entries = (await boss.get("/api/operator/journal/basic-1")).json["entries"]
    assert [entry["body"]["why"] for entry in entries] == ["a test", "order of the ministry"]
    [entry] = (await boss.get(f"/api/operator/journal/{decision}")).json["entries"]
    assert (entry["kind"], entry["body"]["reason"]) == ("decision", "DENY_PERMIT_SUSPENDED")
    assert (await boss.get("/api/operator/journal/nothing")).json == {"entries": []}


VERIFIER = Path(verify_journal.__file__).read_text()


async def test_the_verifier_comes_with_the_export(world: World) -> None:
    eyes = await world.auditor()
    answer = await eyes.get("/api/operator/audit/verifier")
    assert answer.text == VERIFIER
    assert 'filename="verify.py"' in answer.headers["content-disposition"]


async def test_a_call_that_does_not_run_is_not_cut(world: World) -> None:
    boss = await world.operator()
    before = (await boss.get("/api/operator/audit/head")).json
    assert (await boss.get("/api/operator/live")).json == {"calls": [], "of": 0, "skip": None}
    answer = await boss.post("/api/operator/live/0e7cbcb3-5b7d-44f2-8e8e-84c9b5f02883/cut", WHY)
    assert (answer.status, answer.code) == (404, "no_such_call")
    assert (await boss.get("/api/operator/audit/head")).json == before  # nothing is written down


async def test_settings_are_read_with_their_source_and_without_their_secrets(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = secrets.token_hex(16)
    monkeypatch.setenv("WEPHONE_KEEP_TEXTS_DAYS", "30")
    world = await begin(turn_secret=secret, turn_urls=("turn:relay.example.org",), keep_texts_days=30)
    answer = await (await world.auditor()).get("/api/operator/settings")
    shown = {each["name"]: each for each in answer.json["settings"]}
    assert secret not in answer.text
    assert (shown["turn_secret"]["value"], shown["turn_secret"]["source"]) == ("•••", "file")
    assert (shown["keep_texts_days"]["value"], shown["keep_texts_days"]["source"]) == ("30", "environment")
    assert (shown["resume"]["source"], shown["resume"]["variable"]) == ("default", "WEPHONE_RESUME")
    assert in_words("postgresql://wephone:hunter2@db/wephone") == "postgresql://wephone:•••@db/wephone"
