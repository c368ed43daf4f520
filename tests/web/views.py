"""Every view of the app in every state, made up.

What the server would answer is given for each view, and the module that has socket and sound is replaced by
one that shows a given state; all else is the app as it is served, with the headers it is served with.
"""

import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from mimetypes import guess_type
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, Page, Route

from signaling.api.headers import HEADERS
from tests.web.generated import WEB

URL = "https://wephone.test"  # HTTPS: without it a browser gives neither microphones nor locks
BLANK = f"{URL}/blank"  # where a page is between two views
LANGUAGES = ("en", "zh-CN")
THEMES = ("light", "dark")
WITHIN = 20_000  # ms
MOST_FRAMES = 120  # a timer or a level that moves never stands
# What a view shows can be there while the rest of it is still asked for, loaded or moved into place.
SETTLED = """async (most) => {
  await document.fonts.ready;
  let quiet = 0;
  const watch = new MutationObserver(() => { quiet = 0; });
  watch.observe(document, { subtree: true, childList: true, attributes: true });
  for (let frame = 0; quiet < 4 && frame < most; frame++) {
    await new Promise((then) => requestAnimationFrame(then));
    const ends = document.getAnimations().map(({ effect }) => effect.getComputedTiming().endTime);
    quiet = ends.some((end) => end !== Infinity) ? 0 : quiet + 1; // a spinner never ends
  }
  watch.disconnect();
}"""
NEVER, GONE = object(), object()  # answers that do not come, and a server that is not there
HOUR = 3600 * 1_000_000  # microseconds

LEAD = """
const canvas = document.createElement("canvas");
canvas.width = 640; canvas.height = 360;
const draw = canvas.getContext("2d");
const sky = draw.createLinearGradient(0, 0, 640, 360);
sky.addColorStop(0, "#3d6b8f"); sky.addColorStop(1, "#d9a066");
draw.fillStyle = sky; draw.fillRect(0, 0, 640, 360);
const seen = canvas.captureStream?.(5) ?? null;
export class Lead {
  constructor(phone) { phone.show(STATE); }
  act() {}
  streams() { return { remote: seen, local: seen }; }
  close() {}
}"""

REFUSAL = {
    "code": "DENY_NO_PERMIT",
    "text": {
        "en": "The operator holds no permit for this country.",
        "zh-CN": "运营方没有此国家或地区的许可。",
    },
    "alternative": {
        "en": "You can call this person in the app instead, if they use it.",
        "zh-CN": "如果对方使用本应用，您可以改用应用通话。",
    },
    "permit_needed": "baseline:basic",
    "decision": None,
}
DECIDED = {**REFUSAL, "decision": "D-01M89M18KZE3JVY5460SSVF3H5"}
QUALITY = {"bars": 3, "cause": "none"}


@dataclass(frozen=True, slots=True)
class View:
    """One state of one view, that is there when a selector `sees` something.

    `answers`: what the server says, by method and path. `steps`: what a person does, each a selector and what
    is typed there, or None for a click.
    """

    name: str
    sees: str
    place: str = "people"
    state: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[tuple[str, str | None], ...] = ()
    script: str = ""


def ago(seconds: float) -> int:
    """Microseconds since 1970, that many seconds before now."""
    return int((time.time() - seconds) * 1_000_000)


def call(stage: str, **changes: Any) -> dict[str, Any]:
    """A state with one call, to Li Na."""
    known = {
        "id": "c1", "peer": "li.na", "role": "caller", "media": ["audio"], "telephone": False, "stage": stage,
        "since": None, "code": None, "isCodeStale": False, "heldHere": False, "heldThere": False,
        "muted": False, "talksMuted": False, "camera": False, "cameraFault": None, "farVideo": False,
        "microphoneFault": None, "forwardedTo": None, "forwardedBy": None, "handedTo": None,
        "handFault": None, "replaces": None, "ending": None, "ended": None, "declinedChange": None,
        "quality": None,
    }  # fmt: skip
    return {"calls": [{**known, **changes}]}


