"""`wephone user`: accounts, by an operator."""

import argparse
import json
from typing import Any
from urllib.parse import urlencode

from wephone.cli import facts, operating, telephone
from wephone.cli.account import password_line
from wephone.cli.operating import OperatorApi
from wephone.cli.output import print_json, time_of

ACCOUNTS = "/api/operator/accounts"
AT_ONCE = 1_000  # accounts of a page


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "user",
        help="add, list, disable, reset, export and delete accounts",
        description="Keeps the accounts: on the running server, or in its database when none runs.",
        epilog="Exit code 0 when done, 1 with the reason on stderr.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = action(
        actions, "add", "open an account; without --password-stdin its password is for one use", "NAME"
    )
    role = add.add_mutually_exclusive_group()
    role.add_argument("--operator", dest="is_operator", action="store_true", help="it may operate the server")
    role.add_argument(
        "--auditor", action="store_true", help="it may read what operators see, and change nothing"
    )
    password_option(add)
    action(actions, "list", "all accounts")
    action(actions, "disable", "sign an account out and let it in no more", "NAME")
    action(actions, "enable", "let a disabled account in again", "NAME")
    action(actions, "delete", "close an account for good; its name is not given to anybody else", "NAME")
    action(actions, "export", "everything that is held about an account, as JSON", "NAME")
    reset = action(actions, "reset-password", "give an account a password for one use", "NAME")
    password_option(reset)
    known = action(actions, "facts", "show or record what is known about an account's holder", "NAME")
    facts.add_options(known)
    known.set_defaults(usage_error=known.error)
    telephone.add_options(
        action(actions, "entitle", "let an account call telephones, within limits, or no more", "NAME")
    )
    action(actions, "invite", "make a link by which one person may open an account")
    parser.set_defaults(run=run)


def action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str, *arguments: str
) -> argparse.ArgumentParser:
    """The parser of one action."""
    parser = actions.add_parser(name, help=text, description=f"{text[:1].upper()}{text[1:]}.")
    for argument in arguments:
        parser.add_argument(argument.lower(), metavar=argument)
    operating.add_options(parser)
    return parser


def password_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--password-stdin", action="store_true", help="read the password from stdin, one line"
    )


def run(args: argparse.Namespace) -> int:
    """Carry the action out."""

    async def work(api: OperatorApi) -> int:
        tell(args, await carry_out(args, api))
        return 0

    return operating.run(args, work)


async def carry_out(args: argparse.Namespace, api: OperatorApi) -> dict[str, Any]:
    """Ask the server; what it answers, as the command's JSON."""
    match args.action:
        case "add":
            role = {"operator": args.is_operator, "auditor": args.auditor}
            answer = await api.request("POST", ACCOUNTS, {"name": args.name, **role, **given_password(args)})
            return {**answer, **role}
        case "list":
            return {"accounts": await listed(api)}
        case "disable" | "enable":
            disabled = args.action == "disable"
            await api.request("PATCH", f"{ACCOUNTS}/{args.name}", {"disabled": disabled})
            return {"name": args.name, "disabled": disabled}
        case "delete":
            await api.request("DELETE", f"{ACCOUNTS}/{args.name}")
            return {"name": args.name, "deleted": True}
        case "export":
            return await api.request("POST", f"{ACCOUNTS}/{args.name}/export")
        case "facts":
            return await facts.carry_out(args, api)
        case "entitle":
            return await telephone.carry_out(args, api)
        case "reset-password":
            return await api.request("POST", f"{ACCOUNTS}/{args.name}/password", given_password(args))
        case _:
            return await api.request("POST", "/api/operator/invitations")


async def listed(api: OperatorApi) -> list[dict[str, Any]]:
    """All accounts, from the server's pages."""
    found: list[dict[str, Any]] = []
    first: str | None = ""
    while first is not None:
        page = await api.request("GET", f"{ACCOUNTS}?{urlencode({'first': first, 'limit': AT_ONCE})}")
        found += page["accounts"]
        first = page["next"]
    return found


def given_password(args: argparse.Namespace) -> dict[str, str]:
    """The password on stdin, if one was announced."""
    if not args.password_stdin:
        return {}
    return {"password": password_line()}


def tell(args: argparse.Namespace, answer: dict[str, Any]) -> None:
    """For a person, or for a program."""
    if args.json:
        print_json(answer)
        return
    match args.action:
        case "list":
            for account in answer["accounts"]:
                print(account_line(account))
        case "delete":
            print(f"{answer['name']} is deleted")
        case "export":
            print(json.dumps(answer, ensure_ascii=False, indent=2))
        case "facts":
            facts.tell(answer)
        case "entitle":
            telephone.tell(answer)
        case "invite":
            print(f"{answer['link']}\ngood until {time_of(answer['expires_at'])}, for one account")
        case "add" | "reset-password":
            made = answer.get("password")
            how = f"password for one use: {made}" if made else "with the password that was given"
            print(f"{answer['name']}: {how}")
        case _:
            print(f"{answer['name']} is {'disabled' if answer['disabled'] else 'enabled'}")


def account_line(account: dict[str, Any]) -> str:
    """One account on one line."""
    marks = [mark for mark in ("operator", "auditor", "disabled") if account[mark]]
    return "  ".join([f"{account['name']:32}", time_of(account["created_at"]), *marks]).rstrip()
