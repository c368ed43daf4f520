"""`wephone explain DECISION`: why a call was allowed or refused, and is that what the evidence gives?"""

import argparse
from typing import Any
from urllib.parse import quote

from wephone.cli import operating
from wephone.cli.operating import OperatorApi
from wephone.cli.output import language, print_json, say


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "explain",
        help="explain one decision",
        description="Explains one decision: facts, rule, permits, source of law; decides it again from "
        "what was kept, and compares.",
        epilog="Exit code 0 if all agrees; 1 if something was altered or there is no such decision.",
    )
    parser.add_argument("decision", metavar="DECISION", help="the id that a refusal shows: D-...")
    operating.add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Explain. What does not agree is said on stderr."""

    async def work(api: OperatorApi) -> int:
        answer = await api.request("GET", f"/api/operator/decisions/{quote(args.decision, safe='')}")
        for fault in answer["faults"]:
            say(f"wephone: {answer['decision']}: {fault}")
        if args.json:
            print_json(answer)
        else:
            tell(answer)
        return 0 if answer["sound"] else 1

    return operating.run(args, work)


def tell(answer: dict[str, Any]) -> None:
    """For a person."""
    entry = answer["entry"]
    tongue = "zh-CN" if language() == "zh" else "en"
    print(f"{answer['decision']}  {entry.get('utc', '')}")
    print(f"{answer['outcome']}: {answer['reason']}")
    print(f"  {answer['text'][tongue]}")
    print(f"service class  {answer['service']}")
    print(f"jurisdiction   {answer['jurisdiction'] or 'none was asked'}")
    for person in answer["people"]:
        print(f"{person['role']:13}  {person['value'] or person['state']}")
    for place, leg in enumerate(entry["facts"]["legs"], 1):
        print(f"leg {place}          {', '.join(f'{key} {value}' for key, value in leg.items())}")
    if answer["rule"]:
        for reach in ("domestic", "international"):
            print(f"rule           {reach}: {requirement_words(answer['rule'][reach])}")
        print(f"               {answer['rule']['basis']}, confidence {answer['rule']['confidence']}")
        print(f"reach          {answer['reach']}: that half of the rule applied")
    for key in answer["toggles"]:
        print(f"switched off   by the toggle {key}")
    if answer["permit_needed"]:
        print(f"permit needed  {answer['permit_needed']}")
    for permit in answer["permits"]:
        number = f" (number {permit['number']})" if permit["number"] else ""
        print(f"permit         {permit['id']}@{permit['version']}: {', '.join(permit['categories'])}{number}")
    for duty in answer["obligations"]:
        print(f"duty           {duty['code']}: {duty['text']}")
    if answer["uncertain"]:
        print("uncertain      the opposite decision is defensible")
    for key, source in answer["sources"].items():
        print(f"source of law  {key}: {source_words(source)}")
    print(f"profile        {entry.get('profile_version') or 'none'}, {entry.get('engine', '')}")
    if answer["sound"] and answer["again"] is not None:
        print("decided again from what was kept: the same")


def requirement_words(requirement: dict[str, Any]) -> str:
    """What the law asks for, as `a permit of CN:A15-1, or of CN:A15-2 with CN:B22`."""
    if requirement["kind"] != "permit":
        return str(requirement["kind"]).replace("_", " ")
    either = [" with ".join(codes) for codes in requirement.get("any_of", ())]
    where = ", if equipment stands there" if requirement.get("only_if") else ""
    return f"a permit of {', or of '.join(either)}{where}"


def source_words(source: Any) -> str:
    """Title, date and address, as far as they are known."""
    if not isinstance(source, dict):
        return str(source)
    return ", ".join(str(source[key]) for key in ("title", "date", "url", "address") if source.get(key))
