"""`wephone user facts`: what is known about an account's holder, shown or recorded by an operator."""

import argparse
from pathlib import Path
from typing import Any

from wephone.cli.evidence import hash_of
from wephone.cli.operating import OperatorApi
from wephone.cli.output import printable, time_of

TAKEN_BACK = ("residence", "identity", "emergency-address")


def add_options(parser: argparse.ArgumentParser) -> None:
    """What was verified; without any of these the command shows what is known."""
    group = parser.add_argument_group("what was verified")
    group.add_argument("--country", metavar="CC", help="where the holder lives: ISO 3166-1, as in CN")
    group.add_argument(
        "--subdivision", metavar="CC-X", help="the part of that country: ISO 3166-2, as in CN-BJ"
    )
    group.add_argument("--identity", choices=("verified", "failed"), help="what came of checking who it is")
    group.add_argument("--emergency-country", metavar="CC", help="the country of the address for help")
    group.add_argument("--emergency-address", metavar="TEXT", help="where help would have to come to")
    group.add_argument(
        "--add-number", metavar="NUMBER", action="append", default=[], help="a number of the holder's: E.164"
    )
    group.add_argument(
        "--remove-number", metavar="NUMBER", action="append", default=[], help="a number that is not any more"
    )
    group.add_argument(
        "--unknown",
        choices=TAKEN_BACK,
        action="append",
        default=[],
        help="take back what was verified, so that it is unknown, or as the holder declares",
    )
    group.add_argument("--note", metavar="TEXT", help="how it was verified")
    group.add_argument(
        "--evidence", metavar="FILE", type=Path, help="what was looked at; its SHA-256 is kept"
    )


async def carry_out(args: argparse.Namespace, api: OperatorApi) -> dict[str, Any]:
    """Record what was given, or ask what is known."""
    path = f"/api/operator/accounts/{args.name}/facts"
    body = body_of(args)
    return await api.request("PATCH", path, body) if body else await api.request("GET", path)


def body_of(args: argparse.Namespace) -> dict[str, Any]:
    """What was verified, as the server takes it; empty if nothing was."""
    body: dict[str, Any] = {name.replace("-", "_"): None for name in args.unknown}
    if args.subdivision and not args.country:
        args.usage_error("--subdivision goes with --country")
    if bool(args.emergency_country) != bool(args.emergency_address):
        args.usage_error("--emergency-country goes with --emergency-address")
    if args.country:
        body["residence"] = {"country": args.country, "subdivision": args.subdivision}
    if args.identity:
        body["identity"] = args.identity
    if args.emergency_address:
        body["emergency_address"] = {"country": args.emergency_country, "text": args.emergency_address}
    for name in ("add_number", "remove_number"):
        if numbers := getattr(args, name):
            body[f"{name}s"] = numbers
    if not body and (args.note or args.evidence):
        args.usage_error("--note and --evidence go with what was verified")
    if body and args.note:
        body["note"] = args.note
    if body and args.evidence:
        body["evidence"] = hash_of(args.evidence)
    return body


def tell(known: dict[str, Any]) -> None:
    """What decisions go by, and who says so."""
    said = known["said"]
    home, address = known["residence"], known["emergency_address"]
    print(f"residence          {place(home)}{source(said, home, 'residence')}")
    identity = said.get("verified", {}).get("identity")
    print(f"identity           {known['identity']}{'' if identity is None else by(identity['said'])}")
    where = "unknown" if address is None else f"{address['country']}: {printable(address['text'])}"
    print(f"emergency address  {where}{source(said, address, 'emergency_address')}")
    if not known["numbers"]:
        print("numbers            none")
    for owned in said.get("numbers", ()):
        print(f"number             {owned['number']}{by(owned['said'])}")
    for past in known.get("history", ()):
        what = "erased" if past["said"] is None else ", ".join(named(past["said"]))
        print(f"{time_of(past['at'])}  {past['entry']}  {what}")


def named(said: dict[str, Any]) -> list[str]:
    """What a statement was about."""
    return [*said["words"], *(name for name in ("add_numbers", "remove_numbers") if said[name])]


def place(home: dict[str, Any] | None) -> str:
    """Country and part of it."""
    if home is None:
        return "unknown"
    return (
        f"{home['country']}" if home["subdivision"] is None else f"{home['country']} ({home['subdivision']})"
    )


def source(said: dict[str, Any], counting: dict[str, Any] | None, name: str) -> str:
    """Who says the thing that counts."""
    return "" if counting is None else by(said[counting["basis"]][name]["said"], counting["basis"])


def by(said: dict[str, Any], basis: str = "verified") -> str:
    """Who, when and on what."""
    note = f": {printable(said['note'])}" if said.get("note") else ""
    return f"  {basis} by {said['by']}, {time_of(said['at'])}{note}"