def talking(**changes: Any) -> dict[str, Any]:
    """A state with a call that has lasted two minutes."""
    return call(
        **{"stage": "talking", "since": "@-134500", "code": "2080 2033", "quality": QUALITY, **changes}
    )


def ended(reason: str, **changes: Any) -> dict[str, Any]:
    """A state with a call that is over."""
    how = {"reason": reason, "by": None, "refusal": None, "error": None, "forged": False, "fault": ""}
    telephone = changes.pop("telephone", False)
    peer, media = changes.pop("peer", "li.na"), changes.pop("media", ["audio"])
    role = changes.pop("role", "caller")
    return call("ended", role=role, telephone=telephone, peer=peer, media=media, ended={**how, **changes})


def text(
    number: int, sender: str, words: str, fate: str = "read", fault: str | None = None
) -> dict[str, Any]:
    """A text between Alice and Li Na."""
    to = "alice" if sender == "li.na" else "li.na"
    at = ago(3600 - 60 * number)
    common = {"message": f"m{number}", "seq": number, "sender": sender, "to": to}
    return {**common, "text": words, "at": at, "fate": fate, "fault": fault}


LONG = "A long line that goes on and on, as people write when they have a lot to tell. " * 4 + "x" * 200
TEXTS = [
    text(1, "li.na", "你好！Are you there?"),
    text(2, "alice", "Yes. Shall I call you?"),
    text(3, "li.na", LONG),
    text(4, "alice", "In five minutes, then.", "delivered"),
]
FAILED = text(5, "alice", "This one did not get through.", "failed", "unreachable")
WAITING = text(6, "alice", "And this one waits.", "waiting")


def conversation(*texts: dict[str, Any], unread: int = 0) -> dict[str, Any]:
    """A state with a conversation with Li Na, and two others."""
    other = {"texts": [text(0, "li.na", "See you")], "unread": 0, "before": None, "listing": "had"}
    mine = {"texts": list(texts), "unread": unread, "before": None, "listing": "had"}
    return {"conversations": {"li.na": mine, "bob": {**other, "unread": 12}, "carol.de-la-vega": other}}


def past(number: int, mine: bool, reason: str | None = "hangup", missed: bool = False) -> dict[str, Any]:
    """A call that was."""
    peer = ("li.na", "bob", "+12025550123")[number % 3]
    offered = ago(1800 + 20_000 * number)
    answered = offered + 4_000_000 if reason == "hangup" else None
    return {
        "call": f"p{number}", "caller": "alice" if mine else peer, "callee": peer if mine else "alice",
        "media": ["audio"], "offered_at": offered, "answered_at": answered,
        "ended_at": offered + 187_000_000, "reason": reason, "missed": missed,
    }  # fmt: skip


