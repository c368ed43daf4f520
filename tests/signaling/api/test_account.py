"""A person's own account over HTTP."""

import asyncio
import json
import re
import time
from typing import Any

import pytest
from aiohttp import WSMsgType

from signaling.accounts import SignIn
from signaling.api.auth import COOKIE
from signaling.ports.accounts import SessionRow
from tests.signaling.api.conftest import PASSWORD, Begin, Somebody, World, name_of
from tests.signaling.device import Device

ALICE = {"name": "alice", "password": PASSWORD}


async def test_somebody_opens_an_account_signs_in_and_out(world: World) -> None:
    alice = world.stranger()
    assert (await alice.post("/api/account", ALICE)).json == {"name": "alice"}
    begun = await alice.post("/api/session", {**ALICE, "label": "a test"})
    assert begun.status == 201
    assert begun.json["password_change_required"] is False
    assert "set-cookie" not in begun.headers
    alice.token = begun.json["token"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", alice.token or "")
    profile = (await alice.get("/api/account")).json
    assert (profile["name"], profile["operator"]) == ("alice", False)
    assert (await alice.ask("DELETE", "/api/session")).status == 204
    assert (await alice.get("/api/account")).code == "not_signed_in"


async def test_a_browser_gets_a_cookie_that_its_pages_cannot_read(world: World) -> None:
    await world.user("alice")
    answer = await world.stranger().post(
        "/api/session", {**ALICE, "kind": "browser"}, headers={"Origin": world.callers}
    )
    assert answer.json["token"] is None
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "Secure", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


async def test_a_wrong_name_and_a_wrong_password_get_the_same_answer_after_the_same_time(
    world: World,
) -> None:
    await world.user("alice")
    answers, seconds = [], {}
    for name in ("alice", "nobody", "not a name at all"):
        took = []
        for _ in range(5):
            begun = time.perf_counter()
            answer = await world.stranger().post("/api/session", {"name": name, "password": "not this one"})
            took.append(time.perf_counter() - begun)
            answers.append((answer.status, answer.text))
        seconds[name] = min(took)
    assert len(set(answers)) == 1
    assert answers[0][0] == 401
    # The hash is worked out in every case: without it the answer would come in a tenth of the time.
    assert min(seconds.values()) > max(seconds.values()) / 4, seconds


async def test_no_name_is_given_twice_also_not_after_its_end(world: World) -> None:
    alice = await world.user("alice")
    assert (await world.stranger().post("/api/account", ALICE)).code == "name_taken"
    assert (await alice.ask("DELETE", "/api/account", {"password": "not this one"})).code == "wrong_password"
    assert (await alice.ask("DELETE", "/api/account", {"password": PASSWORD})).status == 204
    assert (await alice.get("/api/account")).status == 401
    assert (await world.stranger().post("/api/session", ALICE)).code == "wrong_password"
    assert (await world.stranger().post("/api/account", ALICE)).code == "name_taken"


async def test_a_password_must_be_hard_to_guess(world: World) -> None:
    for password in ("short", "x" * 300, "aaaaaaaaaaaa", "Password123"):
        answer = await world.stranger().post("/api/account", {"name": "alice", "password": password})
        assert answer.status == 400
        assert answer.json["field"] == "password"
        assert password not in answer.text


async def test_changing_the_password_ends_every_session(world: World) -> None:
    alice, also = await world.user("alice"), await world.again("alice")
    change = {"password": "not this one", "new_password": "another one, longer"}
    assert (await alice.post("/api/account/password", change)).code == "wrong_password"
    assert (await also.get("/api/account")).status == 200
    change["password"] = PASSWORD
    common = await alice.post("/api/account/password", change | {"new_password": "iloveyou1"})
    assert (common.code, common.status) == ("bad_password", 400)
    assert (await alice.post("/api/account/password", change)).status == 204
    assert (await also.get("/api/account")).status == (await alice.get("/api/account")).status == 401
    await alice.sign_in("alice", "another one, longer")


async def test_an_operator_who_is_disabled_while_signing_in_gets_no_session(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, boss = world.server.parts, name_of("boss")
    await parts.accounts.add(boss, PASSWORD, operator=True)
    before, after = parts.accounts._passwords.is_right, parts.store.add_session

    async def proved(stored: str | None, password: str) -> bool:
        right = await before(stored, password)
        await parts.accounts.set_disabled(boss, True)
        return right

    async def begun(row: SessionRow, token_hash: bytes) -> None:
        await after(row, token_hash)
        await parts.store.set_disabled(boss, True)

    for part, method, meanwhile in (
        (parts.accounts._passwords, "is_right", proved),
        (parts.store, "add_session", begun),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(part, method, meanwhile)
            answer = await Somebody(world.http, world.operators).post(
                "/api/session", {"name": "boss", "password": PASSWORD}
            )
        assert (answer.status, answer.code) == (403, "account_disabled")
        await parts.accounts.set_disabled(boss, False)
        assert await parts.accounts.sessions(boss) == []


async def test_a_password_that_is_changed_while_it_is_used_begins_no_session(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.user("alice")
    accounts, alice = world.server.parts.accounts, name_of("alice")
    begin = accounts._begin

    async def changed(*its: Any) -> SignIn:
        monkeypatch.undo()
        await accounts.change_password(alice, PASSWORD, "another one, longer")
        return await begin(*its)

    monkeypatch.setattr(accounts, "_begin", changed)
    assert (await world.stranger().post("/api/session", ALICE)).code == "wrong_password"
    assert await accounts.sessions(alice) == []


async def test_sessions_are_listed_and_ended_one_by_one_or_all(world: World) -> None:
    here, there, third = [await world.user("alice"), *[await world.again("alice") for _ in range(2)]]
    sessions = (await here.get("/api/sessions")).json["sessions"]
    assert len(sessions) == 3
    assert [session["current"] for session in sessions].count(True) == 1
    theirs = next(s for s in (await there.get("/api/sessions")).json["sessions"] if s["current"])
    bob = await world.user("bob")
    assert (await bob.ask("DELETE", f"/api/sessions/{theirs['session']}")).code == "no_such_session"
    assert (await here.ask("DELETE", f"/api/sessions/{theirs['session']}")).status == 204
    assert (await there.get("/api/account")).status == 401
    assert (await here.ask("DELETE", "/api/sessions")).json == {"ended": 2}
    assert (await here.get("/api/account")).status == (await third.get("/api/account")).status == 401
    assert (await bob.get("/api/account")).status == 200


async def test_a_session_that_ends_closes_its_sockets_and_withdraws_its_tickets(world: World) -> None:
    alice, also = await world.user("alice"), await world.again("alice")
    async with world.http.ws_connect(f"{world.callers}/api/socket", protocols=("wephone.v1",)) as socket:
        hello = {"type": "hello", "ticket": await alice.ticket(), "device": DEVICE}
        await socket.send_str(json.dumps(hello))
        assert (await socket.receive_json())["type"] == "welcome"
        ticket = await alice.ticket()
        await alice.ask("DELETE", "/api/session")
        kinds = []
        while (frame := await socket.receive()).type is WSMsgType.TEXT:
            kinds.append(json.loads(frame.data)["type"])
        assert kinds[-1] == "signed_out"
        assert socket.close_code == 4002
    async with world.http.ws_connect(f"{world.callers}/api/socket", protocols=("wephone.v1",)) as socket:
        await socket.send_str(json.dumps({"type": "hello", "ticket": ticket, "device": DEVICE}))
        assert (await socket.receive_json())["code"] == "not_signed_in"
    assert (await also.get("/api/account")).status == 200


DEVICE = "6a1f3a3e-61a1-4d0c-9a55-0f5f6f0c0001"


async def test_a_ticket_is_good_once_and_for_thirty_seconds(world: World) -> None:
    alice = await world.user("alice")
    used, late = await alice.ticket(), await alice.ticket()

    async def first_answer(ticket: str) -> str:
        async with world.http.ws_connect(f"{world.callers}/api/socket", protocols=("wephone.v1",)) as socket:
            await socket.send_str(json.dumps({"type": "hello", "ticket": ticket, "device": DEVICE}))
            answer = await socket.receive_json()
            return str(answer.get("code", answer["type"]))

    assert await first_answer(used) == "welcome"
    assert await first_answer(used) == "not_signed_in"
    world.clock.advance(30)
    assert await first_answer(late) == "not_signed_in"


async def test_contacts_and_blocks_are_the_users_own(world: World) -> None:
    alice, bob = await world.user("alice"), await world.user("bob")
    assert (await alice.ask("PUT", "/api/contacts/bob", {"name": "Bobby"})).status == 204
    # Whether there is such a user is nobody's business.
    assert (await alice.ask("PUT", "/api/contacts/nobody", {"name": "?"})).status == 204
    assert (await alice.get("/api/contacts")).json == {
        "contacts": [{"user": "bob", "name": "Bobby"}, {"user": "nobody", "name": "?"}]
    }
    assert (await alice.ask("DELETE", "/api/contacts/nobody")).status == 204
    assert (await bob.get("/api/contacts")).json == {"contacts": []}
    assert (await alice.ask("PUT", "/api/blocked/bob")).status == 204
    assert (await alice.ask("PUT", "/api/blocked/alice")).code == "yourself"
    assert (await alice.ask("PUT", "/api/blocked/%2B4930123456")).code == "bad_value"
    assert (await alice.get("/api/blocked")).json == {"blocked": ["bob"]}
    assert (await bob.get("/api/blocked")).json == {"blocked": []}
    assert (await alice.ask("DELETE", "/api/blocked/bob")).status == 204
    assert (await alice.get("/api/blocked")).json == {"blocked": []}


async def test_do_not_disturb_is_kept(world: World) -> None:
    alice = await world.user("alice")
    assert (await alice.ask("PATCH", "/api/account", {"do_not_disturb": True})).status == 204
    assert (await alice.get("/api/account")).json["do_not_disturb"] is True


async def test_whether_one_is_seen_to_be_there_is_ones_own_choice(world: World) -> None:
    alice, bob = await world.user("alice"), await world.user("bob")
    for somebody, other in ((alice, "bob"), (bob, "alice")):
        await somebody.ask("PUT", f"/api/contacts/{other}", {"name": other})
    device = Device(world.http, world.callers, "bob")
    device.token = bob.token or ""
    assert (await alice.get("/api/presence")).json == {
        "contacts": [{"user": "bob", "online": False, "seen_at": None}]
    }
    await device.open()
    assert (await alice.get("/api/presence")).json["contacts"][0]["online"] is True
    await device.close()
    await world.until_away("bob")
    await world.server.parts.exchange.close()
    [gone] = (await alice.get("/api/presence")).json["contacts"]
    assert not gone["online"]
    assert gone["seen_at"] % 60_000_000 == 0  # no finer than a minute
    assert (await bob.ask("PATCH", "/api/account", {"shows_presence": False})).status == 204
    assert (await bob.get("/api/account")).json["shows_presence"] is False
    assert (await bob.get("/api/account")).json["do_not_disturb"] is False
    assert (await alice.get("/api/presence")).json == {"contacts": []}
    assert [each["user"] for each in (await bob.get("/api/presence")).json["contacts"]] == ["alice"]


async def test_an_export_has_all_that_is_held(world: World) -> None:
    alice = await world.user("alice")
    await alice.ask("PUT", "/api/contacts/bob", {"name": "Bobby"})
    answer = await alice.get("/api/account/export")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.json["account"]["name"] == "alice"
    assert answer.json["contacts"] == [{"contact": "bob", "label": "Bobby"}]
    assert "argon2" not in answer.text


async def test_an_invitation_lets_one_person_in(begin: Begin) -> None:
    world = await begin(registration="closed")
    stranger = world.stranger()
    assert (await stranger.post("/api/account", ALICE)).code == "registration_closed"
    boss = await world.operator()
    invitation = (await boss.post("/api/operator/invitations")).json
    assert invitation["link"].endswith(invitation["invitation"])
    token = invitation["invitation"]
    assert (await stranger.post("/api/account", {**ALICE, "invitation": "x" * 43})).code == "bad_invitation"
    taken = {"name": "boss", "password": PASSWORD, "invitation": token}
    assert (await stranger.post("/api/account", taken)).code == "name_taken"
    both = [
        world.stranger().post("/api/account", {"name": name, "password": PASSWORD, "invitation": token})
        for name in ("alice", "bob")
    ]
    assert sorted(answer.status for answer in await asyncio.gather(*both)) == [201, 403]
    late = (await boss.post("/api/operator/invitations")).json["invitation"]
    world.clock.advance(8 * 24 * 3600)
    answer = await stranger.post("/api/account", {"name": "carol", "password": PASSWORD, "invitation": late})
    assert answer.code == "bad_invitation"


async def test_an_operator_keeps_accounts(world: World) -> None:
    boss, alice = await world.operator(), await world.user("alice")
    made = (await boss.post("/api/operator/accounts", {"name": "carol"})).json
    names = [account["name"] for account in (await boss.get("/api/operator/accounts")).json["accounts"]]
    assert names == ["alice", "boss", "carol", "operator"]
    page = (await boss.get("/api/operator/accounts?first=b&limit=1")).json
    assert ([each["name"] for each in page["accounts"]], page["next"]) == (["boss"], "carol")
    staff = (await boss.get("/api/operator/accounts?staff=true")).json
    assert ([each["name"] for each in staff["accounts"]], staff["next"]) == (["boss", "operator"], None)
    carol = world.stranger()
    assert (await carol.post("/api/session", made)).json["password_change_required"] is True
    reset = (await boss.post("/api/operator/accounts/alice/password", {})).json
    assert (await alice.get("/api/account")).status == 401
    await alice.sign_in("alice", reset["password"])
    assert (await alice.post("/api/ticket")).code == "password_change_required"
    assert (await boss.ask("PATCH", "/api/operator/accounts/alice", {"disabled": True})).status == 204
    assert (await alice.get("/api/account")).status == 401
    disabled = {"name": "alice", "password": reset["password"]}
    assert (await world.stranger().post("/api/session", disabled)).code == "account_disabled"
    assert (await boss.ask("PATCH", "/api/operator/accounts/alice", {"disabled": False})).status == 204
    assert (await world.stranger().post("/api/session", disabled)).status == 201
    assert (await boss.ask("DELETE", "/api/operator/accounts/alice/sessions")).json == {"ended": 1}
    assert (await boss.ask("PATCH", "/api/operator/accounts/nobody", {"disabled": True})).code == (
        "no_such_account"
    )


async def test_an_operator_exports_and_deletes_for_somebody_who_asks(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    boss, alice = await world.operator(), await world.user("alice")
    own = (await alice.get("/api/account/export")).json
    caplog.set_level("INFO", logger="signaling.api.operator")
    theirs = (await boss.post("/api/operator/accounts/alice/export")).json
    assert set(theirs) == set(own) and theirs["account"] == own["account"]
    for method, path in (("POST", "/export"), ("DELETE", "")):
        refused = await alice.ask(method, f"/api/operator/accounts/alice{path}")
        assert refused.status == 404  # not at the callers' listener
        assert (await boss.ask(method, f"/api/operator/accounts/nobody{path}")).code == "no_such_account"
    assert (await boss.ask("DELETE", "/api/operator/accounts/alice")).status == 204
    assert (await alice.get("/api/account")).status == 401
    taken = await world.stranger().post("/api/account", {"name": "alice", "password": PASSWORD})
    assert taken.code == "name_taken"
    did = [(record.did, record.about) for record in caplog.records]  # type: ignore[attr-defined]  # `extra`
    assert did == [("export", "alice"), ("delete", "alice")]
    assert (await boss.ask("DELETE", "/api/operator/accounts/operator")).status == 204
    assert (await boss.ask("DELETE", "/api/operator/accounts/boss")).code == "last_operator"


async def test_the_last_operator_cannot_be_disabled(world: World) -> None:
    boss = await world.operator()
    assert (await boss.ask("PATCH", "/api/operator/accounts/operator", {"disabled": True})).status == 204
    assert (
        await boss.ask("PATCH", "/api/operator/accounts/boss", {"disabled": True})
    ).code == "last_operator"


async def test_wrong_passwords_are_slowed_down_and_right_ones_are_not(world: World) -> None:
    alice, stranger = await world.user("alice"), world.stranger()
    for _ in range(15):
        await alice.sign_in("alice")
    wrong = {"name": "alice", "password": "not this one"}
    answers = [await stranger.post("/api/session", wrong) for _ in range(12)]
    assert [answer.status for answer in answers] == [401] * 10 + [429] * 2
    assert answers[-1].code == "slow_down"
    assert float(answers[-1].headers["retry-after"]) == 30
    assert (await stranger.post("/api/session", ALICE)).status == 429
    world.clock.advance(30)
    assert (await stranger.post("/api/session", ALICE)).status == 201


async def test_a_claimed_address_counts_only_from_a_trusted_front(begin: Begin) -> None:
    wrong = {"name": "alice", "password": "not this one"}

    async def tries(somebody: Somebody) -> list[int]:
        claimed = [f"198.51.100.{n}, 203.0.113.{n}" for n in range(12)]
        return [
            (await somebody.post("/api/session", wrong, headers={"X-Forwarded-For": text})).status
            for text in claimed
        ]

    world = await begin()
    assert 429 in await tries(world.stranger())
    await world.server.close()
    world = await begin(trusted_proxies="127.0.0.0/8")
    assert set(await tries(world.stranger())) == {401}
    spoofed = [
        (
            await world.stranger().post(
                "/api/session", wrong, headers={"X-Forwarded-For": f"192.0.2.{n}, 198.51.100.7"}
            )
        ).status
        for n in range(12)
    ]
    assert 429 in spoofed


async def test_a_disabled_account_gets_no_relay(begin: Begin) -> None:
    world = await begin(turn_urls="turn:relay.example.org:3478", turn_secret="0123456789abcdef0123")
    alice = await world.user("alice")
    answer = (await alice.get("/api/turn")).json
    [server] = answer["ice_servers"]
    expires, _, name = server["username"].partition(":")
    assert int(expires) - world.clock.now().utc_us // 1_000_000 == answer["lifetime"] <= 300
    assert "alice" not in name
    await world.server.parts.accounts.set_disabled(name_of("alice"), True)
    assert (await alice.get("/api/turn")).status == 401
