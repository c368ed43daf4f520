"""An aiohttp application made of routes: lets in, reads, limits, answers, makes problems of failures."""

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Iterable
from functools import partial
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from pydantic import BaseModel, ValidationError

from licensing.gate import Ask, Verdict
from licensing.middleware import gated, licence_middleware
from signaling.accounts import AccountError, AccountFault
from signaling.api.auth import Door
from signaling.api.headers import add_headers
from signaling.api.origin import caller_address, is_within
from signaling.api.problem import Problem, slow_down, unreadable
from signaling.api.proof import check_proof
from signaling.api.routes import Route
from signaling.api.visit import Parts, Visit
from signaling.passwords import TooBusyError
from signaling.ports.store import StoreError
from signaling.settings import Endpoint, Network
from wephone.protocol.codec import PeerError

MAX_BODY = 64 * 1024  # bytes
READ_WITHIN = 20.0  # seconds for a body

STATUSES = {
    AccountFault.NAME_TAKEN: 409,
    AccountFault.BAD_PASSWORD: 400,
    AccountFault.WRONG_PASSWORD: 401,
    AccountFault.REGISTRATION_CLOSED: 403,
    AccountFault.BAD_INVITATION: 403,
    AccountFault.NO_SUCH_ACCOUNT: 404,
    AccountFault.ACCOUNT_DISABLED: 403,
    AccountFault.LAST_OPERATOR: 409,
    AccountFault.NUMBER_TAKEN: 409,
    AccountFault.TOO_MANY_NUMBERS: 409,
}

CALL = web.RequestKey("handler_call", partial[Awaitable[BaseModel | web.StreamResponse | None]])

log = logging.getLogger(__name__)


def application(
    routes: Iterable[Route], parts: Parts, door: Door, only_from: tuple[Network, ...] = ()
) -> web.Application:
    """The application of one listener. `only_from`: networks beside the loopback that it answers."""
    app = web.Application(
        middlewares=[around(parts, door, only_from), licence(parts)],
        client_max_size=MAX_BODY,
    )
    app.on_response_prepare.append(add_headers)

    async def let_go(_: web.Application) -> None:
        parts.onlookers.close()

    app.on_shutdown.append(let_go)
    for route in routes:
        app.router.add_route(route.method, route.path, handled(route, parts, door), name=route.name)
    return app


def around(parts: Parts, door: Door, only_from: tuple[Network, ...]) -> Middleware:
    """Around every request, also those that no route takes."""

    @web.middleware
    async def answered(request: web.Request, handler: Handler) -> web.StreamResponse:
        begun = time.perf_counter()
        response = await respond(request, handler, door, only_from)
        resource = request.match_info.route.resource
        route = "other" if resource is None else resource.canonical
        if response.status != HTTPStatus.SWITCHING_PROTOCOLS:  # a socket's end is no answer
            parts.metrics.request(route, response.status, time.perf_counter() - begun)
        return response

    return answered


def licence(parts: Parts) -> Middleware:
    """The gate before the handlers that declare what they would do."""

    def refused(verdict: Verdict) -> None:
        parts.metrics.refused(verdict.decision.reason)

    def blocked_by(request: web.BaseRequest) -> str:
        return operator_of(request, parts)

    return licence_middleware(parts.permission.gate, blocked_by=blocked_by, refused=refused)


def operator_of(request: web.BaseRequest, parts: Parts) -> str:
    """The URI of whoever refuses (RFC 7725 §4): this service, never the Host that a request claims."""
    if parts.settings.public_url is not None:
        return parts.settings.public_url
    host, port, *_ = (
        request.transport.get_extra_info("sockname") if request.transport else parts.settings.listen
    )
    return f"http://{Endpoint(host, port)}"


async def respond(
    request: web.Request, handler: Handler, door: Door, only_from: tuple[Network, ...]
) -> web.StreamResponse:
    """The handler's answer, or the problem that it met."""
    try:
        if only_from and request.remote and not is_inside(request.remote, only_from):
            raise Problem(403, "foreign_network", "this listener is for operators' networks alone")
        door.check_origin(request)
        return await handler(request)
    except Problem as problem:
        return problem.response()
    except web.HTTPException as error:
        return of_aiohttp(error).response()
    except (AccountError, PeerError, StoreError, TooBusyError) as error:
        return of_ours(error).response()
    except (ConnectionError, asyncio.CancelledError):
        raise
    except Exception:
        # The last resort: nothing of what went wrong is the caller's to read, but its id finds it in the log.
        id = str(uuid.uuid4())
        log.exception("a request failed", extra={"id": id, "method": request.method})
        return Problem(
            500,
            "internal",
            "the server made a mistake; it has been logged",
            more={"instance": f"urn:uuid:{id}"},
        ).response()


