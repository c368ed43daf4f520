"""`wephone message USER TEXT`: write to a user, who may be offline."""

import argparse

from wephone.cli import account
from wephone.cli.conversation import explain, refusal_json
from wephone.cli.output import Failure, Progress, language, print_json, say
from wephone.cli.words import words
from wephone.errors import MessageFailed
from wephone.protocol.reasons import error_text


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "message",
        help="write to a user",
        description="Write to a user. Done when the server has stored the text.",
        epilog="The operator of the server can read stored texts.",
    )
    parser.add_argument("to", metavar="USER", help="a user's name")
    parser.add_argument("text", metavar="TEXT", help="what to write, at most 4096 characters")
    parser.add_argument("--json", action="store_true", help="print the outcome as one JSON document, last")
    account.add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Send it."""
    return account.run(message(args, Progress(to_stderr=args.json), language()))


async def message(args: argparse.Namespace, progress: Progress, tongue: str) -> int:
    """The exit code."""
    async with account.signed_in(args, progress, tongue) as client:
        try:
            accepted = await client.send(args.to, args.text)
        except MessageFailed as failed:
            return tell_failure(failed, args, tongue)
        except ValueError as error:
            raise Failure(str(error)) from None
    progress.shown(words("stored", tongue, peer=args.to))
    if args.json:
        print_json({"message": accepted.message, "to": args.to, "seq": accepted.seq, "at": accepted.at})
    return 0


def tell_failure(failed: MessageFailed, args: argparse.Namespace, tongue: str) -> int:
    """Why the server did not take it."""
    error = failed.error
    text = error.text if tongue == "en" else error_text(error.code, tongue)
    if error.refusal is not None:
        text = error.refusal.text.zh_cn if tongue == "zh" else error.refusal.text.en
    say(f"wephone: {text}")
    if error.refusal is not None:
        explain(error.refusal, tongue)
    if args.json:
        refusal = refusal_json(error.refusal) if error.refusal is not None else None
        print_json({"to": args.to, "error": error.code, "text": text, "refusal": refusal})
    return 1
