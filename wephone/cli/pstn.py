"""`wephone pstn on|off`: the panic switch for telephone calls."""

import argparse

from wephone.cli import operating
from wephone.cli.operating import OperatorApi
from wephone.cli.output import print_json
from wephone.cli.permit import TELEPHONE, tell_waiting


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "pstn",
        help="switch telephone calls on or off at once",
        description="Switches telephone calls off at once, all but emergency calls, now and after a restart; "
        "or on again, as far as permits allow, once two operators have asked for it.",
        epilog="Exit code 0 when done or asked for, 1 with the reason on stderr.",
    )
    parser.add_argument("state", choices=("on", "off"))
    operating.add_why(parser)
    operating.add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Switch, and say what is so now."""

    async def work(api: OperatorApi) -> int:
        answer = await api.request("PUT", TELEPHONE, {"on": args.state == "on", "why": args.why})
        if args.json:
            print_json(answer)
        elif answer["waiting"] is not None:
            tell_waiting(answer["waiting"], "wephone pstn on --as OPERATOR")
        else:
            now = "on, as far as permits allow" if answer["on"] else "off, but for emergency calls"
            print(f"telephone calls are {now}")
        return 0

    return operating.run(args, work)
