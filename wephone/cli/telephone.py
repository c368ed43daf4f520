"""`wephone user entitle`: who may call telephones and how much, granted or taken back by an operator."""

import argparse
from typing import Any

from wephone.cli.operating import OperatorApi
from wephone.cli.output import time_of

LIMITS = {
    "concurrent-calls": "calls at once (2)",
    "calls-per-hour": "calls begun within an hour (20)",
    "minutes-per-day": "minutes of 24 hours, all calls together (60)",
    "call-minutes": "minutes of one call (60)",
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """What is granted; without any of these the command shows what the account may do and has used."""
    group = parser.add_argument_group("what is granted")
    group.add_argument(
        "--country",
        metavar="CC",
        action="append",
        default=[],
        help="a country that may be called: ISO 3166-1, as in DE; 001 for numbers of none. May be repeated; "
        "all others are closed",
    )
    for name, text in LIMITS.items():
        group.add_argument(f"--{name}", metavar="N", type=int, help=text)
    group.add_argument("--off", action="store_true", help="it may call no telephone any more")
    parser.set_defaults(usage_error=parser.error)


async def carry_out(args: argparse.Namespace, api: OperatorApi) -> dict[str, Any]:
    """Grant what was given, take it back, or ask what there is."""
    path = f"/api/operator/accounts/{args.name}/telephone"
    named = [name.replace("-", "_") for name in LIMITS]
    limits = {name: value for name in named if (value := getattr(args, name)) is not None}
    if args.off:
        if args.country or limits:
            args.usage_error("--off goes with nothing else")
        return await api.request("DELETE", path)
    if args.country:
        return await api.request("PUT", path, {"countries": args.country, **limits})
    if limits:
        args.usage_error("say which countries: --country")
    return await api.request("GET", path)


def tell(answer: dict[str, Any]) -> None:
    """What the account may do, and what it has used of that."""
    granted, used = answer["granted"], answer["used"]
    if granted is None:
        print(f"{answer['name']} may not call telephones")
        return
    print(f"{answer['name']} may call telephones, granted by {answer['by']}, {time_of(answer['at'])}")
    print(f"countries        {', '.join(granted['countries'])}")
    print(f"calls at once    {used['calls']} of {granted['concurrent_calls']}")
    print(f"calls an hour    {used['calls_of_hour']} of {granted['calls_per_hour']}")
    print(f"minutes a day    {used['seconds_of_day'] // 60} of {granted['minutes_per_day']}")
    print(f"minutes a call   {granted['call_minutes']}")
