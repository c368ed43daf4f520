"""`wephone permit what-if`: which past calls would have been decided otherwise under other permits."""

import argparse
import json
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wephone.cli import operating
from wephone.cli.operating import OperatorApi
from wephone.cli.output import Failure, print_json, say

if TYPE_CHECKING:
    from licensing.jurisdiction import Profiles
    from licensing.permit import Toggle
    from licensing.whatif import Changes, Outlook, Record, Replay, Supposed, Tally

REPLAY = "/api/operator/replay"
LARGEST = 64 * 1024  # bytes of a permit's file
LARGEST_PROFILE = 1 << 20
PIECE = 4 << 20  # bytes that are counted at a time
WIDTH = 30  # of the bar
SHOWN = 20  # kinds of flips in the table for a person


def register(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]",
    moment: Callable[[str], str],
    toggling: Callable[[argparse.Namespace], dict[str, Any] | None],
) -> None:
    """Add `what-if` to the actions of `permit`, which knows how times and scopes are written."""
    parser = actions.add_parser(
        "what-if",
        help="which past calls would be decided otherwise under other permits, policy or law",
        description="Decides past decisions again under changes that are only supposed, each at its "
        "own time on the register of that time, and counts those that would be others. Nothing is changed.",
        epilog="A supposed suspension or revocation holds for all times. Exit code 0 when counted.",
    )
    supposed = parser.add_argument_group("what is supposed (each may be repeated)")
    supposed.add_argument(
        "--add", metavar="FILE", action="append", default=[], help="a permit, or another version"
    )
    for name, text in (
        ("without", "the permit is not there"),
        ("suspend", "the permit is suspended"),
        ("revoke", "the permit is revoked"),
        ("reinstate", "the permit was never suspended"),
    ):
        supposed.add_argument(f"--{name}", metavar="ID", action="append", default=[], help=text)
    supposed.add_argument(
        "--off",
        metavar="SCOPE",
        action="append",
        default=[],
        help="a toggle: CLASS, COUNTRY, COUNTRY:CLASS or `*`",
    )
    supposed.add_argument(
        "--on", metavar="KEY", action="append", default=[], help="that toggle is switched on"
    )
    supposed.add_argument(
        "--profile",
        metavar="FILE",
        action="append",
        default=[],
        help="another edition of a jurisdiction's law",
    )
    supposed.add_argument(
        "--judge", metavar="CODE", action="append", help="the policy's profiles; `all` is every one"
    )
    supposed.add_argument("--reading", choices=("conservative", "permissive"), help="the policy's reading")
    supposed.add_argument(
        "--verified", choices=("yes", "no"), help="does the policy ask for verified permits?"
    )
    parser.add_argument(
        "--at", metavar="TIME", type=moment, help="decide all as of this time, on today's register"
    )
    parser.add_argument(
        "--from",
        dest="file",
        metavar="FILE",
        help="an export, or JSON lines with `facts` and `utc_ns`, instead",
    )
    operating.add_options(parser)
    parser.set_defaults(run=run, usage_error=parser.error, toggling=toggling)


def run(args: argparse.Namespace) -> int:
    """Read, count, decide and tell."""
    from licensing.whatif import Replay, WhatIfError

    changes, profiles, here = changes_of(args), profiles_of(args.profile), profiles_of([])

    async def work(api: OperatorApi) -> int:
        stream = lines(api.pieces(REPLAY if args.file is None else f"{REPLAY}?records=none"))
        try:
            first = json.loads(await anext(stream))
            replay = Replay(question(args, first, changes, profiles, here))
            if args.file is None:
                outlook = await replayed(replay, stream, Bar(first["entries"]))
            else:
                outlook = replay.outlook(replay.count(records_in(args.file)))
        except WhatIfError as error:
            raise Failure(f"{args.file}: {error}" if args.file else str(error)) from None
        finally:
            await stream.aclose()
        if args.json:
            print_json(document(outlook))
        else:
            tell(outlook)
        return 0

    return operating.run(args, work)


# What is asked


def changes_of(args: argparse.Namespace) -> "Changes":
    """What the options suppose. Failure names the file, the path in it and the value."""
    from licensing.documents import ChangeError, read_permit
    from licensing.permit import Toggle
    from licensing.requirement import Reading
    from licensing.whatif import Changes

    permits = []
    for file in args.add:
        try:
            permits.append(read_permit(read_file(file, LARGEST)))
        except ChangeError as error:
            raise Failure(f"{file}: {error}") from None
    judges = None if args.judge is None else () if args.judge == ["all"] else tuple(args.judge)
    return Changes(
        permits=tuple(permits),
        without=frozenset(args.without),
        suspended=frozenset(args.suspend),
        revoked=frozenset(args.revoke),
        reinstated=frozenset(args.reinstate),
        toggles=(
            *(toggle_off(args, scope) for scope in args.off),
            *(Toggle(key=key, enabled=True) for key in args.on),
        ),
        reading=None if args.reading is None else Reading(args.reading),
        verified=None if args.verified is None else args.verified == "yes",
        judges=judges,
    )


def toggle_off(args: argparse.Namespace, scope: str) -> "Toggle":
    """What `permit toggle SCOPE off` would switch off."""
    from licensing.permit import Toggle

    asked = argparse.Namespace(
        scope=scope,
        state="off",
        services=[],
        jurisdictions=[],
        regions=[],
        why="",
        usage_error=args.usage_error,
    )
    meant = {key: value for key, value in args.toggling(asked).items() if key != "why"}
    return Toggle.model_validate({"key": scope, **meant})


