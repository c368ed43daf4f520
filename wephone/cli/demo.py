"""`wephone demo`: a call from end to end, heard and scored, and a telephone call that obeys its permit.

It has a server of its own in a temporary folder, so that it leaves no trace in an operator's journal.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

from wephone.cli import account
from wephone.cli.demonstration import Demonstration
from wephone.cli.output import Failure, Progress, language, print_json
from wephone.errors import WePhoneError
from wephone.sound import StartSound, start_sound

WITHIN = 120.0  # seconds for all of it; it takes about fifteen


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "demo",
        help="show a call from end to end, heard and scored, and a refused one",
        description="Two headless peers call each other on a server of their own; what each heard is scored. "
        "Then one dials a telephone number, which no permit covers; with a permit the telephone answers and "
        "is heard, and when that is suspended the call is cut.",
        epilog="Exit code 0 if all that is shown is so, else 1.",
    )
    parser.add_argument("--json", action="store_true", help="print all figures as one JSON document, last")
    parser.add_argument(
        "--record", metavar="DIR", type=Path, help="keep what was said and heard, as WAV files and a PNG"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show it."""
    return account.run(demo(args, Progress(to_stderr=args.json), language()))


async def demo(
    args: argparse.Namespace,
    progress: Progress,
    tongue: str,
    *,
    start_sound: StartSound = start_sound,
    within: float = WITHIN,
) -> int:
    """The exit code: 0 if all that was shown is so. A test may bring other media, and less patience."""
    if args.record is not None:
        try:
            make_folder(args.record)
        except Failure as failure:
            if args.json:
                print_json({"ok": False, "error": str(failure)})
            raise
    demonstration = Demonstration(progress, tongue, start_sound)
    try:
        async with asyncio.timeout(within):
            await demonstration.run()
    except TimeoutError:
        demonstration.check("in time", False, seconds=within)
    except WePhoneError as error:
        demonstration.check("went on", False, why=error)
    recorded = demonstration.keep(args.record) if args.record is not None else []
    demonstration.tell_result()
    if args.json:
        print_json({**demonstration.as_json(), "recorded": recorded})
    return 0 if demonstration.good else 1


def make_folder(path: Path) -> None:
    """Where the recordings go. Failure if they cannot, before anybody has waited for a call."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(f"`{path}` cannot be made: {account.reason(error)}") from None
    try:
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise Failure(f"nothing can be written to `{path}`: {account.reason(error)}") from None
