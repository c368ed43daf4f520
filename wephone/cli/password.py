"""`wephone password`: change one's own password, the one for one use among them."""

import argparse
import sys

from wephone.cli import account
from wephone.cli.output import Failure, language, print_json
from wephone.cli.words import words
from wephone.transport import Server


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "password",
        help="change one's own password",
        description="Change one's own password. Every session of the account ends.",
        epilog="Exit code 0 when it is changed, 1 with the reason on stderr.",
    )
    account.add_who(parser).add_argument(
        "--password-stdin",
        action="store_true",
        help="read the old and the new password from stdin, two lines",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document, last on stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Change it."""
    account.named(args)
    return account.run(change(args, language()))


async def change(args: argparse.Namespace, tongue: str) -> int:
    """The exit code."""
    if args.password_stdin:
        old, new = account.password_line(), account.password_line()
        async with Server(args.server) as server:
            await server.change_password(args.user, old, new, account.label())
    elif sys.stdin.isatty():
        await account.choose_password(args, account.typed_password(args.user), tongue)
    else:
        raise Failure("say the passwords: --password-stdin with two lines, or a terminal")
    if args.json:
        print_json({"name": args.user})
    else:
        print(words("password changed", tongue, user=args.user))
    return 0