def profiles_of(files: list[str]) -> "Profiles":
    """The law that we ship, with these files in the places of those with their codes."""
    from licensing.jurisdiction import SHIPPED, ProfileError, gather, texts_in

    named = dict(texts_in(SHIPPED))
    for file in files:
        data = read_file(file, LARGEST_PROFILE)
        named[f"{code_in(file, data)}.json"] = data
    try:
        return gather(sorted(named.items()))
    except ProfileError as error:
        raise Failure(str(error)) from None


def code_in(file: str, data: bytes) -> str:
    """Whose law it is."""
    try:
        code = json.loads(data)["code"]
    except (ValueError, KeyError, TypeError) as error:
        raise Failure(f"{file}: is no profile: {error!r}") from None
    return str(code)


def read_file(file: str, largest: int) -> bytes:
    """The bytes of a file, no more than it may have and one."""
    try:
        with Path(file).open("rb") as opened:
            return opened.read(largest + 1)
    except OSError as error:
        raise Failure(f"cannot read `{file}`: {(error.strerror or str(error)).lower()}") from None


def question(
    args: argparse.Namespace,
    first: dict[str, Any],
    changes: "Changes",
    profiles: "Profiles",
    here: "Profiles",
) -> "Supposed":
    """The question, with what the server said of its register and its law."""
    from licensing.case import Operator, Policy
    from licensing.instant import Instant
    from licensing.ports import RegisterRow
    from licensing.whatif import Supposed

    return Supposed(
        changes,
        tuple(RegisterRow(**row) for row in first["register"]),
        profiles,
        Operator.from_json(first["operator"]),
        Policy.from_json(first["policy"]),
        None
        if args.at is None
        else Instant(round(datetime.fromisoformat(args.at).timestamp() * 1e6) * 1000, 0),
        here,
    )


# Reading and counting


async def lines(pieces: AsyncIterator[bytes]) -> AsyncGenerator[str]:
    """The lines of a stream."""
    rest = b""
    async for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line.decode()
    if rest:
        yield rest.decode()


async def replayed(replay: "Replay", stream: AsyncIterator[str], bar: "Bar") -> "Outlook":
    """Count what the server has, some at a time, and decide each kind."""
    from licensing.whatif import Kinds, read_line

    kinds: Kinds = {}
    some: list[str] = []
    async for line in stream:
        if line.startswith('{"passed":'):
            replay.count(filter(None, map(read_line, some)), kinds)
            some = []
            bar.passed(json.loads(line)["passed"])
        else:
            some.append(line)
    bar.done()
    return replay.outlook(kinds)


def records_in(file: str) -> Iterator["Record"]:
    """The records of a file. WhatIfError names the line."""
    from licensing.whatif import WhatIfError, read_line

    try:
        with Path(file).open(encoding="utf-8") as opened:
            for number, line in enumerate(opened, 1):
                try:
                    found = read_line(line) if line.strip() else None
                except WhatIfError as error:
                    raise WhatIfError(f"line {number}: {error}") from None
                if found is not None:
                    yield found
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"cannot read `{file}`: {error}") from None


class Bar:
    """How far it has come, on a terminal's stderr and nowhere else."""

    def __init__(self, all: int) -> None:
        self._all, self._so_far = all, 0
        self._shown = sys.stderr.isatty()

    def passed(self, entries: int) -> None:
        """So many more are done."""
        self._so_far += entries
        if self._shown and self._all:
            full = WIDTH * self._so_far // self._all
            bar = "#" * full + "." * (WIDTH - full)
            text = f"[{bar}] {100 * self._so_far // self._all:3} %  {self._so_far} of {self._all} entries"
            print(f"\r{text}", end="", file=sys.stderr, flush=True)

    def done(self) -> None:
        """Away with it."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


# What came of it


def document(outlook: "Outlook") -> dict[str, Any]:
    """As JSON."""
    return {
        **counted(outlook.all),
        "left_out": outlook.left_out,
        "other_basis": outlook.other_basis,
        "refused": counted(outlook.flipped(lost=True)),
        "allowed": counted(outlook.flipped(lost=False)),
        "flips": [
            {
                "before": asdict(flip.before),
                "after": asdict(flip.after),
                **counted(flip.tally),
                "examples": flip.tally.examples,
            }
            for flip in outlook.flips
        ],
        "revenue": None,
    }


def counted(tally: "Tally") -> dict[str, int]:
    """How many, how long, how many users."""
    return {"decisions": tally.decisions, "seconds": tally.seconds, "users": len(tally.users)}


def tell(outlook: "Outlook") -> None:
    """For a person."""
    print(f"{outlook.all.decisions} decisions replayed")
    print(f"would be refused: {words(outlook.flipped(lost=True))}")
    print(f"would be allowed: {words(outlook.flipped(lost=False))}")
    for flip in outlook.flips[:SHOWN]:
        before, after = flip.before, flip.after
        print(f"  {before.service}: {before.reason} -> {after.reason}: {words(flip.tally)}")
        if flip.tally.examples:
            print(f"    such as {', '.join(flip.tally.examples)}")
    if len(outlook.flips) > SHOWN:
        print(f"  and {len(outlook.flips) - SHOWN} kinds more (--json has them)")
    if outlook.left_out:
        print(f"left out: {outlook.left_out} that the gate decided without the law (switch, clock, register)")
    if outlook.other_basis:
        say(f"warning: {outlook.other_basis} were decided by another engine or edition of the law than this")


def words(tally: "Tally") -> str:
    """A tally on one line."""
    return f"{tally.decisions} decisions, {tally.seconds / 60:.1f} minutes, {len(tally.users)} users"
