"""Who signs in and where: the options that `call`, `listen` and `message` share."""

import argparse
import asyncio
import fcntl
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from wephone.cli import garbage
from wephone.cli.output import Failure, Progress, language, say
from wephone.cli.words import words
from wephone.client import Client
from wephone.errors import SignInRefused, WePhoneError
from wephone.events import Draining, LinkLost, Welcome
from wephone.media.errors import DeviceError
from wephone.protocol.ids import DeviceId
from wephone.sound import preload
from wephone.transport import Server

DEFAULT_URL = "http://127.0.0.1:8080"
MOST_AT_ONCE = 16  # programs of one user on one machine that have an id kept for them
CHANGE_FIRST, BAD_PASSWORD = "password_change_required", "bad_password"  # the server's codes
LONGEST = 64  # bytes of a file that holds an id

_locks: list[int] = []  # open files


def add_options(parser: argparse.ArgumentParser) -> None:
    """Server, user and one of three ways to say the secret; each also from the environment."""
    group = add_who(parser)
    secret = group.add_mutually_exclusive_group()
    secret.add_argument(
        "--password-stdin", action="store_true", help="read the password from stdin, one line"
    )
    secret.add_argument(
        "--token-file", metavar="FILE", type=Path, help="read a session's token from a file (WEPHONE_TOKEN)"
    )


def add_who(parser: argparse.ArgumentParser) -> "argparse._ArgumentGroup":
    """Server and user."""
    group = parser.add_argument_group("signing in")
    group.add_argument(
        "--server",
        metavar="URL",
        default=os.environ.get("WEPHONE_URL", DEFAULT_URL),
        help=f"the server's address (WEPHONE_URL; default {DEFAULT_URL})",
    )
    group.add_argument(
        "--user",
        metavar="NAME",
        default=os.environ.get("WEPHONE_USER"),
        help="the name to sign in with (WEPHONE_USER)",
    )
    return group


def add_relay_option(parser: argparse.ArgumentParser) -> None:
    """For the commands that make calls."""
    parser.add_argument(
        "--relay-only",
        action="store_true",
        help="let the other side see no address of this machine, only that of the server's relay",
    )


def run(work: Coroutine[Any, Any, int]) -> int:
    """Run it to its end; SIGTERM ends it as Ctrl-C does. Failure for whatever the client reports."""

    async def stoppable() -> int:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    try:
        return asyncio.run(stoppable())
    except (WePhoneError, DeviceError) as error:
        raise Failure(str(error)) from None
    except asyncio.CancelledError:
        raise Failure("stopped") from None


@asynccontextmanager
async def signed_in(
    args: argparse.Namespace, progress: Progress, tongue: str, *, calls: bool = False, dials: bool = False
) -> AsyncIterator[Client]:
    """A client for these options; meanwhile it is shown when the server is lost and found again.

    `calls`: there will be some, so media is loaded while the server is asked. `dials`: see `Client`.
    """
    loading = [preload()] if calls else []
    async with AsyncExitStack() as stack:
        relay_only = calls and args.relay_only
        signed_in = await arrived(stack, args, tongue, relay_only=relay_only, dials=dials)
        await stack.enter_async_context(watched(signed_in, progress, tongue))
        await asyncio.gather(*loading, return_exceptions=True)  # what is missing is said when a call needs it
        garbage.collect_as_usual()
        yield signed_in


async def arrived(stack: AsyncExitStack, args: argparse.Namespace, tongue: str, **wishes: bool) -> Client:
    """The client, signed in. Whoever types a password for one use at a terminal chooses another first."""
    password, token = secret(args)
    device = device_id(args.server, args.user)
    first = client(args, password, token, device, **wishes)
    try:
        return await stack.enter_async_context(first)
    except SignInRefused as refused:
        if refused.code != CHANGE_FIRST:
            raise
    if password is None or args.password_stdin:
        raise Failure(
            f"the password is for one use: choose another first, with `wephone password --user {args.user}`"
        )
    say(words("one use", tongue))
    chosen = await choose_password(args, password, tongue)
    return await stack.enter_async_context(client(args, chosen, None, device, **wishes))