def is_inside(address: str, networks: tuple[Network, ...]) -> bool:
    """May this address use a listener that is kept to some networks? This machine always may."""
    return is_within(address, networks) or address in ("127.0.0.1", "::1")


def of_aiohttp(error: web.HTTPException) -> Problem:
    """aiohttp's own errors: no such path, wrong method, too large."""
    headers = {name: error.headers[name] for name in ("Allow", "Retry-After") if name in error.headers}
    details = {
        404: ("not_found", "there is nothing at this address"),
        405: ("wrong_method", f"this address takes {headers.get('Allow', 'other methods')}"),
        413: ("too_large", f"a body has at most {MAX_BODY} bytes"),
        500: ("internal", "the server made a mistake; it has been logged"),
    }
    code, detail = details.get(error.status, ("bad_request", HTTPStatus(error.status).phrase.lower()))
    return Problem(error.status, code, detail, headers=headers)


def of_ours(error: Exception) -> Problem:
    """What our own parts refuse."""
    match error:
        case AccountError():
            return Problem(STATUSES[error.fault], error.fault, error.text, field=error.field)
        case PeerError():
            return Problem(400, error.code, error.text, field=error.field)
        case TooBusyError():
            return Problem(503, "busy", "too many sign-ins wait; try again", headers={"Retry-After": "2"})
        case _:
            log.error("the store did not answer: %s", error)
            return Problem(
                503, "not_stored", "it could not be stored; try again", headers={"Retry-After": "2"}
            )


def handled(route: Route, parts: Parts, door: Door) -> Handler:
    """The aiohttp handler of a route."""

    async def prepare(request: web.Request) -> partial[Awaitable[BaseModel | web.StreamResponse | None]]:
        address = caller_address(request, parts.settings.trusted_proxies)
        if not route.is_file and (wait := parts.limits.visit(address)):
            parts.metrics.limited("address")
            raise slow_down(wait)
        who = await door.admit(request, route.rule)
        if who is not None and (wait := parts.limits.request(who.user)):
            parts.metrics.limited("account")
            raise slow_down(wait)
        visit = Visit(parts, request, address, who, door.cookie)
        call = partial(route.handler, visit)
        if route.query is not None:
            call = partial(call, query=read_query(request, route.query))
        if route.body is not None:
            call = partial(call, body=await read_body(request, route.body))
        if route.proven:
            check_proof(visit)
        return call

    async def handle(request: web.Request) -> web.StreamResponse:
        answer = await (request.get(CALL) or await prepare(request))()
        return answer if isinstance(answer, web.StreamResponse) else json_response(answer, route.status)

    if (asks := route.asks) is None:
        return handle

    async def ask(request: web.Request) -> Ask:
        request[CALL] = call = await prepare(request)
        return await asks(*call.args, **call.keywords)

    return gated(ask)(handle)


def read_query(request: web.Request, model: type[BaseModel]) -> BaseModel:
    """The query's fields; Problem if one is unknown, twice there, or wrong."""
    values: dict[str, str] = {}
    for name, value in request.query.items():
        if name in values:
            raise Problem(400, "bad_value", f"`{name[:64]}` is given twice", field=name[:64])
        values[name] = value
    try:
        return model.model_validate_strings(values)
    except ValidationError as error:
        raise unreadable(error) from None


async def read_body(request: web.Request, model: type[BaseModel]) -> BaseModel:
    """The JSON body; Problem if it is late, too large, something else, or wrong."""
    # A form of another site can send text/plain or a form's types, but not this one.
    if request.content_type != "application/json":
        raise Problem(415, "not_json", "the body must be `Content-Type: application/json`")
    try:
        async with asyncio.timeout(READ_WITHIN):
            data = await request.read()
    except TimeoutError:
        raise Problem(
            408,
            "too_slow",
            f"the body did not arrive within {READ_WITHIN:g} s",
            headers={"Connection": "close"},
        ) from None
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise unreadable(error) from None


def json_response(answer: BaseModel | None, status: int) -> web.Response:
    """The answer as JSON; 204 if there is none."""
    if answer is None:
        return web.Response(status=status)
    return web.Response(
        status=status,
        body=answer.model_dump_json(by_alias=True).encode(),
        content_type="application/json",
    )
