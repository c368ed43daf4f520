"""`wephone audit reconcile`: the carrier's list of calls beside ours, to show that none went past us."""

import argparse
import csv
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from wephone.cli import operating
from wephone.cli.operating import OperatorApi, Refused
from wephone.cli.output import Failure, print_json, say, time_of

if TYPE_CHECKING:
    from licensing.reconcile import Carried, Outcome, Pair, Placed, Tolerance
    from wephone.cli.carrier_rows import BadRow

CALLS = "/api/operator/calls"
TRUNKS = "/api/operator/trunks"
PAGE = 200
SHOWN = 50  # of each kind, for a person; --json and --out have all


def register(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]",
    moment: Callable[[str], int],
    day_after: Callable[[str], int],
) -> None:
    """Add `reconcile` to the actions of `audit`, which knows how days are written."""
    parser = actions.add_parser(
        "reconcile",
        help="hold the carrier's own records of outgoing calls against ours",
        description="Matches a carrier's list of outgoing calls with the telephone calls of this server, by "
        "number, time and duration, and lists what one side alone knows and where they differ.",
        epilog="Exit code 1 if anything does not match or a row cannot be read.",
    )
    parser.add_argument("file", metavar="CARRIER.csv", type=Path, help="its first line names the columns")
    parser.add_argument(
        "--column",
        metavar="WHAT=NAME",
        type=column,
        action="append",
        default=[],
        help="the column of the start, number, seconds or caller, by name or number; may be repeated",
    )
    parser.add_argument(
        "--encoding", metavar="NAME", help="of the file, as gb18030 (default: UTF-8, or its mark's)"
    )
    parser.add_argument(
        "--delimiter", metavar="CHAR", type=character, help="between columns (default: the commonest)"
    )
    parser.add_argument(
        "--zone", metavar="ZONE", type=zone, default="UTC", help="of times without one, as Asia/Shanghai"
    )
    parser.add_argument("--time-format", metavar="FORMAT", help="of times, as %%d.%%m.%%Y %%H:%%M:%%S")
    parser.add_argument(
        "--country", metavar="CC", type=country, help="of numbers that are written as in that country"
    )
    parser.add_argument("--without-plus", action="store_true", help="numbers are E.164 but for the plus")
    parser.add_argument(
        "--from", dest="since", metavar="DATE", type=moment, help="our calls of that UTC day on"
    )
    parser.add_argument(
        "--to", dest="until", metavar="DATE", type=day_after, help="our calls up to the end of that UTC day"
    )
    parser.add_argument(
        "--start-tolerance", metavar="SECONDS", type=seconds, default=30.0, help="clocks apart (30)"
    )
    parser.add_argument(
        "--duration-tolerance", metavar="SECONDS", type=seconds, default=2.0, help="durations apart (2)"
    )
    parser.add_argument(
        "--increment", metavar="SECONDS", type=increment, default=1, help="the carrier rounds up to (1)"
    )
    parser.add_argument(
        "--trunk", metavar="NAME", help="whose list it is, where there are several carriers (default: all)"
    )
    parser.add_argument("--out", metavar="FILE", type=Path, help="write what does not match as CSV")
    operating.add_options(parser)
    parser.set_defaults(run=run)


def column(text: str) -> tuple[str, str]:
    """`start=Call date`."""
    from wephone.cli.carrier_rows import NAMES

    what, equals, name = text.partition("=")
    if what not in NAMES or not equals or not name:
        raise argparse.ArgumentTypeError(f"`{text}` is not one of {', '.join(NAMES)}, `=`, and a column")
    return what, name


def character(text: str) -> str:
    """One character; `\\t` is a tab."""
    text = "\t" if text == "\\t" else text
    if len(text) != 1 or text in '"\r\n':
        raise argparse.ArgumentTypeError(f"`{text}` is not one character between columns")
    return text


def zone(text: str) -> ZoneInfo:
    """A zone of the IANA database."""
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise argparse.ArgumentTypeError(f"there is no time zone `{text}`") from None


def country(text: str) -> str:
    """ISO 3166-1 alpha-2."""
    from licensing.numbering import is_country

    if not is_country(text):
        raise argparse.ArgumentTypeError(f"`{text}` is no country, as in CN")
    return text


def seconds(text: str) -> float:
    """0 to an hour."""
    found = float(text)
    if not 0 <= found <= 3600:
        raise argparse.ArgumentTypeError(f"`{text}` is not 0 to 3600 seconds")
    return found


