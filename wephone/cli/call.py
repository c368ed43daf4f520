"""`wephone call USER`: call a user or a telephone number and talk, or say a file and keep what is heard."""

import argparse

from wephone.cli import account, devices
from wephone.cli.conversation import Conversation
from wephone.cli.output import Progress, language, print_json
from wephone.cli.words import words
from wephone.media import keys


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "call",
        help="call a user or a telephone number",
        description="Call a user or a telephone number. Ctrl-C hangs up.",
        epilog="Exit code 0 if the call was answered and hung up, 1 if not, with the reason on stderr.",
    )
    parser.add_argument(
        "to", metavar="USER", help="a user's name, or a telephone number with its +country code"
    )
    devices.add_options(parser)
    parser.add_argument(
        "--press",
        metavar="KEYS",
        type=keys_of,
        help="once you can hear each other, send these keys: 0-9 * # A-D; a comma waits a second",
    )
    account.add_relay_option(parser)
    parser.add_argument("--json", action="store_true", help="print what happened as one JSON document, last")
    account.add_options(parser)
    parser.set_defaults(run=run)


def keys_of(text: str) -> str:
    """`--press`, if a telephone has these keys."""
    try:
        keys.check(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def run(args: argparse.Namespace) -> int:
    """Call, talk, hang up."""
    devices.check(args.play, args.record)
    return account.run(call(args, Progress(to_stderr=args.json), language()))


async def call(args: argparse.Namespace, progress: Progress, tongue: str) -> int:
    """The exit code; what happened is on the screen, the reason of a failure on stderr."""
    source, sink, missing = devices.ends(args.play, args.record, tongue)
    async with account.signed_in(args, progress, tongue, calls=True) as client:
        progress.line(words("placing", tongue, peer=args.to))
        placed = client.place(args.to, source=source, sink=sink)
        conversation = Conversation(placed, progress, tongue, missing)
        await conversation.hold(until_said=args.play is not None, press=args.press)
    conversation.tell_end()
    recorded = str(args.record) if args.record is not None and conversation.answered else None
    if recorded is not None:
        progress.note(words("recorded", tongue, path=recorded))
    if args.json:
        print_json({**conversation.as_json(), "recorded": recorded})
    return 0 if conversation.went_well else 1