async def choose_password(args: argparse.Namespace, old: str, tongue: str) -> str:
    """Ask a terminal for another password until the server takes it."""
    async with Server(args.server) as server:
        while True:
            new = new_password(args.user, tongue)
            try:
                await server.change_password(args.user, old, new, label())
            except SignInRefused as refused:
                if refused.code != BAD_PASSWORD:
                    raise
                say(str(refused))
            else:
                return new


def new_password(user: str, tongue: str) -> str:
    """What a person has typed twice."""
    from getpass import getpass

    while True:
        new = getpass(words("new password", tongue, user=user))
        if getpass(words("once more", tongue)) == new:
            return new
        say(words("not alike", tongue))


@asynccontextmanager
async def watched(client: Client, progress: Progress, tongue: str) -> AsyncIterator[None]:
    """Meanwhile, show when the server is lost and found again."""
    task = asyncio.create_task(watch(client, progress, tongue), name="watch the link")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait((task,))


async def watch(client: Client, progress: Progress, tongue: str) -> None:
    """Until the client is closed."""
    async for event in client.events():
        match event:
            case LinkLost():
                progress.note(words("link lost", tongue))
            case Welcome():
                progress.note(words("link back", tongue))
            case Draining(within=within):
                progress.note(words("draining", tongue, within=within))
            case _:
                pass


def client(
    args: argparse.Namespace, password: str | None, token: str | None, device: str, **wishes: bool
) -> Client:
    """The client that these options describe. Failure if the user's name is none. `wishes`: of `Client`."""
    try:
        return Client(
            args.server,
            args.user,
            password=password,
            token=token,
            device=device,
            device_name=label(),
            relay_only=wishes.get("relay_only", False),
            dials=wishes.get("dials", False),
            language="zh-CN" if language() == "zh" else "en",
        )
    except ValueError:
        raise Failure(f"`{args.user}` is not a user's name: letters, digits, `.`, `_`, `-`") from None


def label() -> str:
    """What the account's owner reads in the list of sign-ins and devices."""
    return f"wephone on {os.uname().nodename}"[:64]


def named(args: argparse.Namespace) -> None:
    """Failure unless it was said who signs in."""
    if not args.user:
        raise Failure("say who signs in: --user NAME, or WEPHONE_USER")


def typed_password(user: str) -> str:
    """The password, from a terminal."""
    from getpass import getpass

    return getpass(f"Password of {user}: ")


def password_line() -> str:
    """The next password on stdin."""
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise Failure("there is no password on stdin")
    return password


def secret(args: argparse.Namespace) -> tuple[str | None, str | None]:
    """Password and token, of which one is None. Failure names what is missing or wrong."""
    named(args)
    if args.password_stdin:
        return password_line(), None
    if args.token_file is not None:
        try:
            token = args.token_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Failure(f"cannot read the token file `{args.token_file}`: {reason(error)}") from None
        if not token:
            raise Failure(f"the token file `{args.token_file}` is empty")
        return None, token
    if token := os.environ.get("WEPHONE_TOKEN", ""):
        return None, token
    if sys.stdin.isatty():
        return typed_password(args.user), None
    raise Failure("say how to sign in: --password-stdin, --token-file FILE, or WEPHONE_TOKEN")


def reason(error: Exception) -> str:
    """What the system says, without its number and path."""
    return (getattr(error, "strerror", None) or str(error)).lower()


def state_folder() -> Path:
    """Where the softphone keeps what it must remember (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "wephone"


def device_id(server: str, user: str) -> str:
    """This installation's id for this user there, kept so that texts arrive once; a new one if it cannot be.

    Two programs that run at once are two devices: each holds the lock of the id it uses.
    """
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"{server.rstrip('/')}#{user}")
    try:
        state_folder().mkdir(parents=True, exist_ok=True)
        for number in range(MOST_AT_ONCE):
            found = locked_id(state_folder() / f"device-{name}-{number}")
            if found is not None:
                return found
    except OSError:
        pass  # a read-only home: this run is a device of its own
    return str(uuid.uuid4())


def locked_id(path: Path) -> str | None:
    """The id in this file, made if there is none; None if another program uses it now."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    _locks.append(file)  # until this program ends
    try:
        return str(DeviceId.parse(os.read(file, LONGEST).decode("ascii", "replace").strip()))
    except ValueError:
        made = str(uuid.uuid4())
        os.truncate(file, 0)
        os.pwrite(file, f"{made}\n".encode(), 0)
        return made
