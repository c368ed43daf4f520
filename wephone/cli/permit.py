"""`wephone permit`: the operator's telecom permits, and what is switched off beside them."""

import argparse
import json
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from wephone.cli import operating, permit_file, what_if
from wephone.cli.evidence import hash_of
from wephone.cli.operating import OperatorApi, Refused
from wephone.cli.output import Failure, print_json, say, time_of

PERMITS, TOGGLES, WAITING = "/api/operator/permits", "/api/operator/toggles", "/api/operator/waiting"
TELEPHONE = "/api/operator/telephone"
LARGEST = 64 * 1024  # bytes of a permit's file


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "permit",
        help="keep the operator's telecom permits",
        description="Keeps the operator's telecom permits. A change is in force for the next call when the "
        "command ends. On the running server, or in its database when none runs.",
        epilog="Exit code 0 when done, 1 with the reason on stderr.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    register_add(actions)
    action(actions, "list", "all permits, toggles, and what waits for a second operator", why=False)
    action(actions, "show", "one permit with all its versions", "ID", why=False)
    suspend = action(actions, "suspend", "suspend a permit, from now until it is lifted", "ID")
    add_window(suspend)
    suspend.add_argument("--to", dest="end", metavar="TIME", type=moment, help="when it ends by itself")
    revoke = action(actions, "revoke", "end a permit for good", "ID")
    add_window(revoke)
    revoke.add_argument("--surrendered", action="store_true", help="the operator has given it back")
    action(actions, "reinstate", "lift a suspension; a second operator has to ask for the same", "ID")
    register_toggle(actions)
    action(actions, "withdraw", "take back what waits for a second operator", "KEY")
    permit_file.register(actions)
    what_if.register(actions, moment, toggling)


def register_add(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`permit add`."""
    add = action(
        actions, "add", "file a permit, or its next version, from a JSON file or stdin (`-`)", "FILE"
    )
    add.add_argument("--verified-by", metavar="NAME", help="who checked the permit against the evidence")
    add.add_argument("--evidence", metavar="FILE", type=Path, help="what was looked at; its SHA-256 is kept")
    add.add_argument("--register-address", metavar="URL", help="the permit's entry in a public register")
    add.set_defaults(usage_error=add.error)


def register_toggle(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`permit toggle`."""
    toggle = action(
        actions,
        "toggle",
        "switch kinds of calls off, or on again as far as permits allow: a service class (`pstn_out`), a "
        "jurisdiction (`CN`), a region (`CN-BJ`), a class there (`CN:pstn_out`), everything (`*`), or a name "
        "for what the options say",
        "SCOPE",
    )
    toggle.add_argument("state", choices=("on", "off", "remove"))
    toggle.add_argument(
        "--service", dest="services", action="append", metavar="CLASS", default=[], help="may be repeated"
    )
    toggle.add_argument(
        "--jurisdiction", dest="jurisdictions", action="append", metavar="CODE", default=[], help="likewise"
    )
    toggle.add_argument(
        "--region",
        dest="regions",
        action="append",
        metavar="CODE",
        default=[],
        help="likewise, ISO 3166-2; a leg of that country without a known region counts as being there",
    )
    toggle.set_defaults(usage_error=toggle.error)


def action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    text: str,
    *arguments: str,
    why: bool = True,
) -> argparse.ArgumentParser:
    """The parser of one action."""
    parser = actions.add_parser(name, help=text, description=f"{text[:1].upper()}{text[1:]}.")
    for argument in arguments:
        parser.add_argument(argument.lower(), metavar=argument)
    if why:
        operating.add_why(parser)
    operating.add_options(parser)
    parser.set_defaults(run=run)
    return parser


def add_window(parser: argparse.ArgumentParser) -> None:
    """When something began, and under which reference."""
    parser.add_argument(
        "--from", dest="start", metavar="TIME", type=moment, help="since when; now if not said"
    )
    parser.add_argument("--reference", metavar="TEXT", help="the regulator's reference")


def moment(text: str) -> str:
    """A time with its offset, as argparse takes it."""
    try:
        aware = datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        aware = False
    if not aware:
        raise argparse.ArgumentTypeError(f"`{text}` is no time with an offset, such as 2026-11-30T16:00:00Z")
    return text


