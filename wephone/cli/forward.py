"""`wephone forward`: where one's own calls go on to that do not reach one."""

import argparse
from typing import Any

from wephone.cli import account
from wephone.cli.output import Failure, language, print_json
from wephone.cli.words import words
from wephone.transport import Credentials, Server

PATH = "/api/account/forwarding"
CASES = ("always", "busy", "no_answer")


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "forward",
        help="say where calls go on to that do not reach one",
        description="Say where one's calls go on to, in the place of what was said before; without an "
        "option, show it. WHO is a user's name or a telephone number.",
        epilog="Exit code 0, or 1 with the reason on stderr.",
    )
    account.add_options(parser)
    parser.add_argument("--always", metavar="WHO", help="all calls, without a ring here")
    parser.add_argument("--busy", metavar="WHO", help="calls that a device of one's own says it is busy for")
    parser.add_argument("--no-answer", metavar="WHO", help="calls that nobody answers, or can be reached for")
    parser.add_argument(
        "--after", metavar="SECONDS", type=int, help="of ringing before --no-answer: 5 to 60, else 20"
    )
    parser.add_argument("--off", action="store_true", help="nowhere any more")
    parser.add_argument("--json", action="store_true", help="print one JSON document, last on stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show it, or change it first."""
    said = {case: getattr(args, case) for case in CASES if getattr(args, case) is not None}
    if args.off and said:
        raise Failure("either --off, or where calls go on to")
    if args.after is not None:
        if "no_answer" not in said:
            raise Failure("--after is of --no-answer")
        said["after"] = args.after
    return account.run(forward(args, said if said or args.off else None, language()))


async def forward(args: argparse.Namespace, said: dict[str, Any] | None, tongue: str) -> int:
    """The exit code."""
    password, token = account.secret(args)
    async with Server(args.server) as server:
        bought = None
        if token is None:
            bought = token = await server.sign_in(Credentials(args.user, password), account.label())
        try:
            method = "GET" if said is None else "PUT"
            rules = await server.request(method, PATH, said, token)
        finally:
            if bought is not None:
                await server.sign_out(bought)
    if args.json:
        print_json(rules)
    else:
        show(rules, tongue)
    return 0


def show(rules: dict[str, Any], tongue: str) -> None:
    """A line for each case that has somebody."""
    told = [case for case in CASES if rules[case] is not None]
    for case in told:
        print(words(f"forward {case}", tongue, who=rules[case], after=rules["after"]))
    if not told:
        print(words("forward nowhere", tongue))