PAST = [
    past(0, True),
    past(1, False, "no_answer", True),
    past(2, True, "refused"),
    past(3, False),
    past(4, True, "busy"),
]
CONTACTS = [
    {"user": "li.na", "name": "Li Na"},
    {"user": "bob", "name": "Bob"},
    {"user": "carol.de-la-vega", "name": "Carol Montserrat de la Vega y Fernández-Castellanos"},
]
SESSIONS = [
    {"session": "s1", "label": "Firefox, Linux", "kind": "browser", "current": True, "seen_at": ago(60)},
    {"session": "s2", "label": "alice-laptop", "kind": "client", "current": False, "seen_at": ago(90_000)},
]
SIGNED_IN: dict[str, Any] = {
    "GET /api/account": {"name": "alice", "do_not_disturb": False, "password_change_required": False},
    "GET /api/contacts": {"contacts": CONTACTS},
    "GET /api/presence": {
        "contacts": [
            {"user": "li.na", "online": True, "seen_at": None},
            {"user": "bob", "online": False, "seen_at": ago(7200)},
        ]
    },
    "GET /api/history/calls": {"calls": PAST, "before": None},
    "GET /api/sessions": {"sessions": SESSIONS},
    "GET /api/blocked": {"blocked": ["mallory"]},
    "GET /api/account/forwarding": {"always": None, "busy": None, "no_answer": None, "after": 20},
    "POST /api/calls/check": {"to": "+12025550123", "allowed": True, "service": "pstn_out", "refusal": None},
}
OUT: dict[str, Any] = {"GET /api/account": (401, {"code": "not_signed_in", "detail": "not signed in"})}
DENIED = {"to": "+12025550123", "allowed": False, "service": "pstn_out", "refusal": REFUSAL}
UNPLACED = {
    "code": "DENY_FACTS_INSUFFICIENT",
    "text": {
        "en": "The call cannot be classified: a country or number type is unknown.",
        "zh-CN": "无法判定通话类别：缺少国家或号码类型信息。",
    },
    "alternative": None,
    "permit_needed": None,
    "decision": None,
}
ODD = {**DENIED, "to": "110", "refusal": UNPLACED}
ONCE = {"name": "alice", "password_change_required": True}
NO_MICROPHONE = (
    "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'));"
)
NO_NOTICES = "Object.defineProperty(Notification, 'permission', { get: () => 'denied' });"
PROBLEM = (401, {"code": "wrong_password", "detail": "wrong"})
CLOSED = (403, {"code": "registration_closed", "detail": "by invitation"})
ENTER = (("#name", "alice"), ("#password", "correct horse battery"), ("button.main", None))
NEW = ("form button.plain", None)
NOTHING: dict[str, Any] = {"texts": [], "unread": 0, "before": None, "listing": "had"}
LOST = {**NOTHING, "listing": "failed"}
MISSED = [{"call": "m1", "peer": "bob", "at": ago(4000)}]
SEARCH = "input[type=search]"
CLICKED = {"call": "c9", "to": "+12025550123", "media": ["audio"]}
UNREACHED = {"event": "TransferFailed", "call": "c1", "reason": "busy", "refusal": None, "error": None}
NOT_ADDED = {"PUT /api/contacts/dave": GONE}
ADD = ".place > button.quiet"
FORWARDED = {
    "GET /api/account/forwarding": {"always": None, "busy": "bob", "no_answer": "+12025550123", "after": 20}
}
CHANGE = "h2 + p + p + button"  # below the two rules
SECOND = {"peer": "bob", "id": "c2", "heldHere": True}
AUDIO = ((".tools button:last-child", None),)
KEYPAD = ".tools button:nth-child(3)"
ANOTHER = {"peer": "bob", "role": "callee", "id": "c2", "stage": "ringing"}


def door() -> list[View]:
    """Before anybody is signed in."""
    sees = ".door form"
    return [
        View("door-sign-in", sees, answers=OUT),
        View("door-sign-up", sees, answers=OUT, steps=(NEW,)),
        View(
            "door-invitation",
            "#invitation",
            answers={**OUT, "POST /api/account": CLOSED},
            steps=(NEW, *ENTER),
        ),
        View("door-fault", ".fault:not(:empty)", answers={**OUT, "POST /api/session": PROBLEM}, steps=ENTER),
        View("door-offline", ".fault:not(:empty)", answers={**OUT, "POST /api/session": GONE}, steps=ENTER),
        View("door-new-password", "#new-password", answers={**OUT, "POST /api/session": ONCE}, steps=ENTER),
        View("loading", ".spinner", answers={"GET /api/account": NEVER}),
    ]