def run(args: argparse.Namespace) -> int:
    """Carry the action out."""
    prepare = {"add": filing, "toggle": toggling}.get(args.action)
    body = None if prepare is None else prepare(args)

    async def work(api: OperatorApi) -> int:
        answer = await carry_out(args, api, body)
        if args.json:
            print_json(answer)
        else:
            tell(args, answer)
        return 0

    return operating.run(args, work)


async def carry_out(
    args: argparse.Namespace, api: OperatorApi, body: dict[str, Any] | None
) -> dict[str, Any]:
    """Ask the server; what it answers, as the command's JSON."""
    match args.action:
        case "add":
            try:
                return await api.request("POST", PERMITS, body)
            except Refused as refused:
                raise Failure(f"{named(args.file)}: {refused}") from None
        case "list":
            return await everything(api)
        case "show":
            at = in_path(PERMITS, args.id)
            return {**await api.request("GET", at), **await api.request("GET", f"{at}/versions")}
        case "toggle" if args.state == "remove":
            await api.request("DELETE", in_path(TOGGLES, args.scope), query={"why": args.why})
            return {"key": args.scope, "removed": True}
        case "toggle":
            return await api.request("PUT", in_path(TOGGLES, args.scope), body)
        case "withdraw":
            await api.request("DELETE", in_path(WAITING, args.key), query={"why": args.why})
            return {"key": args.key, "withdrawn": True}
        case _:
            return await api.request("POST", f"{in_path(PERMITS, args.id)}/{args.action}", event(args))


async def everything(api: OperatorApi) -> dict[str, Any]:
    """All that decides which calls may be made."""
    return {
        **await api.request("GET", PERMITS),
        **await api.request("GET", TOGGLES),
        "telephone": {"on": (await api.request("GET", TELEPHONE))["on"]},
        **await api.request("GET", WAITING),
    }


def event(args: argparse.Namespace) -> dict[str, Any]:
    """What happened to a permit, as the server takes it."""
    body = {
        "why": args.why,
        "from": getattr(args, "start", None),
        "to": getattr(args, "end", None),
        "reference": getattr(args, "reference", None),
        "status": "surrendered" if getattr(args, "surrendered", False) else None,
    }
    return {key: value for key, value in body.items() if value is not None}


def in_path(collection: str, key: str) -> str:
    return f"{collection}/{quote(key, safe='')}"


# Filing


def filing(args: argparse.Namespace) -> dict[str, Any]:
    """The permit in the file, with the check of it. Failure names file, path and value."""
    from licensing.documents import ChangeError, read_permit

    looked_at = args.evidence is not None or args.register_address is not None
    if looked_at != (args.verified_by is not None):
        args.usage_error("--verified-by NAME goes with --evidence FILE or --register-address URL")
    text = read_document(args.file)
    try:
        read_permit(text)
    except ChangeError as error:
        raise Failure(f"{named(args.file)}: {error}") from None
    body: dict[str, Any] = {"permit": json.loads(text), "why": args.why}
    if looked_at:
        body["checked"] = {"by": args.verified_by}
        if args.evidence is not None:
            body["checked"]["sha256"] = hash_of(args.evidence)
        if args.register_address is not None:
            body["checked"]["register_address"] = args.register_address
    return body


def read_document(file: str) -> bytes:
    """The bytes of the file, or of stdin."""
    try:
        if file == "-":
            return sys.stdin.buffer.read(LARGEST + 1)
        with Path(file).open("rb") as opened:
            return opened.read(LARGEST + 1)
    except OSError as error:
        raise Failure(f"cannot read `{file}`: {(error.strerror or str(error)).lower()}") from None


def named(file: str) -> str:
    """The file, as an error says it."""
    return "stdin" if file == "-" else file


# Toggles


