"""`wephone trunk`: the carriers' lines: how they are, and what is wrong with one."""

import argparse
import asyncio
from typing import Any
from urllib.parse import quote

from wephone.cli import operating
from wephone.cli.operating import OperatorApi
from wephone.cli.output import Failure, print_json

MARKS = {True: "yes", False: "NO ", None: "-  "}


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "trunk",
        help="list the trunks, and find out what is wrong with one",
        description="Shows the carriers' lines that this server has (setting `trunks`).",
        epilog="Exit code 0 when done, 1 with the reason on stderr, or if what was tried has a fault.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listed = actions.add_parser("list", help="how the trunks of the running server are")
    operating.add_options(listed)
    unconfirmed = actions.add_parser(
        "unconfirmed", help="legs whose end no carrier has confirmed: it may still charge them"
    )
    operating.add_options(unconfirmed)
    settle = actions.add_parser(
        "settle", help="say that the carrier has confirmed such a leg's end after all"
    )
    settle.add_argument("leg", metavar="LEG")
    settle.add_argument("--why", metavar="TEXT", required=True, help="enters the journal")
    operating.add_options(settle)
    test = actions.add_parser(
        "test", help="try a trunk out from this machine, without a call, and say what is wrong with it"
    )
    test.add_argument("name", metavar="NAME", nargs="?", help="one of them; all, if none is named")
    operating.add_options(test)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Carry the action out."""
    if args.action == "test":
        return asyncio.run(test(args))

    async def work(api: OperatorApi) -> int:
        if args.action == "settle":
            return await settle(args, api)
        path = "trunks" if args.action == "list" else "telephone/unconfirmed"
        answer = await api.request("GET", f"/api/operator/{path}")
        if args.json:
            print_json(answer)
        else:
            for line in (
                map(trunk_line, answer["trunks"]) if "trunks" in answer else map(leg_line, answer["legs"])
            ):
                print(line)
        return 0

    return operating.run(args, work)


async def settle(args: argparse.Namespace, api: OperatorApi) -> int:
    """Take a leg off the list of those that no carrier has confirmed."""
    leg = quote(args.leg, safe="")
    await api.request("POST", f"/api/operator/telephone/unconfirmed/{leg}/settle", {"why": args.why})
    if args.json:
        print_json({"leg": args.leg, "settled": True})
    else:
        print(f"{args.leg} is settled")
    return 0


def trunk_line(trunk: dict[str, Any]) -> str:
    """One trunk on one line."""
    trouble = f"  {trunk['trouble']}" if trunk["trouble"] else ""
    return f"{trunk['name']:32}  {trunk['health']:8}{trunk['calls']} of {trunk['most_calls']} calls{trouble}"


def leg_line(leg: dict[str, Any]) -> str:
    """One leg on one line."""
    return f"{leg['leg']}  trunk {leg['trunk']}, account {leg['account']}: {leg['cause']}"


async def test(args: argparse.Namespace) -> int:
    """From this machine, by the settings."""
    from signaling.app.telephony import sip_tls
    from signaling.clock import SystemClock
    from signaling.pstn.trial import tried
    from signaling.pstn.trunk_file import TrunkError, signed_in

    settings = operating.settings_of(args)
    if settings.trunks is None:
        raise Failure("there is no trunk: the setting `trunks` names no file")
    try:
        trunks = signed_in(settings.trunks)
    except TrunkError as error:
        raise Failure(str(error)) from None
    if not trunks:
        raise Failure(f"{settings.trunks}: there is no trunk in it: each is a table [trunks.NAME]")
    if args.name is not None and args.name not in trunks:
        raise Failure(f"there is no trunk `{args.name}`: there are {', '.join(trunks)}")
    found = {}
    for name, (trunk, credentials) in trunks.items():
        if args.name in (None, name):
            host = settings.sip_listen.host
            found[name] = await tried(SystemClock(), name, trunk, credentials, sip_tls(settings), host)
    if args.json:
        steps = {
            name: [{"step": each.step, "ok": each.ok, "text": each.text} for each in findings]
            for name, findings in found.items()
        }
        print_json({"trunks": [{"name": name, "steps": steps[name]} for name in found]})
    else:
        for name, findings in found.items():
            print(name)
            for each in findings:
                print(f"  {MARKS[each.ok]} {each.step:11} {each.text}")
    return int(any(each.ok is False for findings in found.values() for each in findings))