def places() -> list[View]:
    """The three places, and the settings."""
    missed = {"missed": MISSED, **conversation(*TEXTS, unread=2)}
    number, long = ((SEARCH, "+1 202 555 0123"),), conversation(*TEXTS, FAILED, WAITING)
    none: dict[str, Any] = {"GET /api/contacts": {"contacts": []}}
    return [
        View("people", ".list", state=missed),
        View("people-empty", ".place .blank", answers=none),
        View("people-loading", ".place .spinner", answers={"GET /api/contacts": NEVER}),
        View("people-error", ".place .blank button", answers={"GET /api/contacts": GONE}),
        View("people-offline", ".banner", state={"link": "down"}),
        View("people-draining", ".banner", state={"draining": True}),
        View("people-name", ".person", steps=((SEARCH, "dave"),)),
        View("people-not-added", ".place .fault", answers=NOT_ADDED, steps=((SEARCH, "dave"), (ADD, None))),
        View("people-nonsense", ".place .fault", steps=((SEARCH, "???"),)),
        View("people-number", ".prospect .go:enabled", steps=number),
        View("people-unchecked", ".prospect .fault", answers={"POST /api/calls/check": GONE}, steps=number),
        View("people-odd", ".refusal", answers={"POST /api/calls/check": ODD}, steps=((SEARCH, "110"),)),
        View("people-refused", ".refusal", answers={"POST /api/calls/check": DENIED}, steps=number),
        View("people-pad", ".pad", steps=((".search button", None),)),
        View("people-in-call", ".banner.call", state=talking(), steps=((".stage header button", None),)),
        View("calls", ".list", "calls", {"missed": []}),
        View("calls-empty", ".place .blank", "calls", answers={"GET /api/history/calls": {"calls": []}}),
        View("calls-loading", ".place .spinner", "calls", answers={"GET /api/history/calls": NEVER}),
        *(View(f"{each}-offline", ".banner", each, {"link": "down"}) for each in OTHERS),
        View("calls-error", ".place .blank button", "calls", answers={"GET /api/history/calls": GONE}),
        View("messages", ".list", "messages", conversation(*TEXTS)),
        View("messages-more", ".many .quiet", "messages", {**conversation(*TEXTS), "moreConversations": 7}),
        View("messages-empty", ".blank", "messages"),
        View("messages-loading", ".many .spinner", "messages", {"listing": "asked"}),
        View("messages-error", ".many .blank button", "messages", {"listing": "failed"}),
        View("messages-one", ".said", "messages/li.na", conversation(*TEXTS)),
        View("messages-failed", ".said .fault", "messages/li.na", long),
        View("messages-new", ".writer", "messages/dave", {"conversations": {"dave": NOTHING}}),
        View("messages-one-loading", ".one .spinner", "messages/dave"),
        View("messages-one-error", ".one .blank button", "messages/dave", {"conversations": {"dave": LOST}}),
        View("people-about", "dialog", steps=((".list .round:not(.go)", None),)),
        View(
            "people-about-error",
            "dialog .fault",
            answers={"GET /api/blocked": GONE},
            steps=((".list .round:not(.go)", None),),
        ),
        View("settings", ".list", "settings"),
        View("settings-no-notices", "p.hint[role=status]:not(:empty)", "settings", script=NO_NOTICES),
        View("settings-session", "dialog", "settings", steps=((".list .round", None),)),
        View("settings-password", "dialog", "settings", steps=(("h2:last-of-type ~ button >> nth=0", None),)),
        View("settings-close", "dialog", "settings", steps=(("h2:last-of-type ~ button >> nth=-1", None),)),
        View("settings-forwarding", "dialog", "settings", answers=FORWARDED, steps=((CHANGE, None),)),
        View("settings-loading", ".place .spinner", "settings", answers={"GET /api/sessions": NEVER}),
        View("settings-error", ".blank button", "settings", answers={"GET /api/sessions": GONE}),
        View("settings-no-microphone", ".place .fault", "settings", script=NO_MICROPHONE),
        *(View(f"over-{why}", "main .blank", state={"link": "over", "over": why}) for why in OVER),
    ]


OTHERS = ("calls", "messages", "settings")
OVER = ("replaced", "revoked", "expired", "disabled")


