"""The aiohttp edge: an early, friendly refusal on the routes that start or change calls.

The gate itself is a property of the telephone leg (licensing.gate); a request that passed here has its grant
and still has to redeem it. A route is gated by declaration: `@gated(ask)` names how to build the Ask. The
declaration fails closed: a handler that is reached in a way the middleware does not see does not run.
"""

import functools
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar, cast

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from licensing.gate import Ask, Gate, Verdict
from licensing.reasons import alternative_text

BuildAsk = Callable[[web.Request], Ask | Awaitable[Ask]]
H = TypeVar("H", bound=Callable[..., Any])

VERDICT = web.RequestKey("licensing_verdict", Verdict)
UNAVAILABLE_FOR_LEGAL_REASONS, TITLE = 451, "Unavailable For Legal Reasons"  # RFC 7725
ANSWERED = web.RequestKey("licensing_answered", object)  # the declaration that VERDICT answers
_MARK = "__licensing_ask__"

log = logging.getLogger(__name__)


def gated(ask: BuildAsk) -> Callable[[H], H]:
    """Declare that a handler, or a method of a `web.View`, does what `ask` describes.

    `ask` may be a coroutine function, and may raise aiohttp's own errors for a request that makes no sense.
    The handler runs only for a request in which the gate said yes to this very declaration; else it is 500,
    with a line in the log. TypeError for a class: its methods are what can be gated.
    """

    def declare(handler: H) -> H:
        if inspect.isclass(handler):
            raise TypeError(f"`{handler.__qualname__}` is a class: declare its methods")

        @functools.wraps(handler)
        async def asked_before(*args: Any, **named: Any) -> Any:
            request = _request_among([*args, *named.values()])
            if request is None or VERDICT not in request or request.get(ANSWERED) is not ask:
                raise _unasked(handler)
            return await handler(*args, **named)

        setattr(asked_before, _MARK, ask)
        return cast(H, asked_before)

    return declare


def _request_among(given: list[Any]) -> web.BaseRequest | None:
    """A handler is given its request, a method of a view has it in the view."""
    for each in given:
        found = each.request if isinstance(each, web.View) else each
        if isinstance(found, web.BaseRequest):
            return found
    return None


def _unasked(handler: Callable[..., Any]) -> web.HTTPInternalServerError:
    """Nobody decided what the handler is about to do: the application is put together wrongly."""
    log.error(
        "`%s` did not run, for the gate was not asked: the application needs `licence_middleware`, and the "
        "route the handler as `gated` returned it (or a wrapper made with `functools.wraps`)",
        getattr(handler, "__qualname__", repr(handler)),
    )
    return web.HTTPInternalServerError()


def licence_middleware(
    gate: Gate,
    *,
    blocked_by: str | Callable[[web.BaseRequest], str],
    refused: Callable[[Verdict], None] = lambda verdict: None,
) -> Middleware:
    """Asks the gate before a gated handler runs.

    `blocked_by`: the URI of whoever refuses (RFC 7725 §4), or what says it of a request.
    `refused`: told of each refusal, for metrics.
    """

    @web.middleware
    async def licence(request: web.Request, handler: Handler) -> web.StreamResponse:
        build = declared(request)
        if build is None:
            return await handler(request)
        ask = build(request)
        if inspect.isawaitable(ask):
            ask = await ask
        verdict = await gate.authorize(ask)
        if not verdict.allowed:
            refused(verdict)
            return problem(
                verdict, request, blocked_by if isinstance(blocked_by, str) else blocked_by(request)
            )
        request[VERDICT], request[ANSWERED] = verdict, build
        return await handler(request)

    return licence


def declared(request: web.Request) -> BuildAsk | None:
    """How to build the Ask of the route that was matched; none if it is not gated."""
    handler: Any = request.match_info.handler
    if inspect.isclass(handler) and issubclass(handler, web.View):
        handler = getattr(handler, request.method.lower(), None)
    build: BuildAsk | None = getattr(handler, _MARK, None)
    return build


def verdict_of(request: web.Request) -> Verdict:
    """For a gated handler: what was decided, with the grant that it has to redeem for its telephone leg."""
    return request[VERDICT]


def problem(verdict: Verdict, request: web.Request, blocked_by: str) -> web.Response:
    """The refusal: 451 (RFC 7725) with a problem document (RFC 9457), in the caller's language."""
    decision, instead = verdict.decision, verdict.decision.alternative
    refusal = {
        "code": decision.reason.value,
        "text": decision.text.to_json(),
        "decision": verdict.id,
        "permit_needed": decision.permit_needed,
        "alternative": None if instead is None else alternative_text(instead).to_json(),
    }
    return unavailable(refusal, request, blocked_by)


def unavailable(refusal: Mapping[str, Any], request: web.BaseRequest, blocked_by: str) -> web.Response:
    """The same from a refusal as the wire has it: `{code, text, decision, permit_needed, alternative}`."""
    language = preferred_language(request)
    document = {
        "type": "about:blank",
        "title": TITLE,
        "status": UNAVAILABLE_FOR_LEGAL_REASONS,
        "detail": refusal["text"][language],
        "instance": f"urn:wephone:decision:{refusal['decision']}",
        **refusal,
    }
    return web.json_response(
        document,
        status=UNAVAILABLE_FOR_LEGAL_REASONS,
        reason=TITLE,
        content_type="application/problem+json",
        headers={
            "Link": f'<{blocked_by}>; rel="blocked-by"',
            "Content-Language": language,
            "Cache-Control": "no-store",  # 451 may be cached unless told otherwise, and permits change
            "Vary": "Accept-Language",
        },
    )


def preferred_language(request: web.BaseRequest) -> str:
    """`zh-CN` for whoever prefers any Chinese to English (RFC 9110 §12.5.4), else `en`."""
    weights = {"en": 0.0, "zh": 0.0}
    for part in request.headers.get("Accept-Language", "").split(","):
        tag, _, parameter = part.strip().partition(";")
        main = tag.partition("-")[0].lower()
        if main in weights:
            weights[main] = max(weights[main], _quality(parameter))
    return "zh-CN" if weights["zh"] > weights["en"] else "en"


def _quality(parameter: str) -> float:
    name, _, value = parameter.replace(" ", "").partition("=")
    if name != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
