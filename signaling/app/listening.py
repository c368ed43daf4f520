"""Where a server is reached: by callers, by operators, and by commands on its machine."""

import os
import ssl
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

from aiohttp import web

from signaling import local
from signaling.api.auth import OPERATOR_COOKIE, Door
from signaling.api.listener import BACKLOG, Serve, listen_at, runner_of
from signaling.api.origin import Origins
from signaling.api.rest import CALLERS, OPERATORS
from signaling.api.serving import application
from signaling.api.visit import Parts
from signaling.app.errors import StartError
from signaling.settings import Endpoint, Settings
from signaling.store.database import database_shown


async def listen(
    settings: Settings, parts: Parts, stack: AsyncExitStack
) -> tuple[dict[str, Any], tuple[Serve, ...]]:
    """Take both ports and the Unix socket; what the `ready` line says, and what begins to serve each."""
    origins = Origins(settings.public_url, settings.origins)
    callers = application(CALLERS, parts, Door(parts.accounts, origins))
    port, serve_callers = await listen_at(settings.listen, callers, stack)
    url = settings.public_url or f"http://{shown(settings.listen, port)}"
    parts = replace(parts, url=url)
    here = Origins(None, ())
    door = Door(parts.accounts, here, cookie=OPERATOR_COOKIE)
    operators = application(OPERATORS, parts, door, settings.operator_networks)
    tls = operator_tls(settings)
    operator_port, serve_operators = await listen_at(settings.operator_listen, operators, stack, tls)
    serve_commands = await listen_locally(settings, parts, stack)
    url = settings.public_url or f"http://{shown(settings.listen, port)}"
    scheme = "http" if tls is None else "https"
    ready = {
        "url": url,
        "ws": "ws" + url.removeprefix("http") + "/api/socket",
        "operator_url": f"{scheme}://{shown(settings.operator_listen, operator_port)}",
        "listen": str(Endpoint(settings.listen.host, port)),
        "database": database_shown(settings.database_url),
        "data": str(settings.data),
        "pid": os.getpid(),
        "version": parts.version,
    }
    return ready, (serve_callers, serve_operators, serve_commands)


async def listen_locally(settings: Settings, parts: Parts, stack: AsyncExitStack) -> Serve:
    """Take the Unix socket for operators' commands on this machine; what begins to serve them."""
    path = settings.operator_socket
    try:
        made = local.listening(path, BACKLOG)
    except OSError as error:
        raise StartError(f"cannot listen on {path}: {(error.strerror or str(error)).lower()}") from None
    stack.callback(made.close)
    stack.callback(path.unlink, missing_ok=True)
    door = Door(parts.accounts, Origins(None, ()), local=True)
    runner = await runner_of(application(OPERATORS, parts, door), stack)
    return web.SockSite(runner, made).start


def operator_tls(settings: Settings) -> ssl.SSLContext | None:
    """TLS with certificates on both sides, if the settings name them."""
    if settings.operator_tls_certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    certificate, key = settings.operator_tls_certificate, settings.operator_tls_key
    authority = settings.operator_tls_client_ca
    for file in filter(None, (certificate, key, authority)):
        try:
            file.read_bytes()
        except OSError as error:
            raise StartError(f"cannot read {file}: {(error.strerror or str(error)).lower()}") from None
    try:
        context.load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        raise StartError(f"{certificate} and {key} are no certificate with its key: {error.reason}") from None
    try:
        context.load_verify_locations(authority)
    except ssl.SSLError as error:
        raise StartError(f"{authority} has no certificates: {error.reason}") from None
    return context


def shown(endpoint: Endpoint, port: int) -> str:
    """Host and port as somebody on this machine types them."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(endpoint.host, endpoint.host)
    return str(Endpoint(host, port))