def stage() -> list[View]:
    """The call screen, and a call that comes in."""
    sees, poor = ".stage .state", {"bars": 1, "cause": "loss"}
    phone = {"telephone": True, "peer": "+12025550123"}
    ending = {"until": "@45000", "refusal": DECIDED}
    return [
        View("call-sending", sees, state=call("sending")),
        View("call-ringing", sees, state=call("alerting")),
        View("call-early", ".stage .pill", state=call("alerting", early="heard", **phone)),
        View("call-told", ".refusal", state=call("alerting", early="heard", refusal=DECIDED, **phone)),
        View("call-connecting", sees, state=call("connecting")),
        View("call-talking", sees, state=talking()),
        View("call-code", ".digits", state=talking(), steps=((".stage summary", None),)),
        View("call-muted", ".pill", state=talking(muted=True, quality={"bars": 3, "cause": "muted"})),
        View("call-talks-muted", ".pill", state=talking(muted=True, talksMuted=True)),
        View("call-held", sees, state=talking(heldHere=True)),
        View("call-held-there", sees, state=talking(heldThere=True)),
        View("call-poor", ".bars", state=talking(quality=poor)),
        View("call-silent", ".bars", state=talking(quality={"bars": 2, "cause": "no_energy"})),
        View("call-reconnecting", sees, state=talking(stage="reconnecting")),
        View("call-stale-code", sees, state=talking(isCodeStale=True)),
        View("call-ending", ".warning", state=talking(ending=ending, **phone)),
        View("call-declined-change", ".warning", state=talking(declinedChange=True)),
        View("call-no-camera", ".warning", state=talking(cameraFault="refused")),
        View("call-no-sound", ".stage .warning", state=talking(microphoneFault="refused")),
        View("call-own-camera", "video.near", state=talking(camera=True)),
        View("call-video", "video.far", state=talking(camera=True, farVideo=True)),
        View("call-telephone", sees, state=talking(**phone)),
        View("call-keypad", ".pad", state=talking(**phone), steps=((KEYPAD, None), (".pad button", None))),
        View("call-two", "button.pill", state={"calls": [*talking()["calls"], *talking(**SECOND)["calls"]]}),
        View("call-transfer", "#transfer-to", state=talking(), steps=((".tools button:nth-child(4)", None),)),
        View("call-handing", ".pill", state=talking(handedTo="bob")),
        View("call-not-handed", ".stage .warning", state=talking(handFault=UNREACHED)),
        View("call-forwarded", sees, state=call("alerting", forwardedTo="bob")),
        View("call-withheld", sees, state=talking(telephone=True, peer="(withheld)")),
        View("call-devices", ".sheet", state=talking(), steps=AUDIO),
        View("call-no-microphone", ".sheet .fault", state=talking(), steps=AUDIO, script=NO_MICROPHONE),
        View("ended", sees, state=ended("hangup")),
        View("ended-missed", ".stage .go", state=ended("cancelled", role="callee")),
        View("ended-busy", sees, state=ended("busy")),
        View("ended-refused", ".refusal", state=ended("refused", refusal=DECIDED, **phone)),
        View(
            "ended-refused-video",
            ".controls .go",
            state=ended("refused", refusal=DECIDED, media=["audio", "video"]),
        ),
        View("ended-unknown", sees, state=ended("unknown_user", peer="nobody.here")),
        View("ended-no-microphone", sees, state=ended("media_failed", fault="microphone: refused")),
        View("ended-forged", sees, state=ended("media_failed", forged=True)),
        View("ringing", ".ringing", state=call("ringing", role="callee")),
        View("ringing-forwarded", ".ringing", state=call("ringing", role="callee", forwardedBy="bob")),
        View("ringing-telephone", ".ringing", state=call("ringing", role="callee", **phone)),
        View("asked", ".ringing", state={"asked": [CLICKED]}),
        View("ringing-video", ".ringing", state=call("ringing", role="callee", media=["audio", "video"])),
        View(
            "ringing-waiting", ".ringing", state={"calls": [*talking()["calls"], *call(**ANOTHER)["calls"]]}
        ),
    ]


def views() -> list[View]:
    """All of them."""
    return [*door(), *places(), *stage()]


def timed(state: str) -> str:
    """The state with its times: `"@45000"` is in 45 s."""
    return re.sub(r'"@(-?\d+)"', r"Date.now() + \1", state)