def increment(text: str) -> int:
    """1 second to an hour."""
    found = int(text)
    if not 1 <= found <= 3600:
        raise argparse.ArgumentTypeError(f"`{text}` is not 1 to 3600 seconds")
    return found


def run(args: argparse.Namespace) -> int:
    """Compare, and say what does not match."""
    from licensing.numbering import Place
    from licensing.reconcile import Tolerance, reconcile
    from wephone.cli.carrier_rows import Reading, read

    how = Reading(
        dict(args.column),
        args.encoding,
        args.delimiter,
        args.zone,
        args.time_format,
        Place(args.country),
        args.without_plus,
    )
    rows, bad = read(args.file, how)
    tolerance = Tolerance(args.start_tolerance, args.duration_tolerance, args.increment)
    period = period_of(rows, args, tolerance)

    async def work(api: OperatorApi) -> int:
        with_callers = any(row.caller for row in rows)
        calls = [] if period is None else await placed(api, *period, args.trunk, with_callers=with_callers)
        outcome = reconcile(rows, calls, tolerance)
        if args.out is not None:
            write(args.out, outcome)
        if args.json:
            print_json(document(outcome, bad, period, len(rows), len(calls)))
        else:
            tell(outcome, bad, len(rows), len(calls))
        return 0 if outcome.whole and not bad else 1

    return operating.run(args, work)


def period_of(
    rows: "list[Carried]", args: argparse.Namespace, tolerance: "Tolerance"
) -> tuple[int, int] | None:
    """Which calls of ours the file should have, µs UTC: as asked, or from its first to its last row."""
    from licensing.reconcile import SECOND

    give = round(tolerance.start * SECOND)
    since = args.since if args.since is not None else min((row.at for row in rows), default=0) - give
    until = args.until if args.until is not None else max((row.at for row in rows), default=-1) + give
    if not rows and (args.since is None or args.until is None):
        return None
    return since, until


async def placed(
    api: OperatorApi, since: int, until: int, trunk: str | None, *, with_callers: bool
) -> "list[Placed]":
    """Our telephone calls of that time: those that this trunk took, and those that were refused for any."""
    from licensing.reconcile import Placed

    rows = [row async for row in records(api, since, until)]
    if trunk is not None:
        await check_trunk(api, trunk, rows)
    found: list[Placed] = []
    numbers: dict[str, frozenset[str]] = {}
    for row in rows:
        callee = row["forwarded_to"] or row["callee"]
        if not callee[0].isdigit() and callee[0] != "+":
            continue  # a user, or a string that is no number
        if trunk is not None and row["trunk"] not in (trunk, None):
            continue
        shown = row["forwarded_by"] or row["caller"]  # whose number the carrier saw
        if with_callers and shown not in numbers:
            numbers[shown] = await numbers_of(api, shown)
        found.append(
            Placed(
                row["call"],
                callee,
                row["offered_at"],
                row["answered_at"],
                row["ended_at"],
                row["reason"] == "refused",
                row["decision"],
                numbers.get(shown, frozenset()),
            )
        )
    return found


async def records(api: OperatorApi, since: int, until: int) -> AsyncIterator[dict[str, Any]]:
    """All calls of that time as the server has them, newest first."""
    query: dict[str, str] | None = {"limit": str(PAGE), "before": str(until + 1)}
    while query is not None:
        page = await api.request("GET", CALLS, query=query)
        for row in page["calls"]:
            if row["offered_at"] < since:
                return
            yield row
        query = page["call"] and {"limit": str(PAGE), "before": str(page["before"]), "call": page["call"]}


async def check_trunk(api: OperatorApi, name: str, rows: list[dict[str, Any]]) -> None:
    """Failure unless the server has such a trunk, or had it at the time of these calls."""
    known = {each["name"] for each in (await api.request("GET", TRUNKS))["trunks"]}
    known |= {row["trunk"] for row in rows if row["trunk"] is not None}
    if name not in known:
        there = f"there are {', '.join(sorted(known))}" if known else "no call of that time was over a trunk"
        raise Failure(f"there is no trunk `{name}`: {there}")


async def numbers_of(api: OperatorApi, user: str) -> frozenset[str]:
    """The numbers that an account may show; empty if the account is gone."""
    try:
        known = await api.request("GET", f"/api/operator/accounts/{user}/facts")
    except Refused as refused:
        if refused.problem.get("status") == 404:
            return frozenset()
        raise
    return frozenset(known["numbers"])


# Telling


