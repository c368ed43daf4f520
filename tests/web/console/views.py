"""Every view of the console in every state, made up: as tests/web/views.py does it for the callers' app."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, Page, Route

from tests.web.generated import WEB
from tests.web.views import GONE, NEVER, View, answer_api, answer_file, shown

DAY = 24 * 3600
# What is made up here and is no word of the console: a pattern.
NAMES = (
    r"bob|boss|vera|eyes|carrier_[ab]"
    r"|permit file k-\w+|cn-a15|CN(-[A-Z]+)?|basic-1|local|SHA-256|JSON|CSV|BEIJING"
    r"|journal\.jsonl|verify\.py|checkpoint\.json|Python|Ed25519|cryptography"
)


def at(seconds: float) -> int:
    """Microseconds since 1970, that many seconds from now."""
    return int((time.time() + seconds) * 1_000_000)


def date(days: float) -> str:
    """A calendar day, that many days from now."""
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + days * DAY))


def moment(days: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * DAY))


OVERVIEW: dict[str, Any] = {
    "name": "boss", "role": "operator", "epoch": 7, "at": at(0), "node": "local", "version": "1.0",
    "draining": False, "permits": {"in_force": 3}, "toggles_off": 0, "telephone_on": True, "waiting": 0,
    "talking": 31, "decided": 48210,
    "next_expiry": {"permit": "cn-a15", "on": date(112), "days_left": 112}, "calls": 38, "winding_down": 0,
    "telephone_legs": 2, "devices": 61, "alarms": [],
}  # fmt: skip
TROUBLED = {
    **OVERVIEW, "permits": {"in_force": 2, "suspended": 1, "expired": 1}, "toggles_off": 2, "waiting": 1,
    "telephone_on": False, "winding_down": 3, "draining": True,
    "next_expiry": {"permit": "cn-a15", "on": date(12), "days_left": 12},
    "alarms": [{"alarm": "checkpoint_failed", "text": "the chain of node `local` is broken at entry 17"}],
}  # fmt: skip
EYES = {**OVERVIEW, "name": "eyes", "role": "auditor"}
A15: dict[str, Any] = {
    "id": "cn-a15", "jurisdiction": "CN", "categories": ["CN:A15-1", "CN:B25#internet"], "basis": "own",
    "holder": "Example Operator Ltd", "issuer": "工业和信息化部", "number": "A1-20240001",
    "regions": ["CN-BJ", "CN-SH"], "valid_from": date(-980), "valid_until": date(112), "verified": True,
    "status_events": [
        {"status": "suspended", "from": moment(-400), "to": moment(-380), "reference": "MIIT 2025-7",
         "reason": None},
    ],
    "conditions": ["以批准的范围为限"], "next_review_on": date(40), "version": 4,
    "renewal": {"applied_on": date(-10), "decision": None, "receipt": None},
    "evidence": [{"sha256": "ab" * 32, "checked_on": date(-900), "checked_by": "Li Na",
                  "register_address": "https://register.example/permits/A1-20240001?page=1&lang=zh-CN"}],
}  # fmt: skip
SUSPENSION = {"status": "suspended", "from": moment(-1), "to": None, "reference": None, "reason": None}
BASIC = {
    "id": "basic-1", "jurisdiction": "baseline", "categories": ["baseline:basic"], "basis": "own",
    "holder": None, "issuer": None, "number": None, "regions": ["*"], "valid_from": date(-30),
    "valid_until": None, "verified": False, "status_events": [], "conditions": [], "renewal": None,
    "evidence": [], "next_review_on": None, "version": 1,
}  # fmt: skip


def filed(permit: dict[str, Any], standing: str = "in_force", left: int | None = 112) -> dict[str, Any]:
    """A permit as the server tells it."""
    return {"permit": permit, "standing": standing, "days_left": left, "warnings": []}


STOPPED = filed({**A15, "status_events": [*A15["status_events"], SUSPENSION]}, "suspended")
WARNED = {**filed(BASIC, left=None), "warnings": ["nobody has verified it"]}
LAPSED = filed(
    {**BASIC, "id": "old-2019", "valid_from": date(-900), "valid_until": date(-20)}, "expired", -20
)
FILE: dict[str, Any] = {
    "path": "/var/lib/wephone/permits.json",
    "sha256": None,
    "made_at": None,
    "keys": [],
    "fault": None,
}
PERMITS: dict[str, Any] = {
    "epoch": 7,
    "of": 3,
    "skip": None,
    "permits": [LAPSED, WARNED, filed(A15)],
    "file": FILE,
    "profiles_past_review": [],
}
REFUSED_FILE = {**FILE, "fault": "permits.0.valid_until: is no date (found '2030-02-30')"}
WAITING = {
    "key": "reinstate:cn-a15", "by": "vera", "why": "the ministry's letter of Monday", "at": at(-300),
    "until": at(DAY - 300),
}  # fmt: skip
LAW = {
    "profiles": [
        {"code": "CN", "name": {"en": "China", "zh-CN": "中国"}, "version": "CN@1", "judges": True,
         "as_of": date(-30), "review_due": date(150), "categories": [
             {"code": "CN:A15-1", "local": "国内IP电话业务", "en": "Domestic IP telephony"},
             {"code": "CN:B25", "local": "信息服务业务", "en": "Information services"}]},
    ]
}  # fmt: skip
VERSIONS = [
    {"version": number, "by": by, "at": at(-DAY * (900 - 200 * number)), "epoch": number, "permit": A15}
    for number, by in enumerate(("boss", "vera", "permit file k-0123456789abcdef", "boss"), 1)
]
NOTHING: dict[str, Any] = {
    "epoch": 7,
    "now": {"running": 38, "lost": 0, "regained": 0, "users": 0, "seconds": 0, "reasons": {},
            "telephone_calls": 0, "calls": []},
    "past": {"decisions": 0, "entries": 0, "since": at(-DAY), "before": None, "left_out": 0, "other_basis": 0,
             "refused": {"decisions": 0, "seconds": 0, "users": 0},
             "allowed": {"decisions": 0, "seconds": 0, "users": 0}, "flips": []},
}  # fmt: skip
REASON = "DENY_PERMIT_SUSPENDED"
EFFECT: dict[str, Any] = {
    "epoch": 7,
    "now": {**NOTHING["now"], "lost": 3, "users": 6, "seconds": 60, "reasons": {REASON: 3}, "calls": [
        {"call": f"c{number}", "users": ["li.na", f"somebody.with-a-long-name.{number}"], "reason": REASON,
         "service": "app_voice", "jurisdiction": "CN", "seconds": 60, "text": {"en": "", "zh-CN": ""}}
        for number in range(3)]},
    "past": {**NOTHING["past"], "decisions": 1412, "refused": {"decisions": 140, "seconds": 9, "users": 12},
             "flips": [{"before": "OK_PERMIT_COVERS", "after": REASON, "service": "app_voice", "lost": True,
                        "jurisdiction": "CN", "decisions": 140, "seconds": 9, "users": 12, "examples": []}]},
}  # fmt: skip
TOGGLES = [
    {"key": "CN-BJ:pstn_out", "enabled": False, "services": ["pstn_out"], "jurisdictions": [],
     "regions": ["CN-BJ"]},
    {"key": "texts", "enabled": True, "services": ["text_app", "sms_out"], "jurisdictions": [],
     "regions": []},
]  # fmt: skip
ID, OTHER = "D-01M8A5DGN2FFRSVDDG9QS4MSVN", "D-01M89M18KZE3JVY5460SSVF3H5"
DECIDED: list[dict[str, Any]] = [
    {"decision": ID, "seq": 46, "at": at(-60), "outcome": "deny", "reason": REASON, "service": "pstn_out",
     "jurisdiction": "CN", "permits": [], "permit_needed": "CN:A15-1", "subject": "c1"},
    {"decision": OTHER, "seq": 45, "at": at(-90), "outcome": "allow_with_obligations",
     "reason": "OK_PERMIT_COVERS", "service": "app_voice", "jurisdiction": "CN",
     "permits": ["cn-a15@4", "basic-1@1"], "permit_needed": None, "subject": "c2"},
    {"decision": OTHER[:-1] + "6", "seq": 44, "at": at(-95), "outcome": None, "reason": None, "service": None,
     "jurisdiction": None, "permits": [], "permit_needed": None, "subject": None},
]  # fmt: skip
EXPLAINED: dict[str, Any] = {
    "decision": ID, "sound": True, "faults": [], "outcome": "deny", "reason": REASON,
    "text": {"en": "The permit is suspended at this time.", "zh-CN": "许可证目前处于暂停状态。"},
    "service": "pstn_out", "jurisdiction": "CN", "uncertain": True, "permit_needed": "CN:A15-1",
    "permits": [A15], "obligations": [{"code": "REAL_NAME", "text": "Verify user identity."}],
    "people": [
        {"role": "caller", "state": "present", "value": "li.na", "hash": "ab"},
        {"role": "callee", "state": "erased", "value": None, "hash": "cd"},
        {"role": "caller_id", "state": "altered", "value": None, "hash": "ef"},
    ],
    "rule": {"domestic": {"kind": "permit", "any_of": [["CN:A15-1"]]},
             "international": {"kind": "prohibited"}, "confidence": "medium", "sources": ["CN-TR"],
             "notes": "Provincial coverage is interpretation."},
    "reach": "domestic", "toggles": [],
    "sources": {"CN-TR": {"title": "中华人民共和国电信条例", "url": "https://example.org/" + "law/" * 30,
                          "date": "2016-02-06", "read": "full text read", "weight": "high"}},
    "again": {"outcome": "deny"},
    "entry": {"call": "c1", "epoch": 7, "utc_ns": at(-60) * 1000, "profile_version": "CN@1",
              "facts": {"identity_verified": True, "media": ["audio"], "legs": [
                  {"role": "origin", "kind": "app", "country": "CN", "located_by": "account"},
                  {"role": "destination", "kind": "pstn", "country": None, "number_type": "mobile"}]}},
}  # fmt: skip
COURSE = {
    "entries": [{"kind": "call_end", "seq": 50, "body": {
        "offered_at": at(-60), "answered_at": at(-50), "ended_at": at(-10), "reason": "hangup"}}]
}  # fmt: skip
HEARD = {"heard": [
    {"role": "caller", "packets": 1998, "lost": 14, "jitter_us": 3100, "rtt_us": 41_000},
    {"role": "callee", "packets": 2010, "lost": 0, "jitter_us": 900, "rtt_us": None},
]}  # fmt: skip
HEAD = {"node": "local", "seq": 48210, "at": at(-60), "hash": "79275ca93f70d3b7" * 4}
SIGNED = {
    "number": 17, "at": at(-1800), "node": "local", "epoch": 7, "heads": [HEAD], "key": "ed25519:" + "A" * 43,
    "hash": "ab" * 32, "acknowledges": None, "document": "{}", "signature": "A" * 86,
}  # fmt: skip
CHAIN: dict[str, Any] = {
    "node": "local", "ok": True, "head": HEAD, "fault": None, "altered": [],
    "names": {"present": 9120, "erased": 311, "altered": 0},
}  # fmt: skip
WHOLE = {
    "ok": True, "entries": 48210, "epoch": 7, "lost": None,
    "checkpoints": {"count": 17, "last": 17, "fault": None}, "heads": [HEAD], "chains": [CHAIN],
}  # fmt: skip
BROKEN = {
    **WHOLE, "ok": False, "lost": "permit `cn-a15` version 3 is gone",
    "checkpoints": {"count": 17, "last": 17, "fault": "checkpoint 9 was altered"},
    "chains": [{**CHAIN, "ok": False, "fault": {"seq": 812, "fault": "was altered"}}],
}  # fmt: skip
LOST = {**OVERVIEW, "alarms": [{"alarm": "evidence_lost", "text": "permit `cn-a15` version 3 is gone"}]}
ACCOUNTS: list[dict[str, Any]] = [
    {"name": "boss", "operator": True, "auditor": False, "disabled": False, "created_at": at(-90 * DAY)},
    {"name": "eyes", "operator": False, "auditor": True, "disabled": False, "created_at": at(-80 * DAY)},
    {"name": "li.na", "operator": False, "auditor": False, "disabled": True, "created_at": at(-DAY)},
]  # fmt: skip
KNOWN: dict[str, Any] = {
    "name": "li.na", "residence": {"country": "CN", "subdivision": "CN-BJ", "basis": "verified"},
    "identity": "verified", "numbers": ["+8613912345678"], "said": {},
    "emergency_address": {"country": "CN", "text": "北京市朝阳区", "basis": "declared"},
    "history": [
        {"entry": "e1", "at": at(-DAY), "said": {"residence": {"country": "CN", "subdivision": "CN-BJ"}}},
        {"entry": "e2", "at": at(-2 * DAY), "said": None}],
}  # fmt: skip
UNKNOWN = {**KNOWN, "residence": None, "identity": "unknown", "emergency_address": None, "numbers": [],
           "history": []}  # fmt: skip
ENTITLED: dict[str, Any] = {
    "name": "li.na", "by": "boss", "at": at(-9 * DAY),
    "used": {"calls": 1, "calls_of_hour": 4, "seconds_of_day": 1290},
    "granted": {"countries": ["CN", "DE", "FR"], "concurrent_calls": 2, "calls_per_hour": 20,
                "minutes_per_day": 60, "call_minutes": 60},
}  # fmt: skip
UNENTITLED = {**ENTITLED, "granted": None, "by": None, "at": None}
SETTINGS = [
    {"name": name, "variable": f"WEPHONE_{name.upper()}", "value": value, "default": "", "source": source,
     "text": text}
    for name, value, source, text in (
        ("listen", "127.0.0.1:8080", "default", "where callers connect: HOST:PORT"),
        ("database", "postgresql://wephone:•••@db/wephone", "file", "sqlite:///PATH or postgresql://..."),
        ("turn_secret", "•••", "environment", "the secret shared with coturn (static-auth-secret)"),
        ("homes", "", "default", "countries where the operator is at home: ISO 3166-1 alpha-2"))
]  # fmt: skip
LEG: dict[str, Any] = {
    "role": "caller", "kind": "app", "who": "li.na", "devices": 1, "country": "CN", "lease_seconds": None,
    "winding_down": False, "quality": None,
}  # fmt: skip
CLEAR: dict[str, Any] = {
    "by": "bridge", "rating": "good", "packets": 6650, "lost": 13, "jitter_us": 3100, "rtt_us": 41_000,
}  # fmt: skip
SCRATCHY = {**CLEAR, "rating": "fair", "lost": 260, "jitter_us": 21_000, "rtt_us": None}
BROKEN_UP = {**CLEAR, "by": "device", "rating": "poor", "packets": 5210, "lost": 1440, "rtt_us": 412_000}
CALL: dict[str, Any] = {
    "call": "c0", "since": at(-134), "phase": "active", "media": ["audio"], "service": "pstn_out",
    "jurisdiction": "CN", "decision": OTHER, "permits": ["cn-a15@4"], "ending": None,
    "for_help": False, "legs": [
        {**LEG, "quality": CLEAR},
        {**LEG, "role": "callee", "kind": "pstn", "who": "+86138****8000", "country": None,
         "lease_seconds": 8.2, "quality": SCRATCHY}],
}  # fmt: skip
TALKS = {
    **CALL, "call": "c4", "service": "app_voice", "legs": [
        {**LEG, "who": "eyes", "quality": BROKEN_UP}, {**LEG, "role": "callee", "who": "bob"}],
}  # fmt: skip
RINGS = {
    **CALL, "call": "c1", "phase": "alerting", "service": None, "jurisdiction": None, "permits": [],
    "decision": None, "legs": [LEG, {**LEG, "role": "callee", "who": "bob", "devices": 3}],
}  # fmt: skip
ENDS = {
    **CALL, "call": "c2", "ending": {
        "seconds": 41.2, "reason": REASON, "text": {"en": "", "zh-CN": ""}, "decision": ID},
}  # fmt: skip
HELPS = {
    **CALL, "call": "c3", "permits": [], "for_help": True,
    "legs": [LEG, {**CALL["legs"][1], "who": "110"}],
}  # fmt: skip
LIVE = {"calls": [CALL, RINGS, ENDS, HELPS, TALKS], "of": 5, "skip": None}
TRUNKS: list[dict[str, Any]] = [
    {"name": "carrier_a", "uri": "sip:sip.carrier.example;transport=tls", "health": "up", "trouble": None,
     "calls": 12, "most_calls": 30, "priority": 10, "numbers": ["+861082345678"], "duties": ["cli_verified"],
     "emergency_in": ["CN"]},
    {"name": "carrier_b", "uri": "sip:192.0.2.7:5061;transport=tls", "health": "down",
     "trouble": "nobody answers at 192.0.2.7:5061", "calls": 0, "most_calls": 4, "priority": 20,
     "numbers": [], "duties": [], "emergency_in": []},
]  # fmt: skip
UNSURE: dict[str, Any] = {
    "leg": "leg-7", "call": "c1", "trunk": "carrier_a", "account": "li.na", "outgoing": True, "decision": ID,
    "begun_at": at(-900), "answered_at": at(-890), "ended_at": at(-600), "q850": None, "status": 408,
    "cause": "the carrier did not answer our BYE within 32 seconds", "confirmed": False,
}  # fmt: skip
SPANS = 48
CHARTS: dict[str, Any] = {
    "width": 1800, "at": [at(-1800 * (SPANS - n)) for n in range(SPANS)],
    "placed": [40 + 30 * (n % 9) for n in range(SPANS)], "refused": [n % 5 for n in range(SPANS)],
    "answered": [30 + 22 * (n % 9) for n in range(SPANS)],
    "wait": [None if n % 11 == 0 else 4 + n % 6 for n in range(SPANS)],
    "lost": [None if n % 7 == 0 else (n % 4) / 2 for n in range(SPANS)],
    "jitter": [None if n % 7 == 0 else 4 + n % 9 for n in range(SPANS)],
    "app_lost": [None if n % 6 == 0 else (n % 5) / 2 for n in range(SPANS)],
    "app_jitter": [None if n % 6 == 0 else 3 + n % 7 for n in range(SPANS)],
    "app_round_trip": [None if n % 6 == 0 else 40 + n % 13 for n in range(SPANS)],
    "longest_wait": [None if n % 11 == 0 else 20 + n % 13 for n in range(SPANS)],
    "refusals": [
        {"reason": "DENY_PERMIT_SUSPENDED", "counts": [n % 5 for n in range(SPANS)]},
        {"reason": "refused", "counts": [n % 2 for n in range(SPANS)]},
        {"reason": None, "counts": [n % 3 for n in range(SPANS)]},
    ],
}  # fmt: skip
CN = "/api/operator/permits/cn-a15"
OFF = (401, {"code": "not_signed_in", "detail": "the session is unknown, ended or too old"})
FAULT = (
    400,
    {"code": "bad_value", "detail": "`permit.valid_until`: is no date", "field": "permit.valid_until"},
)
WRONG = (401, {"code": "wrong_password", "detail": "the name or the password is wrong"})
BEHIND = (412, {"code": "changed_since", "detail": "look again"})
SIGNED_IN: dict[str, Any] = {
    "GET /api/operator/overview": OVERVIEW,
    "GET /api/operator/permits": PERMITS,
    f"GET {CN}": filed(A15),
    f"GET {CN}/versions": {"versions": VERSIONS},
    "GET /api/operator/waiting": {"waiting": []},
    "GET /api/operator/toggles": {"toggles": TOGGLES},
    "GET /api/operator/telephone": {"on": True, "waiting": None},
    "GET /api/operator/law": LAW,
    "POST /api/operator/suppose": EFFECT,
    "POST /api/operator/proof": {"seconds": 120},
    "GET /api/operator/decisions": {"decisions": DECIDED, "before": 44, "looked_to": at(-60)},
    f"GET /api/operator/decisions/{ID}": EXPLAINED,
    "GET /api/operator/journal/c1": COURSE,
    "GET /api/operator/calls/c1/heard": HEARD,
    "GET /api/operator/journal/cn-a15": {"entries": [{"body": {"epoch": 4, "why": "granted on 1 March"}}]},
    "GET /api/operator/live": LIVE,
    "GET /api/operator/accounts": {"accounts": ACCOUNTS, "next": "zoe"},
    "GET /api/operator/accounts/li.na/facts": KNOWN,
    "GET /api/operator/accounts/li.na/telephone": ENTITLED,
    "GET /api/operator/charts": CHARTS,
    "GET /api/operator/trunks": {"trunks": TRUNKS},
    "GET /api/operator/telephone/unconfirmed": {"legs": [UNSURE]},
    "GET /api/operator/settings": {"settings": SETTINGS},
    "GET /api/operator/audit/head": {"heads": [HEAD]},
    "GET /api/operator/audit/key": {"node": "local", "id": "k-1", "key": SIGNED["key"]},
    "GET /api/operator/audit/checkpoints": {"checkpoints": [SIGNED]},
    "GET /api/operator/audit/progress": {"done": 21000, "of": 48210},
    "POST /api/operator/audit/verify": WHOLE,
}
GRANT = (".doc .acts .quiet:not(.danger)", None)
SUSPEND = ("main .acts button:first-child", None)
SAID = (
    ("#act-why", "order of the ministry"),
    ("#act-password", "correct horse"),
    ("dialog form .main", None),
)
TEXT = "#permit-text"
ADD = (".head .main", None)


def door() -> list[View]:
    """Before anybody is signed in, and when the session is over."""
    enter = (("#name", "boss"), ("#password", "correct horse battery"), ("button.main", None))
    once = {"name": "boss", "password_change_required": True}
    out = {"GET /api/operator/overview": OFF}
    return [
        View("door", ".door form", "overview", answers=out),
        View("door-fault", ".fault:not(:empty)", "overview",
             answers={**out, "POST /api/session": WRONG}, steps=enter),
        View("door-once", "#password[autocomplete=new-password]", "overview",
             answers={**out, "POST /api/session": once}, steps=enter),
        View("door-caller", ".fault:not(:empty)", "overview", answers={
            "GET /api/operator/overview": (403, {"code": "not_an_operator", "detail": "no"})}),
        View("loading", ".spinner", "overview", answers={"GET /api/operator/overview": NEVER}),
        View("over", "dialog .again", "permits/cn-a15", answers={f"GET {CN}": OFF}),
    ]  # fmt: skip


def first() -> list[View]:
    """The overview."""

    def overview(what: dict[str, Any]) -> dict[str, Any]:
        return {"GET /api/operator/overview": what}

    sounds = ("lost", "jitter", "app_lost", "app_jitter", "app_round_trip")
    deaf = {name: [None] * SPANS for name in sounds}
    charts, quiet = "GET /api/operator/charts", {**CHARTS, "placed": [0] * SPANS}
    empty = {**OVERVIEW, "permits": {}, "next_expiry": None, "calls": 0}
    return [
        View("overview", ".plot canvas", "overview"),
        View("overview-table", ".chart .table", "overview", steps=((".chart summary", None),)),
        View("overview-quiet", ".charts-none", "overview", answers={charts: quiet}),
        View("overview-refused-none", ".plot canvas", "overview",
             answers={charts: {**CHARTS, "refusals": [], **deaf}}),
        View("overview-charts-loading", ".page .spinner", "overview", answers={charts: NEVER}),
        View("overview-charts-error", ".note button", "overview", answers={charts: GONE}),
        View("overview-troubled", ".need", "overview", answers=overview(TROUBLED)),
        View("overview-empty", ".say", "overview", answers=overview(empty)),
        View("overview-auditor", ".say", "overview", answers=overview(EYES)),
    ]  # fmt: skip


def effect(known: Any) -> dict[str, Any]:
    """What a change would do is answered with this."""
    return {"POST /api/operator/suppose": known}


def permits() -> list[View]:
    """Permits as documents, and what is done with them."""
    place = "permits/cn-a15"
    stopped = {f"GET {CN}": STOPPED}
    asked = {**stopped, "GET /api/operator/waiting": {"waiting": [WAITING]}}
    return [
        View("permits", ".doc", "permits"),
        View("permits-empty", ".page section .blank", "permits",
             answers={"GET /api/operator/permits": {**PERMITS, "permits": []}}),
        View("permits-loading", ".page .spinner", "permits", answers={"GET /api/operator/permits": NEVER}),
        View("permits-error", ".page .blank button", "permits", answers={"GET /api/operator/permits": GONE}),
        View("permits-file", ".note", "permits",
             answers={"GET /api/operator/permits": {**PERMITS, "file": REFUSED_FILE}}),
        View("permits-auditor", ".doc", "permits", answers={"GET /api/operator/overview": EYES}),
        View("permit", ".facts", place),
        View("permit-suspended", ".facts", place, answers=stopped),
        View("permit-waiting", ".note", place, answers=asked),
        View("permit-unknown", ".blank a", "permits/none",
             answers={"GET /api/operator/permits/none": (404, {"code": "no_such_permit", "detail": "no"})}),
        View("suspend", ".effect ul", place, steps=(SUSPEND,)),
        View("suspend-looking", ".effect", place, answers=effect(NEVER), steps=(SUSPEND,)),
        View("suspend-nothing", ".effect", place, answers=effect(NOTHING), steps=(SUSPEND,)),
        View("suspend-unknown", ".effect.bad", place, answers=effect(GONE), steps=(SUSPEND,)),
        View("suspend-password", ".field .fault", place, answers={"POST /api/operator/proof": WRONG},
             steps=(SUSPEND, *SAID)),
        View("suspend-behind", "dialog .note", place, answers={f"POST {CN}/suspend": BEHIND},
             steps=(SUSPEND, *SAID)),
        View("suspend-unanswered", "dialog .note", place, answers={f"POST {CN}/suspend": GONE},
             steps=(SUSPEND, *SAID)),
        View("suspended-ending", ".note progress", place, answers={f"POST {CN}/suspend": STOPPED},
             steps=(SUSPEND, *SAID)),
        View("reinstate", "dialog .effect", place, answers=stopped, steps=(SUSPEND,)),
        View("add", "dialog form", "permits", steps=(ADD,)),
        View("add-broken", "#permit-fault code", "permits", steps=(ADD, (TEXT, "{"))),
        View("add-fault", ".fault code", "permits", answers={"POST /api/operator/permits": FAULT},
             steps=(ADD, (TEXT, '{"id": "x", "valid_until": "2030-02-30"}'), *SAID)),
    ]  # fmt: skip


def switches() -> list[View]:
    """Toggles, the panic switch, and what waits."""
    off = {"GET /api/operator/telephone": {"on": False, "waiting": None}}
    on = {"key": "switch_on:telephone", "by": "boss", "why": "it is over", "at": at(-60), "until": at(DAY)}
    both = {**off, "GET /api/operator/waiting": {"waiting": [WAITING, on]}}
    none: dict[str, Any] = {"GET /api/operator/toggles": {"toggles": []}}
    return [
        View("switches", ".docs .doc", "switches"),
        View("switches-empty", ".hint", "switches", answers=none),
        View("switches-off", ".mark.bad", "switches", answers=both),
        View("switches-loading", ".page .spinner", "switches", answers={"GET /api/operator/toggles": NEVER}),
        View("switches-error", ".page .blank button", "switches",
             answers={"GET /api/operator/toggles": GONE}),
        View("switches-auditor", ".docs .doc", "switches", answers={"GET /api/operator/overview": EYES}),
        View("switches-panic", "dialog .effect", "switches", steps=((".doc .main.danger", None),)),
        View("switches-new", "dialog .effect", "switches", steps=((".new", None),)),
        View("switches-bad", "dialog .fault:not(:empty)", "switches",
             steps=((".new", None), ("#toggle-place", "Beijing"))),
    ]  # fmt: skip


def decisions() -> list[View]:
    """What was decided, and why."""
    listed, one = "GET /api/operator/decisions", f"GET /api/operator/decisions/{ID}"
    place = f"decisions/{ID}"
    none: dict[str, Any] = {"decisions": [], "before": None, "looked_to": None}
    allowed = {
        **EXPLAINED,
        "outcome": "allow",
        "text": {
            "en": "No permit is needed for this kind of call here.",
            "zh-CN": "此类通话在当地无需许可。",
        },
        "reason": "OK_NO_PERMIT_REQUIRED",
        "permits": [],
        "obligations": [],
        "permit_needed": None,
        "rule": None,
        "sources": {},
        "uncertain": False,
    }
    unsound = {**EXPLAINED, "sound": False, "faults": ["the entry was altered"]}
    return [
        View("decisions", ".table", "decisions"),
        View("decisions-filtered", ".table", f"decisions?outcome=deny&reason={REASON}&permit=cn-a15"),
        View("decisions-empty", ".page section .blank", "decisions", answers={listed: none}),
        View("decisions-further", ".acts .hint", "decisions?permit=cn-a15",
             answers={listed: {**none, "before": 9, "looked_to": at(-7200)}}),
        View("decisions-loading", ".page .spinner", "decisions", answers={listed: NEVER}),
        View("decisions-error", ".page .blank button", "decisions", answers={listed: GONE}),
        View("decision", ".chain", place),
        View("decision-allowed", ".chain", place, answers={one: allowed}),
        View("decision-unsound", ".note.bad", place, answers={one: unsound}),
        View("decision-unknown", ".blank a", place,
             answers={one: (404, {"code": "no_such_decision", "detail": "no"})}),
    ]  # fmt: skip


def live() -> list[View]:
    """The calls that run."""
    listed, eyes = "GET /api/operator/live", {"GET /api/operator/overview": EYES}
    return [
        View("live", ".table", "live"),
        View("live-empty", ".page section .blank", "live",
             answers={listed: {"calls": [], "of": 0, "skip": None}}),
        View("live-loading", ".page .spinner", "live", answers={listed: NEVER}),
        View("live-error", ".page .blank button", "live", answers={listed: GONE}),
        View("live-auditor", ".table", "live", answers=eyes),
        View("live-cut", "dialog form", "live", steps=((".table button", None),)),
    ]  # fmt: skip


def accounts() -> list[View]:
    """Accounts and what is known about their holders."""
    listed, one = "GET /api/operator/accounts", "accounts/li.na"
    telephone, no_word = f"{listed}/li.na/telephone", {"PUT /api/operator/accounts/li.na/telephone": FAULT}
    facts, reset = "GET /api/operator/accounts/li.na/facts", "POST /api/operator/accounts/li.na/password"
    press = (("main .acts button:last-child >> nth=0", None), ("#act-password", "correct horse"), SAID[2])
    return [
        View("accounts", ".table", "accounts"),
        View("accounts-filtered", ".table", "accounts?role=staff"),
        View("accounts-empty", ".page section .blank", "accounts?from=zzz",
             answers={listed: {"accounts": [], "next": None}}),
        View("accounts-loading", ".page .spinner", "accounts", answers={listed: NEVER}),
        View("accounts-error", ".page .blank button", "accounts", answers={listed: GONE}),
        View("account", ".facts", one),
        View("account-unknown", ".facts", one, answers={facts: UNKNOWN, telephone: UNENTITLED}),
        View("account-grant", "dialog form", one, steps=(GRANT,)),
        View("account-grant-fault", "dialog .fault code", one, answers=no_word, steps=(GRANT, *SAID[1:])),
        View("account-none", ".blank a", "accounts/nobody"),
        View("account-enable", "dialog form", one, steps=(SUSPEND,)),
        View("account-password", ".note code", one,
             answers={reset: {"name": "li.na", "password": "tidal-otter-41"}}, steps=press),
    ]  # fmt: skip


def trunks() -> list[View]:
    """Carriers' lines."""
    listed, eyes = "GET /api/operator/trunks", {"GET /api/operator/overview": EYES}
    none: dict[str, Any] = {listed: {"trunks": []}, "GET /api/operator/telephone/unconfirmed": {"legs": []}}
    return [
        View("trunks", ".table", "trunks"),
        View("trunks-empty", ".page section .blank", "trunks", answers=none),
        View("trunks-loading", ".page .spinner", "trunks", answers={listed: NEVER}),
        View("trunks-error", ".page .blank button", "trunks", answers={listed: GONE}),
        View("trunks-auditor", ".table", "trunks", answers=eyes),
        View("trunks-settle", "dialog form", "trunks", steps=((".table button", None),)),
    ]