async def answer(route: Route, view: View, waiting: list[Route]) -> None:
    """As the server would, or as this view wants it; what never comes is left `waiting`."""
    path = urlsplit(route.request.url).path
    if path == "/web/app/lead.js":
        state: dict[str, Any] = {
            "me": "alice",
            "link": "up",
            "over": None,
            "draining": False,
            "calls": [],
            "missed": [],
            "moreConversations": None,
            "listing": "had",
            "asked": [],
            "names": {each["user"]: each["name"] for each in CONTACTS},
        }
        shown = json.dumps({**state, "conversations": {}, **view.state})
        await route.fulfill(
            body=LEAD.replace("STATE", timed(shown)), content_type="text/javascript", headers=HEADERS
        )
    elif path.startswith("/api/"):
        known = {**SIGNED_IN, **view.answers}.get(f"{route.request.method} {path}", {})
        await answer_api(route, known, waiting)
    else:
        await answer_file(route, WEB / "index.html" if path == "/" else WEB / path.removeprefix("/web/"))


async def answer_api(route: Route, known: Any, waiting: list[Route]) -> None:
    """With this; a pair is a status and a body."""
    if known is NEVER:
        waiting.append(route)
    elif known is GONE:
        await route.abort()
    else:
        status, body = known if isinstance(known, tuple) else (200, known)
        await route.fulfill(status=status, json=body, headers=HEADERS)


async def answer_file(route: Route, file: Path) -> None:
    """As it lies there."""
    kind = guess_type(file.name)[0] or "text/plain"
    await route.fulfill(path=file, content_type=kind, headers=HEADERS)


@asynccontextmanager
async def dressed(
    browser: Browser, size: tuple[int, int], theme: str, language: str
) -> AsyncIterator[BrowserContext]:
    """A browser of this size, theme and language, that moves nothing and may use a microphone."""
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if theme == "dark" else "light",
        locale=language,
        reduced_motion="reduce",
        service_workers="block",
        permissions=["microphone", "camera"],
    )
    yield context
    await context.close()


Respond = Callable[[Route, View, list[Route]], Awaitable[None]]


Show = Callable[[BrowserContext, View], AbstractAsyncContextManager[Page]]


async def settled(page: Page) -> None:
    """Wait until all that is drawn stands: what is looked at in between is no view that anybody would see."""
    await page.evaluate(SETTLED, MOST_FRAMES)


async def fresh(context: BrowserContext, view: View) -> Page:
    """The page that showed the view before: a new one is a process, which costs as much as a view.

    A view with a script has one of its own, since the script would stay.
    """
    if context.pages and not view.script:
        return context.pages[0]
    page = await context.new_page()
    if view.script:
        await page.add_init_script(view.script)
    return page


async def leave(page: Page, view: View, waiting: list[Route]) -> None:
    """Let nothing of this view be left to the next one."""
    await page.goto(BLANK)  # from where nothing more is asked
    for route in waiting:
        await route.abort()
    await page.evaluate("sessionStorage.clear()")
    await page.unroute_all(behavior="wait")
    if view.script:
        await page.close()


@asynccontextmanager
async def shown(context: BrowserContext, view: View, respond: Respond = answer) -> AsyncIterator[Page]:
    """A page that shows this view; nothing may have gone wrong in it."""
    faults: list[str] = []
    waiting: list[Route] = []
    page = await fresh(context, view)

    def note(error: object) -> None:
        faults.append(f"{view.name}: {error}")

    page.on("pageerror", note)
    await page.route("**", lambda route: respond(route, view, waiting))
    # Of the same origin and with the same headers, lest a browser start another process for it.
    await page.route(BLANK, lambda route: route.fulfill(content_type="text/html", headers=HEADERS))
    await page.goto(f"{URL}/#{view.place}")
    for selector, typed in view.steps:
        found = page.locator(selector).first
        await (found.click(timeout=WITHIN) if typed is None else found.fill(typed, timeout=WITHIN))
    await page.locator(view.sees).first.wait_for(timeout=WITHIN)
    await settled(page)
    yield page
    met = list(faults)
    await leave(page, view, waiting)
    page.remove_listener("pageerror", note)
    assert not met, met
