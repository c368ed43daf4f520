"""`wephone serve`: runs the server until it is told to stop."""

import argparse
import asyncio
import json
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING

from wephone.cli.output import Failure

if TYPE_CHECKING:
    from signaling.app.server import Server
    from signaling.settings import Settings


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "serve",
        help="run the server",
        description="Runs the server. When it is ready it prints one line: `ready` and a JSON object. "
        "SIGTERM drains it: no new calls, and those that run are waited for.",
        epilog="Exit code 0 when stopped, 1 if it cannot start; the reason is on stderr.",
    )
    parser.add_argument(
        "--config", metavar="FILE", type=Path, help="settings in TOML (WEPHONE_CONFIG); WEPHONE_* win over it"
    )
    parser.add_argument("--settings", action="store_true", help="print every setting, and exit")
    parser.add_argument("--json", action="store_true", help="with --settings: as one JSON document")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve. Failure in one sentence if that cannot be."""
    if args.settings:
        return print_settings(as_json=args.json)
    check_licensing()
    from signaling.configuration import SettingsError, load
    from signaling.logs import log_to
    from signaling.tuning import keep_memory

    try:
        settings = load(args.config)
    except SettingsError as error:
        raise Failure(str(error)) from None
    log_to(level=settings.log_level)
    keep_memory()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(serve(settings))


async def serve(settings: "Settings") -> int:
    """Start, say so, wait for the signal, drain, stop."""
    from signaling.app.errors import StartError
    from signaling.app.server import start
    from signaling.tuning import freeze

    stop = asyncio.Event()
    hurry = asyncio.Event()

    def told() -> None:
        (hurry if stop.is_set() else stop).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told)
    try:
        server = await start(settings)
    except StartError as error:
        raise Failure(str(error)) from None
    try:
        freeze()
        announce(server)
        await stop.wait()
        await first_of(server.drain(), hurry.wait())
    finally:
        await server.close()
    return 0


def announce(server: "Server") -> None:
    """The address, the operator's first password if there is one, and the line for programs."""
    print(f"WePhone {server.ready['version']} is at {server.url}")
    print(f"Operators connect to {server.operator_url}")
    if server.first_password is not None:
        print(f"Operator's account: operator, password for one use: {server.first_password}")
    print(f"ready {json.dumps(server.ready)}", flush=True)


async def first_of(*works: Coroutine[object, object, object]) -> None:
    """Wait for whichever ends first; the others are called off."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def check_licensing() -> None:
    """Another package may have this name: what it would decide is not what the operator's permits say."""
    import licensing

    ours = Path(__file__).resolve().parents[2] / "licensing"
    found = [Path(path).resolve() for path in licensing.__path__]
    if found != [ours]:
        raise Failure(f"the package `licensing` in `{found[0] if found else '?'}` is not WePhone's")


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """uvloop's, where the extra `fast` is installed."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def print_settings(*, as_json: bool) -> int:
    """Every setting, its default and what it is for."""
    from signaling.configuration import listed
    from wephone.cli.output import print_json

    found = listed()
    if as_json:
        print_json({"settings": [setting._asdict() for setting in found]})
    else:
        for setting in found:
            print(f"{setting.name} = {setting.default}\n    {setting.text} ({setting.variable})")
    return 0