def others() -> list[View]:
    """What would be decided otherwise, and the settings."""
    asked, press = "POST /api/operator/suppose", ((".filters .main", None),)
    keep = (*press, (".keep", None))
    return [
        View("suppose", ".filters", "suppose"),
        View("suppose-running", "progress", "suppose", answers={asked: NEVER}, steps=press),
        View("suppose-done", ".table", "suppose", steps=press),
        View("suppose-kept", "h2", "suppose", steps=keep),
        View("suppose-nothing", "main p.hint >> nth=2", "suppose", answers={asked: NOTHING}, steps=press),
        View("suppose-fault", ".fault:not(:empty)", "suppose", answers={asked: GONE}, steps=press),
        View("settings", ".table", "settings"),
        View("settings-loading", ".page .spinner", "settings", answers={"GET /api/operator/settings": NEVER}),
        View("settings-error", ".page .blank button", "settings",
             answers={"GET /api/operator/settings": GONE}),
    ]  # fmt: skip


def evidence() -> list[View]:
    """Is the journal whole?"""
    verify, press = "POST /api/operator/audit/verify", ((".doc .main", None),)
    none: dict[str, Any] = {"GET /api/operator/audit/checkpoints": {"checkpoints": []}}
    return [
        View("evidence", ".facts", "evidence"),
        View("evidence-fresh", ".doc", "evidence", answers=none),
        View("evidence-verifying", "progress[max='48210']", "evidence", answers={verify: NEVER}, steps=press),
        View("evidence-whole", ".verdict", "evidence", steps=press),
        View("evidence-broken", ".verdict.bad", "evidence", answers={verify: BROKEN}, steps=press),
        View("evidence-lost", ".note.bad", "evidence", answers={"GET /api/operator/overview": LOST}),
        View("evidence-accept", "dialog form", "evidence", answers={"GET /api/operator/overview": LOST},
             steps=((".note .main", None),)),
        View("evidence-error", ".page .blank button", "evidence",
             answers={"GET /api/operator/audit/head": GONE}),
    ]  # fmt: skip


def views() -> list[View]:
    """All of them."""
    return [
        *door(),
        *first(),
        *permits(),
        *switches(),
        *live(),
        *trunks(),
        *decisions(),
        *accounts(),
        *others(),
        *evidence(),
    ]


async def respond(route: Route, view: View, waiting: list[Route]) -> None:
    """As the server would, or as this view wants it."""
    url = urlsplit(route.request.url)
    if not url.path.startswith("/api/"):
        front = WEB / "console" / "index.html"
        await answer_file(route, front if url.path == "/" else WEB / url.path.removeprefix("/web/"))
    elif "before=" in url.query or "=zoe" in url.query:
        waiting.append(route)  # the next page takes its time
    else:
        known = {**SIGNED_IN, **view.answers}.get(f"{route.request.method} {url.path}", {})
        await answer_api(route, known, waiting)


@asynccontextmanager
async def on_screen(context: BrowserContext, view: View) -> AsyncIterator[Page]:
    """A page that shows this view; nothing may have gone wrong in it."""
    await context.route_web_socket("**/api/operator/watch", lambda socket: None)  # nothing changes
    async with shown(context, view, respond) as page:
        yield page