def toggling(args: argparse.Namespace) -> dict[str, Any] | None:
    """The toggle that is meant. What the scope names by itself need not be said in options."""
    from licensing.classify import ServiceClass

    classes = [each.value for each in ServiceClass]
    services, jurisdictions, regions = args.services, args.jurisdictions, args.regions
    if not services and not jurisdictions and not regions and args.scope != "*":
        place, _, service = args.scope.rpartition(":")
        if service not in classes:
            place, service = args.scope, ""
        services = [service] if service else []
        if re.fullmatch("[A-Z]{2}-[A-Z0-9]{1,3}", place):
            regions = [place]
        elif re.fullmatch("[A-Z]{2}", place) or (place and service):
            jurisdictions = [place]
        elif not service and args.state != "remove":
            args.usage_error(
                f"`{args.scope}` is neither a service class nor a country nor a region: say what it is about "
                f"by --service, --jurisdiction or --region, or name one of {', '.join(classes)}"
            )
    unknown = [service for service in services if service not in classes]
    if unknown:
        args.usage_error(f"there is no service class `{unknown[0]}`: there are {', '.join(classes)}")
    return {
        "why": args.why,
        "enabled": args.state == "on",
        "services": services,
        "jurisdictions": jurisdictions,
        "regions": regions,
    }


# For a person


def tell(args: argparse.Namespace, answer: dict[str, Any]) -> None:
    """What was done, in words."""
    match args.action:
        case "list":
            tell_everything(answer)
        case "show":
            print(permit_line(answer))
            tell_warnings(answer)
            for version in answer["versions"]:
                print(f"  version {version['version']} by {version['by']} at {time_of(version['at'])}")
            print(json.dumps(answer["permit"], indent=2, ensure_ascii=False))
        case "toggle" if args.state == "remove":
            print(f"{answer['key']} is removed")
        case "toggle":
            print(toggle_line(answer))
        case "withdraw":
            print(f"{answer['key']} is withdrawn")
        case "reinstate" if not answer["done"]:
            tell_waiting(answer["waiting"], f"wephone permit reinstate {args.id} --as OPERATOR")
        case "reinstate":
            print(permit_line(answer["permit"]))
        case _:
            print(permit_line(answer))
            tell_warnings(answer)


def tell_everything(answer: dict[str, Any]) -> None:
    """The list."""
    for filed in answer["permits"]:
        print(permit_line(filed))
        tell_warnings(filed)
    if not answer["permits"]:
        print("there is no permit: no telephone call is allowed that needs one")
    for toggle in answer["toggles"]:
        print(toggle_line(toggle))
    if fault := answer["file"]["fault"]:
        print(f"the permit file was not taken, and what was in force stays: {fault}")
    for code in answer["profiles_past_review"]:
        print(f"the profile {code} was not reviewed in time; it keeps deciding")
    if not answer["telephone"]["on"]:
        print("telephone calls are switched off (wephone pstn on)")
    for waiting in answer["waiting"]:
        print(
            f"waits for a second operator: {waiting['key']}, asked for by {waiting['by']}: {waiting['why']}"
        )


def permit_line(filed: dict[str, Any]) -> str:
    """One permit on one line."""
    permit = filed["permit"]
    until = permit["valid_until"] or "no end stated"
    left = filed["days_left"]
    return "  ".join(
        [
            f"{permit['id']}@{permit['version']}",
            ", ".join(permit["categories"]),
            filed["standing"].replace("_", " "),
            f"{permit['valid_from']} to {until}"
            + ("" if left is None or left < 0 else f" ({left} days left)"),
            "verified" if permit["verified"] else "not verified",
        ]
    )


def toggle_line(toggle: dict[str, Any]) -> str:
    """One toggle on one line."""
    what = ", ".join(toggle["services"]) or "every service class"
    where = ", ".join([*toggle["jurisdictions"], *toggle["regions"]]) or "everywhere"
    state = "on, as far as permits allow" if toggle["enabled"] else "off"
    return f"toggle {toggle['key']}: {what}, {where}: {state}"


def tell_warnings(filed: dict[str, Any]) -> None:
    """On stderr: they are for a person, and `--json` has them."""
    for warning in filed["warnings"]:
        say(f"warning: {filed['permit']['id']}: {warning}")


def tell_waiting(waiting: dict[str, Any], command: str) -> None:
    """That a second operator has to agree, and how."""
    print(f"asked for; a second operator has to ask for the same before {time_of(waiting['until'])}:")
    print(f"  {command}")
