"""Routes for whoever watches the server: is it alive, is it ready, what has it counted."""

from typing import Literal

from aiohttp import web

from signaling.api.origin import cannot_rebind
from signaling.api.problem import Problem
from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit
from signaling.metrics import CONTENT_TYPE
from signaling.ports.store import StoreError
from wephone.protocol.messages import Model

callers = Routes()
operators = Routes()


class Health(Model):
    """The process answers."""

    status: Literal["ok"] = "ok"
    version: str


class Readiness(Model):
    """The server takes calls now."""

    status: Literal["ready"] = "ready"
    calls: int
    devices: int


async def healthz(visit: Visit) -> Health:
    """Is the server alive?"""
    return Health(version=visit.parts.version)


callers.add("GET", "/healthz", Rule.ANYONE)(healthz)
operators.add("GET", "/healthz", Rule.ANYONE)(healthz)


@operators.add("GET", "/readyz", Rule.ANYONE)
async def readyz(visit: Visit) -> Readiness:
    """Does the server take calls? 503 while it drains, or cannot write its database."""
    check_host(visit)
    exchange = visit.parts.exchange
    if exchange.switch.draining:
        raise Problem(503, "draining", "the server is about to stop")
    try:
        await visit.parts.store.ready()
    except StoreError as error:
        raise Problem(503, "not_stored", f"the database takes no rows: {error}") from None
    return Readiness(calls=exchange.switch.live(), devices=exchange.lines.connected())


@operators.add("GET", "/metrics", Rule.ANYONE, status=200)
async def metrics(visit: Visit) -> web.Response:
    """Counts in Prometheus' text format."""
    check_host(visit)
    return web.Response(body=visit.parts.metrics.text(), headers={"Content-Type": CONTENT_TYPE})


def check_host(visit: Visit) -> None:
    """Problem if the name asked for could be anybody's, made to point at us (DNS rebinding).

    These routes ask for no credentials, and a page that has become of our origin sends no Origin.
    """
    host = visit.request.host
    if not cannot_rebind(host) and host.partition(":")[0] != visit.parts.settings.operator_listen.host:
        raise Problem(403, "foreign_host", f"{host[:100]!r} is not how operators reach this server")
