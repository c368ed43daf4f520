"""HTTP and the socket: how the client reaches a server. It decides nothing."""

import asyncio
import os
from dataclasses import dataclass
from typing import Any, Self

import aiohttp
from aiohttp import WSMsgType
from pydantic import TypeAdapter, ValidationError
from yarl import URL

from wephone.errors import NotSignedIn, ServerUnreachable, SignInRefused
from wephone.protocol.codec import PeerError, decode_server, encode
from wephone.protocol.messages import MAX_FRAME, SUBPROTOCOL, ClientMessage, ServerMessage
from wephone.relays import Named

HEARTBEAT = 20.0  # seconds between our pings, until the server says how often it likes them
OPEN_WITHIN = 10.0  # seconds for a request, or for a socket to open
SOCKET = "/api/socket"
REPLACED = 4001  # close code: this device has connected again, from elsewhere

_OBJECT: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who signs in, and with what: a token, or a password that buys one."""

    name: str
    password: str | None = None
    token: str | None = None


class Socket:
    """One open connection: frames in, frames out, until it breaks."""

    def __init__(self, socket: "aiohttp.ClientWebSocketResponse[bool]") -> None:
        self._socket = socket

    async def send(self, message: ClientMessage) -> None:
        """Write one frame; ConnectionError if the socket is gone."""
        try:
            await self._socket.send_frame(encode(message), WSMsgType.TEXT)
        except aiohttp.ClientError as error:
            raise ConnectionError(str(error)) from error

    async def receive(self) -> ServerMessage | None:
        """The next message; None when the socket has closed.

        A frame that cannot be read costs the connection: after it the count of events is in doubt.
        """
        frame = await self._socket.receive()
        if frame.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            return None
        try:
            return decode_server(frame.data)
        except PeerError:
            return None

    @property
    def replaced(self) -> bool:
        """The server closed this socket because the same device has opened another."""
        return self._socket.close_code == REPLACED

    async def close(self, *, for_good: bool) -> None:
        """Close. For good (code 1000): this device does not come back, so the server need not wait."""
        code = aiohttp.WSCloseCode.OK if for_good else aiohttp.WSCloseCode.GOING_AWAY
        await self._socket.close(code=code)


class Server:
    """A server by its address: its HTTP answers and its socket."""

    def __init__(self, url: str) -> None:
        self.url = server_url(url)
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=OPEN_WITHIN)
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def register(self, name: str, password: str, invitation: str | None = None) -> None:
        """Open an account. SignInRefused says why not."""
        body = {"name": name, "password": password}
        if invitation is not None:
            body["invitation"] = invitation
        await self.post("/api/account", body)

    async def sign_in(self, credentials: Credentials, label: str) -> str:
        """A token for this name and password. SignInRefused if the server does not take them."""
        body = {"name": credentials.name, "password": credentials.password or "", "label": label}
        answer = await self.post("/api/session", body)
        return text_of(answer, "token")

    async def sign_out(self, token: str) -> None:
        """End the session that the token stands for; the token is of no use afterwards."""
        await self.request("DELETE", "/api/session", None, token)

    async def change_password(self, name: str, old: str, new: str, label: str) -> None:
        """Give the account another password; every session of it ends. SignInRefused says why not."""
        token = await self.sign_in(Credentials(name, old), label)
        try:
            await self.post("/api/account/password", {"password": old, "new_password": new}, token)
        except NotSignedIn:
            await self.sign_out(token)
            raise

    async def ticket(self, token: str) -> str:
        """A single-use ticket for the socket's first frame. NotSignedIn if the token is no good."""
        return text_of(await self.post("/api/ticket", {}, token), "ticket")

    async def relays(self, token: str) -> Named:
        """STUN and TURN servers, with credentials for a few minutes."""
        answer = await self.get("/api/turn", token)
        try:
            return Named.model_validate(answer)
        except ValidationError:
            raise ServerUnreachable(f"{self.url} answers, but not as a WePhone server") from None

    async def connect(self) -> Socket:
        """Open the socket; ServerUnreachable if there is none. Nothing has been said on it."""
        try:
            socket = await self.session.ws_connect(
                self.url / SOCKET.removeprefix("/"),
                protocols=(SUBPROTOCOL,),
                heartbeat=HEARTBEAT,
                max_msg_size=4 * MAX_FRAME,
                decode_text=False,
                timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ServerUnreachable(unreachable(self.url, error)) from error
        return Socket(socket)

    @property
    def session(self) -> aiohttp.ClientSession:
        """aiohttp's session, open between enter and exit."""
        if self._http is None:
            raise RuntimeError("the server's address is used outside of `async with`")
        return self._http

    async def post(self, path: str, body: dict[str, Any], token: str | None = None) -> dict[str, Any]:
        """POST JSON, get JSON."""
        return await self.request("POST", path, body, token)

    async def get(self, path: str, token: str | None = None) -> dict[str, Any]:
        """GET JSON."""
        return await self.request("GET", path, None, token)

    async def request(
        self, method: str, path: str, body: dict[str, Any] | None, token: str | None
    ) -> dict[str, Any]:
        """One request. ServerUnreachable, NotSignedIn (401) or SignInRefused with the server's sentence."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = self.url / path.removeprefix("/")
        try:
            # A redirect is not followed: the password would go where nobody has asked it to.
            async with self.session.request(
                method, url, json=body, headers=headers, allow_redirects=False
            ) as response:
                status, text = response.status, await response.read()
                retry_after = response.headers.get("Retry-After", "")
                location = response.headers.get("Location", "")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ServerUnreachable(unreachable(self.url, error)) from error
        if 300 <= status < 400:
            raise ServerUnreachable(f"{self.url} sends its callers on to `{location}`: use that address")
        if status < 400:
            return json_object(text, url) if text else {}
        raise refused(status, text, path, retry_after)


def server_url(text: str) -> URL:
    """The server's address as given: http or https; a bare host gets https, a loopback one http."""
    whole = text
    if "://" not in text:
        local = text.startswith("[::1]") or text.partition(":")[0] in ("localhost", "127.0.0.1")
        whole = f"{'http' if local else 'https'}://{text}"
    try:
        url = URL(whole)
        valid = url.scheme in ("http", "https") and bool(url.host)
    except ValueError:
        valid = False
    if not valid:
        raise ServerUnreachable(f"`{text}` is not the address of a server: it looks like https://host")
    return url.with_user(None).with_path(url.path.rstrip("/") + "/")


def unreachable(url: URL, error: BaseException) -> str:
    """One sentence for a connection that did not open."""
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return f"{url} answers, but not as a WePhone server (HTTP {error.status})"
    if isinstance(error, asyncio.TimeoutError):
        return f"{url} did not answer within {OPEN_WITHIN:g} s"
    why = getattr(error, "os_error", error)
    number = getattr(why, "errno", None) or 0
    # asyncio puts the address in the place of the system's words; name look-up has numbers below zero
    said = os.strerror(number) if number > 0 else getattr(why, "strerror", None) or str(why)
    return f"cannot reach {url}: {said[:1].lower()}{said[1:]}"


def json_object(text: bytes, url: URL) -> dict[str, Any]:
    """The JSON object in an answer; ServerUnreachable if it is something else."""
    try:
        return _OBJECT.validate_json(text)
    except ValidationError:
        raise ServerUnreachable(f"{url} answers, but not as a WePhone server") from None


def text_of(answer: dict[str, Any], field: str) -> str:
    """A field of the server's answer that must be text."""
    value = answer.get(field)
    if not isinstance(value, str):
        raise ServerUnreachable(f"the server's answer has no `{field}`: is it a WePhone server?")
    return value


def refused(status: int, text: bytes, path: str, retry_after: str) -> NotSignedIn:
    """The error for an answer that is none: the problem document's sentence (RFC 9457), or its status."""
    try:
        problem = _OBJECT.validate_json(text)
    except ValidationError:
        problem = {}
    sentence = problem.get("detail") or problem.get("text") or problem.get("title")
    wait = float(retry_after) if retry_after.replace(".", "", 1).isdigit() else None
    if not isinstance(sentence, str):
        sentence = f"the server answered {path} with HTTP {status}"
    code = problem.get("code")
    return SignInRefused(sentence, status, wait, code if isinstance(code, str) else None)