def kinds(outcome: "Outcome") -> "Iterator[tuple[str, list[tuple[Carried | None, Placed | None]]]]":
    """What does not match, by kind, worst first."""

    def both(pairs: "tuple[Pair, ...]") -> "list[tuple[Carried | None, Placed | None]]":
        return [(pair.theirs, pair.ours) for pair in pairs]

    yield "refused", both(outcome.refused)
    yield "carrier_alone", [(row, None) for row in outcome.carrier_alone]
    yield "ours_alone", [(None, call) for call in outcome.ours_alone]
    yield "durations", both(outcome.durations)
    yield "callers", both(outcome.callers)


SENTENCES = {
    "refused": "refused here, and the carrier carried it",
    "carrier_alone": "the carrier alone knows it",
    "ours_alone": "we alone know it",
    "durations": "the durations differ",
    "callers": "it showed a number that is not the caller's",
}
FIELDS = ("line", "call", "decision", "at", "number", "carrier_seconds", "our_seconds", "shown")


def entry(theirs: "Carried | None", ours: "Placed | None") -> dict[str, Any]:
    """One call that does not match; null is what a side does not know. The number is masked."""
    from licensing.numbering import mask

    return {
        "line": theirs and theirs.line,
        "call": ours and ours.call,
        "decision": ours and ours.decision,
        "at": theirs.at if theirs else ours and ours.offered_at,
        "number": mask(theirs.number.address) if theirs else ours and ours.callee,
        "carrier_seconds": theirs and theirs.seconds,
        "our_seconds": ours and round(ours.seconds),
        "shown": mask(theirs.caller) if theirs and theirs.caller else None,
    }


def document(
    outcome: "Outcome", bad: "list[BadRow]", period: tuple[int, int] | None, rows: int, calls: int
) -> dict[str, Any]:
    """What `--json` prints."""
    since, until = period or (None, None)
    return {
        "ok": outcome.whole and not bad,
        "since": since,
        "until": until,
        "carrier": rows,
        "ours": calls,
        "matched": len(outcome.pairs),
        "unanswered": outcome.unanswered,
        "bad": [{"line": row.line, "column": row.column, "fault": row.fault} for row in bad],
        **{kind: [entry(*each) for each in found] for kind, found in kinds(outcome)},
    }


def tell(outcome: "Outcome", bad: "list[BadRow]", rows: int, calls: int) -> None:
    """For a person: what is wrong on stderr, the counts on stdout."""
    for row in bad[:SHOWN]:
        say(f"wephone: line {row.line}, column `{row.column}`: {row.fault}")
    more(len(bad))
    for kind, found in kinds(outcome):
        for each in found[:SHOWN]:
            say(f"wephone: {SENTENCES[kind]}: {in_words(entry(*each))}")
        more(len(found))
    print(f"{rows} calls of the carrier, {calls} of ours: {len(outcome.pairs)} are the same")
    if outcome.unanswered:
        print(f"  {outcome.unanswered} of ours that nobody answered are not in its list, as is usual")


def more(count: int) -> None:
    """How many were not shown."""
    if count > SHOWN:
        say(f"wephone: and {count - SHOWN} more: --json and --out have all")


def in_words(known: dict[str, Any]) -> str:
    """One call on one line."""
    parts = [f"{known['number']} at {time_of(known['at'])}"]
    parts += [f"line {known['line']}"] if known["line"] is not None else []
    parts += [f"{known['carrier_seconds']} s there"] if known["carrier_seconds"] is not None else []
    parts += [f"{known['our_seconds']} s here"] if known["our_seconds"] is not None else []
    parts += [f"call {known['call']}"] if known["call"] is not None else []
    parts += [f"shown {known['shown']}"] if known["shown"] is not None else []
    return ", ".join(parts)


def write(file: Path, outcome: "Outcome") -> None:
    """What does not match as CSV, for a spreadsheet."""
    from wephone.cli.carrier_rows import safe_rows

    found = ((kind, entry(*each)) for kind, each_of in kinds(outcome) for each in each_of)
    rows = (
        [kind, *("" if known[name] is None else str(known[name]) for name in FIELDS)] for kind, known in found
    )
    try:
        with file.open("w", newline="", encoding="utf-8-sig") as opened:  # a spreadsheet looks for the mark
            csv.writer(opened).writerows([("kind", *FIELDS), *safe_rows(rows)])
    except OSError as error:
        raise Failure(f"cannot write `{file}`: {(error.strerror or str(error)).lower()}") from None
